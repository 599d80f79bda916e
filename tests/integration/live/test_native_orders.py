"""Orders that a run leaves to the venue: lists and trailing stops that work on when the run does not."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from math import isnan

import pytest
from venue_play import far, play

from cambist.live.control import Control, ControlClient, ControlSettings, find_run
from cambist.model import OrderStatus, OrderType

NATIVE = {"native_groups": True, "native_trails": True}
QUICK = {"speed": 240}
S = OrderStatus


def native(test, folder, plays="BTCUSDT", **more):
    return play(test, folder, plays, simulated=QUICK, settings=NATIVE, **more)


def listed(one):
    """The orders that the venue works in lists: by list, how they stand there."""
    found = {}
    for order in one.simulator.orders():
        if order.list_id >= 0:
            found.setdefault(order.list_id, []).append(str(order.status))
    return list(found.values())


async def long(one, run, size=0.02):
    await one.do(lambda s, bar: s.buy(size))
    await one.until(lambda: run.kernel.portfolio.positions["BTC/USDT"].size > 0.9 * size)


def fill(one, order, share=1.0):
    """Let somebody else trade with an order that rests."""
    there = next(o for o in one.simulator.orders() if o.client_id == one.live.kernel.book.client_id(order))
    size = there.size * Decimal(repr(share))
    exchange = one.simulator.call(lambda venue: venue.exchange_of(one.plays))
    one.simulator.call(lambda _: exchange.interference.fill(there.id, size))
    one.simulator.call(lambda venue: venue.server.flush())


def test_a_pair_rests_at_the_venue_and_survives_the_run(tmp_path):
    async def test(one):
        async with one.run(cut_off=True) as run:
            await long(one, run)

            def pair(s, bar):
                stop = s.sell(0.019, stop=far(bar, s, 0.9))
                return stop, s.sell(0.019, limit=far(bar, s, 1.1), oco=stop)

            stop, target = await one.do(pair)
            await one.until(lambda: stop.accepted and target.accepted)
            assert len(one.open_there()) == 2
            assert listed(one) == [["new", "new"]]
            numbers = stop.id, target.id
        async with one.run() as run:
            stop, target = (run.kernel.book.get(number) for number in numbers)
            assert stop.is_open
            assert target.is_open
            fill(one, target)
            await one.until(lambda: target.status is S.FILLED and not stop.is_open)
            assert (stop.status, stop.reason) == (S.CANCELED, "oco")
        assert one.words() == []

    native(test, tmp_path / "journal").compare()


def test_a_bracket_with_a_limit_entry_is_one_list_that_wakes_without_the_run(tmp_path):
    async def test(one):
        async with one.run(cut_off=True) as run:
            bracket = await one.do(
                lambda s, bar: s.buy_bracket(
                    0.02, limit=far(bar, s, 0.99), stop_loss=far(bar, s, 0.9), take_profit=far(bar, s, 1.1)
                )
            )
            await one.until(lambda: all(order.accepted for order in bracket))
            assert listed(one) == [["new", "pending", "pending"]]
            numbers = [order.id for order in bracket]
            # The fee is taken out of what is bought, and the venue sells no more than there is.
            assert {order.size for order in bracket[1:]} == {0.01998}
        fill(one, bracket[0])
        assert [str(order.status) for order in one.open_there()] == ["new", "new"]
        async with one.run() as run:
            entry, stop, target = (run.kernel.book.get(number) for number in numbers)
            assert entry.status is S.FILLED
            assert stop.is_open
            assert target.is_open
            one.simulator.jump("BTCUSDT", -0.15)

            def one_is_left():
                """A market that is swept on its way down may reach the target first, or a part of it."""
                stopped = (stop.status, target.status) == (S.FILLED, S.CANCELED)
                return stopped or (target.filled and stop.status is S.CANCELED)

            await one.until(one_is_left)
            assert {stop.reason, target.reason} == {"", "oco"}
        assert one.words() == []

    native(test, tmp_path / "journal").compare()


def test_what_closes_a_market_entry_follows_as_a_list(tmp_path):
    async def test(one):
        async with one.run() as run:
            bracket = await one.do(
                lambda s, bar: s.buy_bracket(0.02, stop_loss=far(bar, s, 0.9), take_profit=far(bar, s, 1.1))
            )
            await one.until(lambda: listed(one) == [["new", "new"]])
            _, stop, target = bracket
            await one.until(lambda: stop.size == target.size == 0.01998)
            await one.do(lambda s, bar: s.cancel(stop))
            await one.until(lambda: not stop.is_open and not target.is_open)
            assert (stop.status, target.status, target.reason) == (S.CANCELED, S.CANCELED, "oco")
            assert one.open_there() == []
            assert run.engine.orders.open == []
        assert one.words() == []

    native(test, tmp_path / "journal").compare()


def test_an_entry_that_ends_in_part_leaves_what_closes_that_part(tmp_path):
    async def test(one):
        async with one.run() as run:
            bracket = await one.do(
                lambda s, bar: s.buy_bracket(
                    30.0, limit=far(bar, s, 0.9), stop_loss=far(bar, s, 0.7), take_profit=far(bar, s, 1.2)
                )
            )
            entry, stop, target = bracket
            await one.until(lambda: all(order.accepted for order in bracket))
            fill(one, entry, 0.1)  # at least: the market may trade with more of it, and takes long to trade with all
            await one.until(lambda: entry.filled)
            await one.do(lambda s, bar: s.cancel(entry))
            await one.until(lambda: len(listed(one)) == 2 and len(one.open_there()) == 2)
            bought = entry.instrument.round_size(entry.filled * 0.999)
            await one.until(lambda: stop.size == target.size == bought and not run.engine.orders.unsettled)
            assert [order.status for order in bracket] == [S.CANCELED, S.ACCEPTED, S.ACCEPTED]
        assert one.words() == []

    play(test, tmp_path / "journal", simulated=QUICK | {"cash": 10_000_000}, settings=NATIVE).compare()


def test_a_leg_gets_other_terms_by_a_list_in_place_of_the_list(tmp_path):
    async def test(one):
        async with one.run() as run:
            bracket = await one.do(
                lambda s, bar: s.buy_bracket(0.02, stop_loss=far(bar, s, 0.9), take_profit=far(bar, s, 1.1))
            )
            _, stop, target = bracket
            await one.until(lambda: listed(one) == [["new", "new"]] and stop.accepted)
            await one.do(lambda s, bar: s.modify(stop, stop=far(bar, s, 0.92)))
            await one.until(lambda: len(listed(one)) == 2 and stop.status is S.ACCEPTED)
            await one.until(lambda: not run.engine.orders.unsettled)
            assert {float(o.stop_price or 0) for o in one.open_there()} == {0.0, stop.stop_price}
            assert target.status is S.ACCEPTED
        assert one.words() == []

    native(test, tmp_path / "journal").compare()


@pytest.mark.parametrize("plays", ["BTCUSDT", "BTCUSDT:linear"])
def test_a_trailing_stop_works_at_the_venue(tmp_path, plays):
    async def test(one):
        symbol = "BTC/USDT" if plays == "BTCUSDT" else "BTC/USDT:USDT"
        async with one.run(cut_off=True) as run:
            await one.do(lambda s, bar: s.buy(0.02))
            await one.until(lambda: run.kernel.portfolio.positions[symbol].size > 0.019)
            trail = await one.do(lambda s, bar: s.sell(0.019, trail_percent=0.05))
            await one.until(lambda: trail.accepted)
            (there,) = one.open_there()
            assert (there.terms.type, there.terms.trail) == (OrderType.TRAILING_STOP, Decimal("0.05"))
            await one.until(lambda: isnan(trail.stop_price))  # the venue moves it, and does not say where it is
            number = trail.id
        there = "BTCUSDT" if plays == "BTCUSDT" else plays
        last = one.simulator.price(there)["last"]
        one.simulator.jump("BTCUSDT", 0.1)
        await one.until(lambda: one.simulator.price(there)["last"] > last * Decimal("1.05"))
        one.simulator.jump("BTCUSDT", -0.1)
        async with one.run() as run:
            trail = run.kernel.book.get(number)
            assert isnan(trail.stop_price)
            await one.until(lambda: trail.status is S.FILLED)
        assert one.words() == []

    native(test, tmp_path / "journal", plays)


def test_a_lost_answer_to_a_list_is_settled_for_the_whole(tmp_path):
    async def test(one):
        async with one.run() as run:
            for stage, status in (("after", S.ACCEPTED), ("before", S.REJECTED)):
                one.simulator.add_fault("timeout", label="order.list", stage=stage, count=1)
                one.simulator.add_fault("drop", kind="order", count=3)
                bracket = await one.do(
                    lambda s, bar: s.buy_bracket(
                        0.01, limit=far(bar, s, 0.9), stop_loss=far(bar, s, 0.8), take_profit=far(bar, s, 1.1)
                    )
                )
                await one.until(lambda: not run.engine.orders.unsettled)
                await one.until(lambda made=bracket, s=status: made[0].status is s)
                assert {order.is_open for order in bracket} == {status is S.ACCEPTED}
                one.simulator.remove_fault()
            assert listed(one) == [["new", "pending", "pending"]]
            assert len(run.engine.orders.open) == 3

    native(test, tmp_path / "journal", timeout=0.5).compare()


def test_whoever_cancels_everything_ends_lists_and_trails_too(tmp_path):
    async def test(one):
        async with one.run() as run:
            await long(one, run)

            def send(s, bar):
                entry = s.buy_bracket(
                    0.01, limit=far(bar, s, 0.9), stop_loss=far(bar, s, 0.8), take_profit=far(bar, s, 1.1)
                )
                stop = s.sell(0.009, stop=far(bar, s, 0.9))
                return *entry, stop, s.sell(0.009, limit=far(bar, s, 1.1), oco=stop), s.sell(0.009, trail_percent=0.1)

            orders = await one.do(send)
            await one.until(lambda: all(order.accepted for order in orders) and len(one.open_there()) == 6)
            await run.session.cancel_all("BTC/USDT")
            await one.until(lambda: not any(order.is_open for order in orders))
            assert {order.status for order in orders} == {S.CANCELED}
            assert [order.reason for order in orders[1:3]] == ["parent_ended"] * 2
            assert one.open_there() == []
        assert one.words() == []

    native(test, tmp_path / "journal").compare()


def test_a_halt_leaves_lists_at_work_and_the_kill_switch_ends_them_and_closes_what_is_held(tmp_path):
    async def test(one):
        control = Control(ControlSettings(on_signal=False, clear_within=30.0), tell=lambda *_: None)

        def ask(do, **arguments):
            with ControlClient(find_run(one.folder), by="tester", timeout=60) as client:
                return client.call(do, **arguments)

        async with one.run(companions=[control]) as run:
            await long(one, run, 0.03)

            def send(s, bar):
                stop = s.sell(0.01, stop=far(bar, s, 0.9))
                pair = stop, s.sell(0.01, limit=far(bar, s, 1.1), oco=stop)
                away = {"stop_loss": far(bar, s, 0.8), "take_profit": far(bar, s, 1.2)}
                return *pair, s.sell(0.01, trail_percent=0.1), *s.buy_bracket(0.01, limit=far(bar, s, 0.9), **away)

            stop, target, trail, *bracket = orders = await one.do(send)
            await one.until(lambda: all(order.accepted for order in orders) and len(one.open_there()) == len(orders))

            await asyncio.to_thread(ask, "halt")
            # What could open a position goes, with what hangs on it; what closes one is not taken away.
            await one.until(lambda: not any(order.is_open for order in bracket) and len(one.open_there()) == 3)
            assert stop.is_open and target.is_open and trail.is_open  # noqa: PT018 - one thing
            fill(one, target)
            await one.until(lambda: target.status is S.FILLED and not stop.is_open)
            assert (stop.status, stop.reason) == (S.CANCELED, "oco")

            done = await asyncio.to_thread(ask, "kill", flatten=True)
            assert done["verified"], done
            assert done["acted"] == "run"
            assert one.open_there() == []
            await one.until(lambda: not run.engine.orders.open)
            assert {order.status for order in (trail, *bracket)} == {S.CANCELED}
            assert one.simulator.balances()["binance-spot"]["BTC"].free < Decimal("0.0001")  # what no order can sell
        assert one.words() == []

    native(test, tmp_path / "journal").compare()
