"""Validation against the papers' own numbers, computations of another kind, and data of which the truth is known."""

from __future__ import annotations

from itertools import combinations
from math import comb, sqrt

import numpy as np
import pandas as pd
import pytest

import cambist
from cambist.analysis import validation as v
from cambist.errors import ParameterError
from cambist.strategies.examples.sma_cross import SmaCross


def noise(rows, columns, seed=1, edge=0.0):
    """Return returns without skill, but for the first column, which has a Sharpe ratio of `edge` a period."""
    values = np.random.default_rng(seed).normal(0.0, 0.01, (rows, columns))
    values[:, 0] += edge * 0.01
    return values


# Sharpe ratios.


def test_the_numbers_of_the_papers():
    # Bailey and Lopez de Prado (2012), the hedge fund of two years of months: 0.982 if normal, 0.913 as it is.
    assert v.probabilistic_sharpe(0.458, 24) == pytest.approx(0.982, abs=5e-4)
    assert v.probabilistic_sharpe(0.458, 24, -2.448, 10.164) == pytest.approx(0.913, abs=5e-4)
    # Bailey and Lopez de Prado (2014): a ratio of 2.5 a year over 1,250 days, 100 tries of which the variance is 1/2.
    variance = 0.5 / 250
    assert v.expected_best_sharpe(100, variance) == pytest.approx(0.1132, abs=5e-5)
    assert v.deflated_sharpe(2.5 / sqrt(250), 1250, 100, variance, -3.0, 10.0) == pytest.approx(0.9004, abs=5e-5)
    assert v.deflated_sharpe(2.5 / sqrt(250), 1250, 46, variance, -3.0, 10.0) == pytest.approx(0.9505, abs=5e-5)


def test_the_least_track_record_is_where_one_is_as_sure():
    least = v.least_track_record(0.1, -0.7, 5.0, 0.02, 0.975)
    assert v.probabilistic_sharpe(0.1, least, -0.7, 5.0, 0.02) == pytest.approx(0.975)
    assert v.least_track_record(0.1, benchmark=0.2) == np.inf


def test_the_best_of_many_tries_is_what_chance_makes_of_it():
    best = [noise(2_000, 50, seed).mean(axis=0).max() / 0.01 for seed in range(200)]
    assert v.expected_best_sharpe(50, 1 / 2_000) == pytest.approx(np.mean(best), rel=0.03)


def test_deflating_tells_skill_from_the_luck_of_the_best():
    def deflated(returns):
        ratios = v.column_sharpe(returns)
        ratio, skewness, kurtosis = v.sharpe_moments(returns[:, ratios.argmax()])
        return v.deflated_sharpe(ratio, len(returns), returns.shape[1], ratios.var(ddof=1), skewness, kurtosis)

    lucky = [deflated(noise(1_000, 100, seed)) for seed in range(30)]
    assert np.mean(np.array(lucky) > 0.95) <= 0.1
    assert min(deflated(noise(1_000, 100, seed, edge=0.25)) for seed in range(10)) > 0.95


# Splits.


@pytest.mark.parametrize(("groups", "judged", "horizon", "embargo"), [(5, 1, 0, 0.0), (6, 2, 4, 0.0), (7, 3, 3, 0.02)])
def test_no_outcome_is_on_both_sides_of_a_split(groups, judged, horizon, embargo):
    rows = 150
    splits = v.combinatorial_splits(rows, groups, judged, horizon=horizon, embargo=embargo)
    assert len(splits) == comb(groups, judged)
    assert sum(len(split.test) for split in splits) == rows * comb(groups - 1, judged - 1)
    for split in splits:
        tests = set(split.test.tolist())
        ends = [row for row in tests if row + 1 not in tests]
        for row in range(rows):
            touches = any(row - horizon <= other <= row + horizon for other in tests)
            late = any(end < row <= end + horizon + int(rows * embargo) for end in ends)
            assert (row in split.train) == (not touches and not late)


def test_walking_forward():
    rolling = v.walk_forward_splits(100, 40, 20, gap=5)
    assert [(s.train[0], s.train[-1], s.test[0], s.test[-1]) for s in rolling] == [(0, 39, 45, 64), (20, 59, 65, 84)]
    anchored = v.walk_forward_splits(100, 40, 20, gap=5, anchored=True, step=10)
    assert [(s.train[0], s.train[-1], s.test[0]) for s in anchored] == [
        (0, 39, 45),
        (0, 49, 55),
        (0, 59, 65),
        (0, 69, 75),
    ]


