"""The event loop that live runs have."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from cambist.app.live_run import new_loop

if TYPE_CHECKING:
    from collections.abc import Coroutine

__all__ = ["run_live"]

T = TypeVar("T")


def run_live(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end on the loop that ``cambist live`` takes: uvloop's where it is installed."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(work)
