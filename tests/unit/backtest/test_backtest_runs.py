"""What `cambist.backtest` takes, what it refuses, and what its options do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import cambist
from cambist import (
    BacktestSettings,
    Bars,
    DataError,
    FixedSize,
    Instrument,
    MakerTakerFee,
    ParameterError,
    Strategy,
    StrategyError,
    Timeframe,
)
from cambist.errors import InputError
from cambist.model.times import DAY_NS, MINUTE_NS
from cambist.risk.rules.open_orders import MaxOpenOrdersRule

FLAT = [100.0] * 6


class Idle(Strategy):
    """Sees every bar and does nothing."""

    def on_bar(self, bar):
        self.last = bar.close


class Holder(Strategy):
    """Buys at the first bar and holds."""

    def on_bar(self, bar):
        if not self.position and not self.open_orders:
            self.buy()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cash": 0}, "cash is 0; it must be a finite number above 0"),
        ({"cash": -5}, "cash is -5"),
        ({"cash": float("nan")}, "cash is nan"),
        ({"cash": "lots"}, "cash is 'lots'"),
        ({"cash": True}, "cash is True"),
        ({"leverage": 0}, "leverage is 0"),
        ({"leverage": float("inf")}, "leverage is inf"),
        ({"fees": 1.5}, "PercentFee: rate is 1.5; it is a fraction of the value traded: 0.001 is 0.1 %"),
        ({"slippage": -0.1}, "PercentSlippage: rate is -0.1"),
        ({"volume_limit": 2}, "volume_limit is 2; it is a fraction of each bar's volume"),
        ({"market_fill": "next_opem"}, "market_fill is 'next_opem'. Did you mean 'next_open'?"),
        ({"rules": "backtader"}, "rules is 'backtader'. Did you mean 'backtrader'?"),
        ({"path": "optimistic"}, "there is no intrabar path 'optimistic'."),
        ({"fees": "a lot"}, "fees is 'a lot'; there is no such fee model. Known: by-symbol, fixed"),
        ({"fees": [1]}, "fees is [1]; give a fraction such as 0.001, a name such as 'instrument', a model"),
        ({"fees": {"use": "per-order", "minimun": 1}}, "no setting 'minimun'. Did you mean 'minimum'?"),
        ({"fees": {"use": "by-symbol", "models": {"ACNE": 0.001}}}, "fees name 'ACNE', which is not traded here."),
        ({"slippage": [1]}, "slippage is [1]; give a fraction"),
        ({"path": 5}, "path is 5; give the name of an intrabar path"),
        ({"sizer": 5}, "sizer is 5; give a sizer such as FixedSize(10)"),
        ({"sizer": FixedSize}, "give a sizer such as FixedSize(10)"),
        ({"risk": MaxOpenOrdersRule}, "give a list of risk rules"),
        ({"risk": [5]}, "risk holds 5"),
        ({"csah": 5}, "a backtest has no option 'csah'. Did you mean 'cash'?"),
    ],
)
def test_options_out_of_range_or_misspelt(bars, options, message):
    with pytest.raises(ParameterError) as caught:
        cambist.backtest(Idle, bars(FLAT), **options)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (lambda frame: frame.iloc[:0], "no bars"),
        (lambda frame: frame.iloc[[0, 2, 1, 3, 4, 5]], "Sort"),
        (lambda frame: pd.concat([frame, frame.iloc[-1:]]), "repeats the time"),
        (lambda frame: frame.assign(close=frame["close"].where(frame.index != frame.index[3])), "close is nan"),
        (lambda frame: frame.assign(low=-1.0), "low is -1.0"),
        (lambda frame: frame.assign(high=50.0), "high 50.0 is below"),
        (lambda frame: frame.rename(columns={"close": "clse"}), "close"),
    ],
)
def test_bars_that_no_strategy_should_see(bars, frame, message):
    with pytest.raises(DataError) as caught:
        cambist.backtest(Idle, frame(bars(FLAT).to_frame()))
    assert message in str(caught.value)


def test_every_way_to_hand_in_bars(bars, tmp_path):
    one, two = bars(FLAT, "A"), bars(FLAT, "B")
    frame = one.to_frame()
    path = tmp_path / "A.csv"
    frame.to_csv(path)
    for given, symbols in (
        (one, ["A"]),
        (frame, ["ASSET"]),
        (path, ["A"]),
        (str(path), ["A"]),
        ([one, two], ["A", "B"]),
        ((one, two), ["A", "B"]),
        ({"X": frame, "Y": frame}, ["X", "Y"]),
        ({"A": one, "Z": frame}, ["A", "Z"]),
    ):
        result = cambist.backtest(Idle, given)
        assert [instrument.symbol for instrument in result.instruments] == symbols
        assert result.timeframes == ("1m",) * len(symbols)
        assert result.n_bars == 6 * len(symbols)
    btc = Instrument(symbol="BTC", tick_size="0.01")
    result = cambist.backtest(Idle, frame.iloc[::2], instrument=btc, timeframe="1m")
    assert (result.instruments, result.timeframes) == ((btc,), ("1m",))
    with pytest.raises(InputError, match="two series share a symbol among A, A"):
        cambist.backtest(Idle, [one, one])


def test_a_symbol_that_names_bars_of_another_is_refused(bars):
    with pytest.raises(InputError, match=r"the bars are of 'A'; symbol='ETH' cannot change that"):
        cambist.backtest(Idle, {"ETH": bars(FLAT, "A")})


def test_settings_say_what_they_are(bars):
    settings = BacktestSettings.of(
        cash=5_000, fees=MakerTakerFee(0.0, 0.001), sizer=FixedSize(2), risk=[MaxOpenOrdersRule(3)]
    )
    told = settings.describe()
    assert (told["cash"], told["fees"], told["rules"]) == (5_000, "MakerTakerFee(maker=0.0, taker=0.001)", "cambist")
    assert told["sizer"] == "FixedSize(units=2, tranches=1)"
    result = cambist.backtest(Idle, bars(FLAT), cash=5_000)
    assert result.initial_cash == 5_000
    assert result.settings["cash"] == 5_000


def test_extra_risk_rules_come_after_the_core_ones(bars):
    class Greedy(Strategy):
        def on_bar(self, bar):
            self.buy(1, limit=10.0)

    result = cambist.backtest(Greedy, bars(FLAT), risk=[MaxOpenOrdersRule(2)])
    assert result.orders["status"].tolist() == ["accepted"] * 2 + ["rejected"] * 4
    assert result.warnings == (
        "4 orders were rejected: too_many_open_orders. The first is order 3; result.orders has each with its reason.",
    )


def test_the_equity_curve_values_what_is_held_at_each_close(bars):
    result = cambist.backtest(Holder, bars([100, 100, 110, 90, 120, 120]), cash=1_000, sizer=FixedSize(2))
    assert result.equity["equity"].tolist() == [1_000.0, 1_000.0, 1_020.0, 980.0, 1_040.0, 1_040.0]
    assert result.account.equity == 1_040.0
    assert (result.account.cash, result.account.realized, result.account.unrealized) == (800.0, 0.0, 40.0)
    assert len(result.open_trades) == 1


def test_instruments_of_different_currencies_need_runs_of_their_own(bars):
    with pytest.raises(InputError, match="settle in EUR, USD; one account holds one asset"):
        cambist.backtest(Idle, [bars(FLAT, "A"), bars(FLAT, "B", settle="EUR")])


def test_an_instrument_that_starts_later_has_no_price_until_then(bars):
    early, late = bars(FLAT, "A"), bars([50.0] * 3, "B")
    late = Bars(late.instrument, "1m", late.ts + 3 * MINUTE_NS, *late.columns.values())
    seen = []

    class Both(Strategy):
        def on_bar(self, bar):
            seen.append((bar.symbol, self.data["B"].close[0]))
            if bar.symbol == "A" and bar.close == 100.0 and not self.open_orders and not self.positions["B"]:
                self.buy(1, data="B")

    result = cambist.backtest(Both, [early, late], benchmark=False)
    assert np.isnan([price for symbol, price in seen[:3]]).all()
    assert [price for symbol, price in seen[4:]] == [50.0] * (len(seen) - 4)
    assert [(fill.price, fill.ts - early.ts[0]) for fill in result.fill_records] == [(50.0, 3 * MINUTE_NS)]
    assert result.equity["equity"].notna().all()


def test_holes_do_not_shift_anything(bars):
    """Bars of two series at odd times: each instant shows what had closed by then."""
    whole = bars(np.arange(100.0, 200.0), "A")
    holes = bars(np.arange(100.0, 200.0), "B")
    rows = np.array([row for row in range(100) if row % 7 not in (2, 3) and not 40 < row < 60])
    holes = Bars(holes.instrument, "1m", holes.ts[rows], *(column[rows] for column in holes.columns.values()))
    seen = []

    class Watch(Strategy):
        def on_step(self):
            seen.append((self.data["A"].close[0], self.data["B"].close[0]))

    cambist.backtest(Watch, [whole, holes], benchmark=False)
    expected = [(100.0 + row, 100.0 + rows[rows <= row].max()) for row in range(100)]
    assert seen == expected


# Blocks.


class Source:
    """Blocks as a test wants them."""

    def __init__(self, *blocks, name="my blocks"):
        self.name, self._blocks = name, blocks

    def blocks(self, size):
        yield from self._blocks


def test_blocks_must_follow_each_other(bars):
    data = bars(np.arange(100.0, 120.0))
    for blocks, message in (
        ((), "my blocks: there are no bars"),
        ((data[10:], data[:10]), "my blocks: block 1 .* does not follow the one before it"),
        ((data[:10], data[9:]), "does not follow"),
        ((data[:10], bars(FLAT, "B", start=int(data.ts[-1]) + MINUTE_NS)), "is of B, the one before it of ACME"),
        (("nonsense",), "is str, not Bars"),
    ):
        with pytest.raises(DataError, match=message):
            cambist.backtest(Idle, Source(*blocks), blocks=True)


def test_blocks_end_anywhere(bars):
    """The last bars of one series may come in a block of their own, long after the others have ended."""
    one, two = bars(np.arange(100.0, 130.0), "A"), bars(np.arange(100.0, 110.0), "B")
    seen = []

    class Watch(Strategy):
        def on_step(self):
            seen.append((self.data["A"].close[0], self.data["B"].close[0], self.data["B"].close[-3]))

    cambist.backtest(
        Watch,
        [Source(one[:1], one[1:9], one[9:29], one[29:]), Source(two[:3], two[3:10])],
        blocks=True,
        benchmark=False,
    )
    expected = [
        (100.0 + row, 100.0 + min(row, 9), 100.0 + min(row, 9) - 3 if min(row, 9) >= 3 else np.nan) for row in range(30)
    ]
    assert np.array_equal(seen, expected, equal_nan=True)


def test_a_run_over_blocks_has_one_row_of_equity_a_day(bars):
    data = bars(np.linspace(100.0, 200.0, 48), timeframe="1h", every=60 * MINUTE_NS)
    whole = cambist.backtest(Holder, data, benchmark=False)
    blocks = cambist.backtest(Holder, Source(data[:17], data[17:18], data[18:]), blocks=True, benchmark=False)
    assert len(whole.equity) == 48
    assert [ts.strftime("%d %H:%M") for ts in blocks.equity.index] == ["02 00:00", "03 00:00", "03 10:00"]
    assert blocks.equity["equity"].tolist() == whole.equity["equity"].loc[blocks.equity.index].tolist()
    assert dict(blocks.summary) == dict(whole.summary)


# Chance, and what two runs share.


def test_two_runs_are_alike(bars):
    data = bars(100.0 + np.cumsum(np.random.default_rng(1).normal(size=200)))

    class Chancy(Strategy):
        def on_bar(self, bar):
            if self.chance.random() < 0.2:
                self.order_target_size(self.chance.choice([-1, 0, 2]))

    runs = [cambist.backtest(Chancy, data, seed=seed, benchmark=False).fills for seed in (1, 1, 2)]
    assert runs[0].equals(runs[1])
    assert not runs[0].equals(runs[2])


def test_bars_are_not_changed(bars):
    data = bars(np.arange(100.0, 130.0))
    before = {name: column.copy() for name, column in data.columns.items()}
    cambist.backtest(Holder, data)
    cambist.backtest(Holder, data, events=True)
    for name, column in data.columns.items():
        assert np.array_equal(column, before[name])


def test_one_bar_is_a_run(bars):
    for way in ({}, {"events": True}, {"blocks": True}):
        result = cambist.backtest(Holder, bars([100.0]), **way)
        assert (result.n_bars, len(result.order_records), len(result.fill_records)) == (1, 1, 0)
        assert result.summary["trades"] == 0


def test_timeframes_far_apart(bars):
    minute = bars(np.full(3_000, 100.0), "M")
    day = bars([100.0, 101.0, 102.0], "D", timeframe="1d", every=DAY_NS, start=int(minute.ts[0]) // DAY_NS * DAY_NS)
    counts = {"M": 0, "D": 0}

    class Count(Strategy):
        def on_bar(self, bar):
            counts[bar.symbol] += 1

    for way in ({}, {"events": True}):
        counts.update(M=0, D=0)
        result = cambist.backtest(Count, [minute, day], benchmark=False, **way)
        assert counts == {"M": 3_000, "D": 3}
        assert result.n_bars == 3_003
        assert str(Timeframe.parse(result.timeframes[1])) == "1d"


def test_an_error_in_reading_is_no_error_of_the_strategy(bars):
    data = bars(np.arange(100.0, 120.0))

    class Torn(Source):
        def blocks(self, size):
            yield data[:10]
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone") as caught:
        cambist.backtest(Idle, Torn(), blocks=True)
    assert not isinstance(caught.value, StrategyError)


def test_an_account_that_is_ruined_says_so(bars):
    class Short(Strategy):
        def on_start(self):
            self.sell(10)

    closes = [100.0, 100.0, 150.0, 260.0, 250.0]
    result = cambist.backtest(Short(), bars(closes), cash=1_000)
    (warning,) = [text for text in result.warnings if "ruined" in text]
    assert warning.startswith(f"equity fell to {result.curve.lowest:,.2f} USD")
    assert result.curve.lowest < 0
    assert np.isnan(result.summary["sharpe"])


def test_a_bracket_whose_entry_trades_at_once_is_closed_by_its_children():
    class Bracketing(Strategy):
        def on_bar(self, bar):
            if not self.open_orders and not self.position:
                self.buy_bracket(1, take_profit=bar.close + 2, stop_loss=bar.close - 3)

    ts = np.arange(4) * 60_000_000_000
    rising = Bars(Instrument(symbol="A"), "1m", ts, *[[10.0, 11.0, 12.0, 13.0]] * 4, [1.0] * 4)
    for events in (False, True):
        result = cambist.backtest(Bracketing, rising, market_fill="this_close", events=events)
        assert [(str(one.type), str(one.status)) for one in result.order_records[:3]] == [
            ("market", "filled"),
            ("stop", "canceled"),
            ("limit", "filled"),
        ]


@pytest.mark.parametrize("events", [False, True])
@pytest.mark.parametrize("member", ["stop_loss", "take_profit"])
def test_what_is_canceled_before_it_was_sent_never_works(bars, events, member):
    """The entry trades while the orders behind it still wait their turn, and the strategy takes one of them back."""

    class TakingBack(Strategy):
        def on_start(self):
            self.bracket = None
            self.heard = []

        def on_bar(self, bar):
            if self.bracket is None:
                self.bracket = self.buy_bracket(1, stop_loss=50.0, take_profit=150.0)

        def on_fill(self, fill):
            if fill.order_id == self.bracket.entry.id:
                self.cancel(getattr(self.bracket, member))

        def on_order(self, order):
            self.heard.append((order.id, str(order.status)))

    closes = [100.0, 100.0, 40.0 if member == "stop_loss" else 160.0, 100.0]
    result = cambist.backtest(TakingBack, bars(closes), market_fill="this_close", events=events)
    entry, stop, target = result.order_records
    gone, other = (stop, target) if member == "stop_loss" else (target, stop)
    assert (gone.status, gone.filled, gone.accepted) == ("canceled", 0.0, False)
    assert gone.reason == "canceled before it was sent"
    assert entry.status == "filled"
    # A target joins the group of a stop that is over by then; a stop that is at work never hears of its partner.
    assert (str(other.status), other.reason) == (("rejected", "oco") if member == "stop_loss" else ("accepted", ""))
    assert len(result.fill_records) == 1
