"""Each sizer by a sum that can be done by hand, or by a formula written once more."""

from __future__ import annotations

from math import nan, sqrt

import numpy as np
import pandas as pd
import pytest

import cambist
from cambist import AllIn, FixedSize, OrderError, PercentOfEquity, RiskPerTrade, StrategyError
from cambist.errors import LineError, ParameterError
from cambist.indicators import ATR, lowest
from cambist.model.times import DAY_NS, HOUR_NS
from cambist.strategies import (
    AtrRisk,
    FixedReverser,
    FixedSizeTarget,
    Kelly,
    PercentOfCash,
    Sizer,
    Target,
    VolatilityTarget,
)
from cambist.strategies.sizers.kelly import kelly_fraction

FLAT = [100.0] * 8
WAYS = [{}, {"events": True}, {"blocks": True}]


def asked(run, bars, sizer, sides, **options):
    """Have `sides` asked for, one a bar, and return the signed sizes of the orders; 0 where nothing was sent."""
    sizes = []

    def ask(strategy, bar):
        if strategy.bar < len(sides):
            side = sides[strategy.bar]
            order = strategy.close() if side == "close" else getattr(strategy, side)()
            sizes.append(0.0 if order is None else order.size if order.is_buy else -order.size)

    run(bars, on_bar=ask, sizer=sizer, **options)
    return sizes


BUY, SELL = "buy", "sell"


@pytest.mark.parametrize(
    ("sizer", "sides", "sizes"),
    [
        (FixedSize(6.0, tranches=4), [BUY, BUY, SELL], [1.5, 1.5, -1.5]),
        (FixedReverser(3.0), [BUY, BUY, SELL, SELL, BUY], [3.0, 3.0, -9.0, -3.0, 9.0]),
        (FixedSizeTarget(4.0), [BUY, BUY, SELL, SELL, BUY], [4.0, 0.0, -8.0, 0.0, 8.0]),
        (FixedSizeTarget(5.0, tranches=2), [BUY, BUY, BUY, SELL, SELL], [2.5, 2.5, 0.0, -2.5, -2.5]),
        (Target(units=4), [BUY, BUY, SELL, BUY], [4.0, 0.0, -8.0, 8.0]),
        (Target(value=1_000), [BUY, BUY, SELL], [10.0, 0.0, -20.0]),
        (Target(percent=0.5), [BUY, BUY, "close", SELL], [50.0, 0.0, -50.0, -50.0]),
        (PercentOfEquity(0.25), [BUY, BUY, SELL], [25.0, 25.0, -25.0]),
        (PercentOfEquity(2.0, buffer=0.0), [BUY, BUY], [100.0, 0.0]),
        (PercentOfCash(0.25), [BUY, BUY, SELL, SELL], [25.0, 18.5, -43.5, -25.0]),
        (PercentOfCash(0.333, whole=True), [BUY, SELL, SELL], [33.0, -33.0, -33.0]),
        (AllIn(buffer=0.0), [BUY, BUY, SELL, SELL, BUY], [100.0, 0.0, -100.0, -100.0, 100.0]),
        (AllIn(), [BUY, BUY, SELL], [99.0, 0.5, -99.5]),
        (AllIn(whole=True), [BUY, BUY, SELL], [99.0, 0.0, -99.0]),
    ],
    ids=repr,
)
def test_sizes_at_a_price_of_one_hundred(run, bars, sizer, sides, sizes):
    assert isinstance(sizer, Sizer)
    assert asked(run, bars(FLAT, step_size="0.5"), sizer, sides, cash=10_000) == sizes


def test_fees_are_paid_out_of_what_goes_in(run, bars):
    for fees, size in ((0.001, 10_000 / 100.1), (cambist.FixedFee(per_unit=2.0, per_fill=10.0), 9_990 / 102.0)):
        (got,) = asked(run, bars(FLAT), AllIn(buffer=0.0), [BUY], cash=10_000, fees=fees)
        assert got == pytest.approx(size, abs=1e-8)
        assert got <= size


def test_two_orders_of_one_bar_share_the_money(run, bars):
    sent = []

    def ask(strategy, bar):
        if strategy.bar == 0:
            orders = (strategy.buy(limit=90.0), strategy.buy(PercentOfEquity(0.5)), strategy.buy())
            sent.extend(order.size for order in orders)

    run(bars(FLAT, step_size="1"), on_bar=ask, sizer=PercentOfEquity(0.3, buffer=0.0), cash=10_000)
    # 33 at 90 hold 2,970 and 50 at 100 another 5,000.
    assert sent == [33.0, 50.0, 20.0]


