"""Lists of orders and trailing stops in the venue's own terms: what is asked for, what is not, and what is told."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from payloads import BTC
from test_binance_life import bid_of, request, session_at, simulator

from cambist.api import Answered, Declined, NativeSession, OrderKey, Unanswered
from cambist.model import Instructions, OrderType, ReportedStatus, Side, TimeInForce, Trail
from cambist_binance.config import BinanceSettings
from cambist_binance.hosts import Market
from cambist_binance.order_lists import list_params, no_list, no_trail
from cambist_binance.orders import place_params
from cambist_binance.wire.info import Abilities

T = OrderType
SETTINGS = BinanceSettings(self_trade_prevention="EXPIRE_TAKER")
SHARE = tuple(map(Decimal, ("0.001", "0.2", "0.0001")))
ABLE = Abilities(oco=True, oto=True, trails=dict.fromkeys(Side, SHARE))


def leg(number, side, kind, limit=float("nan"), stop=float("nan"), instrument=BTC, **ties):
    made = request(instrument, f"run7-{number}", side, 0.02, kind, limit, stop, **ties)
    made.order.id = number
    return made


def pair(side="sell", **ties):
    """What takes a profit and what limits a loss, on their sides of 100."""
    far, near = (110, 90) if side == "sell" else (90, 110)
    return leg(2, side, T.STOP, stop=near, **ties), leg(3, side, T.LIMIT, far, oco=2, **ties)


def orders(requests):
    return [one.order for one in requests]


def asked(*requests):
    call, params = list_params(requests, "BTCUSDT", SETTINGS)
    assert params.pop("symbol") == "BTCUSDT"
    assert params.pop("newOrderRespType") == "RESULT"
    assert params.pop("selfTradePreventionMode") == "EXPIRE_TAKER"
    return call, params


STOP_BELOW = {"Type": "STOP_LOSS", "ClientOrderId": "run7-2", "StopPrice": "90.00"}
LIMIT_ABOVE = {"Type": "LIMIT_MAKER", "ClientOrderId": "run7-3", "Price": "110.00"}
ENTRY = {"Type": "LIMIT", "ClientOrderId": "run7-1", "Side": "BUY", "Quantity": "0.02000", "Price": "100.00"}


def named(prefix, fields):
    return {prefix + name: value for name, value in fields.items()}


def test_a_pair_that_sells_has_its_limit_above_and_its_stop_below():
    assert asked(*pair()) == (
        "list_oco",
        {"listClientOrderId": "run7-2-l", "side": "SELL", "quantity": "0.02000"}
        | named("above", LIMIT_ABOVE)
        | named("below", STOP_BELOW),
    )


def test_a_pair_that_buys_has_its_stop_above_and_its_limit_below():
    _, params = asked(*pair("buy"))
    assert (params["side"], params["aboveType"], params["aboveStopPrice"]) == ("BUY", "STOP_LOSS", "110.00")
    assert (params["belowType"], params["belowPrice"]) == ("LIMIT_MAKER", "90.00")


def test_orders_with_a_stop_and_a_limit_say_both():
    stop = leg(2, "sell", T.STOP_LIMIT, 89, 90)
    touched = leg(3, "sell", T.LIMIT_IF_TOUCHED, 109, 110, oco=2)
    _, params = asked(stop, touched)
    assert (
        named(
            "below", {"Type": "STOP_LOSS_LIMIT", "StopPrice": "90.00", "Price": "89.00", "TimeInForce": "GTC"}
        ).items()
        <= params.items()
    )
    assert (
        named("above", {"Type": "TAKE_PROFIT_LIMIT", "StopPrice": "110.00", "Price": "109.00"}).items()
        <= params.items()
    )


def test_an_entry_with_two_that_wait_for_it():
    entry = leg(1, "buy", T.LIMIT, 100)
    assert asked(entry, *pair(parent=1)) == (
        "list_otoco",
        {"listClientOrderId": "run7-1-l", "pendingSide": "SELL", "pendingQuantity": "0.02000"}
        | named("working", ENTRY | {"TimeInForce": "GTC"})
        | named("pendingAbove", LIMIT_ABOVE)
        | named("pendingBelow", STOP_BELOW),
    )


def test_an_entry_with_one_that_waits_for_it():
    entry = leg(1, "buy", T.LIMIT, 100, post_only=True)
    call, params = asked(entry, leg(2, "sell", T.LIMIT, 110, parent=1))
    assert call == "list_oto"
    waits = {"Type": "LIMIT", "ClientOrderId": "run7-2", "Side": "SELL", "Quantity": "0.02000", "Price": "110.00"}
    assert params == (
        {"listClientOrderId": "run7-1-l"}
        | named("working", ENTRY | {"Type": "LIMIT_MAKER"})
        | named("pending", waits | {"TimeInForce": "GTC"})
    )


def test_what_fits_is_left_to_the_venue():
    entry = leg(1, "buy", T.LIMIT, 100)
    for requests in (pair(), pair("buy"), (entry, *pair(parent=1)), pair(parent=1)[:1]):
        assert no_list(orders(requests), ABLE) == ""


@pytest.mark.parametrize(
    ("requests", "able", "why"),
    [
        (pair(), Abilities(oto=True), "no lists of that kind"),
        ((leg(1, "buy", T.LIMIT, 100), *pair(parent=1)), Abilities(oco=True), "no lists of that kind"),
        (
            (leg(1, "buy", T.MARKET), *pair(parent=1)),
            ABLE,
            "this one with a market order",
        ),
        ((pair()[0], leg(3, "sell", T.LIMIT, 80, oco=2)), ABLE, "lies beyond"),
        ((pair()[0], leg(3, "buy", T.LIMIT, 110, oco=2)), ABLE, "one side and one size"),
        ((pair()[0], leg(3, "sell", T.STOP, stop=80, oco=2)), ABLE, "takes a profit and one that limits a loss"),
        ((pair()[0], leg(3, "sell", T.TRAILING_STOP, oco=2)), ABLE, "a trailing stop order has no place"),
    ],
)
def test_what_does_not_fit_has_a_reason(requests, able, why):
    assert why in no_list(orders(requests), able)


def test_a_leg_that_ends_at_a_time_has_no_place_in_a_list():
    stop, target = pair()
    stop.order.time_in_force = TimeInForce.DAY
    assert "this one has DAY" in no_list(orders((stop, target)), ABLE)


def trailing(side="sell", **trail):
    made = leg(5, side, T.TRAILING_STOP)
    made.order.instructions = Instructions(trail=Trail(**{"percent": 0.0123, "from_market": True} | trail))
    return made


def test_a_trailing_stop_in_the_terms_of_each_market():
    spot = place_params(trailing(), "BTCUSDT", Market.SPOT, BinanceSettings(), hedged=False, now_ms=0)
    assert {"type": "STOP_LOSS", "trailingDelta": 123, "side": "SELL"}.items() <= spot.items()
    assert "stopPrice" not in spot
    futures = place_params(trailing(percent=0.012), "BTCUSDT", Market.USDM, BinanceSettings(), hedged=False, now_ms=0)
    assert {"type": "TRAILING_STOP_MARKET", "callbackRate": "1.2", "clientAlgoId": "run7-5"}.items() <= futures.items()
    assert "triggerPrice" not in futures


@pytest.mark.parametrize(
    ("trail", "why"),
    [
        ({}, ""),
        ({"percent": float("nan"), "amount": 5.0}, "at a share of the price, and this one at an amount"),
        ({"percent": 0.0009}, "at 0.1"),
        ({"percent": 0.3}, "this one at 30"),
        ({"percent": 0.01234}, "in steps of 0.01"),
        ({"on_closes": True}, "follow every price"),
        ({"from_market": False}, "begin where the market stands"),
    ],
)
def test_a_trailing_stop_fits_exactly_or_has_a_reason(trail, why):
    told = no_trail(trailing(**trail).order, ABLE)
    assert (why in told) if why else told == ""


# At the simulator.


@pytest.mark.parametrize("transport", ["websocket", "rest"])
def test_a_list_is_taken_whole_and_ends_whole(transport):
    async def test():
        async with session_at(made, transport=transport) as (session, instrument):
            assert isinstance(session, NativeSession)
            bid = await bid_of(made)
            entry = leg(1, "buy", T.LIMIT, bid * 0.9, instrument=instrument)
            stop = leg(2, "sell", T.STOP, stop=bid * 0.8, instrument=instrument, parent=1)
            target = leg(3, "sell", T.LIMIT, bid * 1.1, instrument=instrument, parent=1, oco=2)
            requests = entry, stop, target
            assert session.no_group(orders(requests)) == ""
            outcomes = await session.submit_group(requests)
            assert [one.report.client_id for one in outcomes] == ["run7-1", "run7-2", "run7-3"]
            assert {one.report.status for one in outcomes} == {ReportedStatus.OPEN}
            again = await session.submit_group(requests)
            assert {(type(one), one.reason) for one in again} == {(Declined, "duplicate_client_id")}
            gone = await session.cancel(OrderKey(instrument.symbol, "run7-3"))
            assert (gone.report.client_id, gone.report.status) == ("run7-3", ReportedStatus.CANCELED)
            assert await session.open_orders() == []

    with simulator() as made:
        asyncio.run(test())


def test_a_list_of_which_nothing_is_known_is_unknown_as_a_whole():
    async def test():
        async with session_at(made, transport="rest") as (session, instrument):
            bid = await bid_of(made)
            entry = leg(1, "buy", T.LIMIT, bid * 0.9, instrument=instrument)
            stop = leg(2, "sell", T.STOP, stop=bid * 0.8, instrument=instrument, parent=1)
            made.add_fault("truncated", label="order.list", count=1)
            outcomes = await session.submit_group([entry, stop])
            assert [type(one) for one in outcomes] == [Unanswered] * 2
            found = await session.find_order(OrderKey(instrument.symbol, "run7-2"))
            assert isinstance(found, Answered)
            assert found.report.status is ReportedStatus.OPEN

            above = leg(4, "sell", T.STOP, stop=bid * 1.2, instrument=instrument)
            below = leg(5, "sell", T.LIMIT, bid * 1.1, instrument=instrument, oco=4)
            refused = await session.submit_group([above, below])
            assert {(type(one), one.reason) for one in refused} == {(Declined, "list_terms")}

    with simulator() as made:
        asyncio.run(test())


@pytest.mark.parametrize("plays", ["BTCUSDT:linear", "BTCUSD_PERP:inverse"])
def test_futures_have_trailing_stops_and_no_lists(plays):
    async def test():
        async with session_at(made) as (session, instrument):
            assert session.no_group(orders(pair())) == "futures have no lists of orders"
            one = trailing(percent=0.012)
            one.order.instrument = instrument
            assert session.no_trail(one.order) == ""
            one.order.instructions = Instructions(trail=Trail(percent=0.0123, from_market=True))
            assert "in steps of 0.1" in session.no_trail(one.order)

    with simulator(plays) as made:
        asyncio.run(test())
