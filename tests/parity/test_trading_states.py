"""Halts, reducing and the rules that remember: alike by every way of playing, in the journal, and over a restart.

Random strategies on random markets, as in the other parity tests, with random rules and a random operator.
"""

from __future__ import annotations

import random
from collections import Counter

import attrs
import msgspec
import pandas as pd
import pytest
from operated import OperatedRun, Operator, hearing, operated, random_rules, traders_of

import cambist
from cambist import StopRequest, Strategy
from cambist.backtest.settings import BacktestSettings
from cambist.data import open_source
from cambist.engine.document import decode_run, encode_run, trading_of
from cambist.engine.fold import RunState
from cambist.engine.rebuild import rebuild
from cambist.errors import InputError
from cambist.model import OrderStatus, TradingState
from cambist.portfolio.saved import load_account, save_account
from cambist.risk.rules.consecutive_losses import MaxConsecutiveLossesRule
from cambist.risk.rules.drawdown import MaxDrawdownRule
from cambist.risk.rules.order_rate import MaxOrderRateRule
from cambist.storage.journal import JournalFolder

CHUNK = 20
PARTS = msgspec.msgpack.Encoder(order="deterministic")
MAKERS = ("make", "make_sole_account", "make_futures")


def sole(scenario):
    """Return a scenario in which all trade in one account, and in one asset: nothing else is journalled."""
    return attrs.evolve(scenario, account=tuple(one for one in scenario.account if one not in ("accounts", "assets")))


# Both ways of playing.


@pytest.mark.parametrize("first", range(0, 100, CHUNK))
@pytest.mark.parametrize("make", ["make", "make_account", "make_futures"])
def test_rules_trip_alike_however_bars_are_played(scenarios, make, first, monkeypatch):
    play = scenarios["play"]
    monkeypatch.setitem(play.__globals__, "RandomTrader", hearing(scenarios["trader"]))
    tripped = 0
    for seed in range(first, first + CHUNK):
        scenario = scenarios[make](seed)
        rules = [*scenario.options.get("risk", []), *random_rules(seed)]
        scenario = attrs.evolve(scenario, options=scenario.options | {"risk": rules})
        reference = play(scenario)
        for way in ({"events": True}, {"blocks": True}):
            played = play(scenario, **way)
            for name, value in reference.books().items():
                assert played.books()[name] == value, (seed, way, name)
        tripped += any("max-" in warning for warning in reference.result.warnings)
    assert tripped > CHUNK / 4


@pytest.mark.parametrize(
    ("options", "without"),
    [
        ({"cheat_on_open": True}, ("market_fill",)),
        ({"rules": "backtrader"}, ("path", "fill_on_touch", "leverage", "volume_limit")),
    ],
    ids=["cheat on open", "backtrader"],
)
def test_so_it_is_by_other_rules(scenarios, options, without, monkeypatch):
    play, tripped = scenarios["play"], 0
    for name in ("RandomTrader", "OpeningTrader"):
        monkeypatch.setitem(play.__globals__, name, hearing(play.__globals__[name]))
    for seed in range(24):
        scenario = scenarios["make"](seed)
        kept = {name: value for name, value in scenario.options.items() if name not in without} | options
        rules = [*kept.get("risk", []), *random_rules(seed)]
        scenario = attrs.evolve(scenario, options=kept | {"risk": rules})
        reference = play(scenario)
        for way in ({"events": True}, {"blocks": True}):
            assert play(scenario, **way).books() == reference.books(), (seed, way)
        tripped += any("max-" in warning for warning in reference.result.warnings)
    assert tripped > 6


