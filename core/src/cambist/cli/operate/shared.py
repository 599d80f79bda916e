"""What the commands have in common by which a live run is operated: which run, in which form, and whether to ask."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from cambist.cli.exits import Exit
from cambist.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.live.control import ControlClient, RunCard

__all__ = ["confirm", "connect", "described", "operated", "verified", "write_json", "yes_option"]


def operated(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the argument that says which run, and ``--json``."""
    command = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)
    return click.argument("target", required=False, type=click.Path(), metavar="[RUN]")(command)


def yes_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--yes``."""
    return click.option("--yes", "-y", is_flag=True, help="Do not ask whether that is meant.")(command)


def connect(target: str | None) -> ControlClient:
    """Return a connection to the run that is meant; the only one that runs where none is named."""
    from cambist.live.control import ControlClient, find_run

    return ControlClient(find_run(target))


def described(card: RunCard) -> str:
    """Return a run in words."""
    where = f" ({card.environment})" if card.environment else ""
    return f"the run at {card.venue}{where}, journal {card.journal}"


def confirm(what: str, *, yes: bool) -> None:
    """Ask whether something is meant that cannot be taken back.

    Raises
    ------
    ConfigError
        If nobody can be asked, and ``--yes`` was not said.
    click.Abort
        If it is not.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError(f"{what}: nobody can be asked here whether that is meant. Say --yes.")
    click.confirm(f"{what}?", abort=True, err=True)


def write_json(document: Any) -> None:
    """Print a document for programs."""
    click.echo(json.dumps(document, indent=2))


def verified(result: dict[str, Any], *, as_json: bool) -> Exit:
    """Print what was done, item by item; the exit code says whether the venue agrees."""
    if as_json:
        write_json(result)
    else:
        from cambist.cli.operate.tables import print_cleared

        print_cleared(result)
    return Exit.OK if result["verified"] else Exit.FAILED
