"""What each bar calls for, as one code a row, and the rows that have one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cambist_optimize.kernel.compiling import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cambist.api import Comparison, SignalColumns

__all__ = ["BUY", "LEAVE", "SELL", "write_codes"]

#: A long entry, a short one, an exit.
BUY, SELL, LEAVE = 1, 2, 4


def write_codes(
    signals: SignalColumns, codes: NDArray[np.uint8], sides: NDArray[np.int8], calls: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Write the codes of signals, and return the rows that have one, ascending, and the number of rows behind the last.

    Parameters
    ----------
    codes, calls
        Where to: shape ``(n,)`` padded to a multiple of 8 with zeros, and ``(n + 1,)``.
    sides
        Room of the shape of `codes`, its padding zeros too.
    """
    entries, exits, side = signals.entries, signals.exits, signals.side
    rows = len(calls) - 1
    if len(side) == 1 and _is_pair(entries, exits):
        assert not isinstance(entries, np.ndarray)
        enters = BUY if side[0] > 0.0 else SELL if side[0] < 0.0 else 0
        rises = entries.ufunc is np.greater
        above, below = (enters, LEAVE) if rises else (LEAVE, enters)
        second = entries.second if isinstance(entries.second, np.ndarray) else np.array([float(entries.second)])
        _sides(entries.first, second, sides)
        count = _cross(sides, sides.view(np.uint64), codes, calls, above, below)
    else:
        _encode(_holds(entries), _NOWHERE if exits is None else _holds(exits), side, codes)
        codes[rows:] = 0
        count = _collect(codes.view(np.uint64), codes, calls)
    calls[count] = rows
    return calls[: count + 1]


_NOWHERE = np.empty(0, np.bool_)


def _is_pair(entries: NDArray[np.float64] | Comparison, exits: NDArray[np.float64] | Comparison | None) -> bool:
    """Tell whether entries and exits are the two crossings of the same two lines."""
    if isinstance(entries, np.ndarray) or exits is None or isinstance(exits, np.ndarray):
        return False
    if not (entries.crosses and exits.crosses):
        return False
    one, other = entries.second, exits.second
    same = one is other or (isinstance(one, float) and isinstance(other, float) and one == other)
    return same and entries.first is exits.first and entries.ufunc is not exits.ufunc


def _holds(test: NDArray[np.float64] | Comparison) -> NDArray[np.bool_]:
    return test > 0.0 if isinstance(test, np.ndarray) else test.rows()


@compiled
def _encode(
    enters: NDArray[np.bool_], leaves: NDArray[np.bool_], side: NDArray[np.float64], codes: NDArray[np.uint8]
) -> None:
    rows = len(enters)
    if len(side) == 1:
        code = BUY if side[0] > 0.0 else SELL if side[0] < 0.0 else 0
        for row in range(rows):
            codes[row] = enters[row] * code
    else:
        for row in range(rows):
            codes[row] = enters[row] * ((side[row] > 0.0) * BUY + (side[row] < 0.0) * SELL)
    if len(leaves):
        for row in range(rows):
            codes[row] |= leaves[row] * LEAVE


@compiled
def _collect(words: NDArray[np.uint64], codes: NDArray[np.uint8], calls: NDArray[np.int64]) -> int:
    """Write the rows that have a code, eight looked at at once."""
    count = 0
    for word in range(len(words)):
        if words[word] != 0:
            for row in range(word * 8, word * 8 + 8):
                calls[count] = row
                count += codes[row] != 0
    return count


@compiled
def _sides(first: NDArray[np.float64], second: NDArray[np.float64], sides: NDArray[np.int8]) -> None:
    """Write 1 where the first column is above the second, -1 where below, 0 where they tie or one is NaN."""
    if len(second) > 1:
        for row in range(len(first)):
            sides[row] = (first[row] > second[row]) - (first[row] < second[row])
    else:
        for row in range(len(first)):
            sides[row] = (first[row] > second[0]) - (first[row] < second[0])


@compiled
def _cross(
    sides: NDArray[np.int8],
    words: NDArray[np.uint64],
    codes: NDArray[np.uint8],
    calls: NDArray[np.int64],
    above: int,
    below: int,
) -> int:
    """Write codes where the side changes; see `cambist.indicators.crossing.Crossover`.

    `words` are `sides`, in eights.
    """
    count, side, same = 0, 0, np.uint64(0)
    codes[:] = 0
    for word in range(len(words)):
        if words[word] == same:
            continue
        for row in range(word * 8, word * 8 + 8):
            now = sides[row]
            # A tie, and NaN, are looked through: the side before them stays.
            if now == 0 or now == side:  # noqa: PLR1714 - compiled code
                continue
            if side != 0:
                code = above if now > 0 else below
                codes[row] = code
                calls[count] = row
                count += code != 0
            side = now
            same = np.uint64(0x0101010101010101) if now > 0 else np.uint64(0xFFFFFFFFFFFFFFFF)
    return count
