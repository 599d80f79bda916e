"""What a live venue must be able to do: one session an account, its orders, its private stream, its market data.

These are the asynchronous promises. `cambist.ports.broker` is the synchronous one of the simulated venue.
"""

from __future__ import annotations

from decimal import Decimal  # noqa: TC003 - see below
from math import nan
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import msgspec

# The fields of the structs below name these; whoever looks at a struct (msgspec, the documentation) looks them up here.
from cambist.model.bars import Bar  # noqa: TC001
from cambist.model.instrument import Instrument  # noqa: TC001
from cambist.model.orders import Order, OrderType
from cambist.model.reports import OrderReport  # noqa: TC001
from cambist.model.timeframe import Timeframe  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from cambist.model.bars import Bars
    from cambist.model.books import BookUpdate
    from cambist.model.margin import Margin
    from cambist.model.market import Quote, Tick
    from cambist.model.portfolio import CashFlow, MarginChange
    from cambist.model.reports import AccountReport, CashReport, FillReport, MarkReport, NoticeReport

__all__ = [
    "Answered",
    "BarReport",
    "BatchingSession",
    "CashHistory",
    "CashSession",
    "Declined",
    "FundingRate",
    "MarginSession",
    "NativeSession",
    "OrderKey",
    "OrderRequest",
    "Outcome",
    "PerpetualMarket",
    "PracticingSession",
    "PreparingSession",
    "PromptSession",
    "ReloadingSession",
    "SimulatingSession",
    "StreamReport",
    "Subscription",
    "Unanswered",
    "VenueSession",
    "VenueTerms",
]


class VenueTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What an order manager must know of a venue; times in ns.

    Attributes
    ----------
    native
        The order types that the venue works by itself; the others are emulated.
    amends
        What new terms it can give to a limit order: ``"all"``, ``"smaller"`` for less of it at the same price, or
        ``""`` for none; ``"every"`` where it gives all to any order. All else is canceled and sent anew.
    ties
        Whether it works orders that hang together by itself: groups of which one cancels the others, and children that
        wait for a parent. Where it does, it is given `OrderRequest.order` with all that it is tied to.
    ack_accepts
        Whether the answer to a submit says that the order works. On some venues only the private stream says so.
    id_alphabet, id_length
        What its client order ids may be made of; ``""`` for letters, digits and the hyphen.
    settling
        How long after a submit a query may still not see the order.
    confirm_within
        How long the private stream may take to confirm what was answered, before the venue is asked.
    fills_within
        How long executions may lag behind the word that an order has ended.
    overfills
        What becomes of executions beyond an order's size: ``"accept"`` books them, ``"reject"`` leaves them out; either
        way somebody is told.
    marks
        Whether its market streams tell mark prices: then there are subscriptions to ``"marks"``.
    """

    native: frozenset[OrderType] = frozenset({OrderType.MARKET, OrderType.LIMIT})
    amends: str = ""
    ties: bool = False
    ack_accepts: bool = True
    id_alphabet: str = ""
    id_length: int = 32
    settling: int = 5_000_000_000
    confirm_within: int = 5_000_000_000
    fills_within: int = 10_000_000_000
    overfills: str = "accept"
    marks: bool = False


class OrderKey(msgspec.Struct, frozen=True, gc=False):
    """Names an order to its venue; `venue_id` is ``""`` while nobody knows it."""

    symbol: str
    client_id: str
    venue_id: str = ""


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An order as it is to be sent.

    Attributes
    ----------
    order
        As the run knows it; its terms count, save for what is said here.
    client_id
        Under which it goes, whatever happens.
    type
        As the venue works it: a triggered stop of an emulated order goes as a market or a limit order.
    size, limit_price, stop_price
        On the instrument's grid; None for a price that it has not.
    """

    order: Order
    client_id: str
    type: OrderType
    size: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None


class Answered(msgspec.Struct, frozen=True):
    """The venue did what it was asked; `report` where it said how the order stands, None also for "no such order"."""

    report: OrderReport | None = None


class Declined(msgspec.Struct, frozen=True):
    """The venue refused, and certainly did nothing.

    Attributes
    ----------
    reason
        A stable word; ``"unknown_order"``, ``"duplicate_client_id"`` and ``"rate_limit"`` are acted upon.
    text
        The venue's own words with its code.
    retry_after
        ns after which the same may be asked again, where the venue is only busy; 0 where it is not.
    """

    reason: str
    text: str = ""
    retry_after: int = 0


class Unanswered(msgspec.Struct, frozen=True):
    """No usable answer: a time-out, a cut connection, a server's error, a body that makes no sense."""

    text: str


Outcome = Answered | Declined | Unanswered


class Subscription(msgspec.Struct, frozen=True):
    """What to listen to.

    Attributes
    ----------
    instrument
        Of what.
    kind
        ``"bars"``, ``"ticks"``, ``"quotes"`` or ``"book"``, and see `VenueTerms.marks`.
    timeframe
        For bars.
    """

    instrument: Instrument
    kind: str
    timeframe: Timeframe | None = None

    def __str__(self) -> str:
        length = "" if self.timeframe is None else f" {self.timeframe}"
        return f"{self.instrument.symbol} {self.kind}{length}"


