"""Futures on paper: funding, liquidation and hedged positions are those of a backtest on the same bars."""

from __future__ import annotations

import asyncio
import random
import time

import attrs
import numpy as np
import pytest
from paper_runs import EverythingTrader, PaperRun, decided, traded, walk
from recorded_market import RecordedMarket

import cambist
from cambist import Strategy, param
from cambist.errors import ConfigError, ParameterError, VenueError
from cambist.live.paper import PaperSettings
from cambist.model import Bars, Instrument, Margin, MarginTier, MarkReport, Ticks
from cambist.ports.venue import FundingRate, StreamReport, Subscription, VenueTerms

CASH = 40.0
MOVED = ("deposit", "withdrawal")
TIERS = [
    MarginTier(up_to=200, maintenance_rate=0.01, max_leverage=20),
    MarginTier(up_to=600, maintenance_rate=0.02, max_leverage=10),
    MarginTier(maintenance_rate=0.05, max_leverage=5),
]


def perpetual(count: int, seed: int, base: str = "BTC") -> Bars:
    """Return bars of a perpetual, a random walk that is wild enough for liquidations."""
    bars = walk(count, seed=seed)
    wild = {name: np.round(100.0 * (getattr(bars, name) / 100.0) ** 3, 2) for name in ("open", "high", "low", "close")}
    instrument = Instrument(
        symbol=f"{base}/USDT:USDT",
        kind="linear_perpetual",
        base=base,
        quote="USDT",
        tick_size="0.01",
        step_size="0.001",
        margin_rate="0.05",
        taker_fee=0.001,
        maker_fee=0.0005,
    )
    return attrs.evolve(bars, instrument=instrument, **wild)


def marks_of(bars: Bars, seed: int) -> Bars:
    """Return mark prices that stand a little beside the prices of bars."""
    off = 1.0 + np.random.default_rng(seed).normal(0.0, 0.002, len(bars))
    low, high, close = bars.low * np.minimum(off, 1.0), bars.high * np.maximum(off, 1.0), bars.close * off
    close = np.clip(close, low, high)
    return attrs.evolve(bars, open=np.clip(bars.open, low, high), low=low, high=high, close=close)


def funding_of(bars: Bars, seed: int, every: int = 7) -> list[FundingRate]:
    """Return an exchange of funding with every seventh bar, on the minute, some of them with a mark price."""
    dice = random.Random(seed)
    return [
        FundingRate(int(ts), dice.uniform(-0.003, 0.003), float(price) * dice.uniform(0.999, 1.001))
        for ts, price in zip(bars.close_times[::every], bars.close[::every], strict=True)
    ]


class FuturesMarket(RecordedMarket):
    """Tells funding, and mark prices, up to the bar that is shown."""

    def __init__(self, *blocks, funding=None, marks=None, **options):
        super().__init__(*blocks, **options)
        self.rates, self.mark_bars = funding or {}, marks or {}

    async def next_funding(self, instrument):
        later = [one.ts for one in self.rates.get(instrument.symbol, ()) if one.ts > self.shown_until]
        return min(later, default=0)

    async def funding(self, instrument, start, end):
        until = min(end, self.shown_until)
        return [one for one in self.rates.get(instrument.symbol, ()) if start <= one.ts <= until]

    async def marks(self, instrument, timeframe, start, end):
        bars = self.mark_bars.get(instrument.symbol)
        if bars is None:
            raise VenueError("there are no mark prices", code="no_bars")
        return [bar for bar in bars if start <= bar.ts < min(end, self.shown_until - timeframe.ns + 1)]


class Bold(EverythingTrader):
    """Takes a position now and then that the account can just bear."""

    def act(self, instrument, price):
        if self.dice.random() < 0.2:
            send = self.dice.choice((self.buy, self.sell))
            send(max(0.001, round(7.0 * self.cash / price, 3)), data=instrument)
        else:
            super().act(instrument, price)


class BothSides(Strategy):
    """Opens, adds to and closes long and short positions at random."""

    def on_start(self):
        self.dice = random.Random(3)

    def on_bar(self, bar):
        for _ in range(self.dice.choice((0, 1, 1, 2))):
            self.act(bar.instrument, bar.close)

    def on_fill(self, fill):
        if self.dice.random() < 0.2:
            self.act(fill.instrument, fill.price)

    def act(self, instrument, price):
        dice = self.dice
        side = dice.choice(("long", "short"))
        size = 8.0 * self.cash / price if dice.random() < 0.3 else dice.uniform(0.3, 1.5)
        size = {"size": max(0.001, round(size, 3)), "data": instrument, "position_side": side}
        opens, closes = (self.buy, self.sell) if side == "long" else (self.sell, self.buy)
        near = round(price * dice.uniform(0.99, 1.01), 2)
        kind = dice.randrange(6)
        if kind < 2:
            opens(**size)
        elif kind == 2:
            opens(**size, limit=near)
        elif kind == 3:
            closes(**size)
        elif kind == 4:
            closes(**size, limit=near)
        elif self.open_orders:
            self.cancel(dice.choice(self.open_orders))


