"""From a bar to trades: a way that the price may have gone."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BarTicks", "PathPoint", "path_of", "turns_of"]


class BarTicks(NamedTuple):
    """A bar in whole numbers.

    Attributes
    ----------
    opens, closes
        ns; `closes` is where the next bar may open.
    open, high, low, close
        Ticks.
    lots
        Volume.
    high_first
        Whether the price went to the high before it went to the low.
    """

    opens: int
    closes: int
    open: int
    high: int
    low: int
    close: int
    lots: int
    high_first: bool


class PathPoint(NamedTuple):
    """A place on the way.

    Attributes
    ----------
    at
        ns.
    ticks
        The price.
    turn
        Whether the bar would be another without it: open, an extreme, close.
    """

    at: int
    ticks: int
    turn: bool


def path_of(bar: BarTicks, points: int, *, resolution: int = 1_000_000) -> list[PathPoint]:
    """Return the way through a bar: from the open in straight lines through both extremes to the close.

    Parameters
    ----------
    bar
        The bar.
    points
        How many, at most; never fewer than the turns of the way, of which there are one to four.
    resolution
        Times are multiples of it, ns: ms unless told otherwise.

    Notes
    -----
    Points between two turns are shared out by the distance in price, rounded to the tick, and no price comes twice in
    a row between turns. The first point is one `resolution` after the open, the last one `resolution` before the
    close; all others are evenly spaced between.
    """
    turns = turns_of(bar)
    way = list(_between(turns, points))
    first, last = bar.opens + resolution, bar.closes - resolution
    steps = max(1, len(way) - 1)
    span = max(0, last - first) // resolution
    return [
        PathPoint(first + span * number // steps * resolution, ticks, turn) for number, (ticks, turn) in enumerate(way)
    ]


def turns_of(bar: BarTicks) -> list[int]:
    """Return open, extremes and close in ticks, in the order in which they are reached, each once in a row."""
    extremes = (bar.high, bar.low) if bar.high_first else (bar.low, bar.high)
    turns = [bar.open]
    for ticks in (*extremes, bar.close):
        if ticks != turns[-1]:
            turns.append(ticks)
    return turns


def _between(turns: list[int], points: int) -> Iterator[tuple[int, bool]]:
    """Yield the turns, and between them as many prices as there is room for."""
    legs = list(pairwise(turns))
    length = sum(abs(other - one) for one, other in legs)
    room = max(0, points - len(turns))
    yield turns[0], True
    for start, end in legs:
        distance = abs(end - start)
        inner = min(room * distance // length, distance - 1)
        sign = 1 if end > start else -1
        for number in range(1, inner + 1):
            yield start + sign * (distance * number // (inner + 1)), False
        yield end, True
