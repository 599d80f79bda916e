"""backtrader (GPL, a development dependency), without its observers, as its documentation advises for speed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import backtrader

from benchmarks.data import random_walk
from benchmarks.engines.ours import INSTRUMENTS
from benchmarks.job import CASH, FEES
from benchmarks.outcome import Outcome

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Backtrader"]


class _Cross(backtrader.Strategy):
    """Buys one unit when the fast average crosses above the slow one, closes when below; on every instrument."""

    def __init__(self) -> None:
        self.crosses = [
            (data, backtrader.ind.CrossOver(backtrader.ind.SMA(data, period=10), backtrader.ind.SMA(data, period=30)))
            for data in self.datas
        ]

    def next(self) -> None:
        for data, cross in self.crosses:
            if cross[0] > 0:
                self.buy(data=data, size=1)
            elif cross[0] < 0 and self.getposition(data).size:
                self.close(data=data)


class _Replace(backtrader.Strategy):
    """Cancels its resting limit order on every bar and sends a new one, a little away from the close."""

    def __init__(self) -> None:
        self.order = None

    def next(self) -> None:
        if self.order is not None:
            self.cancel(self.order)
        close = self.data.close[0]
        if self.position.size > 0:
            self.order = self.sell(size=1, exectype=backtrader.Order.Limit, price=close * (1.0 + 0.001))
        else:
            self.order = self.buy(size=1, exectype=backtrader.Order.Limit, price=close * (1.0 - 0.001))


@attrs.frozen
class Backtrader:
    """Runs a workload through ``Cerebro``.

    Parameters
    ----------
    workload
        Which.
    direct
        Read the frame with ``PandasDirectData``, which is faster than ``PandasData``, the one that most people use.
    """

    workload: str
    direct: bool = False

    def prepare(self, size: int) -> list[pd.DataFrame]:
        count = INSTRUMENTS if self.workload == "w2" else 1
        return [random_walk(size, number + 1).frame() for number in range(count)]

    def run(self, data: list[pd.DataFrame]) -> Any:
        cerebro = backtrader.Cerebro(stdstats=False)
        cerebro.broker.setcash(CASH)
        cerebro.broker.setcommission(commission=FEES)
        for number, frame in enumerate(data):
            # PandasDirectData knows columns by place and expects open interest last; -1 says there is none.
            feed = (
                backtrader.feeds.PandasDirectData(dataname=frame, openinterest=-1)
                if self.direct
                else backtrader.feeds.PandasData(dataname=frame)
            )
            cerebro.adddata(feed, name=f"S{number:02}")
        cerebro.addstrategy(_Replace if self.workload == "w4" else _Cross)
        cerebro.run()
        return cerebro

    def outcome(self, result: Any) -> Outcome:
        done = [order.executed for order in result.broker.orders if order.executed.size]
        return Outcome.of(((one.size, one.price) for one in done), result.broker.getvalue())
