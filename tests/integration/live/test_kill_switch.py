"""The kill switch acts at the venue whatever the run is doing, and says the truth about what it found."""

from __future__ import annotations

import asyncio
import threading
import time
from decimal import Decimal

import pytest

from cambist import Strategy
from cambist.engine.rebuild import rebuild
from cambist.errors import ControlError
from cambist.live import LiveRun, LiveSettings
from cambist.live.control import Control, ControlClient, ControlFolder, ControlSettings, find_run
from cambist.model import OrderType, Side, Timeframe
from cambist.ports.venue import Answered
from cambist.storage.journal import Journal
from cambist.testing.venue_desk import Desk
from cambist_binance.session import open_spot, open_usdm
from cambist_simulator import ExchangeSimulator

MINUTE = Timeframe.parse("1m")


class Blocking(Strategy):
    """Buys, leaves an order far from the market, and then never returns from a hook until it is let go."""

    let_go = threading.Event()
    blocked = threading.Event()

    def on_bar(self, bar):
        if self.position.size <= 0 and not self.open_orders:
            self.buy(0.01)
        elif not self.open_orders:
            self.buy(0.01, limit=round(bar.close * 0.97, 1))
        else:
            self.blocked.set()
            while not self.let_go.is_set():  # in pure Python: what a strategy in an endless loop does
                pass


class Threaded:
    """A live run in a thread, as it is in a process of its own."""

    def __init__(self, simulator, folder, make, symbol, settings, *, blocking=True) -> None:
        self.simulator, self.folder, self.make, self.symbol = simulator, folder, make, symbol
        self.told: list[tuple[str, str]] = []
        self.settings, self.blocking = settings, blocking
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.failure = None

    def session(self):
        key = self.simulator.credentials()
        settings = {"countdown": 60} if self.make is open_usdm else {}
        return self.make(url=self.simulator.url, key=key.key, secret=key.secret, **settings)

    def _work(self):
        try:
            asyncio.run(self._run())
        except BaseException as error:
            self.failure = error
            raise

    async def _run(self):
        self.loop = asyncio.get_running_loop()
        with Journal(self.folder) as journal:
            control = Control(
                self.settings, make_session=self.session, tell=lambda word, text: self.told.append((word, text))
            )
            self.run = LiveRun(
                [Blocking()],
                [(self.symbol, MINUTE)],
                self.session(),
                journal,
                LiveSettings(audit_every=5.0),
                alarm=lambda _word, _text: None,
                companions=[control],
            )
            await self.run.run()

    def until(self, condition, within=60):
        deadline = time.monotonic() + within
        while not condition():
            if self.failure is not None:
                raise self.failure
            assert time.monotonic() < deadline, (condition, self.told)
            time.sleep(0.05)

    def __enter__(self):
        Blocking.let_go.clear() if self.blocking else Blocking.let_go.set()
        Blocking.blocked.clear()
        self.thread.start()
        return self

    def __exit__(self, *_):
        Blocking.let_go.set()
        if self.thread.is_alive():
            self.loop.call_soon_threadsafe(self.run.stop, "test")
        self.thread.join(60)
        assert not self.thread.is_alive()

    def call(self, do, **arguments):
        with ControlClient(find_run(self.folder), by="tester", timeout=90) as client:
            return client.call(do, **arguments)

    @property
    def words(self):
        return [word for word, _ in self.told]


