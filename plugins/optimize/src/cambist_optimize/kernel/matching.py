"""How orders meet bars: at the open, along the way of the price, at the close; see `SimulatedVenue`.

There are the market orders that signals send, and the stop and the target of what is held, of which one trading ends
the other. What is said of a long position holds for a short one in a mirror: prices are compared times the `sign` of
what is held, which changes nothing of them but the sign.
"""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

from cambist_optimize.kernel.compiling import compiled, inlined
from cambist_optimize.kernel.fills import book, drop_guards, fee_of
from cambist_optimize.kernel.layout import (
    FRESH,
    GUARDED,
    NEXT_SIZE,
    NEXT_STOP,
    NEXT_TAKE,
    NEXT_TRAIL,
    PESSIMISTIC,
    SENT,
    SIZE,
    STOP,
    TAKE,
    THIS_CLOSE,
    TRAIL,
)
from cambist_optimize.kernel.prices import FUNDS_TOLERANCE, missing_funds, on_tick, slipped

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cambist_optimize.kernel.fills import Records

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]

__all__ = ["execute_sent", "match_guards", "reaching"]

_AT_OPEN, _MAKER = 1, 2


@inlined
def execute_sent(rules: Floats, state: Floats, counts: Counts, records: Records, row: int, price: float) -> None:
    """Trade the market orders that were sent at `price`: the next open, or the close of this bar."""
    sent = counts[SENT]
    counts[SENT] = 0
    at_open = 0 if rules[THIS_CLOSE] > 0.0 else _AT_OPEN
    if sent & 1 and state[SIZE] != 0.0:
        book(rules, state, counts, records, row, -state[SIZE], slipped(rules, price, -_sign(state[SIZE])), at_open)
    if not sent & 2:
        return
    signed = state[NEXT_SIZE]
    paid = slipped(rules, price, _sign(signed))
    if missing_funds(rules, state, signed, paid, fee_of(rules, abs(signed), paid, False), FUNDS_TOLERANCE) > 0.0:
        return
    book(rules, state, counts, records, row, signed, paid, at_open)
    stop, take, trail = state[NEXT_STOP], state[NEXT_TAKE], state[NEXT_TRAIL]
    if isnan(stop) and isnan(take) and trail == 0.0:
        return
    state[STOP], state[TAKE], state[TRAIL] = stop, take, trail
    counts[GUARDED] = 1
    if at_open:
        if trail > 0.0 and isnan(stop):
            state[STOP] = _trailed(rules, paid, trail, _sign(signed))
        _join(rules, state, counts, records, row, price)
    else:
        counts[FRESH] = 1


@inlined
def _sign(size: float) -> float:
    return 1.0 if size > 0.0 else -1.0


@compiled
def _join(rules: Floats, state: Floats, counts: Counts, records: Records, row: int, price: float) -> None:
    """Let the orders that the entry woke meet the open: they take what is there."""
    sign = _sign(state[SIZE])
    if _stops(state, price, sign):
        _leave(rules, state, counts, records, row, slipped(rules, price, -sign), _AT_OPEN)
        return
    _follow(rules, state, price, sign)
    if _takes(state, price, sign):
        _leave(rules, state, counts, records, row, _capped(rules, state, price, sign), _AT_OPEN)


@inlined
def reaching(state: Floats, highs: Floats, lows: Floats, start: int, stop: int) -> int:
    """Return the first row from `start` on that matters to the orders that close what is held; `stop` for none."""
    if state[TRAIL] > 0.0:
        return start
    is_long = state[SIZE] > 0.0
    floor, ceiling = (state[STOP], state[TAKE]) if is_long else (state[TAKE], state[STOP])
    row = start
    while row < stop and not (lows[row] <= floor or highs[row] >= ceiling):
        row += 1
    return row


@compiled
def match_guards(
    rules: Floats,
    state: Floats,
    counts: Counts,
    records: Records,
    row: int,
    bar: tuple[float, float, float, float],
    meets_open: bool,
) -> None:
    """Work the stop and the target against a bar; without its open where they were sent at it."""
    open_, high, low, close = bar
    sign = _sign(state[SIZE])
    if meets_open:
        _meet_open(rules, state, counts, records, row, open_, sign)
        if not counts[GUARDED]:
            return
    low_first = not high - open_ < open_ - low
    if rules[PESSIMISTIC] > 0.0:
        low_first = sign > 0.0
    at = open_
    for leg in range(3):
        target = close if leg == 2 else low if (leg == 0) == low_first else high
        if target == at:
            continue
        if sign * target < sign * at:  # toward the stop
            if _stops(state, target, sign):
                price = sign * min(sign * state[STOP], sign * at)
                _leave(rules, state, counts, records, row, slipped(rules, price, -sign), 0)
                return
        elif _takes(state, target, sign):
            _leave(rules, state, counts, records, row, state[TAKE], _MAKER)
            return
        _follow(rules, state, target, sign)
        at = target


@compiled
def _meet_open(
    rules: Floats, state: Floats, counts: Counts, records: Records, row: int, price: float, sign: float
) -> None:
    if _stops(state, price, sign):
        _leave(rules, state, counts, records, row, slipped(rules, price, -sign), _AT_OPEN)
    elif _takes(state, price, sign):
        if counts[FRESH]:
            _leave(rules, state, counts, records, row, _capped(rules, state, price, sign), _AT_OPEN)
        else:
            _leave(rules, state, counts, records, row, price, _AT_OPEN | _MAKER)
    else:
        _follow(rules, state, price, sign)


@compiled
def _leave(rules: Floats, state: Floats, counts: Counts, records: Records, row: int, price: float, how: int) -> None:
    book(rules, state, counts, records, row, -state[SIZE], price, how)
    drop_guards(state, counts)


@inlined
def _stops(state: Floats, price: float, sign: float) -> bool:
    return sign * price <= sign * state[STOP]


@inlined
def _takes(state: Floats, price: float, sign: float) -> bool:
    return sign * price >= sign * state[TAKE]


@inlined
def _capped(rules: Floats, state: Floats, price: float, sign: float) -> float:
    """Return the price of a target that the market stands beyond when it comes: slipped, not beyond its limit."""
    return sign * max(sign * slipped(rules, price, -sign), sign * state[TAKE])


@inlined
def _trailed(rules: Floats, price: float, trail: float, sign: float) -> float:
    """`cambist.orders.triggers.first_stop` of the order that closes a position."""
    return on_tick(rules, price - sign * trail, sign)


@inlined
def _follow(rules: Floats, state: Floats, price: float, sign: float) -> None:
    """Let a trailing stop follow the price; it never moves away from the market."""
    if state[TRAIL] > 0.0:
        stop = _trailed(rules, price, state[TRAIL], sign)
        if not sign * stop <= sign * state[STOP]:
            state[STOP] = stop