def test_choosing_on_the_past_keeps_an_edge_and_loses_luck():
    splits = v.walk_forward_splits(2_000, 500, 250)
    lucky = np.array([v.select(noise(2_000, 40, seed), splits).efficiency for seed in range(20)])
    assert abs(lucky.mean()) < 0.1
    kept = v.select(noise(2_000, 40, 3, edge=0.3), splits)
    assert set(kept.chosen) == {0}
    assert kept.efficiency == pytest.approx(1.0, abs=0.2)
    assert len(kept.joined) == 1_500
    assert kept.table().columns.tolist() == ["fold", "chosen", "inside", "outside"]


def test_paths_go_through_all_of_history_and_only_through_what_was_judged():
    returns = noise(120, 4)
    splits = v.combinatorial_splits(120, 6, 2)
    paths = v.path_returns(returns, splits)
    assert paths.shape == (120, 5)
    picked = v.select(returns, splits).chosen
    for group in range(6):
        rows = np.arange(20 * group, 20 * group + 20)
        winners = [best for split, best in zip(splits, picked, strict=True) if group in split.groups]
        assert np.array_equal(paths[rows], returns[np.ix_(rows, winners)])


# Overfitting.


def test_overfitting_is_what_a_loop_finds():
    returns = noise(64, 5, 9, edge=0.2)
    logits = []
    for half in combinations(range(8), 4):
        chosen = np.concatenate([np.arange(8 * block, 8 * block + 8) for block in half])
        inside = pd.DataFrame(returns[chosen])
        outside = pd.DataFrame(np.delete(returns, chosen, axis=0))
        best = (inside.mean() / inside.std()).idxmax()
        rank = (outside.mean() / outside.std()).rank()[best] / 6
        logits.append(np.log(rank / (1 - rank)))
    found = v.overfitting(returns, 8)
    assert np.allclose(found.logits, logits)
    assert found.probability == np.mean(np.array(logits) <= 0)


def test_overfitting_is_a_half_for_noise_and_none_for_an_edge():
    noisy = [v.overfitting(noise(800, 30, seed), 10).probability for seed in range(25)]
    assert np.mean(noisy) == pytest.approx(0.5, abs=0.08)
    found = v.overfitting(noise(800, 30, 4, edge=0.4), 10)
    assert found.probability < 0.01
    assert set(found.chosen) == {0}


# Drawing again.


def test_what_is_drawn_spreads_as_theory_says():
    returns = noise(400, 1)[:, 0]
    bands = v.trade_bootstrap(returns, 4_000)
    assert np.log1p(bands.growth).mean() == pytest.approx(np.log1p(returns).sum(), abs=0.02)
    assert np.log1p(bands.growth).std() == pytest.approx(np.log1p(returns).std() * sqrt(400), rel=0.05)
    assert bands.paths[-1].tolist() == np.quantile(1 + bands.growth, bands.levels).tolist()
    again = v.trade_bootstrap(returns, 4_000)
    assert np.array_equal(again.growth, bands.growth)


def test_blocks_keep_what_hangs_together():
    steps = np.random.default_rng(2).normal(0.0, 0.01, 1_200)
    trending = np.convolve(steps, np.ones(20) / 20, "same")  # neighbors move together: sums spread further than alone
    alone = np.log1p(v.block_bootstrap(trending, 2_000, block=1).growth).std()
    together = np.log1p(v.block_bootstrap(trending, 2_000, block=60).growth).std()
    assert together > 2.5 * alone
    from cambist.analysis.validation.bootstrap import _rows

    rows = _rows(np.random.default_rng(0), 200, 1_000, 12.0)
    begun = np.diff(rows, axis=1) % 1_000 != 1
    assert 1 / begun.mean() == pytest.approx(12.0, rel=0.05)


# Stability and costs.


def test_a_plateau_and_a_needle():
    grid = [(fast, slow) for fast in range(5, 15) for slow in range(20, 60, 10)]
    table = pd.DataFrame(grid, columns=["fast", "slow"])
    table["sharpe"] = 2.0 - 0.02 * (table["fast"] - 9).abs() - 0.01 * (table["slow"] - 40).abs()
    flat = v.neighborhood(table, ["fast", "slow"], "sharpe")
    assert table.loc[flat.best, ["fast", "slow"]].tolist() == [9, 40]
    assert len(flat.neighbors) == 8
    assert flat.kept > 0.9
    table["sharpe"] = np.where(table.index == flat.best, 3.0, np.sin(table.index))
    assert v.neighborhood(table, ["fast", "slow"], "sharpe").kept < 0.3


