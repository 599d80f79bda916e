"""Runs on Binance's protocol, at an exchange on loopback that fails on purpose."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from going import let_go, until

from cambist import Strategy
from cambist.engine.rebuild import rebuild
from cambist.live import LiveRun, LiveSettings
from cambist.model import OrderStatus, Timeframe
from cambist.storage.journal import Journal
from cambist_binance.session import open_spot
from cambist_simulator import ExchangeSimulator

MINUTE = Timeframe.parse("1m")


class InAndOut(Strategy):
    """Buys on one bar, sells what it has on the next."""

    persistent = ("bars",)

    def on_start(self):
        self.bars = 0

    def on_bar(self, bar):
        self.bars += 1
        if self.position.size > 0.001:
            self.close()
        else:
            self.buy(0.01)


class Play:
    """A simulator, a journal, and one run after another on them."""

    def __init__(self, simulator, folder) -> None:
        self.simulator, self.folder = simulator, folder
        self.alarms: list[str] = []

    def start(self) -> None:
        credentials = self.simulator.credentials()
        session = open_spot(url=self.simulator.url, key=credentials.key, secret=credentials.secret)
        self.journal = Journal(self.folder)
        self.run = LiveRun(
            [InAndOut()],
            [("BTC/USDT", MINUTE)],
            session,
            self.journal,
            LiveSettings(audit_every=1.0),
            alarm=lambda word, _text: self.alarms.append(word),
        )
        self.task = asyncio.create_task(self.run.run())

    async def until_filled(self, count: int) -> None:
        await until(lambda: len(self.fills) >= count, self.task, every=0.02)

    @property
    def fills(self):
        return self.run.kernel.fills if self.run.phase in {"run", "drain"} else []

    async def end(self) -> None:
        self.run.stop("the test is over")
        async with asyncio.timeout(30):
            await self.task
        self.journal.close()

    async def cut_off(self) -> None:
        """Let go of everything at once: what is not in the journal is lost."""
        await let_go(self.task)
        self.journal.close()

    def compare(self) -> None:
        """Hold what the journal says against what happened at the venue."""
        with Journal(self.folder) as journal:
            state = rebuild(journal)
        balances = self.simulator.balances()["binance-spot"]
        for asset in ("USDT", "BTC"):
            there = balances[asset]
            assert state.ledger.balance(asset) == there.free + there.locked, asset
        theirs = {order.client_id: order for order in self.simulator.orders()}
        ours = {state.book.client_id(order): order for order in state.book.orders}
        assert set(theirs) <= set(ours), "an order at the venue that is not in the journal"
        for client_id, order in ours.items():
            there = theirs.get(client_id)
            if there is None:
                held_back = order.status is OrderStatus.CANCELED and order.reason == "nothing_to_reduce"
                assert order.status is OrderStatus.REJECTED or held_back
            else:
                assert Decimal(repr(order.filled)) == there.filled
                assert not there.open
        assert not state.book.anomalies


@pytest.fixture
def simulator():
    with ExchangeSimulator("binance", symbols=["BTCUSDT"], seed=7, history=60, cash=20_000, speed=120) as made:
        yield made


def test_a_run_ends_equal_to_the_venue(simulator, tmp_path):
    async def play():
        one = Play(simulator, tmp_path / "journal")
        one.start()
        await one.until_filled(4)
        await one.end()
        return one

    one = asyncio.run(play())
    one.compare()
    assert one.alarms == []


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("timeout", {"stage": "after"}),
        ("timeout", {"stage": "before"}),
        ("reset", {"stage": "after"}),
        ("reset", {"stage": "before"}),
        ("truncated", {}),
    ],
)
def test_an_order_whose_fate_is_open_is_neither_lost_nor_doubled(simulator, tmp_path, action, arguments):
    simulator.add_fault(action, label="order.place", nth=2, **arguments)

    async def play():
        one = Play(simulator, tmp_path / "journal")
        one.start()
        await one.until_filled(4)
        await one.end()
        return one

    asyncio.run(play()).compare()
    assert simulator.fired()


def test_a_run_that_is_cut_off_goes_on_where_it_was(simulator, tmp_path):
    async def play():
        one = Play(simulator, tmp_path / "journal")
        for count in (1, 2, 3):
            one.start()
            await one.until_filled(count)
            await one.cut_off()
        one.start()
        await one.until_filled(5)
        await one.end()
        return one

    asyncio.run(play()).compare()
