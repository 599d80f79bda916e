"""`cambist indicators`: which indicators there are, and what each of them computes."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING

import click

from cambist.cli.session import global_options, session

if TYPE_CHECKING:
    from cambist.indicators.catalog import Entry

__all__ = ["indicators"]


@click.group()
@global_options(hidden=True)
def indicators() -> None:
    """Show the indicators that there are.

    \b
    Examples:
      cambist indicators list --group momentum
      cambist indicators show KAMA
    """  # noqa: D301 -- click reads the control character


@indicators.command("list")
@click.argument("words", nargs=-1)
@click.option("--group", help="Only those of one group, such as momentum or patterns.")
@click.option("--source", help="Only those of one source: talib, cambist, backtrader or a plugin's name.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@global_options(hidden=True)
def list_(words: tuple[str, ...], group: str | None, source: str | None, *, as_json: bool) -> None:
    """List indicators, all of them or those whose description holds all WORDS.

    \b
    Examples:
      cambist indicators list moving average
      cambist indicators list --group volume --json
      cambist indicators list --source backtrader
    """  # noqa: D301 -- click reads the control character
    known = _known()
    _check("group", group, [one.group for one in known])
    _check("source", source, [one.source for one in known])
    chosen = [
        one
        for one in known
        if group in {None, one.group}
        and source in {None, one.source}
        and all(word.lower() in one.text for word in words)
    ]
    if as_json:
        click.echo(json.dumps([one.fields() for one in chosen], indent=2, default=str))
        return
    if not chosen:
        click.echo(f"No indicator's description holds {' and '.join(words)}.")
    for one in chosen:
        click.echo(f"{one.call:<44} {one.title}")


@indicators.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@global_options(hidden=True)
def show(name: str, *, as_json: bool) -> None:
    """Show what an indicator takes, gives and computes.

    A name of backtrader's begins with "backtrader.", such as backtrader.SMA; its aliases are found as well.

    \b
    Example:
      cambist indicators show MACD
    """  # noqa: D301 -- click reads the control character
    one = _find(name)
    if as_json:
        click.echo(json.dumps(one.fields(), indent=2, default=str))
        return
    click.echo(f"{one.call}\n\n{inspect.getdoc(one.factory) or one.title}")
    outputs = one.details.get("outputs")
    if outputs and one.source == "backtrader":
        click.echo(f"\nLines: {', '.join(outputs)}.")
    if one.aliases:
        click.echo(f"\nAlso named {', '.join(one.aliases)}.")
    if one.note:
        click.echo(f"\n{one.note[0].upper()}{one.note[1:]}.")
    lookbacks = one.lookbacks()
    told = "as its docstring says" if lookbacks is None else _bars(lookbacks)
    click.echo(f"\nLookback with the defaults: {told}. Group: {one.group}. Source: {one.source}.")


def _bars(lookbacks: dict[str, int]) -> str:
    if len(set(lookbacks.values())) == 1:
        return f"{max(lookbacks.values())} bars"
    return ", ".join(f"{name} {bars}" for name, bars in lookbacks.items()) + " bars"


def _known() -> list[Entry]:
    """Return every indicator, those of plugins last; of a plugin's that cannot be imported the summary is left."""
    from cambist.errors import CambistError
    from cambist.indicators.catalog import Entry, entries, entry_of

    registry = session().registry()
    added = []
    for plugin in registry.statuses():
        offered = [] if plugin.is_core else registry.components(plugin.name)
        for spec in (one for one in offered if one.kind == "indicator"):
            try:
                added.append(entry_of(spec.name, spec.load(), "plugins", plugin.name, spec.summary))
            except CambistError as error:
                call = f"{spec.name}(...)"
                added.append(Entry(spec.name, spec.summary, "plugins", str(error), plugin.name, _missing, call))
    return [*entries(), *added]


def _missing(*_: object, **__: object) -> None:
    """It cannot be imported; `cambist plugins show` tells why."""


def _find(name: str) -> Entry:
    """Return the indicator of a name: exactly so, then in any case, then an alias."""
    from cambist.errors import ParameterError, did_you_mean

    known = _known()
    by_name = {one.name: one for one in known}
    if name in by_name:
        return by_name[name]
    for one in known:
        room = "backtrader." if one.source == "backtrader" else ""
        if name.lower() in {one.name.lower(), *(f"{room}{alias}".lower() for alias in one.aliases)}:
            return one
    shown = name.upper() if name.upper() != name and not did_you_mean(name, by_name).startswith(" Did") else name
    raise ParameterError(f"there is no indicator {name!r}.{did_you_mean(shown, by_name)}")


def _check(kind: str, value: str | None, known: list[str]) -> None:
    from cambist.errors import ParameterError, did_you_mean

    there = list(dict.fromkeys(known))
    if value is not None and value not in there:
        raise ParameterError(f"there is no {kind} {value!r}.{did_you_mean(value, there)} There are {', '.join(there)}.")
