"""New terms for an order at a venue that cannot give them: what works is canceled, and what is left is sent anew.

The order stays the one it is; at the venue another takes its place, under a client id of its own. Nothing is sent
before the venue has proven that the old one is gone and how much of it has traded, so both together never trade more
than the order's size. Whatever goes wrong, the order ends with terms that somebody wanted, or with a word of alarm:

* the cancel is refused, or is too late: the order stands as it was;
* the new terms are refused, or never arrive: the old ones are sent again;
* a stop that is refused because the market has passed it goes to the market, as it would have done;
* the run is cut off: what the venue has ended is sent again with the old terms. That new ones were asked for is in the
  journal, and where the run itself wants them, a mark is journalled before the cancel leaves.
"""

from __future__ import annotations

from math import isnan, nan
from typing import TYPE_CHECKING

import attrs

from cambist.live.fills import same_size
from cambist.live.requests import Submit
from cambist.model.events import AmendRejected, OrderAmended, OrderCanceled
from cambist.model.orders import AT_MARKET, TRIGGERED, OrderStatus, OrderType

if TYPE_CHECKING:
    from cambist.live.evidence import Evidence
    from cambist.live.reducing import Reducing
    from cambist.live.watched import Outlets, Register, Watched
    from cambist.model.orders import Order
    from cambist.orders.book import OrderBook
    from cambist.ports.venue import VenueTerms

__all__ = ["PASSED", "REPLACING", "Replacement", "Replacing", "amends"]

#: How the journal marks an order that the run itself is about to end, to send it with other terms.
REPLACING = "replacing"
#: How a venue refuses a stop that the market has passed.
PASSED = ("would_trigger", "stop_already_reached")

Terms = tuple[float, float, float]


@attrs.define(eq=False, slots=True)
class Replacement:
    """An order that is being replaced.

    Attributes
    ----------
    wanted
        Size, limit and stop that it is to have.
    before
        Those that it had.
    bare_since
        Since when nothing of it works at the venue, ns; None while something does.
    refused
        Why the new terms are not to be had, once that is known: then the old ones are on their way.
    resumed
        Whether the run was cut off meanwhile: then nobody knows whether the new one was sent.
    next
        Terms that were asked for since what is to have `wanted` was sent: they wait until that is known to be there.
    marked
        Whether the journal says that the run was about to end it itself.
    told
        Whether somebody was told that it has been away for too long.
    """

    wanted: Terms
    before: Terms
    bare_since: int | None = None
    refused: str = ""
    resumed: bool = False
    next: Terms | None = None
    marked: bool = False
    told: bool = False

    @property
    def may_be_gone(self) -> bool:
        """Whether it is no wonder that the venue has no such order."""
        return self.bare_since is not None or self.resumed


