"""`cambist optimize`: a sweep from the command line."""

from __future__ import annotations

import sys
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cambist.api import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist_optimize.evaluation import Row
    from cambist_optimize.optimizing import Progress
    from cambist_optimize.sweep import Sweep

__all__ = ["optimize"]

#: Options that are settings of a backtest under the same name.
_SETTINGS = ("cash", "leverage", "slippage", "market_fill", "path")
#: Options of a sweep under the same name.
_OWN = ("jobs", "backend", "accounts", "trials", "search_seed", "batch", "folds", "resume", "returns")
_INTERRUPTED = 130


@click.command()
@click.argument("strategy")
@click.option("--data", "-d", multiple=True, required=True, metavar="SOURCE", help="Bars: a file, or FEED:SERIES.")
@click.option(
    "--param",
    "-p",
    "params",
    multiple=True,
    metavar="NAME=RANGE",
    help="What is tried: 5:25, 30:130:5, a,b or one value; NAME alone for the range it declares. May be repeated.",
)
@click.option(
    "--metric",
    "-m",
    "metrics",
    multiple=True,
    metavar="NAME",
    help="What is to become best, such as sharpe or fees_paid:min.  [sharpe] Again for several.",
)
@click.option(
    "--constraint",
    "-c",
    "constraints",
    multiple=True,
    metavar="FORMULA",
    help="Such as 'fast < slow'. May be repeated.",
)
@click.option("--search", default="grid", show_default=True, help="How: grid, random, tpe, cmaes or nsga2.")
@click.option("--trials", type=int, help="How many combinations a search other than the grid tries.  [100]")
@click.option(
    "--accounts",
    default="shared",
    show_default=True,
    help="With several instruments: shared, one account trades all; each, every one is tried by itself.",
)
@click.option("--folds", type=int, default=0, help="Try each combination on so many stretches of the data.")
@click.option("--jobs", "-j", type=int, default=1, show_default=True, help="Workers; -1 for one a core.")
@click.option(
    "--backend",
    default="auto",
    show_default=True,
    help="Where: serial, threads, loky, dask, ray, or the address of a cluster, such as dask:tcp://host:8786.",
)
@click.option("--search-seed", type=int, default=0, help="Of the search's chance.  [0]")
@click.option("--batch", type=int, default=8, help="Combinations that Optuna is asked for at once.  [8]")
@click.option(
    "--resume", type=click.Path(path_type=Path), metavar="FILE", help="Keep what is finished, and go on from it."
)
@click.option("--cash", type=float, help="Money at the start.  [100000]")
@click.option("--leverage", type=float, help="How many times its equity the account may hold.  [1]")
@click.option("--fees", metavar="RATE", help="Fraction of the value traded; or instrument.  [0]")
@click.option("--slippage", type=float, metavar="RATE", help="Fraction of the price.  [0]")
@click.option("--market-fill", metavar="WHEN", help="next_open or this_close.  [next_open]")
@click.option("--path", metavar="NAME", help="nearer_first or pessimistic.  [nearer_first]")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the table: .parquet, .csv or .json."
)
@click.option(
    "--returns/--no-returns",
    default=None,
    help="Keep daily returns for the figures of overfitting, beside --out.  [where they are few enough]",
)
@click.option("--rerun", is_flag=True, help="Run the best again, dearer and later; shown, and written beside --out.")
@click.option("--store", metavar="URL", help="Keep every combination in a storage too: sqlite:///runs.db, ...")
@click.option("--top", type=click.IntRange(1), default=10, show_default=True, help="How many of the best are shown.")
@click.option("--json", "as_json", is_flag=True, help="Print the best as JSON.")
@click.option("--progress/--no-progress", default=None, help="Show progress on stderr.  [on a terminal]")
def optimize(strategy: str, **options: Any) -> None:
    """Try many combinations of a strategy's parameters over recorded bars.

    STRATEGY is my_file.py, my_file.py:Class, package.module:Class or a registered name. A combination that fails is a
    row with its error. Ctrl-C ends the sweep: what was done is shown and written, and the exit code is 130.

    \b
    Examples:
      cambist optimize my.py:SmaCross -d bars.parquet -p fast=5:25 -p slow=30:130:5 -c 'fast < slow' --jobs 2
      cambist optimize sma-cross -d samples:AAPL -p fast -p slow --search tpe --trials 200 --folds 4
      cambist optimize my.py -d bars.csv -p fast=5:25 -m sharpe -m max_drawdown --search nsga2 --out sweep.parquet
    """  # noqa: D301 -- click reads the control character
    from cambist.api import open_storage, strategy_named
    from cambist_optimize.optimizing import optimize as sweep_of

    settings = {name: options[name] for name in _SETTINGS if options[name] is not None}
    if options["fees"] is not None:
        settings["fees"] = None if options["fees"] == "instrument" else _rate(options["fees"])
    with _progress(wanted=options["progress"]) as report:
        sweep = sweep_of(
            strategy_named(strategy),
            list(options["data"]),
            dict(_named(one) for one in options["params"]),
            metric=list(options["metrics"]) or "sharpe",
            constraints=options["constraints"],
            search=options["search"],
            progress=report,
            **{name: options[name] for name in _OWN},
            **settings,
        )
    if options["out"] is not None:
        sweep.save(options["out"])
    if options["store"]:
        with open_storage(options["store"], "runs") as storage:
            sweep.store(storage.runs)
    _show(sweep, options["top"], as_json=options["as_json"])
    if options["rerun"] and _ranked(sweep, 1):
        _rerun(sweep, options["out"], quiet=options["as_json"])
    if options["out"] is not None:
        click.echo(f"written to {options['out']}", err=True)
    raise SystemExit(_INTERRUPTED if sweep.stopped else 0)


