"""Bars by a rule that a strategy has made of the trades, or of the quotes, of a run as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.errors import InputError, LineError, ParameterError
from cambist.indicators.series import BarView, SeriesCursor
from cambist.model.bar_rules import RuledBars, RuleTimeframe, require_rule
from cambist.model.bars import Bar
from cambist.model.periods import read_periods
from cambist.model.times import SECOND_NS
from cambist.strategies.market import MarketBarSeries

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.model.bar_rules import BarRule
    from cambist.strategies.market import MarketSeries, QuoteView, TickView

__all__ = ["TradeBars"]

#: What can be told of quotes, which have no size and no taker.
_OF_QUOTES = ("count", "range", "renko")


class TradeBars:
    """One series of such bars: it is moved by trades, or by quotes where the instrument has no trades.

    Parameters
    ----------
    market
        The instrument, with its trades and quotes.
    rule
        By which bars are made; see `cambist.indicators.series.Series.resample`.
    keep_first, on_bar
        See there.
    options
        ``tz``, ``calendar`` and ``offset`` of the periods with which bars begin anew.

    Attributes
    ----------
    symbol, kind
        Of which instrument, and of what: ``"ticks"`` or ``"quotes"``.
    series
        What a strategy sees.
    view
        What is handed to `on_bar`; None where nobody asked for it.

    Raises
    ------
    InputError
        For a rule that cannot be followed.
    """

    __slots__ = ("_maker", "cursor", "kind", "series", "symbol", "view")

    def __init__(
        self, market: MarketSeries, rule: str | BarRule, *, keep_first: bool, on_bar: bool, options: dict[str, Any]
    ) -> None:
        read = require_rule(rule)
        if market.tick is None and market.quote is None:
            raise InputError(f"{market.symbol} has no trades and no quotes in this run, of which bars could be made.")
        self.symbol = market.symbol
        self.kind = "quotes" if market.tick is None else "ticks"
        _check_kind(read, self.kind, market.symbol)
        given = [name for name, value in options.items() if value]
        if given and not read.each:
            raise ParameterError(
                f"{given[0]} says where periods begin, and bars by {read} have none. Write '{read} each 1d'."
            )
        periods = read_periods(read.each, **options) if read.each else None
        self._maker = RuledBars(read, 0, periods, keep_first)
        self.cursor = SeriesCursor()
        self.series = MarketBarSeries(RuleTimeframe(SECOND_NS, read), market, self.cursor)
        self.view = BarView(self.series) if on_bar else None

    def take_tick(self, tick: TickView) -> list[Bar]:
        """Return the bars that are complete with a trade, oldest first."""
        price = tick.price
        return self._maker.push(Bar(tick.ts, price, price, price, price, tick.size), tick.side_code)

    def take_quote(self, quote: QuoteView) -> list[Bar]:
        """Return the bars that are complete with a change of the quote, oldest first."""
        price = quote.mid
        return self._maker.push(Bar(quote.ts, price, price, price, price, 0.0))

    def telling(
        self, push: Callable[[SeriesCursor, Bar], None], on_bar: Callable[[BarView], None], on_cold: Any
    ) -> Callable[[Any], None]:
        """Return what takes a trade or a quote, moves the lines, and shows the bars that are complete.

        Parameters
        ----------
        push
            Gives a bar to the lines.
        on_bar, on_cold
            Shown a bar; `on_cold` while not every line of the series is known.
        """
        self.cursor.end_building()
        take: Callable[[Any], list[Bar]] = self.take_tick if self.kind == "ticks" else self.take_quote
        cursor, view, lookback = self.cursor, self.view, self.cursor.lookback
        seen = 0

        def show(shown: Any) -> None:
            nonlocal seen
            for bar in take(shown):
                push(cursor, bar)
                seen += 1
                if view is not None:
                    (on_bar if seen > lookback else on_cold)(view)

        return show

    def require_building(self) -> None:
        """Refuse a series that is to be made after ``on_start``."""
        if not self.cursor.building:
            raise LineError(f"{self.symbol}: series are made in on_start only.")


def _check_kind(rule: BarRule, kind: str, symbol: str) -> None:
    if rule.kind == "heikin-ashi":
        raise InputError(
            f"{symbol}: candles are made of bars, and this run would make them of {kind}. Have bars made "
            "(timeframe='1m'), and candles of those: self.data.resample('heikin-ashi')."
        )
    if kind == "quotes" and rule.kind not in _OF_QUOTES:
        raise InputError(
            f"{symbol}: bars by {rule} need trades, and there are quotes alone, which tell no size. Of them bars can "
            f"be made by {', '.join(_OF_QUOTES)}."
        )