class StreamReport(msgspec.Struct, frozen=True, kw_only=True):
    """How a stream does.

    Attributes
    ----------
    stream
        Its name: ``"private"``, or that of a subscription. ``"clock"`` tells, among what is private, whether this
        machine's clock is near enough to the venue's to sign requests.
    state
        ``"up"``, ``"down"``, ``"stale"`` (open, and silent for too long) or ``"gap"`` (it goes on, and something is
        missing).
    text
        Why.
    subscription
        Which it is about; None for what is about all, or about none.
    """

    stream: str
    state: str
    text: str = ""
    subscription: Subscription | None = None


class BarReport(msgspec.Struct, frozen=True):
    """A bar of a stream; `final` only where the venue, or the bar that follows, proves that it is."""

    instrument: Instrument
    timeframe: Timeframe
    bar: Bar
    final: bool


class VenueSession(Protocol):
    """One account at one venue.

    No method raises for what a venue may do: requests answer with an `Outcome`, queries raise `VenueError` once their
    own retries are used up. Every request has a deadline. Nothing here sends an order twice: whether to ask again is
    the order manager's business.
    """

    @property
    def name(self) -> str:
        """Of the venue, such as ``"binance-usdm"``."""

    @property
    def terms(self) -> VenueTerms:
        """What an order manager must know of it."""

    async def open(self) -> None:
        """Connect: load the instruments, check clock and key."""

    async def close(self) -> None:
        """Let go of all connections; a second call does nothing."""

    def instruments(self) -> Sequence[Instrument]:
        """Return what can be traded, by today's rules."""

    # Orders.

    async def submit(self, request: OrderRequest) -> Outcome:
        """Send an order."""

    async def cancel(self, key: OrderKey) -> Outcome:
        """Ask to withdraw what remains of an order."""

    async def amend(self, key: OrderKey, request: OrderRequest) -> Outcome:
        """Ask for new terms of an order."""

    async def cancel_all(self, symbol: str) -> Outcome:
        """Ask to withdraw every order of an instrument, also those that this run does not know."""

    # Truth.

    async def find_order(self, key: OrderKey) -> Outcome:
        """Ask how an order stands; ``Answered(None)`` where the venue says that there is none."""

    async def open_orders(self, symbols: Sequence[str] = (), *, urgent: bool = False) -> Sequence[OrderReport]:
        """Return the open orders of some instruments, or of the account where none is named.

        Parameters
        ----------
        urgent
            Whether cancels hang on the answer: then it comes out of what the venue's limits keep for those.
        """

    async def fills(self, symbol: str, since: int, venue_id: str = "") -> Sequence[FillReport]:
        """Return the executions of an instrument since a time (ns, UTC), or those of one order, oldest first."""

    async def account(self) -> AccountReport:
        """Return balances and positions."""

    # Streams.

    def private(
        self,
    ) -> AsyncIterator[
        OrderReport | FillReport | CashReport | AccountReport | MarkReport | NoticeReport | StreamReport
    ]:
        """Iterate over what the private stream says, reconnects included; it ends when the session is closed."""

    def market(
        self, subscriptions: Sequence[Subscription]
    ) -> AsyncIterator[BarReport | Tick | Quote | BookUpdate | MarkReport | StreamReport]:
        """Iterate over market data, reconnects included.

        What waits for a slow reader is bounded. Of quotes, and of bars that are not over, the newest may take the place
        of one that waits. Trades and changes of a book are never left out unseen: a ``"gap"`` is told, and a book goes
        on from a snapshot. Final bars and words about streams are never left out. A book begins with a snapshot, also
        after every gap.
        """

    async def history(self, instrument: Instrument, timeframe: Timeframe, start: int, end: int) -> Bars:
        """Return the final bars that opened in ``[start, end)``, ns, UTC; the end may be ahead of what is over.

        Raises
        ------
        VenueError
            There are none, with the code ``"no_bars"``, or the venue cannot be asked.
        """


@runtime_checkable
class CashHistory(Protocol):
    """What a session has besides whose venue tells of money that moved without a trade."""

    async def cash_flows(self, since: int) -> Sequence[CashReport]:
        """Return funding, deposits, withdrawals and the like since a time (ns, UTC), oldest first."""


class FundingRate(msgspec.Struct, frozen=True, gc=False):
    """An exchange of funding that took place.

    Attributes
    ----------
    ts
        When, ns, UTC.
    rate
        What longs paid shorts, as a share of the value of their positions; negative the other way round.
    mark
        The mark price by which positions were valued; NaN where the venue does not say.
    """

    ts: int
    rate: float
    mark: float = nan


