"""A strategy as a run takes it: a copy of its own, with the run's sizer where it brings none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.errors import InputError
from cambist.strategies import Strategy

if TYPE_CHECKING:
    from cambist.backtest.settings import BacktestSettings

__all__ = ["prepared", "takes_sizer"]


def prepared(strategy: Any, settings: BacktestSettings) -> Strategy:
    """Return a fresh copy of a strategy, or an instance of the class.

    Raises
    ------
    InputError
        If it is neither.
    """
    if isinstance(strategy, type) and issubclass(strategy, Strategy):
        strategy = strategy()
    if not isinstance(strategy, Strategy):
        raise InputError(f"{strategy!r} is no strategy. Give a subclass of cambist.Strategy, or an instance of one.")
    fresh = strategy.fresh()
    if settings.sizer is not None and takes_sizer(strategy):
        fresh.sizer = settings.sizer
    return fresh


def takes_sizer(strategy: Strategy) -> bool:
    """Whether the sizer of a run is that of a strategy, too: it brings none of its own."""
    return "sizer" not in vars(strategy) and type(strategy).sizer is Strategy.sizer