def test_costs_are_those_of_a_run_that_pays_them(bars):
    close = 100 + 10 * np.sin(np.arange(900) / 25) + np.random.default_rng(1).normal(0, 1, 900)
    made = bars(close)
    cheap, dear = (cambist.backtest(SmaCross(), made, cash=1e6, fees=fee) for fee in (0.001, 0.003))
    assert v.cost_sensitivity(cheap.facts, [0.0, 0.002]) == pytest.approx(
        [cheap.trades["net"].sum(), dear.trades["net"].sum()]
    )
    room = v.break_even_cost(cheap.facts)
    assert v.cost_sensitivity(cheap.facts, [room])[0] == pytest.approx(0.0, abs=1e-9)


def test_delays_are_those_of_a_loop():
    random = np.random.default_rng(5)
    opens = 100 + np.cumsum(random.normal(0, 1, 60))
    entries, exits = np.array([3, 20, 50]), np.array([9, 41, 58])
    sizes, fees = np.array([2.0, -1.0, 3.0]), np.array([0.1, 0.2, 0.3])
    found = v.delay_sensitivity(opens, (entries, exits), sizes, fees, [0, 1, 5])
    for late, made in zip([0, 1, 5], found, strict=True):
        loop = sum(
            size * (opens[min(end + late, 59)] - opens[min(start + late, 59)]) - fee
            for start, end, size, fee in zip(entries, exits, sizes, fees, strict=True)
        )
        assert made == pytest.approx(loop)


# Words, and what is refused.


def test_the_verdict_tells_an_edge_from_noise(bars):
    random = np.random.default_rng(8)
    waves = 100 + 15 * np.sin(np.arange(6_000) / 40) + random.normal(0, 0.3, 6_000)
    walk = 100 * np.exp(np.cumsum(random.normal(0, 0.01, 6_000)))
    sharp = {}
    for name, close in (("edge", waves), ("noise", walk)):
        result = cambist.backtest(
            SmaCross(), bars(close, timeframe="1h", every=3_600_000_000_000), cash=1_000, fees=0.0005
        )
        sharp[name] = v.verdict(result.facts)[0]
    assert sharp["edge"].tone is v.Tone.GOOD
    assert sharp["noise"].tone is not v.Tone.GOOD
    searched = v.verdict(result.facts, trials=500, trial_variance=0.01, search=v.overfitting(noise(100, 9), 4))
    assert "500 tries" in searched[0].claim
    assert any("Probability of overfitting" in finding.reason for finding in searched)
    idle = cambist.backtest(SmaCross(fast=50, slow=90), bars(waves[:95]), cash=1_000)
    assert [finding.claim for finding in v.verdict(idle.facts)] == ["There is nothing to judge."]


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: v.k_fold_splits(4, 5), "more folds than rows"),
        (lambda: v.k_fold_splits(100, 1), "folds is 1"),
        (lambda: v.k_fold_splits(100, 2, horizon=60), "nothing is left"),
        (lambda: v.combinatorial_splits(100, 5, 5), "leave some"),
        (lambda: v.combinatorial_splits(100, 40, 20), "Take fewer groups"),
        (lambda: v.walk_forward_splits(50, 40, 20), "there are 50"),
        (lambda: v.walk_forward_splits(50, 40.5, 5), "train is 40.5"),
        (lambda: v.overfitting(np.zeros((100, 1))), "two configurations"),
        (lambda: v.overfitting(noise(20, 3), 16), "take fewer blocks"),
        (lambda: v.overfitting(noise(100, 3), 7), "even number"),
        (lambda: v.overfitting(np.full((100, 3), np.nan)), "not finite"),
        (lambda: v.select(noise(10, 2), v.walk_forward_splits(50, 40, 5)), "there are 10 rows"),
        (lambda: v.trade_bootstrap(np.array([0.1])), "two are the least"),
        (lambda: v.block_bootstrap(noise(30, 1)[:, 0], block=40), "block is 40"),
        (lambda: v.neighborhood(pd.DataFrame({"fast": [1], "sharpe": [1.0]}), ["fsat"], "sharpe"), "fast"),
        (lambda: v.neighborhood(pd.DataFrame({"fast": [1], "sharpe": [np.nan]}), ["fast"], "sharpe"), "no row"),
        (lambda: v.expected_best_sharpe(0, 1.0), "at least one"),
    ],
)
def test_what_cannot_be_computed_is_refused(call, told):
    with pytest.raises(ParameterError, match=told):
        call()
