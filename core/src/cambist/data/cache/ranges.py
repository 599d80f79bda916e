"""Stretches of time, and what is left of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Range", "Ranges", "merged", "overlap", "without"]

#: ``[start, end)`` in ns, UTC.
Range = tuple[int, int]
#: In the order of time, apart from each other.
Ranges = tuple[Range, ...]


def merged(ranges: Iterable[Range]) -> Ranges:
    """Return what any of the ranges holds; those that overlap or touch become one.

    >>> merged([(5, 7), (0, 2), (2, 3), (6, 9), (4, 4)])
    ((0, 3), (5, 9))
    """
    found: list[Range] = []
    for start, end in sorted(ranges):
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


def without(one: Range, ranges: Ranges) -> Ranges:
    """Return the parts of a range that none of the others holds.

    >>> without((0, 10), ((-5, 2), (4, 5), (9, 12)))
    ((2, 4), (5, 9))
    """
    start, end = one
    left: list[Range] = []
    for taken_start, taken_end in ranges:
        if taken_end <= start or taken_start >= end:
            continue
        if taken_start > start:
            left.append((start, taken_start))
        start = max(start, taken_end)
    if start < end:
        left.append((start, end))
    return tuple(left)


def overlap(one: Range, ranges: Ranges) -> int:
    """Return how much of a range the others hold, ns.

    >>> overlap((0, 10), ((-5, 2), (4, 5), (9, 12)))
    4
    """
    start, end = one
    return sum(max(0, min(end, theirs) - max(start, mine)) for mine, theirs in ranges)
