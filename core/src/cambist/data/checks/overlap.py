"""Two sources of one series, compared where they overlap; and a series that goes on from another source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.data.checks.raw import read_raw
from cambist.data.checks.report import Defect
from cambist.errors import DataError
from cambist.model.bars import COLUMNS, Bars
from cambist.ports.data_rules import PRICES, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from cambist.data.checks.raw import RawBars
    from cambist.model.bars import Bar

__all__ = ["Overlap", "compare_sources", "switch_source", "values_agree"]

#: Prices of two vendors agree to so much where nobody says.
TOLERANCE = 1e-3
#: Two series are the same ones if so much of their bars agree.
_SHARE = 0.95
#: A lag or a factor explains a disagreement if with it so much agrees.
_EXPLAINED = 0.9
_LAGS = (-2, -1, 1, 2)


@attrs.frozen
class Overlap:
    """How two sources agree.

    Attributes
    ----------
    first, second
        Their names.
    common
        Bars at times that both have.
    only_first, only_second
        Times within the overlap that one of them alone has.
    defects
        The bars that differ, by the row of the second.
    lag
        By how many bars the second is late, where that explains why they differ: a source that stamps bars by their end
        is one bar late. 0 otherwise.
    factor
        By what the prices of the second are to be multiplied, where one factor explains why they differ: another
        currency, unit or adjustment. 1.0 otherwise.
    """

    first: str
    second: str
    common: int
    only_first: int
    only_second: int
    defects: tuple[Defect, ...]
    lag: int = 0
    factor: float = 1.0

    @property
    def agree(self) -> bool:
        """Whether there is an overlap, and 95 of 100 bars of it agree."""
        wrong = len({one.row for one in self.defects})
        return self.common > 0 and wrong <= (1.0 - _SHARE) * self.common

    def describe(self) -> str:
        """Say in one line how they agree."""
        if not self.common:
            return f"{self.first} and {self.second} have no bar of the same time"
        wrong = len({one.row for one in self.defects})
        text = f"{self.first} and {self.second}: {wrong:,} of {self.common:,} common bars differ"
        if self.only_first or self.only_second:
            text += f", {self.only_first:,} and {self.only_second:,} are in one alone"
        if self.lag:
            text += f"; the second is {self.lag:+d} bars off: one of them stamps bars by their end"
        if self.factor != 1.0:
            text += f"; times {self.factor:g} they would agree"
        return text


def values_agree(one: Bar, other: Bar, tolerance: float = TOLERANCE) -> bool:
    """Tell whether the prices of two bars of one time agree, as a share of the first's."""
    return all(abs(getattr(other, name) / getattr(one, name) - 1.0) <= tolerance for name in PRICES)


def compare_sources(
    first: Any, second: Any, *, tolerance: float = TOLERANCE, volume_tolerance: float | None = None
) -> Overlap:
    """Compare two sources of one series where they overlap.

    Parameters
    ----------
    first, second
        Whatever `cambist.load` takes; the first is believed.
    tolerance
        How far prices may differ, as a share.
    volume_tolerance
        How far volumes may, as a share. Default: volumes are not compared, since vendors count different venues.

    Raises
    ------
    DataError
        They are of different timeframes, or cannot be read.
    """
    one, other = _ordered(read_raw(first)), _ordered(read_raw(second))
    if one.timeframe != other.timeframe:
        raise DataError(f"{one.name} and {other.name} differ in timeframe. Resample one of them first.")
    common, mine, theirs = np.intersect1d(one.ts, other.ts, assume_unique=True, return_indices=True)
    differs = _differing(one, other, mine, theirs, tolerance, volume_tolerance)
    wrong = np.any(list(differs.values()), axis=0) if len(common) else np.zeros(0, np.bool_)
    lag, factor = 0, 1.0
    if len(common) and np.count_nonzero(wrong) > (1.0 - _SHARE) * len(common):
        lag = _lag(one, other, tolerance)
        factor = 1.0 if lag else _factor(one, other, mine, theirs, tolerance)
    low, high = max(one.ts[0], other.ts[0]), min(one.ts[-1], other.ts[-1])

    def within(raw: RawBars) -> int:
        return int(np.count_nonzero((raw.ts >= low) & (raw.ts <= high)))

    return Overlap(
        one.name,
        other.name,
        len(common),
        within(one) - len(common),
        within(other) - len(common),
        tuple(_defects(one, other, mine, theirs, differs)),
        lag,
        factor,
    )


