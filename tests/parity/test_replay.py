"""A run and its replay are one: what a kernel is told again, it decides again.

Random strategies on random markets, as in the other parity tests, played as events with a journal and a recording. What
is replayed must be equal to the last bit; a strategy that draws other numbers must part at the very record at which it
first wants something else, which is found here by comparing two journals.
"""

from __future__ import annotations

import attrs
import numpy as np
import pandas as pd
import pytest

import cambist
from cambist import MarketRules, StopRequest, StrategyError
from cambist.backtest.run import Run
from cambist.backtest.settings import BacktestSettings
from cambist.data import open_source, weekly_calendar
from cambist.errors import InputError, ParameterError
from cambist.model.times import MINUTE_NS
from cambist.simulation import TieredFee
from cambist.storage.journal import JournalFolder

CHUNK = 20


def made(scenarios, make, seed, kind=()):
    """Return a scenario in which all trade in one account and in one asset; or in several, as `kind` says."""
    scenario = scenarios[make](seed)
    kept = tuple(name for name in scenario.account if name not in ("accounts", "assets"))
    traders = max(2, scenario.traders) if "accounts" in kind else scenario.traders
    moves = ("strategy transfers",) if kind and seed % 3 else ()
    return attrs.evolve(scenario, account=tuple(dict.fromkeys((*kept, *moves, *kind))), traders=traders)


def traders_of(scenarios, scenario, *, opens=False, **other):
    class Keeping(scenarios["opening_trader" if opens else "trader"]):
        """Keeps how often it was called, which changes with every bar."""

        persistent = ("calls",)

        def on_start(self):
            self.calls = 0
            super().on_start()

        def see(self, what, *facts):
            self.calls += 1
            super().see(what, *facts)

    common = {"activity": scenario.activity, "fails_at": scenario.fails_at}
    moves = bool({"strategy transfers", "all margin"} & set(scenario.account))
    futures = "all margin" in scenario.account
    margin = scenarios["account_options"](scenario, scenarios["bars"](scenario)).get("margin")
    common |= {"moves": moves, "changes": futures, "sides": futures and margin.is_hedged}
    return [
        Keeping(**({"seed": scenario.seed * 10 + number, "trace": []} | common | other))
        for number in range(scenario.traders)
    ]


def played(scenarios, scenario, folder, *, without=(), traders=None, **more):
    """Play a scenario with journal and recording; return its run and what a replay has to be given."""
    series = scenarios["bars"](scenario)
    opens = more.get("cheat_on_open") or scenario.options.get("cheat_on_open")
    options = scenario.options | scenarios["account_options"](scenario, series) | more
    for name in without:
        options.pop(name, None)
    strategies = traders or traders_of(scenarios, scenario, opens=opens)
    options |= scenarios["own_accounts"](scenario, type(strategies[0]), options)
    settings = BacktestSettings.of(**options, events=True, journal=folder, record=True)
    run = Run(strategies, [open_source(one) for one in series], settings, None, StopRequest())
    try:
        run.play()
    except StrategyError:
        assert scenario.fails_at >= 0
    again = {name: options[name] for name in ("fees", "sizer", "risk", "marks", "rates") if name in options}
    return run, again


def records_of(folder):
    return [(one.kind, one.ts, one.body) for one in JournalFolder(folder).read()]


def hold_equal(run, again, scenarios, scenario, folder, *, opens=False):
    """A replay decides alike, and its strategies saw alike: each price, balance, position and order."""
    traders = traders_of(scenarios, scenario, opens=opens)
    report = cambist.replay(folder, traders, **again)
    assert report.equal, f"seed {scenario.seed}\n{report}"
    assert report.complete, report
    assert report.records == len(records_of(folder))
    for trader, seat in zip(traders, run.kernel.seats, strict=True):
        assert trader.trace
        assert trader.trace == seat.strategy.trace, scenario.seed
    return report


@pytest.mark.parametrize("first", range(0, 100, CHUNK))
@pytest.mark.parametrize("make", ["make", "make_sole_account", "make_futures"])
def test_a_replay_of_the_same_strategies_is_equal(scenarios, make, first, tmp_path):
    done = orders = 0
    for seed in range(first, first + CHUNK):
        scenario = made(scenarios, make, seed)
        try:
            run, again = played(scenarios, scenario, tmp_path / str(seed))
        except InputError:
            continue
        hold_equal(run, again, scenarios, scenario, tmp_path / str(seed))
        done += 1
        orders += len(run.kernel.book.orders)
    assert done > CHUNK / 2
    assert orders > 100


