"""`cambist indicators`: which indicators there are, and what each of them computes."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any

import click

from cambist.cli.session import global_options

if TYPE_CHECKING:
    from cambist.indicators.technical import TalibFunction

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
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@global_options(hidden=True)
def list_(words: tuple[str, ...], group: str | None, *, as_json: bool) -> None:
    """List indicators, all of them or those whose description holds all WORDS.

    \b
    Examples:
      cambist indicators list moving average
      cambist indicators list --group volume --json
    """  # noqa: D301 -- click reads the control character
    from cambist.errors import ParameterError, did_you_mean
    from cambist.indicators.talib_functions import described

    functions = list(described().values())
    groups = dict.fromkeys(one.group for one in functions)
    if group is not None and group not in groups:
        raise ParameterError(
            f"there is no group {group!r}.{did_you_mean(group, groups)} There are {', '.join(groups)}."
        )
    chosen = [one for one in functions if group in {None, one.group} and _holds(one, words)]
    if as_json:
        click.echo(json.dumps([_fields(one) for one in chosen], indent=2))
        return
    if not chosen:
        click.echo(f"No indicator's description holds {' and '.join(words)}.")
    for one in chosen:
        click.echo(f"{_call(one):<44} {one.title}")


@indicators.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@global_options(hidden=True)
def show(name: str, *, as_json: bool) -> None:
    """Show what an indicator takes, gives and computes.

    \b
    Example:
      cambist indicators show MACD
    """  # noqa: D301 -- click reads the control character
    from cambist import indicators as room
    from cambist.errors import ParameterError, did_you_mean
    from cambist.indicators.talib_functions import described

    function = described().get(name.upper())
    if function is None and name not in {"highest", "lowest"}:
        raise ParameterError(f"there is no indicator {name!r}.{did_you_mean(name.upper(), described())}")
    if function is not None and as_json:
        click.echo(json.dumps(_fields(function), indent=2))
        return
    call = getattr(room, name if function is None else function.name)
    click.echo(f"{name if function is None else _call(function)}\n\n{inspect.getdoc(call)}")
    if function is not None:
        click.echo(f"\nLookback with the defaults: {function().lookback} bars. Group: {function.group}.")


def _holds(function: TalibFunction, words: tuple[str, ...]) -> bool:
    from cambist.indicators.talib_functions import formula

    told = f"{function.name} {function.title} {function.group} {formula(function)}".lower()
    return all(word.lower() in told for word in words)


def _call(function: TalibFunction) -> str:
    from cambist.indicators.talib_functions import arguments

    given = [f"{one.name}={one.written}" for one in function.parameters]
    return f"{function.name}({', '.join([*arguments(function), *given])})"


def _fields(function: TalibFunction) -> dict[str, Any]:
    from cambist.indicators.talib_functions import formula

    return {
        "name": function.name,
        "title": function.title,
        "group": function.group,
        "formula": formula(function),
        "inputs": function.inputs,
        "outputs": function.outputs,
        "parameters": {
            one.name: {"default": one.default, "range": one.range.strip() or None} for one in function.parameters
        },
        "lookback": function().lookback,
    }
