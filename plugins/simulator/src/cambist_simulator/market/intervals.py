"""Where candles begin and end."""

from __future__ import annotations

from datetime import UTC, datetime

from cambist import Timeframe
from cambist.api import InputError

__all__ = ["MINUTE", "Interval"]

_NS = 1_000_000_000
_DAY = 86_400 * _NS
_WEEK = 7 * _DAY
#: The first Monday of the epoch.
_MONDAY = 4 * _DAY


class Interval:
    """The length of a candle: one of `cambist.Timeframe`, or a month of the calendar.

    Candles of whole weeks begin on a Monday, those of ``"1M"`` on the first of a month, all others at multiples of
    their length since the epoch; all in UTC.

    Attributes
    ----------
    name
        ``"1m"``, ``"4h"``, ``"1M"``, as it was written.
    ns
        Length; 0 of a month.

    Raises
    ------
    InputError
        If `name` is no length.
    """

    __slots__ = ("_offset", "name", "ns")

    def __init__(self, name: str | Timeframe) -> None:
        self.name = str(name)
        try:
            self.ns = 0 if self.name == "1M" else Timeframe.parse(name).ns
        except InputError as error:
            raise InputError(
                f"{name!r} is no length of a candle. Write '1s', '5m', '4h', '1d', '1w', or '1M'."
            ) from error
        self._offset = _MONDAY if self.ns and self.ns % _WEEK == 0 else 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Interval) and (self.ns, self.ns or self.name) == (other.ns, other.ns or other.name)

    def __hash__(self) -> int:
        return hash(self.ns)

    def __repr__(self) -> str:
        return f"Interval({self.name!r})"

    def floor(self, at: int) -> int:
        """Return when the candle begins that `at` (ns) is in."""
        if self.ns:
            return at - (at - self._offset) % self.ns
        day = datetime.fromtimestamp(at // _NS, UTC)
        return int(datetime(day.year, day.month, 1, tzinfo=UTC).timestamp()) * _NS

    def after(self, opens: int) -> int:
        """Return when the candle ends, and the next begins, that begins at `opens` (ns)."""
        return opens + self.ns if self.ns else self.floor(opens + 32 * _DAY)

    def divides(self, other: Interval) -> bool:
        """Tell whether candles of `other` are made of whole candles of this one."""
        if not self.ns:
            return other == self
        return _DAY % self.ns == 0 if not other.ns else other.ns % self.ns == 0 and other._offset % self.ns == 0


MINUTE = Interval("1m")
