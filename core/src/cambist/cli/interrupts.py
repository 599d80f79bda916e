"""Ctrl-C and SIGTERM: the first asks a run to stop, the second ends it at once."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from cambist.backtest import StopRequest

__all__ = ["end_on_signals", "stop_on_signals"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_ENDING = b"\nstopping; a second time ends it at once and leaves orders as they are.\n"
_STOPPING = b"\nstopping after this bar; what is done will be written. Again to end at once.\n"


@contextmanager
def stop_on_signals(stop: StopRequest) -> Iterator[list[str]]:
    """Turn the first SIGINT or SIGTERM into a stop request; the list holds its name from then on.

    With the first one the system's own handling returns, so that the second one ends even a process that hangs.
    """
    caught: list[str] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        caught.append(signal.Signals(number).name)
        stop(f"interrupted by {caught[0]}")
        # Not through sys.stderr: the handler may have come in the middle of a write to it.
        os.write(2, _STOPPING)

    if threading.current_thread() is not threading.main_thread():  # only the main thread may handle signals
        yield caught
        return
    before = [signal.signal(each, handle) for each in _SIGNALS]
    try:
        yield caught
    finally:
        for each, old in zip(_SIGNALS, before, strict=True):
            signal.signal(each, old)


@contextmanager
def end_on_signals(stop: Callable[[str], None], cut_off: Callable[[], None]) -> Iterator[None]:
    """Have a live run stopped by the first SIGINT or SIGTERM, cut off by the second, the process ended by the third.

    Both are called in the middle of whatever the main thread does, so they must not do more than pass it on.
    """
    caught: list[str] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        caught.append(signal.Signals(number).name)
        if len(caught) == 1:
            os.write(2, _ENDING)
            stop(caught[0])
        else:
            for each in _SIGNALS:
                signal.signal(each, signal.SIG_DFL)
            cut_off()

    if threading.current_thread() is not threading.main_thread():  # only the main thread may handle signals
        yield
        return
    before = [signal.signal(each, handle) for each in _SIGNALS]
    try:
        yield
    finally:
        for each, old in zip(_SIGNALS, before, strict=True):
            signal.signal(each, old)
