"""The same order does not leave twice within a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.errors import ParameterError
from cambist.model.times import duration_ns
from cambist.ports.risk import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.ports.risk import RiskView

__all__ = ["DuplicateOrderRule"]


class DuplicateOrderRule:
    """Refuses an order like one that left within the last `window`: same strategy, instrument, side, size and terms.

    A loop that runs wild is stopped at its second order. One that only reduces a position counts, and is let through.

    Code: ``duplicate_order``.

    Parameters
    ----------
    window
        ``"2s"``, a ``timedelta``, or nanoseconds; an order leaves it when it is exactly that old.
    """

    name = "duplicate-order"

    def __init__(self, window: int | str | timedelta = "1s") -> None:
        self._given, self._window = window, duration_ns(window)
        if self._window <= 0:
            raise ParameterError(f"{self.name}: window is {window!r}; it must be longer than nothing, such as '1s'.")
        self._sent: dict[str, int] = {}

    def fresh(self) -> DuplicateOrderRule:
        """Return a rule with the same settings."""
        return type(self)(self._given)

    def concerns(self, instrument: Instrument) -> bool:  # noqa: ARG002 - any order can repeat itself
        """Every instrument."""
        return True

    def review(self, order: Order, view: RiskView) -> Refusal | None:
        """Look for its like, and remember it."""
        now = view.now()
        parts = order.strategy, order.instrument.symbol, order.side, order.type, order.size, order.limit_price
        like = "|".join(map(str, (*parts, order.stop_price, order.parent, order.oco)))
        before = self._sent.get(like)
        if before is not None and before > now - self._window and not order.reduce_only:
            return Refusal(
                "duplicate_order",
                f"the same {order.side} of {order.size} {order.instrument.symbol} left {(now - before) / 1e9:g} s ago; "
                "wait, or ask for both at once.",
            )
        self._sent = {one: ts for one, ts in self._sent.items() if ts > now - self._window}
        self._sent[like] = now
        return None

    def on_resume(self, scope: str) -> None:
        """Keep what is remembered: it is a matter of moments."""

    def save_state(self) -> dict[str, Any]:
        """Return when orders left."""
        return {"sent": dict(self._sent)}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `save_state` returned."""
        self._sent = dict(state["sent"])
