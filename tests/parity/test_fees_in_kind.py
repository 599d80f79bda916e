"""Fees that are taken out of what was bought: exact arithmetic, both paths, journal and replay, files and refusals."""

from __future__ import annotations

import random
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import cambist
from cambist import Bars, Instrument, Margin, Strategy, Timeframe, param
from cambist.errors import ParameterError
from cambist.simulation import FeeInAsset, FeeInKind, FeesBySymbol, MakerTakerFee

MINUTE = Timeframe.parse("1m")
COIN = Instrument(
    symbol="BTC/USDT", base="BTC", quote="USDT", tick_size="0.01", step_size="0.001", maker_fee=0.002, taker_fee=0.001
)
PERPETUAL = Instrument(symbol="BTC/USDT:USDT", kind="linear_perpetual", base="BTC", quote="USDT")
FEES = [0.001, MakerTakerFee(0.0002, 0.0011), None, {"use": "percent", "rate": 0.0075}]


def bars_of(seed: int = 1, instrument: Instrument = COIN, count: int = 200) -> Bars:
    rng = np.random.default_rng(seed)
    close = np.round(100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, count))), 2)
    open_ = np.concatenate(([100.0], close[:-1]))
    high, low = np.maximum(open_, close) + 0.4, np.minimum(open_, close) - 0.4
    ts = np.arange(count) * MINUTE.ns
    return Bars(instrument, MINUTE, ts, open_, high, low, close, np.full(count, 1e5))


class Anything(Strategy):
    """Buys and sells by whatever kind of order, sometimes more than there is."""

    seed: int = param(0)

    def on_start(self):
        self.dice = random.Random(self.seed)

    def on_bar(self, bar):
        self.act(bar.close)

    def on_tick(self, tick):
        self.act(tick.price)

    def on_quote(self, quote):
        self.act(quote.bid)

    def on_book(self, book):
        self.act(book.bid)

    def act(self, near):
        dice = self.dice
        size = dice.randrange(1, 2_000) / 1_000
        match dice.randrange(9):
            case 0:
                self.buy(size)
            case 1:
                self.close()
            case 2:
                self.buy(size, limit=round(near - 0.3, 2))
            case 3:
                self.sell(size)
            case 4:
                self.buy_bracket(size, stop_loss=round(near - 0.6, 2), take_profit=round(near + 0.6, 2))
            case 5:
                stop = {"stop": round(near - 0.3, 2), "limit": round(near - 0.9, 2)}
                self.buy_bracket(size, stop_loss=stop, take_profit=round(near + 0.8, 2))
            case 6:
                self.sell(size, limit=round(near + 0.3, 2), reduce_only=True)
            case 7:
                self.order_target_percent(dice.choice([0.0, 0.3, 0.8]))
            case 8:
                for order in self.open_orders:
                    self.cancel(order)


def market_of(kind: str, seed: int):
    """Return the same walk as bars, trades, quotes, trades with quotes, or a book."""
    bars = bars_of(seed)
    if kind == "bars":
        return bars
    price, at = bars.close, pd.to_datetime(bars.ts)
    trades = cambist.open_ticks(pd.DataFrame({"ts": at, "price": price, "size": 50.0}), instrument=COIN)
    beside = {"bid_size": 40.0, "ask_size": 40.0}
    told = pd.DataFrame({"ts": at, "bid": price, "ask": np.round(price + 0.02, 2), **beside})
    quotes = cambist.open_quotes(told, instrument=COIN)
    if kind == "book":
        levels = [
            pd.DataFrame({"ts": at, "side": side, "price": told[side], "size": 1.2, "snapshot": 1})
            for side in ("bid", "ask")
        ]
        return cambist.open_book(pd.concat(levels).sort_values("ts", kind="stable"), instrument=COIN)
    return {"ticks": trades, "quotes": quotes, "both": [trades, quotes]}[kind]


def exactly(value: float) -> Decimal:
    return Decimal(repr(float(value)))


@pytest.mark.parametrize("kind", ["bars", "thin", "ticks", "quotes", "both", "book"])
@pytest.mark.parametrize(("seed", "fees"), [*enumerate(FEES)])
def test_nobody_sells_what_was_not_bought_and_kept(seed, fees, kind):
    thin = {"volume_limit": 1e-5} if kind == "thin" else {}  # orders trade in parts
    market = market_of("bars" if thin else kind, seed)
    result = cambist.backtest(Anything(seed=seed), market, cash=1_000.0, fees=FeeInKind(fees), **thin)
    cash, held, sold, in_kind = Decimal(1_000), Decimal(0), 0, 0
    for fill in result.fill_records:
        size, price, fee = exactly(fill.size), exactly(fill.price), exactly(fill.fee_paid)
        if fill.side is cambist.Side.BUY:
            assert fill.fee_asset == ("BTC" if fill.fee else "USDT")
            assert float(fee * price) == pytest.approx(fill.fee, rel=1e-12)
            cash, held, in_kind = cash - size * price, held + size - fee, in_kind + (fee > 0)
        else:
            assert fill.fee_asset == "USDT"
            cash, held, sold = cash + size * price - fee, held - size, sold + 1
        assert held > -Decimal("1e-12")
        assert cash > -Decimal("1e-6")
    assert (sold > 10, in_kind > 10) == (True, True)
    assert result.account.cash == pytest.approx(float(cash), abs=1e-9)
    worth = result.account.equity - result.account.cash
    if worth:
        assert worth == pytest.approx(float(held) * float(bars_of(seed).close[-1]), rel=2e-4)  # the mid, of quotes
    else:
        assert held <= Decimal("0.0005")  # what is less than half a step counts for nothing


