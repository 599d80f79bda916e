"""Latency with a long tail."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import ParameterError
from cambist.simulation.checks import check_amount
from cambist.simulation.durations import length_ns

if TYPE_CHECKING:
    from random import Random

    from cambist.simulation.latency.protocol import Request

__all__ = ["LognormalLatency"]


@attrs.frozen
class LognormalLatency:
    """A lognormal distribution, the usual shape of a network's latencies: half are below the median, a few far above.

    Parameters
    ----------
    median
        ``"50ms"``, a ``timedelta``, or nanoseconds.
    sigma
        Deviation of the latency's logarithm: with 0.5 one in forty takes 2.7 times the median or longer.
    most
        Longest latency; None for no bound.
    """

    median: Any
    sigma: float = 0.5
    most: Any = None

    def __attrs_post_init__(self) -> None:
        name = "LognormalLatency"
        object.__setattr__(self, "median", length_ns(name, "median", self.median))
        if not self.median:
            raise ParameterError(f"{name}: median is 0; leave latency out.")
        check_amount(name, "sigma", self.sigma, "a number from 0 to 10", least=0.0, most=10.0)
        if self.most is not None:
            object.__setattr__(self, "most", length_ns(name, "most", self.most))

    def delay(self, request: Request, ts: int, chance: Random) -> int:  # noqa: ARG002
        """Return a length drawn from the distribution."""
        drawn = round(chance.lognormvariate(log(self.median), self.sigma))
        return drawn if self.most is None else min(drawn, int(self.most))
