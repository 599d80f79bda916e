"""Events: what happened. The engine is a fold over these and nothing else.

They are msgspec records: made in half the time of an attrs object, several for each order, and the form in which a
journal keeps them. Nothing is made per bar on the fast path of a backtest, see ``cambist.backtest``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cambist.model.trading_state import TradingState, WorkingOrders

if TYPE_CHECKING:
    from cambist.model.bars import Bar
    from cambist.model.books import BookUpdate
    from cambist.model.market import Quote, Tick
    from cambist.model.orders import Fill
    from cambist.model.portfolio import CashFlow, MarginChange
    from cambist.model.trading_state import TradingChange

__all__ = [
    "AmendRejected",
    "BarClosed",
    "BarOpened",
    "BookLost",
    "BookReceived",
    "CancelRejected",
    "CashMoved",
    "DividendPaid",
    "Event",
    "InstantClosed",
    "MarginChanged",
    "MarkPriced",
    "OperatorCommand",
    "OrderAccepted",
    "OrderAmended",
    "OrderCanceled",
    "OrderEvent",
    "OrderExpired",
    "OrderFilled",
    "OrderNotFound",
    "OrderRefused",
    "OrderRejected",
    "OrderTriggered",
    "OutcomeUnknown",
    "QuoteReceived",
    "RunStarted",
    "RunStopped",
    "SharesSplit",
    "StopTrailed",
    "TickReceived",
    "TimerFired",
    "TradingStateChanged",
    "TradingStateRequested",
]


class Event(msgspec.Struct, eq=False):
    """Something that happened at `ts` (ns, UTC, the driver's monotone time)."""

    ts: int


class RunStarted(Event, eq=False):
    """The run begins. `token` makes ids unique across runs; `seed` feeds the only source of chance."""

    token: str
    seed: int


class RunStopped(Event, eq=False):
    """The run ends: no further event follows."""

    reason: str = ""


class BarOpened(Event, eq=False):
    """A bar of series number `series` (in declared order) opened at `ts`; it is told only where a run cheats on it."""

    series: int
    price: float


class BarClosed(Event, eq=False):
    """A bar of series number `series` (in declared order) has closed at `ts`; for all, or for some strategies alone."""

    series: int
    bar: Bar
    strategies: tuple[str, ...] = ()


class InstantClosed(Event, eq=False):
    """Every bar of the instant `ts` has been delivered (or, live, its time-out has passed); to all, or some alone."""

    strategies: tuple[str, ...] = ()


class TickReceived(Event, eq=False):
    """The market printed a trade; `stream` is the number of the series it belongs to, in declared order."""

    stream: int
    tick: Tick


class QuoteReceived(Event, eq=False):
    """Best bid and ask changed; `stream` is the number of the series they belong to, in declared order."""

    stream: int
    quote: Quote


class BookReceived(Event, eq=False):
    """An order book changed; `stream` is the number of the series it belongs to, in declared order."""

    stream: int
    update: BookUpdate


class BookLost(Event, eq=False):
    """What is known of an order book is of no use any more, until a snapshot comes; `stream` as in `BookReceived`."""

    stream: int
    reason: str = ""


class TimerFired(Event, eq=False):
    """The timer `name` is due; `due` is when it was to fire, which may be earlier than `ts`."""

    name: str
    due: int


class CashMoved(Event, eq=False):
    """Money was brought into the account, or taken out of it."""

    flow: CashFlow


class MarkPriced(Event, eq=False):
    """The price by which a venue values positions on margin in `symbol` is another."""

    symbol: str
    price: float


class MarginChanged(Event, eq=False):
    """Margin was added to an isolated position or taken out of it, or an instrument got another leverage."""

    change: MarginChange


class TradingStateRequested(Event, eq=False):
    """Somebody but a risk rule wants another state of trading: an operator, or the driver, whose data is stale.

    To ask for ``ACTIVE`` lifts whatever holds in that scope, risk rules' holds included; with a `rule` it lifts the
    hold of that alone. A driver gives one to each of its watches, such as ``"stale-data"``, so that they do not lift
    what others want. `orders` says what becomes of the orders at work. See `cambist.model.TradingChange`.
    """

    state: TradingState
    scope: str = ""
    reason: str = ""
    by: str = ""
    orders: WorkingOrders = WorkingOrders.CANCEL_OPENING
    rule: str = ""


class OperatorCommand(Event, eq=False):
    """Somebody told the run to do something: ``halt``, ``reduce``, ``resume`` or ``cancel_orders``.

    Arguments are texts: ``scope``, ``reason``, ``orders`` and ``rule`` as in `TradingStateRequested`, and for
    ``cancel_orders`` also ``order``, the number of a single one; `by` says who it was.
    """

    name: str
    arguments: dict[str, Any] = {}
    by: str = ""


class TradingStateChanged(Event, eq=False):
    """What may be traded has changed, and strategies are to hear of it; it has held since it was decided."""

    change: TradingChange


class DividendPaid(Event, eq=False):
    """An instrument pays `amount` for each unit held; who is short of it pays."""

    symbol: str
    amount: float


class SharesSplit(Event, eq=False):
    """Each share has become `ratio` shares: 2 is two for one, 0.1 one for ten."""

    symbol: str
    ratio: float


class OrderEvent(Event, eq=False):
    """Something that happened to the order `order_id`."""

    order_id: int


class OrderAccepted(OrderEvent, eq=False):
    """The venue works the order."""


class OrderRejected(OrderEvent, eq=False):
    """The venue refuses the order; nothing of it ever traded."""

    reason: str = ""


class OrderRefused(OrderEvent, eq=False):
    """The risk gate refused the order: it never left us, and ended when it was asked for."""

    reason: str = ""


class OrderTriggered(OrderEvent, eq=False):
    """The stop price was reached: the order now works as a market or limit order."""


class OrderFilled(OrderEvent, eq=False):
    """Some or all of the order traded."""

    fill: Fill


class OrderCanceled(OrderEvent, eq=False):
    """The order, or what remained of it, is withdrawn."""

    reason: str = ""


class OrderExpired(OrderEvent, eq=False):
    """The order's time has passed; what was filled stays filled."""

    reason: str = ""


class OrderAmended(OrderEvent, eq=False):
    """The order now has these terms."""

    size: float
    limit_price: float
    stop_price: float


class StopTrailed(OrderEvent, eq=False):
    """The stop of a trailing order, and with it its limit, has followed the price; nobody is told."""

    stop_price: float
    limit_price: float


class CancelRejected(OrderEvent, eq=False):
    """The venue could not cancel; the order stands as before."""

    reason: str = ""


class AmendRejected(OrderEvent, eq=False):
    """The venue could not amend; the order stands as before."""

    reason: str = ""


class OutcomeUnknown(OrderEvent, eq=False):
    """A submit got no usable answer: the order may or may not exist. Only evidence ends this."""

    reason: str = ""


class OrderNotFound(OrderEvent, eq=False):
    """It is proven that a submit of unknown outcome never arrived: the order ends as rejected."""

    reason: str = ""
