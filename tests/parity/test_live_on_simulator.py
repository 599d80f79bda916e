"""The same bars in a backtest, and live over the wire at an exchange that trades them: equal decisions, equal fills."""

from __future__ import annotations

import asyncio
import time

import attrs
import numpy as np
import pytest

import cambist
import cambist.live.run
from cambist import Bars, Strategy, param
from cambist.indicators import SMA
from cambist.live import LiveRun, LiveSettings, OnStop
from cambist.live.paper import PaperSession, PaperSettings
from cambist.model import Timeframe
from cambist.simulation import FeeInKind
from cambist.storage.journal import Journal
from cambist_binance.session import open_spot, open_usdm
from cambist_simulator import ExchangeSimulator

MINUTE = Timeframe.parse("1m")
HISTORY, LIVE = 20, 40


class Crossing(Strategy):
    """Follows a crossing of two averages in each instrument, with market orders, and notes what it sees."""

    def on_start(self):
        self.lines = {series.instrument.symbol: (SMA(series.close, 3), SMA(series.close, 8)) for series in self.data}

    def on_bar(self, bar):
        fast, slow = self.lines[bar.instrument.symbol]
        self.record_signal("above", float(fast[0] > slow[0]))
        held = self.position.size
        if fast[0] > slow[0] and not held:
            self.buy(0.5)
        elif fast[0] < slow[0] and held:
            self.close()


class EveryKind(Strategy):
    """Sends one kind of order after the other, and puts an end to each after a few bars.

    The first is long or short, 1 or -1, and the others in turn, or none is short.
    """

    first: int = param(1)
    in_turn: bool = param(True)

    def on_start(self):
        self.average, self.bars = SMA(self.data.close, 3), 0

    def on_bar(self, bar):
        self.record_signal("bar", bar.close)
        number, step = divmod(self.bars, 5)
        self.bars += 1
        if step == 0:
            self.enter(number % 7, self.first * (-1) ** (number * self.in_turn), bar.close)
        elif step == 3:
            for order in self.open_orders:
                self.cancel(order)
        elif step == 4 and self.position.size:
            self.close()

    def enter(self, kind, sign, close):
        send, bracket = (self.buy, self.buy_bracket) if sign > 0 else (self.sell, self.sell_bracket)
        ahead, behind, far_behind = (round(close * (1 + sign * part), 1) for part in (0.002, -0.002, -0.004))
        if kind == 0:
            bracket(0.5, stop_loss=far_behind, take_profit=ahead)
        elif kind == 1:
            bracket(0.5, stop_loss={"stop": behind, "limit": far_behind}, take_profit=ahead)
        elif kind == 2:
            send(0.5, limit=behind, oco=send(0.5, stop=ahead))
        elif kind == 3:
            send(0.5, stop=ahead)
        elif kind == 4:
            send(0.5, stop=ahead, limit=round(close * (1 + sign * 0.003), 1))
        else:
            send(0.5, **{"touch" if kind == 5 else "limit": behind})


def recorded(seed: int, start: int) -> dict[str, np.ndarray]:
    """Return the columns of bars on the venue's grid, with volume enough to be traded."""
    rng = np.random.default_rng(seed)
    count = HISTORY + LIVE
    close = np.round(500.0 * np.exp(np.cumsum(rng.normal(0.0, 0.004, count))), 1)
    open_ = np.concatenate(([500.0], close[:-1]))
    high, low = np.maximum(open_, close) + 0.5, np.minimum(open_, close) - 0.5
    ts = start + np.arange(count) * MINUTE.ns
    return {"ts": ts, "open": open_, "high": high, "low": low, "close": close, "volume": np.full(count, 400.0)}


def bars_of(instrument, columns, first: int = 0) -> Bars:
    return Bars(instrument=instrument, timeframe=MINUTE, **{name: one[first:] for name, one in columns.items()})


def all_filled(run) -> bool:
    return len(run.kernel.fills) == len(run.kernel.book.orders)


