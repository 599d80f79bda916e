"""Not too many orders leave within a while."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from cambist.errors import ParameterError
from cambist.model.times import duration_ns
from cambist.model.trading_state import scope_of
from cambist.ports.risk import Refusal
from cambist.risk.trips import STATES, Trip, at_least_one, one_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.ports.risk import RiskView

__all__ = ["MaxOrderRateRule"]


class MaxOrderRateRule:
    """Refuses an order where `limit` orders left within the last `window`, and may halt trading because of it.

    New terms of an order count as an order. One that only makes a position smaller counts, and is let through. What a
    rule behind this one refuses has been counted.

    Code: ``order_rate_above_limit``.

    Parameters
    ----------
    limit
        Orders within the window.
    window
        ``"1m"``, a ``timedelta``, or nanoseconds; an order leaves it when it is exactly that old.
    per
        What is counted by itself, and halted: ``"run"`` (everything), ``"strategy"`` or ``"symbol"``.
    then
        ``"refuse"`` that order alone; or ``"halt"``, or ``"reduce"`` (only orders that make a position smaller pass),
        until an operator resumes. The count begins anew then.
    orders
        What becomes of the orders at work then, see `cambist.model.WorkingOrders`.
    """

    name = "max-order-rate"

    def __init__(
        self,
        limit: int,
        window: int | str | timedelta = "1m",
        per: str = "run",
        then: str = "refuse",
        orders: str = "cancel_opening",
    ) -> None:
        self._settings = (limit, window, per, then, orders)
        self.limit, self._window = at_least_one(self.name, "limit", limit), duration_ns(window)
        if self._window <= 0:
            raise ParameterError(f"{self.name}: window is {window!r}; it must be longer than nothing, such as '1m'.")
        self._per = one_of(self.name, "per", per, ["run", "strategy", "symbol"])
        one_of(self.name, "then", then, ["refuse", *STATES])
        self._trip = Trip.read(self.name, "halt" if then == "refuse" else then, orders)
        self._only_refuses = then == "refuse"
        self._sent: dict[str, deque[int]] = {}

    def fresh(self) -> MaxOrderRateRule:
        """Return a rule with the same settings."""
        return type(self)(*self._settings)

    def concerns(self, instrument: Instrument) -> bool:  # noqa: ARG002 - any order counts
        """Every instrument."""
        return True

    def review(self, order: Order, view: RiskView) -> Refusal | None:
        """Count what left within the window, and this order."""
        scope, now = self._scope(order), view.now()
        sent = self._sent.get(scope)
        if sent is None:
            sent = self._sent[scope] = deque(maxlen=self.limit)
        if len(sent) == self.limit and sent[0] > now - self._window and not _reduces(order, view):
            return self._refuse(scope)
        sent.append(now)
        return None

    def _scope(self, order: Order) -> str:
        if self._per == "run":
            return ""
        return scope_of(self._per, order.strategy if self._per == "strategy" else order.instrument.symbol)

    def _refuse(self, scope: str) -> Refusal:
        seconds = self._window / 1e9
        found = f"{self.limit} orders of {scope or 'the run'} left within the last {seconds:g} s, and that is the limit"
        request = None if self._only_refuses else self._trip.request(scope, found)
        return Refusal("order_rate_above_limit", f"{found}; wait, or send fewer.", request)

    def on_resume(self, scope: str) -> None:
        """Count anew."""
        self._sent.pop(scope, None)

    def save_state(self) -> dict[str, Any]:
        """Return when the last orders of each scope left."""
        return {"sent": {scope: list(sent) for scope, sent in self._sent.items()}}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `save_state` returned."""
        self._sent = {scope: deque(sent, maxlen=self.limit) for scope, sent in state["sent"].items()}


def _reduces(order: Order, view: RiskView) -> bool:
    return order.reduce_only or order.size <= view.reducible_size(order)
