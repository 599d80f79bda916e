"""The fold of a journal is the state of the run that wrote it.

Random strategies on random markets, as in the other parity tests, played as events with a journal. What the records say
must be, to the last bit, what the kernel knows: orders, fills, anomalies, positions, cash, trades, timers.
"""

from __future__ import annotations

import attrs
import pytest
from journal_runs import hold_equal, journalled

from cambist import MarketRules
from cambist.engine.document import decode_run, encode_run
from cambist.engine.fold import RunState
from cambist.engine.rebuild import rebuild, take_snapshot
from cambist.errors import InputError
from cambist.storage.journal import Journal, JournalFolder

CHUNK = 20


def sole(scenario):
    """Return a scenario in which all trade in one account, and in one asset; `test_journal_accounts` has others."""
    kept = tuple(name for name in scenario.account if name not in ("accounts", "assets"))
    return attrs.evolve(scenario, account=kept)


@pytest.mark.parametrize("first", range(0, 100, CHUNK))
def test_the_fold_is_what_the_kernel_knows(scenarios, first, tmp_path):
    played = 0
    for seed in range(first, first + CHUNK):
        run = journalled(scenarios, scenarios["make"](seed), tmp_path / str(seed))
        if run is not None:
            hold_equal(run, rebuild(JournalFolder(tmp_path / str(seed))))
            played += 1
    assert played > CHUNK / 2


@pytest.mark.parametrize("first", range(0, 100, CHUNK))
def test_so_it_is_with_every_kind_of_account(scenarios, first, tmp_path):
    played = 0
    for seed in range(first, first + CHUNK):
        try:
            run = journalled(scenarios, scenarios["make_sole_account"](seed), tmp_path / str(seed))
        except InputError:
            continue
        if run is not None:
            hold_equal(run, rebuild(JournalFolder(tmp_path / str(seed))))
            played += 1
    assert played > CHUNK / 2


def test_so_it_is_with_futures(scenarios, tmp_path):
    """Hedged pairs, liquidation in parts, deleveraging, margin moved and leverage changed while it runs."""
    played = closed = changed = hedged = 0
    for seed in range(60):
        run = journalled(scenarios, sole(scenarios["make_futures"](seed)), tmp_path / str(seed))
        if run is not None:
            account = run.kernel.portfolio
            hold_equal(run, rebuild(JournalFolder(tmp_path / str(seed))))
            played += 1
            closed += len(account.liquidations)
            changed += len(account.margin_changes) + len(account.refused_changes)
            hedged += account.terms.is_hedged
    assert played > 30
    assert min(closed, changed, hedged) > 0


@pytest.mark.parametrize("seed", range(6))
def test_so_it_is_when_requests_take_time(scenarios, seed, tmp_path):
    run = journalled(scenarios, scenarios["make"](seed), tmp_path, latency="90s", rejection=0.2)
    if run is not None:
        hold_equal(run, rebuild(JournalFolder(tmp_path)))


RULES = MarketRules(lot=1, odd_lots="rest", sell_after=1, cash_after=2, short=False, price_limit=0.05)


@pytest.mark.parametrize(
    ("options", "without"),
    [
        ({"cheat_on_open": True}, ["market_fill"]),
        ({"rules": "backtrader"}, ["path", "fill_on_touch", "leverage", "volume_limit"]),
        ({"market_rules": RULES}, ["rules"]),
        ({"blocks": True}, []),
    ],
    ids=["cheat on open", "backtrader", "market rules", "blocks"],
)
def test_so_it_is_by_other_rules(scenarios, options, without, tmp_path):
    fills = 0
    for seed in range(14):
        try:
            run = journalled(scenarios, scenarios["make"](seed), tmp_path / str(seed), without=without, **options)
        except InputError:  # not every instrument and every option goes with every rule
            continue
        if run is not None:
            hold_equal(run, rebuild(JournalFolder(tmp_path / str(seed))))
            fills += len(run.kernel.fills)
    assert fills > 20


