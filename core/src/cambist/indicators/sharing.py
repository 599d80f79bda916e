"""Indicators computed once for many runs over the same bars: what a sweep over parameters does."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from cambist.indicators.computation import Computation

__all__ = ["SHARED_BYTES", "SharedIndicators", "batch"]

#: What the columns that are kept may take, bytes.
SHARED_BYTES = 64_000_000


class SharedIndicators:
    """Keeps what indicators compute, so that who asks again, over the same arrays, gets what was computed before.

    Used as a context it holds for every run of this process until it is left, in all threads; it may be entered again,
    and still knows. Each value is the one that a run would have computed by itself.

    Parameters
    ----------
    limit
        What the columns that are kept may take, bytes. Beyond it those that were asked for longest ago go.

    Notes
    -----
    Arrays are told apart by where they lie in memory, and kept with what was made of them, so that no other array comes
    to lie there. Indicators of your own that no other equals are computed each time.
    """

    def __init__(self, limit: int = SHARED_BYTES) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._kept: OrderedDict[object, tuple[Sequence[NDArray[np.float64]], tuple[NDArray[np.float64], ...]]]
        self._kept = OrderedDict()
        self._bytes = 0
        #: What a thread is at, for others that ask for the same meanwhile.
        self._computing: dict[object, threading.Event] = {}
        #: Keys of what was made of the very same arrays, by the ids of those, so that nobody asks where they lie. The
        #: arrays stand beside, so that no other gets their ids.
        self._same: dict[tuple[object, ...], tuple[Sequence[NDArray[np.float64]], object]] = {}

    def __enter__(self) -> Self:
        _active.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        _active.remove(self)

    def batch(self, computation: Computation, arrays: Sequence[NDArray[np.float64]]) -> tuple[NDArray[np.float64], ...]:
        """Return what a computation makes of whole columns; the arrays must not be written to."""
        if type(computation).__hash__ is object.__hash__:  # nobody makes an equal one
            return computation.batch(*arrays)
        same = (computation, *map(id, arrays))
        before = self._same.get(same)
        key = before[1] if before is not None else _place_of(computation, arrays)
        while True:
            with self._lock:
                known = self._kept.get(key)
                if known is not None:
                    self._kept.move_to_end(key)
                    self._same.setdefault(same, (arrays, key))
                    return known[1]
                other = self._computing.get(key)
                if other is None:
                    self._computing[key] = threading.Event()
                    break
            other.wait()
        try:
            results = computation.batch(*arrays)
            self._keep(key, arrays, results)
        finally:
            with self._lock:
                self._computing.pop(key).set()
        return results

    def _keep(
        self, key: object, arrays: Sequence[NDArray[np.float64]], results: tuple[NDArray[np.float64], ...]
    ) -> None:
        for result in results:
            result.flags.writeable = False
        with self._lock:
            self._kept[key] = (arrays, results)
            self._bytes += sum(result.nbytes for result in results)
            if self._bytes > self._limit or len(self._same) > _MOST_SAME:
                self._same.clear()
            while self._bytes > self._limit and len(self._kept) > 1:
                _, (_, dropped) = self._kept.popitem(last=False)
                self._bytes -= sum(result.nbytes for result in dropped)


def _place_of(computation: Computation, arrays: Sequence[NDArray[np.float64]]) -> object:
    return computation, tuple((one.__array_interface__["data"][0], one.shape, one.strides) for one in arrays)


#: Arrays that are known by their ids; each of them is held.
_MOST_SAME = 4096
_active: list[SharedIndicators] = []


def batch(computation: Computation, arrays: Sequence[NDArray[np.float64]]) -> tuple[NDArray[np.float64], ...]:
    """Compute whole columns, or return what was computed of the same ones before."""
    return _active[-1].batch(computation, arrays) if _active else computation.batch(*arrays)
