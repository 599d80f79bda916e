"""`cambist show`."""

from __future__ import annotations

from pathlib import Path

import click

from cambist.cli.session import global_options

__all__ = ["show"]


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print result.json instead of a table.")
@global_options(hidden=True)
def show(folder: Path, *, as_json: bool) -> None:
    """Show a result that was saved.

    FOLDER is one that cambist backtest --out or result.save has written. All of its files are read and checked.

    \b
    Examples:
      cambist show result
      cambist show result --json
    """  # noqa: D301 -- click reads the control character
    from cambist.backtest.load import load_result
    from cambist.cli.report import print_document, show_notes, show_result

    result = load_result(folder)
    show_notes(result)
    if as_json:
        print_document(result, folder)
    else:
        show_result(result)
