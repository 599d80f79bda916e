"""How programs and vendors write CSV files: what has to be said of a file that does not say it itself."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Any, Literal, get_args
from zoneinfo import ZoneInfo

import attrs

from cambist.errors import ParameterError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DIALECTS", "CsvDialect", "Fold", "Label", "find_dialect"]

#: Whether a bar is stamped with the time of its open or of its close.
Label = Literal["open", "close"]
#: Which of the two is meant by a time of the hour that is lived through twice when clocks go back.
Fold = Literal["refuse", "first", "second"]

_FIELDS = {
    "time", "time_of_day", "open", "high", "low", "close", "volume", "adj_close",
    "price", "size", "side", "buyer_is_maker", "bid", "ask", "bid_size", "ask_size", "flags",
}  # fmt: skip


_LIKE = {
    "decimal": "','", "thousands": "'.'", "delimiter": "';'", "encoding": "'cp1252'", "tz": "'UTC'", "skip_lines": "3",
    "newest_first": "True", "adjusted": "True", "drop_null_rows": "True", "changes_only": "True",
}  # fmt: skip
_KINDS: dict[str, Any] = {
    name: bool if like == "True" else int if like == "3" else (str, type(None)) for name, like in _LIKE.items()
}


def _columns(value: Any) -> dict[str, tuple[str | int, ...]]:
    if not hasattr(value, "items"):
        raise ParameterError(
            f"columns is {value!r}: give a table of fields and labels, such as {{'close': 'Schluss'}}."
        )
    return {field: tuple(names) if isinstance(names, tuple | list) else (names,) for field, names in value.items()}


def _words(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


@attrs.frozen(kw_only=True)
class CsvDialect:
    """How a CSV file is written.

    Attributes
    ----------
    columns
        Which column a field is in: ``{"time": "Datum", "close": "Schluss"}``. A label (upper or lower case), several of
        which the first that is there is taken and ``""`` says that there may be none, or a position from 0. Fields are
        time, time_of_day (where it stands apart from the date), open, high, low, close, volume, adj_close; of trades
        price, size, side and buyer_is_maker; of quotes bid, ask, bid_size and ask_size; of both flags, MetaTrader's
        word on what a row changes. What is not named is found by its own name.
    names
        What the columns are called, in their order, where the file has no line that says so. A file that has one all
        the same is told by it.
    delimiter
        Between fields; None to tell it from the first line.
    decimal, thousands
        The marks within numbers, such as ``","`` and ``"."``; ``""`` for none between thousands.
    encoding
        Such as ``"cp1252"``; None for UTF-8, or UTF-16 where the file begins with its mark.
    skip_lines
        Lines above the one that names the columns.
    time_format
        Of `datetime.strptime`: ``"%d.%m.%Y %H:%M"``; where the time of day is a column of its own, of both with a space
        between. Several are tried on the first row. None for ISO 8601 texts and numbers, as `load` reads them.
    tz
        The zone in which times are written, such as ``"America/New_York"``. Dates without a time of day are days, and
        no zone moves them.
    fold
        What to do about a time that is lived through twice when clocks go back.
    label
        Whether a bar is stamped with its open, or with its close and has to be moved. Dates are never moved.
    newest_first
        The file begins with the newest bar.
    adjusted
        Prices are multiplied by adjusted close / close, and volumes divided by it.
    drop_null_rows
        Rows without any number are left out, and the source's notes say how many; otherwise they are refused.
    changes_only
        Of trades and quotes: a row says what has changed, a field that is empty, or 0, what has not. A row is a quote
        where bid or ask is there, and a trade where price or size is, or where its flags say so.

    Raises
    ------
    ParameterError
        A field, a zone, an encoding or a word is not known.
    """

    columns: Mapping[str, tuple[str | int, ...]] = attrs.field(factory=dict, converter=_columns)
    names: tuple[str, ...] = attrs.field(default=(), converter=_words)
    delimiter: str | None = None
    decimal: str = "."
    thousands: str = ""
    encoding: str | None = None
    skip_lines: int = 0
    time_format: tuple[str, ...] = attrs.field(default=(), converter=_words)
    tz: str = "UTC"
    fold: Fold = "refuse"
    label: Label = "open"
    newest_first: bool = False
    adjusted: bool = False
    drop_null_rows: bool = False
    changes_only: bool = False

    def __attrs_post_init__(self) -> None:
        for name, kind in _KINDS.items():
            if not isinstance(getattr(self, name), kind):
                raise ParameterError(f"{name} is {getattr(self, name)!r}: give a value like {_LIKE[name]}.")
        for field in self.columns:
            if field not in _FIELDS:
                raise ParameterError(f"columns names the field {field!r}, which there is not.{_near(field, _FIELDS)}")
        self._check_word("fold", self.fold, get_args(Fold))
        self._check_word("label", self.label, get_args(Label))
        for name, mark in (("delimiter", self.delimiter), ("decimal", self.decimal)):
            if mark is not None and len(mark) != 1:
                raise ParameterError(f"{name} is {mark!r}: give one character.")
        if self.thousands == self.decimal or len(self.thousands) > 1:
            raise ParameterError(
                f"thousands is {self.thousands!r} and decimal {self.decimal!r}: give two different characters, or '' "
                "for no mark between thousands."
            )
        if self.skip_lines < 0:
            raise ParameterError(f"skip_lines is {self.skip_lines}: give 0 or more.")
        self._check_known()

    def _check_known(self) -> None:
        try:
            ZoneInfo(self.tz)
        except (ValueError, OSError, LookupError) as error:
            raise ParameterError(
                f"tz is {self.tz!r}, which is no zone. Give a name such as 'America/New_York' or 'UTC'."
            ) from error
        if self.encoding is not None:
            try:
                codecs.lookup(self.encoding)
            except LookupError as error:
                raise ParameterError(
                    f"encoding is {self.encoding!r}, which is none. Give one such as 'utf-8', 'cp1252' or 'gb18030'."
                ) from error

    @staticmethod
    def _check_word(name: str, word: str, known: tuple[str, ...]) -> None:
        if word not in known:
            raise ParameterError(f"{name} is {word!r}: give {', '.join(map(repr, known))}.")


def _near(word: str, known: set[str]) -> str:
    return did_you_mean(word, known)


_KLINES = (
    "open_time", "open", "high", "low", "close", "volume",
    "close_time", "quote_volume", "count", "taker_buy_volume", "taker_buy_quote_volume", "ignore",
)  # fmt: skip
_AGGREGATES = (
    "agg_trade_id", "price", "quantity", "first_trade_id", "last_trade_id", "transact_time", "is_buyer_maker",
    "is_best_match",
)  # fmt: skip
_BOOK_TICKERS = (
    "update_id", "best_bid_price", "best_bid_qty", "best_ask_price", "best_ask_qty", "transaction_time", "event_time",
)  # fmt: skip
_META_FORMATS = ("%Y.%m.%d %H:%M", "%Y.%m.%d %H:%M:%S", "%Y.%m.%d")
_META_BARS = {field: f"<{field.upper()}>" for field in ("open", "high", "low", "close")}

#: Dialects by name.
DIALECTS: dict[str, CsvDialect] = {
    "generic": CsvDialect(),
    # A bar of backtrader carries the time at which it ended.
    "backtrader": CsvDialect(
        columns={"time": "Date", "time_of_day": ("Time", "")},
        time_format=("%Y-%m-%d %H:%M:%S", "%Y-%m-%d"),
        label="close",
    ),
    "mt4": CsvDialect(
        names=("date", "time", "open", "high", "low", "close", "volume"),
        columns={"time": ("<DATE>", "date"), "time_of_day": ("<TIME>", "time", "")},
        time_format=_META_FORMATS,
    ),
    "mt5": CsvDialect(
        columns={"time": "<DATE>", "time_of_day": ("<TIME>", ""), **_META_BARS, "volume": ("<TICKVOL>", "<VOL>", "")},
        time_format=_META_FORMATS,
    ),
    "mt5-ticks": CsvDialect(
        columns={
            "time": "<DATE>",
            "time_of_day": "<TIME>",
            "bid": "<BID>",
            "ask": "<ASK>",
            "price": "<LAST>",
            "size": "<VOLUME>",
            "flags": ("<FLAGS>", ""),
        },
        time_format=("%Y.%m.%d %H:%M:%S.%f", "%Y.%m.%d %H:%M:%S"),
        changes_only=True,
    ),
    "yahoo": CsvDialect(columns={"time": "Date", "adj_close": ("Adj Close", "Adj Close**", "")}, drop_null_rows=True),
    "sierra": CsvDialect(
        columns={"time": "Date", "time_of_day": ("Time", ""), "close": ("Last", "Close")},
        time_format=("%Y/%m/%d %H:%M:%S.%f", "%Y/%m/%d %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d", "%Y-%m-%d"),
    ),
    "tradingview": CsvDialect(columns={"time": "time", "volume": ("Volume", "")}),
    "binance": CsvDialect(names=_KLINES, columns={"time": "open_time"}),
    "binance-trades": CsvDialect(
        names=("id", "price", "qty", "quote_qty", "time", "is_buyer_maker", "is_best_match"),
        columns={"time": "time", "size": "qty", "buyer_is_maker": ("is_buyer_maker", "isBuyerMaker")},
    ),
    "binance-agg-trades": CsvDialect(
        names=_AGGREGATES,
        columns={"time": "transact_time", "size": "quantity", "buyer_is_maker": "is_buyer_maker"},
    ),
    "binance-book-ticker": CsvDialect(
        names=_BOOK_TICKERS,
        columns={
            "time": "transaction_time",
            "bid": "best_bid_price",
            "ask": "best_ask_price",
            "bid_size": "best_bid_qty",
            "ask_size": "best_ask_qty",
        },
    ),
}


def find_dialect(dialect: str | CsvDialect, **changes: Any) -> CsvDialect:
    """Return a dialect by its name, with some of its attributes changed; columns are added to its own.

    Raises
    ------
    ParameterError
        There is no such dialect or attribute, or a value makes no sense.
    """
    if isinstance(dialect, str):
        if dialect not in DIALECTS:
            raise ParameterError(f"there is no CSV dialect {dialect!r}.{did_you_mean(dialect, DIALECTS)}")
        dialect = DIALECTS[dialect]
    known = {field.name for field in attrs.fields(CsvDialect)}
    for name in changes:
        if name not in known:
            raise ParameterError(f"a CSV dialect has no attribute {name!r}.{did_you_mean(name, known)}")
    if "columns" in changes:
        changes["columns"] = {**dialect.columns, **_columns(changes["columns"])}
    return attrs.evolve(dialect, **changes)
