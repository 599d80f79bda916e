"""Market data: streams and candles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from cambist.api import BarReport
from cambist.model import Bar, Bars, MarkReport, Quote, Side, Tick, Timeframe
from cambist_binance.wire.words import MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.model import Instrument

__all__ = [
    "DepthSnapshot",
    "DepthUpdate",
    "Envelope",
    "KlineRow",
    "bar_of",
    "bars_of",
    "decode_depth",
    "decode_envelope",
    "decode_klines",
    "decode_snapshot",
    "interval_of",
    "intervals",
    "quote_of",
    "tick_of",
]

#: Price and size.
Level = tuple[float, float]


class Envelope(msgspec.Struct, gc=False):
    """A frame of a combined stream, or an answer to what was asked on it."""

    stream: str = ""
    data: msgspec.Raw = msgspec.Raw(b"")
    id: int | str | None = None
    result: Any = None
    error: Any = None
    code: int | None = None
    msg: str = ""
    e: str = ""


decode_envelope = msgspec.json.Decoder(Envelope).decode


class _Kline(msgspec.Struct, gc=False):
    """A candle of a stream; prices come as text."""

    t: int
    o: float
    h: float
    l: float  # noqa: E741 - the venue's names
    c: float
    v: float
    x: bool


class _KlineEvent(msgspec.Struct, gc=False):
    k: _Kline


class _Trade(msgspec.Struct, gc=False):
    p: float
    q: float
    T: int
    m: bool
    t: int = 0
    a: int = 0


class _BookTicker(msgspec.Struct, gc=False):
    b: float
    B: float
    a: float
    A: float
    u: int = 0
    T: int = 0
    E: int = 0


class _MarkPrice(msgspec.Struct, gc=False):
    p: float
    E: int


class DepthUpdate(msgspec.Struct, gc=False):
    """What changed in a book: `first` to `last` are its update ids, `previous` the last of the one before (futures)."""

    first: int = msgspec.field(name="U")
    last: int = msgspec.field(name="u")
    bids: list[Level] = msgspec.field(name="b")
    asks: list[Level] = msgspec.field(name="a")
    previous: int | None = msgspec.field(name="pu", default=None)
    at: int = msgspec.field(name="E", default=0)


class DepthSnapshot(msgspec.Struct, gc=False):
    """The book as a request tells it."""

    last: int = msgspec.field(name="lastUpdateId")
    bids: list[Level] = msgspec.field(default_factory=list)
    asks: list[Level] = msgspec.field(default_factory=list)
    at: int = msgspec.field(name="E", default=0)


class KlineRow(msgspec.Struct, array_like=True, gc=False):
    """A candle of a request; what comes behind the volume is left alone."""

    ts: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    closed: int = 0


_kline = msgspec.json.Decoder(_KlineEvent, strict=False).decode
_trade = msgspec.json.Decoder(_Trade, strict=False).decode
_ticker = msgspec.json.Decoder(_BookTicker, strict=False).decode
_mark_price = msgspec.json.Decoder(_MarkPrice, strict=False).decode
decode_depth = msgspec.json.Decoder(DepthUpdate, strict=False).decode
decode_snapshot = msgspec.json.Decoder(DepthSnapshot, strict=False).decode
decode_klines = msgspec.json.Decoder(list[KlineRow], strict=False).decode


def bar_of(data: bytes | msgspec.Raw, instrument: Instrument, timeframe: Timeframe) -> BarReport:
    """Read a candle; it is final where the venue says so."""
    k = _kline(data).k
    return BarReport(instrument, timeframe, Bar(k.t * MS, k.o, k.h, k.l, k.c, k.v), k.x)


def tick_of(data: bytes | msgspec.Raw, instrument: Instrument) -> tuple[Tick, int]:
    """Read a trade, or an aggregate of several; return it with its number.

    The taker sold where the buyer was the maker.
    """
    t = _trade(data)
    return Tick(instrument, t.T * MS, t.p, t.q, Side.SELL if t.m else Side.BUY), t.t or t.a


def quote_of(data: bytes | msgspec.Raw, instrument: Instrument, now: int) -> tuple[Quote, int]:
    """Read best bid and ask; return them with their update id.

    On spot the venue tells no time, and `now` (ns, UTC) is taken.
    """
    t = _ticker(data)
    return Quote(instrument, (t.T or t.E) * MS or now, t.b, t.a, t.B, t.A), t.u


def mark_of(data: bytes | msgspec.Raw, instrument: Instrument) -> MarkReport:
    """Read a mark price."""
    told = _mark_price(data)
    return MarkReport(ts=told.E * MS, symbol=instrument.symbol, price=told.p)


def bars_of(rows: Sequence[KlineRow], instrument: Instrument, timeframe: Timeframe) -> Bars:
    """Make columns of candles."""
    return Bars(
        instrument=instrument,
        timeframe=timeframe,
        ts=np.array([row.ts * MS for row in rows], np.int64),
        open=np.array([row.open for row in rows]),
        high=np.array([row.high for row in rows]),
        low=np.array([row.low for row in rows]),
        close=np.array([row.close for row in rows]),
        volume=np.array([row.volume for row in rows]),
    )


#: The venue's intervals; of spot alone: seconds.
_INTERVALS = ("1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w")
_BY_LENGTH = {Timeframe.parse(text).ns: text for text in _INTERVALS}


def interval_of(timeframe: Timeframe) -> str | None:
    """Return the venue's name of a timeframe; None where it has no such candles."""
    return _BY_LENGTH.get(timeframe.ns)


def intervals() -> str:
    """Return the venue's intervals, for people."""
    return ", ".join(_INTERVALS)
