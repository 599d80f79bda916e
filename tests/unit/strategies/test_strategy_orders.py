"""What a strategy may ask for, what it gets, and what it is told when it asks for nonsense."""

from __future__ import annotations

import datetime as dt
from math import inf, nan

import pytest

from cambist import AllIn, FixedSize, OrderError, PercentOfEquity, StrategyError
from cambist.errors import InputError, LookAheadError, ParameterError
from cambist.indicators import SMA
from cambist.model import OrderStatus
from cambist.model.times import MINUTE_NS
from cambist.risk.rules.position import MaxPositionRule

FLAT = [100.0] * 8


def once(action):
    """Do something at the first bar only."""
    return lambda strategy, bar: action(strategy) if strategy.bar == 0 else None


# Numbers that make no order.


@pytest.mark.parametrize("size", [0, 0.0, -1, nan, inf, -inf])
@pytest.mark.parametrize("side", ["buy", "sell"])
def test_a_size_is_a_positive_number(run, bars, side, size):
    def ask(strategy):
        with pytest.raises(OrderError, match=f"a {side} of size {size} cannot be sent; a size is a positive number"):
            getattr(strategy, side)(size)

    assert len(run(bars(FLAT), on_bar=once(ask)).order_records) == 0


@pytest.mark.parametrize("price", [0, -5.0, nan, inf])
@pytest.mark.parametrize("name", ["limit", "stop"])
def test_a_price_is_a_positive_number(run, bars, name, price):
    def ask(strategy):
        with pytest.raises(OrderError, match=f"{name} is {price}; it must be a positive number"):
            strategy.buy(1, **{name: price})
        order = strategy.buy(1, limit=50.0, stop=200.0)
        with pytest.raises(OrderError, match=f"{name} is {price}; it must be a positive number"):
            strategy.modify(order, **{name: price})
        with pytest.raises(OrderError, match=f"size is {price}; it must be a positive number"):
            strategy.modify(order, size=price)

    run(bars(FLAT), on_bar=once(ask))


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"time_in_force": "gtx"}, "time_in_force is 'gtx'. Did you mean 'gt"),
        ({"time_in_force": "gtd"}, "a 'gtd' order needs expires_at"),
        (
            {"time_in_force": "day", "expires_at": "2024-03-02"},
            "expires_at goes with 'gtd'; a 'day' order ends by itself",
        ),
        ({"expires_at": "soon"}, "'soon' is no ISO 8601 time"),
        ({"data": "ACMEE"}, "this run has no series 'ACMEE'. Did you mean 'ACME'?"),
    ],
)
def test_terms_that_contradict_themselves(run, bars, terms, message):
    def ask(strategy):
        with pytest.raises(InputError) as caught:
            strategy.buy(1, **terms)
        assert message in str(caught.value)

    run(bars(FLAT), on_bar=once(ask))


def test_every_way_to_say_when_an_order_ends(run, bars):
    times = ["2024-03-01T10:05", dt.datetime(2024, 3, 1, 10, 5, tzinfo=dt.UTC), dt.date(2024, 3, 2)]

    def ask(strategy):
        for time in [*times, "2024-03-02", dt.timedelta(minutes=4), strategy.now + 4 * MINUTE_NS]:
            strategy.buy(1, limit=50.0, expires_at=time)

    orders = run(bars(FLAT), on_bar=once(ask)).orders
    minute, day = "01 10:05:00", "02 23:59:59"
    assert orders["expires_at"].dt.strftime("%d %H:%M:%S").tolist() == [minute, minute, day, day, minute, minute]
    assert orders["status"].tolist() == ["expired", "expired", "accepted", "accepted", "expired", "expired"]


