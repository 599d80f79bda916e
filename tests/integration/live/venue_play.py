"""A run of a strategy that does what a test wants, at an exchange on loopback, with a journal to go on from."""

from __future__ import annotations

import asyncio
import contextlib
from decimal import Decimal

from going import let_go, until

from cambist import Strategy
from cambist.engine.rebuild import rebuild
from cambist.live import LiveRun, LiveSettings
from cambist.model import OrderStatus, Timeframe
from cambist.orders.ids import order_number
from cambist.storage.journal import Journal
from cambist_binance.session import open_spot, open_usdm
from cambist_simulator import ExchangeSimulator

MINUTE = Timeframe.parse("1m")
OPEN = {"BTCUSDT": (open_spot, "BTC/USDT"), "BTCUSDT:linear": (open_usdm, "BTC/USDT:USDT")}
ENDED = {OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.REJECTED, OrderStatus.EXPIRED}


class Hands(Strategy):
    """Does on a bar what the test wants done, once."""

    def on_start(self):
        self.heard = []

    def on_bar(self, bar):
        book.on_bar(self, bar)

    def on_order(self, order):
        self.heard.append((order.id, order.status, order.reason))


class _Book:
    """What is to be done on the next bar."""

    todo = None

    def on_bar(self, strategy, bar):
        todo, self.todo = self.todo, None
        if todo is not None:
            todo(strategy, bar)


book = _Book()


class Play:
    """A simulator, a journal, and one run after another on them."""

    def __init__(self, simulator, folder, plays="BTCUSDT", settings=None, **session) -> None:
        self.simulator, self.folder, self.plays = simulator, folder, plays
        self.alarms: list[tuple[str, str]] = []
        self.settings, self.session_settings = settings or {}, session

    @contextlib.asynccontextmanager
    async def run(self, *, cut_off=False, companions=()):
        key = self.simulator.credentials()
        make, symbol = OPEN[self.plays]
        session = make(
            url=self.simulator.url, key=key.key, secret=key.secret, **{"timeout": 3.0, **self.session_settings}
        )
        journal = Journal(self.folder)
        settings = LiveSettings(**{"audit_every": 1.0, "on_stop": "keep", "leverage": 20.0, **self.settings})
        run = self.live = LiveRun(
            [Hands()],
            [(symbol, MINUTE)],
            session,
            journal,
            settings,
            alarm=lambda word, text: self.alarms.append((word, text)),
            companions=companions,
        )
        task = asyncio.create_task(run.run())
        try:
            await self.until(lambda: run.phase == "run", task)
            yield run
            if not cut_off:
                run.stop("the test is over")
                async with asyncio.timeout(40):
                    await task
        finally:
            await let_go(task)
            journal.close()

    async def until(self, condition, task=None, within=50.0) -> None:
        await until(condition, task, within=within, every=0.02)

    async def do(self, what):
        """Have the strategy do something on its next bar, and return what came of it."""
        made = []
        book.todo = lambda strategy, bar: made.append(what(strategy, bar))
        await self.until(lambda: made)
        return made[0]

    @property
    def there(self):
        return {order.client_id: order for order in self.simulator.orders()}

    def open_there(self):
        return [order for order in self.simulator.orders() if order.open]

    def words(self):
        """Return the words of what was told, in order; on a busy machine a market this fast outruns its bars."""
        return [word for word, _ in self.alarms if word != "data_gap"]

    def compare(self) -> None:
        """Hold what the journal says against what happened at the venue."""
        with Journal(self.folder) as journal:
            state = rebuild(journal)
        assert not state.book.anomalies
        filled: dict[int, Decimal] = {}
        for one in self.simulator.orders():
            found = order_number(one.client_id, state.book.token)
            assert found is not None, f"{one.client_id} is not ours"
            filled[found[0]] = filled.get(found[0], Decimal(0)) + one.filled
        for order in state.book.orders:
            assert Decimal(repr(order.filled)) == filled.get(order.id, Decimal(0)), (order.id, order.status)


@contextlib.contextmanager
def simulator(plays="BTCUSDT", **settings):
    settings = {"seed": 7, "history": 60, "cash": 20_000, "speed": 60} | settings
    with ExchangeSimulator("binance", symbols=[plays], **settings) as made:
        book.todo = None
        yield made


def play(test, folder, plays="BTCUSDT", simulated=None, **more):
    with simulator(plays, **(simulated or {})) as made:
        one = Play(made, folder, plays, **more)
        asyncio.run(test(one))
    return one


def far(bar, strategy, share):
    return strategy.data.instrument.round_price(bar.close * share)
