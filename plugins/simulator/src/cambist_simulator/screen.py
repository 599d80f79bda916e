"""What `cambist simulate` shows of a venue that runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from cambist_simulator.venue.simulator import ExchangeSimulator

__all__ = ["LiveView", "lines_of_start", "state_line"]

#: Rows of each table.
_ROWS = 8


def lines_of_start(start: dict[str, Any]) -> list[str]:
    """Return what is printed first: addresses and keys."""
    lines = [f"{name}: {address}" for name, address in start["endpoints"].items()]
    for key in start["keys"]:
        lines.append(f"user {key['user']}: key {key['key']}")
        secret = key["secret"].strip().splitlines()
        lines.append(f"  secret {secret[0]}" if len(secret) == 1 else "  private key:")
        lines += [f"    {one}" for one in secret] if len(secret) > 1 else []
    return lines


def state_line(state: dict[str, Any]) -> str:
    """Return one line of where everything stands."""
    requests, clock = state["requests"], state["clock"]
    prices = ", ".join(f"{name} {one['last']}" for name, one in state["symbols"].items())
    return (
        f"{_time(clock['market'])} market; {requests.get('rest', 0)} requests, {requests.get('message', 0)} messages, "
        f"{state['connections']} connections, {state['orders']} orders ({state['open_orders']} open), "
        f"{state['fired']} faults; {prices}"
    )


class LiveView:
    """Tables of clients, orders and faults on a terminal, drawn anew while it runs.

    Parameters
    ----------
    simulator
        What is shown.
    """

    def __init__(self, simulator: ExchangeSimulator) -> None:
        from rich.live import Live

        self._simulator = simulator
        self._live = Live(self._drawn(), auto_refresh=False, screen=False)

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def refresh(self) -> None:
        """Draw it anew."""
        self._live.update(self._drawn(), refresh=True)

    def _drawn(self) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        simulator = self._simulator
        state = simulator.state()
        return Group(
            Text(state_line(state)),
            _symbols(state),
            _clients(simulator.connections()),
            _orders(simulator.orders(latest=_ROWS), state["orders"]),
            _faults(simulator.fired(), state["fired"]),
        )


def _table(title: str, *columns: str) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left", expand=True)
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def _symbols(state: dict[str, Any]) -> Table:
    table = _table("Symbols", "Symbol", "Exchange", "Status", "Bid", "Ask", "Last")
    for name, one in state["symbols"].items():
        table.add_row(name, one["exchange"], one["status"], *(str(one[side]) for side in ("bid", "ask", "last")))
    return table


def _clients(connections: list[dict[str, Any]]) -> Table:
    table = _table(f"WebSockets: {len(connections)}", "Number", "User", "Path", "Messages", "Frames", "Unread bytes")
    for one in connections[-_ROWS:]:
        path = f"{one['path']}?{one['query']}" if one["query"] else one["path"]
        numbers = (str(one[name]) for name in ("messages", "frames", "waiting"))
        table.add_row(str(one["id"]), one["user"], path[:60], *numbers)
    return table


def _orders(orders: list[Any], count: int) -> Table:
    table = _table(f"Orders: {count}", "Id", "User", "Symbol", "Side", "Size", "Price", "Filled", "Status")
    for one in orders[-_ROWS:]:
        price = "market" if one.price is None else f"{one.price:f}"
        side = str(one.terms.side.name).lower()
        size, filled = f"{one.size:f}", f"{one.filled:f}"
        table.add_row(str(one.id), one.user, one.terms.symbol, side, size, price, filled, str(one.status))
    return table


def _faults(fired: list[Any], count: int) -> Table:
    table = _table(f"Faults: {count}", "Time", "Fault", "Struck", "What came of it")
    for one in fired[-_ROWS:]:
        table.add_row(_time(one.at), one.name, one.target, one.note)
    return table


def _time(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns // 1_000_000_000, UTC):%Y-%m-%d %H:%M:%S}"
