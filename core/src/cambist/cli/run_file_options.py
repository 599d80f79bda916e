"""What commands that read a run file have in common."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["run_file_in", "set_option"]

#: ``--set KEY=VALUE``: any key of the run file.
set_option = click.option(
    "--set",
    "assigned",
    multiple=True,
    metavar="KEY=VALUE",
    help="Set a key of the run file, such as account.cash=5000 or data[1].source=bars.csv. May be repeated.",
)


def run_file_in(what: Sequence[str], options: dict[str, Any]) -> tuple[str, Path | None]:
    """Tell a strategy and a run file apart, of which there may be one each.

    Returns
    -------
    tuple
        The strategy or ``""``, and the run file or None.

    Raises
    ------
    click.UsageError
        There are several, or keys of a run file are to be set and there is none.
    """
    run_files = [one for one in what if one.lower().endswith(".toml")]
    strategies = [one for one in what if one not in run_files]
    if len(run_files) > 1 or len(strategies) > 1:
        raise click.UsageError(
            f"{', '.join(what)}: give one strategy and one run file at most. Several strategies go into a run file."
        )
    if options.get("assigned") and not run_files:
        raise click.UsageError("--set sets keys of a run file, and there is none. Name one, such as run.toml.")
    return strategies[0] if strategies else "", Path(run_files[0]) if run_files else None
