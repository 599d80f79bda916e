"""Slippage that knows the bar: half-spreads, impact, bounds."""

from __future__ import annotations

from decimal import Decimal
from math import log, sqrt

import attrs
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist import FixedSlippage, Instrument, ParameterError, PercentSlippage
from cambist.model.times import MINUTE_NS, to_ns
from cambist.simulation import (
    BacktraderSlippage,
    BarSlippageModel,
    HalfSpread,
    MarketFill,
    MatchedBar,
    NoSlippage,
    PercentFiller,
    SlippageBySymbol,
    SquareRootImpact,
    WithinBar,
    slippage_model,
)

START = to_ns("2024-03-01 10:00")
SMOOTH = Instrument(symbol="ACME", step_size="0.1")
TICKED = Instrument(symbol="ACME", tick_size="0.05", step_size="0.1")


def test_an_order_that_takes_crosses_half_of_the_spread_and_one_that_rests_does_not(exchange):
    ex = exchange(SMOOTH, slippage=HalfSpread(spread=0.5))
    ex.buy(1.0)
    ex.sell(1.0)
    ex.buy(1.0, limit=99.5)
    ex.sell(1.0, stop=99.25)
    ex.bar(100.0, 101.0, 99.0, 100.0)
    assert ex.prices == [100.25, 99.75, 99.5, 99.0]


def test_a_spread_in_basis_points_and_on_the_tick(exchange):
    ex = exchange(TICKED, slippage=HalfSpread(bps=16))
    ex.buy(1.0)
    ex.sell(1.0)
    ex.bar(100.0, 101.0, 99.0, 100.0)
    assert ex.prices == [100.1, 99.9]  # 0.08 to either side, rounded against the trader


def frame_of(count, spreads):
    times = pd.date_range("2024-03-01 10:00", periods=count, freq="min")
    prices = dict.fromkeys(("open", "high", "low", "close"), 100.0)
    return pd.DataFrame({**prices, "volume": 1_000.0, "spread": spreads}, index=times)


@pytest.mark.parametrize("events", [False, True])
@pytest.mark.parametrize("zone", [None, "Asia/Tokyo"])
def test_a_column_of_spreads_bar_by_bar(run, events, zone):
    frame = frame_of(5, [0.0, 0.2, 0.4, 0.6, 0.8])
    spread = frame["spread"] if zone is None else frame["spread"].tz_localize("UTC").tz_convert(zone)
    result = run(
        frame.drop(columns="spread"),
        on_bar=lambda strategy, bar: strategy.buy(1.0),
        slippage=HalfSpread(spread),
        events=events,
    )
    assert [fill.price for fill in result.fill_records] == pytest.approx([100.1, 100.2, 100.3, 100.4])


