"""What is said to be cleared is what the venue says, also where it refuses, keeps silent, or shows an order late."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from test_control import place_foreign
from venue_in_process import SYMBOL, Loopback, make_exchange

from cambist.errors import VenueError
from cambist.live.control.clearing import Clearing
from cambist.live.control.kill import Open, clear_account
from cambist.model import OrderType, Side
from cambist.ports.venue import Declined, Unanswered
from cambist_binance.session import open_spot
from cambist_simulator import ExchangeSimulator
from cambist_simulator.exchange.orders import OrderTerms


class Misbehaving(Loopback):
    """A session that does not do all that it is asked for."""

    cancels = True
    silent = 0  # how many of the next questions are not answered
    hides = 0  # for how many looks open orders are not shown

    async def cancel_all(self, symbol):
        return Unanswered("the connection was cut")

    async def cancel(self, key):
        return await super().cancel(key) if self.cancels else Declined("refused", "not now")

    async def open_orders(self, symbols=(), *, urgent=False):
        assert urgent
        if self.silent:
            self.silent -= 1
            raise VenueError("no answer")
        if self.hides:
            self.hides -= 1
            return []
        return await super().open_orders(symbols)


@pytest.fixture
def session():
    exchange = make_exchange()
    user = exchange.users.add("trader")
    exchange.deposit(user, "USDT", Decimal(1000))
    made = Misbehaving(exchange, user)
    made.quote("99.99", "100.01")
    return made


def clear(session, within=3.0, **known):
    async def play():
        await session.open()
        clearing = Clearing(session, within, known)
        return clearing, await clearing.cancel(whole=[SYMBOL])

    return asyncio.run(play())


def test_what_cannot_be_canceled_at_once_is_canceled_one_by_one(session):
    place_foreign(session, "one")
    place_foreign(session, "two", "92.00")
    clearing, clear_ = clear(session, one=7)
    assert clear_
    assert sorted((item.order, item.client_id, item.outcome) for item in clearing.done.orders) == [
        (0, "two", "canceled"), (7, "one", "canceled"),
    ]  # fmt: skip
    assert "the connection was cut" in clearing.done.problems[0]


def test_an_order_that_the_venue_keeps_is_told_as_open(session):
    place_foreign(session)
    session.cancels = False
    clearing, clear_ = clear(session, within=1.0)
    assert not clear_
    (item,) = clearing.done.orders
    assert (item.outcome, item.text) == ("open", "not now")


def test_an_order_that_shows_late_is_canceled_too(session):
    place_foreign(session)
    session.hides = 3
    clearing, clear_ = clear(session)
    assert clear_
    assert [item.outcome for item in clearing.done.orders] == ["canceled"]
    assert not session.exchange.open_orders(session.user)


def test_a_venue_that_does_not_answer_is_asked_again_and_otherwise_nothing_is_claimed(session):
    place_foreign(session)
    session.silent = 2
    clearing, clear_ = clear(session)
    assert clear_
    assert len(clearing.done.problems) == 2
    session.silent = 1_000
    with pytest.raises(VenueError):
        clear(session, within=0.5)
    done = asyncio.run(clear_account(session, Open([SYMBOL], {}, {}), flatten=True, within=0.5))
    assert not done.verified
    assert "no answer" in " ".join(done.problems)


def test_of_a_spot_asset_no_more_is_sold_than_the_run_holds(session):
    exchange = session.exchange
    exchange.deposit(session.user, "BTC", Decimal(5))
    terms = OrderTerms(
        symbol="BTCUSDT", side=Side.BUY, type=OrderType.LIMIT, size=Decimal("0.1"), price=Decimal("100.01"),
        client_id="bought",
    )  # fmt: skip
    exchange.place(session.user, terms)
    before = exchange.balances(session.user)["BTC"].free
    done = asyncio.run(clear_account(session, Open([SYMBOL], {SYMBOL: 0.0999}, {}), flatten=True, within=5.0))
    assert done.verified
    assert [(item.before, item.after, item.outcome) for item in done.positions] == [
        (Decimal("0.0999"), Decimal("0.0000"), "closed")
    ]
    assert before - exchange.balances(session.user)["BTC"].free == Decimal("0.0999")


@pytest.mark.parametrize(("answered", "sold", "verified"), [(True, "0.1", True), (False, "0", False)])
def test_what_the_run_may_have_sold_already_is_not_sold_again(session, monkeypatch, answered, sold, verified):
    exchange = session.exchange
    exchange.deposit(session.user, "BTC", Decimal(5))
    terms = OrderTerms(
        symbol="BTCUSDT", side=Side.SELL, type=OrderType.LIMIT, size=Decimal("0.1"), price=Decimal("99.99"),
        client_id="closes",
    )  # fmt: skip
    exchange.place(session.user, terms)
    if not answered:

        async def find_order(_key):
            return Unanswered("the connection was cut")

        monkeypatch.setattr(session, "find_order", find_order)
    before = exchange.balances(session.user)["BTC"].free
    what = Open([SYMBOL], {SYMBOL: 0.2}, {}, {SYMBOL: "closes"})
    done = asyncio.run(clear_account(session, what, flatten=True, within=5.0))
    assert before - exchange.balances(session.user)["BTC"].free == Decimal(sold)
    assert done.verified is verified


def test_what_is_worth_less_than_may_be_traded_is_dust():
    with ExchangeSimulator("binance", symbols=["BTCUSDT"], seed=7, history=60, balances={"BTC": 1}) as simulator:
        key = simulator.credentials()
        session = open_spot(url=simulator.url, key=key.key, secret=key.secret)
        what = Open([SYMBOL], {SYMBOL: 0.00003}, {})
        done = asyncio.run(clear_account(session, what, flatten=True, within=20.0))
    assert done.verified, done
    assert [(item.after, item.outcome) for item in done.positions] == [(Decimal("0.00003"), "dust")]
