"""Runs the migrations on the connection that `api.store.upgrade_database` hands over."""

from alembic import context

from api.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # On SQLite the caller's transaction spans all of it: its DDL is transactional, too.
    transactional_ddl=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
