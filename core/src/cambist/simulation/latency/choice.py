"""From what a user says to a latency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.errors import ParameterError
from cambist.simulation.catalog import make_model
from cambist.simulation.durations import is_duration
from cambist.simulation.latency.constant import ConstantLatency
from cambist.simulation.latency.protocol import LatencyModel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

__all__ = ["latency_model"]


def latency_model(
    latency: str | int | timedelta | Mapping[str, Any] | LatencyModel | None,
) -> LatencyModel | None:
    """Return the model that `latency` means, or None where requests arrive at once.

    Parameters
    ----------
    latency
        A length of time: ``"50ms"``, a ``timedelta``, integer nanoseconds; a table with ``use`` and settings of the
        catalog; a model; None.

    Raises
    ------
    ParameterError
        For anything else.
    """
    if latency is None:
        return None
    if is_duration(latency):
        return ConstantLatency(latency)
    if isinstance(latency, str | dict):
        made: LatencyModel = make_model("latency", latency, "latency")
        return made
    if isinstance(latency, type) or not isinstance(latency, LatencyModel):
        raise ParameterError(
            f"latency is {latency!r}; give a length of time such as '50ms', a table such as "
            "{'use': 'uniform', 'least': '20ms', 'most': '80ms'}, a model with delay(...), or None."
        )
    return latency
