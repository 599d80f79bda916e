"""What a notebook shows of a run: two small curves that need neither a script nor a picture file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cambist_report.arrays import floats
from cambist_report.markup import escape

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from cambist import Result

__all__ = ["curves"]

_WIDTH, _HIGH, _LOW, _GAP = 720.0, 170.0, 54.0, 8.0
#: Points of a curve; a screen has no room for more.
_POINTS = 720


def curves(result: Result, path: Path | None) -> str:  # noqa: ARG001 - every way to show a run gets a path
    """Return equity, buying and holding beside it, and drawdown as SVG; empty for a run without a bar."""
    frame = result.equity
    if len(frame) < 2:
        return ""
    rows = np.unique(np.linspace(0, len(frame) - 1, min(_POINTS, len(frame))).astype(int))
    own = floats(frame["equity"])[rows]
    fall = floats(frame["drawdown"])[rows]
    held = None
    if result.history is not None and not result.accounts and result.benchmark is not None:
        held = floats(result.series.benchmark)[rows]
    every = own if held is None else np.concatenate((own, held))
    low, high = float(np.nanmin(every)), float(np.nanmax(every))
    top = 4.0 + _HIGH + _GAP
    beside = (
        ""
        if held is None
        else f'<path d="{_path(held, low, high, 4.0, _HIGH)}" stroke="#8a94a3" stroke-dasharray="4 3"/>'
    )
    deepest = min(float(np.nanmin(fall)), -1e-9)
    under = _path(fall, deepest, 0.0, top, _LOW)
    label = f"Equity and drawdown of {result.title}"
    return (
        f'<svg viewBox="0 0 {_WIDTH:.0f} {top + _LOW + 4:.0f}" width="{_WIDTH:.0f}" style="max-width:100%;height:auto" '
        f'role="img" aria-label="{escape(label)}"><g fill="none" stroke-width="1.6" stroke-linejoin="round">'
        f'{beside}<path d="{_path(own, low, high, 4.0, _HIGH)}" stroke="#4f46e5"/>'
        f'<path d="{under} L{_WIDTH:.0f},{top:.1f} L0,{top:.1f} Z" fill="#c2500a" fill-opacity=".18" stroke="none"/>'
        f'<path d="{under}" stroke="#c2500a"/></g></svg>'
    )


def _path(values: NDArray[np.float64], low: float, high: float, top: float, height: float) -> str:
    xs = np.linspace(0.0, _WIDTH, len(values))
    ys = top + (1.0 - (values - low) / ((high - low) or 1.0)) * height
    points = [f"{x:.1f},{y:.1f}" for x, y in zip(xs.tolist(), ys.tolist(), strict=True) if np.isfinite(y)]
    return "M" + " L".join(points)
