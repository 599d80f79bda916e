"""Rules that remember, against pandas, NumPy and counting by hand; and what a restart brings back."""

from __future__ import annotations

import random
from math import nan

import attrs
import numpy as np
import pandas as pd
import pytest

from cambist.engine.strategy_state import decode_state, encode_state
from cambist.errors import InputError, ParameterError
from cambist.model import Instrument, Order, OrderType, Side, TimeInForce, TradingState, WorkingOrders
from cambist.model.times import HOUR_NS, MINUTE_NS, to_ns
from cambist.ports import AccountMoment, EquityRule, StatefulRule
from cambist.risk import fresh_rules
from cambist.risk.rules.consecutive_losses import MaxConsecutiveLossesRule
from cambist.risk.rules.daily_loss import MaxDailyLossRule
from cambist.risk.rules.drawdown import MaxDrawdownRule
from cambist.risk.rules.order_rate import MaxOrderRateRule
from cambist.risk.rules.position import MaxPositionRule

ACME = Instrument(symbol="ACME")
HALTED, REDUCING, ACTIVE = TradingState.HALTED, TradingState.REDUCING, TradingState.ACTIVE


def walk(seed, count=400, start="2024-03-06", step=3 * HOUR_NS):
    """Return times about a change of summer time, and whole equities, so that every sum is exact."""
    rng = np.random.default_rng(seed)
    times = to_ns(start) + np.cumsum(rng.integers(1, step // MINUTE_NS, count)) * MINUTE_NS
    return times.tolist(), (10_000.0 + np.cumsum(rng.integers(-60, 61, count))).tolist()


def requests(rule, times, equities, moved=None, *, saved_at=-1):
    """Return what a rule asks for at each moment, by row; at row `saved_at` a restart happens."""
    found = {}
    for row, (ts, equity) in enumerate(zip(times, equities, strict=True)):
        if row == saved_at:
            state = decode_state(encode_state(rule.name, rule.save_state()))
            rule = rule.fresh()
            rule.load_state(state)
        asked = rule.on_equity(AccountMoment(ts, "", equity, 0.0 if moved is None else moved[row]))
        if asked is not None:
            found[row] = asked.state
    return found


# The loss of a day.


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    ("zone", "starts"),
    [("UTC", "00:00"), ("America/New_York", "00:00"), ("America/New_York", "17:00"), ("Asia/Kolkata", "09:15")],
)
def test_a_day_and_its_loss_are_those_of_pandas(seed, zone, starts):
    times, equities = walk(seed)
    local = pd.DatetimeIndex(np.array(times) - 1).tz_localize("UTC").tz_convert(zone).tz_localize(None)
    days = (local - pd.Timedelta(f"{starts}:00")).floor("D")
    frame = pd.DataFrame({"equity": equities, "day": days})
    before = frame.groupby("day")["equity"].last().shift(1).fillna(equities[0])
    frame["lost"] = frame["day"].map(before) - frame["equity"]
    expected, was_tripped = {}, False
    for _, day in frame.groupby("day"):
        over = day.index[day["lost"] >= 80.0]
        if was_tripped and day.index[0] not in over[:1]:
            expected[day.index[0]] = ACTIVE
        if len(over):
            expected[over[0]] = HALTED
        was_tripped = len(over) > 0
    rule = MaxDailyLossRule(amount=80.0, time_zone=zone, day_starts=starts)
    assert requests(rule, times, equities) == expected
    assert list(expected.values()).count(HALTED) > 3
    assert ACTIVE in expected.values()


def test_a_share_of_the_days_loss_is_one_of_the_equity_at_its_start():
    hours = [to_ns("2024-03-01T12:00"), to_ns("2024-03-01T18:00"), to_ns("2024-03-02T00:00"), to_ns("2024-03-02T00:01")]
    rule = MaxDailyLossRule(share=0.05, then="reduce", orders="keep")
    asked = [
        rule.on_equity(AccountMoment(ts, "", equity)) for ts, equity in zip(hours, [100, 95.1, 95, 91], strict=True)
    ]
    assert asked[:2] == [None, None]
    assert asked[2].state is REDUCING, "a bar that closes at midnight belongs to the day that ends"
    assert (asked[2].scope, asked[2].orders) == ("", WorkingOrders.KEEP)
    assert asked[2].reason == "the day's loss is 5, 5.00% of 100, which reaches the limit of 5.00%"
    assert asked[3].state is ACTIVE, "4 of 95 is less than a twentieth"


def test_a_loss_may_wait_for_an_operator():
    times, equities = walk(3)
    rule = MaxDailyLossRule(amount=150.0, until="resumed")
    found = requests(rule, times, equities)
    assert list(found.values()) == [HALTED]
    (row,) = found
    rule = rule.fresh()
    requests(rule, times[: row + 1], equities[: row + 1])
    rule.on_resume("account:other")
    assert requests(rule, times[row + 1 : row + 2], [0.0]) == {}, "another account was resumed"
    rule.load_state({"days": {"": [times[row] + HOUR_NS, 9_000.0, 8_000.0, True]}})
    rule.on_resume("")
    assert requests(rule, [times[row] + MINUTE_NS], [7_851.0]) == {}, "it counts from the last equity on"
    assert requests(rule, [times[row] + 2 * MINUTE_NS], [7_850.0]) == {0: HALTED}


# The drawdown.


@pytest.mark.parametrize("seed", range(8))
def test_a_drawdown_is_that_of_numpy(seed):
    times, equities = walk(seed)
    values = np.array(equities)
    drawdown = np.maximum.accumulate(values) - values
    over = np.flatnonzero(drawdown >= 300.0)
    assert requests(MaxDrawdownRule(amount=300.0), times, equities) == {int(row): HALTED for row in over[:1]}
    over = np.flatnonzero(drawdown / np.maximum.accumulate(values) >= 0.031)
    assert requests(MaxDrawdownRule(share=0.031), times, equities) == {int(row): HALTED for row in over[:1]}
    assert len(over)


def test_after_it_was_resumed_the_peak_is_the_equity_of_then():
    rule = MaxDrawdownRule(amount=10.0)
    assert requests(rule, range(3), [100.0, 90.0, 80.0]) == {1: HALTED}
    rule.on_resume("")
    assert requests(rule, range(4), [75.0, 71.0, 70.0, 60.0]) == {2: HALTED}


# Both.


@pytest.mark.parametrize("make", [lambda: MaxDailyLossRule(amount=150.0), lambda: MaxDrawdownRule(amount=300.0)])
def test_money_that_comes_and_goes_is_neither_profit_nor_loss(make):
    for seed in range(10):
        times, equities = walk(seed)
        rng = random.Random(seed)
        moved = [rng.choice([0.0] * 8 + [500.0, -400.0]) for _ in times]
        with_money = (np.array(equities) + np.cumsum(moved)).tolist()
        assert requests(make(), times, with_money, moved) == requests(make(), times, equities)


@pytest.mark.parametrize(
    "make",
    [
        lambda: MaxDailyLossRule(share=0.015),
        lambda: MaxDailyLossRule(amount=150.0, until="resumed", time_zone="Europe/Berlin"),
        lambda: MaxDrawdownRule(share=0.03),
    ],
)
def test_a_restart_forgets_nothing(make):
    times, equities = walk(5)
    whole = requests(make(), times, equities)
    assert whole
    for cut in range(0, len(times), 13):
        assert requests(make(), times, equities, saved_at=cut) == whole


def test_each_account_is_watched_by_itself():
    rule = MaxDrawdownRule(amount=10.0)
    assert rule.on_equity(AccountMoment(1, "a", 100.0)) is None
    assert rule.on_equity(AccountMoment(1, "b", 50.0)) is None
    assert rule.on_equity(AccountMoment(2, "b", 40.0)).scope == "account:b"
    assert rule.on_equity(AccountMoment(2, "a", 95.0)) is None


# Losing trades.


@attrs.frozen
class Closed:
    """A round trip."""

    net: float


def test_losing_trades_in_a_row_are_counted():
    rng = random.Random(4)
    for limit in (1, 2, 3):
        rule, streak, tripped = MaxConsecutiveLossesRule(limit), 0, False
        for ts in range(200):
            nets = [rng.choice([-1.0, -1.0, 0.0, 2.0]) for _ in range(rng.randrange(3))]
            asked = rule.on_equity(AccountMoment(ts, "", 0.0, 0.0, [Closed(net) for net in nets]))
            for net in nets:
                streak = 0 if net > 0 else streak + (net < 0)
            assert (asked is not None) == (streak >= limit and not tripped)
            tripped = tripped or asked is not None
            if tripped and rng.random() < 0.3:
                rule.on_resume("")
                streak, tripped = 0, False


def test_a_pause_ends_by_itself():
    rule = MaxConsecutiveLossesRule(2, pause="1m")
    lost = [Closed(-1.0), Closed(-1.0)]
    assert rule.on_equity(AccountMoment(0, "", 0.0, 0.0, lost)).reason == (
        "2 trades in a row were lost, the limit is 2"
    )
    assert rule.on_equity(AccountMoment(MINUTE_NS, "", 0.0)) is None
    again = rule.fresh()
    again.load_state(decode_state(encode_state("", rule.save_state())))
    for one in (rule, again):
        assert one.on_equity(AccountMoment(MINUTE_NS + 1, "", 0.0)).state is ACTIVE
        assert one.on_equity(AccountMoment(MINUTE_NS + 2, "", 0.0, 0.0, lost[:1])) is None


# The rate of orders.


class View:
    """What a rate of orders is told: the time, and what is left to close."""

    def __init__(self, left=0.0):
        self.ts, self.left = 0, left

    def now(self):
        return self.ts

    def reducible_size(self, order):
        return self.left


def order(strategy="s", *, size=1.0, reduce_only=False):
    return Order(1, ACME, Side.BUY, OrderType.MARKET, size, nan, nan, TimeInForce.GTC, 0, reduce_only, strategy, "", 0)


@pytest.mark.parametrize("seed", range(12))
def test_orders_within_a_window_are_counted_as_by_hand(seed):
    rng = random.Random(seed)
    limit, window = rng.randrange(1, 6), rng.randrange(30, 90)
    per = rng.choice(["run", "strategy"])
    rule, view, left = MaxOrderRateRule(limit, window, per=per), View(), []
    refused = 0
    for _ in range(400):
        view.ts += rng.randrange(0, 12)
        strategy = rng.choice("ab")
        mine = [ts for ts, whose in left if ts > view.ts - window and (per == "run" or whose == strategy)]
        refusal = rule.review(order(strategy), view)
        assert (refusal is None) == (len(mine) < limit)
        if refusal is None:
            left.append((view.ts, strategy))
        refused += refusal is not None
        if rng.random() < 0.05:
            state = decode_state(encode_state("", rule.save_state()))
            rule = rule.fresh()
            rule.load_state(state)
    assert 0 < refused < 400


def test_what_only_reduces_is_counted_and_let_through():
    rule, view = MaxOrderRateRule(1), View(left=2.0)
    assert rule.review(order(), view) is None
    assert rule.review(order(size=2.0), view) is None
    assert rule.review(order(size=9.0, reduce_only=True), view) is None
    refusal = rule.review(order(size=2.1), view)
    assert (refusal.code, refusal.request) == ("order_rate_above_limit", None)
    assert refusal.message == (
        "1 orders of the run left within the last 60 s, and that is the limit; wait, or send fewer."
    )


def test_a_rate_may_halt_what_it_counts_until_it_is_resumed():
    rule, view = MaxOrderRateRule(1, "1h", per="strategy", then="reduce", orders="cancel"), View()
    assert rule.review(order("a"), view) is None
    assert rule.review(order("b"), view) is None
    request = rule.review(order("a"), view).request
    assert (request.state, request.scope, request.orders) == (REDUCING, "strategy:a", WorkingOrders.CANCEL)
    rule.on_resume("strategy:a")
    assert rule.review(order("a"), view) is None
    assert rule.review(order("b"), view) is not None


# Settings.


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (MaxDailyLossRule, "max-daily-loss: amount is None and share None; give one of them"),
        (lambda: MaxDailyLossRule(1.0, 0.1), "amount is 1.0 and share 0.1; give one of them"),
        (lambda: MaxDailyLossRule(amount=0.0), "amount is 0.0; it must be a positive amount of money"),
        (lambda: MaxDailyLossRule(share=1.5), "share is 1.5; it is a fraction above 0 and at most 1"),
        (lambda: MaxDailyLossRule(1.0, then="stop"), "max-daily-loss: then is 'stop'"),
        (lambda: MaxDailyLossRule(1.0, until="tomorrow"), "max-daily-loss: until is 'tomorrow'"),
        (lambda: MaxDailyLossRule(1.0, orders="cancle"), "orders is 'cancle'. Did you mean 'cancel'"),
        (lambda: MaxDailyLossRule(1.0, time_zone="Mars"), "tz is 'Mars', and no time zone has that name"),
        (lambda: MaxDailyLossRule(1.0, day_starts="25:00"), "'25:00' is no time of day"),
        (lambda: MaxDrawdownRule(share=nan), "max-drawdown: share is nan"),
        (lambda: MaxOrderRateRule(0), "max-order-rate: limit is 0; it must be a whole number, at least 1"),
        (lambda: MaxOrderRateRule(2.0), "limit is 2.0; it must be a whole number"),
        (lambda: MaxOrderRateRule(1, "0m"), "window is '0m'; it must be longer than nothing"),
        (lambda: MaxOrderRateRule(1, "soon"), "'soon' is no length of time"),
        (lambda: MaxOrderRateRule(1, per="account"), "per is 'account'"),
        (lambda: MaxOrderRateRule(1, then="wait"), "then is 'wait'"),
        (lambda: MaxConsecutiveLossesRule(True), "max-consecutive-losses: limit is True"),
        (lambda: MaxConsecutiveLossesRule(1, "-1h"), "pause is '-1h'; it must be longer than nothing"),
    ],
)
def test_settings_that_cannot_be_are_named(make, message):
    with pytest.raises((ParameterError, InputError)) as caught:
        make()
    assert message in str(caught.value)


def test_rules_are_what_their_protocols_say_and_a_run_gets_its_own():
    remembering = [
        *(MaxDailyLossRule(1.0), MaxDrawdownRule(1.0)),
        *(MaxConsecutiveLossesRule(1), MaxOrderRateRule(1)),
    ]
    assert all(isinstance(rule, StatefulRule) for rule in remembering)
    assert [isinstance(rule, EquityRule) for rule in remembering] == [True, True, True, False]
    plain = MaxPositionRule(1.0)
    assert not isinstance(plain, StatefulRule)
    own = fresh_rules([*remembering, plain])
    assert own[-1] is plain
    for rule, before in zip(own, remembering, strict=False):
        assert rule is not before
        assert rule._settings == before._settings
