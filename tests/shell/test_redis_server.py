"""The embedded Redis: found, started, found again after a kill, one per directory, and gone with its starter."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis

from worker.redis_server import EmbeddedRedis, NoRedisError, find_redis_server, redis_at

pytestmark = pytest.mark.server


def gone(pid: int, seconds: float = 10) -> bool:
    """Wait for the end of a process that is not our child."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        os.sched_yield()
    return False


@pytest.fixture
def server(tmp_path):
    with EmbeddedRedis(tmp_path / "redis") as running:
        yield running


def test_it_answers_on_loopback_with_an_append_only_file(server):
    with redis.Redis.from_url(server.url) as client:
        assert client.ping()
        assert client.config_get("bind") == {"bind": "127.0.0.1"}
        assert client.config_get("append*")["appendonly"] == "yes"
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.info("server")["process_id"] == server.pid


def test_what_it_held_survives_stop_and_kill(server):
    with redis.Redis.from_url(server.url) as client:
        client.set("kept", "1")
        client.config_set("appendfsync", "always")
        client.set("kept-too", "2")
    server.kill()
    server.start()
    with redis.Redis.from_url(server.url) as client:
        assert client.mget("kept", "kept-too") == [b"1", b"2"]
        client.set("last", "3")
    server.stop()
    server.start()
    with redis.Redis.from_url(server.url) as client:
        assert client.get("last") == b"3"


def test_it_ends_with_its_block(tmp_path):
    running = EmbeddedRedis(tmp_path)
    pids = []

    def fail_inside() -> None:
        with running:
            pids.append(running.pid)
            raise ValueError("in the block")

    with pytest.raises(ValueError, match="in the block"):
        fail_inside()
    assert gone(pids[0])
    assert running.pid == 0


def test_a_second_one_on_the_same_directory_is_refused(server, tmp_path):
    with pytest.raises(NoRedisError, match="already runs on"):
        EmbeddedRedis(tmp_path / "redis").start()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child together with its parent")
def test_it_ends_with_a_killed_starter(tmp_path):
    program = (
        "import sys, pathlib; from worker.redis_server import EmbeddedRedis\n"
        f"running = EmbeddedRedis(pathlib.Path({str(tmp_path)!r})); running.start()\n"
        "print(running.pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as starter:
        pid = int(starter.stdout.readline())
        starter.send_signal(signal.SIGKILL)
    assert gone(pid)


def test_a_given_url_is_taken_as_it_is(tmp_path):
    with redis_at("redis://elsewhere:6379/3", tmp_path) as url:
        assert url == "redis://elsewhere:6379/3"
    assert list(tmp_path.iterdir()) == []


def test_without_a_url_one_is_started(tmp_path):
    with redis_at(None, tmp_path) as url, redis.Redis.from_url(url) as client:
        assert client.ping()


def fake_server(folder: Path, says: str) -> None:
    folder.mkdir()
    script = folder / "redis-server"
    script.write_text(f"#!/bin/sh\necho '{says}'\n")
    script.chmod(0o755)


def test_a_recent_server_on_the_path_comes_first(tmp_path, monkeypatch):
    fake_server(tmp_path / "bin", "Redis server v=7.4.1 sha=00000000:0 malloc=libc bits=64")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert find_redis_server() == tmp_path / "bin" / "redis-server"


def test_an_old_server_on_the_path_is_passed_over(tmp_path, monkeypatch):
    fake_server(tmp_path / "bin", "Redis server v=5.0.14 sha=00000000:0 malloc=libc bits=64")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.defpath}")
    assert find_redis_server() != tmp_path / "bin" / "redis-server"


def test_where_there_is_none_one_sentence_names_the_remedies(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(NoRedisError, match=r"REDIS_URL.*redis-server 6\.2.*Python 3\.11 or 3\.12"):
        find_redis_server()


def test_a_server_that_does_not_start_is_named_with_its_log(tmp_path):
    with pytest.raises(NoRedisError, match=r"did not start; its log is .*redis\.log"):
        EmbeddedRedis(tmp_path, binary=Path(shutil.which("false"))).start()
