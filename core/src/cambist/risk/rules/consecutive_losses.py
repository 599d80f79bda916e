"""Losing trades do not go on and on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import ParameterError
from cambist.model.times import duration_ns
from cambist.model.trading_state import scope_of
from cambist.risk.trips import Trip, at_least_one
from cambist.risk.watching import AccountWatch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from cambist.ports.risk import AccountMoment, TradingRequest

__all__ = ["MaxConsecutiveLossesRule"]


@attrs.define(slots=True)
class _Streak:
    """How many trades of an account were lost in a row, and when its pause ends; None where there is none."""

    losses: int = 0
    ends: int | None = None


class MaxConsecutiveLossesRule(AccountWatch):
    """Halts trading, or restricts it to reducing, after `limit` losing trades of an account in a row.

    A trade is a round trip, and lost where its profit less fees is below zero; one that ends at zero changes nothing.
    The count begins anew with a winning trade, when the pause ends, and when an operator resumes trading.

    Parameters
    ----------
    limit
        Losing trades in a row.
    pause
        How long trading rests, such as ``"4h"``: it is active again when the first bar after that has closed. None:
        until an operator resumes.
    then
        ``"halt"``, or ``"reduce"``: only orders that make a position smaller pass.
    orders
        What becomes of the orders at work, see `cambist.model.WorkingOrders`.
    """

    name = "max-consecutive-losses"

    def __init__(
        self,
        limit: int,
        pause: int | str | timedelta | None = None,
        then: str = "halt",
        orders: str = "cancel_opening",
    ) -> None:
        self._settings = (limit, pause, then, orders)
        self.limit = at_least_one(self.name, "limit", limit)
        self._pause = None if pause is None else duration_ns(pause)
        if self._pause is not None and self._pause <= 0:
            raise ParameterError(f"{self.name}: pause is {pause!r}; it must be longer than nothing, such as '4h'.")
        self._trip = Trip.read(self.name, then, orders)
        self._streaks: dict[str, _Streak] = {}

    def on_equity(self, moment: AccountMoment) -> TradingRequest | None:
        """Count the trades that were closed since the last time."""
        streak = self._streaks.setdefault(moment.account, _Streak())
        scope, ended = scope_of("account", moment.account), False
        if streak.ends is not None and moment.ts > streak.ends:
            streak.losses, streak.ends, ended = 0, None, True
        for trade in moment.closed:
            if trade.net:
                streak.losses = streak.losses + 1 if trade.net < 0.0 else 0
        if streak.losses >= self.limit and streak.ends is None:
            streak.ends = _FOREVER if self._pause is None else moment.ts + self._pause
            return self._trip.request(scope, f"{streak.losses} trades in a row were lost, the limit is {self.limit}")
        return self._trip.lift(scope, "the pause has ended") if ended else None

    def on_resume(self, scope: str) -> None:
        """Count anew."""
        for account, streak in self._streaks.items():
            if scope == scope_of("account", account):
                streak.losses, streak.ends = 0, None

    def save_state(self) -> dict[str, Any]:
        """Return the streak of each account."""
        return {"streaks": {account: list(attrs.astuple(streak)) for account, streak in self._streaks.items()}}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `save_state` returned."""
        self._streaks = {account: _Streak(*streak) for account, streak in state["streaks"].items()}


#: The end of a pause that an operator alone ends; later than any bar.
_FOREVER = 2**63 - 1
