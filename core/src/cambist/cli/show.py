"""`cambist show`."""

from __future__ import annotations

from pathlib import Path

import click

from cambist.cli.session import global_options, session

__all__ = ["show"]


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--json", "as_json", is_flag=True, help="Print result.json instead of a table.")
@global_options(hidden=True)
def show(run: str, *, as_json: bool) -> None:
    """Show a result that was saved, or a run that a journal or a storage tells of.

    RUN is a folder that cambist backtest --out or result.save has written, all of whose files are read and checked,
    the folder of a journal, or a storage and a run in it: sqlite:///runs.db#ID. The id may be left out where there is
    one run. A paper or live run is shown as far as it got.

    \b
    Examples:
      cambist show result
      cambist show result --json
      cambist show sqlite:///runs.db
    """  # noqa: D301 -- click reads the control character
    from cambist.app.results import is_stored, load_run
    from cambist.cli.report import print_document, show_notes, show_result

    result = load_run(run, session().registry())
    show_notes(result)
    if as_json:
        print_document(result, None if is_stored(run) else Path(run))
    else:
        show_result(result)
