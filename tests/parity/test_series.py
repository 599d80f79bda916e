"""The series of a run tell what the strategies saw, add up to the equity, and are the same for every way of playing."""

from __future__ import annotations

import attrs
import numpy as np
import pandas as pd
import pytest

from cambist.backtest import feeds

WITHOUT_ROWS = ("buys", "sells", "trades")
BY_ROW = (
    "equity", "cash", "closes", "positions", "position_values", "exposures", "gross_exposure", "net_exposure",
    "leverage", "drawdown", "benchmark",
)  # fmt: skip


def bits(values):
    """Floats as texts that are equal when the bits are; NaN equals itself."""
    return [float(value).hex() for value in np.asarray(values, float).ravel()]


def with_options(scenario, **options):
    return attrs.evolve(scenario, options={**scenario.options, **options})


def steps_of(played):
    """What the strategies saw last at each time at which `on_step` was called: cash, equity, sizes and prices."""
    return {entry[2]: (entry[4], entry[5], entry[7]) for entry in played.trace if entry[1] == "step"}


@pytest.mark.parametrize("events", [True, False], ids=["events", "columns"])
@pytest.mark.parametrize("first", [3_000, 3_040])
def test_the_series_are_what_strategies_saw(scenarios, first, events):
    rows = held = 0
    for seed in range(first, first + 40):
        # Whoever trades at the close that it looks at changes what it has seen.
        scenario = with_options(scenarios["make"](seed), market_fill="next_open")
        played = scenarios["play"](scenario, events=events)
        series = played.result.series
        frames = (series.cash, series.equity, series.gross_exposure, series.net_exposure, series.positions)
        cash, equity, gross, net, positions = (frame.to_numpy() for frame in frames)
        row_of = {time: row for row, time in enumerate(series.index.as_unit("ns").asi8.tolist())}
        for now, (seen_cash, seen_equity, seen) in steps_of(played).items():
            row = row_of[now]
            sizes = [size for size, _, _ in seen]
            worths = [
                instrument.notional(size, float(price)) if size else 0.0
                for instrument, (size, _, price) in zip(played.result.instruments, seen, strict=True)
            ]
            assert bits([cash[row], equity[row], *positions[row]]) == bits([seen_cash, seen_equity, *sizes]), scenario
            assert bits([gross[row], net[row]]) == bits([sum(map(abs, worths)), sum(worths)]), scenario
            rows += 1
            held += any(sizes)
    assert rows > 300
    assert held > 100


@pytest.mark.parametrize("blocks", [False, True], ids=["memory", "blocks"])
@pytest.mark.parametrize("first", range(4_000, 4_120, 40))
def test_cash_and_values_are_the_equity_and_the_last_row_is_the_account(scenarios, first, blocks):
    margined = 0
    for seed in range(first, first + 40):
        scenario = scenarios["make"](seed)
        result = scenarios["play"](scenario, blocks=blocks).result
        series = result.series
        pd.testing.assert_index_equal(series.index, result.equity.index)
        total = series.cash.to_numpy().copy()
        for symbol in series.position_values:
            total += series.position_values[symbol].to_numpy()
        assert bits(total) == bits(series.equity) == bits(result.equity.equity), scenario
        assert bits(series.drawdown) == bits(result.equity.drawdown)
        if len(total):
            last = [series.cash.iloc[-1], series.equity.iloc[-1]]
            assert bits(last) == bits([result.account.cash, result.account.equity]), scenario
        margined += any(not one.is_cash and series.positions[one.symbol].any() for one in result.instruments)
    assert margined > 5


def test_a_run_over_blocks_has_the_rows_of_the_last_bar_of_each_day(scenarios):
    days = 0
    for seed in range(5_000, 5_030):
        scenario = with_options(scenarios["make"](seed), benchmark=True)
        memory, blocks = (scenarios["play"](scenario, blocks=way).result.series for way in (False, True))
        days += len(blocks.index)
        for name in BY_ROW:
            full, daily = getattr(memory, name), getattr(blocks, name)
            assert bits(full.loc[blocks.index]) == bits(daily), (name, scenario)
        for name in WITHOUT_ROWS:
            pd.testing.assert_frame_equal(getattr(memory, name), getattr(blocks, name), check_exact=True)
    assert days > 80


def test_the_borders_of_windows_leave_no_mark_in_the_series(scenarios, monkeypatch):
    for seed in range(5_100, 5_120):
        scenario = with_options(scenarios["make"](seed), benchmark=True)
        whole = scenarios["play"](scenario).result.series
        with monkeypatch.context() as patch:
            patch.setattr(feeds, "ROWS", 1 + seed % 9)
            cut = scenarios["play"](scenario).result.series
        pd.testing.assert_frame_equal(whole.to_frame(), cut.to_frame(), check_exact=True)


def test_the_marks_add_up_to_the_positions(scenarios):
    fills = trades = 0
    for seed in range(6_000, 6_040):
        scenario = scenarios["make"](seed)
        result = scenarios["play"](scenario).result
        series, bars = result.series, {one.instrument.symbol: one for one in scenarios["bars"](scenario)}
        marks = pd.concat([series.buys.assign(sign=1.0), series.sells.assign(sign=-1.0)]).sort_values("fill")
        assert marks.fill.tolist() == [fill.id for fill in result.fill_records]
        assert marks.index.is_monotonic_increasing
        held = {one.symbol: np.zeros(len(series.index)) for one in result.instruments}
        for (time, mark), fill in zip(marks.iterrows(), result.fill_records, strict=True):
            instrument, closed = fill.instrument, time.value
            own = bars[instrument.symbol]
            assert fill.ts <= closed
            # A market order at this close may be sent, and trade, at the close of another instrument's bar.
            if "market_fill" not in scenario.options:
                assert closed in own.close_times
                assert closed - own.timeframe.ns <= fill.ts
            assert (mark.instrument, mark["size"], mark.price) == (instrument.symbol, fill.size, fill.price)
            column = held[instrument.symbol]
            row = series.index.get_loc(time)
            before, signed = column[-1], mark.sign * mark["size"]
            column[row:] = instrument.size_grid.nearest(before + signed) if before else signed
        for symbol, column in held.items():
            assert bits(column) == bits(series.positions[symbol]), scenario
        closed = {trade.id: trade for trade in result.trade_records if not trade.is_open}
        assert sorted(series.trades.trade) == sorted(closed)
        for time, mark in series.trades.iterrows():
            trade = closed[mark.trade]
            assert time == series.index[trade.closed_bar]
            assert (mark.instrument, mark.gross, mark.net) == (trade.instrument.symbol, trade.gross, trade.net)
        fills += len(marks)
        trades += len(closed)
    assert fills > 100
    assert trades > 30


def test_a_run_that_ends_early_has_the_series_of_what_was_played(scenarios):
    raised = 0
    for seed in range(1_000, 1_030):
        scenario = attrs.evolve(scenarios["make"](seed), fails_at=5 + 4 * (seed % 30))
        played = scenarios["play"](scenario)
        raised += bool(played.error)
        series = played.result.series
        assert len(series.to_frame()) == len(played.result.equity)
        total = series.cash + sum(series.position_values[symbol] for symbol in series.position_values)
        assert np.allclose(total, series.equity, rtol=1e-12)
    assert raised > 15
