"""An account does not lose too much in a day."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs

from cambist.model.local_time import clock_ns, first_instant, local_day, read_zone
from cambist.model.trading_state import scope_of
from cambist.risk.trips import Trip, one_of, read_bound
from cambist.risk.watching import AccountWatch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist.ports.risk import AccountMoment, TradingRequest

__all__ = ["MaxDailyLossRule"]

_ONE_DAY = timedelta(days=1)


@attrs.define(slots=True)
class _Day:
    """An account on one day: when that ends, its equity at the start and at last, and whether the rule has tripped."""

    ends: int
    start: float
    last: float
    tripped: bool = False


class MaxDailyLossRule(AccountWatch):
    """Halts trading, or restricts it to reducing, once an account has lost too much since its day began.

    The loss is counted from the equity at the end of the day before, open positions at last prices. What was brought in
    or taken out since is neither profit nor loss. A bar that closes just when a day ends belongs to that day.

    When an operator resumes trading, the loss is counted from the equity at that time on.

    Parameters
    ----------
    amount
        Largest loss, in the account's currency; or
    share
        as a fraction of the equity at the start of the day.
    then
        ``"halt"``, or ``"reduce"``: only orders that make a position smaller pass.
    until
        ``"next_day"``: trading is active again when the first bar of the next day has closed, or ``"resumed"``: by an
        operator alone.
    time_zone, day_starts
        When a day begins: ``"UTC"`` at ``"00:00"``; for a session over midnight ``"America/Chicago"`` at ``"17:00"``.
    orders
        What becomes of the orders at work, see `cambist.model.WorkingOrders`.
    """

    name = "max-daily-loss"

    def __init__(
        self,
        amount: float | None = None,
        share: float | None = None,
        then: str = "halt",
        until: str = "next_day",
        time_zone: str = "UTC",
        day_starts: str = "00:00",
        orders: str = "cancel_opening",
    ) -> None:
        self._settings = (amount, share, then, until, time_zone, day_starts, orders)
        self._bound = read_bound(self.name, amount, share)
        self._trip = Trip.read(self.name, then, orders)
        self._lifts = one_of(self.name, "until", until, ["next_day", "resumed"]) == "next_day"
        self._zone, self._clock = read_zone(time_zone), clock_ns(day_starts)
        self._days: dict[str, _Day] = {}

    def on_equity(self, moment: AccountMoment) -> TradingRequest | None:
        """Compare the equity with that at the start of the day."""
        day, before = self._days.get(moment.account), moment.equity - moment.moved
        if day is None:
            day = self._days[moment.account] = _Day(self._end(moment.ts), before, before)
        day.start += moment.moved
        day.last += moment.moved
        scope, was_tripped = scope_of("account", moment.account), day.tripped
        if moment.ts > day.ends:
            day.ends, day.start = self._end(moment.ts), day.last
            day.tripped = was_tripped and not self._lifts
        day.last = moment.equity
        breach = "" if day.tripped else self._bound.breach(day.start - day.last, day.start)
        if breach:
            day.tripped = True
            return self._trip.request(scope, f"the day's loss is {breach}")
        if was_tripped and not day.tripped:
            return self._trip.lift(scope, "a new day has begun")
        return None

    def on_resume(self, scope: str) -> None:
        """Count from the last equity on."""
        for account, day in self._days.items():
            if scope == scope_of("account", account):
                day.start, day.tripped = day.last, False

    def save_state(self) -> dict[str, Any]:
        """Return the day of each account."""
        return {"days": {account: list(attrs.astuple(day)) for account, day in self._days.items()}}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `save_state` returned."""
        self._days = {account: _Day(*day) for account, day in state["days"].items()}

    def _end(self, ts: int) -> int:
        """Return the end of the day that holds `ts`, ns, UTC; the end belongs to it."""
        day = local_day(ts, self._zone)
        return next(end for step in (-1, 0, 1, 2) if (end := self._starts(day + step * _ONE_DAY)) >= ts)

    def _starts(self, day: Any) -> int:
        return first_instant(day, self._clock, self._zone)
