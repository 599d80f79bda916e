"""Executions that lag behind the word that an order has ended: waited for while the venue may still tell of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cambist.live.watched import Outlets, Watched
    from cambist.ports.venue import VenueTerms

__all__ = ["LaggingFills"]


class LaggingFills:
    """Decides when executions are missing: those that the venue could not be asked for are not, however long it takes.

    Parameters
    ----------
    terms
        Of the venue.
    out
        Where alarms go.
    """

    def __init__(self, terms: VenueTerms, out: Outlets) -> None:
        self._terms, self._out = terms, out

    def listed(self, watched: Watched, now: int, *, answered: bool) -> None:
        """Take word that the venue has listed the executions of an order that has ended, or could not be asked."""
        if answered:
            watched.listed_at = now
            return
        watched.check_at = now + self._terms.confirm_within
        if now - watched.ended_at >= self._terms.fills_within and not watched.unlisted:
            watched.unlisted = True
            self._out.alarm(
                "fills_missing",
                f"executions of order {watched.order.id} ({watched.client_id}), which has ended, are missing, and the "
                "venue cannot be asked for them. They are asked for again until it can.",
            )

    def are_missing(self, watched: Watched) -> bool:
        """Tell whether the venue has not listed executions that it had time to list."""
        return watched.ended is not None and watched.listed_at - watched.ended_at >= self._terms.fills_within

    def give_up(self, watched: Watched) -> None:
        """Tell of executions that the venue does not list."""
        order, report = watched.order, watched.ended
        assert report is not None
        self._out.alarm(
            "fills_missing",
            f"the venue says that {report.filled} of order {order.id} ({watched.client_id}) was filled, and tells of "
            f"executions of {order.filled:g}. The audit compares the position with the venue's.",
        )
