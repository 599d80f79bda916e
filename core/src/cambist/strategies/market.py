"""Trades and quotes as a strategy sees them: one view for each series, and ``self.data`` of a run on them."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any, Never

from cambist.errors import InputError, did_you_mean
from cambist.indicators.series import Series
from cambist.model.market import Quote, Tick
from cambist.model.ticks import SIDE_OF
from cambist.model.times import to_datetime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime, timedelta, tzinfo

    from cambist.indicators.series import SeriesCursor
    from cambist.model.bar_rules import BarRule
    from cambist.model.calendar import Calendar
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Side
    from cambist.model.timeframe import Timeframe
    from cambist.strategies.book_view import BookView

__all__ = ["MarketBarSeries", "MarketDataSet", "MarketSeries", "QuoteView", "TickView"]


class TickView:
    """The current trade of one instrument, always the same object: ``tick.copy()`` keeps a value.

    The engine writes its fields before each call, which costs less than looking them up when they are read.

    Attributes
    ----------
    symbol, instrument
        Of what.
    ts
        When, ns since the epoch, UTC; 0 before the first.
    price, size
        In quote currency, and in units of the instrument; NaN before the first.
    side_code
        Of the taker: 1 bought, -1 sold, 0 not known; see `side`.
    """

    __slots__ = ("instrument", "price", "side_code", "size", "symbol", "ts")

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.symbol = instrument.symbol
        self.ts = 0
        self.price = nan
        self.size = nan
        self.side_code = 0

    @property
    def side(self) -> Side | None:
        """Side of the taker, or None where the market does not say."""
        return SIDE_OF[self.side_code]

    @property
    def time(self) -> datetime:
        """When, UTC."""
        return to_datetime(self.ts)

    def copy(self) -> Tick:
        """Return the trade as a value that stays."""
        return Tick(self.instrument, self.ts, self.price, self.size, self.side)

    def mark(self) -> float:
        """Return the price at which a position is valued: the last trade's."""
        return self.price

    def __repr__(self) -> str:
        return f"<Tick {self.symbol} {self.time} {self.side or 'trade'} {self.size:g} at {self.price:g}>"


class QuoteView:
    """The current best bid and ask of one instrument, always the same object: ``quote.copy()`` keeps a value.

    Attributes
    ----------
    symbol, instrument
        Of what.
    ts
        When, ns since the epoch, UTC; 0 before the first.
    bid, ask
        In quote currency; NaN before the first.
    bid_size, ask_size
        In units of the instrument; NaN where they are not known.
    """

    __slots__ = ("ask", "ask_size", "bid", "bid_size", "instrument", "symbol", "ts")

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.symbol = instrument.symbol
        self.ts = 0
        self.bid = nan
        self.ask = nan
        self.bid_size = nan
        self.ask_size = nan

    @property
    def mid(self) -> float:
        """The price halfway between bid and ask."""
        return (self.bid + self.ask) / 2.0

    @property
    def spread(self) -> float:
        """Ask less bid."""
        return self.ask - self.bid

    @property
    def time(self) -> datetime:
        """When, UTC."""
        return to_datetime(self.ts)

    def copy(self) -> Quote:
        """Return the quote as a value that stays."""
        return Quote(self.instrument, self.ts, self.bid, self.ask, self.bid_size, self.ask_size)

    def mark(self) -> float:
        """Return the price at which a position is valued: halfway between bid and ask."""
        return (self.bid + self.ask) / 2.0

    def __repr__(self) -> str:
        return f"<Quote {self.symbol} {self.time} {self.bid:g} / {self.ask:g}>"


class MarketSeries:
    """One instrument of a run on trades or quotes.

    Attributes
    ----------
    instrument, symbol
        Of what.
    tick, quote, book
        Its current trade, quote and order book; None where the run has none of them.
    """

    __slots__ = ("book", "instrument", "quote", "symbol", "tick")

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.symbol = instrument.symbol
        self.tick: TickView | None = None
        self.quote: QuoteView | None = None
        self.book: BookView | None = None

    @property
    def priced_by(self) -> TickView | QuoteView | BookView | None:
        """The view that says what the instrument is worth: the book, else the quote, else the trade."""
        return self.book or self.quote or self.tick

    @property
    def price(self) -> float:
        """Middle of the book, else of the quote, else the last trade's price. NaN before the first."""
        source = self.priced_by
        return nan if source is None else source.mark()

    def __getattr__(self, name: str) -> Never:
        _refuse(name, type(self).__name__, self.symbol)

    def __repr__(self) -> str:
        return f"<MarketSeries {self.symbol}>"


