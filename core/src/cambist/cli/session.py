"""What holds for a whole call of ``cambist``: the global options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import click

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cambist.plugins.registry import Registry

__all__ = ["LOG_LEVELS", "Session", "global_options", "session"]

LOG_LEVELS = ("debug", "info", "warning", "error", "critical")

F = TypeVar("F", bound="Callable[..., Any]")


@attrs.define(kw_only=True)
class Session:
    """The global options of this call.

    Attributes
    ----------
    debug
        Show tracebacks.
    log_level, log_json
        See `cambist.observe.configure`; without a level each command has its own.
    strict_plugins
        A plugin that cannot be used is an error, even when nothing of it is needed.
    no_local_plugins
        `cambist_plugins.py` beside a run file is left alone.
    """

    debug: bool = False
    log_level: str = ""
    log_json: bool = False
    strict_plugins: bool = False
    no_local_plugins: bool = False
    _found: dict[Path | None, Registry] = attrs.field(factory=dict, init=False, repr=False)

    def start_logs(self, level: str = "warning") -> None:
        """Send log records to stderr, as the options say; `level` holds where they say nothing."""
        from cambist.observe import configure

        configure(self.log_level or level, json=self.log_json)

    def registry(self, log_level: str = "warning", *, beside: Path | None = None) -> Registry:
        """Return what is installed; each plugin is asked once a call.

        Parameters
        ----------
        log_level
            As for `start_logs`.
        beside
            The run file that the command reads, or a folder: the plugin of one file that stands there comes along.

        Raises
        ------
        PluginError
            Plugins are to be strict, and one cannot be used.
        """
        from cambist.plugins.registry import Registry

        self.start_logs(log_level)
        if beside not in self._found:
            self._found[beside] = Registry.discover(
                strict=self.strict_plugins, beside=beside, local=not self.no_local_plugins
            )
        return self._found[beside]


def session() -> Session:
    """Return the session of the command that runs; a fresh one where a command is called by itself."""
    context = click.get_current_context(silent=True)
    found = None if context is None else context.find_object(Session)
    return found or Session()


def _set(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(context: click.Context, _parameter: click.Parameter, value: Any) -> None:
        if value not in (None, False):
            setattr(context.ensure_object(Session), name, value)

    return callback


_OPTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("--debug", {"is_flag": True, "help": "Show the traceback of an error."}),
    ("--log-level", {"type": click.Choice(LOG_LEVELS), "help": "Least level of log records on stderr.  [warning]"}),
    ("--log-json", {"is_flag": True, "help": "Write log records as JSON, one a line."}),
    ("--strict-plugins", {"is_flag": True, "help": "Fail if any plugin cannot be used, needed or not."}),
    (
        "--no-local-plugins",
        {"is_flag": True, "help": "Leave cambist_plugins.py beside the run file alone."},
    ),
)


def global_options(*, hidden: bool) -> Callable[[F], F]:
    """Give a command the global options; hidden on all but the first, where they are taken all the same."""

    def decorate(command: F) -> F:
        for name, settings in reversed(_OPTIONS):
            attribute = name.removeprefix("--").replace("-", "_")
            command = click.option(
                name, expose_value=False, callback=_set(attribute), is_eager=True, hidden=hidden, **settings
            )(command)
        return command

    return decorate
