"""How alembic runs the migrations: on the connection it is given, in the transaction that is open there."""

from __future__ import annotations

from alembic import context

from cambist_storage.sql.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=context.config.get_main_option("version_table"),
    transactional_ddl=False,  # the transaction is the caller's, and holds the migrations of several versions
)
context.run_migrations()
