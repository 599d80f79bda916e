"""Notices from a thread of its own that the task of a live run does not get on, and says where it hangs."""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Final

import attrs

from cambist.live import hook_times

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.live.control.heartbeat import Heartbeat

__all__ = ["FROZEN_STATUS", "Limits", "Watchdog"]

_log = logging.getLogger("cambist.live")

#: Exit code of a process that was ended because its run did not get on; whoever supervises it may start it again.
FROZEN_STATUS: Final = 5


@attrs.frozen(kw_only=True)
class Limits:
    """After how long without a beat something is done, s.

    Attributes
    ----------
    warn_after
        It is told of, with the stack of the run's thread in the log.
    cancel_after
        What is open is canceled; None for never.
    exit_after
        The process is ended; None for never.
    """

    warn_after: float
    cancel_after: float | None = None
    exit_after: float | None = None


class Watchdog:
    """Watches a heartbeat.

    Parameters
    ----------
    heart
        Of the run.
    thread
        Identifies the thread in which the run is.
    limits
        After how long something is done.
    tell
        Told of what a person should know; called in the thread of the watchdog.
    cancel
        Begins to cancel what is open.
    busy
        Whether what `cancel` began is still going on: the process is not ended before it is done.
    end
        Ends the process.
    """

    def __init__(
        self,
        heart: Heartbeat,
        thread: int,
        limits: Limits,
        tell: Callable[[str, str], None],
        *,
        cancel: Callable[[], None] = lambda: None,
        busy: Callable[[], bool] = lambda: False,
        end: Callable[[int], object] = os._exit,
    ) -> None:
        self._heart, self._watched, self._limits, self._tell = heart, thread, limits, tell
        self._cancel, self._busy, self._end = cancel, busy, end
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self.frozen = 0  # how often it was

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no longer."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        told = canceled = False
        longest, limits = 0.0, self._limits
        while not self._over.wait(min(0.25, limits.warn_after / 4)):
            age = self._heart.age()
            if age <= limits.warn_after:
                if told:
                    self._tell("loop_goes_on", f"the run gets on again after {longest:.1f} s.")
                told, canceled, longest = False, False, 0.0
                continue
            longest = age
            if not told:
                told = True
                self.frozen += 1
                self._tell("loop_frozen", self._where(age))
            if limits.cancel_after is not None and age > limits.cancel_after and not canceled:
                canceled = True
                self._cancel()
            if limits.exit_after is not None and age > limits.exit_after and not self._busy():
                self._tell("frozen_exit", f"the run has not moved for {age:.1f} s; the process is ended.")
                self._end(FROZEN_STATUS)
                return

    def _where(self, age: float) -> str:
        """Return where the run hangs, and write its whole stack to the log."""
        frame = sys._current_frames().get(self._watched)  # noqa: SLF001 - there is no other way to see it
        stack = traceback.StackSummary() if frame is None else traceback.extract_stack(frame)
        _log.critical(
            "the run has not moved for %.1f s; its thread is at\n%s", age, "".join(traceback.format_list(stack))
        )
        at = _place(stack)
        where = "" if at is None else f": it is in {at.name} ({at.filename}:{at.lineno})"
        return f"the run has not moved for {age:.1f} s{where}. Neither data nor orders are looked at meanwhile."


def _place(stack: traceback.StackSummary) -> traceback.FrameSummary | None:
    """Return the line of the strategy where it hangs; where that is none, the innermost."""
    files = [frame.filename for frame in stack]
    if hook_times.__file__ in files:
        called = stack[files.index(hook_times.__file__) + 1 :]
        own = [frame for frame in called if frame.filename == called[0].filename]
        if own:
            return own[-1]
    return stack[-1] if stack else None