KINDS = [("assets",), ("accounts",), ("accounts", "assets")]


@pytest.mark.parametrize("kind", KINDS, ids="+".join)
@pytest.mark.parametrize("make", ["make_account", "make_futures"])
def test_so_it_is_with_several_accounts_and_assets(scenarios, make, kind, tmp_path):
    done = orders = moved = 0
    for seed in range(30):
        scenario = made(scenarios, make, seed, kind)
        try:
            run, again = played(scenarios, scenario, tmp_path / str(seed))
        except InputError:
            continue
        hold_equal(run, again, scenarios, scenario, tmp_path / str(seed))
        done += 1
        orders += len(run.kernel.book.orders)
        moved += sum(flow.kind in ("conversion", "transfer") for flow in run.kernel.portfolio.cash_flows)
    assert done > 8
    assert min(orders, moved) > 10


def first_difference(one, other):
    """Return the number of the first record in which two journals differ, the run's own names left out."""
    pairs = zip(one, other, strict=False)
    for number, (left, right) in enumerate(pairs, 1):
        if left[0] != "run_started" and left != right:
            return number
    return min(len(one), len(other)) + 1 if len(one) != len(other) else None


@pytest.mark.parametrize(
    ("make", "kind"),
    [("make", ()), ("make_sole_account", ()), ("make_futures", ()), ("make_account", ("accounts", "assets"))],
)
def test_other_decisions_are_found_at_the_very_record(scenarios, make, kind, tmp_path, monkeypatch):
    """Two runs, of strategies that part at some call, and a replay of one with the strategies of the other."""
    monkeypatch.setattr("secrets.token_hex", lambda size=16: "ab" * size)  # client ids of both runs alike
    found = 0
    for seed in range(30):
        scenario = made(scenarios, make, seed, kind)
        one, other = tmp_path / f"{seed}-one", tmp_path / f"{seed}-other"
        turn = 15 + seed
        try:
            _, again = played(scenarios, scenario, one, traders=parting(scenarios, scenario, -1))
            played(scenarios, scenario, other, traders=parting(scenarios, scenario, turn))
        except InputError:
            continue
        expected = first_difference(records_of(one), records_of(other))
        report = cambist.replay(one, parting(scenarios, scenario, turn), **again)
        if expected is None:
            assert report.equal, report
            assert report.complete
            continue
        assert not report.equal
        assert report.divergence.record == expected, f"seed {seed}: not {expected}\n{report}"
        left, right = records_of(one), records_of(other)
        known, wanted = report.divergence.expected, report.divergence.found
        if known is not None:
            assert (known.kind, known.ts) == left[expected - 1][:2]
        if wanted is not None:
            assert (wanted.kind, wanted.ts) == right[expected - 1][:2]
        assert known != wanted
        if known is not None and wanted is not None:
            assert known.ts == wanted.ts, f"seed {seed}: of two events\n{report}"
        found += 1
    assert found > 15


def parting(scenarios, scenario, turn):
    """Return the strategies of a scenario, which draw other numbers from their call number `turn` on."""
    traders = traders_of(scenarios, scenario)

    class Parting(type(traders[0])):
        def see(self, what, *facts):
            super().see(what, *facts)
            if self.calls == turn:
                self.rng.seed("something else")

    if scenario.seed % 2:  # else every call leaves a record
        Parting.persistent = ()
    Parting.__name__ = type(traders[0]).__name__
    return [Parting(**trader.params) for trader in traders]


def test_what_needs_other_kernels_and_models_is_equal_too(scenarios, tmp_path):
    tiers = {"use": "tiered", "tiers": [[0.0, 0.002, 0.004], [500.0, 0.001, 0.002], [5_000.0, 0.0, 0.001]]}
    ways = [
        ({"cheat_on_open": True}, ["market_fill"]),
        ({"rules": "backtrader"}, ["path", "fill_on_touch", "leverage", "volume_limit"]),
        ({"blocks": True}, []),
        ({"latency": "90s", "rejection": 0.2}, []),
        ({"fees": tiers}, []),
    ]
    for options, without in ways:
        orders = 0
        for seed in range(14):
            scenario = scenarios["make"](seed)
            folder = tmp_path / f"{'-'.join(options)}-{seed}"
            try:
                run, again = played(scenarios, scenario, folder, without=without, **options)
            except InputError:
                continue
            opens = "cheat_on_open" in options
            hold_equal(run, again, scenarios, scenario, folder, opens=opens)
            orders += len(run.kernel.book.orders)
        assert orders > 50, options