def settled(run) -> bool:
    return all(order.accepted or not order.is_open for order in run.kernel.book.orders)


async def played(simulator, session, journal, names, strategy=Crossing, answered=all_filled, **options):
    """Run live while the market goes on bar by bar, each once the run has answered the last, and the venue the run."""
    alarms = []
    run = LiveRun(
        [strategy()],
        [(name, MINUTE) for name in names],
        session,
        journal,
        LiveSettings(on_stop=OnStop.KEEP, audit_every=3_600.0, record=True, **options),
        alarm=lambda word, text: alarms.append((word, text)),
    )
    task = asyncio.create_task(run.run())

    async def until(condition):
        async with asyncio.timeout(60):
            while not condition():
                if task.done():
                    await task
                await asyncio.sleep(0.005)

    await until(lambda: run.phase == "run")
    await asyncio.sleep(0.5)
    kernel = run.kernel
    for number in range(1, LIVE + 1):
        await asyncio.to_thread(simulator.step, "1m")
        await until(lambda number=number: len(kernel.signals) >= len(names) * number)
        await until(lambda: not run.is_busy())
        if not isinstance(session, PaperSession):
            await until(lambda: answered(run))
    run.stop("the market is over")
    async with asyncio.timeout(60):
        await task
    return run, alarms


def clock_of(start: int):
    """Return clocks that begin at the end of the history."""

    class Clock:
        def __init__(self, not_before: int = 0) -> None:
            self._base = time.monotonic_ns()

        def __call__(self) -> int:
            return start + HISTORY * MINUTE.ns + time.monotonic_ns() - self._base

    return Clock


