"""What all pages have: head, style, scripts, notices, licenses, and how they are written."""

from __future__ import annotations

import json
import os
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

from cambist.api import ResultError
from cambist_report.markup import escape

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Frame", "stage", "write_text"]

_SCRIPTS = ("decode.js", "axis.js", "paint.js", "stage.js", "trades.js", "scatter.js", "sweep.js", "main.js")
_NAVIGATION = (
    ("chart", "Chart"),
    ("best", "Best"),
    ("heat-card", "Heat map"),
    ("lines-card", "Parameters"),
    ("folds", "Folds"),
    ("trades-card", "Trades"),
    ("verdict", "Skill or luck"),
    ("months", "Months"),
    ("distribution", "Distribution"),
    ("drawdowns", "Drawdowns"),
    ("excursions", "Excursions"),
    ("instruments-card", "Instruments"),
    ("costs-card", "Costs"),
    ("measures-card", "Measures"),
    ("facts-card", "Facts"),
)
#: Nothing may be fetched: what is not in this file is not there.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
_LOGO = (
    '<svg viewBox="0 0 18 18" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" '
    'aria-hidden="true"><path d="M3 13.5 7 8l3 3 5-7"/><path d="M11.5 4H15v3.5"/></svg>'
)
_SPANS = (("1W", 7, "week"), ("1M", 31, "month"), ("3M", 92, "three months"), ("1Y", 366, "year"))
_HELP = (
    '<dialog id="help" aria-labelledby="help-title"><h2 id="help-title">Keys</h2><table><tbody>'
    + "".join(
        f'<tr><th scope="row">{keys}</th><td>{what}</td></tr>'
        for keys, what in (
            ("<kbd>&larr;</kbd> <kbd>&rarr;</kbd>", "earlier, later"),
            ("<kbd>+</kbd> <kbd>&minus;</kbd>", "zoom in, zoom out"),
            ("<kbd>Home</kbd> <kbd>End</kbd>", "first, last bars"),
            ("<kbd>0</kbd>", "everything"),
            ("<kbd>n</kbd> <kbd>p</kbd>", "next, previous trade"),
            ("<kbd>&uarr;</kbd> <kbd>&darr;</kbd> <kbd>Enter</kbd>", "in the table of trades: choose one"),
            ("<kbd>t</kbd>", "light or dark"),
            ("<kbd>?</kbd>", "this"),
        )
    )
    + '</tbody></table><form method="dialog"><button class="button" autofocus>Close</button></form></dialog>'
)


class Frame:
    """A page to be.

    Parameters
    ----------
    title, about
        At the top, and the line below.

    Attributes
    ----------
    notices
        What a reader should know first.
    content
        HTML between head and foot.
    data, pieces
        For the scripts, and the packed numbers that `data` names.
    fine, fine_pieces
        The same of what a first picture can do without; they stand at the end of the file.
    """

    def __init__(self, title: str, about: str) -> None:
        self.title, self.about = title, about
        self.notices: list[str] = []
        self.content = ""
        self.data: dict[str, Any] = {}
        self.pieces: list[str] = []
        self.fine: dict[str, Any] = {}
        self.fine_pieces: list[str] = []

    def text(self) -> str:
        """Return the page."""
        return "".join((*self._head(), *self._body(), *self._tail()))

    def _head(self) -> Iterator[str]:
        yield '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
        yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        yield f'<meta name="generator" content="cambist-report {version("cambist-report")}">'
        yield f'<title>{escape(self.title)}</title><link rel="icon" href="data:,">'
        yield f"<style>{_file('vendor/uPlot.min.css')}\n{_file('page.css')}</style></head>"

    def _body(self) -> Iterator[str]:
        shown = [(key, name) for key, name in _NAVIGATION if f'id="{key}"' in self.content]
        links = "".join(f'<a href="#{key}">{name}</a>' for key, name in shown)
        yield '<body><a class="skip" href="#chart">To the chart</a>'
        yield f'<header class="bar"><span class="brand">{_LOGO}Cambist</span><nav aria-label="Sections">{links}</nav>'
        yield '<div class="tools"><button type="button" data-act="help" aria-label="Keys">?</button>'
        yield '<button type="button" data-act="print">Print</button>'
        yield '<button type="button" data-act="theme" aria-label="Light or dark">&#9680;</button></div></header><main>'
        yield f'<div class="title"><h1>{escape(self.title)}</h1><p>{escape(self.about)}</p></div>'
        if self.notices:
            notices = "".join(f"<p>{escape(one)}</p>" for one in self.notices)
            yield f'<div class="notice" role="note">{notices}</div>'
        yield "<noscript><p class=notice>The charts of this page need JavaScript; tables do not.</p></noscript>"
        yield self.content
        yield f"<footer><span>Made by cambist-report {version('cambist-report')}, Cambist {version('cambist')}. "
        yield "This file is complete: it asks nobody for anything.</span><details><summary>Licenses</summary>"
        yield f"<p>Curves are drawn by uPlot.</p><pre>{escape(_file('vendor/uPlot.LICENSE'))}</pre></details></footer>"
        yield f"</main>{_HELP}"

    def _tail(self) -> Iterator[str]:
        yield _pieces(self.pieces, 0)
        yield f'<script type="application/json" id="page-data">{_json(self.data)}</script>'
        yield f"<script>{_file('vendor/uPlot.iife.min.js')}</script>"
        yield f"<script>{_scripts()}</script>"
        yield _pieces(self.fine_pieces, len(self.pieces))
        if self.fine:
            yield f'<script type="application/json" id="fine-data">{_json(self.fine)}</script>'
        yield "</body></html>\n"


