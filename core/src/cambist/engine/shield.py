"""What strategies and risk rules raise goes no further than here: the run, and whoever else is in it, go on."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

import attrs

from cambist.engine.failures import strategy_error
from cambist.engine.journaled import JournaledKernel, JournaledMarketKernel, Journaling
from cambist.engine.step import audience
from cambist.errors import StrategyError
from cambist.model.trading_state import TradingState
from cambist.strategies.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.engine.step import Kernel, Seat
    from cambist.indicators.series import SeriesCursor
    from cambist.model.bars import Bar
    from cambist.model.events import BarClosed
    from cambist.model.trading_state import TradingChange

__all__ = ["QUARANTINE", "Failure", "Shield", "Shielded", "ShieldedKernel", "ShieldedMarketKernel"]

_log = logging.getLogger("cambist.live")

#: The watch whose holds keep strategies that failed from trading.
QUARANTINE: Final = "quarantine"

#: What the engine calls while a run goes on. What it calls before, such as `on_start`, may keep a run from starting.
HOOKS = (
    *("on_warmup_bar", "on_open", "on_bar", "on_tick", "on_quote", "on_book", "on_step"),
    *("on_order", "on_fill", "on_trade", "on_timer", "on_trading_state", "on_margin", "on_stop"),
)


@attrs.frozen
class Failure:
    """A strategy raised.

    Attributes
    ----------
    strategy
        Its name.
    error
        What it raised, and where.
    at_end
        Whether that was in `on_stop`: nothing is left to keep it from.
    """

    strategy: str
    error: StrategyError
    at_end: bool = False


class Shield:
    """Stands around the strategies of a run.

    It takes the place of each hook that a strategy wrote, before the kernel is made: a hook that was left empty costs
    nothing, and a backtest has no shield. One that raises is noted and not called again until somebody says so.

    Parameters
    ----------
    strategies
        Fresh ones.

    Attributes
    ----------
    armed
        Whether what is raised is kept; until then, while a run gets ready, it is passed on.
    silent
        Names of the strategies whose hooks are not called.
    blind
        Names of those whose indicators have failed: their lines are right again after a restart, not before.
    """

    def __init__(self, strategies: Sequence[Strategy]) -> None:
        self.armed = False
        self.silent: set[str] = set()
        self.blind: set[str] = set()
        self._failures: list[Failure] = []
        self._kernel: Kernel
        for strategy in strategies:
            for name in HOOKS:
                method = getattr(strategy, name)
                if getattr(method, "__func__", None) is not getattr(Strategy, name):
                    setattr(strategy, name, self._around(strategy.name, name, method))

    def guard(self, kernel: Kernel) -> None:
        """Take the kernel that the strategies are in by now; it explains where in them an error came from."""
        self._kernel = kernel

    def changed(self, change: TradingChange) -> bool:
        """Take word of what may be traded, before strategies do; return whether one that failed is let go on by it."""
        if change.rule != QUARANTINE or change.state is not TradingState.ACTIVE:
            return False
        strategy = change.scope.partition(":")[2]
        if strategy not in self.blind:
            self.silent.discard(strategy)
        return True

    def take_failures(self) -> list[Failure]:
        """Return what was raised since the last time, oldest first."""
        failures, self._failures = self._failures, []
        return failures

    def caught(self, strategy: str, error: Exception, *, at_end: bool = False) -> None:
        """Take note of an error; the strategy is called no more.

        Raises
        ------
        StrategyError
            Where the run is not going yet.
        """
        explained = error if isinstance(error, StrategyError) else strategy_error(error, self._kernel)
        if explained is None:
            explained = StrategyError(f"{strategy} failed by {type(error).__name__}: {error}")
        if explained is not error:
            explained.__cause__ = error
        if not self.armed:
            raise explained
        self.silent.add(strategy)
        _log.error("%s", explained, exc_info=error)
        self._failures.append(Failure(strategy, explained, at_end))

    def _around(self, owner: str, name: str, method: Callable[..., None]) -> Callable[..., None]:
        silent, at_end = self.silent, name == "on_stop"

        def hook(*given: Any) -> None:
            if owner in silent:
                return
            try:
                method(*given)
            except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
                self.caught(owner, error, at_end=at_end)

        return hook


class Shielded(Journaling):
    """What reaches every strategy of a run, whatever one of them does. Set `shield` first."""

    shield: Shield

    def state_of(self, strategy: Strategy) -> bytes | None:
        """See `Journaling.state_of`; one whose state cannot be had keeps what it kept last."""
        if strategy.name in self.shield.silent:
            return None
        try:
            return super().state_of(strategy)
        except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
            self.shield.caught(strategy.name, error)
            return None

    def _bar_closed(self, event: BarClosed) -> None:
        number = event.series
        for seat in audience(self.seats, event.strategies):
            self._push(seat, event)
            seat.seen[number] += 1
            self.bar(seat, number, warm=seat.seen[number] > seat.warm_after[number])

    def _push(self, seat: Seat, event: BarClosed) -> None:
        self.push_made(seat, seat.cursors[event.series], event.bar)

    def push_made(self, seat: Seat, cursor: SeriesCursor, bar: Bar) -> None:
        """Give a bar to the lines of a strategy, whatever these do."""
        try:
            cursor.push(bar)
        except Exception as error:  # noqa: BLE001 - an indicator may be anybody's
            cursor.go_on_without_lines(bar)
            self.shield.blind.add(seat.strategy.name)
            if seat.strategy.name not in self.shield.silent:
                self.shield.caught(seat.strategy.name, _of_indicator(seat.strategy.name, error))


class ShieldedKernel(Shielded, JournaledKernel):
    """`JournaledKernel`, shielded."""


class ShieldedMarketKernel(Shielded, JournaledMarketKernel):
    """`JournaledMarketKernel`, shielded."""


def _of_indicator(strategy: str, error: Exception) -> StrategyError:
    said = StrategyError(f"an indicator of {strategy} raised {type(error).__name__}: {error}")
    said.__cause__ = error
    return said
