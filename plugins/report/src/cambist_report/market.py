"""The market as a run saw it: an axis for each series with what was traded on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np
import pandas as pd

from cambist_report.arrays import floats, ns_of
from cambist_report.axes import Axis, Column, rows_at
from cambist_report.excursions import excursions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cambist import Result
    from cambist.model import Bars

__all__ = ["Market", "markets_of"]

#: Lines beside prices, and panels below them; a chart that shows more shows nothing.
_MOST_LINES = 8


@attrs.frozen(eq=False, slots=True, kw_only=True)
class Market:
    """One series of a run.

    Attributes
    ----------
    symbol, timeframe
        Of what.
    axis
        Its rows, a row a bar.
    bars
        None where the run kept closes alone.
    closes
        When each row is known, ns, UTC, shape ``(n,)``.
    trades
        Of the instrument, with the columns of `cambist.Result.trades`, closed and open ones, by id.
    rows
        Of the entry and the exit of each trade, shape ``(k,)`` each; the last row for what is open.
    adverse, favorable
        Excursions of each trade, fractions, shape ``(k,)``; NaN where nobody knows.
    fills, orders
        What was executed and what was waiting: plain columns with rows of the axis.
    """

    symbol: str
    timeframe: str
    axis: Axis
    bars: Bars | None
    closes: NDArray[np.int64]
    trades: pd.DataFrame
    rows: tuple[NDArray[np.int64], NDArray[np.int64]]
    adverse: NDArray[np.float64]
    favorable: NDArray[np.float64]
    fills: dict[str, NDArray[np.float64]]
    orders: dict[str, NDArray[np.float64]]


def markets_of(result: Result) -> list[Market]:
    """Return the markets of a run, the most traded first; an instrument once, by its finest bars."""
    trades = pd.concat([result.trades, result.open_trades]).sort_index() if len(result.trade_records) else result.trades
    counts = trades["instrument"].value_counts()
    found = [
        _market(result, trades[trades["instrument"] == symbol], number, symbol, timeframe, bars)
        for number, (symbol, timeframe, bars) in enumerate(_series(result))
    ]
    return sorted(found, key=lambda market: -int(counts.get(market.symbol, 0)))


def _series(result: Result) -> Iterator[tuple[str, str, Bars | None]]:
    """Yield the series to show: with bars where the run kept them, else with the closes that it valued positions at."""
    finest: dict[str, Bars] = {}
    for series in result.played:
        bars = series.bars
        known = finest.get(bars.instrument.symbol)
        if known is None or bars.timeframe.shortest < known.timeframe.shortest:
            finest[bars.instrument.symbol] = bars
    for instrument, timeframe in zip(result.instruments, _timeframes(result), strict=True):
        found = finest.get(instrument.symbol)
        yield instrument.symbol, str(found.timeframe) if found is not None else timeframe, found


def _timeframes(result: Result) -> list[str]:
    return [*result.timeframes, *[""] * len(result.instruments)][: len(result.instruments)]


def _market(
    result: Result, trades: pd.DataFrame, number: int, symbol: str, timeframe: str, bars: Bars | None
) -> Market:
    columns: dict[str, Column] = {}
    if bars is not None:
        times, closes = bars.ts, bars.close_times
        columns["volume"] = Column(bars.volume, "sum")
        columns |= _lines(result, bars)
    else:
        times, prices = _closes(result, symbol)
        closes = times
        columns["close"] = Column(prices, "last", "Close")
    rows = _trade_rows(trades, times, closes, bars)
    adverse = favorable = np.full(len(trades), np.nan)
    if bars is not None and len(trades):
        ends = floats(trades["exit_price"].fillna(float(bars.close[-1])))
        prices_of = floats(trades["entry_price"]), ends
        adverse, favorable = excursions(bars, rows, prices_of, long=(trades["side"] == "long").to_numpy())
    return Market(
        symbol=symbol,
        timeframe=timeframe,
        axis=Axis(f"market{number}", times, columns, bars),
        bars=bars,
        closes=closes,
        trades=trades,
        rows=rows,
        adverse=adverse,
        favorable=favorable,
        fills=_fills(result, symbol, closes, opens=None if bars is None else times),
        orders=_orders(result, symbol, times),
    )


def _closes(result: Result, symbol: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return times and closes of an instrument of which the run kept no bars."""
    one = next((one for one in (result, *result.accounts.values()) if one.history is not None), None)
    if one is None:
        times = ns_of(result.equity.index)
        return times, np.full(len(times), np.nan)
    closes = one.series.closes[symbol]
    return ns_of(closes.index), floats(closes)


