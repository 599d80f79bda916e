"""`cambist watch`: a live run on a terminal, as it goes on."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from cambist.cli.operate.shared import connect, operated
from cambist.cli.session import global_options
from cambist.errors import NotRunningError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["watch"]


@click.command()
@operated
@click.option("--every", type=click.FloatRange(0.1), default=1.0, help="Seconds between two looks.  [1]")
@click.option("--for", "length", type=click.FloatRange(0.0), help="Seconds to go on.  [until Ctrl-C]")
@global_options(hidden=True)
def watch(target: str | None, *, every: float, length: float | None, as_json: bool) -> None:
    """Show a live run as it goes on.

    Streams, positions, the last orders, fills and alarms. Without a terminal it prints a line for each look. It cannot
    slow the run. Ctrl-C ends it, not the run.

    \b
    Examples:
      cambist watch
      cambist watch run.toml --every 5
      cambist watch --json --for 60
    """  # noqa: D301 -- click reads the control character
    with connect(target) as run:
        looks = _looks(run.call, every, length)
        if as_json:
            _as_json(looks)
        elif sys.stdout.isatty():
            _on_terminal(looks)
        else:
            for status in looks:
                click.echo(_line(status))


def _looks(call: Callable[[str], Any], every: float, length: float | None) -> Iterator[dict[str, Any]]:
    """Yield a status now and then, until the run ends or the time is over."""
    end = None if length is None else time.monotonic() + length
    while True:
        try:
            yield call("status")
        except NotRunningError:
            click.echo("the run has ended", err=True)
            return
        if end is not None and time.monotonic() + every > end:
            return
        time.sleep(every)


def _as_json(looks: Iterator[dict[str, Any]]) -> None:
    import json

    for status in looks:
        click.echo(json.dumps(status))
        sys.stdout.flush()


def _on_terminal(looks: Iterator[dict[str, Any]]) -> None:
    from rich.live import Live

    from cambist.cli.operate.tables import status_view
    from cambist.cli.screen import console

    screen = console()
    with Live(console=screen, auto_refresh=False, screen=True, vertical_overflow="crop") as view:
        for status in looks:
            rows = max(2, (screen.height - 12) // 3)
            view.update(status_view(status, screen.width, rows=rows), refresh=True)


def _line(status: dict[str, Any]) -> str:
    """Return a status in one line, for what is no terminal."""
    streams = " ".join(f"{name}={age:.1f}s" for name, age in status["streams"].items())
    held = " ".join(f"{one['symbol']}={one['size']:g}" for one in status["positions"] if one["size"])
    orders, newest = status["orders"], status["alarms"][-1:]
    parts = [
        time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(status["now"] / 1e9)),
        status["phase"],
        status["trading"]["state"],
        streams,
        f"open={orders['open']} unknown={orders['unknown']}",
        held or "flat",
        *(f"equity={status['account']['equity']:.8g}" for _ in [0] if status["account"]["equity"] is not None),
        *(f"alarm={one['word']}" for one in newest),
    ]
    return "  ".join(part for part in parts if part)
