"""Alembic's entry: it runs on the connection, and in the transaction, that it is handed."""

from alembic import context

from publisher.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite changes a table by making it anew.
    render_as_batch=True,
    transactional_ddl=False,  # the caller's transaction is around it
)
context.run_migrations()
