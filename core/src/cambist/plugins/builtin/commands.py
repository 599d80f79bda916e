"""The core's commands."""

from __future__ import annotations

from cambist.plugins.hookspecs import hookimpl
from cambist.plugins.own_commands import OWN_COMMANDS
from cambist.plugins.specs import CommandSpec

__all__ = ["cambist_commands"]


@hookimpl
def cambist_commands() -> list[CommandSpec]:
    """Offer what is below ``cambist.cli``."""
    return [CommandSpec(name=name, factory=where, summary=summary) for name, (where, summary) in OWN_COMMANDS.items()]
