"""`cambist plugins`: what is installed, what it offers, and why something is not working."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from cambist.cli.plugins_check import check_plugin
from cambist.cli.plugins_new import new_plugin
from cambist.cli.session import global_options, session
from cambist.errors import CambistError, did_you_mean
from cambist.plugins.specs import SPECS
from cambist.plugins.status import PluginState, PluginStatus
from cambist.plugins.weight import weighs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.text import Text

    from cambist.plugins.specs import Spec

__all__ = ["plugins"]

_COLORS = {
    PluginState.ACTIVE: "green",
    PluginState.FAILED: "red",
    PluginState.DISABLED: "yellow",
    PluginState.INCOMPATIBLE: "red",
}
_BESIDE = click.argument("beside", required=False, type=click.Path(exists=True, path_type=Path), metavar="[RUN_FILE]")
#: More components of a kind than this are counted, not named.
_NAMED = 8


@click.group()
@global_options(hidden=True)
def plugins() -> None:
    """Show the plugins that are installed; begin one, and check one.

    \b
    Examples:
      cambist plugins list
      cambist plugins show max-position
      cambist plugins new --kind notifier pager
      cambist plugins check pager
    """  # noqa: D301 -- click reads the control character


plugins.add_command(new_plugin)
plugins.add_command(check_plugin)


@plugins.command("list")
@_BESIDE
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@global_options(hidden=True)
def list_plugins(beside: Path | None, *, as_json: bool) -> None:
    """List every plugin with its version, its state and its components.

    With RUN_FILE, or a folder, the plugin of one file that stands there as well, cambist_plugins.py.

    \b
    Examples:
      CAMBIST_DISABLE_PLUGINS=samples cambist plugins list
      cambist plugins list run.toml
    """  # noqa: D301 -- click reads the control character
    registry = session().registry(beside=beside)
    if as_json:
        _print_json({"plugins": [_as_dict(one) for one in registry.statuses()], "clashes": registry.clashes()})
        return
    _print_table(registry.statuses())
    for one in registry.statuses():
        if one.path:
            click.echo(f"{one.name}: {one.path}")
    for clash in registry.clashes():
        click.secho(f"Clash: {clash}", fg="red")


@plugins.command("show")
@click.argument("name")
@_BESIDE
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@global_options(hidden=True)
def show_plugin(name: str, beside: Path | None, *, as_json: bool) -> None:
    """Show a plugin, or a component of any plugin, with its settings.

    The plugin of one file beside RUN_FILE, or in that folder, is called local.

    \b
    Examples:
      cambist plugins show samples
      cambist plugins show sma-cross
      cambist plugins show local run.toml
    """  # noqa: D301 -- click reads the control character
    registry = session().registry(beside=beside)
    statuses = [one for one in registry.statuses() if one.name == name]
    components = registry.components(name)
    if not statuses:
        components = [spec for spec in registry.components() if spec.name == name]
        if not components:
            known = [*(one.name for one in registry.statuses()), *(spec.name for spec in registry.components())]
            raise click.ClickException(f"there is no plugin and no component called {name!r}.{_hint(name, known)}")
    if as_json:
        described = [_describe(spec) for spec in components]
        _print_json({"plugins": [_as_dict(one) for one in statuses], "components": described})
        return
    for status in statuses:
        _print_status(status)
    for spec in components:
        _print_component(_describe(spec))


def _hint(name: str, known: Iterable[str]) -> str:
    hint = did_you_mean(name, known)
    # The list of everything would run to a screenful.
    return hint if hint.startswith(" Did") else " 'cambist plugins list' shows what there is."


def _as_dict(status: PluginStatus) -> dict[str, Any]:
    return attrs.asdict(status, filter=attrs.filters.exclude("cause"))


def _describe(spec: Spec) -> dict[str, Any]:
    """Collect what is known of a component; one that cannot be imported says why instead of its settings."""
    from cambist.cli.plugins_settings import settings_of

    described: dict[str, Any] = {
        "kind": spec.kind,
        "name": spec.name,
        "summary": spec.summary,
        "provider": spec.provider,
        "capabilities": sorted(spec.capabilities),
        "requires": list(spec.requires),
        "factory": spec.factory if isinstance(spec.factory, str) else repr(spec.factory),
        "settings": [],
        "error": "",
    }
    try:
        described["settings"] = [attrs.asdict(one) for one in settings_of(spec)]
    except CambistError as error:
        described["error"] = str(error)
    return described


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2))


def _print_table(statuses: list[PluginStatus]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("Name", "Version", "State", "Components")
    for status in statuses:
        table.add_row(
            Text(status.name),
            Text(status.version),
            Text(status.state, style=_COLORS[status.state]),
            _summary(status),
        )
    Console().print(table)


def _summary(status: PluginStatus) -> Text:
    """Say what a plugin offers, a line a kind, or why it offers nothing."""
    from rich.text import Text

    if status.error:
        return Text(status.error, style=_COLORS[status.state])
    lines = [f"slow to start: {weighs(status.heavy)}"] if status.heavy else []
    for kind in SPECS:
        names = [name for of, _, name in (one.partition(":") for one in status.components) if of == kind.kind]
        if names:
            lines.append(f"{kind.label}: {', '.join(names) if len(names) <= _NAMED else f'{len(names)} of them'}")
    return Text("\n".join(lines))


def _print_status(status: PluginStatus) -> None:
    origin = f"{status.distribution} {status.version}".strip() or status.path
    click.echo(f"{click.style(status.name, bold=True)}  {origin}  ", nl=False)
    click.secho(str(status.state), fg=_COLORS[status.state], nl=False)
    click.echo(f"  plugin API {status.api}, loaded in {status.seconds * 1e3:.1f} ms")
    if status.error:
        click.echo(f"  {status.error}")
    if status.traceback:
        click.echo(f"\n{status.traceback.rstrip()}")


def _print_component(described: dict[str, Any]) -> None:
    label = next(kind.label for kind in SPECS if kind.kind == described["kind"])
    click.echo(f"\n{label} {click.style(described['name'], bold=True)}: {described['summary']}")
    click.echo(f"  provider: {described['provider']}")
    for field in ("capabilities", "requires"):
        if described[field]:
            click.echo(f"  {field}: {', '.join(described[field])}")
    if described["error"]:
        click.secho(f"  cannot be used: {described['error']}", fg="red")
    settings = described["settings"]
    if settings:
        click.echo("  settings:")
    width = max((len(one["name"]) for one in settings), default=0)
    for one in settings:
        default = "required" if one["default"] is None else f"default {one['default']}"
        words = [one["type"], default, one["doc"]]
        click.echo(f"    {one['name']:<{width}}  {'; '.join(word for word in words if word)}")
