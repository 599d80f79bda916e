"""The fold of a journal is the state of the run that wrote it, where it has several accounts or several assets.

The scenarios are random, as in `test_journal_fold`: spot, linear and inverse contracts, fees that a third asset pays,
conversions, transfers between accounts, margin and liquidation, funding, interest, dividends and splits.
"""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import pairwise

import attrs
import msgspec
import pytest
from journal_runs import hold_equal, journalled

from cambist.backtest.rows import rows_of
from cambist.engine.codec import CODEC
from cambist.engine.document import decode_run, encode_run
from cambist.engine.fold import RunState
from cambist.engine.projection import Projection
from cambist.engine.rebuild import rebuild, take_snapshot
from cambist.errors import InputError
from cambist.portfolio import AccountGroup, MultiAssetPortfolio
from cambist.portfolio.exact import held_asset
from cambist.ports import JournalEntry
from cambist.ports.rows import (
    AccountRow,
    CashFlowRow,
    DailyRow,
    FillRow,
    PositionRow,
    PositionSnapshotRow,
    TradeRow,
)
from cambist.storage.journal import Journal, JournalFolder
from cambist.storage.memory import MemoryRunStore
from cambist.storage.projector import Projector

CHUNK = 30
KINDS = [("assets",), ("accounts",), ("accounts", "assets")]


def with_accounts(scenario, kind):
    """Return a scenario that has several accounts, several assets, or both, and money that moves among them."""
    others = tuple(name for name in scenario.account if name not in ("accounts", "assets"))
    moves = ("strategy transfers",) if scenario.seed % 3 else ()
    traders = max(2, scenario.traders) if "accounts" in kind else scenario.traders
    return attrs.evolve(scenario, account=tuple(dict.fromkeys((*others, *moves, *kind))), traders=traders)


def played(scenarios, scenario, kind, folder):
    """Return the run of a scenario and the state of its journal; None where it raised, or could not begin."""
    try:
        run = journalled(scenarios, with_accounts(scenario, kind), folder)
    except InputError:
        return None
    return None if run is None else (run, rebuild(JournalFolder(folder)))


def hold_exact(run, state):
    """See to it that the ledger of each account says what its floats say, to the last digit that those have."""
    for name, books in run.kernel.accounts.items():
        balances = {asset: pocket.cash for asset, pocket in books.pockets.items()}
        sizes = {}
        for position in books.positions.values():
            if position.instrument.is_cash:
                asset = held_asset(position.instrument)
                sizes[asset] = sizes.get(asset, 0.0) + position.size
        ledger = state.ledgers[name]
        for asset in {*balances, *sizes}:
            wanted = balances.get(asset, 0.0) + sizes.get(asset, 0.0)
            assert math.isclose(ledger.balance(asset), wanted, rel_tol=1e-9, abs_tol=1e-6), (name, asset)
        for key, position in books.legs.items():
            if not position.instrument.is_cash:
                assert math.isclose(ledger.contracts.get(key, Decimal(0)), position.size, abs_tol=1e-9)


@pytest.mark.parametrize("kind", KINDS, ids="+".join)
@pytest.mark.parametrize("first", range(0, 60, CHUNK))
def test_the_fold_is_what_the_kernel_knows(scenarios, first, kind, tmp_path):
    count, flows, fees = 0, set(), 0
    for seed in range(first, first + CHUNK):
        found = played(scenarios, scenarios["make_account"](seed), kind, tmp_path / str(seed))
        if found is not None:
            run, state = found
            hold_equal(run, state)
            hold_exact(run, state)
            count += 1
            flows |= {flow.kind for flow in state.portfolio.cash_flows}
            fees += sum(fill.fee_asset != fill.instrument.settle for fill in state.fills)
            assert isinstance(state.portfolio, AccountGroup if "accounts" in kind else MultiAssetPortfolio)
    assert count > CHUNK / 3
    assert {"deposit", "interest"} <= flows
    assert ("conversion" in flows) == ("assets" in kind)
    assert ("transfer" in flows) == ("accounts" in kind)
    assert (fees > 0) == ("assets" in kind)


