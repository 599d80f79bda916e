"""The orders of signals that say entries, exits, sizes and stops at once; see `SignalStrategy.trade_on`."""

from __future__ import annotations

from math import isfinite, nan
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from cambist.errors import LineError, OrderError
from cambist.indicators.lines import Line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.strategies.strategy import Strategy

__all__ = ["EntrySignals", "check_guards", "trade_signals"]

#: A line, a number that stays, or nothing said.
Said: TypeAlias = "Line | float | None"


@attrs.frozen(eq=False, slots=True)
class EntrySignals:
    """What `SignalStrategy.trade_on` was given.

    Attributes
    ----------
    entries, exits, side, size, stop, take, trail
        As there; None for what was not said.
    """

    entries: Line
    exits: Line | None
    side: Line | float
    size: Said
    stop: Said
    take: Said
    trail: Said

    @classmethod
    def of(cls, owner: str, said: Mapping[str, Any]) -> EntrySignals:
        """Take what was said, checked.

        Raises
        ------
        LineError
            For what is neither a line nor a finite number.
        """
        for name, value in said.items():
            if isinstance(value, Line):
                continue
            is_number = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
            if name not in {"entries", "exits"} and (value is None or is_number):
                continue
            if name == "exits" and value is None:
                continue
            takes = "a line" if name in {"entries", "exits"} else "a line or a finite number"
            raise LineError(
                f"{owner}: {name} is {value!r} ({type(value).__name__}); give {takes}, such as self.data.close * 0.98. "
                "An array becomes a line by an indicator of your own."
            )
        return cls(**said)

    def lines(self) -> dict[str, Line]:
        """Return those that are lines, by name."""
        named = {field.name: getattr(self, field.name) for field in attrs.fields(type(self))}
        return {name: value for name, value in named.items() if isinstance(value, Line)}


def trade_signals(
    strategy: Strategy, said: EntrySignals, target: Instrument, guards: tuple[Order, ...]
) -> tuple[Order, ...]:
    """Send what the current bar calls for; return the orders that close what is held then.

    The compiled sweep of cambist-optimize follows the same rules, and is held to them bit by bit.
    """
    held = strategy.positions[target.symbol].size
    enters = said.entries[0] > 0.0
    side = _now(said.side) if enters else 0.0
    turns = (held > 0.0 and side < 0.0) or (held < 0.0 and side > 0.0)
    if held != 0.0:
        leaves = said.exits is not None and said.exits[0] > 0.0
        if not turns and not leaves:
            return guards
        for order in guards:
            strategy.cancel(order)
        strategy.close(target)
        if not turns:
            return ()
    if side > 0.0 or side < 0.0:
        return _enter(strategy, said, target, is_long=side > 0.0)
    return ()


def _enter(strategy: Strategy, said: EntrySignals, target: Instrument, *, is_long: bool) -> tuple[Order, ...]:
    """Send an entry with its stop and its target."""
    size: float | None = None
    if said.size is not None:
        size = _now(said.size)
        if not size > 0.0:
            return ()
    stop, take, trail = _now(said.stop), _now(said.take), _now(said.trail)
    close = strategy.data[target.symbol].close[0]
    check_guards(type(strategy).__name__, close, stop, take, is_long=is_long)
    loss: Any = None if stop != stop else stop  # noqa: PLR0124 - NaN
    if trail > 0.0:
        loss = {"trail": trail} if loss is None else {"trail": trail, "stop": loss}
    profit = None if take != take else take  # noqa: PLR0124
    send = strategy.buy_bracket if is_long else strategy.sell_bracket
    bracket = send(size, take_profit=profit, stop_loss=loss, data=target)
    return tuple(order for order in (bracket.stop_loss, bracket.take_profit) if order is not None)


def check_guards(owner: str, close: float, stop: float, take: float, *, is_long: bool) -> None:
    """Refuse a stop or a target on the wrong side of the close; NaN stands for none.

    Raises
    ------
    OrderError
        Names the price and the close.
    """
    for name, price, is_below in (("stop", stop, is_long), ("take", take, not is_long)):
        if price != price:  # noqa: PLR0124 - NaN
            continue
        if not (0.0 < price < close if is_below else close < price < float("inf")):
            raise OrderError(
                f"{owner}: {name} is {price:.10g} at {'a long' if is_long else 'a short'} entry, and the bar closed at "
                f"{close:.10g}. It has to lie {'below' if is_below else 'above'} the close; NaN is none."
            )


def _now(value: Said) -> float:
    """Return the value of the current bar; NaN where nothing was said."""
    if value is None:
        return nan
    return value[0] if isinstance(value, Line) else float(value)
