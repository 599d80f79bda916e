"""What may refuse an order before it leaves, and what it sees while it decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import attrs

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order, Side
    from cambist.model.portfolio import Account, Position

__all__ = ["Refusal", "RiskRule", "RiskView"]


@attrs.frozen(slots=True)
class Refusal:
    """Why an order may not leave.

    Attributes
    ----------
    code
        Stable, lower case with underscores, for programs: ``"size_off_grid"``.
    message
        For people: what was asked, which bound it broke, and what to do.
    """

    code: str
    message: str


class RiskView(Protocol):
    """The account as a risk rule sees it: read only, as of now."""

    def position(self, instrument: Instrument) -> Position:
        """Return the net position; its size is positive long, negative short, in the instrument's units."""

    def account(self) -> Account:
        """Return a snapshot of cash, equity and margin, in the account's currency."""

    def reference_price(self, order: Order) -> float:
        """Return the price an order is expected to get, in the quote currency.

        Its limit; else its stop; else the instrument's last close, NaN before the first.
        """

    def market_price(self, instrument: Instrument) -> float:
        """Return the latest price at which the market is known to have stood, in the quote currency.

        The last close, or the price of the fill that a strategy is just hearing of; NaN before the first of either.
        """

    def now(self) -> int:
        """Return the engine's time, ns, UTC."""

    def order(self, order_id: int) -> Order | None:
        """Return an order of this run, open or ended; None where there is none of that number."""

    def missing_funds(self, order: Order) -> float:
        """Return what the account lacks to pay for an order, fee included, in its currency; 0 when it can pay.

        0 as well before the first close, when a market order has no price yet, and for an order that waits for its
        parent to trade: what the account will hold by then, nobody knows. 0 for an order that only reduces, always.
        """

    def open_orders(self, instrument: Instrument) -> int:
        """Return how many orders of an instrument work."""

    def total_open_orders(self) -> int:
        """Return how many orders work, over all instruments."""

    def open_size(self, instrument: Instrument, side: Side) -> float:
        """Return the unfilled size of working orders of one side, positive, in the instrument's units.

        Orders that only reduce do not count.
        """


class RiskRule(Protocol):
    """One question about an order.

    A rule is deterministic, keeps no state between orders, and does not raise for an order it does not like.
    """

    @property
    def name(self) -> str:
        """The name it is registered under."""

    def concerns(self, instrument: Instrument) -> bool:
        """Say once per instrument whether `review` is to be asked about its orders at all."""

    def review(self, order: Order, view: RiskView) -> Refusal | None:
        """Return None to let the order pass, or why it may not leave."""