@pytest.mark.parametrize("kind", KINDS, ids="+".join)
def test_so_it_is_with_futures(scenarios, kind, tmp_path):
    count = closed = changed = 0
    for seed in range(50):
        found = played(scenarios, scenarios["make_futures"](seed), kind, tmp_path / str(seed))
        if found is not None:
            hold_equal(*found)
            hold_exact(*found)
            count += 1
            pockets = [one for books in found[1].accounts.values() for one in books.pockets.values()]
            closed += sum(len(pocket.liquidations) for pocket in pockets)
            changed += sum(len(pocket.margin_changes) + len(pocket.refused_changes) for pocket in pockets)
    assert count > 15
    assert min(closed, changed) > 0


@pytest.mark.parametrize("kind", KINDS, ids="+".join)
@pytest.mark.parametrize("seed", range(0, 40, 5))
def test_a_snapshot_and_what_comes_after_it_is_the_whole(scenarios, seed, kind, tmp_path):
    make = scenarios["make_futures" if seed % 2 else "make_account"]
    found = played(scenarios, make(seed), kind, tmp_path)
    if found is None:
        pytest.skip("this scenario ends with an error, or cannot begin")
    entries = list(JournalFolder(tmp_path).read())
    for keep in (10_000, 3):
        whole = encode_run(RunState(keep=keep).apply_all(entries))
        assert encode_run(RunState(keep=keep).apply_all(entries)) == whole, "a second fold came to something else"
        assert encode_run(decode_run(whole)) == whole
        for cut in range(1, len(entries), max(1, len(entries) // 12)):
            early = encode_run(RunState(keep=keep).apply_all(entries[:cut]))
            assert encode_run(decode_run(early).apply_all(entries[cut:])) == whole, f"a snapshot after record {cut}"


@pytest.mark.parametrize("kind", KINDS, ids="+".join)
def test_a_run_starts_from_the_snapshot_beside_its_journal(scenarios, kind, tmp_path):
    run, state = next(
        found
        for seed in range(20)
        if (found := played(scenarios, scenarios["make_account"](seed), kind, tmp_path / str(seed))) is not None
        and len(found[1].fills) > 5
    )
    with Journal(run.settings.journal) as journal:
        take_snapshot(journal, state)
        again = rebuild(journal)
    assert encode_run(again) == encode_run(state)
    hold_equal(run, again)


def test_worth_is_known_wherever_money_moved(scenarios, tmp_path):
    """What the fold says an account is worth is what the kernel would say at the rates and prices of that moment."""
    seen = 0
    for seed in range(40):
        folder = tmp_path / str(seed)
        found = played(scenarios, scenarios["make_account"](seed), ("assets",), folder)
        if found is None:
            continue
        state = RunState()
        entries = list(JournalFolder(folder).read())
        for before, entry in pairwise(entries):
            state.apply(before)
            if entry.kind == "rates_noted":
                assert before.kind in ("order_filled", "cash_moved", "dividend_paid", "shares_split")
                seen += 1
        if state.portfolio.pocket("BTC").cash:
            assert state.portfolio.balances == found[1].portfolio.balances
            rates = state.rates.noted
            totals = [amount * rates.get(asset, 1.0) for asset, amount in state.portfolio.balances.items()]
            assert math.isclose(state.portfolio.cash, sum(totals), rel_tol=1e-9, abs_tol=1e-9)
    assert seen > 20


@pytest.mark.parametrize("kind", KINDS, ids="+".join)
def test_a_database_is_told_of_each_account_and_each_asset(scenarios, kind, tmp_path):
    """The rows made of a journal are those made of the result, and end with what every account and asset came to."""
    flows = trades = paid_in_other = 0
    for seed in range(40):
        make = scenarios["make_futures" if seed % 2 else "make_account"]
        found = played(scenarios, make(seed), kind, tmp_path / str(seed))
        if found is None:
            continue
        run, state = found
        wanted, told = list(rows_of(run.outcome)), told_rows(tmp_path / str(seed))
        assert told(FillRow, "id") == sorted_rows(wanted, FillRow, "id")
        assert told(TradeRow, "id") == sorted_rows(wanted, TradeRow, "id")
        assert plain_flows(told(CashFlowRow)) == plain_flows(sorted_rows(wanted, CashFlowRow))
        keys = [(row.number, row.account) for row in told(CashFlowRow)]
        assert len(set(keys)) == len(keys)
        flows, trades = flows + len(keys), trades + len(told(TradeRow))
        paid_in_other += sum(row.fee_asset == "BNB" for row in told(FillRow))
        last = {(row.account, row.asset): row for row in told(AccountRow)}
        for name, books in state.accounts.items():
            for asset, pocket in books.pockets.items():
                row = last[name, asset if len(books.pockets) > 1 else ""]
                assert (row.currency, float(row.cash)) == (asset, pocket.cash)
                assert pocket.cash == run.kernel.accounts[name].pockets[asset].cash
        held = {(row.account, row.symbol): float(row.size) for row in told(PositionRow)}
        for (name, symbol), size in held.items():
            assert size == run.kernel.accounts[name].positions[symbol].size
    assert min(flows, trades) > 100
    assert (paid_in_other > 0) == ("assets" in kind)


@pytest.mark.parametrize("kind", KINDS, ids="+".join)
def test_a_journal_that_says_nothing_of_worth_is_told_all_the_same(scenarios, kind, tmp_path):
    """As one of an older version: each account and asset as its fills and money moved left it."""
    checked = 0
    for seed in range(12):
        found = played(scenarios, scenarios["make_account"](seed), kind, tmp_path / str(seed))
        if found is None:
            continue
        rows = Projection("live").rows(list(without_worth(JournalFolder(tmp_path / str(seed)).read())))
        last = {(row.account, row.asset): row for row in rows if isinstance(row, AccountRow)}
        for name, books in found[1].accounts.items():
            for asset, pocket in books.pockets.items():
                row = last[name, asset if len(books.pockets) > 1 else ""]
                assert (row.currency, float(row.cash), row.free) == (asset, pocket.cash, None)
                checked += 1
        assert not any(isinstance(row, DailyRow | PositionSnapshotRow) for row in rows)
    assert checked > 10


def without_worth(entries):
    """Yield the records of a journal as a version wrote them that noted no worth of accounts."""
    number = 0
    for entry in entries:
        if entry.kind == "account_valued":
            continue
        number += 1
        body = entry.body
        if entry.kind == "run_started":
            began = msgspec.structs.replace(CODEC.decode(entry), valued=False)
            body = CODEC.encode(entry.kind, entry.ts, began).body
        yield JournalEntry(number, entry.ts, entry.kind, entry.version, body, entry.ends_commit)


def told_rows(folder):
    """Return what answers the rows that a store was told of a journal, of one kind and in the order of a field."""
    store = MemoryRunStore()
    with Journal(folder) as journal:
        Projector(journal, store, lambda: Projection("live"), name="all").catch_up()
        run = journal_token(journal)
    return lambda kind, field="": sorted_rows(store.rows(run, kind), kind, field)


def journal_token(journal):
    return next(CODEC.decode(entry).token for entry in journal.read() if entry.kind == "run_started")


def sorted_rows(rows, kind, field=""):
    found = [row for row in rows if isinstance(row, kind)]
    return sorted(found, key=lambda row: int(getattr(row, field))) if field else found


def plain_flows(rows):
    """Return movements of money in the order of time; each account's own stand in theirs."""
    rows = sorted(rows, key=lambda row: (row.account, row.number))
    return [attrs.asdict(row) | {"number": 0} for row in rows]
