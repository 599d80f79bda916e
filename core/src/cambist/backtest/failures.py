"""Says where in a strategy an error came from."""

from __future__ import annotations

import inspect
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from cambist.errors import StrategyError
from cambist.model.times import format_ns

if TYPE_CHECKING:
    from cambist.engine.step import Kernel, Seat

__all__ = ["strategy_error"]


def strategy_error(error: Exception, kernel: Kernel) -> StrategyError | None:
    """Return the error to raise in place of one that a strategy's own code raised or led to.

    Returns
    -------
    StrategyError or None
        Names strategy, bar time, file and line; None when no frame of the traceback is a strategy's, which
        means that the fault is ours.
    """
    frames = traceback.extract_tb(error.__traceback__)
    for seat in kernel.seats:
        source = _source_of(seat)
        ours = [frame for frame in frames if source and frame.filename == source]
        if ours:
            frame = ours[-1]
            where = f"{Path(source).name}:{frame.lineno}, in {frame.name}"
            line = f": {frame.line}" if frame.line else ""
            return StrategyError(
                f"{seat.strategy.name} raised {type(error).__name__} {_when(seat)} ({where}{line}): {error}"
            )
    return None


def _source_of(seat: Seat) -> str:
    cls = type(seat.strategy)
    try:
        return inspect.getfile(cls)
    except (OSError, TypeError):  # defined at a prompt: its functions still know their file
        method = cls.__dict__.get("on_bar") or cls.__dict__.get("on_start")
        code = getattr(method, "__code__", None)
        module = sys.modules.get(cls.__module__)
        return code.co_filename if code is not None else getattr(module, "__file__", "") or ""


def _when(seat: Seat) -> str:
    ts = max(cursor.ts for cursor in seat.cursors)
    return f"at the bar of {format_ns(ts)}" if ts else "before the first bar"
