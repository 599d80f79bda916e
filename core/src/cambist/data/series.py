"""What a series is of: its instrument and its timeframe, given or found; and putting bars together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from cambist.errors import DataError
from cambist.model.bars import COLUMNS, Bars
from cambist.model.instrument import Instrument
from cambist.model.timeframe import Timeframe
from cambist.model.times import DAY_NS, SECOND_NS, format_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

__all__ = [
    "DEFAULT_SYMBOL",
    "PROBE_ROWS",
    "assemble",
    "choose_instrument",
    "find_overlap",
    "infer_timeframe",
    "renumber",
]

#: What an instrument is called when nobody says.
DEFAULT_SYMBOL = "ASSET"

#: The timeframe is told from so many bars at the start, so that it does not depend on the size of the blocks.
PROBE_ROWS = 10_000

_ROW = re.compile(r"\brow (\d+)")


def choose_instrument(symbol: str | None, instrument: Instrument | None, default: str = DEFAULT_SYMBOL) -> Instrument:
    """Return the instrument given, or a spot one without a tick size and with a step of 1e-8.

    Raises
    ------
    DataError
        A symbol and an instrument of another symbol are given.
    """
    if instrument is None:
        return Instrument(symbol=symbol or default)
    if symbol is not None and symbol != instrument.symbol:
        raise DataError(
            f"symbol={symbol!r} and an instrument called {instrument.symbol!r} are given. Give one of them."
        )
    return instrument


def infer_timeframe(ts: NDArray[np.int64]) -> Timeframe:
    """Return the commonest spacing of the first `PROBE_ROWS` times; of two that are as common, the shorter.

    Parameters
    ----------
    ts
        Open times, ns, shape ``(n,)``, in whatever order.

    Raises
    ------
    DataError
        There are fewer than two different times, or the commonest spacing is no timeframe.
    """
    steps = np.diff(ts[:PROBE_ROWS])
    steps = steps[steps > 0]
    if len(steps) == 0:
        raise DataError(
            f"the timeframe cannot be told from {len(ts)} bar{'' if len(ts) == 1 else 's'}: it takes two that follow "
            "each other. Pass timeframe=, such as timeframe='1d'."
        )
    spacings, counts = np.unique(steps, return_counts=True)
    spacing = int(spacings[counts.argmax()])
    share = f"{int(counts.max())} of {len(steps)}"
    if spacing > 7 * DAY_NS:
        raise DataError(
            f"the commonest spacing of the bars ({share}) is {spacing / DAY_NS:g} days. Calendar months, quarters and "
            "years have no fixed length. Use bars of a week or less, or pass timeframe=."
        )
    if spacing % SECOND_NS:
        raise DataError(
            f"the commonest spacing of the bars ({share}) is {spacing} ns, which is not a whole number of seconds. "
            "Are these ticks? Pass timeframe=, such as timeframe='1m', if they are bars."
        )
    return Timeframe(spacing)


def assemble(
    instrument: Instrument,
    timeframe: str | Timeframe | None,
    ts: NDArray[np.int64],
    columns: Mapping[str, NDArray[np.float64]],
) -> Bars:
    """Make bars of columns; without a timeframe it is told from the times, without a volume it is 0.

    Raises
    ------
    DataError
        The columns are no bars.
    """
    if len(ts) == 0:
        raise DataError("there are no bars. Check the path, the symbol and the time range.")
    frame = infer_timeframe(ts) if timeframe is None else Timeframe.parse(timeframe)
    filled = dict(columns)
    if "volume" not in filled:
        filled["volume"] = np.zeros(len(ts))
    return Bars(instrument, frame, ts, *(filled[name] for name in COLUMNS))


def find_overlap(last: int | None, first: int, timeframe: Timeframe) -> str | None:
    """Say what is wrong with a bar at `first` after one at `last` (ns, None for nothing); None if nothing is."""
    if last is None or first - last >= timeframe.ns:
        return None
    if first == last:
        return "its time repeats that of the bar before it. Sort the bars by time and drop repeats."
    if first < last:
        return f"its time comes before that of the bar before it ({format_ns(last)}). Sort the bars by time."
    return f"it opens before the bar before it ({format_ns(last)}) has closed. Is the timeframe really {timeframe}?"


def renumber(message: str, label: Callable[[int], str]) -> str:
    """Replace each ``row 5`` of a message about a piece of the data by ``label(5)``, what it is in the whole."""
    return _ROW.sub(lambda match: label(int(match[1])), message)