def test_prices_and_sizes_are_put_on_the_grid(run, bars):
    def ask(strategy):
        strategy.buy(1.29, limit=95.07)
        strategy.sell(1.2, limit=105.07)
        strategy.buy(1.2, stop=105.07)
        strategy.sell(0.30000000000000004, stop=95.09, limit=95.12)
        strategy.buy(3, limit=95)

    result = run(bars(FLAT, tick_size="0.05", step_size="0.1"), on_bar=once(ask))
    got = [(order.size, order.limit_price, order.stop_price) for order in result.order_records]
    assert repr(got) == repr(
        [(1.2, 95.05, nan), (1.2, 105.1, nan), (1.2, nan, 105.05), (0.3, 95.15, 95.1), (3.0, 95.0, nan)]
    )
    assert result.warnings[0].startswith("4 orders of ACME had prices off its tick of 0.05")


def test_less_than_a_step_is_refused_with_what_was_asked_for(run, bars):
    result = run(bars(FLAT, step_size="0.1"), on_bar=once(lambda strategy: strategy.buy(0.05)))
    (order,) = result.order_records
    assert order.status is OrderStatus.REJECTED
    assert order.reason.startswith("size_not_positive: ")
    assert order.reason.endswith("(asked for 0.05, rounded down to the step)")


# Which instrument.


def test_with_one_instrument_none_need_be_named(run, bars):
    def ask(strategy):
        strategy.buy(1)
        assert strategy.position.instrument.symbol == "ACME"

    result = run(bars(FLAT), on_step=lambda strategy: ask(strategy) if strategy.bar == 0 else None)
    assert result.fill_records[0].size == 1.0


def test_with_several_the_one_being_delivered_is_meant(run, bars):
    data = [bars(FLAT, "A"), bars(FLAT, "B")]

    def step(strategy):
        for ask in (strategy.buy, strategy.close, lambda: strategy.position, lambda: strategy.order_target_size(1)):
            with pytest.raises(OrderError, match=r"several instruments and none of them .* name one: self.buy\(data="):
                ask()
        strategy.cancel_all()
        if strategy.bar == 1:
            for data in ("A", strategy.data["A"], strategy.data["A"].instrument, strategy.data[0]):
                strategy.buy(1, data=data)

    def bar(strategy, bar):
        if strategy.bar < 2:
            assert strategy.buy(1).instrument.symbol == bar.symbol
            assert strategy.buy(1, data="B").instrument.symbol == "B"
            assert strategy.sell(1, data=bar).instrument.symbol == bar.symbol

    result = run(
        data,
        on_bar=bar,
        on_step=step,
        on_fill=lambda strategy, fill: strategy.position.instrument is fill.instrument or 1 / 0,
    )
    assert [order.instrument.symbol for order in result.order_records[-4:]] == ["A"] * 4


# When nothing can be sent.


def test_orders_in_warm_up_are_refused(run, bars):
    tried = []

    def warm(strategy, bar):
        for ask in (
            strategy.buy,
            strategy.sell,
            lambda: strategy.order_target_size(1),
            lambda: strategy.buy(1, limit=5.0),
        ):
            with pytest.raises(
                OrderError, match="orders cannot be sent during warm-up: the indicators are not known yet"
            ):
                ask()
            tried.append(bar.close)

    seen = []
    result = run(
        bars(range(101, 109)),
        on_start=lambda strategy: SMA(strategy.data.close, 4),
        on_warmup_bar=warm,
        on_bar=lambda strategy, bar: seen.append(bar.close),
    )
    assert (sorted(set(tried)), seen) == ([101.0, 102.0, 103.0], [104.0, 105.0, 106.0, 107.0, 108.0])
    assert not result.order_records


def test_orders_in_on_stop_are_refused_and_what_works_can_be_withdrawn(run, bars):
    told = []

    def stop(strategy):
        with pytest.raises(OrderError, match="orders cannot be sent after the last bar: nothing is left to fill them"):
            strategy.buy(1)
        strategy.cancel_all()

    result = run(
        bars(FLAT),
        on_bar=once(lambda strategy: strategy.buy(1, limit=50.0)),
        on_stop=stop,
        on_order=lambda strategy, order: told.append(str(order.status)),
    )
    assert [str(order.status) for order in result.order_records] == ["canceled"]
    assert told == ["accepted", "canceled"]


