"""How daily returns are spread: a histogram with the normal curve of the same mean and deviation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cambist_report.arrays import floats
from cambist_report.markup import escape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cambist import Result

__all__ = ["histogram", "return_distribution", "spread_of"]

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 640.0, 260.0, 8.0, 28.0, 14.0
_BINS = 45
#: Where fewer days than these moved at all, the picture is of those alone.
_MOSTLY = 0.9


def spread_of(values: NDArray[np.float64], bins: int = _BINS) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return counts and edges of a histogram that leaves no return out; a bin edge lies at zero.

    The outermost half percent at each end share the outermost bins.
    """
    low, high = np.quantile(values, [0.005, 0.995])
    low, high = min(float(low), 0.0), max(float(high), 0.0)
    if high == low:
        low, high = low - 1e-4, high + 1e-4
    width = (high - low) / bins
    edges = np.arange(np.floor(low / width), np.ceil(high / width) + 1) * width
    counts, _ = np.histogram(np.clip(values, edges[0], np.nextafter(edges[-1], edges[0])), edges)
    return counts, edges


def return_distribution(result: Result) -> str:
    """Return the histogram of daily returns; empty with fewer than two."""
    values = floats(result.analysis.returns)
    values = values[np.isfinite(values)]
    if len(values) < 2 or not np.ptp(values):
        return ""
    moved = values[values != 0.0]
    shown = moved if len(moved) < _MOSTLY * len(values) and len(moved) > 1 and np.ptp(moved) else values
    analysis = result.analysis
    var = analysis.measure("value_at_risk")
    said = {
        "days": f"{len(values):,}",
        "mean": f"{100 * values.mean():+.3f} %",
        "deviation": f"{100 * values.std(ddof=1):.3f} %",
        "skewness": f"{analysis.measure('skewness') or 0.0:.2f}",
        "excess kurtosis": f"{analysis.measure('kurtosis') or 0.0:.2f}",
        "value at risk (5 %)": f"{100 * (var or 0.0):+.2f} %",
        "best": f"{100 * values.max():+.2f} %",
        "worst": f"{100 * values.min():+.2f} %",
    }
    facts = "".join(f"<div><dt>{escape(name)}</dt><dd>{value}</dd></div>" for name, value in said.items())
    marks = [("5 % VaR", var)] if var is not None and np.isfinite(var) else []
    left = len(values) - len(shown)
    note = f'<p class="note">{left:,} days without a change are not in the picture; in the numbers they are.</p>'
    return (note if left else "") + histogram(shown, "Daily returns", marks) + f'<dl class="pairs">{facts}</dl>'


def histogram(values: NDArray[np.float64], label: str, marks: list[tuple[str, float]]) -> str:
    """Return a histogram of fractions as SVG, in the colors of the page.

    Parameters
    ----------
    values
        Finite, at least two.
    label
        What they are.
    marks
        Words and the places at which they stand.
    """
    counts, edges = spread_of(values)
    highest = max(int(counts.max()), 1)
    middle, deviation = float(values.mean()), float(values.std(ddof=1))
    density = np.exp(-0.5 * ((edges - middle) / deviation) ** 2) / (deviation * np.sqrt(2.0 * np.pi))
    normal = density * len(values) * (edges[1] - edges[0])
    top = max(highest, float(normal.max()))

    def x(value: float) -> float:
        return float(_LEFT + (value - edges[0]) / (edges[-1] - edges[0]) * (_WIDTH - 2 * _LEFT))

    def y(count: float) -> float:
        return _TOP + (1.0 - count / top) * (_HEIGHT - _BOTTOM - _TOP)

    bars = "".join(
        f'<rect x="{x(left) + 0.75:.1f}" y="{y(count):.1f}" width="{max(x(right) - x(left) - 1.5, 0.5):.1f}" '
        f'height="{y(0) - y(count):.1f}" rx="1.5" class="{"down" if right <= 1e-15 else "up"}">'
        f"<title>{100 * left:+.2f} to {100 * right:+.2f} %: {count:,}</title></rect>"
        for count, left, right in zip(counts.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    )
    curve = " ".join(
        f"{x(edge):.1f},{y(value):.1f}" for edge, value in zip(edges.tolist(), normal.tolist(), strict=True)
    )
    ticks = "".join(
        f'<text x="{x(value):.1f}" y="{_HEIGHT - 8:.0f}" text-anchor="middle">{100 * value:+.3g} %</text>'
        for value in _ticks(edges[0], edges[-1])
        if _LEFT + 18 < x(value) < _WIDTH - _LEFT - 18
    )
    lines = "".join(
        f'<line x1="{x(value):.1f}" x2="{x(value):.1f}" y1="{_TOP:.0f}" y2="{y(0):.1f}" class="mark"/>'
        f'<text x="{x(value) - 5:.1f}" y="{_TOP + 10:.0f}" text-anchor="end">{escape(word)}</text>'
        for word, value in marks
        if edges[0] <= value <= edges[-1]
    )
    return (
        f'<svg class="histogram" viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" role="img" '
        f'aria-label="{escape(label)}: histogram of {len(values):,} values">{bars}'
        f'<polyline points="{curve}" class="normal"/><line x1="{_LEFT}" x2="{_WIDTH - _LEFT}" y1="{y(0):.1f}" '
        f'y2="{y(0):.1f}" class="base"/>{lines}{ticks}</svg>'
    )


def _ticks(low: float, high: float) -> list[float]:
    raw = (high - low) / 6
    size = 10.0 ** np.floor(np.log10(raw))
    step = float(min((size * factor for factor in (1, 2, 5, 10)), key=lambda one: abs(one - raw)))
    return [float(number * step) for number in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]
