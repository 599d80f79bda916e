"""`cambist journal rebuild`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cambist.cli.journal.entries import FOLDER
from cambist.cli.session import global_options

if TYPE_CHECKING:
    from cambist.engine.fold import RunState

__all__ = ["rebuild"]


@click.command()
@FOLDER
@click.option("--no-snapshot", is_flag=True, help="Begin with the first record, whatever snapshots there are.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the state into a file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@global_options(hidden=True)
def rebuild(folder: Path, *, no_snapshot: bool, out: Path | None, as_json: bool) -> None:
    """Make the state of a run of its journal, and show it.

    Equal journals make equal states: the digest of two rebuilds is one, and so are the bytes of --out.

    \b
    Examples:
      cambist journal rebuild journal
      cambist journal rebuild journal --no-snapshot --json
    """  # noqa: D301 -- click reads the control character
    from cambist.engine import rebuild as engine
    from cambist.engine.document import encode_run
    from cambist.errors import ConfigError
    from cambist.storage.journal import JournalFolder

    state = engine.rebuild(JournalFolder(folder), use_snapshot=not no_snapshot)
    if out is not None:
        try:
            out.write_bytes(encode_run(state))
        except OSError as error:
            raise ConfigError(f"{out} cannot be written: {error.strerror}. Name another file.") from None
    described = _describe(state)
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(described)).decode())
    else:
        _print(described)


def _describe(state: RunState) -> dict[str, Any]:
    """Return a state for JSON: money to the last digit, as text."""
    from cambist.engine.document import digest_of

    return {
        "digest": digest_of(state),
        "sequence": state.sequence,
        "ts": state.ts,
        "run": state.token,
        "ended": state.stopped is not None,
        **_account(state, ""),
        "accounts": {name: _account(state, name) for name in state.accounts if name},
        "open_orders": [
            {
                "id": order.id,
                "symbol": order.instrument.symbol,
                "side": str(order.side),
                "type": str(order.type),
                "size": repr(order.size),
                "filled": repr(order.filled),
                "status": str(order.status),
            }
            for order in state.book.open.values()
        ],
        "orders": len(state.book.orders),
        "fills": len(state.fills),
        "anomalies": len(state.book.anomalies),
        "timers": state.timers,
        "trading": [
            {
                "state": str(hold.state),
                "scope": hold.scope,
                "since": hold.ts,
                "reason": hold.reason,
                "by": hold.by,
                "rule": hold.rule,
            }
            for hold in state.trading
        ],
        "rules": {name: _remembered(kept) for name, kept in state.rules.items() if name},
        "anchors": state.anchors,
        "refusals": dict(state.refusals),
        "strategies": sorted(state.states),
    }


def _account(state: RunState, name: str) -> dict[str, Any]:
    """Return what an account holds; of several by ``""`` what they hold together."""
    ledger = state.ledgers.get(name, state.ledger)
    books = {name: state.accounts[name]} if name in state.accounts else state.accounts
    return {
        "positions": {
            f"{symbol} of {one}" if len(books) > 1 else symbol: {
                "size": repr(held.size),
                "average_price": repr(held.average_price),
            }
            for one, account in books.items()
            for symbol, held in account.positions.items()
            if held.size
        },
        "balances": {asset: f"{amount:f}" for asset, amount in ledger.balances.items()},
        "dust": {
            symbol: f"{ledger.dust(instrument):f}"
            for symbol, instrument in state.instruments.items()
            if instrument.is_cash and ledger.dust(instrument)
        },
    }


def _remembered(kept: bytes) -> dict[str, Any]:
    """Return what a risk rule remembers, for JSON."""
    import msgspec

    from cambist.engine.strategy_state import decode_state

    remembered: dict[str, Any] = msgspec.to_builtins(decode_state(kept))
    return remembered


def _who(hold: dict[str, Any]) -> str:
    return f"by {hold['by'] or 'nobody named'}{': ' if hold['reason'] else ''}{hold['reason']}"


def _print(state: dict[str, Any]) -> None:
    from cambist.model.times import format_ns

    click.echo(f"run        {state['run']}, {'ended' if state['ended'] else 'not ended'}")
    click.echo(f"record     {state['sequence']}")
    click.echo(f"digest     {state['digest']}")
    click.echo(f"orders     {state['orders']:,}, {len(state['open_orders'])} open")
    click.echo(f"fills      {state['fills']:,}")
    if state["accounts"]:
        for name, account in state["accounts"].items():
            click.echo(f"account    {name}")
            _print_account(account)
    else:
        _print_account(state)
    for code, count in state["refusals"].items():
        click.echo(f"refused    {code} {count}")
    for hold in state["trading"]:
        click.echo(
            f"trading    {hold['scope'] or 'all'} {hold['state']} since {format_ns(hold['since'])}, {_who(hold)}"
        )
    for name, kept in state["rules"].items():
        click.echo(f"rule       {name} {kept}")
    for series, ts in state["anchors"].items():
        click.echo(f"series     {series} from {format_ns(ts)}")
    for order in state["open_orders"]:
        click.echo(
            f"open       {order['id']} {order['status']}: {order['side']} {order['size']} {order['symbol']} "
            f"{order['type']}, {order['filled']} filled"
        )
    for name, due in state["timers"].items():
        click.echo(f"timer      {name} due {due}")


def _print_account(account: dict[str, Any]) -> None:
    for title, name in (("balance", "balances"), ("dust", "dust")):
        for key, value in account[name].items():
            click.echo(f"{title:<10} {key} {value}")
    for symbol, held in account["positions"].items():
        click.echo(f"position   {symbol} {held['size']} at {held['average_price']}")