def test_the_last_spread_known_when_a_bar_opens_counts(exchange):
    times, values = [START - 5 * MINUTE_NS, START + MINUTE_NS // 2, START + 2 * MINUTE_NS], [2.0, 4.0, 6.0]
    ex = exchange(SMOOTH, slippage=HalfSpread((times, values)))
    for _ in range(3):
        ex.buy(1.0)
        ex.bar(100.0, 100.0, 100.0, 100.0)
    assert ex.prices == [101.0, 102.0, 103.0]


def test_a_spread_that_begins_too_late_says_when(exchange):
    ex = exchange(SMOOTH, slippage=HalfSpread(([START + 1], [1.0])))
    ex.buy(1.0)
    with pytest.raises(ParameterError, match=r"HalfSpread: spread begins at .* Give values from the first bar on"):
        ex.bar(100.0, 100.0, 100.0, 100.0)


def test_impact_is_the_square_root_of_the_share_of_the_volume(exchange):
    ex = exchange(SMOOTH, slippage=SquareRootImpact(0.8, volatility=0.02))
    ex.buy(25.0)
    ex.sell(100.0)
    ex.bar(100.0, 101.0, 99.0, 100.0, volume=10_000.0)
    assert ex.prices == pytest.approx([100.0 * (1 + 0.8 * 0.02 * 0.05), 100.0 * (1 - 0.8 * 0.02 * 0.1)])


def test_without_a_volatility_the_range_of_the_bar_gives_it():
    bar = MatchedBar(0, 1, 100.0, 104.0, 98.0, 101.0, 400.0)
    price = SquareRootImpact().slip_in(bar, SMOOTH, 100.0, 4.0, True)
    assert price == pytest.approx(100.0 * (1 + log(104.0 / 98.0) / (2 * sqrt(log(2))) * 0.1))


def test_the_range_gives_the_volatility_of_a_random_walk():
    """Parkinson's estimate, on walks fine enough that their extremes are nearly those of a Brownian motion."""
    rng = np.random.default_rng(3)
    walk = np.cumsum(rng.normal(0.0, 0.02 / np.sqrt(4_000), (400, 4_000)), axis=1)
    model = SquareRootImpact(most=0.9)
    highs, lows = np.exp(walk.max(axis=1, initial=0.0)).tolist(), np.exp(walk.min(axis=1, initial=0.0)).tolist()
    walked = [MatchedBar(0, 1, 1.0, high, low, 1.0, 1.0) for high, low in zip(highs, lows, strict=True)]
    impacts = [model.slip_in(bar, SMOOTH, 1.0, 1.0, True) - 1.0 for bar in walked]
    assert np.sqrt(np.mean(np.square(impacts))) == pytest.approx(0.02, rel=0.08)


def test_a_volatility_by_the_day_goes_with_the_volume_of_a_day(exchange):
    days = pd.date_range("2024-02-29", periods=3, freq="D")
    ex = exchange(
        SMOOTH,
        slippage=SquareRootImpact(
            volatility=pd.Series([0.01, 0.02, 0.03], days), volume=pd.Series([1e4, 1e6, 1e8], days)
        ),
    )
    ex.buy(100.0)
    ex.bar(100.0, 101.0, 99.0, 100.0, volume=200.0)
    assert ex.prices == pytest.approx([100.0 * (1 + 0.02 * 0.01)])


def test_impact_is_bounded_where_nothing_was_traded(exchange):
    ex = exchange(SMOOTH, slippage=SquareRootImpact(volatility=0.02, most=0.03))
    ex.buy(1.0)
    ex.bar(100.0, 101.0, 99.0, 100.0, volume=0.0)
    assert ex.prices == pytest.approx([103.0])


def test_only_what_the_volume_lets_trade_has_an_impact(exchange):
    ex = exchange(SMOOTH, slippage=SquareRootImpact(volatility=0.02), volume_limit=0.01)
    ex.buy(1_000.0)
    ex.bar(100.0, 101.0, 99.0, 100.0, volume=10_000.0)
    assert ex.fills == [(1, pytest.approx(100.2), 100.0)]


def test_no_fill_beyond_the_bar_where_that_is_asked_for(exchange):
    ex = exchange(SMOOTH, slippage=WithinBar(5.0 / 100))
    ex.buy(1.0)
    ex.sell(1.0)
    ex.sell(1.0, stop=99.5)
    ex.bar(100.0, 101.0, 99.0, 100.0)
    assert ex.prices == [101.0, 99.0, 99.0]


def test_trades_at_the_close_stay_inside_their_bar_too(exchange):
    ex = exchange(SMOOTH, slippage=WithinBar(0.05), market_fill=MarketFill.THIS_CLOSE)
    ex.bar(100.0, 102.0, 99.0, 101.0)
    ex.buy(1.0)
    assert ex.prices == [102.0]


def test_each_instrument_by_its_own_model(exchange):
    other = attrs.evolve(SMOOTH, symbol="B")
    ex = exchange(SMOOTH, other, slippage=SlippageBySymbol({"B": HalfSpread(2.0)}, 0.001))
    ex.buy(1.0)
    ex.buy(1.0, on=other)
    opened = ex.now
    for instrument in (SMOOTH, other):
        ex.bar(100.0, 100.0, 100.0, 100.0, on=instrument, opened=opened)
    assert ex.prices == pytest.approx([100.1, 101.0])


PRICES = st.integers(1, 4_000).map(lambda ticks: ticks / 20)
MODELS = st.one_of(
    st.builds(HalfSpread, spread=st.floats(0, 50)),
    st.builds(HalfSpread, bps=st.floats(0, 19_000)),
    st.builds(SquareRootImpact, st.floats(0, 3), volatility=st.none() | st.floats(0, 0.5), most=st.floats(0, 0.9)),
    st.builds(PercentSlippage, st.floats(0, 0.9)),
    st.builds(FixedSlippage, st.floats(0, 50)),
)


@given(
    model=MODELS,
    row=st.tuples(PRICES, PRICES, PRICES),
    size=st.floats(0.1, 1e6),
    volume=st.floats(0, 1e6),
    at=st.floats(0, 1),
)
def test_no_model_ever_makes_a_price_better_or_leaves_the_grid(model, row, size, volume, at):
    low, middle, high = sorted(row)
    bar = MatchedBar(0, 1, middle, high, low, middle, volume)
    price = TICKED.round_price(low + (high - low) * at)
    for bounded in (False, True):
        chosen = WithinBar(model) if bounded else model
        slip = chosen.slip_in if isinstance(chosen, BarSlippageModel) else lambda _, *rest: model.slip(*rest)
        bought, sold = slip(bar, TICKED, price, size, True), slip(bar, TICKED, price, size, False)
        assert bought >= price >= sold > 0.0
        for slipped in (bought, sold):
            assert TICKED.price_grid.holds(slipped)
            assert TICKED.price_to_decimal(slipped) % Decimal("0.05") == 0
            assert low <= slipped <= high or not bounded


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("none", NoSlippage()),
        ({"rate": 0.1}, PercentSlippage(0.1)),
        ({"use": "percent-slippage", "rate": 0.1}, PercentSlippage(0.1)),
        ({"use": "within-bar", "model": {"amount": 0.5}}, WithinBar(FixedSlippage(0.5))),
        ({"use": "backtrader", "perc": 0.1, "slip_out": True}, BacktraderSlippage(perc=0.1, slip_out=True)),
        ({"use": "by-symbol", "models": {"A": 0.1}}, SlippageBySymbol({"A": 0.1})),
    ],
)
def test_models_by_name(said, meant):
    assert slippage_model(said) == meant


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (HalfSpread, "HalfSpread: spread is None and bps is None; give one of the two"),
        (lambda: HalfSpread(1.0, 2.0), "give one of the two"),
        (lambda: HalfSpread(-1.0), "HalfSpread: spread is -1.0; it is a price difference, not negative"),
        (lambda: HalfSpread(bps=20_000), "HalfSpread: bps is 20000"),
        (lambda: HalfSpread([0.1, 0.2]), "HalfSpread: spread is a list; give a number, a pandas Series with a Date"),
        (lambda: HalfSpread(np.ones(3)), "HalfSpread: spread is a ndarray; give a number"),
        (lambda: HalfSpread(pd.Series([1.0])), "HalfSpread: spread is a Series; give a number"),
        (lambda: HalfSpread(([1, 2], [0.1])), "2 times and 1 values"),
        (lambda: HalfSpread(([], [])), "0 times and 0 values"),
        (lambda: HalfSpread((["2024-03-01", "2024-03-01"], [1, 1])), "time 1 is 2024-03-01 00:00:00 UTC, not after"),
        (lambda: HalfSpread((["yesterday"], [1])), "'yesterday' is no ISO 8601 time"),
        (
            lambda: HalfSpread((["2024-03-01"], [float("nan")])),
            "spread is nan at 2024-03-01 00:00:00 UTC; it is a price",
        ),
        (lambda: SquareRootImpact(-1.0), "coefficient is -1.0"),
        (lambda: SquareRootImpact(most=1.0), "most is 1.0; it is a fraction of the price below 1"),
        (lambda: SquareRootImpact(volatility="high"), "volatility is a str"),
        (lambda: BacktraderSlippage(slip_out=1), "slip_out is 1; it is True or False"),
        (lambda: BacktraderSlippage(perc=1.0), "perc is 1.0"),
        (lambda: slippage_model({"rate": 0.1, "amount": 1}), "write {'rate': ...}, {'amount': ...}, or {'use': NAME}"),
        (lambda: slippage_model({"use": "half-spred"}), "no such slippage model. Did you mean 'half-spread'?"),
        (lambda: slippage_model(NoSlippage), "slippage is <class"),
        (lambda: WithinBar(BacktraderSlippage(perc=0.1)), "cannot be part of another model"),
        (lambda: SlippageBySymbol({"A": {"use": "backtrader"}}), "SlippageBySymbol, A: BacktraderSlippage("),
    ],
)
def test_settings_that_make_no_model(make, message):
    with pytest.raises(ParameterError) as caught:
        make()
    assert message in str(caught.value)


