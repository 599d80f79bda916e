"""What becomes of it where a venue trades more of an order than it was for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cambist.live.fills import same_size

if TYPE_CHECKING:
    from cambist.live.watched import Outlets, Watched
    from cambist.model.orders import Order
    from cambist.model.reports import FillReport, OrderReport
    from cambist.ports.venue import VenueTerms

__all__ = ["bookable", "part_of"]


def bookable(watched: Watched, report: OrderReport, terms: VenueTerms, out: Outlets) -> OrderReport:
    """Tell of it, once, and return the report as it is to be booked: all of it, or what the order was for."""
    order, filled = watched.order, float(report.filled)
    booked = terms.overfills == "accept"
    if not watched.capped and filled > order.size and not same_size(order, filled, order.size):
        out.alarm(
            "overfilled",
            f"the venue filled {report.filled} of order {order.id} ({watched.client_id}), which was for {report.size}. "
            + ("All of it is booked." if booked else "What exceeds it is not booked: settle it with the venue."),
        )
    if booked:
        watched.wanted = filled, order.limit_price, order.stop_price
        return msgspec.structs.replace(report, size=report.filled)
    watched.capped = True
    return msgspec.structs.replace(report, filled=report.size)


def part_of(report: FillReport, order: Order) -> FillReport:
    """Return the part of an execution that an order was for."""
    left = order.instrument.size_to_decimal(order.instrument.size_grid.nearest(order.remaining))
    return msgspec.structs.replace(report, size=left, fee=report.fee * left / report.size)
