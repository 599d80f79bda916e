"""The page of a sweep: what was tried as a heat map, as parallel coordinates, fold by fold, and what to think of it."""

from __future__ import annotations

import json
from math import comb
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import pandas as pd

from cambist.analysis import MEASURES, validation
from cambist.api import InputError, ParameterError, did_you_mean
from cambist_report.arrays import floats
from cambist_report.calendars import heat
from cambist_report.frame import Frame, write_text
from cambist_report.judgement import RERUN, findings_list, rerun_table
from cambist_report.markup import card, escape, table
from cambist_report.packing import Packer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["read_table", "sweep_page", "write_sweep"]

#: Columns of a sweep that are neither parameters nor measures.
_OTHER = frozenset({"combination", "error", "path", "seconds", "fold", "start", "end", "trial", "state", "instrument"})
_BEST = 20
_SAID = {True: "is better than", False: "cannot be told from"}
_MOST_LINES = 3
#: Sharpe ratios of halves that are held at once: of many configurations fewer halves are looked at.
_MOST_HALVED = 4_000_000


@attrs.frozen(eq=False)
class _Sweep:
    """A table of a search as the page needs it."""

    frame: pd.DataFrame
    parameters: list[str]
    measures: list[str]
    measure: str
    up: bool
    folds: pd.DataFrame | None

    @property
    def ranked(self) -> pd.DataFrame:
        """The configurations that have a number, the best first."""
        known = self.frame[self.frame[self.measure].notna()]
        return known.sort_values(self.measure, ascending=not self.up, kind="stable")


def write_sweep(table: pd.DataFrame, path: Path, **settings: Any) -> Path:
    """Write the page of a sweep; settings are those of `sweep_page`.

    Raises
    ------
    ResultError
        If the file cannot be written.
    InputError, ParameterError
        As `sweep_page`.
    """
    return write_text(path, sweep_page(table, **settings))


def sweep_page(
    table: pd.DataFrame,
    *,
    parameters: Sequence[str] = (),
    measure: str = "",
    folds: pd.DataFrame | None = None,
    returns: NDArray[np.float64] | None = None,
    reruns: pd.DataFrame | None = None,
    title: str = "",
) -> str:
    """Return the page of a sweep as text.

    Parameters
    ----------
    table
        One row a configuration: columns of parameters, of measures, and ``error`` where some failed. A column ``fold``
        makes it a table of folds, of which the page takes the means.
    parameters
        Which columns are parameters. Left out: ``table.attrs["parameters"]``, else those before the first measure.
    measure
        What was searched for. Left out: the first of ``table.attrs["objectives"]``, else the first measure.
    folds
        The same by fold, with the column ``fold``.
    returns
        Returns of each configuration, a column each in the order of the rows, a row for each day: they tell whether the
        search has found what lasts.
    reruns
        The best run again with dearer and later fills, as ``sweep.rerun()`` has it.
    title
        At the top.

    Raises
    ------
    InputError
        For a table without a row, parameters or measures.
    ParameterError
        For a column that is not there.
    """
    sweep = _read(table, list(parameters), measure, folds)
    packer = Packer()
    frame = Frame(title or "Sweep", f"{len(sweep.frame):,} configurations of {', '.join(sweep.parameters)}")
    failed = _errors(sweep)
    if failed:
        frame.notices = [failed]
    findings = _findings(sweep, returns)
    cards = [
        card("The best", _best(sweep), key="best"),
        card("Skill or luck", findings_list(findings), key="verdict"),
        card("Dearer and later", rerun_table(reruns), key="reruns", note=RERUN),
        card("Two parameters", _heat(sweep), key="heat-card", wide=True),
        card("All parameters", _lines(sweep), key="lines-card", wide=True, note=_BRUSH),
        card(f"{sweep.measure} by fold", _folds(sweep), key="folds", wide=True),
    ]
    frame.content = _tiles(sweep) + f'<div class="grid">{"".join(cards)}</div>'
    frame.data = {"daily": False, "places": 2, "axes": [], "markets": [], "panels": [], "trades": None}
    frame.data["sweep"] = _data(sweep, packer)
    frame.pieces = packer.pieces
    return frame.text()


_BRUSH = (
    "Each line is a configuration: blue the best twentieth, orange the lower half. Drag along an axis to keep what "
    "passes there, click it to let go."
)