@pytest.mark.parametrize("on_paper", [False, True])
def test_live_does_what_the_backtest_says(tmp_path, monkeypatch, on_paper):
    start = (time.time_ns() // MINUTE.ns - HISTORY) * MINUTE.ns
    columns = [recorded(5, start), recorded(6, start)]
    plain = cambist.Instrument(symbol="X", tick_size="0.1", step_size="0.001")
    data = {f"{base}USDT:linear": bars_of(plain, one) for base, one in zip(("BTC", "ETH"), columns, strict=True)}
    names = ["BTC/USDT:USDT", "ETH/USDT:USDT"]

    monkeypatch.setattr(cambist.live.run, "MonotoneClock", clock_of(start))
    settings = {"history": HISTORY, "cash": 20_000, "speed": 0, "limits": False}
    with ExchangeSimulator("binance", symbols=list(data), data=data, **settings) as simulator:
        key = simulator.credentials()
        secrets = {} if on_paper else {"key": key.key, "secret": key.secret}
        session = open_usdm(url=simulator.url, max_clock_skew=1e9, **secrets)
        journal = Journal(tmp_path / "journal")
        if on_paper:
            session = PaperSession(session, [(name, MINUTE) for name in names], PaperSettings(cash=20_000.0), journal)
        run, alarms = asyncio.run(played(simulator, session, journal, names))
        journal.close()
    # Neither side is given terms of margin; on paper, where it could be, that is said.
    assert [word for word, _ in alarms] == ["never_liquidated"] * on_paper
    blocks = [
        bars_of(attrs.evolve(instrument), one, HISTORY - 7)
        for (instrument, _), one in zip(run.series, columns, strict=True)
    ]
    result = cambist.backtest(Crossing, blocks, cash=20_000.0, fees=None, events=True)
    report = cambist.compare(result, tmp_path / "journal", tolerance=1e-12)  # of sums of floats
    assert report.equal, str(report)
    assert report["fill"].one > 4
    replayed = cambist.replay(tmp_path / "journal", Crossing)
    assert replayed.equal, str(replayed)
    assert replayed.complete, str(replayed)


@pytest.mark.parametrize("first", [1, -1])
def test_every_kind_of_order_trades_where_the_backtest_says(tmp_path, monkeypatch, first):
    """Stops of brackets and groups among them, which rest at the venue and are tied by the run."""
    start = (time.time_ns() // MINUTE.ns - HISTORY) * MINUTE.ns
    columns = recorded(5, start)
    plain = cambist.Instrument(symbol="X", tick_size="0.1", step_size="0.001")
    monkeypatch.setattr(cambist.live.run, "MonotoneClock", clock_of(start))
    settings = {"history": HISTORY, "cash": 20_000, "speed": 0, "limits": False}
    data = {"BTCUSDT:linear": bars_of(plain, columns)}

    def strategy():
        return EveryKind(first=first)

    with ExchangeSimulator("binance", symbols=list(data), data=data, **settings) as simulator:
        key = simulator.credentials()
        session = open_usdm(url=simulator.url, max_clock_skew=1e9, key=key.key, secret=key.secret)
        journal = Journal(tmp_path / "journal")
        run, _ = asyncio.run(played(simulator, session, journal, ["BTC/USDT:USDT"], strategy, settled))
        journal.close()
    (instrument, _) = run.series[0]
    block = bars_of(attrs.evolve(instrument), columns, HISTORY - 2)
    result = cambist.backtest(strategy(), block, cash=20_000.0, fees=None, events=True)
    report = cambist.compare(result, tmp_path / "journal", tolerance=1e-12)
    # How the other leg ends is the venue's to say: it takes away what has nothing left to reduce.
    assert all(report[what].equal for what in ("signal", "intent", "fill", "pnl")), str(report)
    assert len({order.type for order in run.kernel.book.orders if order.filled}) >= 4


@pytest.mark.parametrize("on_paper", [False, True])
def test_on_spot_what_is_bought_pays_its_fee_as_the_backtest_says(tmp_path, monkeypatch, on_paper):
    """So that less can be sold than was bought: by closing, and by the stops and targets of brackets."""
    start = (time.time_ns() // MINUTE.ns - HISTORY) * MINUTE.ns
    columns = recorded(5, start)
    plain = cambist.Instrument(symbol="X", tick_size="0.1", step_size="0.001")
    monkeypatch.setattr(cambist.live.run, "MonotoneClock", clock_of(start))
    settings = {"history": HISTORY, "cash": 20_000, "speed": 0, "limits": False}

    def strategy():
        return EveryKind(in_turn=False)

    with ExchangeSimulator(
        "binance", symbols=["BTCUSDT"], data={"BTCUSDT": bars_of(plain, columns)}, **settings
    ) as made:
        key = made.credentials()
        secrets = {} if on_paper else {"key": key.key, "secret": key.secret}
        session = open_spot(url=made.url, max_clock_skew=1e9, **secrets)
        journal = Journal(tmp_path / "journal")
        if on_paper:
            terms = PaperSettings(cash=20_000.0, fees=FeeInKind())
            session = PaperSession(session, [("BTC/USDT", MINUTE)], terms, journal)
        # What the run holds itself sees no more of a bar than its close, and so the exchange works pairs and brackets.
        run, _ = asyncio.run(played(made, session, journal, ["BTC/USDT"], strategy, settled, native_groups=True))
        journal.close()
    (instrument, _) = run.series[0]
    block = bars_of(attrs.evolve(instrument), columns, HISTORY - 2)
    result = cambist.backtest(strategy(), block, cash=20_000.0, fees=FeeInKind(), events=True)
    report = cambist.compare(result, tmp_path / "journal", tolerance=1e-12)
    assert all(report[what].equal for what in ("signal", "intent", "fill", "pnl")), str(report)
    assert min(fill.size for fill in run.kernel.fills) < 0.5 == max(fill.size for fill in run.kernel.fills)
    assert {(fill.side.name, fill.fee_asset) for fill in run.kernel.fills} == {("BUY", "BTC"), ("SELL", "USDT")}
    assert run.kernel.portfolio.equity == pytest.approx(result.account.equity, abs=1e-6)
    options = {"fees": FeeInKind()} if on_paper else {}  # which a recording cannot keep
    replayed = cambist.replay(tmp_path / "journal", strategy(), **options)
    assert replayed.equal, str(replayed)
