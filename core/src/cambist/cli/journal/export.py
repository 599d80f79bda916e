"""`cambist journal export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cambist.cli.journal.entries import FOLDER, as_fields, as_json_line, chosen, filters
from cambist.cli.session import global_options

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from cambist.ports import JournalEntry

__all__ = ["export"]


@click.command()
@FOLDER
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@filters
@click.option("--format", "format_", type=click.Choice(["jsonl", "csv"]), help="Of TARGET.  [by its name, else jsonl]")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON for programs.")
@global_options(hidden=True)
def export(folder: Path, target: Path, *, start: int | None, format_: str | None, as_json: bool, **which: Any) -> None:
    """Write records into TARGET, for other programs: JSON, one record a line, or CSV.

    Prices, sizes and money are text, to the last digit. Nothing is written over.

    \b
    Examples:
      cambist journal export journal records.jsonl
      cambist journal export journal fills.csv --kind order_filled
    """  # noqa: D301 -- click reads the control character
    import msgspec

    from cambist.errors import ConfigError
    from cambist.storage.journal import JournalFolder

    journal = JournalFolder(folder)
    write = _write_csv if (format_ or target.suffix.lstrip(".")) == "csv" else _write_lines
    try:
        with target.open("x", encoding="utf-8", newline="") as file:
            count = write(file, chosen(journal.read(start or journal.first), **which))
    except FileExistsError:
        raise ConfigError(f"{target} is there already. Name another file, or remove it.") from None
    except OSError as error:
        raise ConfigError(f"{target} cannot be written: {error.strerror}. Name another file.") from None
    if as_json:
        click.echo(msgspec.json.encode({"records": count, "file": str(target)}).decode())
    else:
        click.echo(f"{count:,} records written to {target}", err=True)


def _write_lines(file: TextIO, entries: Iterable[JournalEntry]) -> int:
    count = 0
    for entry in entries:
        file.write(as_json_line(entry) + "\n")
        count += 1
    return count


def _write_csv(file: TextIO, entries: Iterable[JournalEntry]) -> int:
    """Write a column for each field that any of the records has."""
    import csv

    rows = []
    for entry in entries:
        row = as_fields(entry)
        fields = row.pop("fields")
        named = fields if isinstance(fields, dict) else {"body": fields}
        rows.append(row | {f"field_{name}" if name in row else name: value for name, value in named.items()})
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(file, columns)
    writer.writeheader()
    writer.writerows(rows)
    return len(rows)
