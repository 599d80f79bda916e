"""A number that is the same all the time, or one that changes with it."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from math import inf
from typing import Any

import attrs
import numpy as np

from cambist.errors import InputError, ParameterError
from cambist.model.times import format_ns, to_ns
from cambist.simulation.checks import check_amount, is_number

__all__ = ["Timed", "timed"]

_FORMS = "a number, a pandas Series with a DatetimeIndex, or a pair (times, values)"


@attrs.frozen(eq=False, repr=False)
class Timed:
    """What a setting is at any time: the last value known then.

    Parameters
    ----------
    what
        Whose setting it is, and what it is called, for messages.
    times, values
        Rising times, ns, UTC, and the value from each on; one time and one value for a constant.
    """

    what: str
    times: tuple[int, ...]
    values: tuple[float, ...]

    def at(self, ts: int) -> float:
        """Return the value at `ts` (ns, UTC).

        Raises
        ------
        ParameterError
            If nothing is known yet.
        """
        row = bisect_right(self.times, ts)
        if not row:
            raise ParameterError(
                f"{self.what} begins at {format_ns(self.times[0])}, and the run asks for it at {format_ns(ts)}. "
                "Give values from the first bar on."
            )
        return self.values[row - 1]

    def __repr__(self) -> str:
        return repr(self.values[0]) if len(self.values) == 1 else f"<{len(self.values):,} values over time>"


def timed(model: str, name: str, said: Any, meaning: str, *, least: float = 0.0, most: float = inf) -> Timed:
    """Return what a setting is over time; each value must be a number from `least` to `most`.

    Raises
    ------
    ParameterError
        If it is nothing of the kind.
    """
    if isinstance(said, Timed):
        return said
    what = f"{model}: {name}"
    if is_number(said):
        check_amount(model, name, said, meaning, least=least, most=most)
        return Timed(what, (-(2**63),), (float(said),))
    times, values = _pair(what, said)
    if not times or len(times) != len(values):
        raise ParameterError(f"{what} has {len(times)} times and {len(values)} values; give as many of both.")
    for row, (before, after) in enumerate(pairwise(times)):
        if not before < after:
            raise ParameterError(f"{what}: time {row + 1} is {format_ns(after)}, not after the one before. Sort them.")
    for ts, value in zip(times, values, strict=True):
        if not -inf < value < inf or not least <= value <= most:
            raise ParameterError(
                f"{what} is {value!r} at {format_ns(ts)}; it is {meaning}. Fill it in, or leave it out."
            )
    return Timed(what, times, values)


def _pair(what: str, said: Any) -> tuple[tuple[int, ...], tuple[float, ...]]:
    index: Any = getattr(said, "index", None)
    if hasattr(index, "tz") and hasattr(said, "to_numpy"):
        moments = index if index.tz is None else index.tz_convert("UTC").tz_localize(None)
        times = moments.to_numpy().astype("datetime64[ns]").astype(np.int64)
        return tuple(times.tolist()), tuple(said.to_numpy(dtype=float).tolist())
    if isinstance(said, list | tuple) and len(said) == 2 and all(hasattr(part, "__len__") for part in said):
        try:
            return tuple(to_ns(when) for when in said[0]), tuple(float(value) for value in said[1])
        except (InputError, TypeError, ValueError) as error:
            raise ParameterError(f"{what}: {error}") from None
    raise ParameterError(f"{what} is a {type(said).__name__}; give {_FORMS}.")
