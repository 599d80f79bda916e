"""Orders and fills: the records that strategy, gate, machine, venue and portfolio share."""

from __future__ import annotations

from enum import StrEnum
from math import nan
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from cambist.model.instrument import Instrument

__all__ = [
    "AT_MARKET",
    "LIMITED",
    "TOUCHED",
    "TRAILING",
    "TRIGGERED",
    "ApprovedOrder",
    "ExactFill",
    "Fill",
    "Instructions",
    "Liquidity",
    "Order",
    "OrderStatus",
    "OrderType",
    "PositionSide",
    "Side",
    "TimeInForce",
    "Trail",
]


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


class PositionSide(StrEnum):
    """Which of the two positions in an instrument is meant, in a hedged account."""

    LONG = "long"
    SHORT = "short"

    @property
    def opens(self) -> Side:
        """The side of an order that opens the position or adds to it; the other one closes it."""
        return Side.BUY if self is PositionSide.LONG else Side.SELL


class OrderType(StrEnum):
    """What makes an order trade."""

    #: At once, at any price.
    MARKET = "market"
    #: At its limit or better.
    LIMIT = "limit"
    #: Market, once the price has moved against the order as far as its stop.
    STOP = "stop"
    #: Limit, once the price has moved against the order as far as its stop.
    STOP_LIMIT = "stop_limit"
    #: Market, at the close of the session.
    MARKET_ON_CLOSE = "market_on_close"
    #: Market, once the price has moved in favor of the order as far as its stop price.
    MARKET_IF_TOUCHED = "market_if_touched"
    #: Limit, once the price has moved in favor of the order as far as its stop price.
    LIMIT_IF_TOUCHED = "limit_if_touched"
    #: A stop that follows the price at a distance, never back.
    TRAILING_STOP = "trailing_stop"
    #: The same with a limit that keeps its distance from the stop.
    TRAILING_STOP_LIMIT = "trailing_stop_limit"


_T = OrderType
#: The types that have a limit price.
LIMITED: Final = frozenset({_T.LIMIT, _T.STOP_LIMIT, _T.LIMIT_IF_TOUCHED, _T.TRAILING_STOP_LIMIT})
#: The types that wait for their stop price.
TRIGGERED: Final = frozenset(
    {
        _T.STOP,
        _T.STOP_LIMIT,
        _T.MARKET_IF_TOUCHED,
        _T.LIMIT_IF_TOUCHED,
        _T.TRAILING_STOP,
        _T.TRAILING_STOP_LIMIT,
    }
)
#: Those whose stop price lies on the side to which the price moves in their favor.
TOUCHED: Final = frozenset({_T.MARKET_IF_TOUCHED, _T.LIMIT_IF_TOUCHED})
#: Those whose stop follows the price.
TRAILING: Final = frozenset({_T.TRAILING_STOP, _T.TRAILING_STOP_LIMIT})
#: Those that trade at any price: at once, or once their stop was reached.
AT_MARKET: Final = frozenset({_T.MARKET, _T.STOP, _T.MARKET_IF_TOUCHED, _T.TRAILING_STOP})


class TimeInForce(StrEnum):
    """How long an order works."""

    #: Until filled or canceled.
    GTC = "gtc"
    #: Through the session of the first bar it can meet, by the instrument's calendar; without one, its UTC day.
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


@attrs.frozen(slots=True)
class Trail:
    """How the stop of a trailing order follows the price.

    Attributes
    ----------
    amount, percent
        Distance of the stop from the best price, as an amount or as a fraction of that price (0.02 is 2 %); the
        other is NaN.
    limit_offset
        How far behind the stop the limit stays, 0 or more; NaN for an order without a limit.
    on_closes
        Whether it follows the closes of bars alone, instead of every price.
    from_market
        Whether it begins where the market stands, instead of at a stop that was given.
    """

    amount: float = nan
    percent: float = nan
    limit_offset: float = nan
    on_closes: bool = False
    from_market: bool = False


_NOTHING: Mapping[str, Any] = MappingProxyType({})