class Replacing:
    """Carries replacements through.

    Parameters
    ----------
    register, book, terms, out
        See `Evidence`.
    reducing
        Answers how much may trade.
    bound
        How long a stop may be away before somebody is told, ns.

    Attributes
    ----------
    gaps
        How many orders were away, for how long in all, and for how long at most, ns.
    """

    def __init__(
        self, register: Register, book: OrderBook, terms: VenueTerms, out: Outlets, reducing: Reducing, bound: int
    ) -> None:
        self._register, self._book, self._terms, self._out = register, book, terms, out
        self._reducing, self._bound = reducing, bound
        self.gaps = [0, 0, 0]
        self.evidence: Evidence

    def begin(self, watched: Watched, wanted: Terms, now: int) -> None:
        """Ask for the end of what works, so that the new terms can take its place."""
        order, under_way = watched.order, watched.replacement
        if under_way is not None and under_way.may_be_gone:
            under_way.next = wanted
            return
        watched.wanted = wanted
        if under_way is not None:  # what works is being canceled already
            under_way.wanted = wanted
            return
        size = order.size if watched.sent_size is None else watched.sent_size
        watched.replacement = Replacement(wanted, (size, order.limit_price, order.stop_price))
        # That it was asked for is in the journal; else this is.
        if order.status is not OrderStatus.PENDING_REPLACE and not self.is_marked(order):
            self._mark(order, REPLACING, now)
        self.evidence.withdraw(watched, now)

    def _mark(self, order: Order, state: str, now: int) -> None:
        self._book.entrust([order.id], order.id, state)
        self._out.entrust(now, [order.id], order.id, state)

    def is_marked(self, order: Order) -> bool:
        """Tell whether the run was about to end an order itself, to send it with other terms."""
        return self._book.entrusted.get(order.id, (0, ""))[1] == REPLACING

    def _done(self, watched: Watched, now: int) -> None:
        following = watched.replacement and watched.replacement.next
        watched.replacement = None
        if self.is_marked(watched.order):
            self._mark(watched.order, "held", now)
        if following and _goes_on(watched.order):
            self._mark(watched.order, REPLACING, now)  # whatever becomes of the request that has just been dealt with
            self.begin(watched, following, now)

    def resume(self, watched: Watched) -> None:
        """Take an order that was being replaced when the run was cut off: what was wanted is not known any more."""
        order = watched.order
        size = order.size if watched.sent_size is None else watched.sent_size
        terms = size, order.limit_price, order.stop_price
        watched.replacement = Replacement(terms, terms, refused="interrupted", resumed=True)
        watched.replacement.marked = self.is_marked(order)

    def canceled(self, watched: Watched, now: int) -> bool:
        """Take word that what worked is gone, and all that it traded is known; return whether that was wanted."""
        replacement, order = watched.replacement, watched.order
        if replacement is None or not _goes_on(order):
            return False
        if replacement.resumed and order.status is not OrderStatus.PENDING_REPLACE and not replacement.marked:
            return False  # somebody else canceled it
        if replacement.bare_since is None:
            replacement.bare_since = now
        if not self._send(watched, replacement.before if replacement.refused else replacement.wanted, now):
            self.evidence.forget(watched, now)
        return True

    def refused(self, watched: Watched, reason: str, now: int) -> bool:
        """Take word that what was sent is not there; return whether another is sent."""
        replacement, order = watched.replacement, watched.order
        if replacement is None or not replacement.may_be_gone or not _goes_on(order):
            return False
        if replacement.bare_since is None:
            replacement.bare_since, replacement.resumed = now, False
            return self._send(watched, replacement.before, now, replacement.refused)
        if not replacement.refused:
            replacement.refused = reason
            watched.wanted = None
            return self._send(watched, replacement.before, now, reason)
        if order.type in AT_MARKET and order.type in TRIGGERED and reason.startswith(PASSED):
            return self._send(watched, replacement.before, now, reason, at_market=True)
        self._out.alarm(
            "not_replaced",
            f"order {order.id} ({watched.client_id}) was canceled to get new terms, and stands at the venue neither "
            f"with those ({replacement.refused}) nor with the old ones ({reason}). It counts as canceled.",
        )
        return False

    def confirmed(self, watched: Watched, now: int) -> None:
        """Take word that an order works, or has worked; what was away is back."""
        replacement = watched.replacement
        if replacement is None:
            return
        if replacement.bare_since is None:
            if replacement.resumed:
                self._reject(watched, replacement, now)
                self._done(watched, now)
            return
        gap = now - replacement.bare_since
        self.gaps = [self.gaps[0] + 1, self.gaps[1] + gap, max(self.gaps[2], gap)]
        if replacement.refused:
            self._reject(watched, replacement, now)
        self._done(watched, now)

    def _reject(self, watched: Watched, replacement: Replacement, now: int) -> None:
        if watched.order.status is OrderStatus.PENDING_REPLACE:
            self._out.deliver(AmendRejected(now, watched.order.id, replacement.refused))

    def unchanged(self, watched: Watched, now: int) -> None:
        """Take word that what worked works on as it was."""
        self._done(watched, now)
        watched.wanted = None

    def check(self, watched: Watched, now: int) -> None:
        """Tell of a stop that has been away for too long."""
        replacement = watched.replacement
        if replacement is None or replacement.bare_since is None or replacement.told:
            return
        if watched.order.type in TRIGGERED and now - replacement.bare_since >= self._bound:
            replacement.told = True
            self._out.alarm(
                "unprotected",
                f"the stop {watched.order.id} ({watched.client_id}) is being replaced, and nothing of it has worked "
                f"at the venue for {(now - replacement.bare_since) / 1e9:.1f} s.",
            )

    def due(self, watched: Watched) -> int | None:
        """Return when `check` has something to tell, ns; None for never."""
        replacement = watched.replacement
        if replacement is None or replacement.bare_since is None or replacement.told:
            return None
        return replacement.bare_since + self._bound if watched.order.type in TRIGGERED else None

    def _send(
        self, watched: Watched, terms: Terms, now: int, reason: str = "replaced", *, at_market: bool = False
    ) -> bool:
        """Send what is left of an order with these terms; return False where nothing is."""
        order, (size, limit, stop) = watched.order, terms
        left = self._reducing.allowed(order, order.instrument.size_grid.nearest(size - order.filled))
        if left <= 0.0 or same_size(order, left, 0.0):
            watched.replacement = watched.wanted = None
            if order.filled > 0.0:  # it has traded all that it was to trade
                self._out.deliver(OrderAmended(now, order.id, order.filled, order.limit_price, order.stop_price))
            else:
                self._out.deliver(OrderCanceled(now, order.id, "nothing_to_reduce"))
            return False
        self._register.renew(watched, order.filled)
        self._out.note(now, order.id, watched.number, watched.carried, reason)
        watched.sent_at, watched.told_at, watched.absences, watched.cancels = now, 0, 0, 0
        watched.asking, watched.overtaken, watched.ended = False, True, None
        watched.check_at = now + self._terms.settling + self._terms.confirm_within
        kind = OrderType.MARKET if at_market else order.type
        if order.triggered and not at_market:
            kind = OrderType.MARKET if isnan(limit) else OrderType.LIMIT
        request = watched.request(kind, left, nan if at_market else limit, nan if kind is not order.type else stop)
        watched.submit = Submit(order_id=order.id, key=watched.key, terms=request, reduces=order.reduce_only)
        self._out.send(watched.submit)
        return True


def amends(ways: str, watched: Watched, terms: Terms | None = None) -> bool:
    """Tell whether a venue itself can give an order new terms: these, or some.

    Parameters
    ----------
    ways
        See `cambist.ports.venue.VenueTerms.amends`.
    """
    order = watched.order
    kind = order.type if watched.submit is None else watched.submit.terms.type
    if ways == "every":
        return True
    if kind is not OrderType.LIMIT or not ways:
        return False
    is_smaller = terms is None or (terms[0] < order.size and terms[1] == order.limit_price)
    return ways == "all" or (ways == "smaller" and is_smaller)


def _goes_on(order: Order) -> bool:
    """Tell whether an order is to stay: nobody has asked for its end meanwhile."""
    return order.is_open and order.status is not OrderStatus.PENDING_CANCEL
