"""`cambist journal tail`."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any

import click

from cambist.cli.journal.entries import FOLDER, as_json_line, as_line, chosen, filters
from cambist.cli.session import global_options

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["tail"]


@click.command()
@FOLDER
@filters
@click.option("-n", "--last", type=click.IntRange(0), default=10, help="How many records to begin with.  [10]")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option("--every", type=click.FloatRange(0.05), default=0.5, help="Seconds between two looks.  [0.5]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one record a line.")
@global_options(hidden=True)
def tail(
    folder: Path, *, start: int | None, last: int, follow: bool, every: float, as_json: bool, **which: Any
) -> None:
    """Show the newest records, and with --follow those that come.

    It reads what is on the disk, a moment before the run knows that it is safe there.

    \b
    Examples:
      cambist journal tail journal
      cambist journal tail journal --follow --json
    """  # noqa: D301 -- click reads the control character
    from cambist.storage.journal import JournalFolder

    journal, write = JournalFolder(folder), as_json_line if as_json else as_line
    position = (start or journal.first) - 1
    newest: deque[Any] = deque(maxlen=last)
    for entry in journal.read(position + 1):
        position = entry.sequence
        newest.extend(chosen((entry,), **which))
    for entry in newest:
        click.echo(write(entry))
    while follow:
        for entry in journal.read(position + 1):
            position = entry.sequence
            for one in chosen((entry,), **which):
                click.echo(write(one))
        time.sleep(every)
