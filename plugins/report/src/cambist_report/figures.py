"""Figures of a run by matplotlib, without a display: the same curves as on the page, for a paper or a message.

Long columns are brought to a few thousand points first, as the page does; a million bars are drawn in a moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import pandas as pd

from cambist.api import ParameterError, ResultError, did_you_mean
from cambist_report.account import account_axis, rolling_axis, rolling_window
from cambist_report.arrays import floats
from cambist_report.distribution import spread_of
from cambist_report.levels import coarser
from cambist_report.market import Market, markets_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from cambist import Result
    from cambist_report.axes import Axis

__all__ = ["FIGURES", "draw"]

_FORMATS = ("png", "svg", "pdf")
#: Points of a curve, and candles, of one picture.
_POINTS, _CANDLES = 2000, 260
_NS_A_DAY = 86_400e9


@attrs.frozen
class _Colors:
    page: str
    ink: str
    soft: str
    line: str
    up: str
    down: str
    accent: str
    lines: tuple[str, ...]


_LIGHT = _Colors(
    "#ffffff",
    "#171b22",
    "#5a6472",
    "#e5e8ed",
    "#0f6cbd",
    "#c2500a",
    "#4f46e5",
    ("#a16207", "#7c3aed", "#0f766e", "#be185d"),
)
_DARK = _Colors(
    "#141922",
    "#e8ebf0",
    "#9ba6b6",
    "#262e3b",
    "#5aaeff",
    "#ff9a52",
    "#9a94ff",
    ("#e3b341", "#b794ff", "#4fd1c1", "#ff7eb6"),
)


@attrs.frozen(eq=False)
class _Picture:
    """What is drawn: the run, the colors, and the part of it that is shown, ns."""

    result: Result
    colors: _Colors
    start: int
    end: int


def draw(
    result: Result,
    path: Path | None,
    *,
    figure: str = "overview",
    size: tuple[float, float] | None = None,
    dpi: float = 144,
    dark: bool = False,
    start: Any = None,
    end: Any = None,
) -> Figure:
    """Draw a figure of a run; save it where a path is given.

    Parameters
    ----------
    result
        Of the run.
    path
        Of the picture, ``.png``, ``.svg`` or ``.pdf``; None for none.
    figure
        One of `FIGURES`.
    size
        Inches.
    dpi
        Points of an inch, for PNG.
    dark
        Light on dark.
    start, end
        Of what is shown, as pandas reads times; UTC.

    Raises
    ------
    ParameterError
        For a figure or a format that there is not, and for times that leave nothing.
    ResultError
        If the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if figure not in FIGURES:
        raise ParameterError(f"there is no figure {figure!r}.{did_you_mean(figure, FIGURES)}")
    if path is not None and path.suffix[1:].lower() not in _FORMATS:
        raise ParameterError(f"{path.name}: a figure is saved as one of: {', '.join(_FORMATS)}.")
    painter, usual = FIGURES[figure]
    first, last = _time(start, result.started), _time(end, result.ended)
    if last <= first:
        raise ParameterError(f"nothing of the run lies between start={start!r} and end={end!r}.")
    colors = _DARK if dark else _LIGHT
    made = Figure(figsize=size or usual, dpi=dpi, facecolor=colors.page, layout="constrained")
    FigureCanvasAgg(made)
    painter(made, _Picture(result, colors, first, last))
    if path is not None:
        _save(made, path, colors)
    return made


def _save(made: Figure, path: Path, colors: _Colors) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        made.savefig(path, facecolor=colors.page)
    except OSError as error:
        raise ResultError(
            f"the figure cannot be written to {path}: {error.strerror or error}. Choose a file in a folder that can be "
            "written to."
        ) from error


def _time(value: Any, default: int) -> int:
    if value is None:
        return default
    try:
        time = pd.Timestamp(value)
    except (ValueError, TypeError) as error:
        raise ParameterError(f"{value!r} is no time. Write it as '2024-03-01' or '2024-03-01 09:30'.") from error
    return int((time.tz_localize("UTC") if time.tzinfo is None else time.tz_convert("UTC")).as_unit("ns").value)


def _dress(axes: Axes, colors: _Colors, title: str, *, percent: bool = False) -> None:
    from matplotlib.ticker import FuncFormatter

    axes.set_facecolor(colors.page)
    axes.set_title(title, loc="left", fontsize=9.5, fontweight="bold", color=colors.ink)
    axes.grid(visible=True, color=colors.line, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=colors.soft, labelsize=8, length=0)
    axes.yaxis.tick_right()
    for spine in axes.spines.values():
        spine.set_visible(False)
    if percent:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:,.4g} %"))
    else:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))


def _legend(axes: Axes, colors: _Colors) -> None:
    legend = axes.legend(loc="upper left", fontsize=8, frameon=False, labelcolor=colors.soft, ncols=4)
    legend.set_in_layout(False)


