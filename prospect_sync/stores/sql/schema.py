"""Bringing a database up to date, by any number of processes at once: the first does it, the others wait and find it done."""

from importlib.resources import files

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from prospect_sync.stores.sql.engine import Database

_ADVISORY_LOCK = 7_706_273_001


def migrations() -> Config:
    """Name the place of our migrations, the way Alembic wants it."""
    config = Config()
    config.set_main_option("script_location", str(files("prospect_sync.stores.sql") / "migrations").replace("%", "%%"))
    return config


def upgrade(engine: sa.Engine) -> None:
    """Create or migrate the tables, in one transaction.

    Raises: TryLater, Misconfigured.
    """
    config = migrations()
    with Database(engine).writing() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