@runtime_checkable
class PerpetualMarket(Protocol):
    """What a session has besides whose venue tells what futures are marked at, and what perpetuals pay.

    All of it is public: no key is needed.
    """

    async def next_funding(self, instrument: Instrument) -> int:
        """Return when funding is exchanged next, ns, UTC; 0 for what pays none, and where the venue does not say."""

    async def funding(self, instrument: Instrument, start: int, end: int) -> Sequence[FundingRate]:
        """Return the exchanges of funding that took place in ``[start, end]``, ns, UTC, oldest first."""

    async def marks(self, instrument: Instrument, timeframe: Timeframe, start: int, end: int) -> Bars:
        """Return the final bars of the mark price that opened in ``[start, end)``, ns, UTC; see `history`."""


@runtime_checkable
class MarginSession(Protocol):
    """What a session has besides that can change how a position is backed, while it is held."""

    async def change_margin(self, change: MarginChange) -> Outcome:
        """Add money to the margin of an isolated position, take some out, or set another leverage.

        Where it is `Unanswered`, nobody knows whether it was done. It is not asked for again.
        """


@runtime_checkable
class CashSession(Protocol):
    """What a session has besides that can bring money into the account, and take some out, as if by a bank."""

    async def move_cash(self, flow: CashFlow) -> Outcome:
        """Move money."""


@runtime_checkable
class SimulatingSession(Protocol):
    """What a `VenueSession` has beside the rest if it makes the executions itself, of the market data that it shows.

    What it does next hangs on what the run answers to what it was shown, so it waits for that.
    """

    def pace(self, is_busy: Callable[[], bool]) -> None:
        """Take what answers whether the run is still working on something that it was shown."""

    def queue_ahead(self, order: Order) -> float:
        """Return the size of others that stands before an order in its line; NaN where it stands in none."""

    @property
    def margin(self) -> Margin | None:
        """How it lets the account trade on margin; None where it is not liquidated."""

    @property
    def fees(self) -> Any:
        """What it charges, as its settings say it."""

    @property
    def expected_fee(self) -> Callable[..., float]:
        """What answers the fee to reckon with before an order leaves, as `cambist.simulation.FeeModel.fee` does."""


@runtime_checkable
class BatchingSession(Protocol):
    """What a session has besides whose venue takes several orders in one request.

    Each of them has an outcome of its own. Where the answer to the whole request is of no use, each is `Unanswered`.
    """

    @property
    def batch(self) -> int:
        """How many may go together now; 0 where they are faster, or must go, one by one."""

    async def submit_all(self, requests: Sequence[OrderRequest]) -> Sequence[Outcome]:
        """Send orders of one instrument; return what became of each."""

    async def cancel_many(self, keys: Sequence[OrderKey]) -> Sequence[Outcome]:
        """Ask to withdraw orders of one instrument; return what became of each."""


@runtime_checkable
class NativeSession(Protocol):
    """What a session has besides whose venue works groups of orders, or trailing stops, by itself.

    Where a run wants that, such orders go there as they are, and stay when the run does not. `VenueTerms.native` and
    `VenueTerms.ties` tell of what always goes there.
    """

    def no_group(self, orders: Sequence[Order]) -> str:
        """Return why the venue does not take these orders as one, in words for people; ``""`` where it does.

        Parameters
        ----------
        orders
            Of one instrument: an order and those that wait until all of it has traded, or orders of which one cancels
            the others, or both; or one alone.
        """

    def no_trail(self, order: Order) -> str:
        """Return why the venue has no trailing stop like this one, in words for people; ``""`` where it has."""

    async def submit_group(self, requests: Sequence[OrderRequest]) -> Sequence[Outcome]:
        """Send orders as one, of which the venue takes all or none; return what became of each.

        From then on the venue alone cancels those that others end, and wakes those that wait.
        """


@runtime_checkable
class PreparingSession(Protocol):
    """What a session has besides that can make a request ready before it may leave.

    The record of an order takes its time to the disk, in which the request can be made, up to its last byte.
    """

    def prepare(self, request: OrderRequest) -> None:
        """Make ready what `submit` of the same request is going to send. Nothing leaves, nothing is waited for.

        It may be called in vain: nothing says that the order is sent in the end, or soon. What does not work here is
        told by `submit`.
        """


@runtime_checkable
class PracticingSession(Protocol):
    """What a session has besides that can go over what an order takes, so that the next real one is faster.

    See `cambist.live.practice`.
    """

    def practice(self, request: OrderRequest) -> None:
        """Do with a request what can be done without sending it, and forget it: nothing leaves, nothing is counted."""


@runtime_checkable
class PromptSession(PreparingSession, Protocol):
    """What a session has besides that can send what it made ready without waiting for anything."""

    def submit_now(self, request: OrderRequest) -> Callable[[], Awaitable[Outcome]] | None:
        """Send an order before this returns; return what is called, once, to wait for the answer as `submit` does.

        None where that cannot be: it was not made ready, or not long ago, something has to be waited for, or it would
        not leave at all. Nothing has left then, and `submit` is asked.
        """


@runtime_checkable
class ReloadingSession(Protocol):
    """What a session has besides that can ask for its venue's rules again."""

    async def reload(self) -> None:
        """Load what can be traded, and by which rules, anew: `VenueSession.instruments` tells it from then on."""