def _lines(result: Result, bars: Bars) -> dict[str, Column]:
    """Return the lines that strategies made of a series; what only says yes and no is no curve."""
    series = next(one for one in result.played if one.bars is bars)
    several = len(result.strategies) > 1
    found: dict[str, Column] = {}
    seen: set[tuple[str, str]] = set()
    for line in series.lines:
        values = line.values  # noqa: PD011 - no frame
        known = values[np.isfinite(values)]
        some = known[:: max(1, len(known) // 1000)]
        if (line.strategy, line.name) in seen or not len(some) or np.isin(some, (-1.0, 0.0, 1.0)).all():
            continue
        seen.add((line.strategy, line.name))
        label = f"{line.name} ({line.strategy})" if several else line.name
        panel = "price" if _lies_among(some, bars) else line.name.partition(".")[0]
        found[f"line{len(found)}"] = Column(values, "last", label, panel)
        if len(found) == _MOST_LINES:
            break
    return found


def _lies_among(values: NDArray[np.float64], bars: Bars) -> bool:
    """Tell whether a line belongs beside the prices: its middle half lies where they do."""
    low, high = np.quantile(values, [0.25, 0.75])
    return bool(low >= 0.5 * bars.low.min() and high <= 1.5 * bars.high.max() and low > 0.0)


def _trade_rows(
    trades: pd.DataFrame, times: NDArray[np.int64], closes: NDArray[np.int64], bars: Bars | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows in which trades began and ended.

    A fill at the time at which one bar closes and the next opens is of the one whose price it has.
    """
    last = max(len(times) - 1, 0)
    entries = _rows_of_fills(ns_of(trades["entry_time"]), floats(trades["entry_price"]), times, closes, bars)
    over = trades["exit_time"].notna().to_numpy()
    exits = np.full(len(trades), last, np.int64)
    if over.any():
        ended = trades[over]
        exits[over] = _rows_of_fills(ns_of(ended["exit_time"]), floats(ended["exit_price"]), times, closes, bars)
    return entries, np.maximum(exits, entries)


def _rows_of_fills(
    ts: NDArray[np.int64],
    prices: NDArray[np.float64],
    times: NDArray[np.int64],
    closes: NDArray[np.int64],
    bars: Bars | None,
) -> NDArray[np.int64]:
    if bars is None:
        return rows_at(closes, ts)
    opening = np.clip(np.searchsorted(times, ts, side="right") - 1, 0, max(len(times) - 1, 0))
    closing = rows_at(closes, ts)
    at_close = (closes[closing] == ts) & (prices == bars.close[closing]) & (prices != bars.open[opening])
    return np.where(at_close, closing, opening)


def _fills(
    result: Result, symbol: str, closes: NDArray[np.int64], opens: NDArray[np.int64] | None
) -> dict[str, NDArray[np.float64]]:
    """Return the executions of an instrument."""
    frame = result.fills
    frame = frame[frame["instrument"] == symbol]
    ts = ns_of(frame["ts"])
    if opens is None or result.history is None:
        rows = rows_at(closes, ts)
    else:
        marks = pd.concat([result.series.buys, result.series.sells])
        marks = marks[marks["instrument"] == symbol]
        booked = pd.Series(ns_of(marks.index), index=marks["fill"]).reindex(frame.index)
        rows = rows_at(closes, booked.to_numpy(np.int64))
    return {
        "row": rows.astype(np.float64),
        "price": floats(frame["price"]),
        "size": floats(frame["size"]),
        "buy": floats(frame["side"] == "buy"),
    }


def _orders(result: Result, symbol: str, times: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """Return the orders that waited at a price, from when they were sent until they were filled or gone."""
    frame = result.orders
    frame = frame[(frame["instrument"] == symbol)]
    price = frame["stop_price"].fillna(frame["limit_price"])
    frame, price = frame[price.notna()], price[price.notna()]
    last = max(len(times) - 1, 0)

    def row(column: str) -> NDArray[np.float64]:
        return np.clip(np.searchsorted(times, ns_of(frame[column]), side="left"), 0, last).astype(np.float64)

    return {
        "from": row("created_at"),
        "to": row("updated_at"),
        "price": floats(price),
        "stop": floats(frame["stop_price"].notna()),
        "buy": floats(frame["side"] == "buy"),
    }