def read_table(path: Path) -> pd.DataFrame:
    """Return a table that a sweep was saved as, by its ending: ``.parquet``, ``.csv`` or ``.json``.

    Raises
    ------
    InputError
        If it is none of these, or cannot be read.
    """
    readers: dict[str, Any] = {".parquet": pd.read_parquet, ".csv": pd.read_csv, ".json": _read_json}
    if path.suffix not in readers:
        raise InputError(f"{path}: a sweep is read from {', '.join(readers)}.")
    try:
        frame: pd.DataFrame = readers[path.suffix](path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: this is no table ({error}). Give a file that a sweep was saved to.") from error
    return frame[[name for name in frame.columns if not str(name).startswith("Unnamed:")]]  # an index without a name


def _read_json(path: Path) -> pd.DataFrame:
    """Return a table as a sweep writes it, with what it says of itself, or as pandas does."""
    read = json.loads(path.read_text(encoding="utf-8"))
    if not (isinstance(read, dict) and isinstance(read.get("rows"), list)):
        frame: pd.DataFrame = pd.read_json(path)
        return frame
    frame = pd.DataFrame(read.pop("rows"))
    frame.attrs = read
    return frame


def _read(given: pd.DataFrame, parameters: list[str], measure: str, folds: pd.DataFrame | None) -> _Sweep:
    if not len(given):
        raise InputError("the table of the sweep has no row. Give one with a row for each configuration.")
    attributes = given.attrs
    numbers = [str(name) for name in given.columns if pd.api.types.is_numeric_dtype(given[name])]
    known = [str(name) for name in given.columns if str(name) not in _OTHER]
    for name in [*parameters, *([measure] if measure else [])]:
        if name not in given.columns:
            raise ParameterError(f"the table has no column {name!r}.{did_you_mean(name, known)}")
    parameters = parameters or list(attributes.get("parameters", ()))
    if not parameters:
        first = next((place for place, name in enumerate(known) if name in MEASURES or name == measure), len(known))
        parameters = known[:first]
    measures = [name for name in numbers if name not in parameters and name not in _OTHER]
    if not parameters or not measures:
        raise InputError(
            f"the table has the columns {', '.join(map(str, given.columns))}; which are parameters and which measures "
            "cannot be told. Name them: parameters=['fast', 'slow'], measure='sharpe'."
        )
    objectives = attributes.get("objectives", {})
    chosen = measure or next(iter(objectives), measures[0])
    spec = MEASURES.get(chosen)
    up = objectives.get(chosen, "min" if spec is not None and spec.higher_is_better is False else "max") == "max"
    if "fold" in given.columns:
        folds = given if folds is None else folds
        given = given.groupby(parameters, sort=False, as_index=False, dropna=False)[measures].mean()
    return _Sweep(given.reset_index(drop=True), parameters, measures, chosen, up, folds)


def _errors(sweep: _Sweep) -> str:
    if "error" not in sweep.frame.columns:
        return ""
    errors = sweep.frame["error"].fillna("").astype(str)
    failed = errors[(errors != "") & ~errors.str.startswith("pruned: ")]
    if failed.empty:
        return ""
    many = "A configuration failed" if len(failed) == 1 else f"{len(failed):,} configurations failed, the first"
    return f"{many} with: {failed.iloc[0]}"


def _tiles(sweep: _Sweep) -> str:
    values = floats(sweep.ranked[sweep.measure])
    shown = {
        "Configurations": f"{len(sweep.frame):,}",
        "With a number": f"{len(values):,}",
        f"Best {sweep.measure}": _number(values[0]) if len(values) else "-",
        f"Median {sweep.measure}": _number(float(np.median(values))) if len(values) else "-",
        "Above zero": f"{100 * (values > 0).mean():.0f} %" if len(values) else "-",
    }
    parts = "".join(
        f'<div class="tile"><dt>{escape(name)}</dt><dd><span class="figure">{value}</span></dd></div>'
        for name, value in shown.items()
    )
    return f'<dl class="tiles">{parts}</dl>'


def _best(sweep: _Sweep) -> str:
    shown = [sweep.measure, *(name for name in sweep.measures if name != sweep.measure)][:4]
    rows = [
        (str(place), *(_word(row[name]) for name in sweep.parameters), *(_number(row[name]) for name in shown))
        for place, (_, row) in enumerate(sweep.ranked.head(_BEST).iterrows(), 1)
    ]
    return table(("", *sweep.parameters, *shown), rows, caption="The best configurations", key="best-table")


def _findings(sweep: _Sweep, returns: NDArray[np.float64] | None) -> list[validation.Finding]:
    tone, found = validation.Tone, []
    if sweep.ranked.empty:
        return [validation.Finding(tone.OPEN, "There is nothing to judge.", f"No row has a number in {sweep.measure}.")]
    near = validation.neighborhood(sweep.frame, sweep.parameters, sweep.measure, higher_is_better=sweep.up)
    if near.neighbors:
        flat = near.kept >= 0.8 or near.rank >= 0.9
        found.append(
            validation.Finding(
                tone.GOOD if flat else tone.BAD if near.rank < 0.6 else tone.OPEN,
                "The best stands on a plateau." if flat else "The best stands out from what is beside it.",
                f"Its {len(near.neighbors)} neighbors have {near.mean:.3g} on average and {near.worst:.3g} at worst, "
                f"against {near.value:.3g}; their average is better than {100 * near.rank:.0f} % of all.",
            )
        )
    if sweep.folds is not None and sweep.measure in sweep.folds.columns:
        found.append(_across_folds(sweep))
    known = np.empty((0, 0)) if returns is None else floats(returns)
    known = known[:, np.isfinite(known).all(axis=0)]
    if known.size:
        found += _luck(known)
    else:
        found.append(
            validation.Finding(
                tone.OPEN,
                "Whether the search finds what lasts cannot be said of a table alone.",
                f"The best of {len(sweep.ranked):,} looks good by luck too. Give the returns of the tries, which a "
                "sweep keeps beside its table, and the probability of overfitting and the deflated Sharpe ratio are "
                "here.",
            )
        )
    return found


def _across_folds(sweep: _Sweep) -> validation.Finding:
    """Say whether those that are good on some folds are good on the others."""
    grid = _grid(sweep)
    halves = grid.iloc[:, ::2].mean(axis=1), grid.iloc[:, 1::2].mean(axis=1)
    ranks = pd.concat([half.rank() for half in halves], axis=1).dropna()
    varied = len(ranks) > 2 and bool((ranks.std() > 0).all())
    together = float(floats(ranks.corr())[0, 1]) if varied else np.nan
    tone = validation.Tone.OPEN
    if np.isfinite(together):
        tone = validation.Tone.GOOD if together > 0.5 else validation.Tone.BAD if together < 0.1 else tone
    claim = {
        validation.Tone.GOOD: "What is good on some folds is good on the others.",
        validation.Tone.BAD: "What is good on some folds is not on the others.",
        validation.Tone.OPEN: "What is good on some folds is somewhat better on the others.",
    }[tone]
    return validation.Finding(tone, claim, f"Rank correlation between even and odd folds {together:.2f}.")


def _luck(returns: NDArray[np.float64]) -> list[validation.Finding]:
    ratios = validation.column_sharpe(returns)
    best = int(np.argmax(ratios))
    ratio, skewness, kurtosis = validation.sharpe_moments(returns[:, best])
    variance = float(ratios.var(ddof=1)) if len(ratios) > 1 else 0.0
    sure = validation.deflated_sharpe(ratio, len(returns), len(ratios), variance, skewness, kurtosis)
    tone = validation.Tone
    said = tone.GOOD if sure >= 0.95 else tone.BAD if not sure >= 0.8 else tone.OPEN
    found = [
        validation.Finding(
            said,
            f"The best {_SAID[said is tone.GOOD]} the luck of {len(ratios):,} tries.",
            f"Deflated Sharpe ratio {100 * sure:.1f} %.",
        )
    ]
    halvings = _MOST_HALVED // returns.shape[1]
    blocks = next((one for one in (16, 12, 8, 4) if len(returns) >= 4 * one and comb(one, one // 2) <= halvings), 0)
    if blocks and returns.shape[1] > 1:
        search = validation.overfitting(returns, blocks)
        said = tone.GOOD if search.probability < 0.2 else tone.BAD if search.probability >= 0.4 else tone.OPEN
        found.append(
            validation.Finding(
                said,
                "The search finds what lasts." if said is tone.GOOD else "The search may find what does not last.",
                f"Probability of overfitting {100 * search.probability:.0f} %; pure noise has 50 %.",
            )
        )
    return found


def _heat(sweep: _Sweep) -> str:
    if len(sweep.parameters) < 2:
        return ""
    across, down = sweep.parameters[:2]

    def pick(name: str, label: str, options: Sequence[str], chosen: str) -> str:
        every = "".join(
            f'<option value="{escape(one)}"{" selected" if one == chosen else ""}>{escape(one)}</option>'
            for one in options
        )
        return f'<label>{label}<select name="{name}">{every}</select></label>'

    picks = (
        pick("across", "Across", sweep.parameters, across),
        pick("down", "Down", sweep.parameters, down),
        pick("shown", "Measure", sweep.measures, sweep.measure),
        pick("how", "Of the others", ("best", "mean", "worst"), "mean"),
    )
    return (
        f'<div id="heat"><div class="picks">{"".join(picks)}</div><div class="map scroll" tabindex="0" role="group" '
        'aria-label="Heat map"></div><p class="said" aria-live="polite"></p></div>'
    )


def _lines(sweep: _Sweep) -> str:
    axes = len(sweep.parameters) + min(len(sweep.measures), _MOST_LINES)
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="Lines"><canvas id="lines" style="--axes:{axes}" '
        'role="img" aria-label="Parallel coordinates of all configurations"></canvas></div>'
        '<p class="said" id="lines-said" aria-live="polite"></p>'
    )


def _grid(sweep: _Sweep) -> pd.DataFrame:
    """Return the measure by configuration and fold."""
    assert sweep.folds is not None
    return sweep.folds.pivot_table(
        index=sweep.parameters, columns="fold", values=sweep.measure, aggfunc="mean", dropna=False, sort=False
    )


def _folds(sweep: _Sweep) -> str:
    """Return the best configurations by fold."""
    if sweep.folds is None or sweep.measure not in sweep.folds.columns:
        return ""
    grid = _grid(sweep)
    order = grid.mean(axis=1).sort_values(ascending=not sweep.up).index[:_BEST]
    reach = float(np.nanquantile(np.abs(floats(grid)), 0.95)) if np.isfinite(floats(grid)).any() else 1.0
    head = "".join(
        f'<th scope="col"{"" if number < len(sweep.parameters) else " class=num"}>{escape(str(name))}</th>'
        for number, name in enumerate((*sweep.parameters, *(f"fold {one}" for one in grid.columns), "mean", "worst"))
    )
    rows = "".join(_fold_row(sweep, label, floats(grid.loc[label]), reach) for label in order)
    return (
        '<div class="scroll" tabindex="0" role="group" aria-label="Folds"><table class="folded" id="fold-table">'
        f"<caption>Folds</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _fold_row(sweep: _Sweep, label: Any, values: NDArray[np.float64], reach: float) -> str:
    """Return one configuration of the table of folds."""
    words = label if isinstance(label, tuple) else (label,)
    named = "".join(f"<td>{escape(_word(word))}</td>" for word in words)

    def cell(value: float, style: str = 'class="num"') -> str:
        return f"<td {style}>{_number(value)}</td>"

    def shaded(value: float) -> str:
        return cell(value, heat(value, reach).replace('class="', 'class="num ') or 'class="num"')

    known = values[np.isfinite(values)]
    ends = (float(known.mean()), float(known.min() if sweep.up else known.max())) if len(known) else (np.nan, np.nan)
    return f"<tr>{named}{''.join(map(shaded, values.tolist()))}{''.join(map(cell, ends))}</tr>"


def _data(sweep: _Sweep, packer: Packer) -> dict[str, Any]:
    """Return the columns of the sweep; words are numbers with a list of them beside."""
    columns, words = {}, {}
    for name in (*sweep.parameters, *sweep.measures):
        values = sweep.frame[name]
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            columns[name] = packer.exact(floats(values))
        else:
            codes, every = pd.factorize(values.astype(str), sort=True)
            columns[name] = packer.exact(codes.astype(np.float64))
            words[name] = [str(one) for one in every]
    beside = [sweep.measure, *(name for name in sweep.measures if name != sweep.measure)]
    ups = {name: not (name in MEASURES and MEASURES[name].higher_is_better is False) for name in sweep.measures}
    return {
        "columns": columns,
        "words": words,
        "measure": sweep.measure,
        "up": ups | {sweep.measure: sweep.up},
        "lines": [*sweep.parameters, *beside[:_MOST_LINES]],
    }


def _number(value: Any) -> str:
    return f"{value:,.4g}" if np.isfinite(value) else "-"


def _word(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
