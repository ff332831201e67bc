"""The databases themselves: migrations, many processes, and what a locked or missing database is called."""

import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from prospect_sync.errors import Misconfigured, TryLater
from prospect_sync.stores.sql import SqlFence, SqlMirror, make_engine, upgrade
from prospect_sync.stores.sql.engine import Database, _write_ahead
from prospect_sync.stores.sql.tables import METADATA, NOTES

UPGRADE = """
import sys
from prospect_sync.stores.sql import SqlFence, make_engine, upgrade
engine = make_engine(sys.argv[1])
sys.stdin.readline()
upgrade(engine)
print(SqlFence(engine).next())
engine.dispose()
"""


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return request.getfixturevalue("empty_postgres_url")


@pytest.fixture(params=["sqlite", "postgres"])
def ready_engine(request, engines):
    return engines(request.getfixturevalue(f"{request.param}_url"))


def test_the_migrations_build_exactly_the_tables(ready_engine):
    with ready_engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_upgrading_again_changes_nothing(ready_engine):
    number = SqlFence(ready_engine).next()
    upgrade(ready_engine)
    assert SqlFence(ready_engine).next() == number + 1


def test_many_processes_may_upgrade_an_empty_database_at_once(empty_url):
    command = [sys.executable, "-W", "error", "-c", UPGRADE, empty_url]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **pipes) for _ in range(4)]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=60) for process in processes]
    assert sorted(out.strip() for out, _ in answers) == ["1", "2", "3", "4"], answers


def test_sqlite_keeps_a_write_ahead_log(sqlite_url, engines):
    with engines(sqlite_url).connect() as connection:
        settings = ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        assert [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in settings] == ["wal", 1, 30_000, 1]


def test_switching_to_the_write_ahead_log_waits_for_a_writer_of_the_old_kind(tmp_path, engines):
    file = tmp_path / "old.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("CREATE TABLE old (x)")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO old VALUES (1)")
        engine = engines(f"sqlite:///{file}")
        with ThreadPoolExecutor(1) as pool:
            opened = pool.submit(upgrade, engine)
            deadline = time.monotonic() + 20
            while _write_ahead.statistics.get("attempt_number", 0) < 2 and not opened.done():
                assert time.monotonic() < deadline
            writer.execute("COMMIT")
            opened.result(20)
    assert SqlFence(engine).next() == 1


def test_a_second_sqlite_writer_is_told_to_try_later_and_readers_go_on(sqlite_url, engines):
    impatient = engines(sqlite_url)

    @sa.event.listens_for(impatient, "connect")
    def _(connection, _record):
        connection.execute("PRAGMA busy_timeout=0")

    with Database(engines(sqlite_url)).writing():
        with pytest.raises(TryLater) as raised:
            SqlFence(impatient).next()
        assert SqlMirror(impatient).get([1]) == {}
    assert raised.value.reason == "lock"
    assert SqlFence(impatient).next() == 1


def test_a_write_that_fails_leaves_nothing(ready_engine):
    database = Database(ready_engine)

    def fail_half_way() -> None:
        with database.writing() as connection:
            connection.execute(sa.insert(NOTES).values(key="half", text="done"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    with database.reading() as connection:
        assert connection.execute(sa.select(NOTES)).all() == []


def test_a_database_without_our_tables_is_misconfigured(empty_url, engines):
    with pytest.raises(Misconfigured, match="lacks our tables"):
        SqlFence(engines(empty_url)).next()


def test_a_lost_postgres_connection_is_try_later_and_work_goes_on(postgres_url, engines):
    engine = engines(postgres_url)
    database, other = Database(engine), engines(postgres_url)

    def lose_the_connection() -> None:
        with database.writing() as connection:
            pid = connection.execute(sa.select(sa.func.pg_backend_pid())).scalar_one()
            with other.begin() as killer:
                killer.execute(sa.select(sa.func.pg_terminate_backend(pid)))
            connection.execute(sa.select(NOTES))

    with pytest.raises(TryLater) as raised:
        lose_the_connection()
    assert raised.value.reason == "outage"
    assert SqlFence(engine).next() == 1


def test_a_postgres_that_is_away_is_try_later(engines, tmp_path):
    with pytest.raises(TryLater) as raised:
        SqlFence(engines(f"postgresql://nobody@/nothing?host={tmp_path}")).next()
    assert raised.value.reason == "outage"


def test_other_databases_are_refused():
    with pytest.raises(Misconfigured, match="SQLite or PostgreSQL"):
        make_engine("mysql://root@localhost/sync")


def test_an_error_of_the_data_does_not_show_the_data(ready_engine):
    """What is not ours to translate is logged as it is; a person's address has no business there."""
    twice = [{"key": "x", "text": "jane@example.org"}] * 2
    with Database(ready_engine).writing() as connection, pytest.raises(sa.exc.IntegrityError) as caught:
        connection.execute(sa.insert(NOTES), twice)
    assert "jane@example.org" not in str(caught.value)
