"""Runs migrations on the connection handed over by `api.migrations.migrate`."""

from alembic import context

from engine.store.tables import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    compare_type=True,
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
if connection.in_transaction():
    connection.commit()
