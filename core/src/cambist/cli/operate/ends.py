"""`cambist cancel`, `cambist flatten` and `cambist stop`: what ends orders, positions and the run."""

from __future__ import annotations

import click

from cambist.cli.operate.shared import confirm, connect, described, operated, verified, write_json, yes_option
from cambist.cli.session import global_options
from cambist.errors import ConfigError

__all__ = ["cancel", "flatten", "stop"]


@click.command()
@operated
@click.option("--order", metavar="ID", help="Cancel one: its number, or what the venue calls it.")
@click.option("--all", "everything", is_flag=True, help="Cancel all, orders of others included.")
@click.option("--symbol", help="With --all: of that symbol alone.")
@yes_option
@global_options(hidden=True)
def cancel(
    target: str | None, *, order: str | None, everything: bool, symbol: str | None, yes: bool, as_json: bool
) -> None:
    """Cancel orders of a live run, and of the account.

    The exit code is 0 when the venue says that nothing of what was meant is open, and 1 when it does not.

    \b
    Examples:
      cambist cancel --order 17
      cambist cancel run.toml --all --yes
      cambist cancel --all --symbol BTC/USDT
    """  # noqa: D301 -- click reads the control character
    if (order is None) == (not everything) or (order is not None and symbol):
        raise ConfigError("say what to cancel: --order ID for one order, or --all, which may have a --symbol.")
    with connect(target) as run:
        if everything:
            which = f"all orders in {symbol}" if symbol else "ALL orders of the account"
            confirm(f"Cancel {which}, at {described(run.card)}", yes=yes)
        raise SystemExit(verified(run.call("cancel", order=order, symbol=symbol), as_json=as_json))


@click.command()
@operated
@click.option("--symbol", help="Close that one alone.")
@click.option("--reason", help="For the journal.")
@yes_option
@global_options(hidden=True)
def flatten(target: str | None, *, symbol: str | None, reason: str | None, yes: bool, as_json: bool) -> None:
    """Close what a live run holds at the market.

    Its orders there are canceled first. The run goes on, and its strategy may open a position again: halt it first
    where it should not.

    \b
    Examples:
      cambist halt && cambist flatten --yes
      cambist flatten run.toml --symbol BTC/USDT
    """  # noqa: D301 -- click reads the control character
    with connect(target) as run:
        which = f"the position in {symbol}" if symbol else "ALL positions"
        confirm(f"Close {which} of {described(run.card)} at the market", yes=yes)
        raise SystemExit(verified(run.call("flatten", symbol=symbol, reason=reason), as_json=as_json))


@click.command()
@operated
@click.option(
    "--policy",
    type=click.Choice(["keep", "cancel", "flatten"]),
    help="What becomes of orders and positions.  [as the run says]",
)
@click.option("--reason", help="For the journal.")
@click.option("--no-wait", is_flag=True, help="Return at once.")
@yes_option
@global_options(hidden=True)
def stop(
    target: str | None, *, policy: str | None, reason: str | None, no_wait: bool, yes: bool, as_json: bool
) -> None:
    """Stop a live run, and wait until it has ended.

    It ends as it should: orders and positions as its policy says, then the mark of the end in the journal.

    \b
    Examples:
      cambist stop
      cambist stop run.toml --policy flatten --yes
    """  # noqa: D301 -- click reads the control character
    with connect(target) as run:
        if policy == "flatten":
            confirm(f"Close all positions of {described(run.card)} at the market, and stop it", yes=yes)
        done = run.call("stop", policy=policy, reason=reason)
        if not no_wait:
            run.wait_for_end()
            done["ended"] = True
    if as_json:
        write_json(done)
    else:
        click.echo("the run is being stopped" if no_wait else "the run has ended")
