"""Series of bars in a table, for those who want them beside their orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa

from cambist.api import BarKey, BarsWritten, StoredBars
from cambist.model import COLUMNS, Bars, Instrument, Timeframe
from cambist_storage.sql.schema import BAR_SERIES, BARS
from cambist_storage.sql.upsert import upsert

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from cambist_storage.sql.engine import Database

__all__ = ["SqlBarStore"]

_VALUES = [BARS.c[name] for name in ("ts", *COLUMNS)]
_NAMES = [column.name for column in _VALUES]
#: Rows that are made into Python objects at once.
_CHUNK = 50_000


class SqlBarStore:
    """Series of bars; see `cambist.api.BarStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, bars: Bars) -> BarsWritten:
        """See `cambist.api.BarStore.write`."""
        with self._database.writing() as connection:
            number = _series(connection, bars)
            before = _read(connection, number, bars.instrument, bars.timeframe, *_around(bars))
            happened = BarsWritten.of(before, bars)
            if before is not None:
                before.updated(bars)  # refuses bars that overlap
            if happened.added or happened.replaced:
                insert = upsert(connection, BARS)
                for piece in bars.blocks(_CHUNK):
                    columns = (piece.ts, *piece.columns.values())
                    rows = zip(*(column.tolist() for column in columns), strict=True)
                    values = [{"series": number, **dict(zip(_NAMES, row, strict=True))} for row in rows]
                    connection.execute(insert, values)
        return happened

    def read(self, key: BarKey, start: int | None = None, end: int | None = None) -> Bars | None:
        """See `cambist.api.BarStore.read`."""
        with self._database.reading() as connection:
            found = _find(connection, key)
            return None if found is None else _read(connection, found[0], found[1], key.timeframe, start, end)

    def blocks(
        self, key: BarKey, start: int | None = None, end: int | None = None, size: int = 65_536
    ) -> Iterator[Bars]:
        """See `cambist.api.BarStore.blocks`."""
        with self._database.reading() as connection:
            found = _find(connection, key)
            if found is None:
                return
            paged = connection.execution_options(yield_per=size)
            with paged.execute(_query(found[0], start, end)) as result:
                for rows in result.partitions(size):
                    yield _bars(rows, found[1], key.timeframe)

    def series(self) -> list[StoredBars]:
        """See `cambist.api.BarStore.series`."""
        extent = (sa.func.min(BARS.c.ts), sa.func.max(BARS.c.ts), sa.func.count())
        query = sa.select(BAR_SERIES, *extent).join(BARS).group_by(*BAR_SERIES.c)
        with self._database.reading() as connection:
            found = connection.execute(query).all()
        stored = [
            StoredBars(
                key=BarKey(symbol, Timeframe(timeframe), venue),
                instrument=Instrument(**instrument),
                first=first,
                last=last,
                rows=rows,
            )
            for _, venue, symbol, timeframe, instrument, first, last, rows in found
        ]
        return sorted(stored, key=lambda one: one.key)

    def delete(self, key: BarKey) -> None:
        """See `cambist.api.BarStore.delete`."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(BAR_SERIES).where(*_matches(key)))

    def close(self) -> None:
        """Do nothing: the storage closes the database."""


def _matches(key: BarKey) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        BAR_SERIES.c.venue == key.venue,
        BAR_SERIES.c.symbol == key.symbol,
        BAR_SERIES.c.timeframe == key.timeframe.ns,
    )


def _find(connection: Connection, key: BarKey) -> tuple[int, Instrument] | None:
    query = sa.select(BAR_SERIES.c.number, BAR_SERIES.c.instrument).where(*_matches(key))
    found = connection.execute(query).one_or_none()
    return None if found is None else (found.number, Instrument(**found.instrument))


def _series(connection: Connection, bars: Bars) -> int:
    """Return the number of a series, made where there is none, and locked; its instrument is the newest."""
    key = BarKey.of(bars)
    values = {
        "venue": key.venue,
        "symbol": key.symbol,
        "timeframe": key.timeframe.ns,
        "instrument": bars.instrument.to_fields(),
    }
    insert = upsert(connection, BAR_SERIES, ("venue", "symbol", "timeframe"))
    connection.execute(insert, values)  # an update locks the row until the end of the transaction
    return int(connection.execute(sa.select(BAR_SERIES.c.number).where(*_matches(key))).scalar_one())


def _around(bars: Bars) -> tuple[int, int]:
    """Return the stretch in which a stored bar can meet one of `bars`: theirs, and one bar on either side."""
    return int(bars.ts[0]) - bars.timeframe.ns, int(bars.ts[-1]) + bars.timeframe.ns


def _query(number: int, start: int | None, end: int | None) -> sa.Select[Any]:
    query = sa.select(*_VALUES).where(BARS.c.series == number).order_by(BARS.c.ts)
    if start is not None:
        query = query.where(BARS.c.ts >= start)
    return query if end is None else query.where(BARS.c.ts < end)


def _read(
    connection: Connection,
    number: int,
    instrument: Instrument,
    timeframe: Timeframe,
    start: int | None,
    end: int | None,
) -> Bars | None:
    rows = connection.execute(_query(number, start, end)).all()
    return _bars(rows, instrument, timeframe) if rows else None


def _bars(rows: Any, instrument: Instrument, timeframe: Timeframe) -> Bars:
    ts, *columns = zip(*rows, strict=True)
    return Bars(instrument, timeframe, np.array(ts, np.int64), *(np.array(column, np.float64) for column in columns))