def _points(axis: Axis, name: str, picture: _Picture, most: int = _POINTS) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return times and values of a column, no more than a picture has room for."""
    column = axis.columns[name]
    first, last = np.searchsorted(axis.times, (picture.start, picture.end + 1))
    values, times = column.values[first:last], axis.times[first:last]  # noqa: PD011 - no frame
    factor = max(1, -(-len(times) // most))
    ends = np.minimum(np.arange(0, len(times), factor) + factor, len(times)) - 1
    return times[ends].view("datetime64[ns]"), coarser(values, column.how, factor)


def _price(axes: Axes, picture: _Picture) -> None:
    market = next(iter(markets_of(picture.result)), None)
    if market is None:
        return
    colors = picture.colors
    _dress(axes, colors, f"{market.symbol} {market.timeframe}".strip())
    if market.bars is None:
        axes.plot(*_points(market.axis, "close", picture), color=colors.accent, linewidth=1.2)
    else:
        _candles(axes, market, picture)
    shown = 0
    for name, column in market.axis.columns.items():
        if column.panel == "price":
            color = colors.lines[shown % len(colors.lines)]
            axes.plot(*_points(market.axis, name, picture), color=color, linewidth=1.1, label=column.label)
            shown += 1
    for buy, marker, color in ((1.0, "^", colors.up), (0.0, "v", colors.down)):
        times = market.axis.times[market.fills["row"].astype(np.int64)]
        which = (market.fills["buy"] == buy) & (times >= picture.start) & (times <= picture.end)
        if which.any():
            axes.scatter(
                times[which].view("datetime64[ns]"),
                market.fills["price"][which],
                s=34 if which.sum() < 200 else 9,
                marker=marker,
                color=color,
                edgecolors=colors.page,
                linewidths=0.6,
                zorder=4,
                label="Buys" if buy else "Sells",
            )
    if shown or len(market.fills["row"]):
        _legend(axes, colors)


def _candles(axes: Axes, market: Market, picture: _Picture) -> None:
    """Draw bars as two collections, hollow where the price rose and filled where it fell."""
    from matplotlib.collections import LineCollection, PolyCollection

    bars = market.bars
    assert bars is not None
    first, last = np.searchsorted(bars.ts, (picture.start, picture.end))
    if last <= first:
        return
    factor = max(1, -(-(last - first) // _CANDLES))
    open_, high, low, close = (
        coarser(getattr(bars, name)[first:last], how, factor)
        for name, how in (("open", "first"), ("high", "max"), ("low", "min"), ("close", "last"))
    )
    x = bars.ts[first:last:factor] / _NS_A_DAY  # days, as matplotlib counts them
    half = 0.34 * float(np.median(np.diff(x))) if len(x) > 1 else 0.3
    for rose in (True, False):
        which = (close >= open_) == rose
        color = picture.colors.up if rose else picture.colors.down
        top, bottom = np.maximum(open_, close)[which], np.minimum(open_, close)[which]
        at = x[which]
        wicks = np.concatenate(
            (
                np.stack([np.stack([at, high[which]], 1), np.stack([at, top], 1)], 1),
                np.stack([np.stack([at, low[which]], 1), np.stack([at, bottom], 1)], 1),
            )
        )
        axes.add_collection(LineCollection(list(wicks), colors=color, linewidths=0.8, zorder=2))
        corners = [(at - half, bottom), (at + half, bottom), (at + half, top), (at - half, top)]
        bodies = np.stack([np.stack(corner, 1) for corner in corners], 1)
        face = picture.colors.page if rose else color
        axes.add_collection(PolyCollection(list(bodies), facecolors=face, edgecolors=color, linewidths=0.8, zorder=3))
    axes.xaxis_date()
    axes.autoscale_view()


def _equity(axes: Axes, picture: _Picture) -> None:
    colors, axis = picture.colors, account_axis(picture.result)
    _dress(axes, colors, f"Equity ({picture.result.currency})")
    if "benchmark" in axis.columns:
        axes.plot(
            *_points(axis, "benchmark", picture), color=colors.soft, linewidth=1.0, linestyle="--", label="Buy and hold"
        )
    axes.plot(*_points(axis, "equity", picture), color=colors.accent, linewidth=1.6, label="Strategy")
    _legend(axes, colors)


def _underwater(axes: Axes, picture: _Picture) -> None:
    colors = picture.colors
    _dress(axes, colors, "Drawdown", percent=True)
    times, falls = _points(account_axis(picture.result), "drawdown", picture)
    axes.fill_between(times, falls, 0.0, color=colors.down, alpha=0.2, linewidth=0.0)
    axes.plot(times, falls, color=colors.down, linewidth=1.1)


def _exposure(axes: Axes, picture: _Picture) -> None:
    colors, axis = picture.colors, account_axis(picture.result)
    _dress(axes, colors, "Net exposure", percent=True)
    if "net" in axis.columns:
        times, net = _points(axis, "net", picture)
        axes.fill_between(times, net, 0.0, step="pre", color=colors.lines[2], alpha=0.25, linewidth=0.0)
        axes.step(times, net, where="pre", color=colors.lines[2], linewidth=0.9)


def _overview_figure(made: Figure, picture: _Picture) -> None:
    ratios = [3.2, 2.0, 1.0, 0.8]
    for axes, paint in zip(
        made.subplots(4, 1, sharex=True, height_ratios=ratios), (_price, _equity, _underwater, _exposure), strict=True
    ):
        paint(axes, picture)
    made.suptitle(picture.result.title, x=0.01, ha="left", fontsize=12, fontweight="bold", color=picture.colors.ink)


def _alone(paint: Callable[[Axes, _Picture], None]) -> Callable[[Figure, _Picture], None]:
    def figure(made: Figure, picture: _Picture) -> None:
        paint(made.subplots(), picture)

    return figure


def _rolling_figure(made: Figure, picture: _Picture) -> None:
    axis, window = rolling_axis(picture.result), rolling_window(picture.result)
    for axes, (name, title, percent) in zip(
        made.subplots(2, 1, sharex=True),
        (("sharpe", "Sharpe ratio", False), ("volatility", "Volatility a year", True)),
        strict=True,
    ):
        _dress(axes, picture.colors, f"{title} over {window} days", percent=percent)
        if f"benchmark_{name}" in axis.columns:
            points = _points(axis, f"benchmark_{name}", picture)
            axes.plot(*points, color=picture.colors.soft, linewidth=1.0, linestyle="--", label="Buy and hold")
        axes.plot(*_points(axis, name, picture), color=picture.colors.lines[1], linewidth=1.3, label="Strategy")
    _legend(axes, picture.colors)


def _monthly(axes: Axes, picture: _Picture) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    colors, frame = picture.colors, picture.result.analysis.monthly_returns
    _dress(axes, colors, "Returns by month, percent")
    axes.grid(visible=False)
    if frame.empty:
        return
    values = 100.0 * floats(frame)
    reach = float(np.nanquantile(np.abs(values[:, :12]), 0.9)) if np.isfinite(values[:, :12]).any() else 1.0
    scale = LinearSegmentedColormap.from_list("gain", [colors.down, colors.page, colors.up])
    axes.imshow(values, cmap=scale, vmin=-1.6 * reach or -1, vmax=1.6 * reach or 1, aspect="auto")
    axes.set_xticks(range(values.shape[1]), [str(name)[:4] for name in frame.columns])
    axes.set_yticks(range(len(frame)), [str(year) for year in frame.index])
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            axes.text(column, row, f"{value:+.1f}", ha="center", va="center", fontsize=7.5, color=colors.ink)


def _distribution(axes: Axes, picture: _Picture) -> None:
    colors = picture.colors
    _dress(axes, colors, "Daily returns")
    values = floats(picture.result.analysis.returns)
    values = values[np.isfinite(values)]
    if len(values) < 2 or not np.ptp(values):
        return
    counts, edges = spread_of(values)
    shades = [colors.down if right <= 0 else colors.up for right in edges[1:].tolist()]
    axes.bar(100 * edges[:-1], counts, width=100 * np.diff(edges) * 0.9, align="edge", color=shades)
    axes.set_xlabel("percent", fontsize=8, color=colors.soft)


def _excursions_figure(made: Figure, picture: _Picture) -> None:
    markets = markets_of(picture.result)
    colors = picture.colors
    returns = np.concatenate([floats(market.trades["return"]) for market in markets] or [np.empty(0)])
    for axes, name, title in zip(
        made.subplots(1, 2, sharey=True),
        ("adverse", "favorable"),
        ("Adverse excursion (MAE)", "Favorable excursion (MFE)"),
        strict=True,
    ):
        _dress(axes, colors, f"{title} and return, percent")
        moves = np.concatenate([getattr(market, name) for market in markets] or [np.empty(0)])
        for won, marker, color in ((True, "o", colors.up), (False, "D", colors.down)):
            which = (returns > 0) == won
            axes.scatter(
                100 * moves[which], 100 * returns[which], s=16, marker=marker, color=color, alpha=0.8, linewidths=0
            )


#: What can be drawn, by name: what draws it, and its usual size in inches.
FIGURES: dict[str, tuple[Callable[[Figure, _Picture], None], tuple[float, float]]] = {
    "overview": (_overview_figure, (11.0, 9.0)),
    "price": (_alone(_price), (11.0, 5.0)),
    "equity": (_alone(_equity), (11.0, 4.0)),
    "underwater": (_alone(_underwater), (11.0, 2.8)),
    "rolling": (_rolling_figure, (11.0, 4.5)),
    "monthly": (_alone(_monthly), (11.0, 3.6)),
    "distribution": (_alone(_distribution), (8.0, 4.0)),
    "exposure": (_alone(_exposure), (11.0, 2.6)),
    "excursions": (_excursions_figure, (11.0, 4.4)),
}
