"""Runs and their rows in tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import sqlalchemy as sa

from cambist.api import ResultError, RunRecord, did_you_mean
from cambist_storage.sql.schema import ROW_TABLES, RUNS
from cambist_storage.sql.upsert import upsert

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeVar

    from sqlalchemy import Connection

    from cambist.api import Row
    from cambist_storage.sql.engine import Database

    RowT = TypeVar("RowT", bound=Row)

__all__ = ["SqlRunStore"]

_RECORD_FIELDS = tuple(field.name for field in attrs.fields(RunRecord))
_FIELDS = {kind: tuple(field.name for field in attrs.fields(kind)) for kind in ROW_TABLES}
_PAGE = 10_000


class SqlRunStore:
    """Runs and their rows; see `cambist.api.RunStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._upserts: dict[type[Row], Any] = {}

    def begin(self, run: RunRecord) -> None:
        """See `cambist.api.RunStore.begin`."""
        values = {name: getattr(run, name) for name in _RECORD_FIELDS}
        with self._database.writing() as connection:
            number = _number(connection, run.id)
            if number is None:
                connection.execute(sa.insert(RUNS), values)
            else:
                connection.execute(sa.update(RUNS).where(RUNS.c.number == number), values)

    def write(self, run_id: str, rows: Sequence[Row], sequence: int) -> bool:
        """See `cambist.api.RunStore.write`."""
        with self._database.writing() as connection:
            # Held until the end: two writers of one run, of which one is not needed, must not interleave.
            query = sa.select(RUNS.c.number, RUNS.c.cursor).where(RUNS.c.id == run_id).with_for_update()
            found = connection.execute(query).one_or_none()
            if found is None:
                raise _unknown(connection, run_id)
            if sequence <= found.cursor:
                return False
            for kind, last in _by_kind(rows).items():
                self._insert(connection, kind, found.number, last)
            connection.execute(sa.update(RUNS).where(RUNS.c.number == found.number), {"cursor": sequence})
        return True

    def cursor(self, run_id: str) -> int:
        """See `cambist.api.RunStore.cursor`."""
        with self._database.reading() as connection:
            found = connection.execute(sa.select(RUNS.c.cursor).where(RUNS.c.id == run_id)).scalar()
        return -1 if found is None else int(found)

    def get(self, run_id: str) -> RunRecord:
        """See `cambist.api.RunStore.get`."""
        with self._database.reading() as connection:
            found = connection.execute(_select_records().where(RUNS.c.id == run_id)).one_or_none()
            if found is None:
                raise _unknown(connection, run_id)
        return RunRecord(**found._mapping)  # noqa: SLF001 - SQLAlchemy's documented name

    def runs(self) -> list[RunRecord]:
        """See `cambist.api.RunStore.runs`."""
        with self._database.reading() as connection:
            found = connection.execute(_select_records().order_by(RUNS.c.number)).all()
        return [RunRecord(**row._mapping) for row in found]  # noqa: SLF001

    def rows(self, run_id: str, kind: type[RowT]) -> Iterator[RowT]:
        """See `cambist.api.RunStore.rows`; read page by page, as they were when the first was asked for."""
        table, names = ROW_TABLES[kind], _FIELDS[kind]
        with self._database.reading() as connection:
            number = _number(connection, run_id)
            if number is None:
                raise _unknown(connection, run_id)
            query = sa.select(*(table.c[name] for name in names)).where(table.c.run == number)
            ordered = query.order_by(*(table.c[name] for name in kind.key))
            with connection.execution_options(yield_per=_PAGE).execute(ordered) as found:
                for row in found:
                    yield kind(**dict(zip(names, row, strict=True)))

    def _insert(self, connection: Connection, kind: type[Row], number: int, rows: list[Any]) -> None:
        names = _FIELDS[kind]
        if kind not in self._upserts:  # making a statement costs more than executing it
            self._upserts[kind] = upsert(connection, ROW_TABLES[kind])
        values = [{"run": number, **{name: getattr(row, name) for name in names}} for row in rows]
        connection.execute(self._upserts[kind], values)

    def delete(self, run_id: str) -> None:
        """See `cambist.api.RunStore.delete`."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(RUNS).where(RUNS.c.id == run_id))


def _by_kind(rows: Sequence[Any]) -> dict[type[Row], list[Any]]:
    """Return the rows of each kind, of those of equal key the last.

    One statement for each kind, however they are mixed: a statement costs as much as many rows.
    """
    found: dict[type[Row], dict[tuple[Any, ...], Any]] = {}
    for row in rows:
        found.setdefault(type(row), {})[tuple(getattr(row, name) for name in row.key)] = row
    return {kind: list(last.values()) for kind, last in found.items()}


def _number(connection: Connection, run_id: str) -> int | None:
    return connection.execute(sa.select(RUNS.c.number).where(RUNS.c.id == run_id)).scalar()


def _select_records() -> sa.Select[Any]:
    return sa.select(*(RUNS.c[name] for name in _RECORD_FIELDS))


def _unknown(connection: Connection, run_id: str) -> ResultError:
    known = connection.execute(sa.select(RUNS.c.id)).scalars()
    return ResultError(f"no run {run_id!r} is stored.{did_you_mean(run_id, known)}")