def test_fees_that_hang_on_what_was_traded_and_what_was_liquidated(scenarios, tmp_path):
    fees = TieredFee(tiers=((0.0, 0.002, 0.004), (100.0, 0.001, 0.002), (1_000.0, 0.0, 0.001)))
    closed = orders = 0
    for seed in range(40):
        scenario = made(scenarios, "make_futures", seed)
        try:
            run, again = played(scenarios, scenario, tmp_path / str(seed), fees=fees)
        except InputError:
            continue
        hold_equal(run, again, scenarios, scenario, tmp_path / str(seed))
        closed += len(run.kernel.portfolio.liquidations)
        orders += len(run.kernel.book.orders)
    assert orders > 300
    assert closed > 4


def test_orders_of_one_instrument_that_change_another(scenarios, tmp_path):
    fills = 0
    for seed in range(8):
        bars = scenarios["bars"](scenarios["make"](seed))[0]
        twin = attrs.evolve(bars, instrument=attrs.evolve(bars.instrument, symbol="Twin"))
        alike = scenarios | {"bars": lambda _scenario, both=(bars, twin): list(both)}
        folder, symbol = tmp_path / str(seed), bars.instrument.symbol
        scenario = scenarios["make"](seed)
        run, again = played(alike, scenario, folder, compensates={"Twin": symbol}, without=["leverage"])
        hold_equal(run, again, alike, scenario, folder)
        fills += sum(fill.instrument.symbol == "Twin" for fill in run.kernel.fills)
    assert fills > 5


RULES = [
    MarketRules(lot=1, odd_lots="rest", sell_after=1, cash_after=2, short=False, price_limit=0.05),
    MarketRules(lot=2, cash_after=1, price_limit=0.02),
    MarketRules(sell_after=2, short=False, sessions="hold"),
]


OF_RULES = {"outside_session", "price_limit", "short_not_allowed", "not_sellable_today", "lot_size"}


@pytest.mark.parametrize("rules", RULES, ids=["one", "two", "sessions"])
def test_the_rules_of_the_markets_are_kept_again(scenarios, rules, tmp_path):
    """Days on which what was bought may be sold and what was sold is paid, and limits by the closes of days before."""
    sessions = weekly_calendar("TEST", {"mon-sun": "0:05-23:50"}, start="2024-01-01", end="2025-12-31")
    done = fills = refused = 0
    for seed in range(40):
        scenario = scenarios["make"](seed)
        options = {"market_rules": rules} | ({"calendar": sessions} if rules.sessions != "any" else {})
        folder = tmp_path / str(seed)
        try:
            run, again = played(scenarios, scenario, folder, without=["rules"], **options)
        except InputError:  # they are of stocks, and not of every instrument
            continue
        hold_equal(run, again | options, scenarios, scenario, folder)
        done += 1
        fills += len(run.kernel.fills)
        codes = {"price_limit", "not_sellable", "off_lot", "no_short"}
        refused += sum(
            order.reason.partition(":")[0] not in codes and bool(order.reason) for order in run.kernel.book.orders
        )
    assert done > 10
    assert fills > 20
    assert refused > 0


def test_rules_that_name_themselves_are_in_the_recording(tmp_path):
    class Swing(cambist.Strategy):
        def on_bar(self, bar):
            self.buy((self.position.size and 100) or 200) if bar.close < 20 else self.close()

    ts = np.arange(300) * 30 * MINUTE_NS + 3 * 3_600 * 10**9
    close = np.round(20 + np.sin(np.arange(300) / 4.0), 2)
    share = cambist.Instrument(symbol="S", kind="equity", quote="CNY")
    bars = cambist.Bars(share, "30m", ts, close, close, close, close, np.full(300, 1e6))
    rules = {"use": "a-shares", "board": "star"}
    cambist.backtest(Swing, bars, cash=100_000, market_rules=rules, events=True, journal=tmp_path / "j", record=True)
    report = cambist.replay(tmp_path / "j", Swing)
    assert report.equal, report
    assert report.complete
    looser = cambist.replay(tmp_path / "j", Swing, market_rules="us-equities")
    assert not looser.equal
    actions = {"S": pd.DataFrame({"dividend": [0.1], "split": [1.0]}, index=[int(ts[90])])}
    with pytest.raises(ParameterError, match="a replay does not know the dividends and splits to come"):
        cambist.backtest(
            Swing, bars, market_rules=rules, actions=actions, events=True, journal=tmp_path / "k", record=True
        )
    assert not (tmp_path / "k").exists()


