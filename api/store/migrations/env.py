"""Runs the migrations on the connection that `api.store.migrate` hands over."""

from alembic import context

from api.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # The caller's transaction spans all of it; SQLite's DDL is transactional too.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
