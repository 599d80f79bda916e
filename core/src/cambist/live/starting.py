"""Starts the kernel of a run, or lets it go on."""

from __future__ import annotations

import asyncio
import contextlib
from difflib import get_close_matches
from typing import TYPE_CHECKING

from cambist.engine.failures import strategy_error
from cambist.errors import VenueError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from cambist.live.setup import Prepared
    from cambist.model.effects import Effect

__all__ = ["in_time", "near_symbol", "start"]


@contextlib.asynccontextmanager
async def in_time(venue: str, what: str, seconds: float) -> AsyncIterator[asyncio.Timeout]:
    """Give up on a venue with which a run does not get ready in time.

    Raises
    ------
    VenueError
        It took longer, unless the limit was rescheduled.
    """
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            yield limit
    except TimeoutError:
        if not limit.expired():
            raise
        raise VenueError(
            f"{venue} has not {what} within {seconds:g} s (ready_within). Look at the connection, or give it more "
            "time.",
            code="not_ready",
        ) from None


def near_symbol(symbol: str, known: Iterable[str]) -> str:
    """Return what was probably meant: the same symbol in other words, else what has the same first letters."""
    plain = {"".join(filter(str.isalnum, one)).upper(): one for one in known}
    same = plain.get("".join(filter(str.isalnum, symbol)).upper())
    if same is not None:
        return f" Did you mean {same!r}?"
    near = get_close_matches(symbol, plain.values(), n=3) or sorted(
        one for one in plain.values() if one[:3] == symbol[:3]
    )
    return f" There are {', '.join(near[:5])}." if near else ""


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
