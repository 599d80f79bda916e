"""The heat map of months and years."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

import numpy as np

from cambist_report.arrays import floats
from cambist_report.markup import escape

if TYPE_CHECKING:
    from cambist import Result

__all__ = ["heat", "monthly_map"]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def monthly_map(result: Result) -> str:
    """Return the returns of months, a row a year, with the year's own at the end; empty without a return."""
    frame = result.analysis.monthly_returns
    if frame.empty:
        return ""
    months = floats(frame.iloc[:, :12])
    years = floats(frame["Year"])
    reach = _reach(months)
    head = "".join(f'<th scope="col" class="num">{name}</th>' for name in (*_MONTHS, "Year"))
    rows = []
    for year, own, total in zip(frame.index, months, years, strict=True):
        cells = "".join(
            _cell(value, reach, f"{name} {year}") for name, value in zip(_MONTHS, own.tolist(), strict=True)
        )
        rows.append(f'<tr><th scope="row">{year}</th>{cells}{_cell(total, _reach(years), f"{year}", "year")}</tr>')
    return (
        '<div class="scroll" tabindex="0" role="group" aria-label="Returns by month"><table class="heat">'
        f'<caption>Returns by month, in percent</caption><thead><tr><th scope="col">Year</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def heat(value: float, reach: float) -> str:
    """Return the style of a cell: toward one color above zero, toward another below."""
    if isnan(value):
        return ""
    strength = min(1.0, abs(value) / reach) if reach else 0.0
    return f'class="{"up" if value >= 0 else "down"}" style="--heat:{100 * strength:.0f}%"'


def _cell(value: float, reach: float, label: str, extra: str = "") -> str:
    if isnan(value):
        return '<td class="num none">·</td>'
    text = f"{100 * value:+.1f}" if value else "0.0"
    style = heat(value, reach).replace('class="', f'class="num {extra} '.replace("  ", " "))
    return f'<td {style} title="{escape(label)}: {100 * value:+.2f} %">{text}</td>'


def _reach(values: np.ndarray) -> float:
    """Return the size that gets the full color: nine tenths of all are smaller."""
    known = np.abs(values[np.isfinite(values)])
    return float(np.quantile(known, 0.9)) if len(known) else 0.0
