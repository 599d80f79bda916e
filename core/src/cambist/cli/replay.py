"""`cambist replay`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cambist.cli.backtest import Said, parameters
from cambist.cli.exits import Exit
from cambist.cli.journal.entries import FOLDER
from cambist.cli.run_file_options import run_file_in, set_option
from cambist.cli.session import global_options, session

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["replay"]


@click.command()
@FOLDER
@click.argument("what", nargs=-1, metavar="[STRATEGY] [RUN_FILE]")
@click.option(
    "--param",
    "-p",
    "given",
    multiple=True,
    callback=parameters,
    metavar="NAME=VALUE",
    help="Set a parameter of the strategy. May be repeated.",
)
@click.option("--sizer", type=Said("name"), help="As in the run, where it had --sizer.")
@set_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@global_options(hidden=True)
def replay(
    folder: Path, what: tuple[str, ...], *, given: dict[str, str], sizer: Any, as_json: bool, **options: Any
) -> None:
    """Repeat a recorded run, and find where a strategy decides otherwise.

    FOLDER is the journal of a run with --record. STRATEGY and RUN_FILE are as for cambist backtest; the run file says
    which strategies there were, and the settings that a recording cannot keep, such as a sizer. No market is simulated:
    the strategy is told what it was told then, and what it wants is compared with what it wanted.

    The exit code is 0 where everything is equal to the last bit, and 1 at the first difference, which is shown with
    the event that led to it, both decisions, and the state of strategy and account.

    \b
    Examples:
      cambist replay journal my_file.py:SmaCross
      cambist replay journal my_file.py:SmaCross --param fast=5 --json
      cambist replay journal run.toml
    """  # noqa: D301 -- click reads the control character
    from cambist.app.assemble import make_plan
    from cambist.app.plan import Overrides
    from cambist.app.replaying import replay_plan

    if not what:
        raise click.UsageError("name one strategy, such as my_file.py:SmaCross, or a run file, or both.")
    strategy, run_file = run_file_in(what, options)
    said = {} if sizer is None else {"sizer": sizer}
    overrides = Overrides(strategy=strategy, parameters=given, said=said, assigned=options["assigned"])
    registry = session().registry(beside=run_file)
    report = replay_plan(folder, make_plan(registry, overrides, run_file, needs_data=False))
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(report.document())).decode())
    else:
        click.echo(str(report))
    raise SystemExit(Exit.OK if report.equal else Exit.FAILED)
