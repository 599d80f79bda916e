"""Rejections by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.simulation.checks import check_amount
from cambist.simulation.latency.protocol import Request

if TYPE_CHECKING:
    from random import Random

    from cambist.model.orders import Order

__all__ = ["RandomRejection"]


@attrs.frozen
class RandomRejection:
    """A fraction of the requests is refused with the reason ``random_rejection``, to see what a strategy makes of it.

    Parameters
    ----------
    rate
        Of new orders: 0.02 is one in fifty.
    cancels, amends
        Of what is asked later.
    """

    rate: float
    cancels: float = 0.0
    amends: float = 0.0

    def __attrs_post_init__(self) -> None:
        for name in ("rate", "cancels", "amends"):
            meaning = "a fraction of the requests: 0.02 is one in fifty"
            check_amount("RandomRejection", name, getattr(self, name), meaning, least=0.0, most=1.0)

    def refusal(self, request: Request, order: Order, ts: int, chance: Random) -> str:  # noqa: ARG002
        """Return the reason for as many requests as the rate says."""
        rate = {Request.SUBMIT: self.rate, Request.CANCEL: self.cancels, Request.AMEND: self.amends}[request]
        return "random_rejection" if chance.random() < rate else ""