def test_an_order_of_its_own_sizer(run, bars):
    orders = []

    def ask(strategy, bar):
        if strategy.bar == 0:
            orders.extend([strategy.buy(FixedSize(3.0)), strategy.buy(), strategy.buy(np.int64(2)), strategy.buy(4)])
            for wrong in (FixedSize, "three", "5", [1]):
                with pytest.raises(OrderError, match="give a number, or a sizer such as FixedSize"):
                    strategy.buy(wrong)
            with pytest.raises(OrderError, match=r"a buy of size 0\.0 cannot be sent"):
                strategy.buy(np.float32(0))

    run(bars(FLAT), on_bar=ask, sizer=FixedSize(1.0))
    assert [order.size for order in orders] == [3.0, 1.0, 2.0, 4.0]


def test_what_the_sizer_would_answer(run, bars):
    def ask(strategy, bar):
        if strategy.bar == 0:
            assert strategy.sizing() == 50.0
            assert strategy.sizing("sell", price=200.0) == 25.0
            assert strategy.sizing("buy", data="ACME") == 50.0
            with pytest.raises(OrderError, match=r"side is 'by'\. Did you mean 'buy'"):
                strategy.sizing("by")
            with pytest.raises(OrderError, match="price is -1; it must be a positive number"):
                strategy.sizing(price=-1)

    assert not run(bars(FLAT), on_bar=ask, sizer=PercentOfEquity(0.5), cash=10_000).order_records


# Risk.


def test_every_way_to_tell_the_stop(run, bars):
    """One percent of 10,000 at 100, with the stop at 95, is 20 units; of a short with the stop at 104, 25."""
    sizes = []

    def start(strategy):
        strategy.floor = lowest(strategy.data.low, 2)  # 99
        strategy.far = strategy.data.close / 20.0  # 5

    def ask(strategy, bar):
        if strategy.bar != 0:
            return
        risk = RiskPerTrade(0.01)
        for sizer in (
            RiskPerTrade(0.01, stop=95.0),
            risk.at(95.0),
            RiskPerTrade(0.01, stop=lambda instrument, side, price: price - 5.0 * (side == "buy")),
            RiskPerTrade(0.01, distance=5.0),
            RiskPerTrade(0.01, distance=strategy.far),
            RiskPerTrade(0.01, distance=lambda instrument, side, price: price * 0.05),
            RiskPerTrade(0.01, percent=0.05),
            RiskPerTrade(0.001, stop=strategy.floor),
        ):
            order = strategy.buy(sizer)
            sizes.append(order.size)
            strategy.cancel(order)
        sizes.append(strategy.sell(risk.at(104.0)).size)

    run(bars(FLAT), on_start=start, on_bar=ask, cash=10_000, leverage=50)
    assert sizes == pytest.approx([20.0] * 7 + [10.0, 25.0])


def test_a_stop_that_is_not_there(run, bars):
    for sizer in (
        RiskPerTrade(stop=100.0),  # at the price
        RiskPerTrade(stop=101.0),  # on the wrong side of a buy
        RiskPerTrade(stop=lambda *_: nan),
        RiskPerTrade(distance=lambda *_: -1.0),
    ):
        assert asked(run, bars(FLAT), sizer, [BUY]) == [0.0]
    with pytest.raises(StrategyError, match="RiskPerTrade does not know the stop: give it stop="):
        asked(run, bars(FLAT), RiskPerTrade(), [BUY])


def test_risk_of_contracts_and_of_stops_below_zero(run, bars):
    # A hundred times five is lost for each contract; inverse ones lose 10 / 95 - 10 / 100 coins.
    lots = bars(FLAT, kind="future", multiplier=100.0, margin_rate=0.1, step_size="1")
    assert asked(run, lots, RiskPerTrade(0.01, stop=95.0), [BUY], cash=1e6) == [20.0]
    inverse = bars(FLAT, kind="inverse_perpetual", base="BTC", multiplier=10.0, step_size="1", margin_rate=0.1)
    (size,) = asked(run, inverse, RiskPerTrade(0.01, stop=95.0), [BUY], cash=1_000.0)
    assert size == np.floor(10.0 / (10.0 / 95.0 - 10.0 / 100.0))
    # A stop at -20 is never met: all of the price can be lost, and no more.
    assert asked(run, bars(FLAT), RiskPerTrade(0.01, distance=120.0), [BUY], cash=10_000) == [1.0]


