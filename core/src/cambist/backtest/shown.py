"""How a result is shown: as a line of text, in a notebook, as a page, and as figures."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import attrs

from cambist.backtest.noted import Noted
from cambist.model import format_ns

if TYPE_CHECKING:
    from os import PathLike

    from cambist.backtest.played import PlayedSeries
    from cambist.backtest.result import Result

__all__ = ["Shown"]


@attrs.define(eq=False, slots=True, kw_only=True, repr=False)
class Shown(Noted):
    """The part of a `cambist.Result` that people look at."""

    @property
    def played(self) -> tuple[PlayedSeries, ...]:
        """The bars that were played, series by series, with the lines that strategies made of them.

        Empty for a run over blocks of bars, on trades or quotes, and for a result that was put together without a
        history. A run that got bars one by one (``events=True``) has the bars and no lines.
        """
        result = self._whole
        histories = (result.history, *(one.history for one in result.accounts.values()))
        return next((one.played for one in histories if one is not None), ())

    def report(self, path: str | PathLike[str] | None = None, **settings: Any) -> Path:
        """Write a page that shows everything of the run: one HTML file, which works offline.

        Parameters
        ----------
        path
            Of the file; ``report.html`` in the current folder when left out. A file that is there is replaced.
        settings
            Of the page, such as ``title="..."``; see the documentation of ``cambist-report``.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        UnknownComponentError
            If ``cambist-report`` is not installed.
        ResultError
            If the file cannot be written.
        """
        target = Path("report.html" if path is None else path)
        _shower("html")(self, target, **settings)
        return target

    def plot(self, figure: str = "overview", path: str | PathLike[str] | None = None, **settings: Any) -> Any:
        """Draw one figure of the run, without a display.

        Parameters
        ----------
        figure
            Which: ``"overview"``, ``"price"``, ``"equity"``, ``"underwater"``, ``"rolling"``, ``"monthly"``,
            ``"distribution"``, ``"exposure"`` or ``"excursions"``.
        path
            Where to save it as well; its ending is the format: ``.png``, ``.svg`` or ``.pdf``.
        settings
            Of the figure: ``size=(width, height)`` in inches, ``dpi``, ``dark``, ``start`` and ``end``.

        Returns
        -------
        matplotlib.figure.Figure
            Which a notebook shows.

        Raises
        ------
        UnknownComponentError
            If ``cambist-report`` is not installed.
        ParameterError
            For a figure or a format that there is not.
        ResultError
            If the file cannot be written.
        """
        return _shower("figure")(self, None if path is None else Path(path), figure=figure, **settings)

    @property
    def title(self) -> str:
        """Strategies, instruments and timeframes in one line."""
        result = self._whole
        strategies = ", ".join(strategy.name for strategy in result.strategies)
        symbols = [instrument.symbol for instrument in result.instruments]
        shown = ", ".join(symbols[:3]) + (f" and {len(symbols) - 3} more" if len(symbols) > 3 else "")
        return f"{strategies} on {shown} {', '.join(dict.fromkeys(result.timeframes))}".rstrip()

    @property
    def played_as(self) -> str:
        """How much was played, and how long that took where it is known."""
        result = self._whole
        seconds = f" in {result.wall_seconds:.2f} s" if result.wall_seconds else ""
        return f"{result.n_bars:,} {result.unit}{seconds}"

    def __repr__(self) -> str:
        result = self._whole
        closed = result.facts.closed
        gain = result.facts.curve.final / result.facts.curve.initial - 1.0
        end = f", stopped: {result.stopped}" if result.stopped else ""
        played = f"{result.n_bars:,} {result.unit}"
        return f"<Result {self.title}: {played}, {100 * gain:+,.2f} %, {len(closed):,} trades{end}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: title, summary and warnings; curves too where ``cambist-report`` is there."""
        from cambist.errors import PluginError

        result = self._whole
        span = f"{format_ns(result.started)} to {format_ns(result.ended)}, {result.n_bars:,} {result.unit}"
        notes = [f"Stopped: {result.stopped}"] if result.stopped else []
        try:
            curves: str = _shower("notebook")(self, None)
        except PluginError:
            curves = ""
        lines = [f"<b>{escape(self.title)}</b><br>{escape(span)}", curves, result.summary._repr_html_()]
        return "\n".join([*filter(None, lines), *(f"<p>{escape(note)}</p>" for note in (*notes, *result.warnings))])

    @property
    def _whole(self) -> Result:
        """The result that this is the shown part of."""
        return cast("Result", self)


def _shower(name: str) -> Any:
    """Return what shows a result in one way; a plugin has it."""
    from cambist.plugins.registry import Registry

    return Registry.discover().get("report", name).load()
