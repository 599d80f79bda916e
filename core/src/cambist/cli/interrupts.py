"""Ctrl-C: the first asks the run to stop after its bar, the second ends the process."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from cambist.backtest import StopRequest

__all__ = ["stop_on_signals"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
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
