"""`cambist check warmup`."""

from __future__ import annotations

from typing import Any

import click

from cambist.cli.check.what import checked, run_options, show
from cambist.cli.session import global_options

__all__ = ["warmup"]


@click.command()
@run_options
@click.option("--starts", type=click.IntRange(1), default=5, show_default=True, metavar="N", help="How many.")
@click.option("--seed", type=int, default=0, show_default=True, help="Chooses the starts.")
@click.option(
    "--tolerance",
    type=click.FloatRange(0.0, 1.0, max_open=True),
    default=1e-6,
    show_default=True,
    metavar="FRACTION",
    help="By how much values may differ.",
)
@click.option(
    "--within", type=click.IntRange(0), metavar="BARS", help="How many bars of history there will be; fail if too few."
)
@global_options(hidden=True)
def warmup(
    what: tuple[str, ...],
    *,
    starts: int,
    seed: int,
    tolerance: float,
    within: int | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Find out how much history a strategy takes until its values settle.

    Runs that begin later are compared with the one that begins with the first bar: line by line, and decision by
    decision.

    The exit code is 0 where everything settles, and 1 where something does not, or needs more than --within.

    \b
    Examples:
      cambist check warmup my_file.py:SmaCross --data bars.csv
      cambist check warmup run.toml --within 200
    """  # noqa: D301 -- click reads the control character
    from cambist.backtest.checking import find_settling

    with checked("starts", what, options, stamps="ignore") as (subject, progress):
        report = find_settling(subject, starts=starts, seed=seed, tolerance=tolerance, within=within, progress=progress)
    raise SystemExit(show(report, as_json=as_json))