#: What strategies asked of their account, and were told.
ASKED = []


def manage(strategy, instrument, **side):
    """Move money or margin, or set a leverage, now and then."""
    dice, asked = strategy.dice, None
    kind = dice.randrange(9)
    if kind == 0:
        asked = strategy.add_cash(dice.choice((5.0, 0.37, -1.0, -4.0, -900.0)))
    elif kind == 1:
        asked = strategy.add_margin(dice.choice((0.7, 3.0, -0.4, -50.0)), instrument, **side)
    elif kind == 2:
        asked = strategy.set_leverage(dice.choice((5.0, 8.0, 10.0, 20.0, 30.0)), instrument)
    if asked is not None:
        ASKED.append(repr(attrs.evolve(asked, ts=0)))


def hear(change):
    """Take what became of a request."""
    ASKED.append("told " + repr(attrs.evolve(change, ts=0)))


class Treasurer(Bold):
    """Changes its account, too, before it orders in the same moment."""

    def on_margin(self, change):
        hear(change)

    def act(self, instrument, price):
        manage(self, instrument)
        super().act(instrument, price)


class TreasurerOfSides(BothSides):
    """The same, in a hedged account."""

    def on_margin(self, change):
        hear(change)

    def act(self, instrument, price):
        manage(self, instrument, position_side=self.dice.choice(("long", "short")))
        super().act(instrument, price)


ISOLATED = {"mode": "isolated", "leverage": 10, "maintenance": TIERS, "liquidation_fee": 0.004}
CROSS = {**ISOLATED, "mode": "cross"}
HEDGE = {"position_mode": "hedge"}
CASES = {
    "cross": (Bold, CROSS, {}),
    "isolated, marks, forming": (Treasurer, ISOLATED, {"marks": True, "forming": True}),
    "by tier, forming": (Bold, {**CROSS, "liquidation": "by_tier"}, {"forming": True}),
    "at bankruptcy, marks": (Bold, {**CROSS, "liquidate_at": "bankruptcy"}, {"marks": True}),
    "latency": (Bold, CROSS, {"latency": "20s"}),
    "hedge": (TreasurerOfSides, {**ISOLATED, **HEDGE}, {}),
    "hedge, isolated, marks": (BothSides, {**ISOLATED, **HEDGE}, {"marks": True, "forming": True}),
    "several": (Treasurer, CROSS, {"count": 3}),
    "several, hedge, marks": (BothSides, {**CROSS, **HEDGE}, {"count": 2, "marks": True}),
}


def backtested(strategy, blocks, terms, rates, marks, **options):
    """Backtest what a paper run does."""
    return cambist.backtest(
        strategy,
        blocks,
        cash=CASH,
        fees=None,
        margin=Margin(**terms),
        marks=marks or None,
        funding={
            symbol: ([one.ts for one in told], [one.rate for one in told], [one.mark for one in told])
            for symbol, told in rates.items()
        },
        **options,
    )


def flows_of(portfolio):
    """Return what moved money without a fill; what a strategy asked for was at a time of the clock."""
    return [
        (0 if one.kind in MOVED else one.ts, one.kind, one.symbol, one.position_side, one.amount)
        for one in portfolio.cash_flows
    ]


def flows_in(result):
    """Return the same of a backtest."""
    table = result.cash_flows
    sides = table["position_side"] if "position_side" in table else [""] * len(table)
    columns = (table.index.astype("int64"), table["kind"], table["symbol"], sides, table["amount"])
    rows = zip(*columns, strict=True)
    return [(0 if kind in MOVED else ts, kind, *others) for ts, kind, *others in rows]


def closed_by(trades):
    """Return which trades ended, why, and what they came to."""
    ended = [one for one in trades if not one.is_open]
    return sorted((one.id, one.instrument.symbol, one.reason, one.closed_at, one.gross, one.fees) for one in ended)


