"""Times as lines, and which day a bar belongs to."""

from __future__ import annotations

from datetime import datetime, time
from math import inf
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs
import numpy as np

from cambist.errors import LineError, ParameterError
from cambist.indicators.computation import first_known, require_columns
from cambist.indicators.lines import Line, attach

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SessionDay", "session_day", "time_of"]


@attrs.frozen
class SessionDay:
    """The day of a time, counted from 1970, in a time zone, where days begin at some time of day.

    Parameters
    ----------
    zone
        Such as ``"America/New_York"``.
    begins
        Time of day, ``"HH:MM"``, at which a new day begins.
    """

    zone: str = "UTC"
    begins: str = "00:00"
    _shift: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Check both."""
        try:
            begins = time.fromisoformat(self.begins)
            ZoneInfo(self.zone)
        except (ValueError, ZoneInfoNotFoundError, OSError) as error:
            raise ParameterError(
                f"session: zone is {self.zone!r} and days begin at {self.begins!r}; give a zone such as "
                f"'America/New_York' and a time such as '09:30'. ({error})"
            ) from None
        object.__setattr__(self, "_shift", begins.hour * 3600 + begins.minute * 60 + begins.second)

    @property
    def name(self) -> str:
        """With zone and time."""
        return f"session_day({self.zone}, {self.begins})"

    @property
    def outputs(self) -> tuple[str, ...]:
        """One output."""
        return ("value",)

    @property
    def lookback(self) -> int:
        """No row is needed before."""
        return 0

    def batch(self, *inputs: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Compute whole columns of seconds since the epoch; see `cambist.indicators.computation.Computation`."""
        import pandas as pd

        (seconds,) = require_columns(self.name, 1, inputs)
        days = np.full(len(seconds), np.nan)
        start = first_known(seconds)
        index = pd.DatetimeIndex((seconds[start:] * 1e9).astype(np.int64), tz="UTC").tz_convert(self.zone)
        wall = index.tz_localize(None).as_unit("s").asi8
        days[start:] = (wall - self._shift) // 86_400
        return (days,)

    def open(self) -> _SessionStream:
        """Begin a stream that has seen no row yet."""
        return _SessionStream(self)


class _SessionStream:
    """Remembers how far the zone was from UTC during a day of UTC, where that did not change."""

    __slots__ = ("_ahead", "_begin", "_shift", "_zone", "extend")

    def __init__(self, computation: SessionDay) -> None:
        self.extend = computation.batch
        self._zone = ZoneInfo(computation.zone)
        self._shift = computation._shift  # noqa: SLF001 - the two are one thing
        self._begin, self._ahead = inf, 0

    def update(self, *values: float) -> tuple[float, ...]:
        (seconds,) = values
        if seconds != seconds:  # noqa: PLR0124 - NaN
            return (seconds,)
        if not 0.0 <= seconds - self._begin < 86_400.0:
            self._begin = seconds // 86_400.0 * 86_400.0
            self._ahead = self._distance(self._begin)
            if self._ahead != self._distance(self._begin + 86_400.0):
                self._begin, self._ahead = inf, self._distance(seconds)  # the clock changes on this day
        return ((seconds // 1.0 + self._ahead) // 86_400.0,)

    def _distance(self, seconds: float) -> int:
        """Return how many seconds the days of the session are ahead of those of UTC."""
        ahead = datetime.fromtimestamp(int(seconds // 1), self._zone).utcoffset()
        assert ahead is not None
        return int(ahead.total_seconds()) - self._shift


def time_of(data: object) -> Line:
    """Return the open times of a series as a line.

    Parameters
    ----------
    data
        A series, such as ``self.data``.

    Returns
    -------
    Line
        Seconds since the epoch, UTC. Lookback 0.

    Raises
    ------
    LineError
        For anything but a series, or after ``on_start``.
    """
    close = getattr(data, "close", None)
    if not isinstance(close, Line):
        raise LineError(f"times are those of a series, such as self.data; got {type(data).__name__}.")
    return close._cursor.time  # noqa: SLF001 - the time is of the cursor, which a line knows


def session_day(data: object, zone: str = "UTC", begins: str = "00:00") -> Line:
    """Day to which a bar belongs.

    The days since 1970 at the bar's open, in the time zone, where a day begins at `begins`: a number that changes where
    a new session begins.

    Parameters
    ----------
    data
        A series, such as ``self.data``.
    zone
        Such as ``"America/New_York"``.
    begins
        Time of day, ``"HH:MM"``.

    Returns
    -------
    Line
        Days. Lookback 0.
    """
    return attach(SessionDay(zone, begins), time_of(data))[0]
