"""The loop over bars: fills of what was sent, what the signals call for, the value of the account."""

from __future__ import annotations

from math import isfinite, isnan, nan
from typing import TYPE_CHECKING

import numpy as np

from cambist_optimize.kernel.codes import BUY, LEAVE, SELL
from cambist_optimize.kernel.compiling import compiled, inlined
from cambist_optimize.kernel.fills import drop_guards, fee_of
from cambist_optimize.kernel.layout import (
    CALL,
    FIRST,
    FIXED_SIZE,
    FRESH,
    GUARDED,
    MAX_SIZE,
    MIN_NOTIONAL,
    MIN_SIZE,
    MULTIPLIER,
    NEXT_SIZE,
    NEXT_STOP,
    NEXT_TAKE,
    NEXT_TRAIL,
    PROBLEM,
    PROBLEM_ROW,
    SENT,
    SIZE,
    STEP_DENOMINATOR,
    STEP_NUMERATOR,
    THIS_CLOSE,
    TICK_DENOMINATOR,
    TICK_NUMERATOR,
)
from cambist_optimize.kernel.marking import end_marking, mark
from cambist_optimize.kernel.matching import execute_sent, match_guards, reaches
from cambist_optimize.kernel.prices import below, limit_on_tick, missing_funds, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Signals = tuple[NDArray[np.uint8], NDArray[np.int64], Floats, Floats, Floats, Floats]

__all__ = ["play"]


@compiled
def play(
    rules: Floats,
    bars: tuple[Floats, Floats, Floats, Floats],
    times: NDArray[np.int64],
    signals: Signals,
    kept: tuple[NDArray[np.int64], Floats, Floats],
    records: tuple[Floats, Floats],
    state: Floats,
    counts: NDArray[np.int64],
) -> None:
    """Play every bar.

    Parameters
    ----------
    rules, state, counts
        See `cambist_optimize.kernel.layout`.
    bars
        Open, high, low and close, shape ``(n,)`` each.
    times
        Close times, ns, shape ``(n,)``.
    signals
        The code of each row, the rows that have one, ascending and with ``n`` behind the last; then size, stop, take
        and trail: of each row, one for all, or none.
    kept
        Rows that end a day; where their equity and peak go; where the equity of each bar goes, or nothing.
    records
        Where trades and fills go.
    """
    open_, high, low, close = bars
    codes, calls = signals[0], signals[1]
    rows, first, this_close = len(close), int(rules[FIRST]), rules[THIS_CLOSE] > 0.0
    while counts[CALL] < len(calls) - 1 and calls[counts[CALL]] < first:
        counts[CALL] += 1
    row = 0
    while row < rows and counts[PROBLEM] == 0:
        if counts[SENT]:
            execute_sent(rules, state, counts, records, row, open_[row])
            if counts[GUARDED]:
                bar = (open_[row], high[row], low[row], close[row])
                match_guards(rules, state, counts, records, row, bar, False)
        elif counts[GUARDED]:
            if reaches(state, high[row], low[row]):
                bar = (open_[row], high[row], low[row], close[row])
                match_guards(rules, state, counts, records, row, bar, True)
            counts[FRESH] = 0
        # Nothing happens before the next row that calls for something, unless something rests.
        at = row if counts[GUARDED] else _next_call(codes, calls, counts, state[SIZE])
        # Orders that trade at this close make a difference to its value.
        mark(rules, state, counts, (close, times), kept, row, at if this_close else min(at + 1, rows))
        if at < rows:
            if calls[counts[CALL]] == at:
                counts[CALL] += 1
                decide(rules, state, counts, signals, at, close[at])
            if this_close:
                if counts[SENT]:
                    execute_sent(rules, state, counts, records, at, close[at])
                mark(rules, state, counts, (close, times), kept, at, at + 1)
        row = at + 1
    end_marking(state, counts, times[rows - 1])


@inlined
def _next_call(codes: NDArray[np.uint8], calls: NDArray[np.int64], counts: NDArray[np.int64], held: float) -> int:
    """Return the next row that calls for something, given what is held."""
    wanted = BUY | SELL
    if held > 0.0:
        wanted = SELL | LEAVE
    elif held < 0.0:
        wanted = BUY | LEAVE
    at = counts[CALL]
    while at < len(calls) - 1 and codes[calls[at]] & wanted == 0:
        at += 1
    counts[CALL] = at
    return calls[at]


@inlined
def decide(
    rules: Floats,
    state: Floats,
    counts: NDArray[np.int64],
    signals: Signals,
    row: int,
    close: float,
) -> None:
    """Send what a bar calls for; `cambist.strategies.signal_orders.trade_signals`, and the risk gate."""
    code, held = signals[0][row], state[SIZE]
    side = 1 if code & BUY else -1 if code & SELL else 0
    turns = held * side < 0.0
    if held != 0.0:
        if not turns and not code & LEAVE:
            return
        drop_guards(state, counts)
        counts[SENT] = 1
        if not turns:
            return
    if side == 0:
        return
    asked = rules[FIXED_SIZE] if len(signals[2]) == 0 else _at(signals[2], row)
    if not asked > 0.0:
        return
    size = below(asked, rules[STEP_NUMERATOR], rules[STEP_DENOMINATOR])
    stop, take, trail = _at(signals[3], row), _at(signals[4], row), _at(signals[5], row)
    if not isfinite(asked) or isnan(size) or not _sane(close, stop, take, trail, side):
        counts[PROBLEM], counts[PROBLEM_ROW] = 1, row
        return
    if not _passes_gate(rules, state, size * side, close):
        return
    if not isnan(stop) and rules[TICK_NUMERATOR] > 0.0:
        stop = nearest(stop, rules[TICK_NUMERATOR], rules[TICK_DENOMINATOR])
    if not isnan(take):
        take = limit_on_tick(rules, take, side < 0)
    if stop <= 0.0 or take <= 0.0:
        counts[PROBLEM], counts[PROBLEM_ROW] = 1, row
        return
    state[NEXT_SIZE], state[NEXT_STOP], state[NEXT_TAKE] = size * side, stop, take
    state[NEXT_TRAIL] = trail if trail > 0.0 else 0.0  # noqa: FURB136 - NaN is none
    counts[SENT] |= 2


@inlined
def _at(column: Floats, row: int) -> float:
    if len(column) == 0:
        return nan
    return column[0] if len(column) == 1 else column[row]


@inlined
def _sane(close: float, stop: float, take: float, trail: float, side: int) -> bool:
    """`check_guards`: what lies on the wrong side of the close is for the event engine, which says so."""
    if not isnan(stop) and not ((0.0 < stop < close) if side > 0 else (close < stop and isfinite(stop))):
        return False
    if not isnan(take) and not ((0.0 < take < close) if side < 0 else (close < take and isfinite(take))):
        return False
    return trail < np.inf or isnan(trail)


@inlined
def _passes_gate(rules: Floats, state: Floats, signed: float, close: float) -> bool:
    """Tell whether the risk gate lets an entry through: its size, its value, and the money at the close."""
    size, held = abs(signed), state[SIZE]
    if not size > 0.0 or size < rules[MIN_SIZE] or size > rules[MAX_SIZE]:
        return False
    if size * rules[MULTIPLIER] * close < rules[MIN_NOTIONAL]:
        return False
    if held != 0.0 and abs(held) >= size:  # it turns the position, and the gate knows of no close that was sent
        return True
    return not missing_funds(rules, state, signed, close, fee_of(rules, size, close, False)) > 0.0
