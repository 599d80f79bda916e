"""The less common terms of orders: what each keyword means, and what is refused with which words."""

from __future__ import annotations

import inspect
from math import isnan, nan

import numpy as np
import pytest

from cambist import Bars, Instrument, Strategy, backtest
from cambist.errors import StrategyError
from cambist.model import OrderStatus, OrderType, Trail
from cambist.model.times import MINUTE_NS, to_ns
from cambist.strategies.order_options import NAMED

S = OrderStatus
#: Opens, highs, lows and closes of a market that falls from 100 to 90 and comes back.
FALL = [(100, 101, 99, 100), (100, 100, 96, 96), (96, 97, 90, 91), (91, 99, 91, 98), (98, 104, 97, 103)]


def table(rows):
    """Return bars of a minute; a fifth number is the volume."""
    columns = np.array([(*row, 1e6)[:5] for row in rows], float).T
    ts = to_ns("2024-03-01 10:00") + np.arange(len(rows)) * MINUTE_NS
    return Bars(Instrument(symbol="ACME", tick_size="0.5", step_size="1"), "1m", ts, *columns)


def at_first(action):
    """Act at the first bar alone."""

    def act(strategy, bar):
        if not strategy.open_orders and not getattr(strategy, "done", False):
            strategy.done = True
            action(strategy)

    return act


def play(run, action, rows=FALL, **options):
    """Run an action of the first bar."""
    return run(table(rows), on_bar=at_first(action), **options)


@pytest.mark.parametrize(
    ("terms", "kind", "limit", "stop"),
    [
        ({"touch": 95.0}, OrderType.MARKET_IF_TOUCHED, nan, 95.0),
        ({"touch": 95.0, "limit": 94.0}, OrderType.LIMIT_IF_TOUCHED, 94.0, 95.0),
        ({"trail": 2.0}, OrderType.TRAILING_STOP, nan, 102.0),
        ({"trail_percent": 0.05}, OrderType.TRAILING_STOP, nan, 105.0),
        ({"trail": 2.0, "stop": 104.0}, OrderType.TRAILING_STOP, nan, 104.0),
        ({"trail": 2.0, "trail_limit": 1.0}, OrderType.TRAILING_STOP_LIMIT, 103.0, 102.0),
        ({"on_close": True}, OrderType.MARKET_ON_CLOSE, nan, nan),
    ],
)
def test_what_the_keywords_mean(run, terms, kind, limit, stop):
    seen = []
    play(run, lambda strategy: seen.append(strategy.buy(1, **terms)), FALL[:1])
    (order,) = seen
    assert order.type is kind
    assert repr((order.limit_price, order.stop_price)) == repr((limit, stop))


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"trail": 1.0, "touch": 95.0}, "both touch and trail"),
        ({"trail": 1.0, "trail_percent": 0.1}, "both trail and trail_percent"),
        ({"on_close": True, "limit": 95.0}, "leave it out instead of limit=95.0"),
        ({"on_close": True, "stop": 95.0}, "leave stop=95.0 out"),
        ({"touch": 95.0, "stop": 95.0}, "leave stop=95.0 out"),
        ({"trail": 1.0, "limit": 95.0}, "give trail_limit"),
        ({"trail_limit": 1.0}, "trail_limit goes with trail"),
        ({"trail_on": "closes"}, "trail_on goes with trail"),
        ({"trail": 1.0, "trail_on": "close"}, "Did you mean 'closes'"),
        ({"trail": -1.0}, "trail is -1.0"),
        ({"trail_percent": 2.0}, "0.02 is 2 %"),
        ({"trail": 1.0, "trail_limit": -1.0}, "0 or more"),
        ({"touch": nan}, "touch is nan"),
        ({"display_size": 0.0}, "display_size is 0.0"),
        ({"limt": 95.0}, "an order has no 'limt'. Did you mean 'limit'?"),
        ({"limit_price": 95.0}, "Did you mean 'limit'?"),
        ({"expiry": "2024-03-02"}, "Did you mean 'expires_at'?"),
        ({"trailing": 2.0}, "Did you mean 'trail'?"),
        ({"exectype": "Close"}, "Known: data, display_size, expires_at, info, limit, "),
    ],
)
def test_keywords_that_make_no_order_raise_with_the_remedy(run, terms, words):
    with pytest.raises(StrategyError) as caught:
        play(run, lambda strategy: strategy.buy(1, **terms))
    assert words in str(caught.value)


