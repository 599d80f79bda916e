"""Every fill model gives the same books whichever way the bars are played."""

from __future__ import annotations

from random import Random

import attrs
import pytest

from cambist.simulation import (
    ConstantLatency,
    FeesBySymbol,
    FixedFiller,
    HalfSpread,
    LognormalLatency,
    PerContractFee,
    PerOrderFee,
    RandomRejection,
    RangeFiller,
    SquareRootImpact,
    TieredFee,
    UniformLatency,
    WithinBar,
)

MODELS = {
    "fees": [
        PerOrderFee(per_order=0.3, per_unit=0.01, minimum=0.5, maximum_rate=0.05),
        TieredFee([(0, 0.001, 0.002), (100, -0.0005, 0.001), (2_000, -0.001, 0.0)], window_days=0.05),
        PerContractFee(0.02, -0.01),
        FeesBySymbol({}, PerOrderFee(minimum=0.2)),
    ],
    "slippage": [
        HalfSpread(bps=30),
        HalfSpread((["1960-01-01", "2024-02-01 00:10", "2024-03-01 12:00"], [0.0, 0.07, 0.21])),
        SquareRootImpact(0.5),
        SquareRootImpact(volatility=0.01, volume=100.0),
        WithinBar(0.02),
    ],
    "volume_limit": [
        FixedFiller(1.3),
        RangeFiller(0.5, 0.1),
        RangeFiller(),
        lambda order, price, bar: bar.volume / 10.0 - bar.taken_in_all,
    ],
    "latency": ["10s", ConstantLatency("3m", "40s", 0), UniformLatency(0, "90s"), LognormalLatency("4m", 1.0)],
    "rejection": [0.3, RandomRejection(0.1, 0.5, 0.5)],
}
WAYS = ({"events": True}, {"blocks": True})


def with_models(scenario):
    """Return the scenario with one model of each kind, or none of it, by its seed."""
    options = {name: value for name, value in scenario.options.items() if name not in MODELS}
    rng = Random(f"models {scenario.seed}")
    for name, models in MODELS.items():
        which = rng.randrange(len(models) + 1)
        if which:
            options[name] = models[which - 1]
    return attrs.evolve(scenario, options=options)


@pytest.mark.parametrize("first", range(0, 150, 25))
def test_every_way_of_playing_gives_the_same_books(scenarios, first):
    fills = 0
    for seed in range(first, first + 25):
        scenario = with_models(scenarios["make"](seed))
        reference = scenarios["play"](scenario)
        for way in WAYS:
            assert scenarios["play"](scenario, **way).books() == reference.books(), (scenario, way)
        fills += len(reference.result.fill_records)
    assert fills > 100


def test_a_run_leaves_no_trace_in_the_next_one(scenarios):
    for seed in range(8):
        scenario = with_models(scenarios["make"](5 * seed + 2))
        assert scenarios["play"](scenario).books() == scenarios["play"](scenario).books()


def test_no_latency_and_no_refusals_are_as_good_as_none(scenarios):
    for seed in range(30):
        scenario = scenarios["make"](seed)
        none = attrs.evolve(scenario, options=scenario.options | {"latency": 0, "rejection": 0.0})
        assert scenarios["play"](none).books() == scenarios["play"](scenario).books(), scenario


def test_finer_bars_that_are_the_bars_themselves_change_nothing(scenarios):
    for seed in range(40):
        scenario = with_models(scenarios["make"](seed))
        finer = attrs.evolve(scenario, options=scenario.options | {"magnify": scenarios["bars"](scenario)})
        for way in ({}, {"events": True}):
            assert scenarios["play"](finer, **way).books() == scenarios["play"](scenario).books(), scenario
