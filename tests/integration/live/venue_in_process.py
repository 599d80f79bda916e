"""A venue session over an exchange in this process: real matching and ledgers, no wire."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from cambist.errors import VenueError
from cambist.model import Bars, Instrument, Liquidity, OrderType, Side
from cambist.model.reports import AccountReport, BalanceReport, FillReport, OrderReport, ReportedStatus
from cambist.ports.venue import Answered, BarReport, Declined, StreamReport, Unanswered, VenueTerms
from cambist_simulator.clock import Clock, VenueClock
from cambist_simulator.exchange.errors import RefusedError, Why
from cambist_simulator.exchange.events import OrderChanged
from cambist_simulator.exchange.exchange import Exchange
from cambist_simulator.exchange.listing import Listing, Segment
from cambist_simulator.exchange.orders import ExecutionType, OrderTerms, Status

SYMBOL = "BTC/USDT"
STATUS = {
    Status.PENDING: ReportedStatus.OPEN,
    Status.NEW: ReportedStatus.OPEN,
    Status.PARTIALLY_FILLED: ReportedStatus.OPEN,
    Status.TRIGGERED: ReportedStatus.TRIGGERED,
    Status.FILLED: ReportedStatus.FILLED,
    Status.CANCELED: ReportedStatus.CANCELED,
    Status.REJECTED: ReportedStatus.REJECTED,
    Status.EXPIRED: ReportedStatus.EXPIRED,
    Status.EXPIRED_IN_MATCH: ReportedStatus.EXPIRED,
}


def make_exchange() -> Exchange:
    listing = Listing(
        symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        settle="USDT",
        tick_size=Decimal("0.01"),
        step_size=Decimal("0.00001"),
        min_notional=Decimal(5),
    )
    return Exchange("spot", Segment.SPOT, VenueClock(Clock()), listings=[listing])


class Loopback:
    """One user's session."""

    name = "in-process"
    instrument = Instrument(
        symbol=SYMBOL,
        base="BTC",
        quote="USDT",
        tick_size="0.01",
        step_size="0.00001",
        min_notional=5,
        taker_fee=0.001,
        maker_fee=0.001,
    )

    def __init__(self, exchange: Exchange, user, history: Bars | None = None) -> None:
        self.exchange, self.user, self.past = exchange, user, history
        self.terms = VenueTerms(
            native=frozenset({OrderType.MARKET, OrderType.LIMIT}),
            settling=200_000_000,
            confirm_within=100_000_000,
            fills_within=2_000_000_000,
        )
        self.lose_answers = 0  # of the next submits, after they were done
        self.drop_reports = 0  # of the next private events
        self.submits: list[str] = []

    async def open(self) -> None:
        self.private_events: asyncio.Queue = asyncio.Queue()
        self.market_events: asyncio.Queue = asyncio.Queue()
        self.exchange.listen(self._heard)
        self.private_events.put_nowait(StreamReport(stream="private", state="up"))

    async def close(self) -> None:
        self.exchange.unlisten(self._heard)

    def instruments(self):
        return [self.instrument]

    # The exchange's words in ours.

    def _report(self, order, at: int) -> OrderReport:
        terms = order.terms
        return OrderReport(
            ts=at,
            symbol=SYMBOL,
            client_id=order.client_id,
            venue_id=str(order.id),
            status=STATUS[order.status],
            side=terms.side,
            type=terms.type,
            size=order.size,
            filled=order.filled,
            limit_price=order.price,
            reason=order.reason,
        )

    def _fill(self, one, client_id: str) -> FillReport:
        return FillReport(
            ts=one.at,
            symbol=SYMBOL,
            client_id=client_id,
            venue_id=str(one.order_id),
            trade_id=str(one.trade_id),
            side=one.side,
            size=one.size,
            price=one.price,
            fee=one.fee,
            fee_asset=one.fee_asset,
            liquidity=Liquidity.MAKER if one.maker else Liquidity.TAKER,
        )

    def _heard(self, event) -> None:
        if not isinstance(event, OrderChanged) or event.order.user != self.user.id:
            return
        said = []
        if event.what is ExecutionType.TRADE:
            said.append(self._fill(event.execution, event.order.client_id))
        said.append(self._report(event.order, event.at))
        for one in said:
            if self.drop_reports:
                self.drop_reports -= 1
            else:
                self.private_events.put_nowait(one)

    # Orders.

    async def submit(self, request):
        await asyncio.sleep(0)
        self.submits.append(request.client_id)
        terms = OrderTerms(
            symbol="BTCUSDT",
            side=request.order.side,
            type=request.type,
            size=request.size,
            price=request.limit_price,
            client_id=request.client_id,
        )
        try:
            order = self.exchange.place(self.user, terms)
        except RefusedError as error:
            word = "duplicate_client_id" if error.why is Why.DUPLICATE_CLIENT_ID else str(error.why)
            return Declined(word, str(error))
        if self.lose_answers:
            self.lose_answers -= 1
            return Unanswered("the connection was cut")
        return Answered(self._report(order, self.exchange.clock.market.now()))

    async def cancel(self, key):
        await asyncio.sleep(0)
        try:
            order = self.exchange.cancel(self.user, "BTCUSDT", client_id=key.client_id)
        except RefusedError as error:
            return Declined("unknown_order" if error.why is Why.UNKNOWN_ORDER else str(error.why), str(error))
        return Answered(self._report(order, self.exchange.clock.market.now()))

    async def amend(self, key, request):
        return Declined("unsupported")

    async def cancel_all(self, symbol):
        self.exchange.cancel_all(self.user, "BTCUSDT")
        return Answered(None)

    # Truth.

    async def find_order(self, key):
        await asyncio.sleep(0)
        try:
            order = self.exchange.order(self.user, "BTCUSDT", client_id=key.client_id)
        except RefusedError:
            return Answered(None)
        return Answered(self._report(order, self.exchange.clock.market.now()))

    async def open_orders(self, symbols=(), *, urgent=False):
        now = self.exchange.clock.market.now()
        return [self._report(one, now) for one in self.exchange.open_orders(self.user)]

    async def fills(self, symbol, since, venue_id=""):
        number = int(venue_id) if venue_id else None
        return [self._fill(one, "") for one in self.exchange.executions(self.user, "BTCUSDT", order_id=number)]

    async def account(self):
        balances = tuple(
            BalanceReport(ts=0, asset=asset, total=one.free + one.locked, free=one.free)
            for asset, one in self.exchange.balances(self.user).items()
        )
        return AccountReport(ts=0, balances=balances)

    # Streams.

    async def private(self):
        while True:
            yield await self.private_events.get()

    async def market(self, subscriptions):
        while True:
            yield await self.market_events.get()

    async def history(self, instrument, timeframe, start, end):
        if self.past is None:
            raise VenueError("there is no history", code="no_bars")
        return self.past

    # What tests do.

    def bar(self, bar, timeframe) -> None:
        self.market_events.put_nowait(BarReport(self.instrument, timeframe, bar, True))

    def quote(self, bid: str, ask: str, size: str = "10") -> None:
        """Set the market's own book to one level a side."""
        self.exchange.clear_book("BTCUSDT")
        self.exchange.set_level("BTCUSDT", Side.BUY, Decimal(bid), Decimal(size))
        self.exchange.set_level("BTCUSDT", Side.SELL, Decimal(ask), Decimal(size))
