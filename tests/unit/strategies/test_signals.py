"""Strategies made of signals: both doors, what is refused, and what differs from backtrader on purpose.

The rules themselves are compared with backtrader's in ``tests/differential/test_signal_strategies.py``.
"""

from __future__ import annotations

import pytest

import cambist
from cambist import AllIn, FixedSize, SignalStrategy, StrategyError
from cambist.errors import LineError, ParameterError
from cambist.indicators import SMA, crossover
from cambist.strategies import SignalKind

#: Closes stand for what a signal is: 100 is nothing, above is long, below short.
QUIET, UP, DOWN = 100.0, 101.0, 99.0


def level(data):
    return data.close - QUIET


def orders(result):
    """Return bar and signed size of each order."""
    start = result.equity.index[0]
    found = []
    for order in result.order_records:
        bar = round((order.created_at - start.value) / 60e9)
        found.append((bar, order.size if order.is_buy else -order.size))
    return found


def trade(bars, closes, options=None, **signals):
    return cambist.backtest(SignalStrategy.of(**signals), bars(closes), benchmark=False, **options or {})


def test_a_class_and_a_function_are_two_doors_to_one_strategy(bars):
    closes = [100 + (number * number) % 17 for number in range(60)]

    class Cross(SignalStrategy):
        fast: int = cambist.param(3)

        def on_start(self):
            close = self.data.close
            self.add_signal("longshort", crossover(SMA(close, self.fast), SMA(close, 9)))

    made = SignalStrategy.of(longshort=lambda data: crossover(SMA(data.close, 3), SMA(data.close, 9)))
    one = cambist.backtest(Cross(), bars(closes))
    other = cambist.backtest(made, bars(closes))
    again = cambist.backtest(made, bars(closes))
    assert len(one.order_records) > 10
    assert orders(one) == orders(other) == orders(again)
    assert one.summary["total_return"] == other.summary["total_return"]


def test_each_instant_by_hand(bars):
    closes = [QUIET, UP, UP, QUIET, DOWN, DOWN, UP, QUIET]
    result = trade(bars, closes, {"sizer": FixedSize(2)}, long=level, short=level)
    # Long at bar 1; at 4 closed and turned; at 6 the same the other way.
    assert orders(result) == [(1, 2.0), (4, -2.0), (4, -2.0), (6, 2.0), (6, 2.0)]
    result = trade(bars, closes, long=level)
    assert orders(result) == [(1, 1.0), (4, -1.0), (6, 1.0)]
    result = trade(bars, closes, long=level, longexit_inv=level)
    assert orders(result) == [(1, 1.0), (2, -1.0), (6, 1.0)]
    # With an exit of its own the long position stays where the long signal has turned.
    result = trade(bars, closes, long=level, longexit=lambda data: data.close - DOWN)
    assert orders(result) == [(1, 1.0)]


def test_accumulate_and_concurrent(bars):
    closes = [UP] * 6
    assert orders(trade(bars, closes, long=level)) == [(0, 1.0)]
    assert orders(trade(bars, closes, accumulate=True, long=level)) == [(bar, 1.0) for bar in range(6)]
    # Nothing trades in bars without a volume that may be taken, so that the first entry stays under way.
    slow = {"volume_limit": 1e-9, "rules": "backtrader"}
    assert orders(trade(bars, closes, slow, long=level)) == [(0, 1.0)]
    assert orders(trade(bars, closes, slow, concurrent=True, long=level)) == [(bar, 1.0) for bar in range(6)]


def test_signals_of_one_kind_agree(bars):
    closes = [QUIET, UP, UP, UP]

    def both(data):
        return [level(data), (data.close(-1) - QUIET)]

    assert orders(trade(bars, closes, long=both)) == [(2, 1.0)]


