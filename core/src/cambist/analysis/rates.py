"""Yearly rates and what they are in one period."""

from __future__ import annotations

from math import isfinite, nan

from cambist.errors import ParameterError

__all__ = ["check_share", "compound", "per_period"]


def per_period(name: str, yearly: float, per_year: float) -> float:
    """Return the rate of one period that compounds to `yearly`: ``(1 + yearly) ** (1 / per_year) - 1``.

    Parameters
    ----------
    name
        What the rate is called where it was given.
    yearly
        Rate of a year as a fraction: 0.02 is 2 %.
    per_year
        Periods in a year.

    Raises
    ------
    ParameterError
        If `yearly` is not above -1, where there is nothing left to compound.
    """
    if not (isfinite(yearly) and yearly > -1.0):
        raise ParameterError(f"{name} is {yearly!r}; it is a yearly rate as a fraction, above -1: 0.02 is 2 %.")
    return float((1.0 + yearly) ** (1.0 / per_year)) - 1.0


def compound(factor: float, times: float) -> float:
    """Return what growing by `factor` comes to after so many times, less 1; NaN where a float cannot hold it.

    Parameters
    ----------
    factor
        Growth of one period, 0 or above: 1.01 is 1 %.
    times
        Number of periods, which may be a fraction.
    """
    try:
        return float(factor**times) - 1.0
    except OverflowError:
        return nan


def check_share(name: str, share: float) -> None:
    """Refuse what is no fraction between 0 and 1.

    Raises
    ------
    ParameterError
        If `share` is not above 0 and below 1.
    """
    if not 0.0 < share < 1.0:
        raise ParameterError(f"{name} is {share!r}; it is a share between 0 and 1: 0.05 is the worst 5 %.")
