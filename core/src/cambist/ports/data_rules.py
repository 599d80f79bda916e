"""What a rule of data quality promises, and what it looks at."""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

import attrs
import numpy as np

from cambist.model.bars import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from cambist.model.calendar import Calendar
    from cambist.model.timeframe import Timeframe

__all__ = ["PRICES", "DataRule", "Finding", "SeriesView", "Severity", "Stage"]

#: The columns that hold prices.
PRICES = COLUMNS[:4]


class Severity(StrEnum):
    """How much a defect matters."""

    #: Worth knowing; the bars may be right.
    NOTE = "note"
    #: Probably wrong: a person should look.
    WARNING = "warning"
    #: Wrong: no strategy may see it.
    ERROR = "error"


class Stage(StrEnum):
    """Which rows a rule is shown."""

    #: Every row, as it came.
    RAW = "raw"
    #: Rows whose time is after that of every row before.
    ORDERED = "ordered"
    #: Of these, the rows that are bars: finite, above zero, between low and high.
    SOUND = "sound"


@attrs.frozen(eq=False, kw_only=True)
class SeriesView:
    """Rows of a series as columns, none of which has to be right.

    Attributes
    ----------
    timeframe
        Length of a bar.
    ts
        Open times, int64 ns, UTC, shape ``(n,)``.
    columns
        ``open, high, low, close, volume``, float64, shape ``(n,)`` each.
    extra
        Further columns that came with them: ``adj_close``, ``dividends``, ``splits``; shape ``(n,)`` each.
    always
        Whether the market never closes.
    calendar
        When it trades; None where nobody said.
    now
        The present, ns, UTC; None where it does not matter.
    stale_after
        How old the last bar may be, ns; None where it does not matter.
    """

    timeframe: Timeframe
    ts: NDArray[np.int64]
    columns: Mapping[str, NDArray[np.float64]]
    extra: Mapping[str, NDArray[np.float64]] = attrs.field(factory=dict)
    always: bool = False
    calendar: Calendar | None = None
    now: int | None = None
    stale_after: int | None = None

    def __len__(self) -> int:
        return len(self.ts)

    def rows(self, rows: Any) -> SeriesView:
        """Return some of the rows: a mask, row numbers or a slice."""
        return attrs.evolve(
            self,
            ts=self.ts[rows],
            columns={name: values[rows] for name, values in self.columns.items()},
            extra={name: values[rows] for name, values in self.extra.items()},
        )

    @cached_property
    def steps(self) -> NDArray[np.int64]:
        """From each row to the next, ns, shape ``(n - 1,)``."""
        return np.diff(self.ts)

    @cached_property
    def log_close(self) -> NDArray[np.float64]:
        """Natural logarithm of the closes, shape ``(n,)``; for sound rows alone."""
        logs: NDArray[np.float64] = np.log(self.columns["close"])
        return logs

    @cached_property
    def moves(self) -> NDArray[np.float64]:
        """From each close to the next, as a difference of logarithms, shape ``(n - 1,)``; for sound rows alone."""
        return np.diff(self.log_close)

    @cached_property
    def is_ordered(self) -> NDArray[np.bool_]:
        """Whether each row's time is after that of every row before, shape ``(n,)``."""
        if len(self) < 2 or bool((self.steps > 0).all()):
            return np.ones(len(self), np.bool_)
        ordered = np.ones(len(self), np.bool_)
        ordered[1:] = self.ts[1:] > np.maximum.accumulate(self.ts)[:-1]
        return ordered

    @cached_property
    def is_sound(self) -> NDArray[np.bool_]:
        """Whether each row by itself is a bar, shape ``(n,)``."""
        open_, high, low, close = (self.columns[name] for name in PRICES)
        volume = self.columns["volume"]
        # Comparisons with NaN are false.
        sound = (low > 0.0) & (low <= open_) & (low <= close) & (open_ <= high) & (close <= high) & (high < np.inf)
        sound &= (volume >= 0.0) & (volume < np.inf)
        return sound


@attrs.frozen(slots=True)
class Finding:
    """A defect in a view.

    Attributes
    ----------
    row
        In the view.
    text
        What is wrong, with its values; for a person.
    column
        Whose value is wrong; ``""`` where it is the time or the whole row.
    value
        The value at fault.
    severity
        How much it matters.
    expected
        What the value should be; NaN where the rule does not know. For a factor by which prices are wrong, that factor.
    """

    row: int
    text: str
    column: str = ""
    value: float = float("nan")
    severity: Severity = Severity.WARNING
    expected: float = float("nan")


@runtime_checkable
class DataRule(Protocol):
    """Finds one kind of defect.

    Attributes
    ----------
    name
        The name it is registered under.
    stage
        Which rows it is shown.
    past
        How many rows before a row its verdict looks at.
    future
        How many rows after it; None for one that looks at the whole series, and so says nothing on a stream.
    hindsight
        Whether a verdict over the whole series is better than one from the past alone. Such a rule has `find_past` as
        well, which holds on streams; `past` and `future` are those of that.

    Notes
    -----
    The verdict on row ``i`` must depend on rows ``i - past`` to ``i + future`` of the view alone, so that a stream,
    which has no others, comes to the same.
    """

    name: ClassVar[str]
    stage: ClassVar[Stage]
    past: ClassVar[int]
    future: ClassVar[int | None]
    hindsight: ClassVar[bool]

    def find(self, view: SeriesView) -> Iterable[Finding]:
        """Yield what is wrong, in the order of rows."""
        ...
