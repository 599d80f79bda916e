"""What a venue lacks of orders, done from here over its protocol: new terms, groups, times, batches, rules."""

from __future__ import annotations

from decimal import Decimal

import pytest
from venue_play import ENDED, OPEN, far, play

from cambist.live import Resend
from cambist.model import OrderStatus
from cambist.orders.ids import order_number
from cambist.risk.rules.duplicates import DuplicateOrderRule
from cambist.risk.rules.open_orders import MaxOpenOrdersRule
from cambist.risk.rules.order_value import MaxOrderValueRule
from cambist.risk.rules.position import MaxPositionRule
from cambist.risk.rules.price_band import PriceBandRule
from cambist.risk.rules.self_cross import SelfCrossRule
from cambist.storage.journal import Journal
from cambist_binance.session import open_usdm

# New terms (O14).


def test_a_limit_order_on_spot_gets_another_price_by_taking_its_own_place(tmp_path):
    async def test(one):
        async with one.run() as run:
            order = await one.do(lambda s, bar: s.buy(0.01, limit=far(bar, s, 0.9)))
            await one.until(lambda: order.accepted)
            before = order.limit_price
            await one.do(lambda s, bar: s.modify(order, size=0.02, limit=far(bar, s, 0.89)))
            await one.until(lambda: order.status is OrderStatus.ACCEPTED and order.size == 0.02)
            assert order.limit_price != before
            (left,) = one.open_there()
            assert (left.size, left.price) == (Decimal("0.02"), Decimal(repr(order.limit_price)).quantize(left.price))
            assert len(one.there) == 2
            assert order_number(left.client_id, run.kernel.book.token) == (order.id, 1)
            assert run.engine.orders.replacing.gaps[0] == 1

            # What is smaller at the same price keeps its place: no other order is sent.
            await one.do(lambda s, bar: s.modify(order, size=0.015))
            await one.until(lambda: order.size == 0.015)
            assert [order.size for order in one.open_there()] == [Decimal("0.015")]
            assert len(one.there) == 2
        assert one.words() == []

    play(test, tmp_path / "journal").compare()


def test_new_terms_that_the_venue_refuses_leave_the_old_ones_at_work(tmp_path):
    async def test(one):
        async with one.run() as run:
            order = await one.do(lambda s, bar: s.buy(0.01, limit=far(bar, s, 0.9)))
            await one.until(lambda: order.accepted)
            terms = order.size, order.limit_price
            told = '{"code":-2010,"msg":"Account has insufficient balance for requested action."}'
            one.simulator.add_fault("http_error", label="order.place", stage="before", status=400, body=told, count=1)
            await one.do(lambda s, bar: s.modify(order, limit=far(bar, s, 0.88)))
            await one.until(lambda: order.status is OrderStatus.ACCEPTED and len(one.open_there()) == 1)
            assert (order.size, order.limit_price) == terms
            (left,) = one.open_there()
            assert float(left.price) == terms[1]
            assert order_number(left.client_id, run.kernel.book.token) == (order.id, 2)
            assert order.reason.startswith("insufficient_funds")

    play(test, tmp_path / "journal", transport="rest").compare()


@pytest.mark.parametrize("label", ["order.cancel", "order.place"])
@pytest.mark.parametrize("stage", ["before", "after"])
def test_a_replacement_that_is_cut_off_ends_with_one_order(tmp_path, label, stage):
    async def test(one):
        async with one.run(cut_off=True) as run:
            order = await one.do(lambda s, bar: s.buy(0.01, limit=far(bar, s, 0.9)))
            await one.until(lambda: order.accepted)
            number = order.id
            one.simulator.add_fault("timeout", label=label, stage=stage, count=1)
            await one.do(lambda s, bar: s.modify(order, limit=far(bar, s, 0.88)))
            await one.until(one.simulator.fired)
        async with one.run() as run:
            order = run.kernel.book.get(number)
            await one.until(lambda: order.status is OrderStatus.ACCEPTED and len(one.open_there()) == 1)
            (left,) = one.open_there()
            assert (float(left.size), float(left.price)) == (order.size, order.limit_price)

    play(test, tmp_path / "journal").compare()


