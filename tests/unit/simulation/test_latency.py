"""Requests that take time, and requests that are refused by chance."""

from __future__ import annotations

from datetime import timedelta
from math import log
from random import Random
from statistics import NormalDist, median, stdev

import numpy as np
import pandas as pd
import pytest

from cambist import OrderStatus, ParameterError
from cambist.model.times import MINUTE_NS, SECOND_NS, to_ns
from cambist.simulation import (
    ConstantLatency,
    LognormalLatency,
    NormalLatency,
    RandomRejection,
    RecordedLatency,
    Request,
    UniformLatency,
    latency_model,
    rejection_model,
)

START = to_ns("2024-03-01 10:00")
SUBMIT, CANCEL, AMEND = Request.SUBMIT, Request.CANCEL, Request.AMEND
WAYS = pytest.mark.parametrize("events", [False, True])


def at(minutes):
    return START + round(minutes * MINUTE_NS)


def told(result):
    return [(fill.order_id, fill.price, (fill.ts - START) / MINUTE_NS) for fill in result.fill_records]


# When a request meets the market. Each bar is a minute, and opens where the one before closed.


@WAYS
@pytest.mark.parametrize(
    ("latency", "minute"),
    [(None, 1), (0, 1), ("1ns", 2), ("30s", 2), ("60s", 2), ("61s", 3), (timedelta(minutes=2), 3)],
)
def test_an_order_meets_the_first_bar_that_opens_when_it_has_arrived(bars, run, latency, minute, events):
    result = run(
        bars([100.0, 101.0, 102.0, 103.0, 104.0]),
        on_bar=lambda strategy, bar: strategy.buy(1.0) if strategy.bar == 0 else None,
        latency=latency,
        events=events,
    )
    assert told(result) == [(1, 100.0 + minute - 1, minute)]


@WAYS
def test_it_is_accepted_where_it_arrives_and_not_before(bars, run, events):
    seen = []
    run(
        bars([100.0] * 5),
        on_bar=lambda strategy, bar: strategy.buy(1.0, limit=90.0) if strategy.bar == 0 else None,
        on_order=lambda strategy, order: seen.append((str(order.status), (strategy.now - START) / MINUTE_NS)),
        on_step=lambda strategy: seen.append([str(order.status) for order in strategy.open_orders]),
        latency="90s",
        events=events,
    )
    assert seen == [["submitted"], ["submitted"], ("accepted", 3), ["accepted"], ["accepted"], ["accepted"]]


@WAYS
def test_between_two_bars_it_arrives_at_its_own_time(bars, run, events):
    """The bars last a minute and come every ten: most of the time the market is closed."""
    seen = []
    run(
        bars([100.0] * 3, every=10 * MINUTE_NS),
        on_bar=lambda strategy, bar: strategy.buy(1.0) if strategy.bar == 0 else None,
        on_order=lambda strategy, order: seen.append((str(order.status), (strategy.now - START) / MINUTE_NS)),
        latency="2m",
        events=events,
    )
    assert seen == [("accepted", 3), ("filled", 10)]


@WAYS
def test_an_order_may_trade_while_its_cancel_is_under_way(bars, run, events):
    def on_bar(strategy, bar):
        if strategy.bar == 0:
            strategy.order = strategy.buy(1.0, limit=95.5)
        elif strategy.bar == 2:
            strategy.cancel(strategy.order)

    closes = [100.0, 100.0, 100.0, 96.0, 100.0]  # a low of 95 in the fourth bar, in which the cancel arrives
    fast = run(bars(closes), on_bar=on_bar, latency=ConstantLatency("1s", cancel=0), events=events)
    slow = run(bars(closes), on_bar=on_bar, latency=ConstantLatency("1s", cancel="30s"), events=events)
    assert [order.status for order in fast.order_records] == [OrderStatus.CANCELED]
    assert [order.status for order in slow.order_records] == [OrderStatus.FILLED]


@WAYS
def test_new_terms_take_their_time_as_well(bars, run, events):
    def on_bar(strategy, bar):
        if strategy.bar == 0:
            strategy.order = strategy.buy(1.0, limit=90.0)
        elif strategy.bar == 1:
            strategy.modify(strategy.order, limit=99.5)

    for amend, minute in ((0, 3), ("1s", 4), ("2m", 5)):
        result = run(bars([100.0] * 6), on_bar=on_bar, latency=ConstantLatency(0, amend=amend), events=events)
        assert told(result) == [(1, 99.5, minute)]


@WAYS
def test_no_request_overtakes_another(bars, run, events):
    """The cancel takes no time, and still waits for the order it is for."""

    def on_bar(strategy, bar):
        if strategy.bar == 0:
            strategy.cancel(strategy.buy(1.0))

    result = run(bars([100.0] * 5), on_bar=on_bar, latency=ConstantLatency("90s", cancel=0), events=events)
    (order,) = result.order_records
    assert (order.status, order.accepted, (order.updated_at - START) / MINUTE_NS) == (OrderStatus.CANCELED, True, 3)


