"""The tables. What is here is what the newest migration makes; a test holds the two together."""

from __future__ import annotations

import types
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, get_args, get_type_hints

import attrs
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from cambist.api import ROWS, Row
from cambist_storage.sql.types import Document, Exact

__all__ = ["BARS", "BAR_SERIES", "METADATA", "ROW_TABLES", "RUNS", "STATES"]

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

#: Identifies a run within the database in a few bytes; its id is in `runs`.
_NUMBER = BigInteger().with_variant(Integer, "sqlite")

RUNS = Table(
    "runs",
    METADATA,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("mode", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("stored_at", BigInteger, nullable=False),
    Column("strategies", Document, nullable=False),
    Column("instruments", Document, nullable=False),
    Column("currency", Text, nullable=False),
    Column("initial_cash", Exact, nullable=False),
    Column("settings", Document, nullable=False),
    Column("stopped", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("cursor", BigInteger, nullable=False, default=-1),
)

#: By the type of a field; a union with None makes the column nullable.
_TYPES: dict[Any, Any] = {
    str: Text,
    int: BigInteger,
    float: Double,
    bool: Boolean,
    bytes: LargeBinary,
    Decimal: Exact,
    Mapping[str, Any]: Document,
}
#: What people search by, beyond the primary keys.
_INDEXES: dict[str, tuple[tuple[str, ...], ...]] = {
    "orders": (("run", "created_at"), ("run", "strategy"), ("run", "symbol"), ("client_id",)),
    "order_events": (("run", "order_id"), ("run", "ts")),
    "fills": (("run", "ts"), ("run", "order_id")),
    "trades": (("run", "closed_at"), ("run", "strategy")),
    "events": (("run", "ts"), ("run", "kind")),
    "position_snapshots": (("run", "ts"),),
}


def _column(name: str, hint: Any) -> Column[Any]:
    members = get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    plain = next(member for member in members if member is not type(None))
    return Column(name, _TYPES[plain], nullable=type(None) in members)


def _table(row: type[Row]) -> Table:
    """Return the table of a kind of row: its fields, and the run they belong to."""
    hints = get_type_hints(row)
    run = Column("run", _NUMBER, ForeignKey("runs.number", ondelete="CASCADE"), nullable=False)
    columns = [_column(field.name, hints[field.name]) for field in attrs.fields(row)]
    indexes = [Index(None, *names) for names in _INDEXES.get(row.table, ())]
    key = PrimaryKeyConstraint("run", *row.key)
    # A SQLite table without row ids is sorted by its key: half the size, and a run's rows lie together.
    return Table(row.table, METADATA, run, *columns, key, *indexes, sqlite_with_rowid=False)


ROW_TABLES: dict[type[Row], Table] = {row: _table(row) for row in ROWS}

STATES = Table(
    "states",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

BAR_SERIES = Table(
    "bar_series",
    METADATA,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("venue", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("timeframe", BigInteger, nullable=False, comment="length of a bar, ns"),
    Column("instrument", Document, nullable=False),
    Index(None, "venue", "symbol", "timeframe", unique=True),
)

BARS = Table(
    "bars",
    METADATA,
    Column("series", _NUMBER, ForeignKey("bar_series.number", ondelete="CASCADE"), primary_key=True),
    Column("ts", BigInteger, primary_key=True, autoincrement=False, comment="open time, ns since the epoch, UTC"),
    *(Column(name, Double, nullable=False) for name in ("open", "high", "low", "close", "volume")),
    sqlite_with_rowid=False,
)