def test_so_it_is_where_orders_of_one_instrument_change_another(scenarios, tmp_path):
    fills = 0
    for seed in range(8):
        bars = scenarios["bars"](scenarios["make"](seed))[0]
        twin = attrs.evolve(bars, instrument=attrs.evolve(bars.instrument, symbol="Twin"))
        alike = scenarios | {"bars": lambda _scenario, both=(bars, twin): list(both)}
        folder = tmp_path / str(seed)
        symbol = bars.instrument.symbol
        run = journalled(alike, scenarios["make"](seed), folder, compensates={"Twin": symbol}, without=["leverage"])
        if run is not None:
            state = rebuild(JournalFolder(folder))
            hold_equal(run, state)
            assert state.positions["Twin"].is_flat
            fills += sum(fill.instrument.symbol == "Twin" for fill in state.fills)
    assert fills > 5


@pytest.mark.parametrize("seed", range(0, 40, 4))
def test_a_snapshot_and_what_comes_after_it_is_the_whole(scenarios, seed, tmp_path):
    run = journalled(scenarios, scenarios["make_sole_account"](seed), tmp_path)
    if run is None:
        pytest.skip("this scenario ends with an error on purpose")
    entries = list(JournalFolder(tmp_path).read())
    whole = encode_run(RunState().apply_all(entries))
    assert encode_run(RunState().apply_all(entries)) == whole, "a second fold came to something else"
    assert encode_run(decode_run(whole)) == whole
    step = max(1, len(entries) // 12)
    for cut in range(1, len(entries), step):
        early = encode_run(RunState().apply_all(entries[:cut]))
        assert encode_run(decode_run(early).apply_all(entries[cut:])) == whole, f"a snapshot after record {cut}"


@pytest.mark.parametrize("seed", range(4))
def test_a_state_that_forgets_is_the_same_by_every_way(scenarios, seed, tmp_path):
    run = journalled(scenarios, scenarios["make"](seed), tmp_path)
    if run is None:
        pytest.skip("this scenario ends with an error on purpose")
    entries = list(JournalFolder(tmp_path).read())
    whole, full = RunState(keep=3).apply_all(entries), RunState().apply_all(entries)
    for cut in range(1, len(entries), max(1, len(entries) // 12)):
        early = encode_run(RunState(keep=3).apply_all(entries[:cut]))
        assert encode_run(decode_run(early).apply_all(entries[cut:])) == encode_run(whole)
    assert list(whole.book.open) == list(full.book.open)
    assert len(whole.book.orders) - len(whole.book.open) <= 6
    for symbol, position in full.positions.items():
        assert repr(whole.positions[symbol].size) == repr(position.size)
    assert repr(whole.portfolio.cash) == repr(full.portfolio.cash)
    assert whole.ledger.balances == full.ledger.balances


def test_a_run_starts_from_the_snapshot_beside_its_journal(scenarios, tmp_path):
    run = journalled(scenarios, scenarios["make"](1), tmp_path)
    with Journal(tmp_path) as journal:
        state = rebuild(journal)
        take_snapshot(journal, state)
        read = []
        original = journal.read
        journal.read = lambda start=1: read.append(start) or original(start)
        again = rebuild(journal)
    assert read == [state.sequence + 1]
    assert encode_run(again) == encode_run(state)
    hold_equal(run, again)


def test_recorded_fills_are_journalled_as_they_were_booked(scenarios, tmp_path):
    from cambist import FillHistory, backtest

    fills = 0
    for seed in range(12):
        scenario = scenarios["make_sole_account"](seed)
        series = scenarios["bars"](scenario)
        options = {
            name: value
            for name, value in (scenario.options | scenarios["account_options"](scenario, series)).items()
            if name in ("cash", "leverage", "margin", "actions")
        }
        played = scenarios["play"](scenario).result
        folder = tmp_path / str(seed)
        again = backtest(FillHistory(played), series, events=True, journal=folder, **options)
        state = rebuild(JournalFolder(folder))
        assert [fill.price for fill in state.fills] == [fill.price for fill in again.fill_records]
        assert repr(state.portfolio.cash) == repr(again.account.cash)
        closed = {trade.id: repr(trade.net) for trade in state.portfolio.trades.closed}
        assert closed == {trade.id: repr(trade.net) for trade in again.trade_records if not trade.is_open}
        fills += len(state.fills)
    assert fills > 50
