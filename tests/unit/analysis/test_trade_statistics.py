"""The tree of trades against pandas, and that every branch of it is always there."""

from __future__ import annotations

from math import isnan

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.analysis import Analysis, trade_statistics
from cambist.model.times import DAY_NS

TRADES = st.lists(st.tuples(st.integers(-3, 3), st.booleans(), st.integers(0, 4)), max_size=25)


def trades_of(make_trade, drawn):
    made = []
    for number, (net, is_long, bars) in enumerate(drawn):
        trade = make_trade(float(net), fees=0.5, is_long=is_long, closed_at=(2 + number) * DAY_NS, number=number)
        trade.opened_bar, trade.closed_bar = 10 + number, 10 + number + bars
        made.append(trade)
    return made


def numbers(frame):
    """Total, average and the largest amount, as pandas has them."""
    net = frame["net"]
    return [net.sum(), net.mean(), net[net.abs().idxmax()] if len(net) else float("nan")]


@given(TRADES, st.integers(0, 2))
def test_every_branch_against_pandas(make_trade, drawn, still_open):
    trades = trades_of(make_trade, drawn)
    opened = [make_trade(9.0, is_open=True, number=100 + number) for number in range(still_open)]
    found = trade_statistics([*opened, *trades])
    frame = pd.DataFrame(drawn, columns=["net", "long", "bars"]).astype({"net": float, "long": bool, "bars": float})
    won, lost = frame[frame["net"] > 0], frame[frame["net"] < 0]
    assert (found.total.total, found.total.open, found.total.closed) == (
        len(drawn) + still_open,
        still_open,
        len(drawn),
    )
    assert [found.pnl.net.total, found.pnl.net.average] == pytest.approx(numbers(frame)[:2], nan_ok=True)
    assert found.pnl.gross.total == pytest.approx((frame["net"] + 0.5).sum())
    assert found.even == len(frame) - len(won) - len(lost)
    for outcome, rows in ((found.won, won), (found.lost, lost)):
        assert outcome.total == len(rows)
        amounts = [outcome.pnl.total, outcome.pnl.average, outcome.pnl.max]
        assert amounts == pytest.approx(numbers(rows), nan_ok=True)
    for direction, rows in ((found.long, frame[frame["long"]]), (found.short, frame[~frame["long"]])):
        assert direction.total == len(rows)
        assert [direction.pnl.total, direction.pnl.average] == pytest.approx(numbers(rows)[:2], nan_ok=True)
        for count, pnl, part in (
            (direction.won, direction.pnl.won, rows[rows["net"] > 0]),
            (direction.lost, direction.pnl.lost, rows[rows["net"] < 0]),
        ):
            assert count == len(part)
            assert [pnl.total, pnl.average, pnl.max] == pytest.approx(numbers(part), nan_ok=True)
    lengths = {
        "bars": (found.bars, frame),
        "won": (found.bars.won, won),
        "lost": (found.bars.lost, lost),
        "long": (found.bars.long, frame[frame["long"]]),
        "short lost": (found.bars.short.lost, lost[~lost["long"]]),
    }
    for name, (ours, rows) in lengths.items():
        wanted = [rows["bars"].sum(), rows["bars"].mean(), rows["bars"].max(), rows["bars"].min()]
        assert [ours.total, ours.average, ours.max, ours.min] == pytest.approx(wanted, nan_ok=True), name


def test_streaks_follow_the_order_of_closing(make_trade):
    # Opened first, closed last: by opening the two wins would be apart.
    nets = [(5.0, 9), (-1.0, 2), (-1.0, 3), (4.0, 8), (0.0, 5), (-2.0, 6)]
    trades = []
    for number, (net, closed) in enumerate(nets):
        trade = make_trade(net, closed_at=closed * DAY_NS, number=number)
        trade.closed_bar = closed
        trades.append(trade)
    streak = trade_statistics(trades).streak
    assert (streak.won.current, streak.won.longest) == (2, 2)
    # A trade that made nothing ends the streak of two losses.
    assert (streak.lost.current, streak.lost.longest) == (0, 2)


def test_every_key_is_there_without_a_trade(make_facts):
    found = Analysis(make_facts([100.0, 101.0])).trade_statistics
    assert found.flat().keys() == trade_statistics([]).flat().keys()
    assert {path for path, value in found.flat().items() if value == 0} == {
        path for path in found.flat() if path.rpartition(".")[2] not in {"average", "max", "min"}
    }
    assert isnan(found.long.pnl.won.max)
    assert found.to_dict()["streak"]["won"] == {"current": 0, "longest": 0}


def test_the_tree_prints_one_number_a_line(make_trade):
    found = trade_statistics([make_trade(1234.5)])
    lines = str(found).splitlines()
    assert len(lines) == len(found.flat())
    assert [line.split() for line in lines if line.startswith("won.pnl.total")] == [["won.pnl.total", "1,234.50"]]
    assert [line.split()[1] for line in lines if line.startswith("lost.pnl.average")] == ["-"]
    assert [line.split()[1] for line in lines if line.startswith("total.closed")] == ["1"]
