"""A run that cheats on the open has one outcome whichever way its bars are played; see `test_backtest_paths`."""

from __future__ import annotations

from random import Random

import attrs
import pytest

from cambist.backtest import feeds

SCENARIOS, CHUNK = 160, 20
WAYS = ({"events": True}, {"blocks": True}, {"events": True, "blocks": True})


def cheating(scenario, **options):
    """Return the scenario as one in which strategies see opens."""
    kept = {name: value for name, value in scenario.options.items() if name != "market_fill"}
    if kept.get("rules") != "backtrader" and Random(f"latency {scenario.seed}").random() < 0.2:
        kept["latency"] = "40s"
    return attrs.evolve(scenario, options=kept | {"cheat_on_open": True} | options)


def outcome(played, way):
    return played.books() | (played.days() if "blocks" in way else played.curve())


def hold_equal(play, scenario):
    reference = play(scenario)
    for way in WAYS[: 2 if scenario.seed % 4 else 3]:
        expected, got = outcome(reference, way), outcome(play(scenario, **way), way)
        for key, values in expected.items():
            assert got[key] == values, (scenario, way, key)
    return reference


@pytest.mark.parametrize("first", range(0, SCENARIOS, CHUNK))
def test_every_way_of_playing_gives_the_same_books(scenarios, first):
    seen = set()
    for seed in range(first, first + CHUNK):
        played = hold_equal(scenarios["play"], cheating(scenarios["make"](seed)))
        sent_in = [(one[1], other[1]) for one, other in zip(played.trace, played.trace[1:], strict=False)]
        seen |= {"sent at an open"} if ("open", "sent") in sent_in else set()
        seen |= {"filled"} if played.result.fill_records else set()
    assert seen == {"sent at an open", "filled"}


@pytest.mark.parametrize("first", range(0, 60, CHUNK))
def test_every_account_is_kept_alike(scenarios, first):
    for seed in range(first, first + CHUNK):
        hold_equal(scenarios["play"], cheating(scenarios["make_account"](seed)))


def test_the_compatible_rules_are_played_alike_too(scenarios):
    known = {"cash", "fees", "slippage", "volume_limit", "sizer", "risk", "benchmark"}
    for seed in range(200, 240):
        scenario = scenarios["make"](seed)
        options = {name: value for name, value in scenario.options.items() if name in known}
        hold_equal(scenarios["play"], cheating(attrs.evolve(scenario, options=options | {"rules": "backtrader"})))


def test_the_borders_of_windows_are_not_felt(scenarios, monkeypatch):
    """The bar before the first of a window is in another one, and the strategy still sees it at the open."""
    for seed in range(40):
        scenario = cheating(scenarios["make"](seed))
        reference = scenarios["play"](scenario)
        with monkeypatch.context() as patch:
            patch.setattr(feeds, "ROWS", 1 + seed % 9)
            played = scenarios["play"](scenario)
        assert outcome(played, {}) == outcome(reference, {}), scenario


def test_a_strategy_that_raises_leaves_the_same_result(scenarios):
    raised_at_open = 0
    for seed in range(1_000, 1_050):
        scenario = attrs.evolve(cheating(scenarios["make"](seed)), fails_at=5 + 4 * (seed % 30))
        error = hold_equal(scenarios["play"], scenario).error
        raised_at_open += "out of luck in open" in error and "at the open of the bar of" in error
    assert raised_at_open > 3
