"""What is asked of a venue about orders, as the order manager hands it to whoever does the asking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from cambist.model.effects import ChangeMargin, MoveCash
    from cambist.ports.venue import OrderKey, OrderRequest

__all__ = ["Amend", "Cancel", "ChangeAccount", "FetchFills", "Find", "Request", "Submit", "SubmitGroup"]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request about an order.

    Attributes
    ----------
    order_id
        Of the run; 0 for an order that is not ours.
    key
        Names the order to the venue.
    """

    order_id: int
    key: OrderKey


class Submit(Request, frozen=True, kw_only=True):
    """Send an order."""

    terms: OrderRequest
    #: Whether it only makes a position smaller: it goes before others where requests are scarce.
    reduces: bool = False


class SubmitGroup(Request, frozen=True, kw_only=True):
    """Send orders as one, of which the venue takes all or none; it is named by the first of them."""

    members: tuple[Submit, ...]


class Cancel(Request, frozen=True, kw_only=True):
    """Withdraw what remains of an order."""


class Amend(Request, frozen=True, kw_only=True):
    """Ask for new terms."""

    terms: OrderRequest


class Find(Request, frozen=True, kw_only=True):
    """Ask how an order stands."""


class FetchFills(Request, frozen=True, kw_only=True):
    """Ask for the executions of an order: those since `since` (ns, UTC), where the venue's own id is not known."""

    since: int


class ChangeAccount(Request, frozen=True, kw_only=True):
    """Move money or margin, or set a leverage: it is about no order, and those that follow it wait for the answer."""

    wish: MoveCash | ChangeMargin