@pytest.mark.parametrize("way", [{}, {"events": True}], ids=["columns", "events"])
def test_each_account_of_a_run_is_halted_by_itself(way):
    closes = [100.0, 100.0, 100.0, 90.0, 80.0, 80.0]
    frame = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), closes) | {"volume": 1.0})
    frame.index = pd.date_range("2024-03-01", periods=len(frame), freq="h")

    class Churn(Strategy):
        def on_bar(self, bar):
            self.close() if not self.position.is_flat else self.buy(10)

    rich, poor = Churn(), Churn()
    rich.name, poor.name = "rich", "poor"
    accounts, rules = {"rich": 100_000.0, "poor": 1_500.0}, [MaxDrawdownRule(share=0.05)]
    result = cambist.backtest([rich, poor], frame, accounts=accounts, risk=rules, **way)
    (halt,) = [warning for warning in result.warnings if "is halted" in warning]
    assert "account:poor is halted by max-drawdown" in halt
    halted = {order.strategy for order in result.order_records if order.reason.startswith("halted")}
    assert halted == {"poor"}


# The journal.


@pytest.mark.parametrize("first", range(0, 60, CHUNK))
@pytest.mark.parametrize("make", MAKERS)
def test_fold_replay_and_kernel_are_one(scenarios, make, first, tmp_path):
    kinds, played = Counter(), 0
    for seed in range(first, first + CHUNK):
        scenario, folder = sole(scenarios[make](seed)), tmp_path / str(seed)
        try:
            run, again = operated(scenarios, scenario, folder)
        except InputError:  # not everything that a scenario asks of an account goes together
            continue
        kernel, state = run.kernel, rebuild(JournalFolder(folder))
        assert list(state.trading) == list(kernel.trading.holds)
        assert state.rules == kernel.monitors.states()
        assert state.anchors == first_bars(run)
        lives = trading_of(kernel.book, kernel.fills, kernel.portfolio, run.driver.timers._due)
        for name, value in trading_of(state.book, state.fills, state.portfolio, state.timers).items():
            assert PARTS.encode(value) == PARTS.encode(lives[name]), (seed, name)
        hold_whole(folder)
        hold_rules(folder)
        traders = traders_of(scenarios, scenario)
        report = cambist.replay(folder, traders, **again)
        assert report.equal, f"seed {seed}\n{report}"
        assert report.complete, report
        assert [one.trace for one in traders] == [seat.strategy.trace for seat in kernel.seats]
        kinds += state.counts
        kinds += Counter(f"refused: {code}" for code in state.refusals)
        kinds += Counter(str(change.state) for change in kernel.trading.changes)
        played += 1
    assert played > CHUNK / 2
    reached = {"trading_state", "risk_state", "operator_command", "series_anchored", "cancel_requested"}
    reached |= {"refused: halted", "refused: reducing_only", "active", "halted", "reducing"}
    assert set(kinds) >= reached, reached - set(kinds)


def first_bars(run):
    """Return the open time of the first bar of each series, of the data."""
    return {
        f"{feed.instrument.symbol} {feed.timeframe}": int(feed.block.ts[0])
        for feed in run.feeds
        if feed.closes[0] <= run.last_close
    }