@pytest.mark.parametrize("send", [Strategy.buy, Strategy.sell])
def test_a_wrong_keyword_is_compared_with_every_right_one(send):
    assert [name for name in inspect.signature(send).parameters if name not in ("self", "options")] == list(NAMED)


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"stoploss": 95.0}, "an order has no 'stoploss'. Did you mean 'stop_loss'?"),
        ({"takeprofit": 105.0}, "Did you mean 'take_profit'?"),
        ({"limit_price": 99.0, "stop_loss": 95.0}, "Did you mean 'limit'?"),
        ({"touch": nan, "stop_loss": 95.0}, "touch is nan"),
    ],
)
def test_a_bracket_knows_names_that_its_entry_does_not(run, terms, words):
    with pytest.raises(StrategyError) as caught:
        play(run, lambda strategy: strategy.buy_bracket(1, **terms))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"stop": 99.0}, "stop_already_reached"),
        ({"stop": 100.0}, "stop_already_reached"),
        ({"touch": 101.0}, "stop_already_reached"),
        ({"limit": 95.0, "expires_at": "2024-02-01T00:00"}, "expires_in_past"),
        ({"post_only": True}, "post_only_not_limit"),
        ({"limit": 95.0, "post_only": True, "time_in_force": "ioc"}, "post_only_immediate"),
        ({"display_size": 1.0}, "display_size_not_limit"),
        ({"limit": 95.0, "display_size": 2.0}, "display_size_too_large"),
        ({"on_close": True, "time_in_force": "fok"}, "on_close_immediate"),
    ],
)
def test_contradictions_are_refused_with_a_code(run, terms, code):
    result = play(run, lambda strategy: strategy.buy(1, **terms))
    (order,) = result.order_records
    assert order.status is S.REJECTED
    assert order.reason.partition(":")[0] == code
    assert not result.fill_records


def test_what_an_order_is_tied_to_must_still_stand(run):
    codes = []

    def on_bar(strategy, bar):
        if bar.close == 100:
            strategy.first = strategy.buy(1, limit=50.0)
            strategy.cancel(strategy.first)
            strategy.second = strategy.buy(1)
        elif bar.close == 96:
            ties = ({"oco": strategy.first}, {"parent": strategy.first}, {"oco": strategy.second})
            codes.extend(strategy.buy(1, limit=50.0, **tie).reason.partition(":")[0] for tie in ties)
            codes.append(str(strategy.buy(1, limit=50.0, parent=strategy.second).status))

    run(table(FALL), on_bar=on_bar)
    assert codes == ["oco_ended", "parent_ended", "oco_ended", "submitted"]


def test_a_bracket_is_closed_by_one_leg_and_cancels_the_other(run):
    result = play(run, lambda strategy: strategy.buy_bracket(2, stop_loss=95.0, take_profit=110.0))
    entry, loss, profit = result.order_records
    assert [str(order.status) for order in (entry, loss, profit)] == ["filled", "filled", "canceled"]
    assert (entry.average_price, loss.average_price, profit.reason) == (100.0, 95.0, "oco")
    assert loss.reduce_only
    assert loss.parent == profit.parent == entry.id


