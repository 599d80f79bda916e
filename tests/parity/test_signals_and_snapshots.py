"""What a run notes beside its trading is one, whichever way it is played: signals, lines, snapshots, days, measures.

Random strategies on random markets, as in the other parity tests. The rows of a result are the rows that are made of
the journal of the same run, to the last digit.
"""

from __future__ import annotations

import random
from itertools import pairwise

import attrs
import numpy as np
import pandas as pd
import pytest
from market_scenarios import Pieces as MarketPieces
from market_scenarios import make_market

import cambist
from cambist import StrategyError
from cambist.api import AccountRow, DailyRow, MeasureRow, PositionSnapshotRow, SignalRow
from cambist.backtest.rows import rows_of
from cambist.engine.projection import Projection
from cambist.errors import InputError
from cambist.indicators import SMA
from cambist.model.times import DAY_NS, duration_ns
from cambist.storage.journal import JournalFolder

LENGTHS = ("30m", "1h", "7h", "1d", "3d")
WAYS = {"events": {"events": True}, "blocks": {"blocks": True}, "events in blocks": {"events": True, "blocks": True}}
FRAMES = ("signals", "snapshots", "position_snapshots")
#: Options that a recording keeps no more than their names of.
OBJECTS = ("fees", "sizer", "risk", "marks", "rates", "calendar")
NOTED = (SignalRow, AccountRow, PositionSnapshotRow, DailyRow)


def noting(base):
    """Return a trader that notes what it sees: numbers and texts, of this instrument, another one, none."""

    class Noting(base):
        def see(self, what, *facts):
            super().see(what, *facts)
            if what == "stop":
                return
            self.record_signal(what, len(self.trace))
            if len(self.trace) % 3 == 0:
                self.record_signal("why", f"{what} {self.equity!r}", data=self.data[len(self.trace) % len(self.data)])
            if len(self.trace) % 7 == 0:
                self.record_signal("why", self.cash)

    return Noting


class Pieces:
    """Bars in blocks of 11."""

    def __init__(self, bars):
        self.bars, self.name = bars, bars.name

    def blocks(self, size):
        for start in range(0, len(self.bars), 11):
            yield self.bars[start : start + 11]


def options_of(scenarios, scenario, series):
    """Return the options of a scenario, and what is to be noted of it."""
    options = scenario.options | scenarios["account_options"](scenario, series)
    return options | {"record_lines": ["lines.0", "lines.2"], "snapshots": LENGTHS[scenario.seed % len(LENGTHS)]}


def cast(scenarios, scenario, series, **more):
    """Return the strategies of a scenario, and the options of its run."""
    options = options_of(scenarios, scenario, series) | more
    base = scenarios["opening_trader" if options.get("cheat_on_open") else "trader"]
    kind = noting(base)
    full = "all margin" in scenario.account
    traders = [
        kind(
            seed=scenario.seed * 10 + number,
            activity=scenario.activity,
            trace=[],
            moves=full or "strategy transfers" in scenario.account,
            sides=full and options["margin"].is_hedged,
            changes=full,
        )
        for number in range(scenario.traders)
    ]
    return traders, options | scenarios["own_accounts"](scenario, kind, options)


def play(scenarios, scenario, *, blocks=False, **more):
    """Play a scenario one way; None where no strategy has a line of that number, or the run cannot be set up."""
    series = scenarios["bars"](scenario)
    traders, options = cast(scenarios, scenario, series, **more)
    try:
        return cambist.backtest(
            traders, [Pieces(one) for one in series] if blocks else series, blocks=blocks, **options
        )
    except StrategyError as error:
        raise AssertionError(str(error)) from error
    except InputError:
        return None


def hold_equal(one, other, scenario):
    for name in FRAMES:
        mine, theirs = getattr(one, name), getattr(other, name)
        pd.testing.assert_frame_equal(mine, theirs, check_exact=True, obj=f"{name} {scenario}")


def told(rows, kind):
    """Return the rows of a kind by key, of several the last, as a store keeps them."""
    return {tuple(getattr(row, name) for name in row.key): row for row in rows if type(row) is kind}


@pytest.mark.parametrize("make", ["make", "make_account", "make_futures"])
def test_every_way_of_playing_notes_the_same(scenarios, make):
    signals = snapshots = held = texts = lines = 0
    for seed in range(60):
        scenario = scenarios[make](seed)
        reference = play(scenarios, scenario)
        if reference is None:
            continue
        for way in WAYS.values():
            hold_equal(reference, play(scenarios, scenario, **way), scenario)
        signals += len(reference.signals)
        texts += (reference.signals["text"] != "").sum()
        lines += (reference.signals["name"] == "lines.2").sum()
        snapshots += len(reference.snapshots)
        held += len(reference.position_snapshots)
    assert min(signals, texts, lines, snapshots, held) > 100


