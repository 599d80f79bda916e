"""``cambist``: the commands, and what every one of them has in common: errors, exit codes, global options."""

from __future__ import annotations

import sys
import traceback
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

import click

from cambist.cli.exits import Exit, code_of, exit_of
from cambist.cli.plugin_commands import plugin_command
from cambist.cli.session import Session, global_options
from cambist.errors import CambistError
from cambist.observe.redaction import REDACTOR
from cambist.plugins.known import KNOWN
from cambist.plugins.own_commands import OWN_COMMANDS
from cambist.plugins.specs import CommandSpec

if TYPE_CHECKING:
    from cambist.plugins.registry import Registry

__all__ = ["COMMANDS", "main", "root"]

#: The core's own commands. They need no registry, so that nothing that is installed can break them.
COMMANDS = OWN_COMMANDS


class LazyGroup(click.Group):
    """A group that imports a command when it is named, so that ``--help`` costs nothing but click.

    Plugins are asked for commands where the core has none of that name, and for the list of all.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names: the core's, then those of plugins."""
        return [*COMMANDS, *_of_plugins(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command.

        Raises
        ------
        PluginError, MissingDependencyError
            Two plugins offer it, or it cannot be imported.
        """
        if cmd_name in COMMANDS:
            module, _, attribute = COMMANDS[cmd_name][0].partition(":")
            command: click.Command = getattr(import_module(module), attribute)
            return command
        return plugin_command(_registry(ctx), cmd_name) if cmd_name in _of_plugins(ctx) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is named; what is near to a misspelt name is told, or which package has it."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            names = self.list_commands(ctx)
            if args[0] not in names:
                if ("command", args[0]) in KNOWN:
                    _registry(ctx).get("command", args[0])
                raise click.exceptions.NoSuchCommand(args[0], possibilities=names, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, without importing them."""
        lines = [(name, summary) for name, (_, summary) in COMMANDS.items()]
        lines += [(name, spec.summary) for name, spec in _of_plugins(ctx).items()]
        with formatter.section("Commands"):
            formatter.write_dl(lines)


def _registry(ctx: click.Context) -> Registry:
    """Return what is installed, found once a call."""
    from cambist.plugins.registry import Registry

    found: Registry | None = ctx.meta.get("cambist.registry")
    if found is None:
        settings = ctx.find_object(Session)
        found = Registry.discover(strict=settings is not None and settings.strict_plugins)
        ctx.meta["cambist.registry"] = found
    return found


def _of_plugins(ctx: click.Context) -> dict[str, CommandSpec]:
    """Return what plugins offer, by name; of a name that is offered twice the first, the core's own left out."""
    found: dict[str, CommandSpec] = {}
    for spec in _registry(ctx).components():
        if isinstance(spec, CommandSpec) and spec.name not in COMMANDS:
            found.setdefault(spec.name, spec)
    return dict(sorted(found.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@global_options(hidden=False)
def root() -> None:
    """Cambist: write a strategy once, and backtest it.

    The options below may also follow a command.

    \b
    Examples:
      cambist backtest my_file.py:SmaCross --data bars.csv --cash 1e5 --fees 0.001
      cambist backtest run.toml
      cambist doctor
    """  # noqa: D301 -- click reads the control character


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run ``cambist`` and end the process with one of the codes of `cambist.cli.exits.Exit`."""
    for stream in (sys.stdout, sys.stderr):
        # A symbol or a path that the terminal's encoding lacks must not end a run.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    settings = Session()
    try:
        code = root.main(arguments, prog_name="cambist", standalone_mode=False, obj=settings)
    except click.exceptions.Abort:
        click.echo("error: interrupted", err=True)
        code = Exit.INTERRUPTED
    except click.ClickException as error:
        code = _usage_error(error)
    except Exception as error:  # noqa: BLE001 -- the top of the command line: whatever happens ends in a message
        code = _report(error, debug=settings.debug)
    sys.exit(int(code) if isinstance(code, int) else Exit.OK)


def _usage_error(error: click.ClickException) -> Exit:
    context: Any = getattr(error, "ctx", None)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return Exit.BAD_INPUT
    click.echo(f"error: {error.format_message()}", err=True)
    if context is not None and isinstance(error, click.UsageError):
        click.echo(f"Try '{context.command_path} --help'.", err=True)
    return Exit.BAD_INPUT


def _report(error: Exception, *, debug: bool) -> Exit:
    """Tell of an error in one message, with its traceback if that was asked for."""
    if debug:
        click.echo(REDACTOR.text("".join(traceback.format_exception(error))), err=True, nl=False)
    if isinstance(error, CambistError):
        # Below an empty line stands the traceback of a plugin that failed.
        text, _, rest = str(error).partition("\n\n")
        code = code_of(error)
        click.echo(REDACTOR.text(f"error: {text}{f' [{code}]' if code else ''}"), err=True)
        if rest and not debug:
            click.echo("'cambist plugins list' and --debug show more.", err=True)
        return exit_of(error)
    click.echo(REDACTOR.text(f"error: {type(error).__name__}: {error}"), err=True)
    if not debug:
        click.echo("This is a fault of Cambist or of a plugin, not of yours; --debug shows where.", err=True)
    return Exit.FAILED