@WAYS
def test_what_was_sent_later_arrives_no_earlier_even_for_another_instrument(bars, run, events):
    def on_step(strategy):
        if not strategy.sent:
            strategy.sent = [strategy.buy(1.0, limit=1.0, data=name) for name in ("A", "B")]
            strategy.cancel(strategy.sent[0])
            strategy.sent.append(strategy.sell(1.0, limit=900.0, data="B"))

    class Shrinking:
        """Each request is faster than the one before: 3 minutes, 2, 1, 0."""

        def __init__(self):
            self.left = 4

        def delay(self, request, ts, chance):
            self.left -= 1
            return self.left * MINUTE_NS

    seen = []
    run(
        {name: bars([100.0] * 3, name, every=10 * MINUTE_NS) for name in ("A", "B")},
        on_start=lambda strategy: setattr(strategy, "sent", []),
        on_step=on_step,
        on_order=lambda strategy, order: seen.append((order.id, str(order.status), (strategy.now - START) / MINUTE_NS)),
        latency=Shrinking(),
        events=events,
    )
    assert seen == [(1, "pending_cancel", 4), (1, "canceled", 4), (2, "accepted", 4), (3, "accepted", 4)]


@WAYS
def test_at_this_close_it_trades_at_the_close_of_the_bar_in_which_it_arrives(bars, run, events):
    result = run(
        bars([100.0, 101.0, 102.0, 103.0]),
        on_bar=lambda strategy, bar: strategy.buy(1.0) if strategy.bar == 0 else None,
        latency="10s",
        market_fill="this_close",
        events=events,
    )
    assert told(result) == [(1, 101.0, 2)]


@WAYS
def test_what_has_not_arrived_when_the_data_ends_was_only_sent(bars, run, events):
    result = run(bars([100.0] * 3), on_bar=lambda strategy, bar: strategy.buy(1.0), latency="5m", events=events)
    assert {str(order.status) for order in result.order_records} == {"submitted"}


@WAYS
def test_measured_latencies_by_time(bars, run, events):
    times = pd.to_datetime(["2024-03-01 09:00", "2024-03-01 10:02"])
    result = run(
        bars([100.0] * 7),
        on_bar=lambda strategy, bar: strategy.buy(1.0),
        latency=RecordedLatency(times, ["90s", "1ms"]),
        events=events,
    )
    # Sent after one minute and known 90 s later; after two minutes and more, known a moment later but never before it.
    assert [minute for _, _, minute in told(result)] == [3, 3, 4, 5, 6]


# Lengths of time.


def draws(model, count=4_000, request=SUBMIT):
    chance = Random(5)
    return [model.delay(request, START, chance) for _ in range(count)]


def distance(sample, share):
    """Return the largest distance of a sample from a distribution function (Kolmogorov and Smirnov)."""
    ordered = sorted(sample)
    steps = [(share(x), n / len(ordered), (n + 1) / len(ordered)) for n, x in enumerate(ordered)]
    return max(max(abs(f - low), abs(f - high)) for f, low, high in steps)


#: What 4,000 draws of the right distribution stay below in 99.9 % of all cases.
KS = 1.95 / 4_000**0.5


def test_uniform():
    drawn = draws(UniformLatency("20ms", "80ms"))
    assert min(drawn) >= 20e6
    assert max(drawn) <= 80e6
    assert distance(drawn, lambda x: (x - 20e6) / 60e6) < KS


@pytest.mark.parametrize(("least", "most"), [(0, None), ("30ms", "55ms"), ("60ms", None), (0, "45ms")])
def test_normal_and_cut(least, most):
    model = NormalLatency("50ms", "10ms", least, most)
    curve = NormalDist(50e6, 10e6)
    low, high = curve.cdf(model.least), 1.0 if most is None else curve.cdf(model.most)
    drawn = draws(model)
    assert model.least <= min(drawn)
    assert max(drawn) <= (model.most or 10**10)
    assert distance(drawn, lambda x: (curve.cdf(x) - low) / (high - low)) < KS


def test_lognormal():
    drawn = draws(LognormalLatency("50ms", 0.4))
    assert median(drawn) == pytest.approx(50e6, rel=0.03)
    assert stdev(map(log, drawn)) == pytest.approx(0.4, rel=0.05)
    assert distance([log(x) for x in drawn], NormalDist(log(50e6), 0.4).cdf) < KS
    assert max(draws(LognormalLatency("50ms", 0.4, "60ms"))) == 60_000_000