def stage(before: str, behind: str, what: str) -> str:
    """Return where panels are drawn, with what moves them.

    Parameters
    ----------
    before, behind
        Controls at the left and the right, HTML.
    what
        Is drawn.
    """
    spans = "".join(
        f'<button type="button" data-days="{days}" title="The last {word}">{name}</button>'
        for name, days, word in _SPANS
    )
    return (
        f'<div class="controls" role="toolbar" aria-label="Chart">{before}{spans}'
        '<button type="button" data-act="all" title="Everything (0)">All</button>'
        '<button type="button" data-act="zoom-out" aria-label="Zoom out">&minus;</button>'
        f'<button type="button" data-act="zoom-in" aria-label="Zoom in">+</button>'
        f'<span class="space"></span>{behind}</div>'
        f'<div id="stage" tabindex="0" role="group" aria-label="Chart of {what}. Arrow keys move and zoom, 0 shows '
        'everything, n and p go from trade to trade."></div><canvas id="overview" aria-hidden="true"></canvas>'
        '<p class="hint">Drag to move. Click the chart, then turn the wheel to zoom. <kbd>&larr;</kbd> '
        "<kbd>&rarr;</kbd> move, <kbd>+</kbd> <kbd>&minus;</kbd> zoom, <kbd>0</kbd> all, <kbd>n</kbd> <kbd>p</kbd> "
        "trades, <kbd>?</kbd> help</p>"
    )


def write_text(path: Path, text: str) -> Path:
    """Write a page; what was there stays until all of the new one is.

    Raises
    ------
    ResultError
        If it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(f"{path} is a folder")
        with NamedTemporaryFile(
            "w", encoding="utf-8", errors="backslashreplace", dir=path.parent, delete=False
        ) as file:
            passing = file.name
            file.write(text)
        os.chmod(passing, 0o644)  # noqa: PTH101 - it has a name, not a path; what others may read like any file
        os.replace(passing, path)  # noqa: PTH105
    except OSError as error:
        raise ResultError(
            f"the report cannot be written to {path}: {error.strerror or error}. Choose a file in a folder that can be "
            "written to and has room."
        ) from error
    return path


def _pieces(pieces: list[str], first: int) -> str:
    return "".join(
        f'<script type="text/plain" id="piece-{number}">{piece}</script>' for number, piece in enumerate(pieces, first)
    )


def _json(value: Any) -> str:
    """Return JSON that cannot end the element it stands in."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c").replace("\u2028", "\\u2028")


@cache
def _file(name: str) -> str:
    return files("cambist_report").joinpath("web").joinpath(name).read_text(encoding="utf-8")


@cache
def _scripts() -> str:
    return "\n".join(_file(name) for name in _SCRIPTS)
