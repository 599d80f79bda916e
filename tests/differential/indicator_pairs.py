"""One indicator in both: what it is made of there and here, and the columns that come out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from differential_engines import backtrader

from cambist.indicators.series import Series
from cambist.model.bars import Bars
from cambist.model.instrument import Instrument
from cambist.model.timeframe import Timeframe

if TYPE_CHECKING:
    from collections.abc import Callable


def frame(rows: int, seed: int) -> pd.DataFrame:
    """Prices in 1/64ths, so that there are ties, crossings of equal values, and days that do not move."""
    chance = np.random.default_rng(seed)
    close = 200.0 + np.cumsum(chance.integers(-8, 9, rows)) / 16.0 + np.cumsum(chance.normal(0, 0.4, rows)).round(1)
    opened = np.concatenate(([200.0], close[:-1])) + chance.integers(-4, 5, rows) / 16.0
    reach = chance.integers(0, 17, (2, rows)) / 16.0
    return pd.DataFrame(
        {
            "open": opened,
            "high": np.maximum(opened, close) + reach[0],
            "low": np.minimum(opened, close) - reach[1],
            "close": close,
            "volume": chance.integers(1, 5_000, rows) * 1.0,
        },
        index=pd.date_range("2020-01-01", periods=rows, freq="D"),
    )


def theirs(data: pd.DataFrame, make: Callable[[Any, Any], Any]) -> dict[str, np.ndarray]:
    """Run backtrader over the bars; return every line of what `make` makes of its indicators and the data."""
    made: list[Any] = []

    class Holder(backtrader.Strategy):
        def __init__(self) -> None:
            made.append(make(backtrader.ind, self.data))

    cerebro = backtrader.Cerebro(stdstats=False)
    cerebro.adddata(backtrader.feeds.PandasData(dataname=data))
    cerebro.addstrategy(Holder)
    cerebro.run()
    rows = len(data)
    columns = {}
    for name in made[0].lines.getlinealiases():
        values = np.array(getattr(made[0].lines, name).array, dtype=float)
        columns[name] = np.concatenate((values, np.full(rows, np.nan)))[:rows]
    return columns


def ours(data: pd.DataFrame, make: Callable[[Any], Any]) -> dict[str, np.ndarray]:
    """Compute what `make` makes of a series over whole columns; return its lines, one alone as ``""``."""
    instrument = Instrument(symbol="TEST")
    series = Series(instrument, Timeframe.parse("1d"))
    made = make(series)
    times = data.index.as_unit("ns").asi8
    columns = [data[name].to_numpy(float) for name in ("open", "high", "low", "close", "volume")]
    series._cursor.load(Bars(instrument, series.timeframe, times, *columns), whole=True)
    named = made._asdict() if isinstance(made, tuple) else {"": made}
    return {name: line._array for name, line in named.items()}
