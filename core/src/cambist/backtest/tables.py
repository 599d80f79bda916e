"""The records of a run as tables: which column holds which field, and how records are made of columns again.

Frames and files are made of the same columns. A field that a frame does not show still goes into the file, so that
every record can be read back whole, and so does a field that a record may get one day.
"""

from __future__ import annotations

from enum import Enum, StrEnum
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.backtest.nested import text_of, type_hints, value_of
from cambist.errors import ResultError
from cambist.model import Fill, Instrument, Order, Trade
from cambist.model.portfolio import CashFlow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["FILLS", "FLOWS", "NAT", "ORDERS", "TRADES", "Field", "Kind", "Layout", "Table"]

#: What stands for "no time" in a column of times, as in NumPy.
NAT = int(np.iinfo(np.int64).min)


class Kind(StrEnum):
    """What a column holds."""

    #: ``list`` of str.
    TEXT = "text"
    #: float64; NaN where there is no number.
    FLOAT = "float"
    #: int64.
    INTEGER = "integer"
    #: bool.
    FLAG = "flag"
    #: int64 nanoseconds since the epoch, UTC; `NAT` where there is no time.
    TIME = "time"


_DTYPES = {Kind.FLOAT: np.float64, Kind.INTEGER: np.int64, Kind.FLAG: np.bool_, Kind.TIME: np.int64}
#: Times of which the records write 0 for "not yet".
_OPTIONAL_TIMES = frozenset({"expires_at", "closed_at"})


@attrs.frozen(eq=False, slots=True)
class Table:
    """Columns of one length.

    Attributes
    ----------
    kinds
        Of the columns, by name, in order.
    columns
        A list of texts or an array, by name; see `Kind`.
    """

    kinds: Mapping[str, Kind]
    columns: Mapping[str, Any]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, name: str) -> Any:
        return self.columns[name]


@attrs.frozen(eq=False, slots=True)
class Field:
    """One column of a table of records.

    Attributes
    ----------
    column, kind
        What it is called, and what it holds.
    read
        Answers the value of a record.
    fills
        The field of the record that is made of the value; ``""`` for what follows from other fields.
    make
        Makes the field of the value, given the instruments by symbol.
    """

    column: str
    kind: Kind
    read: Callable[[Any], Any]
    fills: str = ""
    make: Callable[[Any, Mapping[str, Instrument]], Any] | None = None

    def values(self, records: Sequence[Any]) -> Any:
        """Return the column of some records."""
        if self.kind is Kind.TEXT:
            return list(map(str, map(self.read, records)))
        values: NDArray[Any] = np.fromiter(map(self.read, records), _DTYPES[self.kind], len(records))
        if self.fills in _OPTIONAL_TIMES:
            values[values == 0] = NAT
        return values

    def made(self, values: Any, instruments: Mapping[str, Instrument]) -> list[Any]:
        """Return the fields of some records; the reverse of `values`.

        Raises
        ------
        ResultError
            For a value that cannot be one, with its row.
        """
        if self.fills in _OPTIONAL_TIMES:
            values = np.where(values == NAT, 0, values)
        plain = values if isinstance(values, list) else values.tolist()
        if self.make is None:
            return plain
        made: list[Any] = []
        try:
            for value in plain:
                made.append(self.make(value, instruments))  # noqa: PERF401 - its length is the row that is wrong
        except (KeyError, ValueError, TypeError) as error:
            row = len(made)
            raise ResultError(f"row {row}: {self.column} is {plain[row]!r}, which is none that there is") from error
        return made


