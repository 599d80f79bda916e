"""`cambist check lookahead`."""

from __future__ import annotations

from typing import Any

import click

from cambist.cli.check.what import checked, run_options, show
from cambist.cli.session import global_options

__all__ = ["lookahead"]


@click.command()
@run_options
@click.option("--cuts", type=click.IntRange(1), default=20, show_default=True, metavar="N", help="How many.")
@click.option("--all", "every", is_flag=True, help="Cut at every bar: certain, and slow.")
@click.option("--seed", type=int, default=0, show_default=True, help="Chooses the cuts.")
@click.option(
    "--tolerance",
    type=click.FloatRange(0.0, 1.0, max_open=True),
    default=1e-9,
    show_default=True,
    metavar="FRACTION",
    help="By how much values may differ.",
)
@click.option(
    "--stamps",
    type=click.Choice(["open", "close", "ignore"]),
    default="open",
    show_default=True,
    help="What times mean in tables that the strategy reads itself; ignore leaves these tables alone.",
)
@global_options(hidden=True)
def lookahead(
    what: tuple[str, ...],
    *,
    cuts: int,
    every: bool,
    seed: int,
    tolerance: float,
    stamps: str,
    as_json: bool,
    **options: Any,
) -> None:
    """Find out whether a strategy knows the future.

    The run over all bars is compared with runs over the bars up to each of several cuts. A value of a line, a signal or
    an order at or before the cut that differs was made of bars that came later. Half of the cuts are where the strategy
    decided something, the others are drawn by chance.

    The exit code is 0 where nothing was found, and 1 where something was.

    \b
    Examples:
      cambist check lookahead my_file.py:SmaCross --data bars.csv
      cambist check lookahead run.toml --cuts 100
      cambist check lookahead my_file.py --data bars.csv --all --json
    """  # noqa: D301 -- click reads the control character
    from cambist.backtest.checking import find_lookahead

    with checked("cuts", what, options, stamps=stamps) as (subject, progress):
        report = find_lookahead(subject, cuts=cuts, every=every, seed=seed, tolerance=tolerance, progress=progress)
    raise SystemExit(show(report, as_json=as_json))
