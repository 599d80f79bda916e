"""Which version the tables of a database are of, and how they get to the newest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from cambist.api import StorageError
from cambist_storage.sql.schema import METADATA
from cambist_storage.sql.views import create_views, drop_views

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from cambist_storage.sql.engine import Database

__all__ = ["HEAD", "prepare", "refuse_newer", "upgrade", "version_of"]

#: The newest version; its file is in ``migrations/versions``.
HEAD = "0003"

_VERSION = sa.table("cambist_version", sa.column("version_num", sa.Text))


def version_of(database: Database) -> str | None:
    """Return the version of a database's tables, None where there are none of ours.

    Raises
    ------
    StorageError
        It holds something else, or cannot be read.
    """
    with database.reading() as connection:
        names = set(sa.inspect(connection).get_table_names())
        if _VERSION.name in names:
            return str(connection.execute(sa.select(_VERSION.c.version_num)).scalar_one())
        foreign = sorted(names) if database.is_sqlite else sorted(names & set(METADATA.tables))
        if foreign or not (database.is_marked(connection) or _is_new(connection, database)):
            shown = ", ".join(foreign[:3]) or "another program's mark"
            raise StorageError(
                f"{database.name}: this database is not of Cambist: it holds {shown}. Nothing was changed; "
                "give another."
            )
    return None


def _is_new(connection: Connection, database: Database) -> bool:
    """Tell whether a SQLite file carries nobody's mark."""
    return not database.is_sqlite or connection.exec_driver_sql("PRAGMA application_id").scalar() == 0


def prepare(database: Database) -> None:
    """Make the tables in a new database; refuse one of another version.

    Raises
    ------
    StorageError
        The database is of an older or a newer version, or not ours.
    """
    version = version_of(database)
    if version is None:
        upgrade(database)
    elif version < HEAD:
        raise StorageError(
            f"{database.name}: its tables are of version {version}, and this cambist-storage works with {HEAD}. Make a "
            f"copy of it, then run: cambist storage upgrade '{database.name}'"
        )
    refuse_newer(database, version)


def refuse_newer(database: Database, version: str | None) -> None:
    """Leave alone what a newer cambist-storage has made.

    Raises
    ------
    StorageError
        The version is above `HEAD`.
    """
    if version is not None and version > HEAD:
        raise StorageError(
            f"{database.name}: a newer cambist-storage made its tables, in version {version}; this one works with "
            f"{HEAD}. Upgrade cambist-storage: pip install --upgrade cambist-storage"
        )


def upgrade(database: Database, target: str = "head") -> None:
    """Bring the tables to a version, all at once: a failure leaves them as they were.

    Raises
    ------
    StorageError
        A migration failed, or the database cannot be reached.
    """
    from alembic import command  # 0.3 s to import, and needed once in the life of a database
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("version_table", _VERSION.name)
    with database.writing() as connection:
        if not database.is_sqlite:  # two processes that open a new database at once
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(4846546)")
        attributes: dict[str, Any] = config.attributes
        attributes["connection"] = connection
        drop_views(connection)  # a table that a view reads can be neither changed nor made anew
        command.upgrade(config, target)
        if target == "head":  # views are those of the newest tables
            create_views(connection)
        database.mark(connection)
