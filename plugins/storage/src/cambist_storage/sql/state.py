"""Named bytes in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from cambist_storage.sql.schema import STATES
from cambist_storage.sql.upsert import upsert

if TYPE_CHECKING:
    from cambist_storage.sql.engine import Database

__all__ = ["SqlStateStore"]


class SqlStateStore:
    """Named bytes; see `cambist.api.StateStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, name: str, data: bytes) -> None:
        """Keep `data` under `name`."""
        with self._database.writing() as connection:
            connection.execute(upsert(connection, STATES), {"name": name, "data": bytes(data)})

    def get(self, name: str) -> bytes | None:
        """Return what was kept last, or None."""
        with self._database.reading() as connection:
            data = connection.execute(sa.select(STATES.c.data).where(STATES.c.name == name)).scalar()
        return None if data is None else bytes(data)

    def delete(self, name: str) -> None:
        """Forget a name."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(STATES).where(STATES.c.name == name))

    def names(self) -> list[str]:
        """Return every name, sorted."""
        with self._database.reading() as connection:
            return sorted(connection.execute(sa.select(STATES.c.name)).scalars())
