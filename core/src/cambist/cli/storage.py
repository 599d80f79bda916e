"""`cambist storage`: what a storage holds, whether it is whole, and how it moves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from cambist.cli.session import global_options, session

__all__ = ["storage"]


@click.group()
@global_options(hidden=True)
def storage() -> None:
    """Look after the storage of runs.

    URL is sqlite:///runs.db (four slashes before an absolute path), postgresql://user@host/database or that of a
    plugin. A password may come from the environment of the database's own tools, such as PGPASSWORD.

    \b
    Examples:
      cambist storage info sqlite:///runs.db
      cambist storage copy sqlite:///runs.db postgresql://trader@localhost/runs
    """  # noqa: D301 -- click reads the control character


@storage.command()
@click.argument("url")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@global_options(hidden=True)
def info(url: str, *, as_json: bool) -> None:
    """Show the runs in a storage.

    \b
    Example:
      cambist storage info sqlite:///runs.db
    """  # noqa: D301 -- click reads the control character
    from cambist.app.storage import opened_storage

    with opened_storage(url, session().registry(), "runs", existing=True) as opened:
        runs = [_fields(run) for run in opened.runs.runs()]
    if as_json:
        click.echo(json.dumps(runs, indent=2))
        return
    from rich.table import Table
    from rich.text import Text

    from cambist.cli.screen import console

    table = Table("Run", "Mode", "What", "From", "To")
    table.columns[0].no_wrap = True
    for run in runs:
        table.add_row(*(Text(str(run[name] or "")) for name in ("id", "mode", "title", "started", "ended")))
    console().print(table)


@storage.command()
@click.argument("url")
@global_options(hidden=True)
def check(url: str) -> None:
    """Read everything in a storage, and say whether it is whole.

    \b
    Examples:
      cambist storage check sqlite:///runs.db
      cambist storage check parquet:///bars
    """  # noqa: D301 -- click reads the control character
    from cambist.app.storage import read_all

    click.echo(f"{', '.join(read_all(url, session().registry()))} can be read")


@storage.command()
@click.argument("url")
@global_options(hidden=True)
def upgrade(url: str) -> None:
    """Bring the tables of a database to the version that this Cambist works with.

    Make a copy of it first. A failure leaves it as it was.

    \b
    Example:
      cambist storage upgrade sqlite:///runs.db
    """  # noqa: D301 -- click reads the control character
    from cambist.app.storage import upgrade_storage

    click.echo(upgrade_storage(url, session().registry()))


@storage.command()
@click.argument("source")
@click.argument("target")
@global_options(hidden=True)
def copy(source: str, target: str) -> None:
    """Copy every run from one storage to another, and compare afterwards.

    What TARGET has already is left alone; a copy that was cut off goes on where it ended.

    \b
    Example:
      cambist storage copy sqlite:///runs.db postgresql://trader@localhost/runs
    """  # noqa: D301 -- click reads the control character
    from cambist.app.storage import copy_runs, opened_storage

    registry = session().registry()
    with (
        opened_storage(source, registry, "runs", existing=True) as one,
        opened_storage(target, registry, "runs") as other,
    ):
        copied = copy_runs(one.runs, other.runs)
        total = len(one.runs.runs())
    click.echo(f"copied {len(copied):,} of {total:,} runs; all {total:,} are equal in both")


@storage.command()
@click.argument("journal", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("url")
@click.option(
    "--mode",
    type=click.Choice(["backtest", "replay", "paper", "live"]),
    default="live",
    show_default=True,
    help="Of the run.",
)
@global_options(hidden=True)
def rebuild(journal: Path, url: str, mode: str) -> None:
    """Make what a storage has of a run anew, out of the run's journal.

    JOURNAL is the folder of the journal. It is only read, and may be in use; the storage must not be.

    \b
    Example:
      cambist storage rebuild journal sqlite:///runs.db
    """  # noqa: D301 -- click reads the control character
    from cambist.app.storage import opened_storage, rebuild_run

    with opened_storage(url, session().registry(), "runs") as opened:
        run_id, records = rebuild_run(journal, opened.runs, mode)
    click.echo(f"the run {run_id} was made anew of {records:,} records")


def _fields(run: Any) -> dict[str, Any]:
    """Return what is shown of a run; times as ISO 8601."""
    from cambist.analysis import iso_time

    return {
        "id": run.id,
        "mode": run.mode,
        "title": run.title,
        "started": iso_time(run.started_at),
        "ended": None if run.ended_at is None else iso_time(run.ended_at),
        "currency": run.currency,
        "initial_cash": str(run.initial_cash),
        "stopped": run.stopped,
        "version": run.version,
    }
