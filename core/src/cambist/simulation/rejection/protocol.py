"""What a gateway asks of rejections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from random import Random

    from cambist.model.orders import Order
    from cambist.simulation.latency.protocol import Request

__all__ = ["RejectionModel"]


@runtime_checkable
class RejectionModel(Protocol):
    """Answers whether the venue refuses a request before it looks at it."""

    def refusal(self, request: Request, order: Order, ts: int, chance: Random) -> str:
        """Return the reason, or ``""`` to let the request pass.

        Parameters
        ----------
        request, order
            What is asked, and of which order.
        ts
            When it was sent, ns, UTC.
        chance
            The only source of chance; its seed is the run's.
        """
        ...
