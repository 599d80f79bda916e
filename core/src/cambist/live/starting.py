"""Starts the kernel of a run, or lets it go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.engine.failures import strategy_error

if TYPE_CHECKING:
    from cambist.live.setup import Prepared
    from cambist.model.effects import Effect

__all__ = ["start"]


def start(prepared: Prepared, ts: int) -> list[Effect]:
    """Start the kernel, or let it go on; return what it wants done.

    Raises
    ------
    StrategyError
        If a strategy raises.
    """
    try:
        return prepared.start(ts)
    except Exception as error:
        explained = strategy_error(error, prepared.kernel)
        if explained is None:
            raise
        raise explained from error
