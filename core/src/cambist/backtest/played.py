"""The bars that a run played, and the lines that its strategies made of them: what a chart is drawn from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.backtest.tables import Kind, Table
from cambist.model import COLUMNS, Bars

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from cambist.backtest.feeds import Feed
    from cambist.engine.step import Seat
    from cambist.model import Instrument

__all__ = ["PlayedLine", "PlayedSeries", "played_from", "played_kinds", "played_series", "played_table"]


@attrs.frozen(eq=False, slots=True)
class PlayedLine:
    """A line that a strategy made of the bars of a series.

    Attributes
    ----------
    strategy, name
        Whose it is, and what the indicator is called, such as ``"SMA(10)"``.
    values
        At each bar, float64, shape ``(n,)``; NaN where it was not known.
    """

    strategy: str
    name: str
    values: NDArray[np.float64]


@attrs.frozen(eq=False, slots=True)
class PlayedSeries:
    """One series of a run as far as it was played.

    Attributes
    ----------
    bars
        The bars themselves, not a copy of them.
    lines
        What strategies made of them, in the order in which they made it; of a run over whole columns alone.
    """

    bars: Bars
    lines: tuple[PlayedLine, ...] = ()


def played_series(feeds: Sequence[Feed], seats: Iterable[Seat], last: int) -> tuple[PlayedSeries, ...]:
    """Return the series of a run that are in memory, without copying a column.

    Parameters
    ----------
    feeds
        The series.
    seats
        Of the strategies whose lines were computed over whole columns; none where bars came one by one.
    last
        Close of the last bar that was played, ns.
    """
    seats = tuple(seats)
    found = []
    for feed in feeds:
        count = int(np.searchsorted(feed.closes, last, side="right"))
        if not count:
            continue
        cursors = ((seat.strategy.name, seat.cursors[feed.number]) for seat in seats)
        lines = tuple(
            PlayedLine(name, line.name, cursor.rows_of(line, 0, count))
            for name, cursor in cursors
            for line in cursor.made_lines()
        )
        found.append(PlayedSeries(feed.block if count == len(feed.block) else feed.block[:count], lines))
    return tuple(found)


def played_kinds(lines: int) -> dict[str, Kind]:
    """Return the columns of the table of a series that has so many lines."""
    names = (*COLUMNS, *(f"line {number}" for number in range(1, lines + 1)))
    return {"ts": Kind.TIME} | dict.fromkeys(names, Kind.FLOAT)


def played_table(series: PlayedSeries) -> Table:
    """Return a series as a table; `played_from` makes it a series again."""
    lines = {f"line {number}": line.values for number, line in enumerate(series.lines, 1)}
    return Table(played_kinds(len(lines)), {"ts": series.bars.ts, **series.bars.columns, **lines})


def played_from(said: Mapping[str, Any], table: Table, instruments: Mapping[str, Instrument]) -> PlayedSeries:
    """Return the series of which a document says `said`, with the rows of `table`.

    Raises
    ------
    KeyError, TypeError
        The document is not one that a result has written.
    InputError
        The rows are no bars.
    """
    columns = (table[name] for name in COLUMNS)
    bars = Bars(instruments[said["instrument"]], said["timeframe"], table["ts"], *columns)
    lines = (
        PlayedLine(one["strategy"], one["name"], table[f"line {number}"]) for number, one in enumerate(said["lines"], 1)
    )
    return PlayedSeries(bars, tuple(lines))