def switch_source(before: Bars, after: Any, *, tolerance: float = TOLERANCE, least: int = 5) -> Bars:
    """Return bars that go on from another source, which must agree with them where they overlap.

    Parameters
    ----------
    before
        The bars so far; they stand.
    after
        The source from now on; whatever `cambist.load` takes.
    tolerance
        How far prices may differ, as a share.
    least
        How many bars both must have.

    Raises
    ------
    DataError
        They overlap by too few bars, or disagree there: names the first bar, and the lag or factor that explains it.
    """
    found = compare_sources(before, after, tolerance=tolerance)
    if found.common < least:
        raise DataError(
            f"the source of {before.name} cannot be switched: both have {found.common} bars of one time, and {least} "
            "are asked for. Load more history from the new source."
        )
    if not found.agree:
        raise DataError(
            f"the source of {before.name} cannot be switched: {found.describe()}. First: "
            f"{found.defects[0].describe()}. Repair the new source, or use a larger tolerance=."
        )
    raw = _ordered(read_raw(after))
    newer = raw.rows(raw.ts >= before.ts[-1] + before.timeframe.ns)
    if not len(newer):
        return before
    ts = np.concatenate([before.ts, newer.ts])
    columns = (np.concatenate([before.columns[name], newer.columns[name]]) for name in COLUMNS)
    return Bars(before.instrument, before.timeframe, ts, *columns)


def _ordered(raw: RawBars) -> RawBars:
    """Return one row for each time, in their order."""
    _, rows = np.unique(raw.ts, return_index=True)
    return raw if len(rows) == len(raw) and bool((np.diff(rows) == 1).all()) else raw.rows(rows)


def _differing(
    one: RawBars,
    other: RawBars,
    mine: NDArray[np.int64],
    theirs: NDArray[np.int64],
    tolerance: float,
    volume_tolerance: float | None,
) -> dict[str, NDArray[np.bool_]]:
    """Tell for each column which of the common rows differ; what is NaN differs from everything."""
    differs = {}
    for name in PRICES if volume_tolerance is None else COLUMNS:
        allowed = tolerance if name != "volume" or volume_tolerance is None else volume_tolerance
        known, told = one.columns[name][mine], other.columns[name][theirs]
        differs[name] = ~(np.abs(told - known) <= allowed * np.abs(known))
    return differs


def _defects(
    one: RawBars,
    other: RawBars,
    mine: NDArray[np.int64],
    theirs: NDArray[np.int64],
    differs: dict[str, NDArray[np.bool_]],
) -> Iterable[Defect]:
    for name, mask in differs.items():
        for place in np.flatnonzero(mask).tolist():
            known, told = float(one.columns[name][mine[place]]), float(other.columns[name][theirs[place]])
            row = int(theirs[place])
            text = f"{name} is {told:g}, and {known:g} in {one.name}"
            yield Defect(
                "overlap", Severity.WARNING, int(other.origin[row]), int(other.ts[row]), name, told, text, known
            )


def _agreeing(one: NDArray[np.float64], other: NDArray[np.float64], tolerance: float) -> float:
    return float(np.mean(np.abs(other - one) <= tolerance * np.abs(one))) if len(one) else 0.0


def _lag(one: RawBars, other: RawBars, tolerance: float) -> int:
    """Return by how many bars the second is late, if that explains most."""
    for lag in _LAGS:
        _, mine, theirs = np.intersect1d(
            one.ts, other.ts - lag * one.timeframe.ns, assume_unique=True, return_indices=True
        )
        share = _agreeing(one.columns["close"][mine], other.columns["close"][theirs], tolerance)
        if len(mine) > 2 and share >= _EXPLAINED:
            return lag
    return 0


def _factor(
    one: RawBars, other: RawBars, mine: NDArray[np.int64], theirs: NDArray[np.int64], tolerance: float
) -> float:
    """Return by what the second's prices are to be multiplied, if that explains most."""
    known, told = one.columns["close"][mine], other.columns["close"][theirs]
    factor = float(np.median(known / told))
    if np.isfinite(factor) and _agreeing(known, told * factor, tolerance) >= _EXPLAINED:
        return factor
    return 1.0