@pytest.mark.parametrize("case", CASES)
def test_futures_fare_as_in_the_backtest(tmp_path, case):
    strategy, terms, extra = CASES[case]
    options = {name: value for name, value in extra.items() if name == "latency"}
    names = ("BTC", "ETH", "SOL")[: extra.get("count", 1)]
    blocks = [perpetual(150, 11 + number, base) for number, base in enumerate(names)]
    rates = {block.instrument.symbol: funding_of(block, 5 + number) for number, block in enumerate(blocks)}
    marks = {block.instrument.symbol: marks_of(block, 9 + number) for number, block in enumerate(blocks)}
    marks = marks if extra.get("marks") else {}
    ASKED.clear()
    result = backtested(strategy, blocks, terms, rates, marks, events=True, **options)
    asked = list(ASKED)
    ASKED.clear()
    market = FuturesMarket(*blocks, funding=rates, marks=marks, forming=extra.get("forming", False))
    account = {"cash": CASH, "margin": Margin(**terms), "marks": "venue" if marks else "bars"}
    paper = PaperRun(tmp_path / "journal", [strategy()], market, record=True, **account, **options)
    portfolio = paper.play().portfolio
    made = decided(paper.kernel.book.orders)
    expected = decided(result.order_records)
    assert asked == ASKED
    assert made == expected
    assert traded(paper.kernel.fills) == traded(result.fill_records)
    assert flows_of(portfolio) == flows_in(result)
    assert closed_by(portfolio.trades.closed) == closed_by(result.trade_records)
    assert portfolio.account() == result.account
    liquidated = [one.describe("USDT") for one in portfolio.liquidations]
    assert liquidated
    assert liquidated == [one for one in result.warnings if one.startswith("liquidation")]
    assert {"funding"} <= {kind for _, kind, *_ in flows_of(portfolio)}
    assert {word for word, _ in paper.alarms} == {"liquidation"}
    report = cambist.replay(tmp_path / "journal", strategy)
    assert report.equal, str(report)
    assert report.complete


class Holds(Strategy):
    """Buys on its first bar, as much as it is told, backs it with more money on the third, and holds."""

    persistent = ("bars",)
    size: float = param(0.4)

    def on_start(self):
        self.bars = 0

    def on_bar(self, bar):
        self.bars += 1
        if self.bars == 1:
            self.buy(self.size, position_side="long")
        elif self.bars == 3:
            self.add_cash(2.5)
            self.add_cash(-0.7)
            self.add_margin(1.1, position_side="long")
            self.set_leverage(12.0 if self.size > 1.0 else 2.0)


@pytest.mark.parametrize(("size", "leverage", "ends"), [(0.3, 1, ""), (1.6, 10, "liquidation")])
def test_what_happens_while_a_run_is_down_is_caught_up_with(tmp_path, monkeypatch, size, leverage, ends):
    bars = perpetual(120, seed=25)
    symbol = bars.instrument.symbol
    rates, marks, terms = (
        {symbol: funding_of(bars, 5)},
        {symbol: marks_of(bars, 9)},
        {**ISOLATED, **HEDGE, "leverage": leverage},
    )
    result = backtested(Holds(size=size), [bars], terms, rates, marks, events=True)
    assert [trade.reason for trade in result.trade_records if not trade.is_open] == ([ends] if ends else [])
    market = FuturesMarket(bars, funding=rates, marks=marks)
    account = {"cash": CASH, "margin": Margin(**terms)}
    paper = PaperRun(tmp_path / "journal", [Holds(size=size)], market, record=True, **account)

    async def play():
        for first, until in ((0, 10), (10, 10), (100, 120)):
            market.first, market.until = first, until
            market.shown_until = int(bars.ts[first])
            monkeypatch.setattr(time, "time_ns", lambda first=first: int(bars.ts[first]) + 10**9)
            await paper.start()
            await paper.calm()
            known = await paper.session.account()
            if until < 120:
                await paper.cut_off()
        assert known.hedged
        assert [one.position_side for one in known.positions] == ([] if ends else ["long"])
        await paper.end()

    asyncio.run(play())
    portfolio = paper.kernel.portfolio
    assert traded(paper.kernel.fills) == traded(result.fill_records)
    assert sorted(flows_of(portfolio)) == sorted(flows_in(result))
    assert portfolio.cash == pytest.approx(result.account.cash, rel=1e-12)  # booked in another order
    assert closed_by(portfolio.trades.closed) == closed_by(result.trade_records)
    assert [one.amount for one in portfolio.margin_changes] == [1.1, 0.0]
    assert not portfolio.refused_changes
    assert list(portfolio.leverages.values()) == [12.0 if ends else 2.0]
    assert cambist.replay(tmp_path / "journal", Holds(size=size)).equal
    paper.paper = attrs.evolve(paper.paper, margin=Margin(**{**terms, "leverage": 5}))
    with pytest.raises(ConfigError, match=r"on other terms of margin: leverage was .* and is 5\.0"):
        paper.play()