# A stop that is replaced (O15).


def test_how_long_a_stop_was_away_is_measured_and_told(tmp_path):
    async def test(one):
        async with one.run() as run:
            await one.do(lambda s, bar: s.buy(0.02))
            await one.until(lambda: run.kernel.portfolio.positions["BTC/USDT"].size > 0.019)
            stop = await one.do(lambda s, bar: s.sell(0.019, stop=far(bar, s, 0.9)))
            await one.until(lambda: stop.accepted)
            one.simulator.add_fault("delay_answer", label="order.place", by=1, count=1)
            one.simulator.add_fault("delay", kind="order", by=1)
            await one.do(lambda s, bar: s.modify(stop, stop=far(bar, s, 0.91)))
            await one.until(lambda: stop.status is OrderStatus.ACCEPTED and run.engine.orders.replacing.gaps[0])
            count, total, longest = run.engine.orders.replacing.gaps
            assert count == 1
            assert total == longest >= 100_000_000
            (left,) = one.open_there()
            assert float(left.stop_price) == stop.stop_price
        assert one.words() == ["unprotected"]

    play(test, tmp_path / "journal", settings={"unprotected_within": 0.1}).compare()


# Groups, trails and brackets that the venue lacks, over restarts (O22, O23).


def test_a_bracket_on_spot_survives_cut_offs_and_ends_flat(tmp_path):
    async def test(one):
        async with one.run(cut_off=True) as run:
            bracket = await one.do(
                lambda s, bar: s.buy_bracket(0.02, stop_loss=far(bar, s, 0.985), take_profit=far(bar, s, 1.2))
            )
            numbers = [order.id for order in bracket]
            await one.until(lambda: bracket[0].status is OrderStatus.FILLED and len(one.open_there()) == 1)
        async with one.run(cut_off=True) as run:
            _, stop, target = (run.kernel.book.get(number) for number in numbers)
            assert stop.is_open
            assert target.is_open
            (resting,) = one.open_there()  # the target; the stop is held here, since both would lock the coins
            assert order_number(resting.client_id, run.kernel.book.token)[0] == target.id
        async with one.run() as run:
            _, stop, target = (run.kernel.book.get(number) for number in numbers)
            assert {one.id for one in run.engine.orders.open} == {stop.id, target.id}
            one.simulator.jump("BTCUSDT", -0.02)  # no further: a book that is swept would reach the target
            # A market that is swept on its way down may reach the target first: then it is the stop that goes.
            await one.until(
                lambda: (
                    (stop.status is OrderStatus.FILLED and target.status is OrderStatus.CANCELED)
                    or (target.filled > 0.0 and stop.status is OrderStatus.CANCELED)
                )
            )
            if stop.status is OrderStatus.FILLED:
                assert one.open_there() == []
                assert run.kernel.portfolio.positions["BTC/USDT"].size < 0.0001

    one = play(test, tmp_path / "journal")
    one.compare()
    assert "unprotected" not in one.words()


def test_a_trailing_stop_goes_on_behind_where_it_was(tmp_path):
    async def test(one):
        async with one.run(cut_off=True) as run:
            await one.do(lambda s, bar: s.buy(0.02))
            await one.until(lambda: run.kernel.portfolio.positions["BTC/USDT"].size > 0.019)
            trail = await one.do(lambda s, bar: s.sell(0.019, trail_percent=0.05))
            number = trail.id
            await one.until(lambda: trail.accepted)
            before = trail.stop_price
            one.simulator.jump("BTCUSDT", 0.1)
            await one.until(lambda: trail.stop_price > before * 1.05)
            moved = trail.stop_price
        async with one.run() as run:
            trail = run.kernel.book.get(number)
            assert trail.stop_price >= moved
            assert one.open_there() == []
            one.simulator.jump("BTCUSDT", -0.2)
            await one.until(lambda: trail.status is OrderStatus.FILLED)

    play(test, tmp_path / "journal").compare()


