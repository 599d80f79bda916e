"""The settings of sizers, checked."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from cambist.errors import ParameterError

__all__ = ["check_buffer", "check_number", "check_whole", "is_number"]


def is_number(value: object) -> bool:
    """Tell whether a setting is a number, which true and false are not."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def check_number(sizer: object, name: str, hint: str, *, at_most: float = inf, zero: bool = False) -> None:
    """Refuse an attribute of `sizer` that is no finite number above zero, or above `at_most`.

    Parameters
    ----------
    hint
        What would be right.
    zero
        Whether zero is right as well.

    Raises
    ------
    ParameterError
        Names sizer, attribute and value.
    """
    value: Any = getattr(sizer, name)
    if not is_number(value) or not ((0.0 < value <= at_most and value < inf) or (zero and value == 0.0)):
        raise ParameterError(f"{type(sizer).__name__}: {name} is {value!r}; {hint}")


def check_whole(sizer: object, name: str, hint: str, *, at_least: int = 1, at_most: float = inf) -> None:
    """Refuse an attribute of `sizer` that is no whole number from `at_least` to `at_most`; see `check_number`."""
    value: Any = getattr(sizer, name)
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or not at_least <= value <= at_most:
        raise ParameterError(f"{type(sizer).__name__}: {name} is {value!r}; {hint}")


def check_buffer(sizer: object) -> None:
    """Refuse a `buffer` that is no fraction of a price."""
    value: Any = getattr(sizer, "buffer")  # noqa: B009 - every sizer that pays has one
    if not is_number(value) or not 0.0 <= value < 1.0:
        raise ParameterError(
            f"{type(sizer).__name__}: buffer is {value!r}; 0.01 leaves room for a price one percent away, 0 for none."
        )
