"""Size and prices of an order as its venue tells them: those that were asked for, or what somebody else has done."""

from __future__ import annotations

from math import isnan, nan
from typing import TYPE_CHECKING

from cambist.model.events import OrderAmended, StopTrailed
from cambist.model.orders import AT_MARKET, TRAILING, OrderStatus

if TYPE_CHECKING:
    from cambist.live.watched import Outlets, Watched
    from cambist.model.reports import OrderReport
    from cambist.ports.venue import VenueTerms

__all__ = ["take_terms"]


def take_terms(watched: Watched, report: OrderReport, terms: VenueTerms, out: Outlets, now: int) -> None:
    """Take the terms of an order from a report of it; new ones become its own.

    Parameters
    ----------
    terms
        Of the venue.
    """
    order = watched.order
    told, known = _told(watched, report), (order.size, order.limit_price, order.stop_price)
    as_wanted = watched.wanted is not None and _equal(told, watched.wanted)
    if as_wanted and order.status is OrderStatus.PENDING_REPLACE:
        watched.sent_size = None  # that is its size from now on
    elif watched.sent_size is not None and told[0] <= watched.sent_size:
        told = order.size, *told[1:]  # a part of it, which grows with its parent
    if as_wanted:
        watched.wanted = None
    if _equal(told, known):
        return
    if order.trail is not None and told[0] == order.size and report.type is order.type:
        # The venue lets it follow the price, and says where the stop is, or does not.
        out.deliver(StopTrailed(now, order.id, told[2], told[1]))
        return
    fitted = terms.ties and order.parent and told[0] < order.size  # to what its parent has traded
    if not (as_wanted or watched.replacement is not None or fitted):
        out.alarm(
            "amended_elsewhere",
            f"order {order.id} ({watched.client_id}) stands at the venue with size {told[0]:g} at {told[1]:g}; the "
            f"run knew {known[0]:g} at {known[1]:g} and takes the venue's terms.",
        )
    watched.wanted = None
    out.deliver(OrderAmended(now, order.id, *told))


def _told(watched: Watched, report: OrderReport) -> tuple[float, float, float]:
    """Return size, limit and stop price as a report tells them, and as they are known where it cannot."""
    order = watched.order
    limit = nan if report.limit_price is None else float(report.limit_price)
    stop = nan if report.stop_price is None else float(report.stop_price)
    if report.type is not order.type:
        limit, stop = order.limit_price, order.stop_price  # those of what was sent in its place
    elif order.type in AT_MARKET:
        limit = order.limit_price
    # Where a stop is that the venue moves, it alone knows; any other stays where it was put.
    follows = order.type in TRAILING and report.type is order.type
    return float(report.size), limit, order.stop_price if isnan(stop) and not follows else stop


def _equal(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Compare numbers of which NaN is one that an order has not."""
    return repr(one) == repr(other)