def test_a_leg_that_fills_while_the_others_cancel_is_unknown_is_bounded_and_told(tmp_path):
    async def test(one):
        async with one.run() as run:
            stop = await one.do(lambda s, bar: s.buy(0.01, stop=far(bar, s, 1.04)))
            target = await one.do(lambda s, bar: s.buy(0.01, limit=far(bar, s, 0.98), oco=stop))
            await one.until(lambda: stop.accepted and target.accepted)
            one.simulator.add_fault("timeout", label="algo.cancel", stage="before")
            one.simulator.jump("BTCUSDT", -0.03)
            await one.until(lambda: target.status is OrderStatus.FILLED)
            # The cancel is asked again and again, and then somebody is told; the leg counts as open all the while.
            await one.until(lambda: "cancel_failed" in one.words(), within=120)
            assert stop.is_open
            assert len(one.open_there()) == 1
            one.simulator.remove_fault()
            await one.do(lambda s, bar: s.cancel(stop))
            await one.until(lambda: stop.status is OrderStatus.CANCELED)
            assert run.engine.orders.open == []

    play(test, tmp_path / "journal", "BTCUSDT:linear", settings={"audit_every": 30.0}, timeout=0.5).compare()


# Times and second attempts (O24).


def test_an_order_that_spot_cannot_end_at_a_time_is_ended_from_here(tmp_path):
    async def test(one):
        async with one.run():

            def send(strategy, bar):
                until = one.live.now() + 2_000_000_000
                return strategy.buy(0.01, limit=far(bar, strategy, 0.9), expires_at=until)

            order = await one.do(send)
            await one.until(lambda: order.accepted)
            await one.until(lambda: order.status in ENDED)
            assert order.status is OrderStatus.EXPIRED
            assert one.open_there() == []

    play(test, tmp_path / "journal").compare()


@pytest.mark.parametrize(("policy", "status"), [(Resend(), "rejected"), (Resend(3), "accepted")])
def test_an_entry_that_the_venue_was_too_busy_for_is_sent_again_only_where_that_is_said(tmp_path, policy, status):
    async def test(one):
        async with one.run():
            one.simulator.add_fault("rate_limit", label="order.place", count=2, retry_after=0.5)
            order = await one.do(lambda s, bar: s.buy(0.01, limit=far(bar, s, 0.9)))
            await one.until(lambda: order.accepted or order.status in ENDED)
            assert str(order.status) == status
            if status == "rejected":
                assert order.reason.startswith("rate_limit")

    one = play(test, tmp_path / "journal", settings={"resend": {"entry": policy}}, transport="rest")
    one.compare()
    with Journal(tmp_path / "journal") as journal:
        again = [entry for entry in journal.read() if entry.kind == "order_resent"]
    assert len(again) == (2 if status == "accepted" else 0)
    assert len(one.there) == (1 if status == "accepted" else 0)


# Batches (O16), and everything canceled (O17).


def test_what_one_step_sends_goes_as_a_batch_and_each_has_its_own_fate(tmp_path):
    async def test(one):
        async with one.run():
            made = await one.do(
                lambda s, bar: [s.buy(size, limit=far(bar, s, 0.97)) for size in (0.01, 0.02, 0.0005, 0.03)]
            )
            await one.until(lambda: all(order.accepted or order.status in ENDED for order in made))
            sent = [order for order in made if order.status is not OrderStatus.REJECTED]
            assert len(sent) == 3
            labels = [
                entry.label for entry in one.simulator.requests() if entry.label in {"order.place", "order.batch"}
            ]
            assert labels == ["order.batch"]
            await one.do(lambda s, bar: [s.cancel(order) for order in sent])
            await one.until(lambda: all(order.status is OrderStatus.CANCELED for order in sent))
            labels = [entry.label for entry in one.simulator.requests() if "cancel" in entry.label]
            assert labels == ["order.batch.cancel"]

    play(test, tmp_path / "journal", "BTCUSDT:linear", transport="rest").compare()


