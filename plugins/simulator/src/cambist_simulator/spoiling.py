"""Requests that end without a usable answer, as `cambist.testing.SessionTests` asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.api import ParameterError, did_you_mean

if TYPE_CHECKING:
    from cambist_simulator.venue.simulator import ExchangeSimulator

__all__ = ["spoil_order"]

#: What the suite calls it, and the fault with its settings.
_FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "timeout": ("timeout", {}),
    "cut": ("reset", {}),
    "server_error": ("http_error", {"status": 503}),
    "garbled": ("not_json", {}),
    "rate_limit": ("rate_limit", {"retry_after": 1}),
}


def spoil_order(simulator: ExchangeSimulator, how: str, *, arrived: bool) -> None:
    """Let the next order that is sent end without a usable answer; for ``spoil`` of `cambist.testing.SessionTests`.

    Parameters
    ----------
    simulator
        The exchange.
    how
        ``"timeout"``, ``"cut"``, ``"server_error"``, ``"garbled"``, or ``"rate_limit"``: it was too much, and refused.
    arrived
        Whether the venue takes the order all the same.

    Raises
    ------
    ParameterError
        There is no such way.
    """
    if how not in _FAULTS:
        raise ParameterError(f"an order cannot be spoilt by {how!r}.{did_you_mean(how, _FAULTS)}")
    fault, settings = _FAULTS[how]
    stage = {} if how == "rate_limit" else {"stage": "after" if arrived else "before"}
    simulator.add_fault(fault, label="order.place", nth=1, **settings, **stage)