def of_one_account(scenario):
    return attrs.evolve(scenario, account=tuple(one for one in scenario.account if one not in ("accounts", "assets")))


def of_many(scenario, kind):
    """Return a scenario that has several accounts, several assets, or both, and money that moves among them."""
    traders = max(2, scenario.traders) if "accounts" in kind else scenario.traders
    account = dict.fromkeys((*of_one_account(scenario).account, "strategy transfers", *kind))
    return attrs.evolve(scenario, account=tuple(account), traders=traders)


def in_parts(entries, seed):
    """Return the rows of a journal that was told piece by piece, by one process after another."""
    cuts = sorted(random.Random(seed).sample(range(len(entries)), 3))
    rows, kept = [], None
    for start, end in pairwise([0, *cuts, len(entries)]):
        maker = Projection("backtest")
        if kept is not None:
            maker.restore(kept)
        rows += maker.rows(entries[start:end])
        kept = maker.save()
    return rows


def journalled(scenarios, scenario, folder):
    """Hold the rows of a result against those of its journal; return the result and its rows, None without a run."""
    plain = play(scenarios, scenario)
    if plain is None:
        return None
    hold_equal(plain, play(scenarios, scenario, events=True, journal=folder, record=True), scenario)
    mine = list(rows_of(plain))
    entries = list(JournalFolder(folder).read())
    theirs, again = Projection("backtest").rows(entries), in_parts(entries, scenario.seed)
    for kind in NOTED:
        assert told(theirs, kind) == told(again, kind) == told(mine, kind), (kind, scenario)
    measures = told(theirs, MeasureRow)
    assert len(measures) > 20
    assert {key: row for key, row in told(mine, MeasureRow).items() if key in measures} == measures, scenario
    traders, options = cast(scenarios, scenario, scenarios["bars"](scenario))
    report = cambist.replay(folder, traders, **{name: options[name] for name in OBJECTS if name in options})
    assert report.equal, f"{scenario}\n{report}"
    assert report.complete, report
    return plain, mine


@pytest.mark.parametrize("make", ["make", "make_sole_account", "make_futures"])
def test_the_rows_of_a_result_are_those_of_its_journal(scenarios, make, tmp_path):
    compared = funds = 0
    for seed in range(60):
        found = journalled(scenarios, of_one_account(scenarios[make](seed)), tmp_path / str(seed))
        if found is not None:
            compared += sum(len(told(found[1], kind)) for kind in NOTED)
            funds += found[0].fund is not None
    assert compared > 2_000
    assert make == "make" or funds > 5


@pytest.mark.parametrize("kind", [("assets",), ("accounts",), ("accounts", "assets")], ids="+".join)
def test_so_they_are_of_several_accounts_and_assets(scenarios, kind, tmp_path):
    named, assets, held, days, funds = set(), set(), 0, 0, 0
    for seed in range(40):
        make = scenarios["make_futures" if seed % 2 else "make_account"]
        found = journalled(scenarios, of_many(make(seed), kind), tmp_path / str(seed))
        if found is None:
            continue
        result, rows = found
        add_up(result)
        snapshots = told(rows, AccountRow).values()
        of_all = {"", *result.accounts}
        assert {row.account for row in snapshots} == {row.account for row in told(rows, DailyRow).values()} == of_all
        assert {row.account for row in told(rows, PositionSnapshotRow).values()} <= set(result.accounts or of_all)
        named |= {row.account for row in snapshots}
        assets |= {row.asset for row in snapshots}
        held += len(told(rows, PositionSnapshotRow))
        days += len(told(rows, DailyRow))
        funds += any(one.fund is not None for one in (result, *result.accounts.values()))
    assert (len(named) > 2) == ("accounts" in kind)
    assert ({"", "USD", "BTC", "BNB"} <= assets) if "assets" in kind else (assets == {""})
    assert min(held, days) > 100
    assert funds > 5


def add_up(result):
    """See to it that the last snapshots are what the accounts came to, and that those of accounts are their sum."""
    last = result.snapshots.loc[result.snapshots.index[-1] :].set_index(["account", "asset"])
    for name, own in {"": result, **result.accounts}.items():
        for field in ("equity", "cash", "margin", "free"):
            assert last.loc[name, ""][field] == getattr(own.account, field), (name, field)
            for asset, part in own.assets.items():
                assert last.loc[name, asset][field] == getattr(part, field), (name, asset, field)
        assert set(own.snapshots["account"]) == ({""} if name else {"", *result.accounts})
    if result.accounts:
        whole = result.snapshots[result.snapshots["account"] == ""]["equity"].to_numpy()
        parts = [one.snapshots[one.snapshots["asset"] == ""]["equity"].to_numpy() for one in result.accounts.values()]
        np.testing.assert_allclose(sum(parts), whole, rtol=1e-12)


