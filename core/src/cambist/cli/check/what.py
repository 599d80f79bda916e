"""What is to be checked, as the command line says it: the same for every check."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cambist.cli.backtest import parameters
from cambist.cli.exits import Exit
from cambist.cli.run_file_options import run_file_in, set_option
from cambist.cli.session import session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cambist.backtest.checking import LookaheadReport, Subject, WarmupReport

    Progress = Callable[[int, int | None], None] | None

__all__ = ["checked", "run_options", "show"]

F = TypeVar("F", bound="Callable[..., Any]")

_OPTIONS = (
    click.argument("what", nargs=-1, required=True, metavar="[STRATEGY] [RUN_FILE]"),
    click.option(
        "--data",
        "-d",
        multiple=True,
        metavar="SOURCE",
        help="Bars: a CSV or Parquet file, or FEED:SERIES. Again for each further instrument.",
    ),
    click.option(
        "--param",
        "-p",
        "parameters",
        multiple=True,
        callback=parameters,
        metavar="NAME=VALUE",
        help="Set a parameter of the strategy. May be repeated.",
    ),
    click.option(
        "--symbol", multiple=True, metavar="NAME", help="What the instrument is called. Once for each --data."
    ),
    click.option("--timeframe", metavar="LENGTH", help="Length of a bar; told from the data by default."),
    click.option("--cash", type=float, help="Money at the start.  [100000]"),
    click.option("--leverage", type=float, help="How many times its equity the account may hold.  [1]"),
    click.option("--cheat-on-open", is_flag=True, default=None, help="Call on_open, and check what it knows, as well."),
    set_option,
    click.option("--json", "as_json", is_flag=True, help="Print JSON for programs."),
    click.option("--progress/--no-progress", default=None, help="Show progress on stderr.  [on a terminal]"),
)
_SETTINGS = ("cash", "leverage", "cheat_on_open")


def run_options(command: F) -> F:
    """Give a command the arguments and options that say what is to run."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@contextmanager
def checked(
    title: str, what: tuple[str, ...], options: dict[str, Any], *, stamps: str = "open"
) -> Iterator[tuple[Subject, Progress]]:
    """Give what is to be checked, and what shows progress."""
    from cambist.app.assemble import make_plan
    from cambist.app.checking import beside, subject_of
    from cambist.app.plan import Overrides
    from cambist.cli.screen import progress_bar

    strategy, run_file = run_file_in(what, options)
    registry = session().registry(beside=run_file)
    overrides = Overrides(
        strategy=strategy,
        parameters=options["parameters"],
        data=options["data"],
        symbols=options["symbol"],
        timeframe=options["timeframe"] or "",
        settings={name: options[name] for name in _SETTINGS if options[name] is not None},
        assigned=options["assigned"],
    )
    plan = make_plan(registry, overrides, run_file)
    with beside(plan), progress_bar(title, wanted=options["progress"]) as progress:
        yield subject_of(plan, registry, stamps=stamps), progress


def show(report: LookaheadReport | WarmupReport, *, as_json: bool) -> Exit:
    """Print a report, and return the exit code it means."""
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(report.document())).decode())
    else:
        click.echo(str(report))
    return Exit.OK if report.clean else Exit.FAILED