def test_a_batch_whose_answer_is_lost_is_found_order_by_order(tmp_path):
    async def test(one):
        async with one.run():
            one.simulator.add_fault("timeout", label="order.batch", stage="after", count=1)
            made = await one.do(lambda s, bar: [s.buy(size, limit=far(bar, s, 0.97)) for size in (0.01, 0.02)])
            await one.until(lambda: all(order.status is OrderStatus.ACCEPTED for order in made))
            await one.until(lambda: not one.live.dispatcher.busy)
            assert len(one.there) == 2

    play(test, tmp_path / "journal", "BTCUSDT:linear", transport="rest").compare()


@pytest.mark.parametrize("plays", OPEN)
def test_cancel_all_takes_orders_that_the_run_does_not_know(tmp_path, plays):
    async def test(one):
        async with one.run() as run:
            order = await one.do(lambda s, bar: s.buy(0.01, limit=far(bar, s, 0.97)))
            await one.until(lambda: order.accepted)
            price = round(float(one.simulator.price("BTCUSDT")["bid"]) * 0.97, 1)
            one.simulator.place(plays, "buy", "0.01", price)
            assert len(one.open_there()) == 2
            await run.session.cancel_all(OPEN[plays][1])
            await one.until(lambda: not one.open_there() and order.status is OrderStatus.CANCELED)

    play(test, tmp_path / "journal", plays)


# Rules that change (O19), and what is not to be traded any more (O25).


def test_orders_go_by_todays_rules_once_they_have_changed(tmp_path):
    async def test(one):
        async with one.run() as run:
            one.simulator.add_fault("rule_change", at="0s", symbol="BTCUSDT", tick_size=1, step_size=0.001)
            await one.until(lambda: "rules_changed" in one.words())
            (instrument,) = run.instruments
            assert (instrument.tick_size, instrument.step_size) == (Decimal(1), Decimal("0.001"))
            order = await one.do(lambda s, bar: s.buy(0.0123456, limit=bar.close * 0.9))
            await one.until(lambda: order.accepted)
            (left,) = one.open_there()
            assert (left.size, left.price % 1) == (Decimal("0.012"), 0)

    play(test, tmp_path / "journal", settings={"rules_every": 0.5}).compare()


def test_a_rule_that_the_run_did_not_know_is_looked_up_after_the_first_refusal(tmp_path):
    async def test(one):
        async with one.run():
            one.simulator.add_fault("rule_change", at="0s", symbol="BTCUSDT", min_notional=2000)
            await one.until(one.simulator.fired)
            first = await one.do(lambda s, bar: s.buy(0.01, limit=far(bar, s, 0.9)))
            await one.until(lambda: first.status is OrderStatus.REJECTED)
            assert first.reason.startswith("min_notional")
            await one.until(lambda: "rules_changed" in one.words())
            second = await one.do(lambda s, bar: s.buy(0.01, limit=far(bar, s, 0.9)))
            assert second.reason.startswith("notional_below_minimum")

    play(test, tmp_path / "journal").compare()


