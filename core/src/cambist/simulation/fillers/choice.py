"""From what a user says to a filler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.errors import ParameterError
from cambist.simulation.catalog import make_model
from cambist.simulation.checks import is_number
from cambist.simulation.fillers.function import FunctionFiller
from cambist.simulation.fillers.percent import PercentFiller
from cambist.simulation.fillers.protocol import VolumeFiller

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["volume_filler"]


def volume_filler(
    limit: float | str | Mapping[str, Any] | VolumeFiller | Callable[..., float] | None,
) -> VolumeFiller | None:
    """Return the filler that `limit` means, or None for no limit.

    Parameters
    ----------
    limit
        A fraction of each bar's volume; None; a name, or a table with ``use`` and settings, of the catalog; a function
        ``(order, price, bar) -> size``; a filler.

    Raises
    ------
    ParameterError
        For anything else.
    """
    if limit is None:
        return None
    if is_number(limit):
        return PercentFiller(limit)
    if isinstance(limit, str | dict):
        made: VolumeFiller = make_model("filler", limit, "volume_limit")
        return made
    if not isinstance(limit, type):
        if isinstance(limit, VolumeFiller):
            return limit
        if callable(limit):
            return FunctionFiller(limit)
    raise ParameterError(
        f"volume_limit is {limit!r}; give a fraction of each bar's volume such as 0.1, a name, a filler with "
        "room(...), a function (order, price, bar) -> size, or None."
    )
