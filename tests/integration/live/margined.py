"""Runs on futures at an exchange on loopback, one after another on the same journal, and what happens there beside."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from going import let_go, until

from cambist import Strategy
from cambist.engine.rebuild import rebuild
from cambist.live import LiveRun, LiveSettings
from cambist.model import Timeframe
from cambist.storage.journal import Journal
from cambist_binance.session import open_coinm, open_spot, open_usdm
from cambist_simulator import ExchangeSimulator

MINUTE = Timeframe.parse("1m")
#: Session, plays, our symbol, theirs, exchange, currency, a size to trade.
MARKETS = {
    "spot": (open_spot, "BTCUSDT", "BTC/USDT", "BTCUSDT", "binance-spot", "USDT", 0.01),
    "usdm": (open_usdm, "BTCUSDT:linear", "BTC/USDT:USDT", "BTCUSDT", "binance-usdm", "USDT", 0.013),
    "coinm": (open_coinm, "BTCUSD_PERP:inverse", "BTC/USD:BTC", "BTCUSD_PERP", "binance-coinm", "BTC", 3.0),
}


#: Alarms that these tests are about; those of streams and data have tests of their own.
OF_ACCOUNTS = {
    "out_of_step",
    "position_adopted",
    "balance_adjusted",
    "foreign_order",
    "liquidation",
    "adl",
    "settlement",
    "liquidation_near",
    "margin_call",
    "leverage_set",
    "leverage_changed",
    "position_mode_changed",
    "margin_mode_changed",
    "audit_failed",
    "anomaly",
    "fills_missing",
    "overfilled",
}


class Quiet(Strategy):
    """Does what a test tells it to, and notes what it hears."""

    persistent = ("told",)

    def on_start(self):
        self.told = []
        self.todo = []
        self.heard = []

    def on_bar(self, bar):
        while self.todo:
            self.todo.pop(0)(self)

    def on_fill(self, fill):
        self.told.append(["fill", str(fill.side), fill.size, fill.price])

    def on_trade(self, trade):
        self.told.append(["trade", trade.reason])

    def on_margin(self, change):
        self.heard.append(change)


def exchange(market, **settings):
    """Make an exchange with one market."""
    given = {"symbols": [MARKETS[market][1]], "seed": 7, "history": 60, "cash": 20_000, "speed": 120} | settings
    return ExchangeSimulator("binance", **given)


class Play:
    """A simulator, a journal, and one run after another on them."""

    def __init__(self, simulator, folder, market, strategy=Quiet) -> None:
        self.simulator, self.folder, self.market, self.strategy = simulator, folder, market, strategy
        self.open, _, self.symbol, self.name, self.venue, self.currency, self.size = MARKETS[market]
        self.alarms: list[str] = []
        self.texts: list[str] = []
        self.venue_settings: dict = {}

    def strategies(self):
        return [self.strategy()]

    # Runs.

    def start(self, **settings) -> None:
        key = self.simulator.credentials()
        session = self.open(url=self.simulator.url, key=key.key, secret=key.secret, **self.venue_settings)
        session.margining_lasts = 0.2  # of another mode the venue tells nobody
        self.journal = Journal(self.folder)
        given = {"audit_every": 1.0, "currency": self.currency, "ready_within": 40.0, "leverage": 20.0} | settings
        self.run = LiveRun(
            self.strategies(), [(self.symbol, MINUTE)], session, self.journal, LiveSettings(**given), alarm=self._alarm
        )
        self.task = asyncio.create_task(self.run.run())

    def _alarm(self, word, text) -> None:
        if word not in OF_ACCOUNTS:
            return
        self.alarms.append(word)
        self.texts.append(text)

    async def until(self, what, within=40) -> None:
        """Wait until something is so while the run goes on."""
        await until(what, self.task, within=within, every=0.02)

    async def running(self) -> None:
        await self.until(lambda: self.run.phase == "run")

    async def end(self) -> None:
        self.run.stop("the test is over")
        async with asyncio.timeout(40):
            await self.task
        self.journal.close()

    async def cut_off(self) -> None:
        """Let go of everything at once: what is not in the journal is lost."""
        await let_go(self.task)
        self.journal.close()

    # The strategy.

    @property
    def seat(self):
        return self.run.kernel.seats[0].strategy

    async def do(self, act, fills=1) -> None:
        """Have the strategy do something on its next bar, and wait for so many executions of it at least.

        With none of them its order is to rest at the venue.
        """
        before = len(self.run.kernel.fills)
        while True:
            await self.until(lambda: not list(self.run.kernel.trading.holds))
            self.seat.todo.append(act)
            await self.until(lambda: not self.seat.todo)
            order = self.run.kernel.book.orders[-1]
            if "is reducing by live run" not in order.reason:  # a market this fast outruns its bars now and then
                break
        await self.until(lambda: len(self.run.kernel.fills) >= before + fills or order.reason)
        assert not order.reason, order.reason
        await self.until(lambda: not self.run.engine.orders.open if fills else self.simulator.orders(open_only=True))

    async def venue_until(self, what, within=40) -> None:
        """Wait until something is so at the venue, whether a run goes on or not."""
        await until(what, within=within, every=0.02)

    @property
    def position(self):
        return self.run.kernel.portfolio.positions[self.symbol]

    # The venue.

    def at_venue(self, what):
        """Do something with the exchange, its user and its symbol, and let everybody hear of it."""

        def work(venue):
            found = what(venue.exchanges[self.venue], venue.user(None), self.name)
            venue.server.flush()
            return found

        return self.simulator.call(work)

    def wallet(self, asset=None) -> Decimal:
        asset = asset or self.currency
        found = self.simulator.balances()[self.venue].get(asset)
        if found is None:
            return Decimal(0)
        return found.free + found.locked if self.market == "spot" else found.wallet

    def held(self, side="") -> Decimal:
        there = self.simulator.positions().get(self.venue, [])
        return sum((one.size for one in there if one.position_side == side), Decimal(0))

    # The comparison.

    def state(self):
        with Journal(self.folder) as journal:
            return rebuild(journal)

    def compare(self, sides=("",)) -> None:
        """Hold what the journal says against what the venue has, to the last digit."""
        state = self.state()
        assert state.ledger.balance(self.currency) == self.wallet()
        assert state.portfolio.cash == float(self.wallet())
        for side in sides:
            if self.market == "spot":
                assert state.ledger.balance("BTC") == self.wallet("BTC")
            else:
                key = f"{self.symbol} {side}" if side else self.symbol
                assert state.ledger.contracts.get(key, Decimal(0)) == self.held(side)
                assert state.portfolio.legs[key].size == float(self.held(side))
        assert not state.book.anomalies

    async def once_more(self, times=1, **settings) -> None:
        """Restart, and end at once, so often."""
        for _ in range(times):
            self.start(**settings)
            await self.running()
            await self.end()