def test_constant():
    assert [ConstantLatency("50ms").delay(one, 0, None) for one in Request] == [50_000_000] * 3
    each = ConstantLatency("1.5s", cancel=timedelta(seconds=2), amend=np.timedelta64(3, "s"))
    assert [each.delay(one, 0, None) / SECOND_NS for one in (SUBMIT, CANCEL, AMEND)] == [1.5, 2.0, 3.0]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (None, None),
        ("50ms", ConstantLatency(50_000_000)),
        (7, ConstantLatency(7)),
        (pd.Timedelta(9, "ns"), ConstantLatency(9)),
        ({"use": "uniform", "least": "1ms", "most": "2ms"}, UniformLatency("1ms", "2ms")),
        ({"use": "lognormal-latency", "median": "1ms"}, LognormalLatency("1ms")),
    ],
)
def test_what_an_option_means(said, meant):
    assert latency_model(said) == meant


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: latency_model(0.05), "latency is 0.05; give a length of time such as '50ms'"),
        (lambda: latency_model(-5), "ConstantLatency: submit is -5, which is negative; nothing arrives before it"),
        (lambda: latency_model("-1s"), "ConstantLatency: submit is '-1s', which is negative"),
        (lambda: latency_model("-0.5 ms"), "ConstantLatency: submit is '-0.5 ms', which is negative"),
        (
            lambda: latency_model({"use": "uniform", "least": "-1ms", "most": "1s"}),
            "least is '-1ms', which is negative",
        ),
        (lambda: latency_model("50 mss"), "latency is '50 mss'; there is no such latency model"),
        (lambda: latency_model(UniformLatency), "latency is <class"),
        (lambda: UniformLatency("2s", "1s"), "least (2,000,000,000 ns) is above most (1,000,000,000 ns)"),
        (lambda: NormalLatency("50ms", 0), "deviation is 0; use ConstantLatency"),
        (lambda: NormalLatency("1ms", "1ns", "1h"), "there is nothing of a distribution around 1,000,000 ns"),
        (lambda: LognormalLatency(0), "median is 0; leave latency out"),
        (lambda: LognormalLatency("1s", -1.0), "sigma is -1.0"),
        (lambda: RecordedLatency("now", [1]), "times is 'now'; give a list"),
        (lambda: RecordedLatency(["2024-01-01"], [-1]), "latencies is -1, which is negative"),
        (lambda: RecordedLatency(["2024-01-01"], []), "1 times and 0 values"),
        (lambda: rejection_model("often"), "there is no such rejection model. Known: random"),
        (lambda: rejection_model(1.5), "rate is 1.5; it is a fraction of the requests"),
        (lambda: rejection_model([1]), "rejection is [1]; give the fraction of new orders"),
        (lambda: RandomRejection(0.1, cancels=-1), "cancels is -1"),
    ],
)
def test_settings_that_make_no_model(make, message):
    with pytest.raises(ParameterError) as caught:
        make()
    assert message in str(caught.value)


def test_a_model_of_ones_own_that_goes_back_in_time_is_told(bars, run):
    class Early:
        def delay(self, request, ts, chance):
            return -1

    with pytest.raises(ParameterError, match="latency is -1 ns for the submit of order 1"):
        run(bars([100.0] * 3), on_bar=lambda strategy, bar: strategy.buy(1.0), latency=Early())


@pytest.mark.parametrize("option", [{"latency": "50ms"}, {"rejection": 0.1}])
def test_backtraders_broker_has_neither(bars, run, option):
    with pytest.raises(ParameterError, match="backtrader's broker knows nothing like it"):
        run(bars([100.0] * 3), rules="backtrader", **option)


# Refusals by chance.


def send_and_cancel(strategy, bar):
    strategy.cancel_all()
    strategy.buy(1.0, limit=50.0)


@pytest.mark.parametrize("latency", [None, "10s"])
def test_a_fraction_of_the_orders_is_refused_by_the_venue(bars, run, latency):
    results = [
        run(bars([100.0] * 600), on_bar=send_and_cancel, rejection=0.2, latency=latency, seed=seed, events=events)
        for seed, events in ((0, False), (0, True), (1, False))
    ]
    reasons = [[order.reason for order in result.order_records] for result in results]
    assert reasons[0] == reasons[1] != reasons[2]
    assert 90 < reasons[0].count("random_rejection") < 150  # 120 expected, 9.8 is one deviation
    assert "orders were rejected: random_rejection. The first is order" in " ".join(results[0].warnings)


def test_refused_cancels_and_amends_leave_the_order_as_it_was(bars, run):
    seen = []

    def on_bar(strategy, bar):
        if strategy.bar == 0:
            strategy.order = strategy.buy(1.0, limit=50.0)
        elif strategy.bar == 1:
            strategy.modify(strategy.order, limit=60.0)
        elif strategy.bar == 2:
            strategy.cancel(strategy.order)
        seen.append((str(strategy.order.status), strategy.order.limit_price, strategy.order.reason))

    run(bars([100.0] * 5), on_bar=on_bar, rejection=RandomRejection(0.0, cancels=1.0, amends=1.0))
    assert seen[1:] == [
        ("pending_replace", 50.0, ""),
        ("pending_cancel", 50.0, ""),
        ("accepted", 50.0, "random_rejection"),
        ("accepted", 50.0, "random_rejection"),
    ]


def test_it_leaves_the_strategys_own_chance_alone(bars, run):
    drawn = []
    for options in ({}, {"rejection": 0.5, "latency": UniformLatency(0, "1s")}):
        numbers = []
        run(
            bars([100.0] * 30),
            on_bar=lambda strategy, bar, numbers=numbers: (strategy.buy(1.0), numbers.append(strategy.chance.random())),
            **options,
        )
        drawn.append(numbers)
    assert drawn[0] == drawn[1]
