"""`cambist replay`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cambist.cli.backtest import Said, parameters
from cambist.cli.exits import Exit
from cambist.cli.journal.entries import FOLDER
from cambist.cli.session import global_options, session

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
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@global_options(hidden=True)
def replay(folder: Path, what: tuple[str, ...], *, given: dict[str, str], sizer: Any, as_json: bool) -> None:
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

    run_files = [one for one in what if one.lower().endswith(".toml")]
    strategies = [one for one in what if one not in run_files]
    if not what or len(run_files) > 1 or len(strategies) > 1:
        raise click.UsageError("name one strategy, such as my_file.py:SmaCross, or a run file, or both.")
    said = {} if sizer is None else {"sizer": sizer}
    overrides = Overrides(strategy=strategies[0] if strategies else "", parameters=given, said=said)
    run_file = Path(run_files[0]) if run_files else None
    registry = session().registry(beside=run_file)
    report = replay_plan(folder, make_plan(registry, overrides, run_file, needs_data=False))
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(report.document())).decode())
    else:
        click.echo(str(report))
    raise SystemExit(Exit.OK if report.equal else Exit.FAILED)
