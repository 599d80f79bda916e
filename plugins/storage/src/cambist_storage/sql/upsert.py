"""Writing a row in place of the one of equal key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Table

__all__ = ["upsert"]


def upsert(connection: Connection, table: Table, key: Sequence[str] = ()) -> sqlite.Insert | postgresql.Insert:
    """Return ``INSERT ... ON CONFLICT DO UPDATE``.

    Parameters
    ----------
    key
        Columns of a unique index; those of the primary key by default.
    """
    insert = sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
    kept = {column.name for column in table.primary_key} | set(key)
    changed = {column.name: insert.excluded[column.name] for column in table.columns if column.name not in kept}
    return insert.on_conflict_do_update(
        index_elements=list(key or (column.name for column in table.primary_key)), set_=changed
    )
