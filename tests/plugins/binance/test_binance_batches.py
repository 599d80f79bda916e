"""Several orders in one request: each has an outcome of its own, and a whole that is lost leaves each of them open."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from test_binance_life import bid_of, request, session_at, simulator

from cambist.api import Answered, BatchingSession, Declined, OrderKey, Unanswered
from cambist.model import OrderType, ReportedStatus

LIMIT, STOP = OrderType.LIMIT, OrderType.STOP
USDM = "BTCUSDT:linear"


async def three(session, instrument, bid):
    """Return three orders of which the venue refuses the second: it is worth too little."""
    limit = bid * 0.97
    return [
        request(instrument, "one1", "buy", 0.01, LIMIT, limit),
        request(instrument, "one2", "buy", 0.001, LIMIT, bid * 0.02),
        request(instrument, "one3", "sell", 0.02, LIMIT, bid * 1.03),
    ]


def labels(made):
    return [one.label for one in made.requests() if one.label.startswith(("order", "algo"))]


def test_each_order_of_a_batch_has_its_own_outcome():
    async def test():
        with simulator(USDM) as made:
            async with session_at(made, transport="rest") as (session, instrument):
                assert isinstance(session, BatchingSession)
                assert session.batch == 5
                first, second, third = await session.submit_all(await three(session, instrument, await bid_of(made)))
                assert isinstance(first, Answered)
                assert (first.report.client_id, first.report.status) == ("one1", ReportedStatus.OPEN)
                assert isinstance(second, Declined)
                assert second.reason in {"min_notional", "price_band"}
                assert isinstance(third, Answered)
                assert third.report.size == Decimal("0.02")
                assert labels(made) == ["order.batch"]

                keys = [OrderKey(instrument.symbol, name) for name in ("one1", "never1", "one3")]
                for key in keys:
                    session._trading.note(key.client_id, conditional=False)
                gone = await session.cancel_many(keys)
                assert [type(one) for one in gone] == [Answered, Declined, Answered]
                assert gone[0].report.status is ReportedStatus.CANCELED
                assert gone[1].reason == "unknown_order"
                assert labels(made) == ["order.batch", "order.batch.cancel"]
                assert await session.open_orders() == []

    asyncio.run(test())


def test_conditional_orders_go_beside_the_batch():
    async def test():
        with simulator(USDM) as made:
            async with session_at(made, transport="rest") as (session, instrument):
                bid = await bid_of(made)
                asked = [
                    request(instrument, "stop1", "sell", 0.01, STOP, stop=bid * 0.9),
                    *(await three(session, instrument, bid))[::2],
                ]
                outcomes = await session.submit_all(asked)
                assert [one.report.client_id for one in outcomes] == ["stop1", "one1", "one3"]
                assert sorted(labels(made)) == ["algo.place", "order.batch"]
                gone = await session.cancel_many([OrderKey(instrument.symbol, one.client_id) for one in asked])
                assert all(isinstance(one, Answered) for one in gone)
                assert await session.open_orders() == []

    asyncio.run(test())


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("timeout", {"stage": "after"}),
        ("http_error", {"stage": "after", "status": 503}),
        ("truncated", {}),
        ("reset", {"stage": "after"}),
    ],
)
def test_a_batch_whose_answer_is_lost_leaves_each_order_open(action, arguments):
    async def test():
        with simulator(USDM) as made:
            made.add_fault(action, label="order.batch", nth=1, **arguments)
            async with session_at(made, transport="rest") as (session, instrument):
                asked = (await three(session, instrument, await bid_of(made)))[::2]
                outcomes = await session.submit_all(asked)
                assert [type(one) for one in outcomes] == [Unanswered, Unanswered]
                # The order manager asks for each, and finds it: nothing was sent twice.
                for one in asked:
                    found = await session.find_order(OrderKey(instrument.symbol, one.client_id))
                    assert found.report.status is ReportedStatus.OPEN
                assert len(await session.open_orders()) == 2

    asyncio.run(test())


def test_a_batch_that_the_limits_leave_no_room_for_did_nothing():
    async def test():
        with simulator(USDM) as made:
            made.add_fault("rate_limit", label="order.batch", nth=1, retry_after=3)
            async with session_at(made, transport="rest") as (session, instrument):
                outcomes = await session.submit_all((await three(session, instrument, await bid_of(made)))[::2])
                assert [(one.reason, one.retry_after) for one in outcomes] == [("rate_limit", 3_000_000_000)] * 2
                assert not [order for order in made.orders() if order.open]

    asyncio.run(test())


def test_there_are_no_batches_over_the_websocket_api_nor_on_spot():
    async def test():
        with simulator(USDM) as made:
            async with session_at(made) as (session, instrument):
                async with asyncio.timeout(30):
                    while not session._transport.ws.up:  # noqa: ASYNC110 - nobody tells
                        await asyncio.sleep(0.01)
                assert session.batch == 0
        with simulator() as made:
            async with session_at(made, transport="rest") as (session, instrument):
                assert session.batch == 0
                bid = await bid_of(made)
                asked = [request(instrument, f"alone{n}", "buy", 0.01, LIMIT, bid * 0.97) for n in (1, 2)]
                assert all(isinstance(one, Answered) for one in await session.submit_all(asked))
                keys = [OrderKey(instrument.symbol, one.client_id) for one in asked]
                assert all(isinstance(one, Answered) for one in await session.cancel_many(keys))

    asyncio.run(test())
