"""Sums of numbers as numpy adds them, to the last bit: in eights, and by halves beyond 128 of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist_optimize.kernel.compiling import compiled, inlined

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["DEPTH", "summed"]

_BLOCK = 128
#: Halvings of the largest array there is.
DEPTH = 64


@compiled
def summed(values: NDArray[np.float64], start: int, count: int, stack: NDArray[np.float64]) -> float:
    """Return what ``values[start:start + count].sum()`` is.

    Parameters
    ----------
    stack
        Room, shape ``(DEPTH, 4)``: of each half that is being added, where it begins, how many it has, whether its left
        half is done, and the sum of that. Functions that call themselves are not kept on the disk.
    """
    level, total, goes_down = 0, 0.0, True
    stack[0, 0], stack[0, 1], stack[0, 2] = start, count, 0.0
    while level >= 0:
        begins, many = int(stack[level, 0]), int(stack[level, 1])
        half = many // 2
        half -= half % 8
        if goes_down and many <= _BLOCK:
            total = _block(values, begins, many)
            goes_down = False
            level -= 1
        elif goes_down:
            level += 1
            stack[level, 0], stack[level, 1], stack[level, 2] = begins, half, 0.0
        elif stack[level, 2] == 0.0:
            stack[level, 2], stack[level, 3] = 1.0, total
            level += 1
            stack[level, 0], stack[level, 1], stack[level, 2] = begins + half, many - half, 0.0
            goes_down = True
        else:
            total = stack[level, 3] + total
            level -= 1
    return 0.0 + total


@inlined
def _block(values: NDArray[np.float64], start: int, count: int) -> float:
    if count < 8:
        total = 0.0
        for at in range(start, start + count):
            total += values[at]
        return total
    a, b, c, d = values[start], values[start + 1], values[start + 2], values[start + 3]
    e, f, g, h = values[start + 4], values[start + 5], values[start + 6], values[start + 7]
    whole = start + count - count % 8
    for at in range(start + 8, whole, 8):
        a, b, c, d = a + values[at], b + values[at + 1], c + values[at + 2], d + values[at + 3]
        e, f, g, h = e + values[at + 4], f + values[at + 5], g + values[at + 6], h + values[at + 7]
    total = ((a + b) + (c + d)) + ((e + f) + (g + h))
    for at in range(whole, start + count):
        total += values[at]
    return total
