"""Bars that end when enough has happened, and not with the clock: of trades, of price moves, and bricks."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.errors import DataError, InputError, ParameterError, did_you_mean
from cambist.model.bar_rules import REACHED, brick_edges, spans
from cambist.model.bars import Bars

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

    from cambist.model.instrument import Instrument
    from cambist.model.ticks import Ticks
    from cambist.ports.history import MarketSource

__all__ = ["EventBars", "event_bars", "range_bars", "renko"]

_KINDS = ("count", "volume", "value", "imbalance")
#: Trades that are looked at first for the end of an imbalance bar.
_STRIDE = 1_024


@attrs.frozen(eq=False, repr=False)
class EventBars:
    """Bars of no fixed length; several may lie in one instant.

    Attributes
    ----------
    instrument, kind
        Of what, and how they were made, such as ``"volume 1000"``.
    start, end
        Times of the first and of the last trade, or bar, in each, int64 ns, UTC, shape ``(n,)``. A bar is known at its
        end.
    open, high, low, close, volume
        float64, shape ``(n,)``.
    rows
        How many trades, or bars, are in each, int64, shape ``(n,)``.
    """

    instrument: Instrument
    kind: str
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.start)

    def __getitem__(self, rows: slice) -> EventBars:
        if not isinstance(rows, slice):
            raise TypeError(f"slice the bars (bars[10:20]) or index a column (bars.close[10]); got {rows!r}")
        names = [field.name for field in attrs.fields(EventBars)[2:]]
        return attrs.evolve(self, **{name: getattr(self, name)[rows] for name in names})

    def __repr__(self) -> str:
        return f"<EventBars {self.instrument.symbol} {self.kind}: {len(self)} bars>"

    def to_frame(self) -> pd.DataFrame:
        """Return a DataFrame with a UTC ``DatetimeIndex`` named ``end``: when each bar is known."""
        import pandas as pd

        names = ("open", "high", "low", "close", "volume", "rows")
        index = pd.DatetimeIndex(self.end.view("datetime64[ns]"), tz="UTC", name="end")
        starts = pd.DatetimeIndex(self.start.view("datetime64[ns]"), tz="UTC")
        return pd.DataFrame({"start": starts, **{name: getattr(self, name) for name in names}}, index=index)


def event_bars(source: MarketSource | Ticks, by: str, size: float, *, incomplete: str = "drop") -> EventBars:
    """Return bars of trades that end when enough has happened.

    Parameters
    ----------
    source
        `Ticks`, or what `open_ticks` returns.
    by
        What is counted: ``"count"`` of trades, ``"volume"`` traded, ``"value"`` traded (price times size: dollar bars),
        or ``"imbalance"``, volume that bought less volume that sold, whichever is more.
    size
        How much of it ends a bar: the trade with which it is reached belongs to the bar, whole.
    incomplete
        ``"keep"`` or ``"drop"`` the last bar, which has not reached it.

    Raises
    ------
    ParameterError
        For another kind, or a size that is not above zero.
    InputError
        If the source is none of trades.
    DataError
        If no bar is complete.

    Notes
    -----
    López de Prado, *Advances in Financial Machine Learning*, 2018, chapter 2.3; imbalance bars with a fixed size in
    place of an expected one. Where a trade does not say who was the taker, the tick rule tells: a higher price was
    bought, a lower sold, the same price is like the trade before it.
    """
    if getattr(source, "kind", None) != "ticks":
        raise InputError(f"{type(source).__name__} has no trades. Give Ticks, or what open_ticks returns.")
    if by not in _KINDS:
        raise ParameterError(f"by is {by!r}.{did_you_mean(str(by), _KINDS)}")
    _require_size(size)
    if by == "count" and size != int(size):
        raise ParameterError(f"size is {size!r}; trades are counted in whole numbers.")
    if incomplete not in ("keep", "drop"):
        raise ParameterError(f"incomplete is {incomplete!r}.{did_you_mean(str(incomplete), ('keep', 'drop'))}")
    ticks: Any = source.load()
    first = _FIRSTS[by](ticks, size)
    return _of_groups(ticks, first, f"{by} {size:g}", keep_last=incomplete == "keep")


def _require_size(size: Any) -> None:
    if not isinstance(size, int | float | np.number) or not isfinite(size) or size <= 0:
        raise ParameterError(f"size is {size!r}, and must be a number above zero.")


def _by_count(ticks: Any, size: float) -> list[int]:
    return [*range(0, len(ticks) + 1, int(size))]


def _by_volume(ticks: Any, size: float) -> list[int]:
    return _summed(ticks.size, size)


def _by_value(ticks: Any, size: float) -> list[int]:
    return _summed(ticks.size * ticks.price, size)


def _summed(amounts: NDArray[np.float64], size: float) -> list[int]:
    """Return where groups begin whose sums reach `size`, and where what is left begins."""
    total = np.concatenate(([0.0], np.cumsum(amounts)))
    first = [0]
    while True:
        end = int(np.searchsorted(total, total[first[-1]] + size * REACHED))
        if end >= len(total):
            return first
        first.append(max(end, first[-1] + 1))


def _by_imbalance(ticks: Any, size: float) -> list[int]:
    total = np.concatenate(([0.0], np.cumsum(ticks.size * _takers(ticks))))
    first = [0]
    at, width = 1, _STRIDE
    while at < len(total):
        reached = np.abs(total[at : at + width] - total[first[-1]]) >= size * REACHED
        row = int(reached.argmax())
        if reached[row]:
            first.append(at + row)
            at, width = at + row + 1, _STRIDE
        else:
            at, width = at + width, 2 * width
    return first


def _takers(ticks: Any) -> NDArray[np.float64]:
    """Return 1 where the taker bought and -1 where he sold; by the tick rule where that is not known."""
    moves = np.sign(np.diff(ticks.price, prepend=ticks.price[0]))
    known = np.flatnonzero(moves)
    latest = np.searchsorted(known, np.arange(len(moves)), side="right") - 1
    by_rule = np.where(latest >= 0, moves[known[latest]] if len(known) else 0.0, 1.0)
    return np.where(ticks.side != 0, ticks.side, by_rule)


_FIRSTS: dict[str, Callable[[Any, float], list[int]]] = {
    "count": _by_count,
    "volume": _by_volume,
    "value": _by_value,
    "imbalance": _by_imbalance,
}


def _of_groups(ticks: Any, bounds: list[int], kind: str, *, keep_last: bool) -> EventBars:
    """Return bars of the rows between each bound and the next."""
    rows = len(ticks)
    if keep_last and bounds[-1] < rows:
        bounds = [*bounds, rows]
    if len(bounds) < 2:
        raise DataError(f"{ticks.name}: no bar is complete: {kind} is more than there is. Choose a smaller size.")
    edges = np.array(bounds, np.int64)
    first, last = edges[:-1], edges[1:] - 1
    price, sizes = ticks.price[: edges[-1]], ticks.size[: edges[-1]]
    volumes: Any = np.bincount(np.repeat(np.arange(len(first)), np.diff(edges)), weights=sizes)
    return EventBars(
        ticks.instrument,
        kind,
        ticks.ts[first],
        ticks.ts[last],
        price[first],
        np.maximum.reduceat(price, first),
        np.minimum.reduceat(price, first),
        price[last],
        volumes,
        np.diff(edges),
    )


def range_bars(source: MarketSource | Ticks, size: float, *, incomplete: str = "drop") -> EventBars:
    """Return bars of trades that end when their high and low are `size` apart.

    The trade with which they are belongs to the bar; where the price jumps, they are further apart.

    Parameters
    ----------
    source, incomplete
        As for `event_bars`.
    size
        In quote currency.

    Raises
    ------
    ParameterError, InputError, DataError
        As `event_bars`.
    """
    if getattr(source, "kind", None) != "ticks":
        raise InputError(
            f"{type(source).__name__} has no trades: inside a bar nobody knows the way of the price. Give Ticks, or "
            "what open_ticks returns."
        )
    _require_size(size)
    ticks: Any = source.load()
    bounds, high, low = [0], -np.inf, np.inf
    for row, price in enumerate(ticks.price.tolist()):
        high, low = max(high, price), min(low, price)
        if spans(high, low, size):
            bounds.append(row + 1)
            high, low = -np.inf, np.inf
    return _of_groups(ticks, bounds, f"range {size:g}", keep_last=incomplete == "keep")


def renko(source: Bars | MarketSource | Ticks, size: float, *, start: float | None = None) -> EventBars:
    """Return Renko bricks of the closes of bars, or of the prices of trades.

    A brick is added for every `size` that the price has gone beyond the last brick, up or down: a turn takes twice the
    size, from close to close.

    Parameters
    ----------
    source
        `Bars`, or trades.
    size
        Of a brick, in quote currency.
    start
        Where the first brick begins. Default: the first price.

    Returns
    -------
    EventBars
        ``low`` and ``high`` are those of the brick; the volume since the brick before is that of the first of several
        that one price makes. A price that goes on inside its brick makes none.

    Raises
    ------
    ParameterError
        For a size that is not above zero.
    DataError
        If the price never went as far.
    """
    _require_size(size)
    data: Any = source if isinstance(source, Bars) else source.load()
    prices, volumes = (data.close, data.volume) if isinstance(data, Bars) else (data.price, data.size)
    times = data.close_times if isinstance(data, Bars) else data.ts
    base = float(prices[0]) if start is None else float(start)
    rows, opens, closes = _bricks(prices.tolist(), base, float(size))
    if not rows:
        raise DataError(f"{data.name}: the price never went {size:g} from {base:g}. Choose a smaller size.")
    ends = np.array(rows, np.int64)
    first = np.concatenate(([0], ends[:-1] + 1))
    total = np.concatenate(([0.0], np.cumsum(volumes)))
    open_, close = np.array(opens), np.array(closes)
    return EventBars(
        data.instrument,
        f"renko {size:g}",
        times[np.minimum(first, ends)],
        times[ends],
        open_,
        np.maximum(open_, close),
        np.minimum(open_, close),
        close,
        total[ends + 1] - total[np.minimum(first, ends + 1)],
        ends + 1 - np.minimum(first, ends + 1),
    )


def _bricks(prices: list[float], base: float, size: float) -> tuple[list[int], list[float], list[float]]:
    """Return row, open and close of each brick. Edges are counted in whole bricks, so that they do not drift."""
    rows, opens, closes = [], [], []
    edge = brick_edges(base, size)
    bottom = top = 0  # edges of the last brick
    for row, price in enumerate(prices):
        while price >= edge(top + 1):
            rows.append(row)
            opens.append(edge(top))
            closes.append(edge(top + 1))
            bottom, top = top, top + 1
        while price <= edge(bottom - 1):
            rows.append(row)
            opens.append(edge(bottom))
            closes.append(edge(bottom - 1))
            bottom, top = bottom - 1, bottom
    return rows, opens, closes
