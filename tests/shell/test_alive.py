"""A worker answers for itself and for nobody else."""

import os
import subprocess
import sys

import pytest
from celery import Celery

from worker.alive import is_alive
from worker.redis_server import EmbeddedRedis

pytestmark = [pytest.mark.server, pytest.mark.timeout(60)]

PROGRAM = """
import sys
from celery import Celery
from celery.signals import worker_ready
app = Celery("told", broker=sys.argv[1])
app.conf.update(worker_hijack_root_logger=False, worker_redirect_stdouts=False)
worker_ready.connect(lambda **_: print("ready", flush=True), weak=False)
app.worker_main(["worker", "--pool", "solo", "--hostname", "celery@here", "--without-gossip", "--without-mingle"])
"""


@pytest.fixture
def broker(tmp_path):
    with EmbeddedRedis(tmp_path) as server:
        yield server.url


@pytest.fixture
def worker(broker):
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, broker],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=dict(os.environ),
        text=True,
    ) as process:
        try:
            assert any(line.strip() == "ready" for line in process.stdout)
            yield broker
        finally:
            process.kill()


def ask(url: str, node: str, patience: float) -> bool:
    with Celery("asks", broker=url, set_as_current=False) as app:
        return is_alive(app, node, patience)


def test_a_running_worker_answers(worker):
    assert ask(worker, "celery@here", 30)


def test_another_ones_answer_does_not_count(worker):
    assert not ask(worker, "celery@elsewhere", 0.5)


def test_without_a_worker_nobody_answers(broker):
    assert not ask(broker, "celery@here", 0.5)
