"""The event loop that live runs have."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from cambist.app.live_run import new_loop, short_turns

if TYPE_CHECKING:
    from collections.abc import Coroutine

__all__ = ["run_live"]

T = TypeVar("T")


def run_live(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end as ``cambist live`` does: on uvloop where that is installed, with short turns of threads."""
    with short_turns(), asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(work)
