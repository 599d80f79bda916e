"""Numbers, money and times as a trader reads them."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

from cambist.analysis.catalog import Unit
from cambist.model.times import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, format_ns, to_ns

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.analysis.summary import Value

__all__ = ["format_value", "iso_time", "money_places"]

_NOT_COMPUTABLE = "-"
_LENGTHS = ((DAY_NS, "d"), (HOUR_NS, "h"), (MINUTE_NS, "min"), (SECOND_NS, "s"))


def iso_time(ns: int) -> str:
    """Write a time for machines: ``2024-03-01T09:30:00Z``, with a fraction only where there is one."""
    return format_ns(ns).replace(" ", "T", 1).replace(" UTC", "Z")


def money_places(initial: float) -> int:
    """Return how many decimals amounts need in an account that starts with `initial`: one bitcoin needs more."""
    if initial >= 1_000:
        return 2
    return 4 if initial >= 10 else 8


def format_value(value: Value, unit: Unit, places: int, *, opens: bool = False) -> str:
    """Write a measure's value for a table; ``-`` where there is none.

    Parameters
    ----------
    value
        As in `cambist.analysis.summary.Measure`.
    unit
        What it counts.
    places
        Decimals of money, see `money_places`.
    opens
        A time is the open of a bar, not a close.
    """
    if value is None or (isinstance(value, float) and isnan(value)):
        return _NOT_COMPUTABLE
    if isinstance(value, str):
        return _time(value, opens=opens)
    return f"{value:,.{places}f}" if unit is Unit.MONEY else _FORMATS[unit](value)


def _time(iso: str, *, opens: bool) -> str:
    """Write midnight as a day: as the day that it opens, or for a close as the day that it ends."""
    ns = to_ns(iso)
    if ns % DAY_NS == 0:
        return format_ns(ns if opens else ns - 1)[:10]
    return format_ns(ns).removesuffix(" UTC").split(".")[0].removesuffix(":00")


def _length(seconds: float) -> str:
    """Write a length of time in its two largest units: ``12 d 4 h``."""
    rest = round(seconds * SECOND_NS)
    parts: list[tuple[int, str]] = []
    for unit, name in _LENGTHS:
        count, remainder = divmod(rest, unit)
        if count or parts:
            parts.append((count, name))
            rest = remainder
        if len(parts) == 2:
            break
    return " ".join(f"{count:,} {name}" for count, name in parts if count) or "0 s"


_FORMATS: dict[Unit, Callable[[float], str]] = {
    Unit.SECONDS: _length,
    Unit.COUNT: lambda value: f"{value:,}",
    Unit.RETURN: lambda value: f"{100 * value:{'+' if value else ''},.2f} %",
    Unit.SHARE: lambda value: f"{100 * value:,.2f} %",
    Unit.RATIO: lambda value: f"{value:,.2f}",
}