@pytest.mark.parametrize("kind", ["bars", "ticks", "quotes", "both", "book"])
def test_a_stop_limit_that_triggers_ends_its_target(kind):
    class Protected(Strategy):
        def on_start(self):
            self.sent = False

        def step(self, price):
            if not self.sent:
                self.sent = True
                stop = {"stop": round(price - 0.5, 2), "limit": round(price + 50.0, 2)}
                self.legs = self.buy_bracket(0.5, stop_loss=stop, take_profit=round(price + 60.0, 2))

        def on_bar(self, bar):
            self.step(bar.close)

        def on_tick(self, tick):
            self.step(tick.price)

        def on_quote(self, quote):
            self.step(quote.bid)

        def on_book(self, book):
            self.step(book.bid)

    result = cambist.backtest(Protected(), market_of(kind, 3), cash=1_000.0, fees=FeeInKind(0.001))
    entry, stop, target = result.order_records
    assert (entry.status, target.status, target.reason) == ("filled", "canceled", "oco")
    assert (stop.status, stop.size) == ("triggered", 0.499)  # far from its limit, and cut to what there is


def test_each_of_several_accounts_pays_for_itself():
    options = {"fees": FeeInKind(0.001)}
    both = cambist.backtest(
        [Anything(seed=1), Anything(seed=2)], bars_of(), cash=1_000.0, accounts={"Anything-2": 700.0}, **options
    )
    alone = [
        cambist.backtest(Anything(seed=seed), bars_of(), cash=cash, **options)
        for seed, cash in ((1, 1_000.0), (2, 700.0))
    ]
    assert both.account.equity == pytest.approx(sum(one.account.equity for one in alone), abs=1e-9)
    assert len(both.fills) == sum(len(one.fills) for one in alone)


@pytest.mark.parametrize("seed", range(6))
def test_both_paths_and_the_replay_of_a_journal_say_the_same(tmp_path, seed):
    options = {"cash": 1_000.0, "fees": FeeInKind(FEES[seed % 4])}
    fast = cambist.backtest(Anything(seed=seed), bars_of(seed), **options)
    slow = cambist.backtest(
        Anything(seed=seed), bars_of(seed), events=True, journal=tmp_path / "j", record=True, **options
    )
    for name in ("orders", "fills", "trades", "equity"):
        assert getattr(fast, name).equals(getattr(slow, name)), name
    assert fast.summary == slow.summary
    assert "insufficient_funds" in set(fast.orders["reason"])
    replayed = cambist.replay(tmp_path / "j", Anything(seed=seed), fees=options["fees"])
    assert replayed.equal, str(replayed)
    assert cambist.compare(slow, tmp_path / "j").equal


def test_what_a_fee_left_of_a_step_is_there_when_more_is_bought():
    class Twice(Strategy):
        def on_bar(self, bar):
            if self.bar_number in (1, 5):
                self.buy(0.5)
            elif self.bar_number in (3, 7):
                self.close()

    class Counted(Twice):
        def on_start(self):
            self.bar_number = 0

        def on_bar(self, bar):
            self.bar_number += 1
            super().on_bar(bar)

    result = cambist.backtest(Counted(), bars_of(), cash=1_000.0, fees=FeeInKind(0.001))
    assert [fill.size for fill in result.fill_records] == [0.5, 0.499, 0.5, 0.5]
    assert [fill.fee_asset for fill in result.fill_records] == ["BTC", "USDT", "BTC", "USDT"]


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"leverage": 2.0}, "leverage"),
        ({"rules": "backtrader"}, "rules"),
        ({"cash": {"USDT": 1_000.0, "EUR": 10.0}, "rates": {"EUR/USDT": 1.1}}, "cash by asset"),
        ({"market_rules": "a-shares"}, "market_rules"),
    ],
)
def test_what_a_spot_exchange_does_not_have_is_refused(options, name):
    with pytest.raises(ParameterError, match=f"FeeInKind.*{name}"):
        cambist.backtest(Anything(), bars_of(), **{"cash": 1_000.0, "fees": FeeInKind(0.001)} | options)


def test_what_cannot_pay_in_kind_is_refused():
    with pytest.raises(ParameterError, match="BTC/USDT:USDT"):
        cambist.backtest(Anything(), bars_of(instrument=PERPETUAL), cash=1_000.0, fees=FeeInKind(0.001))
    with pytest.raises(ParameterError, match="margin"):
        cambist.backtest(Anything(), bars_of(instrument=PERPETUAL), fees=FeeInKind(0.001), margin=Margin())
    for within in (FeeInAsset("BNB"), FeeInKind()):
        with pytest.raises(ParameterError, match="which says itself what pays"):
            FeeInKind(within)
    with pytest.raises(ParameterError, match="FeeInKind around"):
        FeesBySymbol({"BTC/USDT": FeeInKind(0.001)})
