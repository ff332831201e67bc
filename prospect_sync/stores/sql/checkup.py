"""What a database says of itself, for ``doctor``; nothing is created or migrated."""

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from prospect_sync.ports import DatabaseFacts
from prospect_sync.stores.sql.engine import Database
from prospect_sync.stores.sql.schema import migrations


def look_at(engine: sa.Engine) -> DatabaseFacts:
    """Ask the database.

    Raises: TryLater, Misconfigured.
    """
    with Database(engine).reading() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
    return DatabaseFacts(engine.dialect.name, revision, needed())


def needed() -> str:
    """Name the schema's newest revision."""
    return ScriptDirectory.from_config(migrations()).get_current_head() or ""
