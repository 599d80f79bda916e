"""Memory, snapshots and restarts of runs that last: many thousands of orders through the live engine."""

from __future__ import annotations

import asyncio

import pytest
from long_run import COIN, LongRun, memory, objects

from cambist.engine.document import digest_of, trading_of
from cambist.engine.rebuild import rebuild
from cambist.live.shadow import Shadow
from cambist.storage.journal import Journal, JournalOptions


@pytest.mark.slow
def test_memory_stays_flat_however_many_orders_there_are(tmp_path, soak_orders):
    keep = 1_000
    run = LongRun(tmp_path / "journal", keep=keep)
    run.play(soak_orders // 4)
    before, held = memory(), objects()
    run.play(soak_orders)
    kernel = run.prepared.kernel
    book = kernel.book
    assert book.orders[-1].id >= soak_orders
    assert len(book.orders) - len(book.open) <= 2 * keep + 10
    assert len(kernel.fills) <= 4 * keep
    assert len(kernel.signals) <= 2 * keep + 10
    assert len(kernel.portfolio.trades.closed) <= 2 * keep + 10
    # Between two tidyings up to twice what is kept collects: of each order itself, its fills, a trade and a signal.
    assert objects() - held < 10 * keep
    assert memory() - before < 32.0
    assert run.alarms == []
    run.close()


def test_what_is_forgotten_changes_nothing_that_is_held(tmp_path):
    short, long = LongRun(tmp_path / "short", keep=50), LongRun(tmp_path / "long", keep=10_000)
    for run in (short, long):
        run.play(1_201)
    mine, other = short.prepared.kernel, long.prepared.kernel
    assert len(mine.book.orders) < 200 < len(other.book.orders)
    assert mine.portfolio.account() == other.portfolio.account()
    for one in ("size", "average_price", "realized", "fees"):
        assert getattr(mine.portfolio.positions[COIN.symbol], one) == getattr(
            other.portfolio.positions[COIN.symbol], one
        )
    own, all_of_it = (kernel.shares.of("Busy").positions[COIN.symbol] for kernel in (mine, other))
    assert (own.size, own.realized, own.fees) == (all_of_it.size, all_of_it.realized, all_of_it.fees)
    assert own.size == mine.portfolio.positions[COIN.symbol].size
    recent = [(trade.id, trade.gross) for trade in mine.portfolio.trades.closed[-40:]]
    assert recent == [(trade.id, trade.gross) for trade in other.portfolio.trades.closed[-40:]]
    # The journal lacks nothing: both runs wrote the same.
    for run in (short, long):
        run.close()
    with Journal(tmp_path / "short") as one, Journal(tmp_path / "long") as two:
        kinds = [[entry.kind for entry in journal.read()] for journal in (one, two)]
    assert kinds[0] == kinds[1]


def test_a_fill_that_is_told_again_long_after_is_applied_once(tmp_path):
    run = LongRun(tmp_path / "journal", keep=50)
    told = []
    applied = run.engine.orders.evidence.executed
    run.engine.orders.evidence.executed = lambda report, now: (told.append(report), applied(report, now))
    run.play(400)
    before = run.prepared.kernel.portfolio.account()
    assert run.prepared.kernel.book.find(1) is None, "the first order is forgotten"
    for report in told:
        applied(report, run.now)
    run.settle()
    assert run.prepared.kernel.portfolio.account() == before
    assert run.alarms == []
    run.close()


def test_a_restart_from_a_snapshot_is_the_one_that_reads_everything(tmp_path):
    """R5: snapshot and tail give the state that all records give, also behind records that were removed."""
    folder = tmp_path / "journal"
    run = LongRun(folder, keep=200)

    async def keep_two():
        shadow = Shadow(run.journal, None, 200)
        for orders in (700, 1_100):
            run.play(orders)
            await shadow.snapshot()
        run.play(1_300)
        return shadow.snapshots

    assert asyncio.run(keep_two()) == 2
    run.close()
    with Journal(folder) as journal:
        assert len(journal.snapshots.sequences()) == 2
        fast, whole = (rebuild(journal, keep=200, use_snapshot=use) for use in (True, False))
    assert fast.sequence == whole.sequence
    assert digest_of(fast) == digest_of(whole)

    again = LongRun(folder, keep=200)
    kernel = again.prepared.kernel
    assert digest_of(again.state) == digest_of(whole)
    mine = trading_of(kernel.book, kernel.fills, kernel.portfolio, {})
    assert repr(mine) == repr(trading_of(whole.book, whole.fills, whole.portfolio, {})), "as texts: NaN is not itself"
    again.play(1_310)
    again.close()


def test_old_segments_go_once_snapshots_and_readers_have_them(tmp_path):
    options = JournalOptions(segment_bytes=40_000, keep_segments=2, compress=None)
    run = LongRun(tmp_path / "journal", keep=100, journal=options)
    cursor = run.journal.cursor("reader")

    async def play():
        shadow = Shadow(run.journal, None, 100)
        run.play(400)
        await shadow.snapshot()
        run.play(700)
        await shadow.snapshot()
        run.play(1_000)

    asyncio.run(play())
    run.journal.tidy()
    assert run.journal.first == 1, "a reader that has dealt with nothing holds all of it"
    cursor.advance(run.journal.durable)
    run.journal.tidy()
    assert run.journal.first > 1
    first = run.journal.first
    run.close()
    again = LongRun(tmp_path / "journal", keep=100, journal=options)
    assert again.state is not None
    assert again.journal.first >= first
    account = again.prepared.kernel.portfolio.account()
    assert account == run.prepared.kernel.portfolio.account()
    again.close()


def test_shares_are_right_after_a_restart_that_forgot_fills(tmp_path):
    run = LongRun(tmp_path / "journal", keep=50)
    run.play(1_001)
    before = run.prepared.kernel.shares.of("Busy").positions[COIN.symbol]
    run.close()
    again = LongRun(tmp_path / "journal", keep=50)
    assert len(again.state.fills) < 400, "most fills are forgotten"
    after = again.prepared.kernel.shares.of("Busy").positions[COIN.symbol]
    assert (after.size, after.average_price, after.realized, after.fees) == (
        before.size,
        before.average_price,
        before.realized,
        before.fees,
    )
    again.close()


def test_what_cannot_be_noted_of_an_order_lets_nothing_leave(tmp_path):
    run = LongRun(tmp_path / "journal")
    run.play(2)
    watched = run.engine.orders.register.get(2)
    run.close()
    run.engine.orders.replacing.begin(watched, (0.05, 60.0, float("nan")), run.now)  # which is marked beforehand
    assert run.engine.is_lost
    assert not run.venue.waiting
