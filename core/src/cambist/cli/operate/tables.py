"""A live run on a terminal: tables that fit its width."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from cambist.cli.screen import console

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType

__all__ = ["orders_table", "positions_table", "print_cleared", "status_view"]

_STATES = {"active": "green", "reducing": "yellow", "halted": "bold red"}
#: Below so many columns a table leaves out what matters less, and below so few all but the most.
_NARROW, _SLIM = 90, 60
#: A stream that is silent for longer is colored, s.
_QUIET, _SILENT = 10.0, 60.0


def status_view(status: dict[str, Any], width: int, *, rows: int = 8) -> RenderableType:
    """Return the view of a status.

    Parameters
    ----------
    width
        Of the terminal, characters.
    rows
        How many orders, fills and alarms at most.
    """
    parts: list[RenderableType] = [_head(status), _health(status)]
    holds = status["trading"]["holds"]
    for hold in holds:
        line = Text(f"{hold['state']} {hold['scope'] or 'everything'}", style=_STATES.get(hold["state"], ""))
        parts.append(line.append(f" by {hold['by']}: {hold['reason']}", style="default"))
    parts.append(positions_table(status["positions"], width))
    if status["decisions"]:
        parts.append(orders_table(status["decisions"][-rows:], width, title="Last orders"))
    if status["fills"]:
        parts.append(_fills(status["fills"][-rows:], width))
    if status["alarms"]:
        parts.append(_alarms(status["alarms"][-rows:]))
    return Group(*parts)


def _head(status: dict[str, Any]) -> Text:
    head = Text()
    head.append(f"{status['venue']} ", style="bold")
    if status.get("environment"):
        style = "bold red" if status["environment"] == "production" else "cyan"
        head.append(f"{status['environment']} ", style=style)
    head.append(f"{status['phase']}  ")
    state = status["trading"]["state"]
    head.append(f"trading {state}", style=_STATES.get(state, ""))
    head.append(f"  {_clock(status['now'])} UTC  {', '.join(status['strategies'])}")
    if status["not_moved_for"] > 1.0:
        head.append(f"  NOT MOVING for {status['not_moved_for']:.0f} s", style="bold red")
    return head


def _health(status: dict[str, Any]) -> Text:
    text = Text()
    for name, age in status["streams"].items():
        style = "red" if age > _SILENT else "yellow" if age > _QUIET else "green"
        text.append(f"{name} {_age(age)}", style=style).append("  ")
    orders, journal, account = status["orders"], status["journal"], status["account"]
    text.append(f"orders {orders['open']} open")
    if orders["unknown"]:
        text.append(f", {orders['unknown']} unknown", style="bold red")
    lag = journal["lag_records"]
    text.append(f"  journal {journal['last']}{f' (-{lag})' if lag else ''}", style="red" if journal["failure"] else "")
    if account["equity"] is not None:
        text.append(f"  equity {_number(account['equity'])} {account['currency']}")
    for name, window in status["budget"].items():
        share = window["used"] / window["limit"] if window["limit"] else 0.0
        text.append(f"  {name} {share:.0%}", style="yellow" if share > 0.7 else "")
    text.append(f"  {_switch(status)}")
    return text


def _switch(status: dict[str, Any]) -> str:
    """Say what cancels orders where this process cannot."""
    if status["kill_switch"]["thrown"]:
        return "KILL SWITCH THROWN"
    at_venue = status["dead_man_switch"]
    if at_venue:
        armed = at_venue["set_back"]
        return f"dead man's switch {at_venue['span']:g} s{'' if armed else ' (not armed yet)'}"
    own = status["watchdog"]["cancel_after"]
    return f"watchdog cancels after {own:g} s" if own else "no dead man's switch"


def positions_table(positions: Iterable[dict[str, Any]], width: int, *, title: str = "Positions") -> Table:
    """Return a table of positions."""
    table = _table(title)
    columns = ["symbol", "size", *(["average_price", "last_price"] if width >= _SLIM else []), "unrealized"]
    columns += ["realized", "fees"] if width >= _NARROW else []
    _columns(table, columns)
    for one in positions:
        table.add_row(one["symbol"], *(_number(one[name]) for name in columns[1:]))
    return table


def orders_table(orders: Sequence[dict[str, Any]], width: int, *, title: str = "Open orders") -> Table:
    """Return a table of orders."""
    table = _table(title)
    wide, slim = width >= _NARROW, width < _SLIM
    names = ["order", "symbol", "side", "type", "size", "filled", "price", "status", "strategy", "at"]
    names = names if wide else ["order", "symbol", "side", "size", "status"] if slim else names[:-2]
    _columns(table, names)
    for one in orders:
        price = one["limit_price"] if one["limit_price"] is not None else one["stop_price"]
        number = str(one["order"] or one["client_id"] or one.get("venue_id", ""))
        status = f"{one['status']} {one['reason']}".strip() if one.get("reason") and wide else one["status"]
        cells = {
            "order": number,
            "symbol": one["symbol"],
            "side": one["side"],
            "type": one["type"],
            "size": _number(one["size"]),
            "filled": _number(one["filled"]),
            "price": _number(price),
            "status": status,
            "strategy": one.get("strategy", ""),
            "at": _clock(one["created_at"]),
        }
        table.add_row(*(cells[name] for name in names))
    return table


def _fills(fills: Iterable[dict[str, Any]], width: int) -> Table:
    table = _table("Last fills")
    start = ["at", "order"] if width >= _SLIM else []
    names = [*start, "symbol", "side", "size", "price", *(["fee"] if width >= _NARROW else [])]
    _columns(table, names)
    for one in fills:
        cells = {"at": _clock(one["ts"]), "order": str(one["order"]), "symbol": one["symbol"], "side": one["side"]}
        table.add_row(*(cells.get(name) or _number(one[name]) for name in names))
    return table


def _alarms(alarms: Iterable[dict[str, Any]]) -> Table:
    table = _table("Alarms")
    table.add_column("at", no_wrap=True)
    table.add_column("alarm", no_wrap=True, style="yellow")
    table.add_column("text", overflow="fold")
    for one in alarms:
        table.add_row(_clock(one["ts"]), one["word"], Text(one["text"]))
    return table


def print_cleared(result: dict[str, Any]) -> None:
    """Print what became of orders and positions."""
    screen = console()
    for one in result["orders"]:
        name = one["order"] or one["client_id"] or one["venue_id"]
        size = f"{_number(one['filled'])} of {_number(one['size'])} filled"
        line = Text(f"order {name} {one['symbol']} {one['side']}: ")
        line.append(one["outcome"], style="red" if one["outcome"] == "open" else "green")
        screen.print(line.append(f", {size}{_said(one['text'])}"))
    for one in result.get("positions", ()):
        line = Text(f"position {one['symbol']} {one['position_side']}".rstrip() + ": ")
        line.append(one["outcome"], style="red" if one["outcome"] == "open" else "green")
        left = f", from {_number(one['before'])} to {_number(one['after'])}"
        screen.print(line.append(f"{left}{_said(one['text'])}"))
    for problem in result["problems"]:
        screen.print(Text(problem, style="yellow"))
    if not result["orders"] and not result.get("positions"):
        screen.print("nothing was open")
    if result["verified"]:
        screen.print(Text("the venue says that it is so", style="green"))
    else:
        screen.print(Text("the venue does not say that it is so: look there", style="bold red"))


def _said(text: str) -> str:
    return f" ({text})" if text else ""


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))


def _columns(table: Table, names: Iterable[str]) -> None:
    texts = {"symbol", "side", "type", "status", "strategy", "at", "order"}
    for name in names:
        table.add_column(
            name.replace("_price", "").replace("_", " "),
            justify="left" if name in texts else "right",
            no_wrap=name != "status",
            style="dim" if name == "at" else "",
        )


def _number(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value:.8g}" if isinstance(value, float) else str(value)


def _age(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60.0 else f"{seconds / 60.0:.0f} min"


def _clock(ns: int) -> str:
    return time.strftime("%H:%M:%S", time.gmtime(ns / 1e9)) if ns else ""
