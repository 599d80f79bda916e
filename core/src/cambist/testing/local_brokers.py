"""What a broker has to do that answers in the same thread."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any, cast

import pytest

from cambist.model import Bar, Instrument, Order, OrderType, Side, TimeInForce
from cambist.model.events import (
    AmendRejected,
    CancelRejected,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderRejected,
)
from cambist.portfolio import Portfolio
from cambist.ports.broker import BarBroker
from cambist.risk import RiskGate
from cambist.testing.conformance import Suite
from cambist.testing.risk_rules import StillView

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.model.orders import ApprovedOrder
    from cambist.ports.broker import Broker

__all__ = ["LocalBrokerTests"]

_ENDS = (OrderCanceled, OrderExpired, OrderRejected)


class _Desk:
    """A broker at work, a clock, and all that it has said."""

    def __init__(self, factory: Callable[..., Broker], settings: dict[str, Any]) -> None:
        self.instrument = Instrument(symbol="ACME", tick_size="0.01", step_size="1")
        self.said: list[OrderEvent] = []
        self.now = 1_704_103_200 * 10**9
        self.standing = False
        self.broker = factory(
            [self.instrument], Portfolio([self.instrument], 100_000.0), self.said.append, self.clock, **settings
        )

    def clock(self) -> int:
        """Return the time, a second later each time."""
        if not self.standing:
            self.now += 10**9
        return self.now

    def approved(self, number: int, side: str = "buy", limit: float = math.nan, size: float = 10.0) -> ApprovedOrder:
        """Return an order that a gate let pass."""
        kind = OrderType.MARKET if math.isnan(limit) else OrderType.LIMIT
        order = Order(
            number, self.instrument, Side(side), kind, size, limit, math.nan, TimeInForce.GTC, 0, False, "t", "", 0
        )
        return cast("ApprovedOrder", RiskGate([]).review(order, StillView()))

    def of(self, number: int) -> list[OrderEvent]:
        """Return what was said of an order."""
        return [event for event in self.said if event.order_id == number]


class LocalBrokerTests(Suite):
    """Tests of the factory of a `BrokerSpec`.

    The test file or a ``conftest.py`` gives the fixture ``factory``, what the record names.

    Attributes
    ----------
    settings
        With which it is called.
    """

    prefix = "LOC"
    settings: dict[str, Any] = {}  # noqa: RUF012 - a subclass gives its own

    @pytest.fixture
    def desk(self, factory: Callable[..., Broker]) -> _Desk:
        """Make the broker, as the core makes it."""
        return _Desk(factory, self.settings)

    def test_nothing_is_said_before_there_is_an_order(self, desk: _Desk) -> None:
        """Making it sends nothing."""
        assert desk.said == []

    @pytest.mark.parametrize("limit", [math.nan, 99.0])
    @pytest.mark.parametrize("side", ["buy", "sell"])
    def test_an_order_is_answered(self, desk: _Desk, side: str, limit: float) -> None:
        """Accepted or rejected, at once; a rejection gives its reason."""
        desk.broker.submit(desk.approved(1, side, limit))
        first = desk.of(1)[0]
        assert isinstance(first, OrderAccepted | OrderRejected)
        if isinstance(first, OrderRejected):
            assert first.reason

    def test_what_is_said_of_an_order_makes_sense(self, desk: _Desk) -> None:
        """One answer first, fills of no more than its size after acceptance, one end at most, and nothing behind it."""
        for number in range(1, 20):
            desk.broker.submit(
                desk.approved(number, "buy" if number % 2 else "sell", 100.0 if number % 3 else math.nan)
            )
        for number in range(1, 20):
            events = desk.of(number)
            kinds = Counter(type(event) for event in events)
            assert kinds[OrderAccepted] + kinds[OrderRejected] == 1
            assert sum(kinds[kind] for kind in _ENDS) <= 1
            if kinds[OrderRejected]:
                assert len(events) == 1
            filled = sum(event.fill.size for event in events if isinstance(event, OrderFilled))
            assert filled <= 10.0

    def test_time_never_goes_back(self, desk: _Desk) -> None:
        """Events carry the clock's time, in order."""
        for number in range(1, 10):
            desk.broker.submit(desk.approved(number))
            desk.broker.cancel(number)
        times = [event.ts for event in desk.said]
        assert times == sorted(times)
        assert all(time <= desk.now for time in times)

    def test_the_same_order_twice_is_one_order(self, desk: _Desk) -> None:
        """Handing over an id again places nothing, and books nothing."""
        order = desk.approved(1)
        desk.broker.submit(order)
        before = [event for event in desk.of(1) if isinstance(event, OrderFilled)]
        desk.broker.submit(order)
        assert [event for event in desk.of(1) if isinstance(event, OrderFilled)] == before
        assert sum(isinstance(event, OrderAccepted) for event in desk.of(1)) <= 1

    def test_an_order_is_only_read(self, desk: _Desk) -> None:
        """It is left as it was given."""
        approved = desk.approved(1, limit=99.0)
        before = repr(approved.order)
        desk.broker.submit(approved)
        assert repr(approved.order) == before

    def test_a_cancel_is_answered(self, desk: _Desk) -> None:
        """Canceled where the order works, refused with the reason where it does not, or never did."""
        desk.broker.submit(desk.approved(1, limit=50.0))
        desk.broker.cancel(1)
        assert isinstance(desk.of(1)[-1], OrderCanceled | CancelRejected)
        desk.broker.cancel(2)
        (answer,) = desk.of(2)
        assert isinstance(answer, CancelRejected)
        assert answer.reason

    def test_an_amend_is_answered(self, desk: _Desk) -> None:
        """New terms are taken or refused, and refused of an order that is not there."""
        desk.broker.submit(desk.approved(1, limit=50.0))
        desk.broker.amend(1, 20.0, 51.0, math.nan)
        assert isinstance(desk.of(1)[-1], OrderAmended | AmendRejected | OrderFilled)
        desk.broker.amend(2, 20.0, 51.0, math.nan)
        (answer,) = desk.of(2)
        assert isinstance(answer, AmendRejected)

    def test_bars_work_orders(self, desk: _Desk) -> None:
        """What trades in a bar trades at prices and times that are in it, and is told when it is over."""
        if not isinstance(desk.broker, BarBroker):
            pytest.skip("this broker is not shown bars")
        desk.broker.submit(desk.approved(1))
        desk.broker.submit(desk.approved(2, "sell", 101.0))
        desk.broker.submit(desk.approved(3, limit=1.0))
        traded = 0
        for prices in ((100.0, 100.5, 99.5, 100.2), (100.2, 102.0, 100.0, 101.5), (101.5, 101.6, 90.0, 95.0)):
            opened, known = desk.now, len(desk.said)
            desk.now = closed = opened + 60 * 10**9
            desk.standing = True  # while a bar is shown, the clock stands at its close
            desk.broker.see(desk.instrument, Bar(opened, *prices, 1_000.0), closed)
            desk.standing = False
            for event in desk.said[known:]:
                assert event.ts == closed
                if isinstance(event, OrderFilled):
                    assert prices[2] <= event.fill.price <= prices[1]
                    assert opened <= event.fill.ts <= closed
                    traded += 1
        assert traded, "nothing has traded, not even a market order"
        assert not [event for event in desk.of(3) if isinstance(event, OrderFilled)], "a limit was filled out of reach"
