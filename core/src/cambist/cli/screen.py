"""Drawing: tables on stdout, progress on stderr. rich is imported here, when something is drawn."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

__all__ = ["console", "progress_bar"]


def console() -> Console:
    """Return what draws on stdout."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)


@contextmanager
def progress_bar(title: str, *, wanted: bool | None) -> Iterator[Callable[[int, int | None], None] | None]:
    """Give what shows progress on stderr, as `cambist.backtest` takes it.

    It appears only when the work takes more than one report: short work is over before a bar could be read.

    Parameters
    ----------
    title
        Stands before the bar.
    wanted
        True and False decide; None shows it on a terminal.
    """
    if not (sys.stderr.isatty() if wanted is None else wanted):
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    screen = Console(stderr=True, highlight=False, force_terminal=True if wanted else None)
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("bars"),
        TimeRemainingColumn(),
        console=screen,
        transient=not wanted,
    )
    task = progress.add_task(title, total=None)

    def report(done: int, total: int | None) -> None:
        if total is None or done < total or wanted:
            progress.start()
        progress.update(task, completed=done, total=total)

    try:
        yield report
    finally:
        progress.stop()
