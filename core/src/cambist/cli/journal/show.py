"""`cambist journal show`."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import click

from cambist.cli.journal.entries import FOLDER, as_fields, as_line, chosen, filters
from cambist.cli.session import global_options

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["show"]

_LAST = 20


@click.command()
@FOLDER
@filters
@click.option("-n", "--last", type=click.IntRange(0), help=f"Only the last N of them, 0 for all.  [{_LAST}]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@global_options(hidden=True)
def show(folder: Path, *, start: int | None, last: int | None, as_json: bool, **which: Any) -> None:
    """Show records: the last ones, or the whole life of an order.

    \b
    Examples:
      cambist journal show journal
      cambist journal show journal --order 7
      cambist journal show journal --kind order_filled --kind cash_moved --last 0 --json
    """  # noqa: D301 -- click reads the control character
    import msgspec

    from cambist.storage.journal import JournalFolder

    journal = JournalFolder(folder)
    narrowed = start is not None or any(which.values())
    limit = (None if narrowed else _LAST) if last is None else last or None
    entries = deque(chosen(journal.read(start or journal.first), **which), maxlen=limit)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode([as_fields(entry) for entry in entries])).decode())
        return
    for entry in entries:
        click.echo(as_line(entry))
