"""A run at an exchange in this process: it trades, is killed, goes on, and ends in step with the venue."""

from __future__ import annotations

import asyncio
import contextlib
from decimal import Decimal

import numpy as np
import pytest
from going import running, until
from venue_in_process import SYMBOL, Loopback, make_exchange

from cambist import Strategy
from cambist.engine.rebuild import rebuild
from cambist.errors import ConfigError
from cambist.indicators import SMA
from cambist.live.differences import Policy
from cambist.live.run import LiveRun
from cambist.live.settings import LiveSettings, OnStop
from cambist.model import COLUMNS, Bar, Bars, OrderStatus, OrderType, Side, Timeframe
from cambist.storage.journal import Journal
from cambist_simulator.exchange.orders import OrderTerms

MINUTE = Timeframe.parse("1m")
START = 1_700_000_040_000_000_000


class Alternate(Strategy):
    """Buys on one bar, sells on the next."""

    persistent = ("bars",)

    def on_start(self):
        self.bars = 0
        self.heard = []

    def on_bar(self, bar):
        self.bars += 1
        if self.bars % 2:
            self.buy(0.1)
        else:
            self.close()

    def on_order(self, order):
        self.heard.append((order.id, order.status))


class Resting(Strategy):
    """Leaves a limit order far below the market."""

    def on_bar(self, bar):
        if not self.open_orders:
            self.buy(0.1, limit=90.0)


def bars(count: int, first: int = 0):
    return [Bar(START + (first + n) * MINUTE.ns, 100.0, 101.0, 99.0, 100.0, 1.0) for n in range(count)]


@pytest.fixture
def venue():
    exchange = make_exchange()
    user = exchange.users.add("trader")
    exchange.deposit(user, "USDT", Decimal(1000))
    session = Loopback(exchange, user)
    session.quote("99.99", "100.01")
    return session


def make_run(tmp_path, session, strategy, companions=(), **settings) -> LiveRun:
    alarms: list[tuple[str, str]] = []
    run = LiveRun(
        [strategy],
        [(SYMBOL, MINUTE)],
        session,
        Journal(tmp_path / "journal"),
        LiveSettings(**settings),
        alarm=lambda word, text: alarms.append((word, text)),
        companions=companions,
    )
    run.alarms = alarms
    return run


def told(tmp_path):
    """Return the state that the journal tells of."""
    with Journal(tmp_path / "journal") as journal:
        return rebuild(journal)


def truth(session):
    return {asset: one.free + one.locked for asset, one in session.exchange.balances(session.user).items()}


def test_a_run_trades_and_ends_with_what_the_venue_has(venue, tmp_path):
    async def play():
        run = make_run(tmp_path, venue, Alternate())
        async with running(run):
            kernel = run.kernel
            for number, bar in enumerate(bars(4), 1):
                venue.bar(bar, MINUTE)
                await until(lambda number=number: len(kernel.fills) == number)
            statuses = [order.status for order in kernel.book.orders]
        run.journal.close()
        return run, statuses, kernel

    run, statuses, _ = asyncio.run(play())
    assert statuses == [OrderStatus.FILLED] * 4
    assert run.alarms == []
    state = told(tmp_path)
    assert {asset: state.ledger.balance(asset) for asset in ("USDT", "BTC")} == truth(venue)


def test_an_answer_that_gets_lost_loses_no_order_and_doubles_none(venue, tmp_path):
    async def play():
        run = make_run(tmp_path, venue, Alternate())
        venue.lose_answers, venue.drop_reports = 1, 2
        async with running(run):
            venue.bar(bars(1)[0], MINUTE)
            kernel = run.kernel
            await until(lambda: len(kernel.fills) == 1)
            assert kernel.book.orders[0].status is OrderStatus.FILLED
        run.journal.close()

    asyncio.run(play())
    assert len(venue.submits) == 1


def test_a_run_goes_on_after_it_was_cut_off(venue, tmp_path):
    async def first():
        run = make_run(tmp_path, venue, Resting())
        task = asyncio.create_task(run.run())
        await until(lambda: run.phase == "run")
        venue.bar(bars(1)[0], MINUTE)
        await until(lambda: venue.exchange.open_orders(venue.user))
        task.cancel()  # no goodbye: the journal is all that is left
        with contextlib.suppress(asyncio.CancelledError):
            await task
        run.journal.close()

    async def second():
        run = make_run(tmp_path, venue, Resting(), on_stop=OnStop.CANCEL)
        async with running(run):
            kernel = run.kernel
            assert [order.status for order in kernel.book.orders] == [OrderStatus.ACCEPTED]
            venue.bar(bars(1, 1)[0], MINUTE)
            await asyncio.sleep(0.05)
            assert len(kernel.book.orders) == 1
        run.journal.close()
        return kernel

    asyncio.run(first())
    kernel = asyncio.run(second())
    assert kernel.book.orders[0].status is OrderStatus.CANCELED
    assert venue.exchange.open_orders(venue.user) == []
    assert len(venue.submits) == 1


def history(count: int) -> Bars:
    columns = {
        name: np.full(count, value) for name, value in zip(COLUMNS, (100.0, 101.0, 99.0, 100.0, 1.0), strict=True)
    }
    return Bars(
        instrument=Loopback.instrument, timeframe=MINUTE, ts=START + np.arange(-count, 0) * MINUTE.ns, **columns
    )