def test_what_is_sent_at_the_last_bar_waits_for_ever(run, bars):
    result = run(bars(FLAT), on_bar=lambda strategy, bar: strategy.buy(1) if strategy.bar == 7 else None)
    assert [str(order.status) for order in result.order_records] == ["accepted"]


def test_an_order_refused_by_the_gate_is_told_after_the_call_that_sent_it(run, bars):
    log = []

    def ask(strategy):
        order = strategy.buy(1e9)
        log.append(f"sent {order.status}")

    run(bars(FLAT), on_bar=once(ask), on_order=lambda strategy, order: log.append(order.reason.partition(":")[0]))
    assert log == ["sent rejected", "insufficient_funds"]


# Sizers.


def test_the_sizer_decides_where_no_size_is_given(run, bars, told):
    import cambist

    asked = {"on_bar": once(lambda strategy: (strategy.buy(), strategy.sell(limit=200.0)))}
    sizes = {}
    for sizer in (None, FixedSize(3.0), PercentOfEquity(0.25), AllIn(), AllIn(buffer=0.5)):
        result = cambist.backtest(told(told=asked), bars(FLAT, step_size="0.5"), cash=10_000, sizer=sizer)
        sizes[sizer] = [order.size for order in result.order_records]
    assert sizes == {
        None: [1.0, 1.0],
        FixedSize(3.0): [3.0, 3.0],
        PercentOfEquity(0.25): [25.0, 12.5],
        AllIn(): [99.0, 99.0],  # at 101 for one; the sale closes what will be held
        AllIn(buffer=0.5): [66.5, 66.5],
    }


def test_a_strategys_own_sizer_comes_before_the_runs(bars, told):
    import cambist

    class Own(told):
        sizer = FixedSize(5.0)

    asked = {"on_bar": once(lambda strategy: strategy.buy())}
    mine = told(told=asked)
    mine.sizer = FixedSize(7.0)
    for strategy, size in ((Own(told=asked), 5.0), (mine, 7.0), (told(told=asked), 2.0)):
        result = cambist.backtest(strategy, bars(FLAT), sizer=FixedSize(2.0))
        assert result.order_records[0].size == size


@pytest.mark.parametrize(
    ("answer", "sent"), [(0.0, None), (-1.0, None), (nan, None), (inf, "a buy of size inf cannot be sent")]
)
def test_what_a_sizer_may_answer(run, bars, answer, sent):
    class Odd:
        def size(self, desk, instrument, side, price):
            return answer

    def ask(strategy):
        if sent is None:
            assert strategy.buy() is None
        else:
            with pytest.raises(OrderError, match=sent):
                strategy.buy()

    assert not run(bars(FLAT), on_bar=once(ask), sizer=Odd()).order_records


@pytest.mark.parametrize(
    "make", [lambda: FixedSize(0), lambda: FixedSize(nan), lambda: PercentOfEquity(-1), lambda: AllIn(1.0)]
)
def test_sizers_refuse_senseless_numbers(make):
    with pytest.raises(ParameterError, match=r"must be above zero|means a fifth|leaves room"):
        make()


def test_all_in_counts_leverage_margin_and_what_is_held(run, bars):
    def ask(strategy):
        strategy.buy(20)
        strategy.sizer = AllIn(buffer=0.0)

    def then(strategy, bar):
        if strategy.bar == 0:
            ask(strategy)
        elif strategy.bar == 1:
            strategy.buy()

    for terms, leverage, size in (
        ({}, 1.0, 80.0),
        ({}, 3.0, 280.0),
        ({"kind": "future", "margin_rate": 0.1}, 1.0, 980.0),
        ({"kind": "future", "margin_rate": 0.1, "multiplier": 10.0}, 1.0, 80.0),
    ):
        result = run(bars(FLAT, **terms), on_bar=then, cash=10_000, leverage=leverage)
        assert [order.size for order in result.order_records] == [20.0, size], terms
        assert [str(order.status) for order in result.order_records] == ["filled", "filled"]


