"""The way a price is taken to have gone inside a bar."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cambist.errors import ParameterError, did_you_mean
from cambist.simulation.catalog import make_model

__all__ = [
    "PATHS",
    "IntrabarPath",
    "intrabar_path",
    "nearer_first",
    "nearer_first_path",
    "pessimistic",
    "pessimistic_path",
]

#: ``(open, high, low, close, position size) -> (first extreme, second extreme)``. The price goes in straight
#: lines from the open through both to the close.
IntrabarPath = Callable[[float, float, float, float, float], tuple[float, float]]


def nearer_first(open_: float, high: float, low: float, _close: float, _position: float) -> tuple[float, float]:
    """Go to the extreme nearer to the open first; at equal distance to the low."""
    return (high, low) if high - open_ < open_ - low else (low, high)


def pessimistic(open_: float, high: float, low: float, close: float, position: float) -> tuple[float, float]:
    """Go first to the extreme that hurts the position held at the open; when flat, to the nearer one.

    A protective stop is thereby met before a profit target that the same bar also reaches.
    """
    if position > 0.0:
        return low, high
    if position < 0.0:
        return high, low
    return nearer_first(open_, high, low, close, position)


def nearer_first_path() -> IntrabarPath:
    """Return `nearer_first`: what a name in a run file makes."""
    return nearer_first


def pessimistic_path() -> IntrabarPath:
    """Return `pessimistic`: what a name in a run file makes."""
    return pessimistic


PATHS: dict[str, IntrabarPath] = {"nearer_first": nearer_first, "pessimistic": pessimistic}


def intrabar_path(path: str | Mapping[str, Any] | IntrabarPath) -> IntrabarPath:
    """Return the path model of that name, or of a table with ``use``; a function is returned as it is.

    Raises
    ------
    ParameterError
        For an unknown name.
    """
    if isinstance(path, dict):
        made: IntrabarPath = make_model("path", path, "path")
        return made
    if not isinstance(path, str):
        if not callable(path):
            raise ParameterError(f"path is {path!r}; give the name of an intrabar path, or a function.")
        return path
    if path not in PATHS:
        raise ParameterError(f"there is no intrabar path {path!r}.{did_you_mean(path, PATHS)}")
    return PATHS[path]
