"""Random bars: the same for a seed however they are read, and distributed as their model says."""

from __future__ import annotations

import numpy as np
import pytest

from cambist.data import BLOCK_ROWS, concatenate, random_bars, weekly_calendar
from cambist.data.generators import open_random
from cambist.errors import ParameterError
from cambist.model import to_ns

YEAR = 365.0
MODELS = {"gbm": {}, "jump": {}, "garch": {}, "walk": {"step": 0.01}}


def equal(one, other):
    return np.array_equal(one.ts, other.ts) and all(
        np.array_equal(one.columns[name], other.columns[name]) for name in one.columns
    )


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("more", [{}, {"missing": 0.3}, {"calendar": weekly_calendar("desk", "09:30-16:00")}], ids=str)
def test_a_series_depends_on_its_seed_alone(model, more):
    if "calendar" in more:
        more = {**more, "start": "2024-01-01", "timeframe": "30m"}
    settings = {"bars": 9_000, "seed": 3, **MODELS[model], **more}
    whole = random_bars(model, **settings).load()
    for size in (1_000, 8_192, BLOCK_ROWS):
        assert equal(concatenate(random_bars(model, **settings).blocks(size)), whole)
    longer = random_bars(model, **{**settings, "bars": 17_000}).load()
    assert equal(longer[: len(whole)], whole)
    assert not np.array_equal(random_bars(model, **{**settings, "seed": 4}).load().close[:100], whole.close[:100])


@pytest.mark.parametrize("model", ["gbm", "jump", "garch"])
def test_mean_and_variance_of_log_returns_are_those_of_the_model(model):
    count, sigma, mu = 400_000, 0.5, 0.3
    settings = {"jumps": 20.0, "jump_mean": -0.02, "jump_sigma": 0.04} if model == "jump" else {}
    bars = random_bars(model, bars=count, seed=1, sigma=sigma, mu=mu, timeframe="1h", **settings).load()
    returns = np.diff(np.log(bars.close))
    length = 1 / (YEAR * 24)
    mean, variance = (mu - sigma**2 / 2) * length, sigma**2 * length
    if settings:
        mean += 20 * length * -0.02
        variance += 20 * length * (0.04**2 + 0.02**2)
    assert abs(returns.mean() - mean) < 4 * np.sqrt(variance / count)
    # The variance of a sample variance follows from the fourth moment.
    spread = np.sqrt((np.mean((returns - returns.mean()) ** 4) - returns.var() ** 2) / count)
    correlated = 12 if model == "garch" else 1
    assert abs(returns.var() - variance) < 4 * correlated * spread


def kurtosis(values):
    centered = values - values.mean()
    return np.mean(centered**4) / np.mean(centered**2) ** 2


def correlation(values):
    return np.corrcoef(values[1:], values[:-1])[0, 1]


def test_jumps_have_fat_tails_and_garch_clusters_and_brownian_motion_neither():
    returns = {
        model: np.diff(np.log(random_bars(model, bars=100_000, seed=5, jump_sigma=0.1).load().close))
        for model in ("gbm", "jump", "garch")
    }
    assert abs(kurtosis(returns["gbm"]) - 3) < 0.1
    assert kurtosis(returns["jump"]) > 6
    assert abs(correlation(returns["gbm"] ** 2)) < 0.02
    # Bollerslev 1986: the first autocorrelation of squares is alpha (1 - ab - b^2) / (1 - 2ab - b^2).
    alpha, beta = 0.08, 0.9
    expected = alpha * (1 - alpha * beta - beta**2) / (1 - 2 * alpha * beta - beta**2)
    assert abs(correlation(returns["garch"] ** 2) - expected) < 0.06
    for values in returns.values():
        assert abs(correlation(values)) < 0.02


def test_a_walk_moves_by_its_step_and_stays_above_zero():
    bars = random_bars("walk", bars=20_000, seed=2, step=0.25, price=2.0, steps=4).load()
    assert bars.low.min() == 0.25
    for column in (bars.open, bars.high, bars.low, bars.close):
        assert np.array_equal(column, np.round(column / 0.25) * 0.25)
    assert np.array_equal(bars.open[1:], bars.close[:-1])
    assert np.abs(bars.close - bars.open).max() <= 1.0


def test_prices_lie_on_the_grid_that_is_asked_for():
    bars = random_bars(bars=500, step=0.5, price=3.0, sigma=2.0).load()
    assert np.array_equal(bars.close, np.round(bars.close / 0.5) * 0.5)


def test_bars_stay_within_sessions_with_gaps_between():
    calendar = weekly_calendar("desk", "09:30-16:00", tz="America/New_York")
    bars = random_bars(bars=3_000, timeframe="30m", start="2024-01-01", calendar=calendar, overnight=0.05).load()
    assert calendar.open_at(bars.ts).all()
    begins = np.flatnonzero(np.diff(calendar.session_numbers(bars.ts))) + 1
    assert set(np.diff(begins)) == {13}
    gaps = np.log(bars.open[begins] / bars.close[begins - 1])
    assert 0.04 < gaps.std() < 0.06
    inside = np.setdiff1d(np.arange(1, len(bars)), begins)
    assert np.allclose(bars.open[inside], bars.close[inside - 1])


def test_a_share_of_bars_can_be_missing():
    bars = random_bars(bars=20_000, missing=0.25, seed=9).load()
    assert abs(len(bars) / 20_000 - 0.75) < 0.015
    assert bars.ts[0] == to_ns("2000-01-01")


def test_the_feed_takes_its_attributes_behind_commas():
    opened = open_random("garch, seed=7, bars=50, timeframe=1m, sigma=0.8", symbol="X").load()
    direct = random_bars("garch", seed=7, bars=50, timeframe="1m", sigma=0.8, symbol="X").load()
    assert equal(opened, direct)
    assert opened.instrument.symbol == "X"
    assert len(open_random("").load()) == 1_000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gmb", "Did you mean 'gbm'"),
        ("gbm,seed", "says nothing"),
        ("gbm,seeed=1", "Did you mean 'seed'"),
        ("gbm,seed=1.5", "whole number"),
        ("gbm,sigma=high", "give a number"),
        ("gbm,bars=0", "bars is 0"),
        ("gbm,sigma=-1", "sigma is -1"),
        ("gbm,missing=1", "missing is 1"),
        ("garch,alpha=0.2", "alpha \\+ beta"),
        ("walk", "step="),
    ],
)
def test_a_mistake_is_told(text, message):
    with pytest.raises(ParameterError, match=message):
        open_random(text)


def test_a_text_is_no_number():
    with pytest.raises(ParameterError, match="bars is '5'"):
        random_bars(bars="5")
