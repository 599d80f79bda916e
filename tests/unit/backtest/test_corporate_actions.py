"""Dividends and splits: what they do to positions, orders, trades and the curve."""

from __future__ import annotations

import pandas as pd
import pytest

from cambist.errors import InputError
from cambist.model.times import DAY_NS, to_ns

START = to_ns("2024-03-01")


def days(bars, closes, **terms):
    """Daily bars of one price each."""
    made = bars(closes, timeframe="1d", start=START, every=DAY_NS, **({"step_size": "1"} | terms))
    return type(made)(made.instrument, "1d", made.ts, *[made.close] * 4, made.volume)


def on(day, **columns):
    return {"ACME": pd.DataFrame({name: [value] for name, value in columns.items()}, [pd.Timestamp(day, tz="UTC")])}


def at(bar, do):
    return lambda strategy, _: do(strategy) if strategy.bar == bar else None


@pytest.mark.parametrize(("size", "amount"), [(10, 15.0), (-10, -15.0)])
def test_longs_get_the_dividend_and_shorts_pay_it(run, bars, size, amount):
    send = at(0, lambda s: s.buy(size) if size > 0 else s.sell(-size))
    result = run(days(bars, [100.0] * 6), actions=on("2024-03-04", dividend=1.5), on_bar=send)
    assert [(flow.kind, flow.ts, flow.symbol, flow.amount) for flow in result.flow_records] == [
        ("dividend", START + 3 * DAY_NS, "ACME", amount)
    ]
    # From the bar of the ex-date on: the fourth.
    assert result.equity["equity"].tolist() == [100_000.0] * 3 + [100_000.0 + amount] * 3
    assert result.account.carry == amount


def test_who_buys_on_the_ex_date_gets_nothing(run, bars):
    """Ordered at the close before, filled at the open of the ex-date."""
    actions = on("2024-03-04", dividend=1.5)
    assert not run(days(bars, [100.0] * 6), actions=actions, on_bar=at(2, lambda s: s.buy(10))).flow_records
    sold = run(
        days(bars, [100.0] * 6),
        actions=actions,
        on_bar=lambda s, _: s.buy(10) if s.bar == 0 else s.close() if s.bar == 2 else None,
    )
    assert [flow.amount for flow in sold.flow_records] == [15.0]


def test_a_split_changes_the_terms_and_no_worth(run, bars):
    """Three for two on 11 shares: 16 and a half; the half is paid out at 60."""
    seen = []

    def on_bar(strategy, _):
        if strategy.bar == 0:
            strategy.buy(11)
            strategy.sell(11, limit=120.0)
            strategy.sell(11, stop=75.0)
        held = strategy.position
        seen.append((held.size, held.average_price, strategy.equity))
        if strategy.bar == 4:
            strategy.close()

    result = run(
        days(bars, [90.0, 90.0, 90.0, 60.0, 60.0, 60.0], tick_size="0.1"),
        actions=on("2024-03-04", split=1.5),
        on_bar=on_bar,
    )
    assert seen[2] == (11.0, 90.0, 100_000.0)
    assert seen[3] == (16.0, 60.0, pytest.approx(100_000.0))
    assert result.equity["equity"].tolist() == pytest.approx([100_000.0] * 6)
    assert [(flow.kind, flow.amount) for flow in result.flow_records] == [("fraction", pytest.approx(30.0))]
    assert [(order.size, order.limit_price) for order in result.order_records[1:2]] == [(16.0, 80.0)]
    assert result.order_records[2].stop_price == 50.0
    trade = result.trade_records[0]
    assert (trade.entered, trade.exited, trade.entry_price, trade.net) == (16.5, 16.5, 60.0, pytest.approx(0.0))
    assert result.account.carry == 0.0


def test_a_reverse_split_may_leave_nothing(run, bars):
    """One for ten of 4 shares: all of it is paid out, the trade is over, and its order is withdrawn."""
    told = []
    result = run(
        days(bars, [10.0, 10.0, 12.0, 120.0, 120.0]),
        actions=on("2024-03-04", split=0.1),
        on_bar=at(0, lambda s: (s.buy(4), s.sell(4, limit=50.0))),
        on_order=lambda s, order: told.append((order.id, str(order.status), order.reason)),
    )
    assert result.account.cash == pytest.approx(100_000.0 + 8.0)
    trade = result.trade_records[0]
    assert (trade.is_open, trade.reason, trade.gross) == (False, "split", pytest.approx(8.0))
    assert trade.exit_price == pytest.approx(120.0)
    assert told[-1] == (2, "canceled", "split")


def test_prices_are_in_new_shares_before_the_first_bar_of_them(run, bars):
    """Between a split and the close of its bar, fills see the account at the old close in new shares."""
    equity = []
    run(
        days(bars, [100.0, 100.0, 100.0, 45.0, 45.0]),
        actions=on("2024-03-04", split=2.0),
        on_bar=lambda s, _: s.buy(10) if s.bar in (0, 2) else None,
        on_fill=lambda s, fill: equity.append((fill.size, fill.price, s.equity)),
    )
    # The order waits through the split too: 20 are bought at 45 and are worth 50 by the last close.
    assert equity == [(10.0, 100.0, 100_000.0), (20.0, 45.0, pytest.approx(100_000.0 + 100.0))]


def test_holding_from_the_start_goes_through_dividends_and_splits(run, bars):
    """Bought at 100: 1 dividend a share, two for one, half a dividend: 1 + 2 * 55 + 2 * 0.5 for 100."""
    table = pd.DataFrame(
        {"dividend": [1.0, 0.0, 0.5], "split": [0.0, 2.0, 0.0]},
        pd.to_datetime(["2024-03-02", "2024-03-03", "2024-03-05"]),
    )
    result = run(days(bars, [100.0, 100.0, 50.0, 52.0, 55.0]), actions={"ACME": table}, benchmark=True)
    assert result.benchmark.final / result.benchmark.initial == pytest.approx(1.12)


def test_each_instrument_waits_for_its_own_bar(run, bars):
    """B has no bar on the ex-date: until its next one, the account is valued in old shares."""
    first = days(bars, [100.0] * 6)
    second = days(bars, [100.0, 100.0, 100.0, 50.0, 50.0, 50.0], symbol="B")
    second = type(second)(
        second.instrument,
        "1d",
        second.ts[[0, 1, 2, 4, 5]],
        *(column[[0, 1, 2, 4, 5]] for column in second.columns.values()),
    )
    result = run(
        [first, second],
        actions={"B": pd.DataFrame({"split": [2.0]}, [pd.Timestamp("2024-03-04")])},
        on_bar=lambda s, bar: s.buy(10) if bar.symbol == "B" and s.position.is_flat else None,
    )
    assert result.equity["equity"].tolist() == pytest.approx([100_000.0] * 6)
    assert result.account.unrealized == pytest.approx(0.0)


def test_actions_that_make_no_sense(run, bars):
    series = days(bars, [100.0] * 3)
    for actions, message in (
        (on("2024-03-02", splitt=2.0), "neither a column 'dividend' nor 'split'"),
        (on("2024-03-02", split=-2.0), "a split of -2.0 is none"),
        (on("2024-03-02", dividend=-1.0), "a dividend of -1.0 is none"),
        ({"AC": on("2024-03-02", split=2.0)["ACME"]}, "actions names 'AC'"),
    ):
        with pytest.raises(InputError) as caught:
            run(series, actions=actions)
        assert message in str(caught.value)
    with pytest.raises(InputError, match="a future has none"):
        run(days(bars, [100.0] * 3, kind="future"), actions=on("2024-03-02", split=2.0))