def wilder(frame: pd.DataFrame, period: int) -> np.ndarray:
    """Average true range: the mean of the first true ranges, smoothed with 1 / period from there."""
    before = frame["close"].shift()
    ranges = pd.concat([frame["high"] - frame["low"], (frame["high"] - before).abs(), (frame["low"] - before).abs()])
    true = ranges.groupby(level=0).max().to_numpy()[1:]
    average = [true[:period].mean()]
    for one in true[period:]:
        average.append((average[-1] * (period - 1) + one) / period)
    return np.array(average)


def walk(count, seed=5, timeframe=DAY_NS):
    chance = np.random.default_rng(seed)
    closes = 100.0 * np.exp(np.cumsum(chance.normal(0.0, 0.02, count)))
    return {"closes": closes, "timeframe": f"{timeframe // HOUR_NS}h", "every": timeframe}


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_the_average_true_range_is_that_of_the_indicator(run, bars, way):
    data = bars(**walk(120))
    frame = data.to_frame()
    sizes, lines = [], []

    def ask(strategy, bar):
        sizes.append(strategy.sizing())
        lines.append(strategy.range[0])

    sizer = AtrRisk(0.01, multiple=2.0, period=4)
    run(
        data,
        on_start=lambda strategy: setattr(strategy, "range", ATR(strategy.data, 4)),
        on_bar=ask,
        sizer=sizer,
        cash=10_000,
        leverage=100,
        **way,
    )
    for number, size in enumerate(sizes):
        bar = number + 4
        expected = wilder(frame.iloc[max(0, bar + 1 - 40) : bar + 1], 4)[-1]
        assert size == pytest.approx(100.0 / (2.0 * expected), rel=1e-9, abs=2e-8), bar
        exact = bar < 40
        assert expected == pytest.approx(lines[number], rel=1e-12 if exact else 1e-4)


def test_before_the_range_is_known_nothing_is_sent(run, bars):
    sizes = asked(run, bars(FLAT), AtrRisk(period=3), [BUY] * 6)
    assert [size > 0 for size in sizes] == [False] * 3 + [True] * 3


# Volatility.


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_the_share_is_the_target_over_the_measured_volatility(run, bars, way):
    data = bars(**walk(90))
    closes = data.to_frame()["close"]
    sizes = []
    sizer = VolatilityTarget(0.1, lookback=20)
    run(data, on_bar=lambda strategy, bar: sizes.append(strategy.sizing()), sizer=sizer, cash=10_000, **way)
    volatility = np.log(closes).diff().rolling(20).std() * sqrt(365.25)
    expected = (10_000 * (0.1 / volatility).clip(upper=1.0) / closes).to_numpy()
    assert sizes[:20] == [0.0] * 20
    assert sizes[20:] == pytest.approx(expected[20:], rel=1e-8)


def test_days_of_a_stock_exchange_are_told_from_their_times(run):
    index = pd.bdate_range("2021-01-04", periods=80)
    closes = walk(80)["closes"]
    frame = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), closes) | {"volume": 1.0}, index)
    volatility = np.log(frame["close"]).diff().std()
    sizes = {}
    for per_year in (None, 252):
        sizer = VolatilityTarget(0.05, lookback=75, periods_per_year=per_year)
        run(
            frame,
            on_bar=lambda strategy, bar, which=per_year: sizes.update({which: strategy.sizing()}),
            sizer=sizer,
            timeframe="1d",
        )
    assert sizes[None] == pytest.approx(sizes[252], rel=0.03)
    assert sizes[252] == pytest.approx(100_000 * 0.05 / (volatility * sqrt(252)) / closes[-1], rel=0.1)


def test_a_quiet_market_is_not_bought_without_end(run, bars):
    quiet = {"closes": FLAT, "timeframe": "1d", "every": DAY_NS}
    for most, size in ((1.0, 100.0), (3.0, 300.0)):
        sizer = VolatilityTarget(0.1, lookback=3, most=most, buffer=0.0)
        assert asked(run, bars(**quiet), sizer, [BUY] * 4, cash=10_000, leverage=5.0)[3] == size


def test_hours_need_to_be_told_how_many_there_are(run, bars):
    with pytest.raises(StrategyError, match=r"how many bars of 1h a year has depends .* ACME. Give periods_per_year"):
        asked(run, bars(**walk(8, timeframe=HOUR_NS)), VolatilityTarget(lookback=3), [BUY] * 8)


# Kelly.


