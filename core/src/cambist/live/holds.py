"""States of trading that a live run asks for by itself, beside those of risk rules and operators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cambist.model.events import TradingStateRequested
from cambist.model.trading_state import TradingState, WorkingOrders

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from cambist.engine.journaled import Journaling

__all__ = [
    "CLOCK",
    "CONNECTION",
    "MARKET_DATA",
    "MISSING_BARS",
    "NOT_TRADED",
    "OUT_OF_STEP",
    "PASSING",
    "STOP",
    "OwnHolds",
]

#: The machine's clock is off.
CLOCK: Final = "clock"
#: The private stream is away.
CONNECTION: Final = "connection"
#: The run is being stopped.
STOP: Final = "stop"
#: Market data of an instrument does not flow.
MARKET_DATA: Final = "market-data"
#: Bars of an instrument are missing for good, and that is to hold it.
MISSING_BARS: Final = "missing-bars"
#: The venue does not trade an instrument now.
NOT_TRADED: Final = "not-traded"
#: The venue holds another position than the run.
OUT_OF_STEP: Final = "out_of_step"
#: The watches whose holds say nothing about the run that follows.
PASSING: Final = frozenset({CLOCK, CONNECTION, MARKET_DATA, NOT_TRADED, OUT_OF_STEP, STOP})
_BY: Final = "live run"


class OwnHolds:
    """Holds of a live run, one for each of its watches and scopes; journalled as all states of trading are.

    Parameters
    ----------
    kernel
        Of the run.
    clock
        Answers the engine's time, ns.
    take
        Takes an event for the kernel.
    """

    def __init__(
        self, kernel: Journaling, clock: Callable[[], int], take: Callable[[TradingStateRequested], None]
    ) -> None:
        self._kernel, self._clock, self._take = kernel, clock, take

    def hold(
        self,
        rule: str,
        state: TradingState,
        reason: str,
        *,
        scope: str = "",
        orders: WorkingOrders = WorkingOrders.KEEP,
    ) -> None:
        """Ask for a state of trading.

        Parameters
        ----------
        rule
            The watch that asks.
        orders
            What becomes of the orders at work.
        """
        self._take(TradingStateRequested(self._clock(), state, scope, reason, _BY, orders, rule))

    def lift(self, rule: str, reason: str, *, scope: str = "") -> None:
        """Take back what a watch asked for in a scope; nothing happens where it did not."""
        if any(hold.rule == rule and hold.scope == scope for hold in self._kernel.trading.holds):
            self.hold(rule, TradingState.ACTIVE, reason, scope=scope)

    def lift_all(self, rules: Container[str], reason: str) -> None:
        """Take back what these watches asked for, wherever."""
        for hold in list(self._kernel.trading.holds):
            if hold.rule in rules:
                self.hold(hold.rule, TradingState.ACTIVE, reason, scope=hold.scope)
