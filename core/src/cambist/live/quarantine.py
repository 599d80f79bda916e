"""A strategy that failed trades no more, until an operator says so; the others of its run trade on."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from cambist.engine.shield import QUARANTINE
from cambist.model.trading_state import TradingState, WorkingOrders, scope_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.engine.shield import Failure, Shield
    from cambist.errors import StrategyError
    from cambist.live.engine import LiveEngine
    from cambist.live.holds import OwnHolds
    from cambist.model.trading_state import TradingChange

__all__ = ["OnFailure", "Quarantine"]


class OnFailure(StrEnum):
    """What becomes of the open orders and the position of a strategy that failed."""

    #: Orders work on, the position stays as it is.
    KEEP = "keep"
    #: Orders that could open a position or make it larger are canceled; protective ones work on.
    CANCEL_OPENING = "cancel_opening"
    #: All of its orders are canceled.
    CANCEL = "cancel"
    #: All of its orders are canceled, and then what it holds is closed.
    FLATTEN = "flatten"


_ORDERS = {
    OnFailure.KEEP: WorkingOrders.KEEP,
    OnFailure.CANCEL_OPENING: WorkingOrders.CANCEL_OPENING,
    OnFailure.CANCEL: WorkingOrders.CANCEL,
    OnFailure.FLATTEN: WorkingOrders.CANCEL,
}


class Quarantine:
    """Holds strategies that failed.

    Parameters
    ----------
    engine, shield, holds
        Of the run.
    policy
        What becomes of their orders and positions.
    alarm
        Told of each.
    """

    def __init__(
        self, engine: LiveEngine, shield: Shield, holds: OwnHolds, policy: OnFailure, alarm: Callable[[str, str], None]
    ) -> None:
        self._engine, self._shield, self._holds = engine, shield, holds
        self._policy, self._alarm = policy, alarm
        self._closing: set[str] = set()

    def resume(self) -> None:
        """Go on with the strategies that were held before a restart."""
        for hold in self._engine.kernel.trading.holds:
            if hold.rule == QUARANTINE:
                self._hold(_strategy_of(hold))

    def failed(self, failure: Failure) -> None:
        """Hold a strategy that has just failed."""
        self._alarm("strategy_failed", f"{failure.error}{'' if failure.at_end else self._what_follows(failure)}")
        if not failure.at_end:
            self.hold(failure.strategy, failure.error)

    def hold(self, strategy: str, error: StrategyError) -> None:
        """Keep a strategy from trading; its orders and its position are dealt with as the policy says."""
        self._hold(strategy)
        scope, orders = scope_of("strategy", strategy), _ORDERS[self._policy]
        self._holds.hold(QUARANTINE, TradingState.HALTED, str(error), scope=scope, orders=orders)

    def changed(self, change: TradingChange) -> None:
        """Take word of what may be traded, before strategies do: an operator may have let one go on."""
        if not self._shield.changed(change):
            return
        strategy = _strategy_of(change)
        self._closing.discard(strategy)
        if strategy in self._shield.blind:
            self._alarm(
                "strategy_failed",
                f"{strategy} may trade again, and its indicators have failed: it is called again after a restart.",
            )

    def close_positions(self) -> None:
        """Close what strategies hold whose orders have all ended, where that is the policy."""
        kernel = self._engine.kernel
        for strategy in list(self._closing):
            if any(order.strategy == strategy for order in kernel.book.open.values()):
                continue
            self._closing.discard(strategy)
            for symbol, position in kernel.shares.of(strategy).positions.items():
                if position.size:
                    self._engine.positions.close(kernel.portfolio.positions[symbol].instrument, strategy)

    def _hold(self, strategy: str) -> None:
        self._shield.silent.add(strategy)
        if self._policy is OnFailure.FLATTEN:
            self._closing.add(strategy)

    def _what_follows(self, failure: Failure) -> str:
        return (
            f" It is held from trading ({self._policy}); the others trade on. Lift that by resuming "
            f"'strategy:{failure.strategy}'."
        )


def _strategy_of(change: TradingChange) -> str:
    return change.scope.partition(":")[2]
