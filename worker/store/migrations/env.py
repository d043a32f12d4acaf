"""Alembic's way in: the connection is handed over by worker.store.migrate, inside its transaction."""

from alembic import context

from worker.store.schema import meta

context.configure(connection=context.config.attributes["connection"], target_metadata=meta, render_as_batch=True, transactional_ddl=False)
context.run_migrations()
