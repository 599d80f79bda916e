"""Latency around a mean."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import ParameterError
from cambist.simulation.durations import length_ns

if TYPE_CHECKING:
    from random import Random

    from cambist.simulation.latency.protocol import Request

__all__ = ["NormalLatency"]


@attrs.frozen
class NormalLatency:
    """A normal distribution, cut off on both sides.

    Parameters
    ----------
    mean, deviation
        Of the distribution before it is cut: ``"50ms"``, a ``timedelta``, or nanoseconds.
    least, most
        Where it is cut; None for `most` leaves the upper side whole.

    Notes
    -----
    Drawn by the inverse of the distribution function, one number of chance for each latency.
    """

    mean: Any
    deviation: Any
    least: Any = 0
    most: Any = None
    _shares: tuple[float, float] = attrs.field(init=False, repr=False, eq=False)
    _curve: NormalDist = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        name = "NormalLatency"
        for field in ("mean", "deviation", "least", "most"):
            said = getattr(self, field)
            if said is not None or field != "most":
                object.__setattr__(self, field, length_ns(name, field, said))
        if not self.deviation:
            raise ParameterError(f"{name}: deviation is 0; use ConstantLatency.")
        curve = NormalDist(self.mean, self.deviation)
        shares = (curve.cdf(self.least), 1.0 if self.most is None else curve.cdf(self.most))
        if not shares[0] < shares[1]:
            raise ParameterError(
                f"{name}: between least ({self.least:,} ns) and most there is nothing of a distribution around "
                f"{self.mean:,} ns; widen them."
            )
        object.__setattr__(self, "_curve", curve)
        object.__setattr__(self, "_shares", shares)

    def delay(self, request: Request, ts: int, chance: Random) -> int:  # noqa: ARG002
        """Return a length drawn from the distribution."""
        low, high = self._shares
        share = low + (high - low) * chance.random()
        drawn = self.least if share <= 0.0 else round(self._curve.inv_cdf(min(share, _BELOW_ONE)))
        return int(max(self.least, drawn if self.most is None else min(drawn, self.most)))


#: The largest share whose inverse is finite.
_BELOW_ONE = 1.0 - 2.0**-53
