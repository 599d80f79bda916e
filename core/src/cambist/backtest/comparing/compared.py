"""Holds what two runs tell against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.backtest.comparing.report import CategoryReport, ComparisonReport, Difference
from cambist.errors import ParameterError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cambist.backtest.comparing.told import Item, Told

__all__ = ["CATEGORIES", "compared"]

#: From the first cause to the last effect.
CATEGORIES = ("signal", "intent", "order", "fill", "pnl")
#: How far the other run's next equal item is looked for, where one run has something more.
_REACH = 64


def compared(one: Told, other: Told, tolerance: float, only: Sequence[str]) -> ComparisonReport:
    """Compare two runs; see `cambist.compare`."""
    for name in only:
        if name not in CATEGORIES:
            raise ParameterError(f"there is no category {name!r}.{did_you_mean(name, CATEGORIES)}")
    if not 0.0 <= tolerance < 1.0:
        raise ParameterError(f"tolerance is {tolerance!r}; it is a fraction from 0 to below 1: 0.001 is 0.1 %.")
    wanted = [name for name in CATEGORIES if not only or name in only]
    categories = [_category(name, getattr(one, name), getattr(other, name), tolerance) for name in wanted]
    return ComparisonReport(one=one.name, other=other.name, categories=tuple(categories))


def _category(name: str, one: Sequence[Item], other: Sequence[Item], tolerance: float) -> CategoryReport:
    pairs = list(_paired(one, other))
    found = [
        _difference(mine, theirs)
        for mine, theirs in pairs
        if mine is None or theirs is None or not _equal(mine, theirs, tolerance)
    ]
    met = [(mine, theirs) for mine, theirs in pairs if mine is not None and theirs is not None]
    return CategoryReport(
        name=name,
        one=len(one),
        other=len(other),
        equal_count=len(pairs) - len(found),
        differences=tuple(found),
        notes=tuple(_prices(met) if name == "fill" else ()),
    )


def _difference(one: Item | None, other: Item | None) -> Difference:
    first = one or other
    assert first is not None
    return Difference(first.ts, None if one is None else one.fields, None if other is None else other.fields)


def _paired(one: Sequence[Item], other: Sequence[Item]) -> Iterator[tuple[Item | None, Item | None]]:
    """Match what is alike but for numbers that may differ a little, in order; the rest stands alone."""
    mine = theirs = 0
    while mine < len(one) and theirs < len(other):
        more, fewer = _skipped(one, other, mine, theirs)
        yield from ((item, None) for item in one[mine : mine + more])
        yield from ((None, item) for item in other[theirs : theirs + fewer])
        mine, theirs = mine + more, theirs + fewer
        yield one[mine], other[theirs]
        mine, theirs = mine + 1, theirs + 1
    yield from ((item, None) for item in one[mine:])
    yield from ((None, item) for item in other[theirs:])


def _skipped(one: Sequence[Item], other: Sequence[Item], mine: int, theirs: int) -> tuple[int, int]:
    """Return how many of each come before the next two that are alike; none where there are none near."""
    for distance in range(_REACH):
        for number in range(distance + 1):
            for more, fewer in ((number, distance), (distance, number)):
                at, there = mine + more, theirs + fewer
                if at < len(one) and there < len(other) and one[at].exact == other[there].exact:
                    return more, fewer
    return 0, 0


def _equal(one: Item, other: Item, tolerance: float) -> bool:
    if one.exact != other.exact or one.close.keys() != other.close.keys():
        return False
    return all(
        abs(value - other.close[name]) <= tolerance * max(abs(value), abs(other.close[name]))
        for name, value in one.close.items()
    )


def _prices(met: Sequence[tuple[Item, Item]]) -> Iterator[str]:
    """Say how the prices of fills differ, where they do."""
    worse = [
        (theirs.close["price"] / mine.close["price"] - 1.0) * (1.0 if mine.exact["side"] == "buy" else -1.0) * 1e4
        for mine, theirs in met
        if mine.exact == theirs.exact and mine.close["price"] > 0.0
    ]
    if any(worse):
        mean, most = sum(worse) / len(worse), max(worse, key=abs)
        yield f"the second run traded {mean:+.2f} bp worse on average, {most:+.2f} bp where it differs most"
    paid = sum(theirs.close["fee"] - mine.close["fee"] for mine, theirs in met)
    if abs(paid) > 1e-9:
        yield f"and paid {paid:+,.8g} more in fees"
