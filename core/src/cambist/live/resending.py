"""Whether an order that certainly did not arrive is sent again, by its kind: never, so often, or until a deadline.

This is about orders that the venue was too busy to take, or that could not leave. What may have arrived is never sent
again, and what was refused for another reason would be refused again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import attrs

from cambist.errors import ParameterError
from cambist.model.orders import TRIGGERED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist.live.watched import Watched
    from cambist.model.orders import Order
    from cambist.ports.venue import Declined

__all__ = ["RESENDS", "Resend", "Resending", "kind_of"]

#: Refusals that say "not now".
_LATER: Final = frozenset({"rate_limit", "overloaded", "unreachable"})
_SECOND: Final = 1_000_000_000
#: Before an order that could not leave is tried again, ns.
_LEAST: Final = 500_000_000


def _not_negative(_instance: object, attribute: attrs.Attribute[Any], value: float | None) -> None:
    if value is not None and not value >= 0:
        raise ParameterError(f"{attribute.name} of a resend policy is {value!r}; it is 0 or more, or None for no end.")


@attrs.frozen
class Resend:
    """How long an order is sent again, under the same client id; both bounds hold.

    Attributes
    ----------
    attempts
        How often at most; None for no end.
    within
        Until when after it was sent first, seconds; None for no end.
    """

    attempts: int | None = attrs.field(default=0, validator=_not_negative)
    within: float | None = attrs.field(default=None, validator=_not_negative)


#: Entries are not chased: the price that they were made for has passed. What protects or ends a position is.
RESENDS: Final[Mapping[str, Resend]] = {
    "entry": Resend(),
    "reduce": Resend(None, 30.0),
    "stop": Resend(None, 60.0),
}


def kind_of(order: Order) -> str:
    """Return ``"stop"`` for what waits for a price, ``"reduce"`` for what only reduces, else ``"entry"``."""
    if order.type in TRIGGERED:
        return "stop"
    return "reduce" if order.reduce_only else "entry"


class Resending:
    """Decides by the kind of an order.

    Parameters
    ----------
    policies
        By kind; those of `RESENDS` hold for the rest.

    Raises
    ------
    ParameterError
        A kind is none.
    """

    def __init__(self, policies: Mapping[str, Resend]) -> None:
        unknown = sorted(set(policies) - set(RESENDS))
        if unknown:
            raise ParameterError(f"resend has {unknown[0]!r}; kinds of orders are {', '.join(RESENDS)}.")
        self._policies = {**RESENDS, **policies}

    def due(self, watched: Watched, outcome: Declined, now: int) -> int | None:
        """Return when an order is to be sent again that the venue did not take, ns; None for not at all."""
        if outcome.reason not in _LATER or watched.sent_at is None:
            return None
        policy = self._policies[kind_of(watched.order)]
        due = now + max(outcome.retry_after, _LEAST)
        if policy.attempts is not None and watched.resent >= policy.attempts:
            return None
        if policy.within is not None and due > watched.sent_at + round(policy.within * _SECOND):
            return None
        return due
