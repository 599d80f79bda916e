"""`cambist status`, `cambist orders` and `cambist positions`: what a live run shows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from cambist.cli.operate.shared import connect, described, operated, write_json
from cambist.cli.session import global_options
from cambist.errors import NotRunningError

if TYPE_CHECKING:
    from cambist.live.control import RunCard

__all__ = ["orders", "positions", "status"]

_STARTING = frozenset({"prepare", "connect", "reconcile"})
_AT_VENUE = click.option("--venue", "at_venue", is_flag=True, help="Ask the venue as well: what else there is.")


@click.command()
@operated
@click.option("--wait", type=click.FloatRange(0.0), metavar="SECONDS", help="Wait for a run that is just starting.")
@global_options(hidden=True)
def status(target: str | None, *, wait: float | None, as_json: bool) -> None:
    """Show how a live run does.

    RUN is its run file or the folder of its journal, and may be left out where only one is running: phase, what may be
    traded, streams, positions, the last orders, fills and alarms. `cambist watch` goes on showing it.

    The exit code is 4 if it does not run.

    \b
    Examples:
      cambist status
      cambist status run.toml --json
    """  # noqa: D301 -- click reads the control character
    card, found = _trading(target, wait)
    if as_json:
        write_json(found)
        return
    from cambist.cli.operate.tables import status_view
    from cambist.cli.screen import console

    screen = console()
    screen.print(described(card), markup=False)
    screen.print(status_view(found, screen.width))


def _trading(target: str | None, wait: float | None) -> tuple[RunCard, dict[str, Any]]:
    """Return a run and its status; where that is wanted, once it trades."""
    end = time.monotonic() + (wait or 0.0)
    while True:
        late = time.monotonic() >= end
        try:
            with connect(target) as run:
                found = run.call("status")
                if late or found["phase"] not in _STARTING:
                    return run.card, found
        except NotRunningError:
            if late:
                raise
        time.sleep(0.2)


@click.command()
@operated
@_AT_VENUE
@global_options(hidden=True)
def orders(target: str | None, *, at_venue: bool, as_json: bool) -> None:
    """Show the open orders of a live run.

    With --venue also those that the venue has, orders of others included: these have no number, and are named by the
    id that they have at the venue.

    \b
    Examples:
      cambist orders
      cambist orders run.toml --venue --json
    """  # noqa: D301 -- click reads the control character
    with connect(target) as run:
        found = run.call("orders", venue=at_venue or None)
    if as_json:
        write_json(found)
        return
    from cambist.cli.operate.tables import orders_table
    from cambist.cli.screen import console

    screen = console()
    screen.print(orders_table(found["orders"], screen.width))
    if at_venue:
        screen.print(orders_table(found["venue"], screen.width, title="Open orders at the venue"))


@click.command()
@operated
@_AT_VENUE
@global_options(hidden=True)
def positions(target: str | None, *, at_venue: bool, as_json: bool) -> None:
    """Show what a live run holds.

    With --venue also positions and balances as the venue tells them.

    \b
    Examples:
      cambist positions
      cambist positions run.toml --venue
    """  # noqa: D301 -- click reads the control character
    with connect(target) as run:
        found = run.call("positions", venue=at_venue or None)
    if as_json:
        write_json(found)
        return
    from cambist.cli.operate.tables import positions_table
    from cambist.cli.screen import console

    screen = console()
    screen.print(positions_table(found["positions"], screen.width))
    for one in found.get("venue", ()):
        screen.print(f"venue: {one['symbol']} {one['position_side']} {one['size']} at {one['entry_price']}")
    for one in found.get("balances", ()):
        free = "" if one["free"] is None else f", {one['free']} free"
        screen.print(f"venue: {one['total']} {one['asset']}{free}", markup=False)
