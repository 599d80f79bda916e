"""Plays recorded markets to paper runs."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import TYPE_CHECKING

import numpy as np
from going import let_go, until

from cambist import Strategy
from cambist.errors import InputError
from cambist.live import LiveRun, LiveSettings, OnStop
from cambist.live.paper import PaperSession, PaperSettings
from cambist.model import Bars, Instrument, OrderType, Timeframe
from cambist.storage.journal import Journal

if TYPE_CHECKING:
    from recorded_market import RecordedMarket

MINUTE = Timeframe.parse("1m")
START = 1_700_000_040_000_000_000


def walk(count: int, seed: int = 1, symbol: str = "BTC/USDT", *, timeframe: Timeframe = MINUTE) -> Bars:
    """Return bars of a random walk."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, count)))
    open_ = np.concatenate(([100.0], close[:-1])) * (1.0 + rng.normal(0.0, 0.002, count))
    low, high = np.minimum(open_, close) * 0.996, np.maximum(open_, close) * 1.004
    base = symbol.partition("/")[0]
    grid = {"tick_size": "0.01", "step_size": "0.001"}
    instrument = Instrument(symbol=symbol, base=base, quote="USDT", **grid, taker_fee=0.001, maker_fee=0.0005)
    columns = dict(zip(("open", "high", "low", "close"), (open_, high, low, close), strict=True))
    return Bars(
        instrument=instrument,
        timeframe=timeframe,
        ts=START // timeframe.ns * timeframe.ns + np.arange(count) * timeframe.ns,
        **{name: np.round(values, 2) for name, values in columns.items()},
        volume=np.round(rng.uniform(1.0, 5.0, count), 3),
    )


class EverythingTrader(Strategy):
    """Sends, changes and withdraws orders of every kind at random, also in answer to fills."""

    seed = 0
    #: How often a fill is answered with more.
    answers = 0.3

    def on_start(self):
        self.dice = random.Random(self.seed)
        self.heard = []

    def on_bar(self, bar):
        for _ in range(self.dice.choice((0, 0, 1, 2))):
            self.act(bar.instrument, bar.close)

    def on_fill(self, fill):
        self.heard.append((fill.ts, fill.order_id, fill.size, fill.price))
        if self.dice.random() < self.answers:
            self.act(fill.instrument, fill.price)

    def on_order(self, order):
        self.heard.append((order.id, order.status, order.reason))

    def act(self, instrument, price):
        chance = self.dice
        near = round(price * chance.uniform(0.99, 1.01), 2)
        size = {"size": round(chance.uniform(0.5, 2.0), 3), "data": instrument}
        send = chance.choice((self.buy, self.sell))
        with contextlib.suppress(InputError):
            kind = chance.randrange(9)
            if kind == 0:
                send(**size)
            elif kind == 1:
                send(**size, limit=near)
            elif kind == 2:
                send(**size, stop=near)
            elif kind == 3:
                send(**size, stop=near, limit=round(near * 1.001, 2))
            elif kind == 4:
                send(**size, trail_percent=0.01)
            elif kind == 5:
                self.buy_bracket(**size, take_profit=round(price * 1.01, 2), stop_loss=round(price * 0.99, 2))
            elif kind == 6 and self.open_orders:
                self.cancel(chance.choice(self.open_orders))
            elif kind == 7 and self.open_orders:
                order = chance.choice(self.open_orders)
                if order.type is OrderType.LIMIT:
                    self.modify(order, limit=near)
                elif order.type is OrderType.STOP:
                    self.modify(order, stop=near)
            else:
                self.close(instrument)


def decided(orders):
    """Return what was asked for and what became of it, without times of the clock."""
    return [
        (
            order.id,
            order.instrument.symbol,
            str(order.side),
            str(order.type),
            order.size,
            repr((order.limit_price, order.stop_price)),
            (order.oco, order.parent),
            str(order.status),
            order.reason,
            order.filled,
        )
        for order in orders
    ]


def traded(fills):
    """Return executions, with the market's times."""
    return [
        (one.ts, one.order_id, one.instrument.symbol, str(one.side), one.size, one.price, one.fee, str(one.liquidity))
        for one in fills
    ]


class PaperRun:
    """A paper run on a recorded market, and those that go on with it."""

    def __init__(
        self, folder, strategies, market: RecordedMarket, *, series=None, live=None, record=False, **settings
    ) -> None:
        self.folder, self.strategies, self.market = folder, strategies, market
        self.series = series or [(block.instrument.symbol, block.timeframe) for block in market.blocks]
        self.paper = PaperSettings(**{"cash": 10_000.0, **settings})
        self.live = LiveSettings(**{"on_stop": OnStop.KEEP, "audit_every": 3_600.0, "record": record, **(live or {})})
        self.alarms: list[tuple[str, str]] = []

    async def start(self) -> None:
        self.journal = Journal(self.folder)
        self.session = PaperSession(self.market, self.series, self.paper, self.journal)
        self.run = LiveRun(
            self.strategies,
            self.series,
            self.session,
            self.journal,
            self.live,
            alarm=lambda word, text: self.alarms.append((word, text)),
        )
        self.task = asyncio.create_task(self.run.run())
        await self.until(lambda: self.run.phase == "run")

    @property
    def kernel(self):
        return self.run.kernel

    async def until(self, condition) -> None:
        await until(condition, self.task)

    async def calm(self) -> None:
        """Return when every bar was taken and answered."""
        await self.until(lambda: self.market.is_done and not self.session._is_busy())

    async def end(self) -> None:
        self.run.stop("the market is over")
        async with asyncio.timeout(60):
            await self.task
        self.journal.close()

    async def cut_off(self) -> None:
        """Let go of everything at once: what is not in the journal is lost."""
        await let_go(self.task)
        self.journal.close()

    def play(self):
        """Play the market to its end; return the kernel."""

        async def whole():
            await self.start()
            await self.calm()
            await self.end()

        asyncio.run(whole())
        return self.kernel
