"""The database engine, and one short transaction per call.

SQLite: write-ahead log, and every writing transaction begins IMMEDIATE, because deferred ones of several processes lock
each other out. Engines are made after a fork. A database that is locked or away is TryLater, one without our tables
Misconfigured.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_random

from prospect_sync.errors import Misconfigured, TryLater

_WRITES = "prospect_sync_writes"
_BUSY_SECONDS = 30
_LOCK_DELAY, _OUTAGE_DELAY = 1.0, 5.0
_LOCKED = ("database is locked", "database table is locked", "deadlock detected", "could not serialize", "lock timeout")
_NO_TABLES = ("no such table", "no such column", "has no column named", "UndefinedTable", "UndefinedColumn")


def make_engine(url: str) -> sa.Engine:
    """Make an engine for a SQLite or PostgreSQL address; ``postgresql://`` means the psycopg driver.

    Raises:
        Misconfigured: neither of the two databases.
    """
    address = sa.make_url(url)
    if address.get_backend_name() == "sqlite":
        engine = sa.create_engine(address, hide_parameters=True)  # they are people's data, and errors are logged
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if address.get_backend_name() == "postgresql":
        return sa.create_engine(address.set(drivername="postgresql+psycopg"), pool_pre_ping=True, hide_parameters=True)
    raise Misconfigured(f"the database has to be SQLite or PostgreSQL, not {address.get_backend_name()}")


class Database:
    """Short transactions on an engine.

    Both methods raise TryLater or Misconfigured for whatever hinders the database; errors of the data pass unchanged.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._reads = engine
        self._writes = engine.execution_options(**{_WRITES: True})

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Read in one transaction."""
        with _translated(), self._reads.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Read and write in one transaction; on SQLite nobody else writes meanwhile."""
        with _translated(), self._writes.begin() as connection:
            yield connection


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin below, not where the driver guesses
    connection.execute(f"PRAGMA busy_timeout={_BUSY_SECONDS * 1000}")
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")


@retry(
    retry=retry_if_exception_type(sqlite3.OperationalError),
    wait=wait_random(0.01, 0.1),
    stop=stop_after_delay(_BUSY_SECONDS),
    reraise=True,
)
def _write_ahead(connection: Any) -> None:
    """Switch the file over; SQLite does not wait for others here, whatever the busy time-out."""
    connection.execute("PRAGMA journal_mode=WAL")


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (exc.OperationalError, exc.InterfaceError, exc.ProgrammingError) as error:
        raise _ours(error) from error
    except exc.TimeoutError as error:
        raise TryLater("no database connection came free", delay=_LOCK_DELAY, reason="lock") from error
    except exc.DBAPIError as error:
        if error.connection_invalidated:
            raise _ours(error) from error
        raise
    except sqlite3.OperationalError as error:
        raise TryLater(f"the database cannot work now: {error}", delay=_LOCK_DELAY, reason="lock") from error


def _ours(error: exc.DBAPIError) -> TryLater | Misconfigured:
    words = f"{type(error.orig).__name__}: {error.orig}"
    if any(word in words for word in _NO_TABLES):
        return Misconfigured(f"the database lacks our tables; bring it up to date first ({words})")
    if isinstance(error, exc.ProgrammingError) and not error.connection_invalidated:
        return Misconfigured(f"the database refuses our statements ({words})")
    if any(word in words for word in _LOCKED):
        return TryLater(f"the database is locked ({words})", delay=_LOCK_DELAY, reason="lock")
    return TryLater(f"the database cannot work now ({words})", delay=_OUTAGE_DELAY, reason="outage")
