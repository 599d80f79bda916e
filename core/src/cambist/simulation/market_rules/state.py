"""What a run has to remember to keep the rules of its markets: what was bought and sold when, and last closes."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from cambist.model.orders import Side
from cambist.model.portfolio import Position

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cambist.model.instrument import Instrument
    from cambist.model.market_rules import MarketRules
    from cambist.model.trading_days import TradingDays

__all__ = ["RuledMarket", "RuledMarkets"]

_FREE = (-inf, inf)
#: Trading days for which purchases and sales are remembered; no rule reaches as far.
_KEPT = 100


class RuledMarket:
    """One instrument and its rules.

    Parameters
    ----------
    instrument, rules, days
        What trades, by which rules, on which days.
    previous_close
        ``(ts, day) -> price``: the reference price of a trading day as far as it is known at `ts`, NaN where it is not.

    Attributes
    ----------
    position
        What is held of it: that of the account, once the account is known.
    """

    def __init__(
        self,
        instrument: Instrument,
        rules: MarketRules,
        days: TradingDays,
        previous_close: Callable[[int, int], float],
    ) -> None:
        self.instrument = instrument
        self.rules = rules
        self.days = days
        self.position = Position(instrument)
        self._previous_close = previous_close
        # Size of what was bought by trading day, and money of what was sold by the day on which it settles.
        self._bought: dict[int, float] = {}
        self._proceeds: dict[int, float] = {}
        self._limits: tuple[int, float, tuple[float, float]] = (-(2**63), inf, _FREE)

    def trades(self, opened: int, length: int) -> bool:
        """Tell whether orders may trade in a bar: some of it lies in a session, or nobody looks."""
        calendar = self.days.calendar
        return self.rules.sessions == "any" or calendar is None or calendar.bar_session(opened, length) >= 0

    def is_open(self, ts: int) -> bool:
        """Tell whether the market takes orders at `ts`."""
        calendar = self.days.calendar
        return self.rules.sessions != "reject" or calendar is None or calendar.is_open(ts)

    # Holdings.

    def sellable(self, ts: int) -> float:
        """Return how many of the shares held may be sold at `ts`."""
        held = self.position.size
        if held <= 0.0:
            return 0.0
        if not self._bought:
            return held
        since = self.days.number(ts) - self.rules.sell_after
        # A sale never takes what cannot be sold yet, so that what was bought last is there.
        fresh = sum(size for day, size in self._bought.items() if day > since)
        return self.instrument.size_grid.nearest(max(0.0, held - fresh))

    def unsettled(self, ts: int) -> float:
        """Return the proceeds of sales that may not pay for shares at `ts`."""
        if not self._proceeds:
            return 0.0
        today = self.days.number(ts)
        return sum(money for day, money in self._proceeds.items() if day > today)

    def note(self, side: Side, size: float, price: float, fee: float, ts: int) -> None:
        """Note a fill of the trading day of `ts`, before the position has it."""
        rules, held = self.rules, self.position.size
        if side is Side.BUY:
            opened = min(size, held + size)
            if rules.sell_after and opened > 0.0:
                _add(self._bought, self.days.number(ts), opened)
            return
        today = self.days.number(ts)
        wait = rules.cash_after.on(self.days.date_of(today))
        if wait and self.instrument.is_cash:
            _add(self._proceeds, today + wait, self.instrument.notional(size, price) - fee)

    def split(self, ratio: float) -> None:
        """Count what was bought in new shares."""
        self._bought = {day: size * ratio for day, size in self._bought.items()}

    # Sizes.

    def whole(self, side: Side, size: float, ts: int) -> float:
        """Return the largest size up to `size` that an order may have; 0 where there is none."""
        rules, held = self.rules, self.position.size
        if side is Side.SELL and held > 0.0:
            sellable = self.sellable(ts)
            if size <= held or not rules.short:
                return rules.sell_size(size, sellable)
        elif side is Side.BUY and held < 0.0:
            if size <= -held:
                return rules.sell_size(size, -held)
        elif side is Side.SELL and not rules.short:
            return 0.0
        return rules.buy_size(size)

    def may_trade(self, side: Side, size: float, held: float, sellable: float) -> bool:
        """Tell whether an order may have this size, as far as lots go."""
        against = held if side is Side.SELL else -held
        if against > 0.0 and size <= against:
            return self.rules.may_sell(size, sellable if side is Side.SELL else against)
        return self.rules.may_buy(size)

    # Prices.

    def limits(self, ts: int) -> tuple[float, float]:
        """Return the lowest and the highest price of the trading day of `ts`; infinite where there are none."""
        if not self.rules.has_limits:
            return _FREE
        day = self.days.number(ts)
        reference = self._previous_close(ts, day)
        known_day, known_reference, limits = self._limits
        if day != known_day or reference != known_reference:
            limits = self._of_day(day, reference)
            self._limits = day, reference, limits
        return limits

    def _of_day(self, day: int, reference: float) -> tuple[float, float]:
        rules = self.rules
        if not reference > 0.0:
            return _FREE
        since = None if rules.listed is None else self.days.days_since(rules.listed, day)
        rates = rules.limit_rates(self.days.date_of(day), since)
        return rules.price_limits(reference, rates, rules.tick(reference, self.instrument.tick_size))


def _add(by_day: dict[int, float], day: int, amount: float) -> None:
    """Add to what is noted of a day, and forget what cannot count any more."""
    if day in by_day:
        by_day[day] += amount
        return
    by_day[day] = amount
    if len(by_day) > _KEPT:  # days come in order, save that a bar may be longer than those of the series beside it
        del by_day[next(iter(by_day))]


class RuledMarkets:
    """The instruments of a run that have rules.

    Parameters
    ----------
    markets
        By symbol; instruments without rules are not there.

    Attributes
    ----------
    clock
        Answers the engine's time, ns.
    at
        Open time of the bar that is being matched, ns, by which its trading day goes; None between bars.
    """

    def __init__(self, markets: Mapping[str, RuledMarket]) -> None:
        self.markets = markets
        self.clock: Callable[[], int] = lambda: 0
        self.at: int | None = None

    def connect(self, positions: Mapping[str, Position], clock: Callable[[], int]) -> None:
        """Say whose account it is, and what time it is."""
        self.clock = clock
        for symbol, market in self.markets.items():
            market.position = positions[symbol]

    def now(self) -> int:
        """Return the time by which the trading day of this moment is told."""
        return self.clock() if self.at is None else self.at

    def unsettled(self) -> float:
        """Return the proceeds of sales that may not pay for shares now."""
        now = self.now()
        return sum(market.unsettled(now) for market in self.markets.values())

    def sellable(self, position: Position) -> float:
        """Return how much of a long position may be sold now."""
        market = self.markets.get(position.instrument.symbol)
        return max(0.0, position.size) if market is None else market.sellable(self.now())

    def whole(self, instrument: Instrument, side: Side, size: float) -> float:
        """Return the largest size up to `size` that an order may have."""
        market = self.markets.get(instrument.symbol)
        return size if market is None else market.whole(side, size, self.now())
