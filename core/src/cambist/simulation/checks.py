"""Checks that the models of a simulated venue share."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.errors import ParameterError

if TYPE_CHECKING:
    from typing import TypeGuard

__all__ = ["check_amount", "check_rate", "is_number"]


def is_number(value: object) -> TypeGuard[float]:
    """Tell whether a setting is a plain number: no text, and no truth value."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def check_rate(model: str, name: str, value: Any) -> None:
    """Hold that a setting is a fraction of the value traded, between -1 and 1.

    Raises
    ------
    ParameterError
        Where it is not.
    """
    if not is_number(value) or not -1.0 < float(value) < 1.0:
        raise ParameterError(f"{model}: {name} is {value!r}; it is a fraction of the value traded: 0.001 is 0.1 %.")


def check_amount(model: str, name: str, value: Any, meaning: str, *, least: float = -inf, most: float = inf) -> None:
    """Hold that a setting is a finite number from `least` to `most`.

    Parameters
    ----------
    model, name
        Whose setting it is, and what it is called.
    meaning
        What it is, for the message: ``"an amount of money"``.

    Raises
    ------
    ParameterError
        Where it is not.
    """
    if not is_number(value) or not -inf < float(value) < inf or not least <= float(value) <= most:
        raise ParameterError(f"{model}: {name} is {value!r}; it is {meaning}.")
