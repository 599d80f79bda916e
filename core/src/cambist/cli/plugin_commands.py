"""Commands of plugins: imported when they are named, with the options that every command has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cambist.cli.session import global_options
from cambist.errors import PluginLoadError

if TYPE_CHECKING:
    from cambist.plugins.registry import Registry

__all__ = ["plugin_command"]


def plugin_command(registry: Registry, name: str) -> click.Command:
    """Import the command of a plugin, and give it the global options.

    Raises
    ------
    PluginClashError
        Two plugins offer it.
    MissingDependencyError, PluginLoadError
        It cannot be imported, or is no command of click, or goes by another name.
    """
    spec = registry.get("command", name)
    command = spec.load()
    if not isinstance(command, click.Command):
        raise PluginLoadError(f"{spec} is {command!r}: give what @click.command() or @click.group() makes.")
    if command.name != name:
        raise PluginLoadError(f"{spec} calls itself {command.name!r}: give it the name {name!r} as well.")
    _complete(command)
    return command


def _complete(command: click.Command) -> None:
    taken = {option for parameter in command.params for option in parameter.opts}
    if "--debug" not in taken:
        global_options(hidden=True)(command)
    if isinstance(command, click.Group):
        for one in command.commands.values():
            _complete(one)