# Targets and closing.


def test_targets_trade_the_difference(run, bars):
    targets = [5, 2, -3, -3.00000001, 0]
    result = run(
        bars(FLAT, step_size="0.1"),
        on_bar=lambda strategy, bar: strategy.order_target_size(targets[strategy.bar]) if strategy.bar < 5 else None,
    )
    assert [(str(order.side), order.size) for order in result.order_records] == [
        ("buy", 5.0),
        ("sell", 3.0),
        ("sell", 5.0),
        ("buy", 3.0),
    ]


def test_targets_of_value_and_percent_are_at_the_last_close(run, bars):
    def ask(strategy, bar):
        if strategy.bar == 0:
            strategy.order_target_value(1_000)
        elif strategy.bar == 2:
            strategy.order_target_percent(-0.5)
        elif strategy.bar == 4:
            assert strategy.order_target_percent(-0.5, "ACME") is None

    result = run(bars([100, 100, 200, 200, 200, 200], step_size="1"), on_bar=ask, cash=10_000)
    assert [(str(order.side), order.size) for order in result.order_records] == [("buy", 10.0), ("sell", 37.0)]


@pytest.mark.parametrize("target", [nan, inf, -inf])
def test_a_target_is_a_finite_number(run, bars, target):
    def ask(strategy):
        for how in (strategy.order_target_size, strategy.order_target_value, strategy.order_target_percent):
            with pytest.raises(OrderError, match=f"a target of {target} is no size; give a finite number"):
                how(target)

    run(bars(FLAT), on_bar=once(ask))


def test_a_value_needs_a_price(run, bars):
    later = bars([5.0, 5.0], "B", start=bars(FLAT).ts[0] + 5 * MINUTE_NS)

    def ask(strategy):
        with pytest.raises(OrderError, match="B has no price yet, so a value cannot be turned into a size"):
            strategy.order_target_value(100, "B")
        assert strategy.buy(data="B") is not None  # the fixed sizer needs none
        strategy.sizer = AllIn()
        assert strategy.buy(data="B") is None

    run([bars(FLAT, "A"), later], on_bar=once(ask))


def test_close(run, bars):
    def ask(strategy, bar):
        if strategy.bar == 0:
            assert strategy.close() is None
            strategy.sell(3)
        elif strategy.bar == 1:
            order = strategy.close(tag="out")
            assert (order.is_buy, order.size, order.reduce_only, order.tag) == (True, 3.0, True, "out")
        elif strategy.bar == 2:
            assert strategy.close() is None

    result = run(bars(FLAT), on_bar=ask)
    assert len(result.trades) == 1


# Following orders.


def test_cancel_and_modify_follow_the_order(run, bars):
    def ask(strategy, bar):
        if strategy.bar == 0:
            strategy.order = strategy.buy(2, limit=50.0)
            strategy.other = strategy.sell(1, limit=150.0)
            assert strategy.open_orders == [strategy.order, strategy.other]
        elif strategy.bar == 1:
            strategy.modify(strategy.order, limit=99.5, size=4)
            with pytest.raises(OrderError, match=r"order 1 is pending_replace and cannot be modified"):
                strategy.modify(strategy.order, limit=60.0)
            strategy.cancel(strategy.other)
            strategy.cancel(strategy.other)
            with pytest.raises(OrderError, match=r"order 2 is pending_cancel and cannot be modified"):
                strategy.modify(strategy.other, limit=60.0)
        elif strategy.bar == 3:
            assert strategy.open_orders == []
            strategy.cancel(strategy.order)  # nothing to do
            with pytest.raises(OrderError, match=r"order 1 is filled and cannot be modified; look at order.status"):
                strategy.modify(strategy.order, limit=60.0)

    result = run(bars(FLAT), on_bar=ask)
    assert [(fill.order_id, fill.price, fill.size) for fill in result.fill_records] == [(1, 99.5, 4.0)]
    assert [str(order.status) for order in result.order_records] == ["filled", "canceled"]