class Layout:
    """The columns of one kind of record.

    Parameters
    ----------
    record
        Its class.
    shown
        The columns of its frame, by name: a field's name, or a `Field`. The index comes first.
    make
        Makes a record of what the fields fill, where its class alone does not.
    """

    def __init__(self, record: type, shown: Mapping[str, str | Field], make: Callable[..., Any] | None = None) -> None:
        self.record = record
        self._make = make or record
        hints = type_hints(record)
        self.shown = tuple(
            given if isinstance(given, Field) else _field(column, given, hints[given])
            for column, given in shown.items()
        )
        held = {field.fills for field in self.shown}
        names = [field.name for field in attrs.fields(record)]
        self.fields = (*self.shown, *(_field(name, name, hints[name]) for name in names if name not in held))

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    @property
    def kinds(self) -> dict[str, Kind]:
        """Of every column, by name."""
        return {field.column: field.kind for field in self.fields}

    def table(self, records: Sequence[Any]) -> Table:
        """Return records as a table that holds all of them."""
        return Table(self.kinds, {field.column: field.values(records) for field in self.fields})

    def records(self, table: Table, instruments: Mapping[str, Instrument]) -> list[Any]:
        """Return the records that a table holds; the reverse of `table`.

        Raises
        ------
        ResultError
            For a value that cannot be one, with its row.
        """
        made = {field.fills: field.made(table[field.column], instruments) for field in self.fields if field.fills}
        return [self._make(**dict(zip(made, row, strict=True))) for row in zip(*made.values(), strict=True)]


def _field(column: str, name: str, hint: Any) -> Field:
    """Return the column of a record's field by its type."""
    read = attrgetter(name)
    if hint is int:
        return Field(column, Kind.TIME if name == "ts" or name.endswith("_at") else Kind.INTEGER, read, name)
    if hint in (float, bool, str):
        return Field(column, {float: Kind.FLOAT, bool: Kind.FLAG, str: Kind.TEXT}[hint], read, name)
    if hint is Instrument:
        return Field(column, Kind.TEXT, attrgetter(f"{name}.symbol"), name, lambda value, known: known[value])
    if isinstance(hint, type) and issubclass(hint, Enum):
        return Field(column, Kind.TEXT, read, name, lambda value, _: hint(value))
    return Field(column, Kind.TEXT, lambda record: text_of(read(record)), name, lambda value, _: value_of(value, hint))


def _money_in(trade: Trade) -> float:
    """Return the value of everything that a trade bought into."""
    return abs(trade.instrument.notional(trade.entered, trade.entry_price))


ORDERS = Layout(
    Order,
    {
        name: name
        for name in (
            *("id", "strategy", "instrument", "side", "type", "size", "limit_price", "stop_price", "time_in_force"),
            *("expires_at", "reduce_only", "status", "filled", "average_price", "fees", "created_at", "updated_at"),
            *("reason", "tag"),
        )
    }
    | {"fee_asset": Field("fee_asset", Kind.TEXT, attrgetter("instrument.settle"))},
)


def _fill(fee_asset: str, fee_paid: float, **fields: Any) -> Fill:
    """Return a fill of its columns."""
    fill = Fill(**fields)
    if fee_asset != fill.instrument.settle:
        fill.pay_fee_in(fee_asset, fee_paid)
    return fill


FILLS = Layout(
    Fill,
    {
        **{name: name for name in ("id", "order_id", "ts", "instrument", "side", "size", "price", "fee", "liquidity")},
        "fee_asset": Field("fee_asset", Kind.TEXT, attrgetter("fee_asset"), "fee_asset"),
        "fee_paid": Field("fee_paid", Kind.FLOAT, attrgetter("fee_paid"), "fee_paid"),
    },
    _fill,
)
TRADES = Layout(
    Trade,
    {
        "id": "id",
        "strategy": "strategy",
        "instrument": "instrument",
        "side": Field(
            "side",
            Kind.TEXT,
            lambda trade: "long" if trade.is_long else "short",
            "is_long",
            lambda value, _: {"long": True, "short": False}[value],
        ),
        "size": "size",
        "entry_time": "opened_at",
        "exit_time": "closed_at",
        "entry_price": "entry_price",
        "exit_price": "exit_price",
        "gross": "gross",
        "fees": "fees",
        "net": Field("net", Kind.FLOAT, attrgetter("net")),
        "return": Field("return", Kind.FLOAT, lambda trade: np.float64(trade.net) / _money_in(trade)),
        "bars": Field("bars", Kind.INTEGER, attrgetter("bars")),
        "tag": "tag",
        "reason": "reason",
        "fee_asset": Field("fee_asset", Kind.TEXT, attrgetter("instrument.settle")),
    },
)
FLOWS = Layout(CashFlow, {name: name for name in ("ts", "kind", "symbol", "asset", "amount", "account")})
