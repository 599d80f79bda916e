"""What ``rules="backtrader"`` does where backtrader has no say; tests/differential compares the rest with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import cambist
from cambist import InputError, Instrument, Order, OrderStatus, ParameterError, Strategy
from cambist.risk.rules.order_value import MaxOrderValueRule

if TYPE_CHECKING:
    from collections.abc import Callable

FLAT = (100.0, 101.0, 99.0, 100.0, 1_000.0)


def minutes(*bars: tuple[float, ...]) -> pd.DataFrame:
    index = pd.date_range("2024-03-01 10:00", periods=len(bars), freq="min")
    return pd.DataFrame(bars, index, ["open", "high", "low", "close", "volume"])


def run(bars: pd.DataFrame, *steps: Callable[[Any], None], **options: Any) -> cambist.Result:
    """Run a strategy that does one of the steps at each close."""

    class Steps(Strategy):
        def on_start(self) -> None:
            self.sent: list[Order] = []
            self.left = list(steps)

        def on_bar(self, bar: Any) -> None:
            if self.left:
                self.left.pop(0)(self)

    options = {"rules": "backtrader", "cash": 10_000.0, "benchmark": False, **options}
    return cambist.backtest(Steps, bars, **options)


def keep(strategy: Any, order: Order | None) -> None:
    strategy.sent.append(order)


def nothing(strategy: Any) -> None:
    """Let a bar pass."""


def fills(result: cambist.Result) -> list[tuple[int, float, float]]:
    return [(fill.order_id, fill.size, fill.price) for fill in result.fill_records]


@pytest.mark.parametrize(
    ("option", "value"),
    [("path", "pessimistic"), ("fill_on_touch", False), ("leverage", 2.0)],
    ids=str,
)
def test_an_option_that_backtrader_does_not_have_is_refused_by_name(option, value):
    with pytest.raises(ParameterError, match=rf"{option} is .*backtrader's broker knows nothing like it"):
        run(minutes(FLAT, FLAT), **{option: value})


def test_an_instrument_that_posts_margin_is_refused():
    perpetual = Instrument(symbol="BTCUSDT", kind="linear_perpetual", margin_rate=0.1)
    with pytest.raises(InputError, match="BTCUSDT is a linear_perpetual"):
        run(minutes(FLAT, FLAT), instrument=perpetual)


@pytest.mark.parametrize("time_in_force", ["ioc", "fok"])
def test_an_order_that_must_trade_at_once_is_rejected(time_in_force):
    result = run(minutes(FLAT, FLAT), lambda s: s.buy(1, time_in_force=time_in_force))
    (order,) = result.order_records
    assert order.status is OrderStatus.REJECTED
    assert order.reason.startswith(f"unsupported_time_in_force: backtrader has no '{time_in_force}' orders")


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"touch": 99.0}, "unsupported_order_type: backtrader has no market_if_touched orders"),
        ({"touch": 99.0, "limit": 99.5}, "unsupported_order_type: backtrader has no limit_if_touched orders"),
        ({"limit": 99.0, "post_only": True}, "unsupported_post_only: backtrader has no post-only orders"),
    ],
    ids=lambda given: given.partition(":")[0] if isinstance(given, str) else "-".join(given),
)
def test_an_order_of_a_kind_that_backtrader_does_not_have_is_rejected(terms, reason):
    result = run(minutes(FLAT, FLAT), lambda s: s.buy(1, **terms))
    (order,) = result.order_records
    assert order.status is OrderStatus.REJECTED
    assert order.reason.startswith(reason)


def test_an_order_is_accepted_with_the_next_bar():
    seen: list[OrderStatus] = []
    result = run(
        minutes(FLAT, FLAT, FLAT),
        lambda s: keep(s, s.buy(1, limit=50.0)),
        lambda s: seen.append(s.sent[0].status),
        lambda s: keep(s, s.buy(1)),
    )
    assert seen == [OrderStatus.ACCEPTED]
    assert [order.status for order in result.order_records] == [OrderStatus.ACCEPTED, OrderStatus.SUBMITTED]


def test_the_gate_leaves_money_to_the_venue_and_keeps_its_other_rules():
    # Sold short without end: the default gate would refuse it, and so would the default venue.
    result = run(minutes(FLAT, FLAT), lambda s: s.sell(100_000), risk=[MaxOrderValueRule(20_000_000.0)])
    assert fills(result) == [(1, 100_000.0, 100.0)]
    result = run(minutes(FLAT, FLAT), lambda s: s.sell(100_000), risk=[MaxOrderValueRule(1_000.0)])
    assert result.order_records[0].reason.startswith("order_value_above_limit")


def test_new_terms_hold_from_the_next_bar_on():
    result = run(
        minutes(FLAT, FLAT, FLAT),
        lambda s: keep(s, s.buy(1, limit=50.0)),
        lambda s: s.modify(s.sent[0], size=3, limit=99.5),
    )
    assert fills(result) == [(1, 3.0, 99.5)]


def test_new_terms_can_be_asked_for_at_the_very_close():
    def send_and_modify(strategy: Any) -> None:
        keep(strategy, strategy.buy(500, limit=99.5))
        strategy.modify(strategy.sent[0], size=2)

    # The order as it stood would have been more than the account can pay for.
    assert fills(run(minutes(FLAT, FLAT), send_and_modify)) == [(1, 2.0, 99.5)]


def test_a_market_order_with_a_new_size_is_still_checked_at_the_close():
    def send_and_modify(strategy: Any) -> None:
        keep(strategy, strategy.buy(1))
        strategy.modify(strategy.sent[0], size=500)

    (order,) = run(minutes(FLAT, FLAT), send_and_modify).order_records
    assert (order.status, order.reason) == (OrderStatus.REJECTED, "insufficient_funds")


def test_new_terms_that_come_too_late_are_refused():
    """Asked for when another fill is heard of, the bar has been walked already; the order is filled by then."""

    class Late(Strategy):
        def on_start(self) -> None:
            self.sent: list[Any] = []

        def on_bar(self, bar: Any) -> None:
            if not self.sent:
                self.sent = [self.buy(1), self.buy(1)]

        def on_fill(self, fill: cambist.Fill) -> None:
            if fill.order_id == self.sent[0].id:
                self.modify(self.sent[1], size=5)

    result = cambist.backtest(Late, minutes(FLAT, FLAT), rules="backtrader")
    assert fills(result) == [(1, 1.0, 100.0), (2, 1.0, 100.0)]
    assert [order.status for order in result.order_records] == [OrderStatus.FILLED, OrderStatus.FILLED]


def test_an_order_that_only_reduces_is_cut_to_the_position_and_ends():
    result = run(
        minutes(FLAT, FLAT, FLAT),
        lambda s: s.buy(2),
        lambda s: s.sell(5, limit=100.5, reduce_only=True),
    )
    assert fills(result) == [(1, 2.0, 100.0), (2, 2.0, 100.5)]
    assert (result.order_records[1].status, result.order_records[1].reason) == ("canceled", "nothing_to_reduce")


def test_an_order_that_only_reduces_ends_where_nothing_is_left():
    def exit_twice(strategy: Any) -> None:
        strategy.sell(2, stop=99.5)
        strategy.close()

    result = run(minutes(FLAT, FLAT, FLAT), lambda s: s.buy(2), exit_twice)
    assert fills(result) == [(1, 2.0, 100.0), (2, 2.0, 99.5)]
    assert (result.order_records[2].status, result.order_records[2].reason) == ("canceled", "nothing_to_reduce")


def test_a_slipped_price_lies_on_the_tick_of_an_instrument_that_has_one():
    ticked = Instrument(symbol="X", tick_size="0.25")
    result = run(minutes(FLAT, FLAT), lambda s: s.buy(1), slippage=0.001, instrument=ticked)
    assert fills(result) == [(1, 1.0, 100.25)]


def test_a_share_of_the_volume_in_percent_has_no_noise():
    """0.29 * 100 is a little less than 29, and 100 units are to give 29 of them."""
    result = run(minutes(FLAT, (*FLAT[:4], 100.0)), lambda s: s.buy(40), volume_limit=0.29)
    assert fills(result) == [(1, 29.0, 100.0)]


def test_a_day_order_lives_through_the_day_of_the_bar_at_whose_close_it_was_sent():
    late = pd.date_range("2024-03-01 23:57", periods=5, freq="min")
    dips = [FLAT, FLAT, FLAT, (100.0, 101.0, 90.0, 100.0, 1_000.0), FLAT]
    bars = pd.DataFrame(dips, late, ["open", "high", "low", "close", "volume"])
    result = run(bars, lambda s: s.buy(1, limit=95.0, time_in_force="day"))
    assert result.order_records[0].status is OrderStatus.EXPIRED
    assert result.orders["updated_at"].tolist() == [pd.Timestamp("2024-03-02 00:01", tz="UTC")]
    # Sent at midnight, but at the close of the last bar of the day before.
    result = run(bars, nothing, nothing, lambda s: s.buy(1, limit=95.0, time_in_force="day"))
    assert result.order_records[0].status is OrderStatus.EXPIRED


def ends(result: cambist.Result) -> list[tuple[str, str]]:
    return [(str(order.status), order.reason) for order in result.order_records]


def bracket(strategy: Any) -> None:
    strategy.sent += strategy.buy_bracket(2, limit=99.5, stop_loss=95.0, take_profit=102.0)


def test_why_the_orders_of_a_bracket_ended():
    canceled = run(minutes(*[FLAT] * 4), bracket, nothing, lambda s: s.cancel(s.sent[1]))
    assert ends(canceled) == [("filled", ""), ("canceled", ""), ("canceled", "oco")]
    resting = (100.0, 101.0, 99.8, 100.0, 1_000.0)
    by_child = run(minutes(FLAT, resting, resting, resting), bracket, lambda s: s.cancel(s.sent[2]))
    assert ends(by_child) == [("canceled", "child_ended"), ("canceled", "oco"), ("canceled", "")]
    by_parent = run(minutes(FLAT, resting, resting, resting), bracket, lambda s: s.cancel(s.sent[0]))
    assert ends(by_parent) == [("canceled", ""), ("canceled", "parent_ended"), ("canceled", "parent_ended")]
    unpaid = run(minutes(FLAT, resting, resting), bracket, cash=10.0)
    assert ends(unpaid) == [
        ("rejected", "insufficient_funds"),
        ("rejected", "parent_ended"),
        ("rejected", "parent_ended"),
    ]


def test_a_child_of_an_order_that_is_rejected_is_rejected_with_the_next_bar():
    def family(strategy: Any) -> None:
        keep(strategy, strategy.buy(1, touch=99.0))
        keep(strategy, strategy.sell(1, limit=105.0, parent=strategy.sent[0]))

    seen: list[str] = []
    result = run(minutes(FLAT, FLAT, FLAT), family, lambda s: seen.append(str(s.sent[1].status)))
    assert seen == ["rejected"]
    assert ends(result)[1] == ("rejected", "parent_ended")


def test_explicitly_tied_children_end_each_other_by_the_first_part_and_legs_of_a_bracket_do_not():
    thin = (100.0, 103.0, 99.0, 101.0, 50.0)

    def family(strategy: Any, **terms: Any) -> None:
        entry = strategy.buy(8)
        stop = strategy.sell(8, stop=95.0, parent=entry, **terms)
        strategy.sell(8, limit=102.0, parent=entry, oco=stop, **terms)

    tied = run(minutes(FLAT, FLAT, thin), family, volume_limit=0.1)
    assert ends(tied) == [("filled", ""), ("canceled", "oco"), ("partially_filled", "")]
    legs = run(minutes(FLAT, FLAT, thin), lambda s: family(s, reduce_only=True), volume_limit=0.1)
    assert ends(legs) == [("filled", ""), ("accepted", ""), ("partially_filled", "")]


@pytest.mark.parametrize("follows", ["extremes", "closes"])
def test_the_stop_of_a_trailing_order_is_seen_to_follow_closes(follows):
    stops: list[float] = []
    rising = [FLAT, (100.0, 109.0, 100.0, 105.0, 1_000.0), (105.0, 106.0, 104.0, 104.0, 1_000.0)]
    result = run(
        minutes(*rising),
        lambda s: keep(s, s.sell(1, trail=4.0, trail_limit=1.0, trail_on=follows)),
        lambda s: stops.append(s.sent[0].stop_price),
        lambda s: stops.append(s.sent[0].limit_price),
    )
    assert stops == [101.0, 100.0]
    assert result.order_records[0].is_open


def test_a_trailing_stop_sent_when_a_fill_is_heard_of_begins_at_the_close_of_that_bar():
    stops: list[float] = []

    class Protected(Strategy):
        def on_bar(self, bar: Any) -> None:
            if not self.position:
                self.buy(1)
            stops.extend(order.stop_price for order in self.open_orders if order.trail)

        def on_fill(self, fill: cambist.Fill) -> None:
            if fill.side is cambist.Side.BUY:
                self.sell(1, trail=4.0)

    jump = (100.0, 109.0, 100.0, 108.0, 1_000.0)
    flat_again = (108.0, 108.5, 107.5, 108.0, 1_000.0)
    cambist.backtest(Protected, minutes(FLAT, jump, flat_again), rules="backtrader")
    # As sent it has what the fill told; backtrader's broker knows the bar's close by then.
    assert stops == [96.0, 104.0]


def test_new_terms_of_a_trailing_order_outlive_where_it_would_begin():
    def send_and_modify(strategy: Any) -> None:
        keep(strategy, strategy.sell(1, trail=4.0))
        strategy.modify(strategy.sent[0], stop=99.5)

    assert fills(run(minutes(FLAT, FLAT), send_and_modify)) == [(1, 1.0, 99.5)]


def test_the_trailing_child_of_an_instrument_without_a_price_begins_at_its_first_open():
    class Early(Strategy):
        def on_start(self) -> None:
            self.sent: list[Any] = []

        def on_bar(self, bar: Any) -> None:
            if not self.sent:
                entry = self.buy(1, data="early")
                self.sent = [entry, self.sell(1, data="late", trail=4.0, parent=entry)]

    late = minutes(*[FLAT] * 6).iloc[4:]
    late.iloc[1] = (97.0, 97.0, 90.0, 91.0, 1_000.0)
    result = cambist.backtest(Early, {"early": minutes(*[FLAT] * 6), "late": late}, rules="backtrader")
    assert fills(result) == [(1, 1.0, 100.0), (2, 1.0, 96.0)]


def test_an_order_for_the_close_is_dated_to_the_last_bar_of_its_day():
    late = pd.date_range("2024-03-01 23:57", periods=5, freq="min")
    bars = pd.DataFrame(
        [(price, price, price, price, 50.0) for price in (100.0, 101.0, 102.0, 103.0, 104.0)],
        late,
        ["open", "high", "low", "close", "volume"],
    )
    result = run(bars, lambda s: s.buy(8, on_close=True), volume_limit=0.1)
    assert fills(result) == [(1, 5.0, 102.0), (1, 3.0, 102.0)]
    dated = [pd.Timestamp("2024-03-02 00:00", tz="UTC"), pd.Timestamp("2024-03-02 00:01", tz="UTC")]
    assert result.fills["ts"].tolist() == dated
