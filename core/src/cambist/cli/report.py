"""What a finished backtest shows: the table of results, its notes, and where the files are."""

from __future__ import annotations

from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from cambist.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from cambist.backtest import Result

__all__ = ["check_output", "print_document", "show_notes", "show_result"]


def check_output(folder: Path, name: str) -> None:
    """Find out before a long run whether its result can be written to a folder, in the format called `name`.

    Raises
    ------
    ConfigError
        It cannot be written there.
    ParameterError, MissingDependencyError
        There is no such format, or a package for it is missing.
    """
    from cambist.backtest.formats import format_named

    format_named(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder, prefix=".cambist-"):
            pass
    except OSError as error:
        raise ConfigError(
            f"the result cannot be written to {folder}: {error.strerror or error}. Choose another folder with --out."
        ) from error


def print_document(result: Result, folder: Path | None) -> None:
    """Print ``result.json`` on stdout: the one in `folder`, where the result was saved."""
    from cambist.backtest.export import DOCUMENT, document

    click.echo(document(result) if folder is None else (folder / DOCUMENT).read_text(encoding="utf-8"), nl=False)


def show_notes(result: Result, *, failed: bool = False) -> None:
    """Print on stderr what the user should know; why a run failed is told elsewhere."""
    for warning in result.warnings:
        click.echo(f"note: {warning}", err=True)
    if result.stopped and not failed:
        click.echo(f"stopped: {result.stopped}", err=True)


def show_result(result: Result) -> None:
    """Print the table of results on stdout."""
    from rich.table import Table
    from rich.text import Text

    from cambist.cli.screen import console
    from cambist.model import format_ns

    screen = console()
    span = f"{format_ns(result.started)} to {format_ns(result.ended)}"
    screen.print(Text(result.title, style="bold"), soft_wrap=True)
    screen.print(Text(f"{span}, {result.played_as}"), soft_wrap=True)
    table = Table("", "Strategy")
    if result.summary.has_benchmark:
        table.add_column("Buy and hold")
    for column in table.columns[1:]:
        column.justify = "right"
    for row in result.summary.rows():
        table.add_row(*map(Text, row[: len(table.columns)]))
    screen.print(table)