def test_backtraders_switches_go_with_its_rules(exchange):
    with pytest.raises(ParameterError, match="goes with rules='backtrader'"):
        exchange(SMOOTH, slippage=BacktraderSlippage(perc=0.001))
    with pytest.raises(
        ParameterError, match=r"slippage models name 'ACNE', which is not traded here\. Did you mean 'ACME'"
    ):
        exchange(SMOOTH, slippage=SlippageBySymbol({"ACNE": 0.1}))


def test_the_filler_says_what_a_number_means(exchange):
    assert exchange(volume_limit=0.25).venue.rules.volume_limit == PercentFiller(0.25)


def test_bars_of_several_series_are_not_confused(run):
    """Two series at once, each with the spread of its own bars, both ways of playing them."""
    frames = {name: frame_of(6, 0.0).drop(columns="spread") + offset for name, offset in (("A", 0.0), ("B", 100.0))}
    spreads = {name: HalfSpread((list(range(START, START + 6 * MINUTE_NS, MINUTE_NS)), list(np.arange(6) * factor)))
               for name, factor in (("A", 0.2), ("B", 0.6))}  # fmt: skip
    prices = []
    for events in (False, True):
        result = run(
            frames,
            on_step=lambda strategy: (strategy.buy(1.0, data="A"), strategy.sell(1.0, data="B")),
            slippage=SlippageBySymbol(spreads),
            events=events,
        )
        prices.append([fill.price for fill in result.fill_records])
    assert prices[0] == prices[1]
    assert prices[0][:4] == pytest.approx([100.1, 199.7, 100.2, 199.4])
    assert isinstance(result.settings["slippage"], str)