class MarketBarSeries(Series):
    """One instrument of a run on trades or quotes that also has bars: its lines, current trade and quote.

    Parameters
    ----------
    timeframe
        Of its bars.
    market
        Its trades and quotes, which it may have none of.
    """

    __slots__ = ("_market", "book", "quote", "tick")

    def __init__(self, timeframe: Timeframe, market: MarketSeries, cursor: SeriesCursor | None = None) -> None:
        super().__init__(market.instrument, timeframe, cursor)
        self._market = market
        self.tick = market.tick
        self.quote = market.quote
        self.book = market.book

    @property
    def price(self) -> float:
        """Middle of the book or the quote, else the last trade's price, else the last close. NaN before the first."""
        return self._cursor.last_close() if self._market.priced_by is None else self._market.price


class MarketDataSet:
    """Every instrument of a run on trades or quotes, in declared order; its lines are those of the first.

    Parameters
    ----------
    series
        Of each instrument.
    make
        Makes a series of bars by a rule of the trades of an instrument, named by its symbol; see `event_bars`.
    """

    def __init__(self, series: Sequence[MarketSeries | MarketBarSeries], make: Callable[..., MarketBarSeries]) -> None:
        self._series = tuple(series)
        self._by_symbol = {one.symbol: one for one in self._series}
        self._make = make

    def event_bars(
        self,
        rule: str | BarRule,
        *,
        data: str | None = None,
        tz: str | tzinfo | None = None,
        calendar: Calendar | None = None,
        offset: int | str | timedelta = 0,
        keep_first: bool = True,
        on_bar: bool = False,
    ) -> MarketBarSeries:
        """Return a series of bars that are made by a rule of trades as they come; in ``on_start`` only.

        A bar is seen with the trade that completes it, before `on_tick` is called for that trade. Of an instrument
        without trades they are made of the middle of its quotes.

        Parameters
        ----------
        rule
            ``"count 100"``, ``"volume 1000"``, ``"value 1e6"``, ``"imbalance 500"``, ``"range 0.5"`` or
            ``"renko 0.5"``; with ``" each 1d"`` behind it they begin anew with each day, or other period. Of quotes:
            count, range and renko.
        data
            Symbol of the instrument. Default: the first one.
        tz, calendar, offset
            Of the periods after ``each``, as for `cambist.resample`.
        keep_first
            Whether bars of the first of these periods count, which had begun before the run did. Default: they do,
            since trades seldom begin with it.
        on_bar
            Whether `on_bar` is called for them, once the lines of this series are known; ``bar.timeframe`` tells them
            apart.

        Raises
        ------
        InputError
            For a rule that is none, or not for what there is of the instrument.
        LineError
            After ``on_start``.
        """
        options = {"tz": tz, "calendar": calendar, "offset": offset}
        symbol = self.symbol if data is None else self[data].symbol
        return self._make(symbol, rule, keep_first=keep_first, on_bar=on_bar, options=options)

    @property
    def instrument(self) -> Instrument:
        """The first instrument."""
        return self._series[0].instrument

    @property
    def symbol(self) -> str:
        """Symbol of the first instrument."""
        return self._series[0].symbol

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols, in declared order."""
        return tuple(self._by_symbol)

    def __getattr__(self, name: str) -> Any:
        first = self._series[0]
        if name not in _OF_BARS or not isinstance(first, MarketBarSeries):
            _refuse(name, type(self).__name__, first.symbol)
        return getattr(first, name)

    def __getitem__(self, which: str | int) -> MarketSeries | MarketBarSeries:
        if isinstance(which, int):
            return self._series[which]
        try:
            return self._by_symbol[which]
        except KeyError:
            raise InputError(f"this run has no series {which!r}.{did_you_mean(which, self._by_symbol)}") from None

    def __iter__(self) -> Iterator[MarketSeries | MarketBarSeries]:
        return iter(self._series)

    def __len__(self) -> int:
        return len(self._series)

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._by_symbol

    def __repr__(self) -> str:
        return f"<MarketDataSet {', '.join(self._by_symbol)}>"


_OF_BARS = frozenset({"open", "high", "low", "close", "volume", "timeframe", "resample", "replay"})


def _refuse(name: str, owner: str, symbol: str) -> Never:
    if name in _OF_BARS:
        raise InputError(
            f"{symbol} has trades or quotes in this run and no bars, so there is no {name}. Have bars made of them "
            "(timeframe='1m'; self.data.event_bars('volume 1000') where they end by a rule), or give bars beside them, "
            "for lines and indicators."
        )
    raise AttributeError(f"{owner!r} object has no attribute {name!r}")
