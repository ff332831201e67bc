"""The demo as a user runs it, small: it succeeds, it can be interrupted, and it leaves nothing running."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc for what is left running"),
]


def command(tmp_path, *options):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    return subprocess.Popen(
        [sys.executable, "-m", "worker", "demo", *options],
        cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def running_with(directory):
    """Commands of living processes that name a file below the directory, in arguments or environment."""
    needle, found = str(directory).encode(), []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        try:
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except (OSError, ProcessLookupError):
            continue
        if needle in told:
            found.append(told[:100])
    return found


def ended(directory, seconds=20):
    give_up = time.monotonic() + seconds
    while running_with(directory) and time.monotonic() < give_up:
        time.sleep(0.2)
    return running_with(directory) == []


def test_forty_pairs(tmp_path):
    process = command(tmp_path, "--pairs", "40", "--seconds", "2", "--json", str(tmp_path / "figures.json"))
    said, _ = process.communicate(timeout=170)
    assert process.returncode == 0, said
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["problems"] == []
    assert (figures["pairs"], figures["pairs_wrong"], figures["quiet_cycles"]) == (40, 0, 5)
    assert sum(figures["quiet"]["records_written"].values()) == 0
    assert set(figures["quiet"]["calls"]["salesforce"]) == {"poll"}
    assert set(figures["quiet"]["calls"]["account_engagement"]) == {"poll"}
    assert len(figures["explained"]) == 3
    assert "40 of 40 pairs are in step" in said
    assert ended(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["figures.json"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(tmp_path, number):
    process = command(tmp_path, "--pairs", "40")
    for line in process.stdout:
        if "first sync" in line:
            break
    time.sleep(2)
    process.send_signal(number)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Interrupted" in said
    assert ended(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_killed(tmp_path):
    """Nothing can be cleared away then, but nothing goes on running."""
    process = command(tmp_path, "--pairs", "40")
    for line in process.stdout:
        if "first sync" in line:
            break
    process.kill()
    process.communicate(timeout=60)
    assert ended(tmp_path, 60)
