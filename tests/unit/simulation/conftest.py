"""A simulated exchange that a test plays bar by bar: venue, order book and account, without engine and strategy."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any

import pytest

from cambist.model import ApprovedOrder, Fill, Instrument, Order, OrderType, Position, Side, TimeInForce, to_ns
from cambist.model.events import OrderFilled
from cambist.model.times import MINUTE_NS
from cambist.orders import OrderBook
from cambist.portfolio import Portfolio
from cambist.ports.risk import RiskView
from cambist.risk import RiskGate
from cambist.risk.rules.funds import FundsRule
from cambist.risk.rules.terms import TermsRule
from cambist.simulation import SimulatedVenue, VenueRules

if TYPE_CHECKING:
    from collections.abc import Callable

START = to_ns("2024-03-01 10:00")


class View(RiskView):
    """As much of the account as the gate needs when it does not ask for money."""

    def __init__(self, account: Portfolio) -> None:
        self.account_ = account

    def position(self, instrument: Instrument) -> Position:
        return self.account_.positions[instrument.symbol]

    def reference_price(self, order: Order) -> float:
        return nan


class Exchange:
    """One account at a simulated venue; a bar lasts a minute and follows the one before it.

    Attributes
    ----------
    fills
        ``(order number, price, size)`` of every fill.
    on_fill, on_event
        Called with each fill, and each event; may send orders.
    now
        Engine time, ns.
    """

    def __init__(self, instruments: list[Instrument], cash: float, leverage: float, rules: VenueRules) -> None:
        self.instruments = instruments
        self.book = OrderBook()
        self.account = Portfolio(instruments, cash, leverage)
        self.gate = RiskGate(without=(FundsRule, TermsRule))
        self.view = View(self.account)
        self.venue = SimulatedVenue(instruments, self.account, self.deliver, lambda: self.now, rules)
        self.now = START
        self.records: list[Fill] = []
        self.events: list[Any] = []
        self.on_fill: Callable[[Fill], None] = lambda fill: None
        self.on_event: Callable[[Any], None] = lambda event: None
        self.length = MINUTE_NS
        self.closes: dict[str, float] = {}
        for instrument in instruments:
            self.account.set_price_source(instrument.symbol, lambda name=instrument.symbol: self.closes.get(name, nan))

    def deliver(self, event: Any) -> None:
        self.now = event.ts
        self.events.append(event)
        order = self.book.apply(event)
        if isinstance(event, OrderFilled):
            assert order is not None, f"{event} came twice"
            self.records.append(event.fill)
            self.account.apply(event.fill, order, 0)
            self.on_fill(event.fill)
        self.on_event(event)

    def send(self, side: Side, size: float, **terms: Any) -> Order:
        limit, stop = terms.pop("limit", None), terms.pop("stop", None)
        kind = {
            (False, False): OrderType.MARKET,
            (True, False): OrderType.LIMIT,
            (False, True): OrderType.STOP,
            (True, True): OrderType.STOP_LIMIT,
        }[limit is not None, stop is not None]
        order = Order(
            self.book.next_id(),
            terms.pop("on", self.instruments[0]),
            side,
            kind,
            size,
            nan if limit is None else limit,
            nan if stop is None else stop,
            TimeInForce(terms.pop("tif", "gtc")),
            terms.pop("expires_at", 0),
            terms.pop("reduce_only", False),
            "test",
            "",
            self.now,
            self.now,
        )
        self.book.add(order)
        assert not terms
        verdict = self.gate.review(order, self.view)
        assert isinstance(verdict, ApprovedOrder), verdict
        self.book.submit(order, self.now)
        self.venue.submit(verdict)
        return order

    def buy(self, size: float = 1.0, **terms: Any) -> Order:
        return self.send(Side.BUY, size, **terms)

    def sell(self, size: float = 1.0, **terms: Any) -> Order:
        return self.send(Side.SELL, size, **terms)

    def cancel(self, order: Order) -> None:
        self.book.request_cancel(order, self.now)
        self.venue.cancel(order.id)

    def amend(self, order: Order, **terms: Any) -> None:
        self.book.request_amend(order, self.now)
        values = [terms.get(name, getattr(order, name)) for name in ("size", "limit_price", "stop_price")]
        self.venue.amend(order.id, *values)

    def bar(
        self,
        open_: float,
        high: float,
        low: float,
        close: float,
        volume: float = 1e9,
        *,
        on: Instrument | None = None,
        opened: int | None = None,
        length: int | None = None,
    ) -> None:
        """Play one bar, from its open at the present to its close; the strategy could act after it."""
        symbol = (on or self.instruments[0]).symbol
        opened = self.now if opened is None else opened
        closed = opened + (length or self.length)
        self.venue.match(symbol, opened, closed, open_, high, low, close, volume)
        if self.venue.trades_at_close:
            self.venue.mark_close(symbol, opened, closed, open_, high, low, close, volume)
        self.now = closed
        self.closes[symbol] = close

    @property
    def fills(self) -> list[tuple[int, float, float]]:
        return [(fill.order_id, fill.price, fill.size) for fill in self.records]

    @property
    def prices(self) -> list[float]:
        return [fill.price for fill in self.records]


@pytest.fixture
def exchange() -> Callable[..., Exchange]:
    """Make an exchange: ``exchange(cash=..., instrument=..., fees=..., volume_limit=..., ...)``."""

    def make(*instruments: Instrument, cash: float = 1e9, leverage: float = 1.0, **rules: Any) -> Exchange:
        chosen = list(instruments) or [Instrument(symbol="ACME", tick_size="0.01", step_size="0.1")]
        return Exchange(chosen, cash, leverage, VenueRules(**rules))

    return make