@pytest.mark.parametrize(
    ("win_rate", "payoff", "fraction"), [(0.5, 2.0, 0.25), (0.6, 1.0, 0.2), (1.0, 3.0, 1.0), (0.25, 3.0, 0.0)]
)
def test_the_criterion(win_rate, payoff, fraction):
    assert kelly_fraction(win_rate, payoff) == pytest.approx(fraction, abs=1e-15)
    # It is where the growth of the logarithm is largest.
    stakes = np.linspace(0.0, 0.99, 991)
    with np.errstate(divide="ignore"):
        growth = win_rate * np.log1p(stakes * payoff) + (1.0 - win_rate) * np.log1p(-stakes)
    assert stakes[growth.argmax()] == pytest.approx(min(fraction, 0.99), abs=0.001)


def test_given_odds(run, bars):
    for scale, size in ((1.0, 25.0), (0.5, 12.5)):
        sizer = Kelly(scale, win_rate=0.5, payoff=2.0)
        assert asked(run, bars(FLAT, step_size="0.5"), sizer, [BUY], cash=10_000) == [size]
    assert asked(run, bars(FLAT), Kelly(win_rate=0.2, payoff=2.0), [BUY]) == [0.0]


def test_odds_measured_from_the_strategys_own_trades(bars, told):
    """In at 100 and out at 110, 110 and 95: two wins of ten percent and a loss of five make 2/3 - (1/3) / 2."""
    closes = [100, 100, 110, 100, 110, 100, 95, 100, 100, 100]
    shares = []

    def ask(strategy, bar):
        if strategy.position:
            strategy.close()
        elif strategy.bar < 10:  # of both instruments
            strategy.buy(PercentOfEquity(0.1))
        shares.append(strategy.sizing() * bar.close / strategy.equity)

    def other(strategy, bar):  # loses whatever the first one wins
        strategy.close() if strategy.position and strategy.bar % 2 else strategy.sell(1)

    frame = pd.DataFrame(
        {"open": closes, "high": [c + 1 for c in closes], "low": [c - 1 for c in closes], "close": closes},
        pd.date_range("2021-03-01", periods=len(closes), freq="min"),
    ).assign(volume=1.0)
    second = frame.copy()
    for last in (None, 3):
        shares.clear()
        sizer = Kelly(1.0, minimum_trades=3, initial=0.05, last=last)
        result = cambist.backtest(
            [
                told(told={"on_bar": lambda s, bar: ask(s, bar) if bar.symbol == "A" else None}),
                told(told={"on_bar": lambda s, bar: other(s, bar) if bar.symbol == "B" else None}),
            ],
            {"A": frame, "B": second},
            sizer=sizer,
            cash=1e6,
            benchmark=False,
        )
        trades = [trade for trade in result.trade_records if trade.strategy == "Told-1" and not trade.is_open]
        returns = [trade.net / (trade.size * trade.entry_price) for trade in trades]
        wins, losses = [one for one in returns if one > 0], [-one for one in returns if one < 0]
        assert (len(wins), len(losses)) == (2, 1)
        assert len([trade for trade in result.trade_records if trade.strategy == "Told-2"]) >= 3
        expected = 2 / 3 - (1 / 3) / (np.mean(wins) / np.mean(losses))
        known = [share for share in shares if share != pytest.approx(0.05, rel=1e-6)]
        assert known
        assert known == pytest.approx([expected] * len(known), rel=1e-6)


@pytest.mark.parametrize(
    ("closes", "least", "after"), [([100, 90], 0.0, 0.0), ([100, 90], 0.02, 0.02), ([100, 110], 0.0, 1.0)]
)
def test_only_losses_only_wins(run, bars, closes, least, after):
    shares = []

    def ask(strategy, bar):
        shares.append(strategy.sizing() * bar.close / strategy.equity)
        if strategy.bar < 8:
            strategy.close() if strategy.position else strategy.buy(PercentOfEquity(0.1))

    data = bars([closes[number % 2] for number in range(14)])
    opens = np.concatenate((data.close[:1], data.close[:-1]))
    assert (data.open == opens).all()
    sizer = Kelly(1.0, minimum_trades=2, initial=0.5, least=least, buffer=0.0)
    run(data, on_bar=ask, sizer=sizer, cash=1e6)
    assert shares[0] == pytest.approx(0.5)
    assert shares[-1] == pytest.approx(after, rel=1e-6)


# What a sizer may look at.


