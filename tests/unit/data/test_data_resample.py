"""What is refused, and bars that do not go by the clock."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist import Bars, Instrument, Ticks, load, weekly_calendar
from cambist.data import (
    event_bars,
    fill_sessions,
    filter_sessions,
    heikin_ashi,
    range_bars,
    renko,
    resample,
)
from cambist.errors import DataError, InputError, ParameterError
from cambist.model.times import MINUTE_NS, to_ns

ACME = Instrument(symbol="ACME")
MARKET = weekly_calendar(
    "market", "9:30-12:00, 13:00-16:00", tz="America/New_York", start="2024-01-01", end="2024-12-31"
)


def minutes(start, count, step=1):
    ts = to_ns(start) + np.arange(count) * step * MINUTE_NS
    close = 100.0 + np.arange(count) % 7
    return Bars(ACME, f"{step}m", ts, close, close + 1, close - 1, close, np.ones(count))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"timeframe": "90s"}, InputError, "bars of 90s cannot be made of bars of 1m"),
        ({"timeframe": "30s"}, InputError, "whole multiple, such as 2m or 4m"),
        ({"timeframe": "1q"}, InputError, "'1q' is no timeframe"),
        ({"timeframe": "session"}, InputError, "'session' needs calendar="),
        ({"timeframe": "1h", "calendar": MARKET, "tz": "UTC"}, ParameterError, "tz and a calendar do not go together"),
        ({"timeframe": "1h", "calendar": MARKET, "offset": "5m"}, ParameterError, "offset and a calendar do not"),
        ({"timeframe": "1h", "offset": "60m"}, ParameterError, "must be less than the timeframe, 1h"),
        ({"timeframe": "1h", "tz": "America/Old_York"}, ParameterError, "no time zone has that name"),
        ({"timeframe": "1h", "incomplete": "skip"}, ParameterError, "incomplete is 'skip'"),
        ({"timeframe": "36h", "tz": "Europe/London"}, ParameterError, "longer than a day"),
        ({"timeframe": "1d", "incomplete": "drop"}, DataError, "no bar of 1d is complete"),
    ],
)
def test_what_cannot_be_is_refused(options, error, message):
    with pytest.raises(error, match=message):
        resample(minutes("2024-03-04 10:05", 90), **options)


def test_bars_across_an_edge_are_refused_and_moved_edges_take_them():
    hours = minutes("2024-03-04 09:30", 48, 60)
    with pytest.raises(DataError, match=r"the bar of 2024-03-04 11:30:00 UTC goes beyond the end .* 12:00:00 UTC"):
        resample(hours, "4h")
    assert resample(hours, "4h", offset="90m").ts[0] == to_ns("2024-03-04 09:30")


def test_a_calendar_that_does_not_reach_as_far_says_so():
    with pytest.raises(InputError, match="calendar market knows 2024-01-01"):
        resample(minutes("2025-03-04", 10), "1h", calendar=MARKET)


def test_bars_of_months_know_when_they_close():
    months = resample(minutes("2024-01-01", 100, 1440), "1M")
    assert months.close_times.tolist() == [to_ns(f"2024-0{month}-01") for month in (2, 3, 4, 5)]
    assert str(months.timeframe) == "1M"
    with pytest.raises(InputError, match="'1M' is the timeframe of bars that exist"):
        resample(minutes("2024-01-01", 100, 1440), months.timeframe)


def test_bars_of_sessions_can_be_sent_to_another_process():
    bars = resample(minutes("2024-03-04", 3 * 1440), "session", calendar=MARKET)
    again = pickle.loads(pickle.dumps(bars))
    assert again.timeframe == bars.timeframe
    assert again.close_times.tolist() == bars.close_times.tolist()


def test_a_frame_will_do():
    frame = minutes("2024-03-04", 120).to_frame()
    assert len(resample(frame, "1h")) == 2


def test_sessions_are_filtered_and_filled():
    bars = minutes("2024-03-04", 2 * 1440)
    inside = filter_sessions(bars, MARKET)
    assert len(inside) == 2 * 330
    rng = np.random.default_rng(5)
    keep = np.concatenate(([True], rng.random(len(inside) - 2) < 0.6, [True]))
    columns = {name: column[keep] for name, column in inside.columns.items()}
    gappy = Bars(ACME, "1m", inside.ts[keep], **columns)
    filled = fill_sessions(gappy, MARKET, volume=0.0)
    assert filled.ts.tolist() == inside.ts.tolist()
    wanted = pd.Series(np.where(keep, inside.close, np.nan)).ffill()
    assert filled.close.tolist() == wanted.tolist()
    assert filled.volume.tolist() == keep.astype(float).tolist()
    assert fill_sessions(filled, MARKET) is filled
    with pytest.raises(DataError, match="no bar opens while market trades"):
        filter_sessions(minutes("2024-03-03", 100), MARKET)


def test_heikin_ashi_goes_by_its_formula():
    rng = np.random.default_rng(3)
    columns = rng.uniform(1.0, 2.0, (4, 50))
    frame = pd.DataFrame(
        {"open": columns[0], "high": columns.max(0), "low": columns.min(0), "close": columns[1], "volume": 1.0},
        index=pd.date_range("2024-03-04", periods=50, freq="1min", tz="UTC"),
    )
    candles = heikin_ashi(load(frame))
    before = None
    for row, bar in enumerate(frame.itertuples()):
        close = (bar.open + bar.high + bar.low + bar.close) / 4
        open_ = (bar.open + bar.close) / 2 if before is None else sum(before) / 2
        got = [getattr(candles, name)[row] for name in ("open", "high", "low", "close")]
        assert got == [open_, max(bar.high, open_, close), min(bar.low, open_, close), close]
        before = open_, close


TRADES = st.lists(
    st.tuples(st.integers(0, 10**9), st.integers(1, 400), st.integers(0, 64), st.integers(-1, 1)), min_size=1
)


def ticks(rows):
    gaps, price, size, side = map(np.array, zip(*rows, strict=True))
    return Ticks(ACME, to_ns("2024-03-04") + np.cumsum(gaps), price / 4.0, size / 4.0, side)


def groups(trades, amount, size, reached):
    """Cut trades one by one, in numbers that add exactly."""
    out, rows, total = [], [], 0.0
    for row in range(len(trades)):
        rows.append(row)
        total += amount(row)
        if reached(total, size):
            out.append(rows)
            rows, total = [], 0.0
    return out, rows


def takers(trades):
    last, before = 1.0, None
    for price, side in zip(trades.price.tolist(), trades.side.tolist(), strict=True):
        if before is not None and price != before:
            last = 1.0 if price > before else -1.0
        yield side or last
        before = price


@given(TRADES, st.sampled_from(["count", "volume", "value", "imbalance"]), st.integers(1, 60), st.booleans())
def test_event_bars_are_those_of_a_loop(rows, by, size, keep):
    trades = ticks(rows)
    signs = list(takers(trades))
    amounts = {
        "count": lambda row: 1.0,
        "volume": lambda row: trades.size[row],
        "value": lambda row: trades.size[row] * trades.price[row],
        "imbalance": lambda row: trades.size[row] * signs[row],
    }
    wanted, rest = groups(trades, amounts[by], size, lambda total, most: abs(total) >= most)
    check(lambda: event_bars(trades, by, size, incomplete="keep" if keep else "drop"), trades, wanted, rest, keep)


@given(TRADES, st.integers(1, 200), st.booleans())
def test_range_bars_are_those_of_a_loop(rows, quarters, keep):
    trades = ticks(rows)
    wanted, some = [], []
    for row in range(len(trades)):
        some.append(row)
        if np.ptp(trades.price[some]) >= quarters / 4.0:
            wanted.append(some)
            some = []
    check(lambda: range_bars(trades, quarters / 4.0, incomplete="keep" if keep else "drop"), trades, wanted, some, keep)


def check(make, trades, wanted, rest, keep):
    if keep and rest:
        wanted = [*wanted, rest]
    if not wanted:
        with pytest.raises(DataError, match="Choose a smaller size"):
            make()
        return
    bars = make()
    assert bars.rows.tolist() == [len(rows) for rows in wanted]
    assert bars.start.tolist() == [trades.ts[rows[0]] for rows in wanted]
    assert bars.end.tolist() == [trades.ts[rows[-1]] for rows in wanted]
    assert bars.open.tolist() == [trades.price[rows[0]] for rows in wanted]
    assert bars.high.tolist() == [trades.price[rows].max() for rows in wanted]
    assert bars.low.tolist() == [trades.price[rows].min() for rows in wanted]
    assert bars.close.tolist() == [trades.price[rows[-1]] for rows in wanted]
    assert bars.volume.tolist() == [trades.size[rows].sum() for rows in wanted]
    assert bars.to_frame()["close"].tolist() == bars.close.tolist()


@given(TRADES, st.integers(1, 40))
def test_bricks_follow_the_price(rows, quarters):
    trades, size = ticks(rows), quarters / 4.0
    try:
        bricks = renko(trades, size)
    except DataError:
        assert np.abs(trades.price - trades.price[0]).max() < size
        return
    assert np.abs(bricks.close - bricks.open).tolist() == [size] * len(bricks)
    up = np.sign(bricks.close - bricks.open)
    same = up[1:] == up[:-1]
    # A brick goes on where the one before ended; after a turn, where that one began.
    assert bricks.open[1:].tolist() == np.where(same, bricks.close[:-1], bricks.open[:-1]).tolist()
    # After each trade, the price lies within a brick of the last one.
    last = np.searchsorted(bricks.end, trades.ts, side="right") - 1
    for row, price in enumerate(trades.price.tolist()):
        if row + 1 < len(trades) and trades.ts[row + 1] == trades.ts[row]:
            continue  # several trades of one time: those to come count as well
        if last[row] >= 0:
            assert bricks.low[last[row]] - size < price < bricks.high[last[row]] + size
    assert bricks.volume.sum() == trades.size[: int(np.sum(bricks.rows))].sum()


@pytest.mark.parametrize("size", [0, -1.0, float("nan"), "1"])
def test_a_size_must_be_above_zero(size):
    trades = ticks([(1, 4, 4, 1)])
    for make in (
        lambda: event_bars(trades, "volume", size),
        lambda: range_bars(trades, size),
        lambda: renko(trades, size),
    ):
        with pytest.raises(ParameterError, match="must be a number above zero"):
            make()


def test_bars_have_no_trades():
    with pytest.raises(InputError, match="Bars has no trades"):
        event_bars(minutes("2024-03-04", 10), "count", 2)
    with pytest.raises(ParameterError, match=r"by is 'volumes'\. Did you mean 'volume'"):
        event_bars(ticks([(1, 4, 4, 1)]), "volumes", 2)
    with pytest.raises(InputError, match="nobody knows the way of the price"):
        range_bars(minutes("2024-03-04", 10), 2)