def test_recorded_fills_that_were_booked_are_booked_again(scenarios, tmp_path):
    fills = closed = 0
    for seed in range(30):
        scenario = made(scenarios, "make_futures" if seed % 2 else "make_sole_account", seed)
        scenario = attrs.evolve(scenario, account=tuple(x for x in scenario.account if x != "strategy transfers"))
        result = scenarios["play"](scenario).result
        traders = [cambist.FillHistory(result, strategy=one.name) for one in result.strategies]
        folder = tmp_path / str(seed)
        try:
            run, again = played(scenarios, scenario, folder, traders=traders)
        except InputError:  # they do not go with every account
            continue
        report = cambist.replay(folder, traders, **again)
        assert report.equal, f"seed {seed}\n{report}"
        assert report.complete
        assert report.records == len(records_of(folder))
        fills += len(run.kernel.fills)
        closed += len(getattr(run.kernel.portfolio, "liquidations", ()))
    assert fills > 100
    assert closed > 0


def test_a_run_that_a_strategy_broke_breaks_again_at_the_same_place(scenarios, tmp_path):
    broken = 0
    for seed in range(10):
        scenario = attrs.evolve(scenarios["make"](seed), fails_at=7 + 2 * seed)
        folder = tmp_path / str(seed)
        _, again = played(scenarios, scenario, folder)
        if any(kind == "run_stopped" for kind, _, _ in records_of(folder)):
            continue  # it passed by that call
        broken += 1
        report = cambist.replay(folder, traders_of(scenarios, scenario), **again)
        assert report.equal, report
        assert report.complete
        assert any("out of luck" in note for note in report.notes)
        # What does not break goes on where the run ended; what breaks sooner is different there.
        whole = attrs.evolve(scenario, fails_at=-1)
        assert not cambist.replay(folder, traders_of(scenarios, whole), **again).equal
        sooner = attrs.evolve(scenario, fails_at=0)
        report = cambist.replay(folder, traders_of(scenarios, sooner), **again)
        assert not report.equal
        assert "out of luck in start" in report.divergence.error
    assert broken > 3


def test_a_run_that_was_stopped_from_outside_is_equal(scenarios, tmp_path):
    asked: list[StopRequest] = [StopRequest()]

    class Waiting(cambist.Strategy):
        stop_at: int = cambist.param(30)

        def on_start(self):
            self.bars = 0

        def on_bar(self, bar):
            self.bars += 1
            if self.bars % 3 == 0:
                self.order_target_size(self.bars % 2)
            if self.bars == 20 and asked:
                asked[0]("somebody had enough")
            if self.bars == self.stop_at:
                self.stop("of my own")

    ts = np.arange(60) * MINUTE_NS
    flat = np.full(60, 20.0)
    bars = cambist.Bars(cambist.Instrument(symbol="A"), "1m", ts, flat, flat, flat, flat, flat)
    result = cambist.backtest(Waiting, bars, events=True, journal=tmp_path / "a", record=True, stop=asked[0])
    assert result.stopped == "somebody had enough"
    assert any(entry.kind == "stop_requested" for entry in JournalFolder(tmp_path / "a").read())
    asked.clear()
    report = cambist.replay(tmp_path / "a", Waiting)
    assert report.equal, report
    assert report.complete
    # A stop of its own is a decision.
    report = cambist.replay(tmp_path / "a", Waiting(stop_at=11))
    assert report.divergence.found.kind == "stop_requested"
    cambist.backtest(Waiting(stop_at=11), bars, events=True, journal=tmp_path / "b", record=True)
    assert cambist.replay(tmp_path / "b", Waiting(stop_at=11)).complete
    assert cambist.replay(tmp_path / "b", Waiting).divergence.expected.kind == "stop_requested"
