"""`cambist live`."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from cambist.cli.exits import Exit
from cambist.cli.run_file_options import set_option
from cambist.cli.session import global_options, session

if TYPE_CHECKING:
    from cambist.app.live_file import LivePlan
    from cambist.cli.live_screen import LiveScreen
    from cambist.live import LiveRun

__all__ = ["carry_out", "live", "paper"]


class _Length(click.ParamType[Any]):
    """A length of time, in seconds."""

    name = "length"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from cambist.errors import ParameterError
        from cambist.simulation.durations import length_ns

        if isinstance(value, float):
            return value
        try:
            return length_ns("--for", "it", value) / 1e9
        except ParameterError:
            self.fail(f"{value!r} is no length of time, such as 90s, 10m or 8h", param, ctx)


def live_options(command: Any) -> Any:
    """Give a command what `cambist live` and its relatives take."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print what happens as JSON, one object a line."),
        click.option(
            "--for", "seconds", type=_Length(), metavar="LENGTH", help="Stop by itself after so long, such as 8h."
        ),
        click.option("--record", is_flag=True, help="Keep what the market did beside the journal, for cambist replay."),
        set_option,
        click.option("--journal", type=click.Path(path_type=Path), metavar="DIR", help="In place of the run file's."),
        click.option(
            "--yes", "-y", is_flag=True, help="Ask nothing at the start: what the venue holds counts, orders stay."
        ),
        click.argument("run_file", type=click.Path(path_type=Path)),
    ):
        command = option(command)
    return command


@click.command()
@live_options
@global_options(hidden=True)
def live(run_file: Path, **options: Any) -> None:
    """Trade an account at a venue, or at a simulated exchange.

    RUN_FILE says which, in [live]. A run that is in the journal goes on: orders, positions and balances are compared
    with the venue's before anything is sent. What differs is adopted, ignored or closed as [live] says, or asked about
    on a terminal.

    Ctrl-C or SIGTERM stops it: orders are canceled, kept or positions closed, as on_stop says. A second one ends it at
    once; the next start finds everything out. Log records of what goes on are on stderr.

    \b
    Examples:
      cambist live run.toml
      cambist live run.toml --yes --log-json
      cambist live run.toml --for 8h --json
    """  # noqa: D301 -- click reads the control character
    raise SystemExit(_carried_out(run_file, paper=False, **options))


@click.command()
@live_options
@global_options(hidden=True)
def paper(run_file: Path, **options: Any) -> None:
    """Trade with play money in the live market of a venue, without keys.

    RUN_FILE says which, in [paper] or [live]. Market data are the venue's and need no key; orders are worked by the
    simulated venue of a backtest, with the fees, latency and rules of [venue], and the cash of [account]. A run that is
    in the journal goes on: its orders and positions are there again.

    Ctrl-C or SIGTERM stops it as on_stop says, a second one at once.

    \b
    Examples:
      cambist paper run.toml
      cambist paper run.toml --for 8h --json
    """  # noqa: D301 -- click reads the control character
    raise SystemExit(_carried_out(run_file, paper=True, **options))


def _carried_out(
    run_file: Path, *, paper: bool, journal: Path | None, record: bool, assigned: tuple[str, ...], **options: Any
) -> Exit:
    from cambist.app.live_file import read_live_file

    plan = read_live_file(run_file, session().registry("info", beside=run_file), paper=paper, assigned=assigned)
    live = attrs.evolve(plan.live, record=record or plan.live.record)
    return carry_out(attrs.evolve(plan, journal=journal or plan.journal, live=live), **options)


def carry_out(plan: LivePlan, *, yes: bool, seconds: float | None, as_json: bool) -> Exit:
    """Run to the end; the exit code says how it was."""
    from cambist.app.live_run import LiveJob
    from cambist.cli.interrupts import end_on_signals
    from cambist.cli.live_screen import LiveScreen, asking

    screen: LiveScreen = LiveScreen(plan, as_json=as_json)
    timer = None if seconds is None else threading.Timer(seconds, lambda: job.stop("its time is over"))

    def entered(run: LiveRun) -> None:
        screen.entered(run)
        if timer is not None and run.phase == "run":
            timer.daemon = True
            timer.start()

    job = LiveJob(plan, ask=asking(yes=yes), phase=entered, heard=screen.heard)
    try:
        with end_on_signals(job.stop, job.cut_off):
            ended = job.work()
    except Exception as error:
        screen.failed(error)
        raise
    finally:
        if timer is not None:
            timer.cancel()
    screen.ended(ended)
    return Exit.INTERRUPTED if ended.cut_off else Exit.OK
