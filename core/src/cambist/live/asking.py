"""Waits for what a venue makes of a request; a session that raises has not answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.errors import VenueError
from cambist.ports.venue import Unanswered

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from cambist.ports.venue import Outcome

__all__ = ["outcome_of", "outcomes_of"]


async def outcome_of(asked: Awaitable[Outcome]) -> Outcome:
    """Return what comes of a request, whatever the session does."""
    try:
        return await asked
    except VenueError as error:
        return Unanswered(str(error))


async def outcomes_of(asked: Awaitable[Sequence[Outcome]], count: int) -> Sequence[Outcome]:
    """Return what comes of so many requests that went as one."""
    try:
        outcomes = await asked
    except VenueError as error:
        return [Unanswered(str(error))] * count
    if len(outcomes) != count:
        return [Unanswered(f"{len(outcomes)} answers to {count} requests")] * count
    return outcomes
