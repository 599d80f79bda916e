"""The page of two runs side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cambist.analysis import MEASURES, Unit, format_value
from cambist.model import format_ns
from cambist_report.arrays import floats, ns_of
from cambist_report.axes import Axis, Column
from cambist_report.distribution import histogram
from cambist_report.frame import Frame, stage, write_text
from cambist_report.markup import Wording, card, signed, table
from cambist_report.packing import Packer
from cambist_report.panels import line, panel

if TYPE_CHECKING:
    from pathlib import Path

    from cambist import Result

__all__ = ["compare_page", "write_comparison"]

#: With more rows than these together, runs are compared day by day.
_MOST_ROWS = 200_000
_FRACTION = 6


def write_comparison(
    one: Result, other: Result, path: Path, *, names: tuple[str, str] = ("A", "B"), title: str = ""
) -> Path:
    """Write the page of two runs.

    Parameters
    ----------
    one, other
        The runs.
    path
        Of the file.
    names
        What to call them.
    title
        At the top.

    Raises
    ------
    ResultError
        If the file cannot be written.
    """
    return write_text(path, compare_page(one, other, names=names, title=title))


def compare_page(one: Result, other: Result, *, names: tuple[str, str] = ("A", "B"), title: str = "") -> str:
    """Return the page of two runs as text."""
    frame = Frame(title or f"{names[0]} and {names[1]}", f"{one.title} · {other.title}")
    axis = _axis(one, other)
    packer = Packer()
    shown = axis.described() | {"barMs": 0, "daily": False, "levels": axis.packed(packer, finest=False)}
    first = len(packer.pieces)
    fine = axis.packed(packer, finest=True)
    frame.data = {
        "currency": one.currency,
        "places": 2,
        "daily": False,
        "axes": [shown],
        "lead": axis.name,
        "overview": {"axis": axis.name, "column": "one"},
        "markets": [],
        "trades": None,
        "panels": _panels(axis.name, names),
    }
    frame.pieces, frame.fine_pieces = packer.pieces[:first], packer.pieces[first:]
    frame.fine = {axis.name: fine[0]} if fine else {}
    log = '<button type="button" data-act="log" aria-pressed="false" title="Logarithmic scale">Log</button>'
    cards = [
        card("Growth and drawdown", stage("", log, "both runs"), key="chart", wide=True),
        card("Measures", _measures(one, other, names), key="measures-card"),
        card("Difference of daily returns", _difference(one, other, names), key="distribution"),
        card("What is different", _settings(one, other, names), key="facts-card", wide=True),
    ]
    frame.content = f'<div class="grid">{"".join(cards)}</div>'
    return frame.text()


def _axis(one: Result, other: Result) -> Axis:
    """Return what each run was worth, as a percentage of its start, at the times of either."""
    curves = []
    for result in (one, other):
        frame = result.equity
        worth = frame["nav"] if "nav" in frame else frame["equity"] / result.initial_cash * 100.0
        curves.append((worth, frame["drawdown"]))
    if sum(len(worth) for worth, _ in curves) > _MOST_ROWS:
        curves = [(worth.resample("D").last().dropna(), fall.resample("D").min().dropna()) for worth, fall in curves]
    index = curves[0][0].index.union(curves[1][0].index)
    columns = {}
    for name, (worth, fall) in zip(("one", "other"), curves, strict=True):
        for key, series, how in ((name, worth, "last"), (f"{name}_fall", fall, "min")):
            values = series.reindex(index, method="ffill")
            values[index > series.index[-1]] = np.nan
            columns[key] = Column(floats(values), how, decimals=_FRACTION)
    columns["ratio"] = Column(columns["one"].values / columns["other"].values, decimals=_FRACTION)  # noqa: PD011 - no frame
    return Axis("compared", ns_of(index), columns)


def _panels(axis: str, names: tuple[str, str]) -> list[dict[str, object]]:
    def both(suffix: str, **more: object) -> list[dict[str, object]]:
        return [line(f"one{suffix}", names[0], "accent", **more), line(f"other{suffix}", names[1], "gold", **more)]

    return [
        panel("equity", "Worth, 100 at the start", axis, both(""), height=300, unit="ratio"),
        panel("underwater", "Drawdown", axis, both("_fall"), unit="percent", height=150, zero=True),
        panel("ratio", f"{names[0]} over {names[1]}", axis, [line("ratio", "", "green")], unit="ratio", height=120),
    ]


def _measures(one: Result, other: Result, names: tuple[str, str]) -> str:
    words = Wording.of(one)
    own, beside = (dict(zip(result.summary, result.summary.rows(), strict=True)) for result in (one, other))
    rows = []
    for key, spec in MEASURES.items():
        if not spec.in_summary:
            continue
        texts = own[key][1], beside[key][1]
        gap: object = ""
        left, right = one.summary[key], other.summary[key]
        if isinstance(left, float) and isinstance(right, float) and spec.unit is not Unit.SECONDS:
            change = right - left
            better = change if spec.higher_is_better is not False else -change
            text = format_value(change, spec.unit, words.places)
            text = f"+{text}" if change > 0 and not text.startswith("+") else text
            gap = signed(text, better if spec.higher_is_better is not None else 0.0) if np.isfinite(change) else ""
        rows.append((own[key][0], *texts, gap))
    return table(("Measure", *names, "Difference"), rows, caption="Measures of both runs")


def _difference(one: Result, other: Result, names: tuple[str, str]) -> str:
    """Return how daily returns of the two differ, on the days that both have."""
    pair = pd.concat([one.analysis.returns, other.analysis.returns], axis=1, join="inner").dropna()
    if len(pair) < 2:
        return '<p class="note">The runs have no days in common.</p>'
    gap = floats(pair.iloc[:, 1] - pair.iloc[:, 0])
    together = float(np.corrcoef(pair.to_numpy().T)[0, 1]) if pair.std().min() > 0 else np.nan
    said = {
        "days in common": f"{len(pair):,}",
        "correlation": f"{together:.3f}",
        f"days {names[1]} did better": f"{int((gap > 0).sum()):,}",
        f"days {names[0]} did better": f"{int((gap < 0).sum()):,}",
        "mean difference": f"{100 * gap.mean():+.4f} %",
    }
    pairs = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in said.items())
    picture = histogram(gap, "Difference of daily returns", []) if np.ptp(gap) else ""
    note = "" if picture else '<p class="note">Daily returns are equal to the last bit.</p>'
    return f'{note}{picture}<dl class="pairs">{pairs}</dl>'


def _settings(one: Result, other: Result, names: tuple[str, str]) -> str:
    """Return parameters, settings and facts in which the runs differ."""

    def facts(result: Result) -> dict[str, object]:
        found: dict[str, object] = {
            "run": result.run_id,
            "from": format_ns(result.started),
            "to": format_ns(result.ended),
            "bars": f"{result.n_bars:,}",
            "instruments": ", ".join(instrument.symbol for instrument in result.instruments),
            "timeframes": ", ".join(result.timeframes),
        }
        for strategy in result.strategies:
            found |= {f"{strategy.name}.{name}": value for name, value in strategy.parameters.items()}
        return found | {name: value for name, value in result.settings.items() if name != "journal"}

    left, right = facts(one), facts(other)
    rows = [
        (name, left.get(name, "-"), right.get(name, "-"))
        for name in {**left, **right}
        if left.get(name, "-") != right.get(name, "-")
    ]
    return table(("", *names), rows, caption="What is different", texts=3, key="differences")
