"""The loop over bars: fills of what was sent, what the signals call for, the value of the account."""

from __future__ import annotations

from math import isfinite, isnan, nan
from typing import TYPE_CHECKING

import numpy as np

from cambist_optimize.kernel.calls import BUY, LEAVE, SELL, calls_of, take_sides
from cambist_optimize.kernel.compiling import compiled, inlined
from cambist_optimize.kernel.fills import drop_guards, fee_of
from cambist_optimize.kernel.layout import (
    AMOUNT,
    CALL,
    FRESH,
    GUARDED,
    LOST,
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
    TRADES,
    WINS,
    WON,
)
from cambist_optimize.kernel.marking import end_marking, mark
from cambist_optimize.kernel.matching import execute_sent, match_guards, reaching
from cambist_optimize.kernel.prices import FUNDS_TOLERANCE, below, missing_funds, nearest, on_tick
from cambist_optimize.kernel.sizing import sized
from cambist_optimize.kernel.sums import summed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cambist_optimize.kernel.calls import Called
    from cambist_optimize.kernel.fills import Records
    from cambist_optimize.kernel.marking import Closes

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]
    #: Row and code of each call of a combination, its size, stop, take and trail, where they are said, and its sizing.
    Calls = tuple[NDArray[np.int64], NDArray[np.uint8], Floats, Floats]

__all__ = ["play_all"]


@compiled
def play_all(
    rules: Floats,
    bars: tuple[Floats, Floats, Floats, Floats],
    closes: Closes,
    called: Called,
    sizing: Floats,
    records: Records,
    kept: tuple[Floats, Floats, Floats],
    results: tuple[Floats, Counts],
) -> None:
    """Play every combination over every bar.

    Parameters
    ----------
    rules
        See `cambist_optimize.kernel.layout`, also for the columns of `sizing` and `results`.
    bars
        Open, high, low and close, shape ``(n,)`` each.
    closes
        See `cambist_optimize.kernel.marking`.
    called
        See `cambist_optimize.kernel.calls.Sheet.called`.
    sizing
        How large entries without a size are, a row for each combination.
    records
        Room for one combination, which the next one writes anew.
    kept
        Equity and peak at the end of each day, for each combination, shape ``(k, m, 2)``; room for the equity of each
        bar, or nothing; and room for `summed`.
    results
        What stands and what is counted, a row for each combination: how it begins, and how it ends.
    """
    ends, every, stack = kept
    states, counts = results
    take_sides(called, len(bars[3]))
    for at in range(len(states)):
        state, count = states[at], counts[at]
        rows, codes, values = calls_of(called, at)
        calls = (rows, codes, values, sizing[at])
        _play(rules, bars, closes, calls, records, (ends[at], every), state, count)
        won, lost, wins = _settled(records[0], count[TRADES], stack)
        state[WON], state[LOST], count[WINS] = won, lost, wins


@inlined
def _settled(nets: Floats, trades: int, stack: Floats) -> tuple[float, float, int]:
    """Return what the won trades made, what the lost ones made, and how many were won; `nets` is room afterwards."""
    wins, losses = 0, trades
    for trade in range(trades):  # losses are kept behind, in their order; wins in front
        net = nets[trade]
        nets[losses] = net
        losses += net < 0.0
        nets[wins] = net
        wins += net > 0.0
    return summed(nets, 0, wins, stack), summed(nets, trades, losses - trades, stack), wins


@inlined
def _play(
    rules: Floats,
    bars: tuple[Floats, Floats, Floats, Floats],
    closes: Closes,
    called: Calls,
    records: Records,
    kept: tuple[Floats, Floats],
    state: Floats,
    counts: Counts,
) -> None:
    """Play every bar."""
    _, high, low, close = bars
    calls = called[0]
    rows, this_close = len(close), rules[THIS_CLOSE] > 0.0
    row = 0
    while row < rows and counts[PROBLEM] == 0:
        _meet(rules, bars, records, state, counts, row)
        ahead = _next_call(called, counts[CALL], state[SIZE])
        at = calls[ahead] if ahead < len(calls) else rows
        if counts[GUARDED] and at > row:
            # What rests may end the position before, and another call would be the next one then.
            until = reaching(state, high, low, row + 1, at)
            mark(rules, state, counts, closes, kept, row, until)
            while counts[CALL] < len(calls) and calls[counts[CALL]] < until:
                counts[CALL] += 1
            row = until
            continue
        counts[CALL] = ahead
        # Orders that trade at this close make a difference to its value.
        mark(rules, state, counts, closes, kept, row, at if this_close else min(at + 1, rows))
        if at < rows:
            counts[CALL] += 1
            _decide(rules, state, counts, called, ahead, close[at])
            if this_close:
                if counts[SENT]:
                    execute_sent(rules, state, counts, records, at, close[at])
                mark(rules, state, counts, closes, kept, at, at + 1)
        row = at + 1
    end_marking(state, counts, closes[1][rows - 1])


