"""Alembic's entry: runs the migrations inside the transaction that ``schema.upgrade`` opened."""

from alembic import context

from prospect_sync.stores.sql.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