class OnEvents(Strategy):
    """Trades on single trades, by what it has on margin, and says what that is."""

    def on_start(self):
        self.dice = random.Random(5)

    def on_tick(self, tick):
        self.record_signal("equity", self.equity)
        if self.dice.random() < 0.2:
            send = self.dice.choice((self.buy, self.sell))
            send(max(0.001, round(self.dice.uniform(1.0, 9.0) * self.cash / tick.price, 3)))


def test_on_trades_the_mark_prices_that_the_venue_streams_decide_as_in_the_backtest(tmp_path):
    bars = perpetual(150, seed=11)
    one, start, symbol = bars.instrument, int(bars.ts[0]), bars.instrument.symbol
    ticks = Ticks(one, [start + number * 10**9 for number in range(150)], list(bars.close), np.full(150, 1.0))
    off = [1.0 + 0.02 * (number % 5) for number in range(150)]
    told = [(start + number * 10**9 - 1, float(bars.close[number] * off[number])) for number in range(150)]
    terms = {**CROSS, "leverage": 10}
    marks = {symbol: tuple(map(list, zip(*told, strict=True)))}
    result = cambist.backtest(OnEvents(), ticks, cash=CASH, fees=None, margin=Margin(**terms), marks=marks)
    market = FuturesMarket(bars)
    market.until, market.terms = 0, VenueTerms(marks=True)
    series, live = [(symbol, "ticks")], {"step_timeout": 0.1}
    account = {"cash": CASH, "margin": Margin(**terms), "funding": False}
    paper = PaperRun(tmp_path / "journal", [OnEvents()], market, series=series, live=live, record=True, **account)

    async def play():
        await paper.start()
        for tick, (ts, price) in zip(ticks, told, strict=True):
            market.queue.put_nowait(MarkReport(ts=ts, symbol=symbol, price=price))
            market.queue.put_nowait(tick)
        await paper.until(lambda: paper.kernel.views[0].ts == ticks.ts[-1])
        await paper.calm()
        assert paper.kernel.portfolio.account() == result.account
        mark = Subscription(one, "marks")
        market.queue.put_nowait(StreamReport(stream="marks", state="down", subscription=mark))
        await paper.calm()
        held = paper.kernel.portfolio.positions[symbol]
        assert paper.kernel.portfolio.mark(held) == held.last_price
        await paper.end()

    asyncio.run(play())
    assert traded(paper.kernel.fills) == traded(result.fill_records)
    assert {"liquidation"} <= {one.reason for one in result.trade_records}
    assert closed_by(paper.kernel.portfolio.trades.closed) == closed_by(result.trade_records)
    assert [value for *_, value in paper.kernel.signals] == list(result.signals["value"])
    report = cambist.replay(tmp_path / "journal", OnEvents)
    assert report.equal, str(report)


def test_a_rate_that_is_told_late_is_booked_late_on_what_was_held(tmp_path, monkeypatch):
    bars = perpetual(40, seed=25)
    symbol, told = bars.instrument.symbol, funding_of(bars, 5)
    market = FuturesMarket(bars, funding={symbol: told})
    known, market.funding = market.funding, None

    async def not_yet(instrument, start, end):
        return () if market.first < 30 else await known(instrument, start, end)

    market.funding = not_yet
    monkeypatch.setattr("cambist.live.paper.funding._EVERY", 0.0)
    margin = Margin(**CROSS, **HEDGE)
    paper = PaperRun(tmp_path / "journal", [Holds()], market, marks="bars", cash=CASH, margin=margin)
    result = backtested(Holds(), [bars], {**CROSS, **HEDGE}, {symbol: told}, {}, events=True)
    assert sorted(flows_of(paper.play().portfolio)) == sorted(flows_in(result))
    assert len(flows_in(result)) >= 4


def test_a_market_without_rates_or_margin_says_so(tmp_path):
    paper = PaperRun(tmp_path / "journal", [EverythingTrader()], RecordedMarket(perpetual(5, seed=1)))
    paper.play()
    assert [word for word, _ in paper.alarms] == ["never_liquidated", "no_funding"]
    with pytest.raises(ParameterError, match="position_mode"):
        PaperSettings(match_by="quotes", margin=Margin(**HEDGE))
    with pytest.raises(ParameterError, match="planned"):
        PaperSettings(margin=Margin(mode="isolated", planned=[("2024-01-01", "BTC/USDT:USDT", 1.0)]))
