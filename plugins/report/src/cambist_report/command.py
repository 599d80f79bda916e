"""`cambist report`."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from cambist import Result

__all__ = ["report"]


@click.command("report")
@click.argument("run", required=False, metavar="[RUN]")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write; report.html in RUN, or here."
)
@click.option("--open", "open_", is_flag=True, help="Show the page in the browser.")
@click.option("--compare", nargs=2, metavar="RUN RUN", help="Two runs side by side, instead of one.")
@click.option(
    "--sweep",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="TABLE",
    help="The table of a sweep, instead of a run: Parquet, CSV or JSON, with its folds, returns and reruns beside it.",
)
@click.option("--parameter", "parameters", multiple=True, help="A column of --sweep that is a parameter. Repeat it.")
@click.option("--measure", default="", help="The column of --sweep that was searched for.")
@click.option("--title", default="", help="At the top of the page.")
@click.option(
    "--figures", type=click.Path(file_okay=False, path_type=Path), help="Folder for a picture of each figure as well."
)
@click.option("--format", "format_", type=click.Choice(["png", "svg", "pdf"]), default="png", help="Of the pictures.")
def report(
    run: str | None,
    *,
    out: Path | None,
    open_: bool,
    compare: tuple[str, str] | None,
    sweep: Path | None,
    title: str,
    figures: Path | None,
    **more: Any,
) -> None:
    """Write a page that shows everything of a run: one HTML file that works offline.

    RUN is a folder that cambist backtest --out or result.save has written, the folder of a journal, or a storage and a
    run in it: sqlite:///runs.db#ID. The id may be left out where there is one run. A paper or live run is shown as far
    as it got.

    \b
    Examples:
      cambist report results/2024 --open
      cambist report results/2024 --out 2024.html --figures pictures --format svg
      cambist report live-journal --out so-far.html
      cambist report sqlite:///runs.db#0195c2 --open
      cambist report --compare results/2023 results/2024 --out both.html
      cambist report --sweep sweep.parquet --measure sharpe --open
    """  # noqa: D301 -- click reads the control character
    from cambist import load_run

    if sum(one is not None for one in (run, compare, sweep)) != 1:
        raise click.UsageError("give one RUN, or two with --compare RUN RUN, or a table with --sweep TABLE.")
    if figures is not None and run is None:
        raise click.UsageError("--figures are of one RUN; leave it out here.")
    if compare is not None:
        path = _compared(compare, out, title)
    elif sweep is not None:
        path = _swept(sweep, out, title, more)
    else:
        assert run is not None
        result, folder = load_run(run), Path(run)
        path = result.report(out or (folder if folder.is_dir() else Path()) / "report.html", title=title)
        if figures is not None:
            _draw_all(result, figures, more["format_"])
    click.echo(str(path))
    if open_ and not webbrowser.open(path.resolve().as_uri()):
        click.echo("no browser could be started here; open the file yourself.", err=True)


def _compared(runs: tuple[str, str], out: Path | None, title: str) -> Path:
    from cambist import load_run
    from cambist_report.comparison import write_comparison

    one, other = map(load_run, runs)
    return write_comparison(one, other, out or Path("comparison.html"), names=_names(*runs), title=title)


def _swept(table: Path, out: Path | None, title: str, named: dict[str, Any]) -> Path:
    from cambist_report.sweeps import read_table, write_sweep

    def beside(name: str) -> Any:
        found = table.with_name(f"{table.stem}.{name}{table.suffix}")
        return read_table(found) if found.is_file() else None

    returns = beside("returns")
    if returns is not None:
        returns = returns.drop(columns="time", errors="ignore").to_numpy()
    target = out or table.with_suffix(".html")
    columns = {name: named[name] for name in ("parameters", "measure")}
    return write_sweep(
        read_table(table),
        target,
        **columns,
        folds=beside("folds"),
        returns=returns,
        reruns=beside("reruns"),
        title=title or table.stem,
    )


def _names(one: str, other: str) -> tuple[str, str]:
    """Return what to call two runs: their last names, or as much more as tells them apart."""
    names = _name(one), _name(other)
    if names[0] != names[1]:
        return names
    first, second = (run if Path(run).is_dir() else _name(run) for run in (one, other))
    return (first, second) if first != second else (f"{first} (1)", f"{second} (2)")


def _name(run: str) -> str:
    """Return the name of a folder, or the id of a run in a storage; never its URL, which may hold a password."""
    path = Path(run)
    if path.is_dir():
        return path.resolve().name
    _, _, number = run.partition("#")
    return number or "stored run"


def _draw_all(result: Result, folder: Path, format_: str) -> None:
    from cambist_report.figures import FIGURES, draw

    for name in FIGURES:
        path = folder / f"{name}.{format_}"
        draw(result, path, figure=name)
        click.echo(str(path))