@pytest.mark.parametrize("way", [*WAYS, {"events": True, "blocks": True}], ids=str)
def test_past_bars_are_those_that_have_closed(run, way):
    chance = np.random.default_rng(3)
    closes = 100.0 + np.cumsum(chance.normal(0.0, 1.0, 66_000))
    closes = closes - closes.min() + 1.0
    frame = pd.DataFrame(
        {"open": closes, "high": closes + 0.5, "low": closes - 0.5, "close": closes, "volume": 1.0},
        pd.date_range("2021-03-01", periods=len(closes), freq="min", tz="UTC", name="ts"),
    )
    looked = []
    at = {0, 1, 65_534, 65_535, 65_536, 65_537, 65_999}

    def look(strategy, bar):
        if strategy.bar in at:
            for count in (1, 3, 500):
                past = bar.history(count).to_frame()
                expected = frame.iloc[max(0, strategy.bar + 1 - count) : strategy.bar + 1]
                pd.testing.assert_frame_equal(past, expected, check_freq=False, check_index_type=False)
                looked.append(count)
            for count in (0, 65_537):
                with pytest.raises(LineError, match=r"the last \d+ bars were asked for; 1 to 65,536 can be"):
                    bar.history(count)

    run(frame, on_bar=look, instrument=cambist.Instrument(symbol="X"), timeframe="1m", **way)
    assert len(looked) == 3 * len(at)


def test_there_is_no_past_before_the_first_bar(run, bars):
    later = bars([5.0, 5.0], "B", start=bars(FLAT).ts[4])
    seen = []

    def look(strategy, bar):
        if bar.symbol == "A":
            seen.append(strategy.buy(AtrRisk(period=1), data="B"))

    run([bars(FLAT, "A"), later], on_bar=look)
    assert seen[:4] == [None] * 4


# Settings.


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FixedSize(True), "FixedSize: units is True; it must be above zero"),
        (lambda: FixedSize("5"), "FixedSize: units is '5'"),
        (lambda: FixedSize(5, tranches=0), "FixedSize: tranches is 0; it counts orders"),
        (lambda: FixedSize(5, tranches=1.5), "tranches is 1.5"),
        (lambda: FixedReverser(0), "FixedReverser: units is 0"),
        (lambda: FixedSizeTarget(-1), "FixedSizeTarget: units is -1"),
        (lambda: PercentOfEquity(nan), "PercentOfEquity: fraction is nan; 0.2 means a fifth of the equity"),
        (lambda: PercentOfEquity(0.5, buffer=-0.1), "PercentOfEquity: buffer is -0.1; 0.01 leaves room"),
        (lambda: PercentOfCash(20), "PercentOfCash: fraction is 20; 0.2 means a fifth of the cash"),
        (lambda: AllIn(buffer=1.0), "AllIn: buffer is 1.0"),
        (lambda: AllIn(buffer=nan), "AllIn: buffer is nan"),
        (Target, "Target is given nothing; give one of units=10, value=5_000, percent=0.5"),
        (lambda: Target(units=1, percent=0.5), "Target is given units and percent;"),
        (lambda: Target(value=0), "Target: value is 0; a target is above zero"),
        (lambda: RiskPerTrade(2), "RiskPerTrade: fraction is 2; 0.01 risks one percent"),
        (lambda: RiskPerTrade(stop=95, distance=5), "RiskPerTrade: stop and distance are given"),
        (lambda: RiskPerTrade(stop="low"), "RiskPerTrade: stop is 'low'; give a number, a line, or a function"),
        (lambda: RiskPerTrade(distance=0), "RiskPerTrade: distance is 0"),
        (lambda: RiskPerTrade(percent=5), "RiskPerTrade: percent is 5; 0.05 puts the stop five percent"),
        (lambda: AtrRisk(multiple=0), "AtrRisk: multiple is 0"),
        (lambda: AtrRisk(period=1_001), "AtrRisk: period is 1001; it counts bars, 1 to 1,000"),
        (lambda: Kelly(1.5), "Kelly: scale is 1.5; 1 is full Kelly"),
        (lambda: Kelly(payoff=2.0), "Kelly: win_rate is None and payoff 2.0; give both, or neither"),
        (lambda: Kelly(win_rate=55, payoff=1), "Kelly: win_rate is 55"),
        (lambda: Kelly(minimum_trades=0), "Kelly: minimum_trades is 0"),
        (lambda: Kelly(last=10), "Kelly: last is 10; it counts trades, at least the 30"),
        (lambda: Kelly(least=-0.1), "Kelly: least is -0.1"),
        (lambda: VolatilityTarget(0), "VolatilityTarget: annual is 0"),
        (lambda: VolatilityTarget(lookback=1), "VolatilityTarget: lookback is 1; it counts returns, 2 to 10,000"),
        (lambda: VolatilityTarget(periods_per_year=-1), "periods_per_year is -1"),
        (lambda: VolatilityTarget(most=0), "VolatilityTarget: most is 0"),
    ],
)
def test_settings_that_mean_nothing(make, message):
    with pytest.raises(ParameterError) as caught:
        make()
    assert message in str(caught.value)