def hold_whole(folder):
    """A fold is the same when it is made twice, and from a snapshot and what came after it."""
    entries = list(JournalFolder(folder).read())
    whole = encode_run(RunState().apply_all(entries))
    assert encode_run(RunState().apply_all(entries)) == whole
    for cut in range(1, len(entries), max(1, len(entries) // 6)):
        early = encode_run(RunState().apply_all(entries[:cut]))
        assert encode_run(decode_run(early).apply_all(entries[cut:])) == whole, f"a snapshot after record {cut}"


def hold_rules(folder):
    """No order left while trading was halted; while it was reducing, none that could make a position larger.

    Told by the journal alone: each order is held against the state that the records before it make.
    """
    state = RunState()
    for entry in JournalFolder(folder).read():
        state.apply(entry)
        if entry.kind != "order_submitted":
            continue
        order = state.book.orders[-1]
        hold = state.trading.strictest("", order.strategy, order.instrument.symbol)
        assert hold is None or hold.state is TradingState.REDUCING, (hold, order)
        if hold is not None:
            legs = state.portfolio.legs
            side = order.position_side
            held = legs[order.instrument.symbol if side is None else f"{order.instrument.symbol} {side}"].size
            assert held, order
            assert (held < 0.0) == order.is_buy, order
            assert closing(state, order) <= abs(held) * (1.0 + 1e-12), order


def closing(state, order):
    """Return how much the open orders of a position and a side could trade together, `order` among them."""
    groups = {}
    for one in state.book.open.values():
        parent = state.book.find(one.parent) if one.parent else None
        alike = (one.instrument, one.side, one.position_side) == (order.instrument, order.side, order.position_side)
        waits = parent is not None and not parent.filled and one is not order
        if alike and not waits and one.status is not OrderStatus.CREATED:
            groups.setdefault(one.oco or one.id, []).append(one.remaining)
    return sum(map(max, groups.values()))


# A restart.


class ByTheClock(Strategy):
    """Trades at random, by nothing but the time: killed or not, it wants the same."""

    def on_bar(self, bar):
        chance = random.Random(f"{self.now} {bar.symbol}")
        for _ in range(chance.choice([0, 0, 0, 1, 2])):
            send = self.buy if chance.random() < 0.5 else self.sell
            send(chance.choice([0.5, 1.0, 4.0]))
        if chance.random() < 0.1:
            self.close()


class OperatorByTheClock:
    """An operator of the same kind."""

    def __call__(self, driver, now):
        Operator(now, 0.04)(driver, now)


def by_the_clock(series, seed, journal, restored=None):
    """Play bars from the start, or from where a state that was made of a journal stands; return the run."""
    window = 4 * series[0].timeframe.ns  # which the death of the run may cut in two
    risk = [*random_rules(seed), MaxOrderRateRule(3, window, then=("refuse", "halt", "reduce")[seed % 3])]
    risk += [MaxConsecutiveLossesRule(1, pause=window)] * (seed % 2)
    options = {"cash": 1_000.0, "fees": 0.001, "leverage": 3.0, "risk": risk}
    settings = BacktestSettings.of(**options, events=True, journal=journal)
    run = OperatedRun([ByTheClock], [open_source(one) for one in series], settings, None, StopRequest())
    run.operator = OperatorByTheClock()
    if restored is not None:
        load_account(run.kernel.portfolio, save_account(restored.portfolio))
        run.kernel.trading.restore(restored.trading)
        run.kernel.monitors.restore(restored.rules)
    run.play()
    return run


def decided(run, after):
    """Return what became of trading, and of each order, later than some time."""
    orders = [order for order in run.kernel.book.orders if order.created_at > after]
    told = [(one.created_at, one.side, one.size, one.filled, one.status, one.reason) for one in orders]
    return told, [change for change in run.kernel.trading.changes if change.ts > after]


def test_a_run_that_was_killed_forgets_nothing(scenarios, tmp_path):
    """Killed between two bars, made again of its journal, it halts, refuses and resumes as if it had lived on."""
    tried, seen = 0, set()
    for seed in range(40):
        scenario = attrs.evolve(scenarios["make"](300 + seed), series=1, bars=60)
        bars = attrs.evolve(scenarios["bars"](scenario)[0], instrument=cambist.Instrument(symbol="X", step_size="0.1"))
        whole = by_the_clock([bars], seed, tmp_path / f"{seed}-whole")
        for cut in (len(bars) // 3, 2 * len(bars) // 3):
            folder = tmp_path / f"{seed}-{cut}"
            by_the_clock([bars[:cut]], seed, folder)
            state = rebuild(JournalFolder(folder))
            if state.book.open:  # they would have to be asked for at the venue
                continue
            again = by_the_clock([bars[cut:]], seed, tmp_path / f"{seed}-{cut}-again", state)
            died = int(bars.close_times[cut - 1])
            assert decided(again, died) == decided(whole, died), (seed, cut)
            assert list(again.kernel.trading.holds) == list(whole.kernel.trading.holds)
            assert again.kernel.monitors.states() == whole.kernel.monitors.states()
            tried += 1
            orders, changes = decided(again, died)
            seen |= {change.by for change in changes} | {str(change.state) for change in changes}
            seen |= {reason.partition(":")[0] for *_, reason in orders}
    assert tried > 20
    assert seen >= {"max-daily-loss", "max-drawdown", "max-consecutive-losses", "anna", "driver", "active", "halted"}
    assert seen >= {"order_rate_above_limit", "halted", "reducing_only"}