@attrs.frozen(slots=True)
class Instructions:
    """What few orders have: how to work one, and how it hangs together with others.

    Attributes
    ----------
    trail
        Of a trailing order.
    post_only
        Never take a resting order: refused where it would.
    display_size
        How much of it the market may see at a time; 0 for all.
    oco
        Number of its one-cancels-the-other group, 0 for none: the id of the group's first order.
    parent
        Order that must trade before this one works, 0 for none.
    info
        Notes of the sender's own.
    position_side
        Which position of a hedged account it is for; None for the only one there is.
    oco_member
        Id of the order that was named to join that group, 0 where nobody knows.
    by_venue
        The venue itself sends it, to close a position.
    """

    trail: Trail | None = None
    post_only: bool = False
    display_size: float = 0.0
    oco: int = 0
    parent: int = 0
    info: Mapping[str, Any] = _NOTHING
    position_side: PositionSide | None = None
    oco_member: int = 0
    by_venue: bool = False


_PLAIN = Instructions()


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
        Limit and trigger; NaN where the type has none. Those of a trailing order follow its stop; they are NaN
        while it waits for a parent to trade, and while a venue moves it that does not say where it is.
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
    instructions
        What few orders have, None for most; `oco`, `parent`, `trail`, `info` and `position_side` read it.
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
    instructions: Instructions | None = None

    @property
    def trail(self) -> Trail | None:
        """How its stop follows the price, for a trailing order."""
        return (self.instructions or _PLAIN).trail

    @property
    def oco(self) -> int:
        """Number of its one-cancels-the-other group, 0 for none."""
        return (self.instructions or _PLAIN).oco

    @property
    def parent(self) -> int:
        """Id of the order that must trade before this one works, 0 for none."""
        return (self.instructions or _PLAIN).parent

    @property
    def info(self) -> Mapping[str, Any]:
        """Notes of the sender's own, given as ``info=``."""
        return (self.instructions or _PLAIN).info

    @property
    def by_venue(self) -> bool:
        """Whether the venue itself sent it, to close a position."""
        return self.instructions is not None and self.instructions.by_venue

    @property
    def position_side(self) -> PositionSide | None:
        """Which position of a hedged account it is for, None where there is one."""
        return (self.instructions or _PLAIN).position_side

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


@attrs.frozen(slots=True)
class ExactFill:
    """The numbers of an execution as a venue reported them, to the last digit.

    Attributes
    ----------
    size, price
        What traded; `size` is positive.
    fee, fee_asset
        What was paid (negative for a rebate), and in what.
    profit
        What the venue booked as realized by it, before fees, in the settlement asset; None where it does not say.
    """

    size: Decimal
    price: Decimal
    fee: Decimal
    fee_asset: str
    profit: Decimal | None = None


class _FeePayment:
    """What few fills have: another asset that paid the fee, and a venue's own numbers; room that others leave empty."""

    __slots__ = ("_exact", "_payment")
    _payment: tuple[str, float]
    _exact: ExactFill
    instrument: Instrument
    fee: float

    @property
    def fee_asset(self) -> str:
        """The asset that paid the fee: that of settlement, as a rule."""
        payment = self.fee_payment
        return self.instrument.settle if payment is None else payment[0]

    @property
    def fee_paid(self) -> float:
        """How much of `fee_asset` that was."""
        payment = self.fee_payment
        return self.fee if payment is None else payment[1]

    def pay_fee_in(self, asset: str, amount: float) -> None:
        """Note that another asset paid the fee."""
        self._payment = asset, amount

    @property
    def fee_payment(self) -> tuple[str, float] | None:
        """The asset that paid the fee, and how much of it; None where it was that of settlement."""
        return getattr(self, "_payment", None)

    @property
    def exact(self) -> ExactFill | None:
        """Its numbers to the last digit, where a venue reported it."""
        return getattr(self, "_exact", None)

    def report_as(self, exact: ExactFill) -> None:
        """Note what a venue reported."""
        self._exact = exact


@attrs.define(eq=False, slots=True)
class Fill(_FeePayment):
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
        In the settlement asset, positive when paid. What another asset paid, `fee_asset` and `fee_paid` tell; `fee` is
        what that was worth.
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

    def __getstate__(self) -> tuple[Any, ...]:
        return (*(getattr(self, name) for name in attrs.fields_dict(Fill)), self.fee_payment)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        *values, payment = state
        for name, value in zip(attrs.fields_dict(Fill), values, strict=True):
            setattr(self, name, value)
        if payment is not None:
            self.pay_fee_in(*payment)
