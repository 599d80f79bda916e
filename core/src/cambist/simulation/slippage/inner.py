"""Models inside other models."""

from __future__ import annotations

from typing import Any

from cambist.errors import ParameterError
from cambist.simulation.slippage.backtrader import BacktraderSlippage

__all__ = ["inner_model"]


def inner_model(said: Any) -> Any:
    """Return the model that `said` means, to be asked by another one.

    Raises
    ------
    ParameterError
        If it is none, or one whose switches only a venue can follow.
    """
    from cambist.simulation.slippage.choice import slippage_model  # which knows those other models

    model = slippage_model(said)
    if isinstance(model, BacktraderSlippage):
        raise ParameterError(
            f"{model!r} cannot be part of another model: its switches are for the venue. Give it as slippage itself, "
            "or use PercentSlippage or FixedSlippage."
        )
    return model
