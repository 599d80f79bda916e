"""Lengths of time as people write them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import numpy as np

from cambist.errors import ParameterError
from cambist.model.times import HOUR_NS, MINUTE_NS, SECOND_NS, duration_ns

__all__ = ["is_duration", "length_ns"]

_UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": SECOND_NS, "m": MINUTE_NS, "h": HOUR_NS}
_PATTERN = re.compile(r"(-?\d+(?:\.\d+)?) ?(ns|us|ms|s|m|h)")


def is_duration(said: object) -> bool:
    """Tell whether something is a length of time: nanoseconds, a ``timedelta``, or a text such as ``"50ms"``.

    A negative one is, too: whoever reads it says that it cannot be used.
    """
    if isinstance(said, str):
        return _PATTERN.fullmatch(said) is not None
    return isinstance(said, int | np.integer | timedelta | np.timedelta64) and not isinstance(said, bool)


def length_ns(model: str, name: str, said: Any) -> int:
    """Convert a length of time, which must not be negative, to nanoseconds.

    Raises
    ------
    ParameterError
        If it is none.
    """
    if not is_duration(said):
        raise ParameterError(
            f"{model}: {name} is {said!r}; it is a length of time: '50ms', a timedelta, or integer nanoseconds."
        )
    if isinstance(said, str):
        match = _PATTERN.fullmatch(said)
        assert match is not None
        length = round(float(match[1]) * _UNITS[match[2]])
    elif isinstance(said, np.timedelta64):
        length = int(said.astype("timedelta64[ns]").astype(np.int64))
    else:
        length = duration_ns(said) + getattr(said, "nanoseconds", 0)
    if length < 0:
        raise ParameterError(f"{model}: {name} is {said!r}, which is negative; nothing arrives before it is sent.")
    return length
