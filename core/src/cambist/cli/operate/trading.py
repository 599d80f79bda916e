"""`cambist halt`, `cambist reduce` and `cambist resume`: what a live run may trade."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cambist.cli.operate.shared import connect, operated, write_json
from cambist.cli.session import global_options

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["halt", "reduce", "resume"]


def _scoped(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option("--reason", help="For the journal and for strategies.")(command)
    return click.option(
        "--scope", metavar="KIND:NAME", help="symbol:BTC/USDT, strategy:Trend or account:NAME.  [everything]"
    )(command)


def _orders(default: str) -> Callable[..., Any]:
    return click.option(
        "--orders",
        type=click.Choice(["cancel", "cancel_opening", "keep"]),
        help=f"What becomes of working orders.  [{default}]",
    )


@click.command()
@operated
@_scoped
@_orders("cancel_opening: protective stops stay")
@global_options(hidden=True)
def halt(target: str | None, *, as_json: bool, **said: Any) -> None:
    """Keep orders of a live run from leaving.

    That holds until trading is resumed, also over a restart.

    \b
    Examples:
      cambist halt --reason "news at two"
      cambist halt run.toml --scope symbol:BTC/USDT
    """  # noqa: D301 -- click reads the control character
    _tell("halt", target, as_json=as_json, **said)


@click.command()
@operated
@_scoped
@_orders("cancel_opening: protective stops stay")
@global_options(hidden=True)
def reduce(target: str | None, *, as_json: bool, **said: Any) -> None:
    """Let a live run make positions smaller, and nothing else.

    That holds until trading is resumed, also over a restart.

    \b
    Examples:
      cambist reduce
      cambist reduce run.toml --scope strategy:Trend
    """  # noqa: D301 -- click reads the control character
    _tell("reduce", target, as_json=as_json, **said)


@click.command()
@operated
@_scoped
@global_options(hidden=True)
def resume(target: str | None, *, as_json: bool, **said: Any) -> None:
    """Let a live run trade again.

    It lifts every hold of the scope: those of operators and of risk rules, and the kill switch.

    \b
    Examples:
      cambist resume
      cambist resume run.toml --scope symbol:BTC/USDT
    """  # noqa: D301 -- click reads the control character
    _tell("resume", target, as_json=as_json, **said)


def _tell(do: str, target: str | None, *, as_json: bool, **said: Any) -> None:
    with connect(target) as run:
        done = run.call(do, **said)
    if as_json:
        write_json(done)
        return
    for hold in done["holds"]:
        click.echo(f"{hold['state']} {hold['scope'] or 'everything'} by {hold['by']}: {hold['reason']}")
    if not done["holds"]:
        click.echo("everything may be traded")
