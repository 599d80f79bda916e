"""One outcome whichever way the bars are played: whole columns, events one by one, blocks, and both together.

Random strategies on random markets, see `conftest.py`. Where two ways part, the scenario is made as small as the
difference allows before it is shown.
"""

from __future__ import annotations

from itertools import zip_longest

import attrs
import pytest

from cambist import StopRequest
from cambist.backtest import feeds
from cambist.model import OrderType
from cambist.model.times import DAY_NS

SCENARIOS = 240
CHUNK = 20
WAYS = {"events": {"events": True}, "blocks": {"blocks": True}, "events in blocks": {"events": True, "blocks": True}}


def outcome(played, way):
    """Return what a way of playing leaves of a scenario."""
    return played.books() | (played.days() if "blocks" in way else played.curve())


def difference(play, scenario, way, reference=None):
    """Return the first thing in which a way of playing parts from the fast path, or None."""
    expected, got = outcome(reference or play(scenario), way), outcome(play(scenario, **way), way)
    for key in expected:
        for number, (one, other) in enumerate(zip_longest(expected[key], got[key])):
            if one != other:
                return f"{key} {number}:\n  columns: {one}\n  other:   {other}"
    return None


def smaller(scenario):
    """Yield scenarios that are simpler than this one by one step."""
    for name, least in (("bars", 4), ("series", 1), ("traders", 1)):
        value = getattr(scenario, name)
        for less in {least, value // 2, value - 1}:
            if least <= less < value:
                yield attrs.evolve(scenario, **{name: less})
    for name in scenario.options:
        if name != "cash":
            yield attrs.evolve(scenario, options={key: value for key, value in scenario.options.items() if key != name})
    for name in scenario.account:
        yield attrs.evolve(scenario, account=tuple(other for other in scenario.account if other != name))
    yield from (attrs.evolve(scenario, activity=less) for less in (0.1, 0.3) if less < scenario.activity)


def shrink(play, scenario, way):
    """Return the smallest scenario found that still shows a difference."""
    for candidate in smaller(scenario):
        if difference(play, candidate, way) is not None:
            return shrink(play, candidate, way)
    return scenario


def hold_equal(play, scenario, ways=tuple(WAYS)):
    """Fail with the smallest scenario found if some way of playing parts from the fast path."""
    reference = play(scenario)
    for name in ways:
        if difference(play, scenario, WAYS[name], reference) is not None:
            least = shrink(play, scenario, WAYS[name])
            pytest.fail(f"{name} differ in {least}\n{difference(play, least, WAYS[name])}")


@pytest.mark.parametrize("first", range(0, SCENARIOS, CHUNK))
def test_every_way_of_playing_gives_the_same_books(scenarios, first):
    for seed in range(first, first + CHUNK):
        ways = ("events", "blocks") if seed % 4 else tuple(WAYS)
        hold_equal(scenarios["play"], scenarios["make"](seed), ways)


@pytest.mark.parametrize("first", range(0, 120, CHUNK))
def test_every_account_is_kept_alike(scenarios, first):
    for seed in range(first, first + CHUNK):
        ways = ("events", "blocks") if seed % 4 else tuple(WAYS)
        hold_equal(scenarios["play"], scenarios["make_account"](seed), ways)


@pytest.mark.parametrize("first", range(0, 160, CHUNK))
def test_accounts_that_trade_futures_in_full_are_kept_alike(scenarios, first):
    for seed in range(first, first + CHUNK):
        ways = ("events", "blocks") if seed % 4 else tuple(WAYS)
        hold_equal(scenarios["play"], scenarios["make_futures"](seed), ways)


def test_the_futures_accounts_reach_every_corner(scenarios):
    seen = set()
    for seed in range(160):
        result = scenarios["play"](scenarios["make_futures"](seed)).result
        seen |= {trade.reason for trade in result.trade_records}
        seen |= {order.reason.partition(":")[0] for order in result.order_records}
        seen |= {flow.position_side for flow in result.flow_records if flow.kind == "funding"}
        seen |= {"part" for warning in result.warnings if warning.startswith("liquidation: ") and " of the " in warning}
        seen |= {"refused" for warning in result.warnings if "changes of margin or leverage were refused" in warning}
    assert seen >= {"liquidation", "adl", "position_side_missing", "closes_more_than_held", "nothing_to_reduce"}
    assert seen >= {"long", "short", "part", "refused"}


def test_the_accounts_reach_every_corner(scenarios):
    seen = set()
    for seed in range(120):
        result = scenarios["play"](scenarios["make_account"](seed)).result
        seen |= {trade.reason for trade in result.trade_records}
        seen |= {order.reason.partition(":")[0] for order in result.order_records}
        seen |= {flow.kind for flow in result.flow_records}
        seen |= {"refused"} if any("withdrawals were refused" in warning for warning in result.warnings) else set()
    assert seen >= {"liquidation", "leverage_above_limit", "funding", "interest", "deposit", "withdrawal", "refused"}
    assert seen >= {"dividend", "fraction"}


def test_the_borders_of_windows_are_not_felt(scenarios, monkeypatch):
    """A long run is played in stretches; short ones put many borders into few bars."""
    for seed in range(40):
        scenario = scenarios["make"](seed)
        reference = scenarios["play"](scenario)
        with monkeypatch.context() as patch:
            patch.setattr(feeds, "ROWS", 1 + seed % 9)
            played = scenarios["play"](scenario)
        assert outcome(played, {}) == outcome(reference, {}), scenario


def test_the_compatible_rules_are_played_alike_too(scenarios):
    known = {"cash", "fees", "slippage", "market_fill", "volume_limit", "sizer", "risk", "benchmark"}
    for seed in range(110, 150):
        scenario = scenarios["make"](seed)
        options = {name: value for name, value in scenario.options.items() if name in known}
        hold_equal(
            scenarios["play"], attrs.evolve(scenario, options=options | {"rules": "backtrader"}), ("events", "blocks")
        )


def test_a_strategy_that_raises_leaves_the_same_result(scenarios):
    raised = 0
    for seed in range(1_000, 1_030):
        scenario = attrs.evolve(scenarios["make"](seed), fails_at=5 + 4 * (seed % 30))
        hold_equal(scenarios["play"], scenario)
        error = scenarios["play"](scenario).error
        raised += "raised RuntimeError" in error and "out of luck" in error
    assert raised > 15


@pytest.mark.parametrize("series", [1, 2])
def test_a_run_that_is_stopped_before_its_first_bar_plays_none(scenarios, series):
    scenario = attrs.evolve(scenarios["make"](0), series=series, traders=1)
    for way in ({}, *WAYS.values()):
        request = StopRequest()
        request("not today")
        played = scenarios["play"](scenario, stop=request, **way)
        assert (played.result.n_bars, played.result.stopped) == (0, "not today"), way
        assert {entry[1] for entry in played.trace} - {"refused"} == {"start", "stop"}, way


def test_the_scenarios_reach_every_corner(scenarios):
    """A parity test of strategies that do nothing would always pass."""
    seen = set()
    for seed in range(0, SCENARIOS, 3):
        played = scenarios["play"](scenarios["make"](seed))
        for order in played.result.order_records:
            seen |= {order.type, order.time_in_force, str(order.status), order.reason.partition(":")[0]}
        seen |= {str(fill.liquidity) for fill in played.result.fill_records}
        seen |= {entry[1] for entry in played.trace}
        seen |= {"stopped"} if played.result.stopped else set()
        seen |= {"reversal"} if any(trade.is_long is False for trade in played.result.trade_records) else set()
    assert seen >= {
        *OrderType,
        *("oco", "parent_ended", "stop_already_reached", "post_only"),
        *("gtc", "day", "gtd", "ioc", "fok"),
        *("filled", "canceled", "rejected", "expired", "accepted"),
        *("insufficient_funds", "nothing_to_reduce", "size_not_positive", "could not trade at once"),
        *("maker", "taker"),
        *("warmup", "bar", "step", "order", "fill", "trade", "timer", "stop", "refused", "sent"),
        *("stopped", "reversal"),
    }


def test_nothing_hangs_on_the_calendar(scenarios):
    """The same market before 1970 gives the same trades: no time is a mark for something else."""
    play = scenarios["play"]
    for seed in range(100):
        scenario, at = scenarios["make"](seed), -30_000 * DAY_NS
        now, then = play(scenario), play(scenario, at=at)
        assert [
            (fill.order_id, fill.size, fill.price, fill.fee, fill.liquidity, fill.ts)
            for fill in now.result.fill_records
        ] == [
            (fill.order_id, fill.size, fill.price, fill.fee, fill.liquidity, fill.ts - at)
            for fill in then.result.fill_records
        ], scenario
        # The message of a refusal may name a time; its code is the same.
        assert [(str(order.status), order.reason.partition(":")[0]) for order in now.result.order_records] == [
            (str(order.status), order.reason.partition(":")[0]) for order in then.result.order_records
        ], scenario
