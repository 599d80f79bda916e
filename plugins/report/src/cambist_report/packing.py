"""Columns of numbers as text for a page: whole numbers, their differences, byte planes, deflate, base64.

A million bars take a few megabytes so, against fifty as plain base64. Scripts of the page undo it step by step.
"""

from __future__ import annotations

import zlib
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Packer"]

#: Of an int32: what stands for NaN, and the largest whole number that is used.
_MISSING = -(2**31)
_LARGEST = 2**31 - 2
#: Decimals that are looked for in prices and amounts.
_DECIMALS = 8
_NS_A_MS = 1_000_000


class Packer:
    """Packs columns, each under a number, and collects the pieces of text.

    Attributes
    ----------
    pieces
        Base64 of what was packed, by number.
    """

    def __init__(self) -> None:
        self.pieces: list[str] = []

    def times(self, ns: NDArray[np.int64]) -> dict[str, Any]:
        """Pack times, ns since the epoch, to the millisecond: differences of differences."""
        milliseconds = ns // _NS_A_MS
        unit = 1000 if len(ns) == 0 or not (milliseconds % 1000).any() else 1
        steps = np.diff(milliseconds // unit)
        if len(steps) and int(steps.max()) > _LARGEST:
            return self.exact(milliseconds.astype(np.float64))
        first = int(milliseconds[0] // unit) if len(ns) else 0
        return {
            "as": "times",
            "n": len(ns),
            "unit": unit,
            "first": first,
            "step": int(steps[0]) if len(steps) else 0,
            "piece": self._planes(_differences(steps.astype(np.int32))),
        }

    def numbers(self, values: NDArray[np.float64], decimals: int | None = None) -> dict[str, Any]:
        """Pack numbers for a curve.

        Parameters
        ----------
        values
            NaN is kept; infinities become NaN.
        decimals
            How many a reader gets to see, where that is known; there are fewer where nine digits do not reach so far.
            By default numbers are exact where they have few decimals, else they have nine digits of the largest.
        """
        scale = _scale_of(values) if decimals is None else min(10.0**decimals, _largest_scale(values))
        return {
            "as": "numbers",
            "n": len(values),
            "scale": scale,
            "piece": self._planes(_differences(_whole(values, scale))),
        }

    def candles(
        self,
        open_: NDArray[np.float64],
        high: NDArray[np.float64],
        low: NDArray[np.float64],
        close: NDArray[np.float64],
    ) -> dict[str, Any]:
        """Pack prices of bars, told from one another: they lie near each other, and so need few bytes."""
        scale = max(_scale_of(column) for column in (high, low, close, open_))
        while float(high.max(initial=0.0)) * scale > _LARGEST:
            scale /= 10.0
        opens, highs, lows, closes = (_whole(column, scale) for column in (open_, high, low, close))
        before = np.concatenate((closes[:1], closes[:-1]))
        return {
            "as": "candles",
            "n": len(close),
            "scale": scale,
            "pieces": [
                self._planes(_differences(closes)),
                self._planes(opens - before),
                self._planes(highs - np.maximum(opens, closes)),
                self._planes(np.minimum(opens, closes) - lows),
            ],
        }

    def exact(self, values: NDArray[np.float64]) -> dict[str, Any]:
        """Pack numbers to the last bit."""
        return {"as": "exact", "n": len(values), "piece": self._planes(np.ascontiguousarray(values, np.float64))}

    def whole(self, values: NDArray[Any]) -> dict[str, Any]:
        """Pack whole numbers of 32 bits."""
        return {"as": "whole", "n": len(values), "piece": self._planes(_differences(values.astype(np.int32)))}

    def _planes(self, values: NDArray[Any]) -> int:
        """Keep an array as base64 of deflated byte planes; return its number."""
        little = values.astype(values.dtype.newbyteorder("<"), copy=False)
        planes = np.ascontiguousarray(little.view(np.uint8).reshape(-1, values.dtype.itemsize).T)
        self.pieces.append(b64encode(zlib.compress(planes.data, 1)).decode("ascii"))
        return len(self.pieces) - 1


def _differences(values: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the first number, then what each adds to the one before, modulo 2**32."""
    made = values.copy()
    np.subtract(values[1:], values[:-1], out=made[1:])
    return made


def _whole(values: NDArray[np.float64], scale: float) -> NDArray[np.int32]:
    known = np.isfinite(values)
    scaled = np.rint(np.where(known, values, 0.0) * scale)
    scaled[~known] = _MISSING
    return scaled.astype(np.int32)


def _largest_scale(values: NDArray[np.float64]) -> float:
    """Return the power of ten by which numbers still fit into 32 bits."""
    known = values[np.isfinite(values)]
    largest = max(float(known.max(initial=0.0)), -float(known.min(initial=0.0)))
    return 10.0 ** int(np.floor(np.log10(_LARGEST / largest))) if largest else 10.0**_DECIMALS


def _scale_of(values: NDArray[np.float64]) -> float:
    """Return by what to multiply so that whole numbers say it: a power of ten."""
    known = values[np.isfinite(values)]
    fits = _largest_scale(known)
    if not len(known):
        return 1.0
    some = known[:: max(1, len(known) // 1000)]
    for decimals in range(_DECIMALS + 1):
        scale = 10.0**decimals
        if scale > fits:
            break
        if _is_whole(some * scale) and _is_whole(known * scale):
            return scale
    return fits


def _is_whole(values: NDArray[np.float64]) -> bool:
    return bool((np.abs(values - np.rint(values)) <= 1e-6).all())