@pytest.mark.parametrize(
    ("listed", "make", "symbol"), [("BTCUSDT", open_spot, "BTC/USDT"), ("BTCUSDT:linear", open_usdm, "BTC/USDT:USDT")]
)
def test_it_acts_at_the_venue_while_a_strategy_blocks_the_run(tmp_path, listed, make, symbol):
    folder = tmp_path / "journal"
    settings = ControlSettings(on_signal=False, warn_after=0.5, patience=1.0, clear_within=30.0)
    with (
        ExchangeSimulator("binance", symbols=[listed], seed=7, history=60, cash=20_000, speed=120) as simulator,
        Threaded(simulator, folder, make, symbol, settings) as one,
    ):
        one.until(Blocking.blocked.is_set, 90)
        one.until(lambda: "loop_frozen" in one.words)
        frozen = one.call("status")
        assert frozen["not_moved_for"] > 0.5
        assert len(frozen["fills"]) >= 1
        if make is open_spot:
            assert frozen["dead_man_switch"] is None
        else:
            assert frozen["dead_man_switch"]["span"] == 60
            assert frozen["dead_man_switch"]["set_back"]
        assert [order.open for order in simulator.orders()].count(True) == 1
        with pytest.raises(ControlError) as caught:
            one.call("halt")
        assert caught.value.code == "frozen"
        done = one.call("kill", flatten=True)
        assert done["verified"], done
        assert done["acted"] == "session"
        assert [item["outcome"] for item in done["orders"]] == ["canceled"]
        assert [item["outcome"] for item in done["positions"]] in (["closed"], ["dust"])
        assert not any(order.open for order in simulator.orders())
        Blocking.let_go.set()
        # Once it is let go the run halts, and nothing leaves any more.
        one.until(lambda: one.run.kernel.trading.holds.find("", "") is not None)
        count = len(simulator.orders())
        one.until(lambda: "loop_goes_on" in one.words)
        time.sleep(1.5)
        assert len(simulator.orders()) == count
        status = one.call("status")
        assert status["trading"]["state"] == "halted"
        assert status["kill_switch"]["thrown"]
        assert {"loop_frozen", "kill_switch", "kill_switch_done"} <= {alarm["word"] for alarm in status["alarms"]}
        one.call("stop", policy="keep")
        one.thread.join(60)
    assert one.words[:2] == ["loop_frozen", "kill_switch"]
    assert "in on_bar" in one.told[0][1]
    assert "test_kill_switch.py" in one.told[0][1]
    with Journal(folder) as journal:
        state = rebuild(journal)
    hold = state.trading.find("", "")
    assert (str(hold.state), hold.by) == ("halted", "tester")
    assert ControlFolder(folder).kill.exists()
    held = simulator.balances() if make is open_spot else None
    if held is not None:
        assert held["binance-spot"]["BTC"].free < Decimal("0.00001")


def test_on_margin_nothing_is_left_of_a_position_that_somebody_else_has_made_larger(tmp_path):
    folder = tmp_path / "journal"
    settings = ControlSettings(on_signal=False, clear_within=30.0)
    with (
        ExchangeSimulator(
            "binance", symbols=["BTCUSDT:linear"], seed=7, history=60, cash=20_000, speed=120
        ) as simulator,
        Threaded(simulator, folder, open_usdm, "BTC/USDT:USDT", settings, blocking=False) as one,
    ):
        one.until(lambda: any(order.open for order in simulator.orders()), 90)
        asyncio.run(buy(one.session()))
        assert sum(position.size for position in simulator.positions()["binance-usdm"]) == Decimal("0.03")
        done = one.call("kill", flatten=True)
        assert done["verified"], done
        assert done["acted"] == "run"
        assert not any(order.open for order in simulator.orders())
        assert not any(position.size for position in simulator.positions()["binance-usdm"])
        one.call("stop", policy="keep")
        one.thread.join(60)


async def buy(session):
    """Buy at the market, as somebody does by hand."""
    await session.open()
    try:
        instrument = next(one for one in session.instruments() if one.symbol == "BTC/USDT:USDT")
        desk = Desk(session, instrument, 0.02)
        outcome = await session.submit(desk.request("by-hand", Side.BUY, OrderType.MARKET))
        assert isinstance(outcome, Answered), outcome
    finally:
        await session.close()


def test_the_watchdog_cancels_where_the_venue_has_no_dead_mans_switch(tmp_path):
    folder = tmp_path / "journal"
    settings = ControlSettings(on_signal=False, warn_after=0.5, patience=1.0, cancel_after=1.5, clear_within=30.0)
    with (
        ExchangeSimulator("binance", symbols=["BTCUSDT"], seed=7, history=60, cash=20_000, speed=120) as simulator,
        Threaded(simulator, folder, open_spot, "BTC/USDT", settings) as one,
    ):
        one.until(Blocking.blocked.is_set, 90)
        one.until(lambda: "kill_switch_done" in one.words)
        assert not any(order.open for order in simulator.orders())
        Blocking.let_go.set()
        one.until(lambda: one.run.kernel.trading.holds.find("", "") is not None)
        one.call("stop", policy="keep")
        one.thread.join(60)
    assert one.words[:2] == ["loop_frozen", "kill_switch"]