@inlined
def _meet(
    rules: Floats,
    bars: tuple[Floats, Floats, Floats, Floats],
    records: Records,
    state: Floats,
    counts: Counts,
    row: int,
) -> None:
    """Let what was sent, and what rests, meet a bar."""
    open_, high, low, close = bars
    if counts[SENT]:
        execute_sent(rules, state, counts, records, row, open_[row])
        if counts[GUARDED]:
            bar = (open_[row], high[row], low[row], close[row])
            match_guards(rules, state, counts, records, row, bar, False)
    elif counts[GUARDED]:
        if reaching(state, high, low, row, row + 1) == row:
            bar = (open_[row], high[row], low[row], close[row])
            match_guards(rules, state, counts, records, row, bar, True)
        counts[FRESH] = 0


@inlined
def _next_call(called: Calls, at: int, held: float) -> int:
    """Return the number of the next call that matters to what is held."""
    wanted = BUY | SELL
    if held > 0.0:
        wanted = SELL | LEAVE
    elif held < 0.0:
        wanted = BUY | LEAVE
    codes = called[1]
    while at < len(codes) and codes[at] & wanted == 0:
        at += 1
    return at


@inlined
def _decide(rules: Floats, state: Floats, counts: Counts, called: Calls, call: int, close: float) -> None:
    """Send what a call is for; `cambist.strategies.signal_orders.trade_signals`, and the risk gate."""
    rows, codes, _, _ = called
    code, held = codes[call], state[SIZE]
    sign = 1.0 if code & BUY else -1.0 if code & SELL else 0.0
    turns = held * sign < 0.0
    if held != 0.0:
        if not turns and not code & LEAVE:
            return
        drop_guards(state, counts)
        counts[SENT] = 1
        if not turns:
            return
    if sign == 0.0:
        return
    asked, stop, take, trail = _asked(rules, state, called, call, close, sign)
    if asked <= 0.0:
        return
    size = below(asked, rules[STEP_NUMERATOR], rules[STEP_DENOMINATOR])
    if not isfinite(asked) or isnan(size) or not _sane(close, stop, take, trail, sign):
        counts[PROBLEM], counts[PROBLEM_ROW] = 1, rows[call]
        return
    if not _passes_gate(rules, state, size * sign, close):
        return
    if not isnan(stop) and rules[TICK_NUMERATOR] > 0.0:
        stop = nearest(stop, rules[TICK_NUMERATOR], rules[TICK_DENOMINATOR])
    if not isnan(take):
        take = on_tick(rules, take, -sign)  # a limit is rounded in the trader's favor
    if stop <= 0.0 or take <= 0.0:
        counts[PROBLEM], counts[PROBLEM_ROW] = 1, rows[call]
        return
    state[NEXT_SIZE], state[NEXT_STOP], state[NEXT_TAKE] = size * sign, stop, take
    state[NEXT_TRAIL] = trail if trail > 0.0 else 0.0  # noqa: FURB136 - NaN is none
    counts[SENT] |= 2


@inlined
def _asked(
    rules: Floats, state: Floats, called: Calls, call: int, close: float, sign: float
) -> tuple[float, float, float, float]:
    """Return size, stop, take and trail of an entry; NaN for prices that are not said."""
    _, _, values, sizing = called
    size = sized(rules, state, sizing, close, sign)
    if not len(values):
        return size, nan, nan, nan
    if isnan(sizing[AMOUNT]):
        size = values[call, 0]
        if isnan(size):  # it says none
            size = 0.0
    return size, values[call, 1], values[call, 2], values[call, 3]


@inlined
def _sane(close: float, stop: float, take: float, trail: float, sign: float) -> bool:
    """`check_guards`: what lies on the wrong side of the close is for the event engine, which says so."""
    if not isnan(stop) and not (sign * stop < sign * close and stop > 0.0 and isfinite(stop)):
        return False
    if not isnan(take) and not (sign * take > sign * close and take > 0.0 and isfinite(take)):
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
    return not missing_funds(rules, state, signed, close, fee_of(rules, size, close, False), FUNDS_TOLERANCE) > 0.0