class Averaging(Alternate):
    """Has an indicator, and so a warm-up."""

    def on_start(self):
        super().on_start()
        self.average = SMA(self.data.close, 3)


def play_nothing(tmp_path, session, strategy, **settings):
    async def play():
        run = make_run(tmp_path, session, strategy, **settings)
        try:
            async with running(run):
                pass
        finally:
            run.journal.close()
        return run

    return asyncio.run(play())


def test_a_position_that_the_run_does_not_know_keeps_it_from_starting(venue, tmp_path):
    venue.exchange.deposit(venue.user, "BTC", Decimal("0.5"))
    with pytest.raises(ConfigError, match=r"BTC/USDT: this run holds 0, the venue 0\.5\. Say what becomes of it"):
        play_nothing(tmp_path, venue, Alternate())
    assert venue.submits == []


def test_it_is_taken_over_at_a_known_price_and_once(venue, tmp_path):
    venue.exchange.deposit(venue.user, "BTC", Decimal("0.5"))
    venue.past = history(3)
    run = play_nothing(tmp_path, venue, Averaging(), on_position=Policy.ADOPT)
    assert run.kernel.portfolio.positions[SYMBOL].size == 0.5
    assert run.kernel.portfolio.cash == 1000.0
    run = play_nothing(tmp_path, venue, Averaging(), on_position=Policy.ASK)
    assert run.kernel.portfolio.positions[SYMBOL].size == 0.5
    assert told(tmp_path).ledger.balance("BTC") == Decimal("0.5")
    run = play_nothing(tmp_path / "other", venue, Alternate(), on_position=Policy.ADOPT)
    assert run.kernel.portfolio.positions[SYMBOL].size == 0.5
    venue.past = None
    with pytest.raises(ConfigError, match="no bar that tells what it is worth"):
        play_nothing(tmp_path / "third", venue, Alternate(), on_position=Policy.ADOPT)


def test_it_is_closed_where_that_is_the_policy(venue, tmp_path):
    venue.exchange.deposit(venue.user, "BTC", Decimal("0.5"))
    venue.past = history(3)
    play_nothing(tmp_path, venue, Averaging(), on_position=Policy.CLOSE)
    assert truth(venue)["BTC"] == 0
    assert told(tmp_path).ledger.balance("USDT") == truth(venue)["USDT"]


def test_an_order_of_somebody_else_is_left_or_canceled(venue, tmp_path):
    def by_hand():
        terms = OrderTerms(
            symbol="BTCUSDT",
            side=Side.BUY,
            type=OrderType.LIMIT,
            size=Decimal("0.1"),
            price=Decimal(90),
            client_id="me",
        )
        return venue.exchange.place(venue.user, terms).id

    by_hand()
    play_nothing(tmp_path, venue, Alternate(), on_order=Policy.IGNORE)
    assert len(venue.exchange.open_orders(venue.user)) == 1
    play_nothing(tmp_path, venue, Alternate(), on_order=Policy.CLOSE)
    assert venue.exchange.open_orders(venue.user) == []


def test_a_run_that_ended_goes_on_and_trades(venue, tmp_path):
    async def play(count: int, first: int):
        run = make_run(tmp_path, venue, Alternate(), on_stop=OnStop.CANCEL)
        async with running(run):
            before = len(run.kernel.fills)
            for number, bar in enumerate(bars(count, first), 1):
                venue.bar(bar, MINUTE)
                await until(lambda number=number: len(run.kernel.fills) == before + number)
        run.journal.close()
        return run

    asyncio.run(play(1, 0))
    run = asyncio.run(play(1, 1))
    assert [order.side for order in run.kernel.book.orders] == [Side.BUY, Side.SELL]
    assert truth(venue)["BTC"] == 0


def test_flatten_sells_what_is_held_before_the_end(venue, tmp_path):
    async def play():
        run = make_run(tmp_path, venue, Alternate(), on_stop=OnStop.FLATTEN)
        async with running(run):
            venue.bar(bars(1)[0], MINUTE)
            await until(lambda: len(run.kernel.fills) == 1)
        run.journal.close()

    asyncio.run(play())
    assert truth(venue)["BTC"] == 0
    assert told(tmp_path).ledger.balance("USDT") == truth(venue)["USDT"]


def test_what_goes_on_beside_a_run_ends_with_it_and_cannot_end_it(venue, tmp_path):
    seen = []

    async def breaks(run):
        raise ValueError("no good")

    async def stays(run):
        try:
            await asyncio.sleep(3600)
        finally:
            seen.append(run.phase)

    async def play():
        run = make_run(tmp_path, venue, Alternate(), companions=[breaks, stays])
        async with running(run):
            await until(lambda: run.alarms)
            venue.bar(bars(1)[0], MINUTE)
            await until(lambda: len(run.kernel.fills) == 1)
            assert not seen
        return run

    run = asyncio.run(play())
    assert seen == ["drain"]
    ((word, text),) = run.alarms
    assert word == "companion_failed"
    assert "breaks" in text
    assert "no good" in text
