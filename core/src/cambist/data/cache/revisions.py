"""What becomes of bars that a source tells a second time: those told first stay, what differs is kept beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.model.bars import Bars
from cambist.ports.bars import BarKey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from cambist.data.cache.ledger import Revision
    from cambist.data.cache.ranges import Ranges
    from cambist.ports.bars import BarStore

__all__ = ["Span", "Told", "compare", "revised", "revision_key", "rows"]

#: ``[start, end)`` in ns, UTC; None for as far as there is something.
Span = tuple[int | None, int | None]


def revision_key(key: BarKey, number: int) -> BarKey:
    """Return under which key a revision's bars are stored."""
    return BarKey(key.symbol, key.timeframe, f"{key.venue}~{number}")


def rows(bars: Bars, wanted: NDArray[np.bool_]) -> Bars | None:
    """Return some of the bars; None where there are none."""
    if not wanted.any():
        return None
    columns = (column[wanted] for column in bars.columns.values())
    return Bars(bars.instrument, bars.timeframe, bars.ts[wanted], *columns)


def inside(ts: NDArray[np.int64], ranges: Ranges) -> NDArray[np.bool_]:
    """Tell which times lie in any of the ranges."""
    if not ranges:
        return np.zeros(len(ts), np.bool_)
    starts, ends = np.array(ranges, np.int64).T
    place = np.searchsorted(starts, ts, side="right") - 1
    found: NDArray[np.bool_] = (place >= 0) & (ts < ends[place])
    return found


def revised(base: Bars | None, store: BarStore, key: BarKey, revisions: Iterable[Revision], span: Span) -> Bars | None:
    """Return the bars of a span as the source tells them now.

    Parameters
    ----------
    base
        As it told them first.
    """
    now = base
    start, end = span
    for one in revisions:
        if now is not None and one.withdrawn:
            now = rows(now, ~inside(now.ts, one.withdrawn))
        told = store.read(revision_key(key, one.number), start, end) if one.bars else None
        if told is not None:
            told = attrs.evolve(told, instrument=attrs.evolve(told.instrument, venue=key.venue))
            now = told if now is None else now.updated(told)
    return now


@attrs.frozen
class Told:
    """What a source's answer says of what is known.

    Attributes
    ----------
    fresh
        Bars of times of which it was not asked before; None for none.
    changed
        Bars that it told otherwise before, or not at all; None for none.
    unchanged
        How many it told as before.
    withdrawn
        Times of bars that it has no more.
    """

    fresh: Bars | None
    changed: Bars | None
    unchanged: int
    withdrawn: NDArray[np.int64]


def compare(answer: Bars | None, first: Bars | None, latest: Bars | None, covered: Ranges) -> Told:
    """Compare an answer with what is known of its time.

    Parameters
    ----------
    answer
        What the source says now.
    first, latest
        What it said first, and last, of the same time.
    covered
        Times of which it was asked before.
    """
    nothing = np.empty(0, np.int64)
    gone = nothing if latest is None else latest.ts[inside(latest.ts, covered)]
    if answer is None:
        return Told(None, None, 0, gone)
    is_fresh = ~np.isin(answer.ts, nothing if first is None else first.ts) & ~inside(answer.ts, covered)
    is_same = np.zeros(len(answer), np.bool_)
    if latest is not None:
        place = np.minimum(np.searchsorted(latest.ts, answer.ts), len(latest) - 1)
        is_same = latest.ts[place] == answer.ts
        for theirs, ours in zip(answer.columns.values(), latest.columns.values(), strict=True):
            is_same &= theirs == ours[place]
    is_same &= ~is_fresh
    gone = gone[~np.isin(gone, answer.ts)]
    return Told(rows(answer, is_fresh), rows(answer, ~is_fresh & ~is_same), int(np.count_nonzero(is_same)), gone)