def _warm() -> str:
    """Compile the loop, and keep it where the next process finds it."""
    from cambist_optimize.kernel.warming import warm

    return warm()


#: What ``cambist doctor --warm`` calls.
optimize.warm = _warm  # type: ignore[attr-defined]


def _named(text: str) -> tuple[str, str | None]:
    name, equals, said = text.partition("=")
    if not name.strip() or (equals and not said.strip()):
        raise ParameterError(f"--param {text!r} is not of the form NAME=RANGE, such as fast=5:25 or slow=30:130:5.")
    return name.strip(), said.strip() if equals else None


def _rate(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ParameterError(
            f"--fees is {text!r}; give a fraction, such as 0.001 for 0.1 %, or the word instrument."
        ) from None


def _ranked(sweep: Sweep, count: int) -> list[Row]:
    """Return the best rows: by the first objective, or those that nothing beats where there are several."""
    first = sweep.objectives[0]
    rows = sweep.pareto if len(sweep.objectives) > 1 else sweep.rows
    scored = [row for row in rows if row.measures.get(first.name, float("nan")) == row.measures.get(first.name)]
    scored.sort(key=lambda row: row.measures[first.name], reverse=first.maximize)
    return scored[:count]


def _show(sweep: Sweep, top: int, *, as_json: bool) -> None:
    ranked = _ranked(sweep, top)
    if as_json:
        import json

        click.echo(
            json.dumps(
                {
                    "combinations": len(sweep.rows),
                    "failed": sweep.failed,
                    "pruned": sweep.pruned,
                    "stopped": sweep.stopped,
                    "seconds": sweep.seconds,
                    "best": [{"combination": row.number, **row.parameters, **row.measures} for row in ranked],
                },
                indent=2,
            )
        )
        return
    for note in sweep.notes:
        click.echo(note, err=True)
    rate = len(sweep.rows) / max(sweep.seconds, 1e-9)
    click.echo(f"{sweep!r}, {sweep.seconds:,.1f} s, {rate:,.1f} a second")
    failed = [row for row in sweep.rows if row.is_failed]
    if failed:
        click.echo(f"the first that failed: {dict(failed[0].parameters)}: {failed[0].error}", err=True)
    if not ranked:
        click.echo("no combination came to a number for the metric.")
        return
    names = list(dict.fromkeys([*ranked[0].parameters, *ranked[0].measures]))
    lines = [names, *([_cell({**row.parameters, **row.measures}.get(name)) for name in names] for row in ranked)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(names))]
    for line in lines:
        click.echo("  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)))


def _rerun(sweep: Sweep, out: Path | None, *, quiet: bool) -> None:
    from cambist_optimize.sweep import write_table

    table = sweep.rerun()
    if out is not None:
        write_table(table, out.with_suffix(f".reruns{out.suffix}"))
    if not quiet:
        click.echo("\nthe best, run again:")
        shown = table.drop(columns=["fees", "slippage", "delay"])
        shown = shown if (shown["error"] != "").any() else shown.drop(columns="error")
        click.echo(shown.to_string(index=False, float_format=lambda value: f"{value:,.4f}"))


def _cell(value: Any) -> str:
    return f"{value:,.4f}" if isinstance(value, float) else str(value)


class _progress:  # noqa: N801 - a context
    """Shows progress on stderr, in one line that is written over."""

    def __init__(self, *, wanted: bool | None) -> None:
        self._wanted = sys.stderr.isatty() if wanted is None else wanted
        self._shown = False

    def __enter__(self) -> Callable[[Progress], None] | None:
        return self._show if self._wanted else None

    def __exit__(self, *_: object) -> None:
        if self._shown:
            click.echo("", err=True)

    def _show(self, progress: Progress) -> None:
        total = "?" if progress.total is None else f"{progress.total:,}"
        text = f"{progress.done:,}/{total}  {progress.rate:,.1f}/s"
        if not isnan(progress.left):
            text += f"  {progress.left:,.0f} s left"
        if progress.failed:
            text += f"  {progress.failed} failed"
        if progress.pruned:
            text += f"  {progress.pruned} pruned"
        if progress.best is not None:
            name, value = progress.metric, progress.best.measures[progress.metric]
            best = " ".join(f"{key}={one}" for key, one in progress.best.parameters.items())
            text += f"  best {best} ({name} {value:.4g})"
        click.echo(f"\r{text:<100}"[:160], err=True, nl=False)
        self._shown = True