def test_a_symbol_that_is_halted_is_not_traded_and_the_strategy_is_told(tmp_path):
    async def test(one):
        async with one.run() as run:
            one.simulator.add_fault("halt", at="0s", symbol="BTCUSDT", **{"for": "12m"})
            await one.until(lambda: "symbol_halted" in one.words())
            before = len(one.there)
            # No bar comes while nothing trades: the order is sent as an operator's timer would.
            seat = run.kernel.seats[0]
            run.kernel.seats[0].desk.instrument = run.instruments[0]
            order = seat.strategy.buy(0.01)
            assert order.status is OrderStatus.REJECTED
            assert order.reason.startswith("halted: ")
            assert "does not trade BTC/USDT now" in order.reason
            run.engine.put(run.kernel.collect())
            await one.until(lambda: any(reason.startswith("halted") for *_, reason in seat.strategy.heard))
            assert len(one.there) == before
            await one.until(lambda: not run.kernel.trading.holds)
            again = await one.do(lambda s, bar: s.buy(0.01))
            await one.until(lambda: again.status is OrderStatus.FILLED)

    play(test, tmp_path / "journal", settings={"rules_every": 0.3}).compare()


def test_leverage_that_somebody_else_changed_keeps_positions_from_growing(tmp_path):
    async def test(one):
        key = one.simulator.credentials()
        async with one.run():
            first = await one.do(lambda s, bar: s.buy(0.01))
            await one.until(lambda: first.status is OrderStatus.FILLED)
            other = open_usdm(url=one.simulator.url, key=key.key, secret=key.secret, leverage={"BTC/USDT:USDT": 7})
            await other.open()
            await other.close()
            events = one.live.session._events
            await one.until(lambda: events.changed)
            grows = await one.do(lambda s, bar: s.buy(0.01))
            await one.until(lambda: grows.status is OrderStatus.REJECTED)
            assert grows.reason.startswith("leverage_changed: ")
            ends = await one.do(lambda s, bar: s.sell(0.01, reduce_only=True))
            await one.until(lambda: ends.status is OrderStatus.FILLED)

    play(test, tmp_path / "journal", "BTCUSDT:linear", leverage={"BTC/USDT:USDT": 3}).compare()


# Rules that hold before anything leaves (K1).


def test_every_rule_has_its_code_in_a_live_run_and_nothing_leaves(tmp_path):
    def orders(strategy, bar):
        price, instrument = bar.close, strategy.data.instrument
        low = instrument.round_price(price * 0.95)
        return {
            "fine": strategy.buy(0.01, limit=low),
            "duplicate_order": strategy.buy(0.01, limit=low),
            "self_cross": strategy.sell(0.01, limit=low),
            "price_outside_band": strategy.buy(0.01, limit=instrument.round_price(price * 0.5)),
            "size_not_positive": strategy.buy(0.000001),
            "notional_below_minimum": strategy.buy(0.00002),
            "order_value_above_limit": strategy.buy(0.2),
            "position_above_limit": strategy.buy(0.06),
            "insufficient_funds": strategy.buy(0.5),
            "nothing_to_reduce": strategy.sell(0.01, reduce_only=True, limit=instrument.round_price(price * 1.03)),
            "stop_already_reached": strategy.buy(0.01, stop=low),
            "expires_in_past": strategy.buy(0.011, limit=low, expires_at=1),
            "also fine": strategy.buy(0.012, limit=low),
            "too_many_open_orders": strategy.buy(0.013, limit=low),
        }

    async def test(one):
        async with one.run() as run:
            made = await one.do(orders)
            fine = [made.pop("fine"), made.pop("also fine")]
            await one.until(lambda: all(order.accepted for order in fine))
            assert {code: order.reason.partition(":")[0] for code, order in made.items()} == {
                code: code for code in made
            }
            assert all(order.status is OrderStatus.REJECTED for order in made.values())
            assert len(one.there) == 2
            heard = {number for number, status, _ in run.kernel.seats[0].strategy.heard if str(status) == "rejected"}
            assert {order.id for order in made.values()} <= heard

    rules = [
        DuplicateOrderRule("1m"),
        SelfCrossRule(),
        PriceBandRule(0.2),
        MaxOrderValueRule(8_000.0),
        MaxPositionRule(0.05),
        MaxOpenOrdersRule(2),
    ]
    play(test, tmp_path / "journal", settings={"risk": rules}).compare()