def test_a_position_is_not_closed_twice(bars):
    """A close that waits for volume is not sent again, and the position ends flat."""
    result = trade(
        bars,
        [UP, QUIET, DOWN, DOWN, DOWN, DOWN, QUIET],
        {"volume_limit": 0.002, "sizer": FixedSize(5)},  # two units of each bar's thousand
        long=level,
    )
    # Bought in the bars 1 to 3, sold in the bars 4 to 6; the signal to leave is there at 4 and 5 too.
    assert orders(result) == [(0, 5.0), (3, -5.0)]
    assert [fill.size for fill in result.fill_records] == [2.0, 2.0, 1.0] * 2


def test_what_is_not_known_says_nothing(bars):
    """A line may become NaN after it was known; no kind takes that for a signal."""
    for kind in ("long_any", "short_any", "long", "short_inv", "longshort"):
        result = trade(bars, [QUIET] * 6, **{kind: lambda data: (data.close - data.close) / (data.close - data.close)})
        assert orders(result) == []


def test_another_instrument_is_traded(bars):
    data = [bars([QUIET, UP, UP, UP], "A"), bars([50.0] * 4, "B")]
    made = SignalStrategy.of(long=lambda data: data["A"].close - QUIET, symbol="B", sizer=AllIn(), name="Across")
    result = cambist.backtest(made, data, benchmark=False, cash=5_050)
    (order,) = result.order_records
    assert (order.instrument.symbol, order.strategy) == ("B", "Across")
    assert order.size == pytest.approx(100.0, abs=1e-6)
    assert result.strategies[0].parameters["symbol"] == "B"


def test_turning_an_all_in_position(bars):
    """The sale that follows a close is sized as if that had been done."""
    result = trade(bars, [UP, UP, DOWN, DOWN], {"cash": 10_201.0, "sizer": AllIn(whole=True)}, longshort=level)
    assert [order.status == "filled" for order in result.order_records] == [True] * 3
    sizes = [size for _, size in orders(result)]
    # 10,201 pay for a hundred at 102.01, and are bought at 101. If the open is 99.99 they bring 9,999, which with the
    # 101 left over pays for 101 short; if it is 98.01, 9,902 pay for as many.
    assert sizes == [100.0, -100.0, -101.0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SignalStrategy.of(lnog=level), "'lnog' is no kind of signal. Did you mean 'long'?"),
        (lambda: SignalStrategy.of(long=5), "the long signal is 5; give a function that makes a line of the data"),
        (lambda: SignalStrategy.of(accumulate="yes", long=level), "parameter 'accumulate' is 'yes'"),
    ],
)
def test_what_makes_no_strategy(make, message):
    with pytest.raises(ParameterError) as caught:
        make()
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (SignalStrategy, "SignalStrategy has no signals. Add some in on_start: self.add_signal('long', line)"),
        (lambda: SignalStrategy(signals="long"), "signals is 'long'; give functions by kind"),
        (lambda: SignalStrategy.of(long=lambda data: 1.0), "the long signal is 1.0; give a line, such as"),
        (lambda: SignalStrategy.of(long=lambda data: [1.0]), "the long signal is 1.0; give a line"),
        (lambda: SignalStrategy.of(long=level, symbol="ACMEE"), "no series 'ACMEE'. Did you mean 'ACME'?"),
    ],
)
def test_what_cannot_run(bars, make, message):
    with pytest.raises(StrategyError) as caught:
        cambist.backtest(make(), bars([QUIET] * 3))
    assert message in str(caught.value)


def test_a_signal_is_a_line_of_a_known_kind(run, bars):
    class Wrong(SignalStrategy):
        def on_start(self):
            with pytest.raises(ParameterError, match="'longs' is no kind of signal"):
                self.add_signal("longs", self.data.close)
            with pytest.raises(LineError, match=r"the short_any signal is 3; give a line, such as crossover"):
                self.add_signal(SignalKind.SHORT_ANY, 3)
            self.add_signal("LONG", self.data.close)

    assert len(cambist.backtest(Wrong, bars([QUIET] * 3)).order_records) == 1
