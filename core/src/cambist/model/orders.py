"""Orders and fills: the records that strategy, gate, machine, venue and portfolio share."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument

__all__ = ["ApprovedOrder", "Fill", "Liquidity", "Order", "OrderStatus", "OrderType", "Side", "TimeInForce"]


class Side(StrEnum):
    """Which way an order trades."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """1 for buy, -1 for sell."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> Side:
        """The other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    """What makes an order trade."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"


class TimeInForce(StrEnum):
    """How long an order works."""

    #: Until filled or canceled.
    GTC = "gtc"
    #: Through the UTC day of the first bar it can meet.
    DAY = "day"
    #: Until ``expires_at``.
    GTD = "gtd"
    #: What can trade at once does, the rest is canceled.
    IOC = "ioc"
    #: All of it trades at once, or nothing.
    FOK = "fok"


class OrderStatus(StrEnum):
    """Where an order stands; `cambist.orders.state` holds the table of moves."""

    CREATED = "created"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    TRIGGERED = "triggered"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    PENDING_CANCEL = "pending_cancel"
    PENDING_REPLACE = "pending_replace"
    UNKNOWN = "unknown"


class Liquidity(StrEnum):
    """Whether a fill took a resting order's price or was the resting order."""

    MAKER = "maker"
    TAKER = "taker"


@attrs.define(eq=False, slots=True)
class Order:
    """One order through its whole life.

    A strategy holds this very object: it changes as the venue answers. Only the order machine
    (`cambist.orders`) writes to it.

    Attributes
    ----------
    id
        Number within the run, from 1. `client_id` is what a venue sees.
    instrument, side, type
        What, which way, and what makes it trade.
    size
        Size in the instrument's units, always positive.
    limit_price, stop_price
        Limit and trigger; NaN where the type has none.
    time_in_force, expires_at
        How long it works; `expires_at` (ns, UTC) counts for GTD.
    reduce_only
        It may shrink a position, never open or turn one.
    strategy, tag
        Who sent it, and a note of the sender's own.
    created_at, updated_at
        Engine time, ns, UTC.
    status, reason
        Where it stands, and why it ended, where there is a why.
    filled, average_price, fees
        Executed size, its average price (NaN before the first fill), fees paid in the settlement asset.
    accepted, triggered
        Whether the venue ever said so; they outlive the pending states.
    """

    id: int
    instrument: Instrument
    side: Side
    type: OrderType
    size: float
    limit_price: float
    stop_price: float
    time_in_force: TimeInForce
    expires_at: int
    reduce_only: bool
    strategy: str
    tag: str
    created_at: int
    updated_at: int = 0
    status: OrderStatus = OrderStatus.CREATED
    reason: str = ""
    filled: float = 0.0
    average_price: float = float("nan")
    fees: float = 0.0
    accepted: bool = False
    triggered: bool = False

    @property
    def remaining(self) -> float:
        """What is still to be filled, on the size grid."""
        return self.instrument.size_grid.nearest(self.size - self.filled)

    @property
    def is_open(self) -> bool:
        """Whether it can still trade."""
        return self.status not in _TERMINAL

    @property
    def is_buy(self) -> bool:
        """Whether it buys."""
        return self.side is Side.BUY


_TERMINAL = frozenset({OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.REJECTED, OrderStatus.EXPIRED})


class _GateSeal:
    """What only the risk gate holds; see `ApprovedOrder`."""


GATE_SEAL = _GateSeal()


@attrs.define(eq=False, slots=True, init=False)
class ApprovedOrder:
    """An order that passed the risk gate: the only thing a broker accepts, and the effect that sends it.

    Only `cambist.risk.gate.RiskGate` makes one. A repository test holds the rest of the code to that.
    """

    order: Order

    def __init__(self, order: Order, seal: _GateSeal) -> None:
        if seal is not GATE_SEAL:
            raise TypeError("only the risk gate approves an order; send it through RiskGate.review")
        self.order = order


@attrs.define(eq=False, slots=True)
class Fill:
    """One execution of one of our orders.

    Attributes
    ----------
    id
        Number within the run, from 1; a venue's trade id in live trading.
    order_id
        The order that traded.
    instrument, side, size, price
        What traded; `size` is positive.
    fee
        In the settlement asset, positive when paid.
    liquidity
        Maker or taker.
    ts
        When, ns, UTC. A simulated fill at a bar's open carries the open time; one inside the bar carries
        the close time, the earliest instant at which it is certain.
    """

    id: int
    order_id: int
    instrument: Instrument
    side: Side
    size: float
    price: float
    fee: float
    liquidity: Liquidity
    ts: int
