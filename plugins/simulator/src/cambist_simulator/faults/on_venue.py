"""Faults of the venue as a whole: its clock, its symbols, its existence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist_simulator.exchange.listing import SymbolStatus
from cambist_simulator.faults.on_orders import exchange_of, symbol_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cambist_simulator.exchange.exchange import Exchange
    from cambist_simulator.faults.occasions import Ground, Occasion

__all__ = ["VENUE_ACTIONS"]

_RULES = ("tick_size", "step_size", "min_size", "min_notional")


def _symbol(ground: Ground, occasion: Occasion) -> tuple[Exchange, str] | None:
    wanted = symbol_of(occasion)
    found = exchange_of(ground, wanted)
    if found is None:
        occasion.note = f"no exchange lists {wanted!r}"
    return found


def _clock_skew(ground: Ground, occasion: Occasion) -> None:
    by = occasion.rule.fault.arguments["by"]
    ground.clock.server.shift(by)
    occasion.note = f"{by / 1e9:+g} s"


def _clock_drift(ground: Ground, occasion: Occasion) -> None:
    arguments = occasion.rule.fault.arguments
    server = ground.clock.server
    before, server.speed = server.speed, max(0.0, 1.0 + float(arguments["rate"]))
    occasion.note = f"{server.speed:g} s in a second"

    def again() -> None:
        server.speed = before

    if arguments["for"] is not None:
        ground.timers("server").after(arguments["for"], again)


def _restart(ground: Ground, occasion: Occasion) -> None:
    ground.restart(occasion.rule.fault.arguments["down"])


def _halt(ground: Ground, occasion: Occasion) -> None:
    found = _symbol(ground, occasion)
    if found is None:
        return
    exchange, symbol = found
    arguments = occasion.rule.fault.arguments
    exchange.set_status(symbol, SymbolStatus(arguments["status"]))
    occasion.note = f"{symbol} {arguments['status']}"
    if arguments["for"] is not None:
        timers = ground.timers(occasion.rule.fault.clock)
        timers.after(arguments["for"], lambda: exchange.set_status(symbol, SymbolStatus.TRADING))


def _rule_change(ground: Ground, occasion: Occasion) -> None:
    found = _symbol(ground, occasion)
    if found is None:
        return
    exchange, symbol = found
    arguments = occasion.rule.fault.arguments
    changed = {name: arguments[name] for name in _RULES if arguments[name] is not None}
    exchange.change_rules(symbol, **changed)
    occasion.note = f"{symbol} {', '.join(f'{name} {value}' for name, value in changed.items())}"


def _price_jump(ground: Ground, occasion: Occasion) -> None:
    found = _symbol(ground, occasion)
    if found is not None:
        ground.jump(found[1], float(occasion.rule.fault.arguments["by"]))
        occasion.note = found[1]


def _crossed_book(ground: Ground, occasion: Occasion) -> None:
    found = _symbol(ground, occasion)
    if found is None:
        return
    exchange, symbol = found
    arguments = occasion.rule.fault.arguments
    exchange.interference.show_crossed(symbol, arguments["ticks"])
    ground.timers(occasion.rule.fault.clock).after(
        arguments["for"], lambda: exchange.interference.show_crossed(symbol, 0)
    )
    occasion.note = symbol


def _done_by_dialects(action: str, lacking: str) -> Callable[[Ground, Occasion], None]:
    """Return what has the dialects do an action, those that can; `lacking` is noted where none can."""

    def do(ground: Ground, occasion: Occasion) -> None:
        user = occasion.rule.fault.chosen("user")
        arguments = {} if user is None else {"user": ground.user_id(user)}
        done = [one.name for one in ground.server.dialects if one.apply(action, arguments)]
        occasion.note = ", ".join(done) or f"no dialect has {lacking}"

    return do


#: What happens to the venue.
VENUE_ACTIONS: Mapping[str, Callable[[Ground, Occasion], None]] = {
    "clock_skew": _clock_skew,
    "clock_drift": _clock_drift,
    "restart": _restart,
    "halt": _halt,
    "rule_change": _rule_change,
    "price_jump": _price_jump,
    "crossed_book": _crossed_book,
    "expire_listen_keys": _done_by_dialects("expire_listen_keys", "listen keys"),
    "end_user_streams": _done_by_dialects("end_user_streams", "user streams to end"),
    "announce_shutdown": _done_by_dialects("announce_shutdown", "a word for it"),
}
