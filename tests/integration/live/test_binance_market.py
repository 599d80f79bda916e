"""Trades, quotes, books and bars of several instruments over Binance's wire, with streams that fail on purpose."""

from __future__ import annotations

import asyncio

import pytest
from going import running, until

from cambist import Strategy
from cambist.live import LiveRun, LiveSettings
from cambist.storage.journal import Journal
from cambist_binance.session import open_spot
from cambist_simulator import ExchangeSimulator

LISTENS = [(symbol, what) for symbol in ("BTC/USDT", "ETH/USDT") for what in ("1m", "ticks", "quotes", "book")]


class Watcher(Strategy):
    """Counts what it is shown of each instrument, and looks whether any of it could not be."""

    def on_start(self):
        self.counts = {}
        self.wrong = []
        self.lost = 0
        self.last_bar = {}

    def note(self, kind, symbol):
        self.counts[symbol, kind] = self.counts.get((symbol, kind), 0) + 1

    def on_tick(self, tick):
        self.note("ticks", tick.symbol)

    def on_quote(self, quote):
        self.note("quotes", quote.symbol)
        if not quote.bid < quote.ask:
            self.wrong.append(quote.copy())

    def on_book(self, book):
        self.note("book", book.symbol)
        if not book.is_valid:
            self.wrong.append((book.bid, book.ask))

    def on_bar(self, bar):
        self.note("1m", bar.symbol)
        before = self.last_bar.get(bar.symbol)
        if before is not None and bar.ts - before != 60_000_000_000:
            self.wrong.append((before, bar.ts))
        self.last_bar[bar.symbol] = bar.ts


def make_run(simulator, folder, **session_settings) -> LiveRun:
    key = simulator.credentials()
    session = open_spot(url=simulator.url, key=key.key, secret=key.secret, **session_settings)
    alarms: list[tuple[str, str]] = []
    run = LiveRun(
        [Watcher()],
        LISTENS,
        session,
        Journal(folder / "journal"),
        LiveSettings(on_stop="keep"),
        alarm=lambda *told: alarms.append(told),
    )
    run.alarms = alarms
    return run


def all_heard(strategy, least: int = 1) -> bool:
    return all(strategy.counts.get(one, 0) >= least for one in LISTENS)


def held(run):
    return {hold.scope for hold in run.kernel.trading.holds}


@pytest.fixture
def simulator():
    with ExchangeSimulator("binance", symbols=["BTCUSDT", "ETHUSDT"], seed=7, history=60, speed=60) as made:
        yield made


def test_everything_of_every_instrument_is_heard_in_order(simulator, tmp_path):
    async def play():
        run = make_run(simulator, tmp_path)
        async with running(run, close=True):
            strategy = run.kernel.seats[0].strategy
            await until(lambda: all_heard(strategy, 3))
            metrics = run.session.metrics()
            states = run.market.states()
        return run, strategy, metrics, states

    run, strategy, metrics, states = asyncio.run(play())
    assert strategy.wrong == []
    assert run.alarms == []
    assert {one.state for one in states} == {"up"}
    assert len(states) == len(LISTENS)
    assert metrics["queues"][0]["dropped"] == 0


def test_cut_connections_and_lost_changes_of_a_book_are_told_and_mended(simulator, tmp_path):
    async def play():
        run = make_run(simulator, tmp_path)
        async with running(run, close=True):
            strategy = run.kernel.seats[0].strategy
            await until(lambda: all_heard(strategy, 2))
            simulator.add_fault("drop", kind="depth", nth=1)
            await until(lambda: any(word == "data_gap" for word, _ in run.alarms))
            simulator.add_fault("reset", at="1s")
            await until(lambda: any(word == "stream_down" for word, _ in run.alarms))
            await until(lambda: not held(run))
            strategy.counts.clear()
            await until(lambda: all_heard(strategy, 2))
            books = [run.kernel.market[symbol].book for symbol in ("BTC/USDT", "ETH/USDT")]
            assert all(book.is_valid for book in books)
        return run, strategy

    run, strategy = asyncio.run(play())
    assert strategy.wrong == []
    # What was down together is told together.
    told = [text for word, text in run.alarms if word == "stream_down" and text.startswith("market data")]
    assert len(told) == 1
    assert "and 3 more are down" in told[0]


def test_subscriptions_that_are_acknowledged_and_silent_are_found_and_connected_anew(simulator, tmp_path):
    async def play():
        run = make_run(simulator, tmp_path, quiet_after=2.0)
        async with running(run, close=True):
            strategy = run.kernel.seats[0].strategy
            await until(lambda: all_heard(strategy))
            assert not held(run)
            simulator.add_fault("silent_subscription", at="1s")  # all connections that are open then, to their end
            await until(lambda: held(run) == {"symbol:BTC/USDT", "symbol:ETH/USDT"})
            strategy.counts.clear()
            await until(lambda: not held(run) and all_heard(strategy, 2))
        return run, strategy

    run, strategy = asyncio.run(play())
    assert "data_stale" in [word for word, _ in run.alarms]
    assert strategy.wrong == []