def test_a_leg_of_a_bracket_may_be_left_out_or_trail(run):
    result = play(run, lambda strategy: strategy.sell_bracket(1, stop_loss={"trail": 4.0}))
    entry, loss = result.order_records
    # Down to 90 the stop follows to 94; on the way back up it is reached.
    assert (entry.average_price, loss.average_price) == (100.0, 94.0)
    result = play(run, lambda strategy: strategy.buy_bracket(1, limit=91.0, take_profit=95.0))
    assert [order.average_price for order in result.order_records] == [91.0, 95.0]


def test_legs_end_with_an_entry_that_never_trades(run):
    def enter(strategy):
        strategy.buy_bracket(1, limit=80.0, stop_loss=70.0, take_profit=90.0, expires_at=strategy.now)

    entry, loss, profit = play(run, enter).order_records
    assert (entry.status, loss.reason, profit.reason) == (S.EXPIRED, "parent_ended", "parent_ended")


def test_legs_shrink_to_what_an_entry_traded_before_it_was_withdrawn(run):
    def on_bar(strategy, bar):
        if bar.close == 100:
            strategy.legs = strategy.buy_bracket(5, stop_loss=80.0, take_profit=102.0)
        elif bar.close == 91:
            strategy.cancel(strategy.legs.entry)

    rows = [(*row, 10) for row in FALL]
    result = run(table(rows), on_bar=on_bar, volume_limit=0.1)
    entry, _, profit = result.order_records
    assert (entry.status, entry.filled) == (S.CANCELED, 2.0)
    assert (profit.size, profit.filled, profit.average_price) == (2.0, 1.0, 102.0)  # one of two in the last bar


def test_a_refused_entry_sends_no_legs(run):
    result = play(run, lambda strategy: strategy.buy_bracket(1, stop=90.0, take_profit=110.0))
    (entry,) = result.order_records
    assert entry.reason.startswith("stop_already_reached")


@pytest.mark.parametrize(
    "terms",
    [{"limit": 99.0, "stop_loss": 99.5}, {"limit": 99.0, "take_profit": 98.0}, {"stop_loss": 97, "take_profit": 96}],
)
def test_a_bracket_the_wrong_way_round_raises(run, terms):
    with pytest.raises(StrategyError, match="a buy bracket has its profit above and its loss below"):
        play(run, lambda strategy: strategy.buy_bracket(1, **terms))


def test_notes_stay_with_an_order(run):
    result = play(run, lambda strategy: strategy.buy(1, tag="why", info={"signal": 3}))
    (order,) = result.order_records
    assert (order.tag, dict(order.info), order.trail, order.oco, order.parent) == ("why", {"signal": 3}, None, 0, 0)


def test_only_a_trailing_order_has_a_limit_that_moves(run):
    seen = []

    def on_bar(strategy, bar):
        if bar.close == 100:
            strategy.trailing = strategy.sell(1, trail=3.0, trail_limit=1.0, stop=80.0)
        seen.append((strategy.trailing.stop_price, strategy.trailing.limit_price))

    result = run(table([(100, 101, 99, 100), (100, 106, 100, 104), (104, 105, 104, 104)]), on_bar=on_bar)
    assert seen == [(80.0, 79.0), (103.0, 102.0), (103.0, 102.0)]
    assert result.order_records[0].trail == Trail(amount=3.0, limit_offset=1.0) or isnan(
        result.order_records[0].trail.percent
    )


def test_a_trail_needs_a_price_to_begin_at(run):
    with pytest.raises(StrategyError, match="has no price yet to trail"):
        run(table(FALL), on_start=lambda strategy: strategy.buy(1, trail=1.0))


def test_an_error_of_a_bracket_names_the_strategys_own_line():
    class Upside(Strategy):
        def on_bar(self, bar):
            self.buy_bracket(1.0, take_profit=bar.close - 5.0, stop_loss=bar.close - 1.0)

    with pytest.raises(StrategyError, match=r"\(test_special_orders\.py:\d+, in on_bar: self\.buy_bracket\("):
        backtest(Upside(), table(FALL))
