"""The same sweep in other engines; vectorbt has an environment of its own, see `CAMBIST_BENCH_VECTORBT`."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from benchmarks.data import walk_of

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["backtesting", "backtrader", "vectorbt"]

CASH, FEES = 1_000_000.0, 0.001


def backtrader(size: int, pairs: Sequence[tuple[int, int]], jobs: int) -> float:
    """Run ``optstrategy``; the frame goes to its processes, which ``PandasDirectData`` cannot."""
    import backtrader as bt

    class Cross(bt.Strategy):
        params = (("fast", 10), ("slow", 30))

        def __init__(self) -> None:
            averages = (bt.ind.SMA(self.data, period=period) for period in (self.p.fast, self.p.slow))
            self.cross = bt.ind.CrossOver(*averages)

        def next(self) -> None:
            if self.cross[0] > 0:
                self.buy(size=1)
            elif self.cross[0] < 0 and self.position.size:
                self.close()

        def stop(self) -> None:
            self.final = self.broker.getvalue()

    class Value(bt.Analyzer):
        def stop(self) -> None:
            self.rets["equity"] = self.strategy.broker.getvalue()

    globals()[Cross.__name__], globals()[Value.__name__] = Cross, Value
    Cross.__qualname__, Value.__qualname__ = Cross.__name__, Value.__name__
    fast, slow = (sorted({pair[at] for pair in pairs}) for at in (0, 1))
    cerebro = bt.Cerebro(stdstats=False, maxcpus=jobs)
    cerebro.broker.setcash(CASH)
    cerebro.broker.setcommission(commission=FEES)
    cerebro.adddata(bt.feeds.PandasData(dataname=walk_of(size).frame()))
    cerebro.addanalyzer(Value)
    cerebro.optstrategy(Cross, fast=fast, slow=slow)
    done = [one[0] for one in cerebro.run()]
    assert len(done) == len(pairs)
    return max(one.analyzers[0].get_analysis()["equity"] for one in done)


def backtesting(size: int, pairs: Sequence[tuple[int, int]], jobs: int) -> float:  # noqa: ARG001 - it takes all cores
    """Run ``optimize``."""
    import warnings

    import talib
    from backtesting import Backtest, Strategy
    from backtesting.lib import crossover

    class Cross(Strategy):
        fast, slow = 10, 30

        def init(self) -> None:
            close = self.data.Close
            self.quick = self.I(talib.SMA, close, self.fast)
            self.calm = self.I(talib.SMA, close, self.slow)

        def next(self) -> None:
            if crossover(self.quick, self.calm):
                self.buy(size=1)
            elif crossover(self.calm, self.quick):
                self.position.close()

    globals()[Cross.__name__] = Cross
    Cross.__qualname__, Cross.__module__ = Cross.__name__, __name__
    frame = walk_of(size).frame().rename(columns=str.capitalize)
    fast, slow = (sorted({pair[at] for pair in pairs}) for at in (0, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        test = Backtest(frame, Cross, cash=CASH, commission=FEES)
        best = test.optimize(fast=fast, slow=slow, maximize="Equity Final [$]")
    return float(best["Equity Final [$]"])


def vectorbt(size: int, pairs: Sequence[tuple[int, int]], jobs: int) -> float:  # noqa: ARG001 - one process
    """Run one portfolio of many columns, a hundred at a time, as its users must for memory."""
    import vectorbt as vbt

    frame = walk_of(size).frame()
    frame.columns = [str(name).lower() for name in frame.columns]
    best = 0.0
    for part in itertools.batched(pairs, 100) if hasattr(itertools, "batched") else _batched(pairs, 100):
        fast = vbt.MA.run(frame["close"], [pair[0] for pair in part], short_name="fast")
        slow = vbt.MA.run(frame["close"], [pair[1] for pair in part], short_name="slow")
        entries = fast.ma_crossed_above(slow).vbt.fshift(1)
        exits = fast.ma_crossed_below(slow).vbt.fshift(1)
        options: dict[str, Any] = {"init_cash": CASH, "fees": FEES, "size": 1.0, "freq": "1min"}
        made = vbt.Portfolio.from_signals(frame["close"], entries, exits, price=frame["open"], **options)
        best = max(best, float(made.final_value().max()))
        made.max_drawdown()
        made.sharpe_ratio()
        made.trades.count()
    return best


def _batched(values: Sequence[Any], size: int) -> Any:
    return (values[at : at + size] for at in range(0, len(values), size))
