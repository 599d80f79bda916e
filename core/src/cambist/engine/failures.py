"""Says where in a strategy an error came from."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from cambist.engine.market import MarketKernel
from cambist.engine.opening import OpeningKernel
from cambist.errors import StrategyError
from cambist.model.times import format_ns
from cambist.strategies import brackets, strategy, trading

if TYPE_CHECKING:
    from types import CodeType, FrameType

    from cambist.engine.step import Kernel, Seat

__all__ = ["strategy_error"]


def strategy_error(error: Exception, kernel: Kernel) -> StrategyError | None:
    """Return the error to raise in place of one that a strategy's own code raised or led to.

    Returns
    -------
    StrategyError or None
        Names strategy, bar time, file and line; None when no method of a strategy was running, which means
        that the fault is ours.
    """
    calls = list(traceback.walk_tb(error.__traceback__))
    for seat in kernel.seats:
        # The files of its methods, which may be those of a class it inherits from.
        files = {frame.f_code.co_filename for frame, _ in calls if _runs(frame, seat)}
        if files:
            code, line = [(frame.f_code, line) for frame, line in calls if frame.f_code.co_filename in files][-1]
            what = f"{seat.strategy.name} raised {type(error).__name__} {_when(seat, kernel)}"
            return StrategyError(f"{what} ({_where(code, line)}): {error}")
    return None


def _runs(frame: FrameType, seat: Seat) -> bool:
    """Tell whether a frame is a method of the seat's strategy, other than those it has from us."""
    code = frame.f_code
    if not code.co_argcount or code.co_filename in _OURS:
        return False
    return frame.f_locals.get(code.co_varnames[0]) is seat.strategy


#: The files of what a strategy inherits from us, and of what that hands the strategy on to: an error there is one of
#: the line that called.
_OURS = frozenset({strategy.__file__, trading.__file__, brackets.__file__})


def _where(code: CodeType, line: int) -> str:
    text = traceback.FrameSummary(code.co_filename, line, code.co_name).line
    return f"{Path(code.co_filename).name}:{line}, in {code.co_name}" + (f": {text}" if text else "")


def _when(seat: Seat, kernel: Kernel) -> str:
    if isinstance(kernel, MarketKernel):
        return f"at {format_ns(kernel.clock.read())}"
    if isinstance(kernel, OpeningKernel) and kernel.opened_at == kernel.clock.read():
        return f"at the open of the bar of {format_ns(kernel.opened_at)}"
    times = [cursor.ts for cursor in seat.cursors if cursor.ts]  # 0 where no bar was seen yet
    return f"at the bar of {format_ns(max(times))}" if times else "before the first bar"
