"""Repairs over whole columns, and what they changed."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.data.checks.mending import mend
from cambist.data.checks.policy import Action, Change
from cambist.data.checks.rules.gap import missing_times
from cambist.model.bars import COLUMNS
from cambist.ports.data_rules import PRICES, Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cambist.data.checks.check import Circumstances
    from cambist.data.checks.raw import RawBars
    from cambist.data.checks.report import Defect
    from cambist.ports.data_rules import DataRule

__all__ = ["apply", "changes_between"]


def apply(rule: DataRule, action: Action, raw: RawBars, defects: Sequence[Defect], told: Circumstances) -> RawBars:
    """Return the rows after `action` was done about `defects`."""
    if action is Action.SORT:
        return raw.rows(np.argsort(raw.ts, kind="stable"))
    if action is Action.SHIFT:
        return attrs.evolve(raw, ts=raw.ts - raw.timeframe.ns)
    rows = _rows_of(raw, defects)
    if action is Action.LAST:
        return _with_last(raw)
    if action is Action.SPLIT_ADJUST:
        return _split_adjusted(raw, defects, rows)
    if rule.name == "gap":
        return _with_bars(raw, rows, told, line=action is Action.INTERPOLATE)
    if action is Action.INTERPOLATE:
        return _interpolated(raw, defects, rows)
    return _mended(action, raw, defects, rows)


def changes_between(rule: str, action: Action, before: RawBars, after: RawBars) -> list[Change]:
    """Return what became of the rows of `before`: left out, moved, put in, changed."""
    same_rows = len(before) == len(after) and bool((before.origin == after.origin).all())
    if same_rows:
        return _changed_values(rule, action, before, after)
    if action is Action.SORT:
        moved = np.flatnonzero(before.origin != after.origin)
        return [Change(rule, action, int(after.origin[row]), int(after.ts[row])) for row in moved.tolist()]
    # Rows that were put in have no origin; those of earlier repairs are told by their times.
    kept = np.isin(_identity(before), _identity(after))
    new = ~np.isin(_identity(after), _identity(before))
    changes = [Change(rule, action, int(before.origin[row]), int(before.ts[row])) for row in np.flatnonzero(~kept)]
    close = after.columns["close"]
    changes += [Change(rule, action, -1, int(after.ts[row]), new=float(close[row])) for row in np.flatnonzero(new)]
    return changes + _changed_values(rule, action, before.rows(kept), after.rows(~new))


def _identity(raw: RawBars) -> NDArray[np.int64]:
    """Return a number for each row: its origin, or below zero its time."""
    return np.where(raw.origin >= 0, raw.origin, -1 - np.abs(raw.ts))


def _changed_values(rule: str, action: Action, before: RawBars, after: RawBars) -> list[Change]:
    changes = []
    for row in np.flatnonzero(before.ts != after.ts).tolist():
        old, new = float(before.ts[row]), float(after.ts[row])
        changes.append(Change(rule, action, int(after.origin[row]), int(after.ts[row]), "time", old, new))
    for name in COLUMNS:
        old_values, new_values = before.columns[name], after.columns[name]
        differs = (old_values != new_values) & ~(np.isnan(old_values) & np.isnan(new_values))
        changes += [
            Change(
                rule,
                action,
                int(after.origin[row]),
                int(after.ts[row]),
                name,
                float(old_values[row]),
                float(new_values[row]),
            )
            for row in np.flatnonzero(differs).tolist()
        ]
    return changes


def _rows_of(raw: RawBars, defects: Sequence[Defect]) -> list[int]:
    """Return the row of `raw` of each defect."""
    by_place = {key: row for row, key in enumerate(zip(raw.origin.tolist(), raw.ts.tolist(), strict=True))}
    return [by_place[one.row, one.ts] for one in defects]


def _with_last(raw: RawBars) -> RawBars:
    """Keep of the rows of one time the last."""
    _, last = np.unique(raw.ts[::-1], return_index=True)
    return raw.rows(np.sort(len(raw) - 1 - last))


def _mended(action: Action, raw: RawBars, defects: Sequence[Defect], rows: Sequence[int]) -> RawBars:
    """Mend each row by itself and the close before, in their order."""
    columns = {name: values.copy() for name, values in raw.columns.items()}
    extra = {name: values.copy() for name, values in raw.extra.items()}
    kept = np.ones(len(raw), np.bool_)
    pairs = sorted(zip(rows, defects, strict=True), key=lambda pair: pair[0])
    for row, some in groupby(pairs, key=lambda pair: pair[0]):
        found = [Finding(row, "", one.column, one.value, one.severity, one.expected) for _, one in some]
        values = {name: float(columns[name][row]) for name in COLUMNS}
        mended = mend(action, values, found, _close_before(columns["close"], kept, row))
        if mended is None:
            kept[row] = False
        else:
            if action is Action.RESCALE and "adj_close" in extra:
                extra["adj_close"][row] *= mended["close"] / values["close"]
            for name, value in mended.items():
                columns[name][row] = value
    return attrs.evolve(raw, columns=columns, extra=extra).rows(kept)


def _close_before(close: NDArray[np.float64], kept: NDArray[np.bool_], row: int) -> float:
    row -= 1
    while row >= 0 and not kept[row]:
        row -= 1
    return float(close[row]) if row >= 0 else float("nan")


def _split_adjusted(raw: RawBars, defects: Sequence[Defect], rows: Sequence[int]) -> RawBars:
    """Multiply the prices before each split by its factor, and divide the volumes; those without a factor stay."""
    columns = {name: values.copy() for name, values in raw.columns.items()}
    extra = {name: values.copy() for name, values in raw.extra.items()}
    for row, one in zip(rows, defects, strict=True):
        if one.expected == one.expected:
            for name in PRICES:
                columns[name][:row] *= one.expected
            columns["volume"][:row] /= one.expected
            if "adj_close" in extra:
                extra["adj_close"][:row] *= one.expected
    return attrs.evolve(raw, columns=columns, extra=extra)


def _interpolated(raw: RawBars, defects: Sequence[Defect], rows: Sequence[int]) -> RawBars:
    """Put a straight line over time in place of values at fault; at the ends, the nearest sound value."""
    columns = {name: values.copy() for name, values in raw.columns.items()}
    touched: set[int] = set()
    for name in COLUMNS:
        wrong = [row for row, one in zip(rows, defects, strict=True) if one.column == name]
        if not wrong:
            continue
        values = columns[name]
        if name == "volume":
            values[wrong] = 0.0
            continue
        sound = np.isfinite(values) & (values > 0.0)
        sound[wrong] = False
        if not sound.any():
            continue
        near = np.flatnonzero(sound)
        order = near[np.argsort(raw.ts[near], kind="stable")]
        values[wrong] = np.interp(raw.ts[wrong].astype(np.float64), raw.ts[order].astype(np.float64), values[order])
        touched.update(wrong)
        if name == "close":
            # The high or the low that the wrong close was is wrong with it.
            alone = [row for row in wrong if not any(one.column in {"high", "low"} for one in _of(row, rows, defects))]
            columns["high"][alone] = np.maximum(columns["open"][alone], values[alone])
            columns["low"][alone] = np.minimum(columns["open"][alone], values[alone])
    within = sorted(touched)
    prices = np.array([columns[name][within] for name in PRICES])
    if within:
        columns["high"][within], columns["low"][within] = prices.max(axis=0), prices.min(axis=0)
    return attrs.evolve(raw, columns=columns)


def _of(row: int, rows: Sequence[int], defects: Sequence[Defect]) -> list[Defect]:
    return [one for other, one in zip(rows, defects, strict=True) if other == row]


def _with_bars(raw: RawBars, rows: Sequence[int], told: Circumstances, *, line: bool) -> RawBars:
    """Put flat bars without volume into gaps: at the last close, or on a line to the next open."""
    view = told.view(raw)
    ordered = np.flatnonzero(view.is_ordered)
    places: list[int] = []
    times: list[NDArray[np.int64]] = []
    prices: list[NDArray[np.float64]] = []
    for row in rows:
        before = int(ordered[np.searchsorted(ordered, row) - 1])
        missing = missing_times(view, int(raw.ts[before]), int(raw.ts[row]))
        close, following = float(raw.columns["close"][before]), float(raw.columns["open"][row])
        flat = np.full(len(missing), close)
        if line:
            ends = np.array([raw.ts[before] + raw.timeframe.ns, raw.ts[row]], np.float64)
            flat = np.interp((missing + raw.timeframe.ns).astype(np.float64), ends, [close, following])
        places += [row] * len(missing)
        times.append(missing)
        prices.append(flat)
    if not places:
        return raw
    ts, flat = np.concatenate(times), np.concatenate(prices)
    columns = {
        name: np.insert(values, places, np.zeros(len(ts)) if name == "volume" else flat)
        for name, values in raw.columns.items()
    }
    extra = {name: np.insert(values, places, np.zeros(len(ts))) for name, values in raw.extra.items()}
    if "adj_close" in extra:
        extra["adj_close"] = np.insert(raw.extra["adj_close"], places, np.full(len(ts), np.nan))
    return attrs.evolve(
        raw, ts=np.insert(raw.ts, places, ts), columns=columns, extra=extra, origin=np.insert(raw.origin, places, -1)
    )