def test_an_order_can_be_changed_and_canceled_in_the_call_that_sent_it(run, bars):
    def ask(strategy):
        strategy.modify(strategy.buy(1, limit=50.0), limit=99.5)
        strategy.cancel(strategy.buy(1))

    result = run(bars(FLAT), on_bar=once(ask))
    assert [(order.limit_price, str(order.status)) for order in result.order_records] == [
        (99.5, "filled"),
        (pytest.approx(nan, nan_ok=True), "canceled"),
    ]


def test_a_price_that_the_type_does_not_have_cannot_be_changed(run, bars):
    def ask(strategy):
        for order, wrong in (
            (strategy.buy(1), "limit"),
            (strategy.buy(1, stop=150.0), "limit"),
            (strategy.buy(1, limit=50.0), "stop"),
        ):
            with pytest.raises(OrderError, match=f"order {order.id} is a {order.type} order and has no {wrong} price"):
                strategy.modify(order, **{wrong: 100.0})

    run(bars(FLAT), on_bar=once(ask))


def test_new_terms_pass_the_gate_like_a_new_order(run, bars):
    told = []

    def ask(strategy, bar):
        if strategy.bar == 0:
            strategy.order = strategy.buy(2, limit=50.0)
        elif strategy.bar == 1:
            strategy.modify(strategy.order, size=50)  # above max_size
        elif strategy.bar == 2:
            strategy.modify(strategy.order, size=8)  # above the rule's limit
        elif strategy.bar == 3:
            strategy.modify(strategy.order, size=5, limit=99.5)

    result = run(
        bars(FLAT, max_size="10", step_size="0.1"),
        on_bar=ask,
        on_order=lambda strategy, order: told.append((str(order.status), order.size, order.reason.partition(":")[0])),
        risk=[MaxPositionRule(6.0)],
    )
    assert told == [
        ("accepted", 2.0, ""),
        ("accepted", 2.0, "size_above_maximum"),
        ("accepted", 2.0, "position_above_limit"),
        ("accepted", 5.0, ""),
        ("filled", 5.0, ""),
    ]
    assert [fill.size for fill in result.fill_records] == [5.0]


def test_cancel_all_takes_this_strategys_orders_only(bars, told):
    import cambist

    one = {"on_bar": once(lambda strategy: [strategy.buy(1, limit=50.0), strategy.buy(1, limit=50.0, data="B")])}
    two = {
        "on_bar": lambda strategy, bar: (
            strategy.buy(1, limit=40.0, data="A") if strategy.bar == 0 else strategy.cancel_all("A")
        )
    }
    three = {
        "on_bar": lambda strategy, bar: (
            [strategy.buy(1, limit=30.0, data=name) for name in "AB"] if strategy.bar == 0 else strategy.cancel_all()
        )
    }
    result = cambist.backtest(
        [told(told=one), told(told=two), told(told=three)], [bars(FLAT, "A"), bars(FLAT, "B")], benchmark=False
    )
    got = {(order.strategy, order.instrument.symbol): str(order.status) for order in result.order_records}
    assert got == {
        ("Told-1", "A"): "accepted",
        ("Told-1", "B"): "accepted",
        ("Told-2", "A"): "canceled",
        ("Told-3", "A"): "canceled",
        ("Told-3", "B"): "canceled",
    }


# The future.


def test_a_line_knows_no_tomorrow(run, bars):
    def ask(strategy, bar):
        for index in (1, 5, True):
            with pytest.raises(LookAheadError, match="asks for a bar that has not closed yet"):
                strategy.data.close[index]
        with pytest.raises(TypeError):
            strategy.data.close[:]

    run(bars(FLAT), on_bar=ask)


def test_errors_in_a_callback_end_the_run(run, bars):
    with pytest.raises(StrategyError, match="Told raised OrderError at the bar of 2024-03-01 10:00:00 UTC"):
        run(bars(FLAT), on_bar=once(lambda strategy: strategy.buy(-1)))