def test_whatever_was_asked_for_changes_nothing(scenarios):
    """A run with snapshots and lines is the run without."""
    for seed in range(40):
        scenario = scenarios["make_account"](seed)
        one = play(scenarios, scenario)
        if one is not None:
            other = play(scenarios, scenario, snapshots=None, record_lines=())
            pd.testing.assert_frame_equal(one.equity, other.equity, check_exact=True)
            pd.testing.assert_frame_equal(one.fills, other.fills, check_exact=True)
            assert repr(dict(one.summary)) == repr(dict(other.summary))


def test_snapshots_are_what_the_series_say_at_the_last_close_of_each_period(scenarios):
    """By the other way to them: every row of the run, and pandas to find the last one of each period."""
    checked = 0
    for seed in range(60):
        result = play(scenarios, scenarios["make"](seed))
        if result is None:
            continue
        length = duration_ns(LENGTHS[seed % len(LENGTHS)])
        times = result.series.index.asi8
        periods = pd.DataFrame({"own": (times - 1) // length, "day": (times - 1) // DAY_NS}, index=result.series.index)
        last = periods.index[~periods.duplicated(keep="last")]
        assert result.snapshots.index.equals(last)
        for name in ("equity", "cash", "drawdown"):
            wanted = getattr(result.series, name).loc[last]
            assert (result.snapshots[name] == wanted).all(), (name, seed)
        for symbol in result.series.positions:
            held = result.series.positions[symbol].loc[last]
            own = result.position_snapshots[result.position_snapshots["instrument"] == symbol]
            assert own["size"].to_dict() == held[held != 0.0].to_dict()
            checked += len(own)
    assert checked > 50


class _Barred:
    """A trader on trades and quotes, and on bars made of them, of which it keeps a line."""

    def on_start(self):
        self.rng = random.Random(f"trader {self.seed}")
        self.is_special, self.handles = False, []
        series = next((one for one in self.data if hasattr(one, "close")), None)
        self.mean = None if series is None else SMA(series.close, 3)
        self.see("start")

    def see(self, what, *facts):
        self.trace.append((what, self.now, repr(facts), self.equity))
        if what != "stop":
            self.record_signal(what, len(self.trace))

    def on_tick(self, tick):
        self.see("tick", tick.copy())
        self.act("tick", 0.5)

    def on_quote(self, quote):
        self.see("quote", repr(quote.copy()))
        self.act("quote", 0.5)


def test_trades_and_quotes_are_noted_alike(scenarios, tmp_path):
    class Trader(_Barred, scenarios["trader"]):
        pass

    signals = lines = snapshots = 0
    for seed in range(40):
        scenario = scenarios["make"](seed)
        options = {key: value for key, value in scenario.options.items() if key not in ("market_fill", "path")}
        if "volume_limit" in options:
            options["volume_limit"] = 0.3
        options |= {"timeframe": "1m", "snapshots": ("1m", "15m", "1d")[seed % 3], "record_lines": ["mean"]}
        results = []
        folder = tmp_path / str(seed)
        for number, way in enumerate([{}, *WAYS.values(), {"events": True, "journal": folder, "record": True}]):
            histories = make_market(scenarios, scenario)
            if way.get("blocks"):
                histories = [MarketPieces(one, seed + number) for number, one in enumerate(histories)]
            traders = [
                Trader(seed=seed * 10 + one, activity=scenario.activity, trace=[]) for one in range(scenario.traders)
            ]
            results.append(cambist.backtest(traders, histories, **options, **way))
        reference = results[0]
        for other in results[1:]:
            hold_equal(reference, other, scenario)
        mine, theirs = list(rows_of(reference)), Projection("x").rows(list(JournalFolder(folder).read()))
        for kind in NOTED:
            assert told(theirs, kind) == told(mine, kind), (kind, scenario)
        for one in traders:
            one.trace.clear()
        report = cambist.replay(folder, traders, **{name: options[name] for name in OBJECTS if name in options})
        assert report.equal, f"{scenario}\n{report}"
        assert report.complete, report
        signals += len(reference.signals)
        lines += (reference.signals["name"] == "mean").sum()
        snapshots += len(reference.snapshots)
    assert min(signals, lines, snapshots) > 100
