"""Writers that are killed: what they had been told is kept has to be there, and nothing that is half."""

from __future__ import annotations

import os
import random
import signal
import time
import traceback
import warnings
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

__all__ = ["killed_writers"]

#: Seconds that a writer lives at most.
_PATIENCE = 120


def killed_writers(begin: Callable[[], Callable[[int], object]], rounds: int = 8) -> Iterator[int]:
    """Let processes write, kill each at a random instant, and yield the last number of which it knew that it is kept.

    Parameters
    ----------
    begin
        Called in a new process; opens the store, and returns what keeps number 0, 1, 2 and so on, one call for each.
        The next process goes on behind the number yielded: what that one was about to keep is kept once more.
    rounds
        How many processes.
    """
    if not hasattr(os, "fork"):
        pytest.skip("this system cannot fork, so that the store cannot be opened in a process that is killed")
    chance = random.Random(20_250_101)  # noqa: S311 - a test
    number = 0
    for _ in range(rounds):
        read, write = os.pipe()
        with _quiet_about_threads():
            child = os.fork()
        if child == 0:
            os.close(read)
            _write_forever(begin, number, write)
        os.close(write)
        with os.fdopen(read, "rb") as promises:
            lines = [promises.readline()]  # from the first one on: opening takes its own time
            begun, wanted = time.monotonic(), chance.randint(1, 15)
            lines += [promises.readline() for _ in range(wanted)]
            # Somewhere within a write, and not always just after it was told that the one before is done.
            time.sleep(chance.uniform(0.0, 1.2) * (time.monotonic() - begun) / wanted)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            assert b"" not in lines, "the writer ended by itself; what it raised is on standard error"
            lines += promises  # what came until it died was promised too; the last line may be cut
        promised = [int(line) for line in lines if line.endswith(b"\n")]
        yield promised[-1]
        number = promised[-1] + 1


def _write_forever(begin: Callable[[], Callable[[int], object]], number: int, promises: int) -> None:
    signal.alarm(_PATIENCE)  # a store that waits for something that did not come with the fork
    try:
        keep = begin()
        while True:
            keep(number)
            os.write(promises, b"%d\n" % number)
            number += 1
    except BaseException:  # noqa: BLE001 - a forked process must not go on as a second test run
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(1)


def _quiet_about_threads() -> AbstractContextManager[object]:
    """Leave out Python's warning of forks beside threads: the child does nothing that another thread could hold."""
    return warnings.catch_warnings(action="ignore", category=DeprecationWarning)
