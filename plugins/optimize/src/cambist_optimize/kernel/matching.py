"""How orders meet bars: at the open, along the way of the price, at the close; see `SimulatedVenue`.

There are the market orders that signals send, and the stop and the target of what is held, of which one trading ends
the other.
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
from cambist_optimize.kernel.prices import first_stop, missing_funds, slipped

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Records = tuple[NDArray[np.float64], NDArray[np.float64]]

__all__ = ["execute_sent", "match_guards", "reaches"]

_AT_OPEN, _MAKER = 1, 2


@inlined
def execute_sent(
    rules: NDArray[np.float64],
    state: NDArray[np.float64],
    counts: NDArray[np.int64],
    records: Records,
    row: int,
    price: float,
) -> None:
    """Trade the market orders that were sent at `price`: the next open, or the close of this bar."""
    sent = counts[SENT]
    counts[SENT] = 0
    at_open = 0 if rules[THIS_CLOSE] > 0.0 else _AT_OPEN
    if sent & 1 and state[SIZE] != 0.0:
        held = state[SIZE]
        book(rules, state, counts, records, row, -held, slipped(rules, price, held < 0.0), at_open)
    if not sent & 2:
        return
    signed = state[NEXT_SIZE]
    paid = slipped(rules, price, signed > 0.0)
    if missing_funds(rules, state, signed, paid, fee_of(rules, abs(signed), paid, False)) > 0.0:
        return
    book(rules, state, counts, records, row, signed, paid, at_open)
    stop, take, trail = state[NEXT_STOP], state[NEXT_TAKE], state[NEXT_TRAIL]
    if isnan(stop) and isnan(take) and trail == 0.0:
        return
    state[STOP], state[TAKE], state[TRAIL] = stop, take, trail
    counts[GUARDED] = 1
    if at_open:
        if trail > 0.0 and isnan(stop):
            state[STOP] = first_stop(rules, paid, trail, signed > 0.0)
        _join(rules, state, counts, records, row, price)
    else:
        counts[FRESH] = 1


@compiled
def _join(
    rules: NDArray[np.float64],
    state: NDArray[np.float64],
    counts: NDArray[np.int64],
    records: Records,
    row: int,
    price: float,
) -> None:
    """Let the orders that the entry woke meet the open: they take what is there."""
    held = state[SIZE]
    if _stops(state, price):
        _leave(rules, state, counts, records, row, slipped(rules, price, held < 0.0), _AT_OPEN)
        return
    _follow(rules, state, price)
    if _takes(state, price):
        _leave(rules, state, counts, records, row, _capped(rules, state, price), _AT_OPEN)


@inlined
def reaches(state: NDArray[np.float64], high: float, low: float) -> bool:
    """Tell whether a bar matters to the orders that close what is held."""
    if state[TRAIL] > 0.0:
        return True
    if state[SIZE] > 0.0:
        return low <= state[STOP] or high >= state[TAKE]
    return high >= state[STOP] or low <= state[TAKE]


@compiled
def match_guards(
    rules: NDArray[np.float64],
    state: NDArray[np.float64],
    counts: NDArray[np.int64],
    records: Records,
    row: int,
    bar: tuple[float, float, float, float],
    meets_open: bool,
) -> None:
    """Work the stop and the target against a bar; without its open where they were sent at it."""
    open_, high, low, close = bar
    if meets_open:
        _meet_open(rules, state, counts, records, row, open_)
        if not counts[GUARDED]:
            return
    held = state[SIZE]
    low_first = not high - open_ < open_ - low
    if rules[PESSIMISTIC] > 0.0:
        low_first = held > 0.0
    at = open_
    for leg in range(3):
        target = close if leg == 2 else low if (leg == 0) == low_first else high
        if target == at:
            continue
        falls = target < at
        if falls == (held > 0.0):  # toward the stop
            if _stops(state, target):
                stop = state[STOP]
                price = min(stop, at) if falls else max(stop, at)
                _leave(rules, state, counts, records, row, slipped(rules, price, held < 0.0), 0)
                return
        elif _takes(state, target):
            _leave(rules, state, counts, records, row, state[TAKE], _MAKER)
            return
        _follow(rules, state, target)
        at = target


@compiled
def _meet_open(
    rules: NDArray[np.float64],
    state: NDArray[np.float64],
    counts: NDArray[np.int64],
    records: Records,
    row: int,
    price: float,
) -> None:
    if _stops(state, price):
        _leave(rules, state, counts, records, row, slipped(rules, price, state[SIZE] < 0.0), _AT_OPEN)
    elif _takes(state, price):
        if counts[FRESH]:
            _leave(rules, state, counts, records, row, _capped(rules, state, price), _AT_OPEN)
        else:
            _leave(rules, state, counts, records, row, price, _AT_OPEN | _MAKER)
    else:
        _follow(rules, state, price)


@compiled
def _leave(
    rules: NDArray[np.float64],
    state: NDArray[np.float64],
    counts: NDArray[np.int64],
    records: Records,
    row: int,
    price: float,
    how: int,
) -> None:
    book(rules, state, counts, records, row, -state[SIZE], price, how)
    drop_guards(state, counts)


@compiled
def _stops(state: NDArray[np.float64], price: float) -> bool:
    return price <= state[STOP] if state[SIZE] > 0.0 else price >= state[STOP]


@compiled
def _takes(state: NDArray[np.float64], price: float) -> bool:
    return price >= state[TAKE] if state[SIZE] > 0.0 else price <= state[TAKE]


@compiled
def _capped(rules: NDArray[np.float64], state: NDArray[np.float64], price: float) -> float:
    """Return the price of a target that the market stands beyond when it comes: slipped, not beyond its limit."""
    if state[SIZE] > 0.0:
        return max(slipped(rules, price, False), state[TAKE])
    return min(slipped(rules, price, True), state[TAKE])


@compiled
def _follow(rules: NDArray[np.float64], state: NDArray[np.float64], price: float) -> None:
    """Let a trailing stop follow the price; it never moves away from the market."""
    if state[TRAIL] == 0.0:
        return
    is_long = state[SIZE] > 0.0
    stop, before = first_stop(rules, price, state[TRAIL], is_long), state[STOP]
    if not (stop <= before if is_long else stop >= before):
        state[STOP] = stop
