"""From what a user says to a fee scheme."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.errors import ParameterError
from cambist.simulation.catalog import make_model
from cambist.simulation.checks import is_number
from cambist.simulation.fees.declared import InstrumentFees
from cambist.simulation.fees.fixed import FixedFee
from cambist.simulation.fees.free import NoFee
from cambist.simulation.fees.maker_taker import MakerTakerFee
from cambist.simulation.fees.percent import PercentFee

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist.simulation.fees.protocol import FeeModel

__all__ = ["fee_model"]


def fee_model(fees: float | str | Mapping[str, Any] | FeeModel | None) -> FeeModel:
    """Return the scheme that `fees` means.

    Parameters
    ----------
    fees
        A fraction of the value traded; None or ``"instrument"`` for each instrument's own rates; a name, or a table
        with ``use`` and settings, of the catalog; ``{"maker": ..., "taker": ...}`` or ``{"per_unit": ...,
        "per_fill": ...}``; a model.

    Raises
    ------
    ParameterError
        For anything else.
    """
    if fees is None:
        return InstrumentFees()
    if is_number(fees):
        return PercentFee(float(fees)) if fees else NoFee()
    if isinstance(fees, dict) and "use" not in fees:
        short = MakerTakerFee if {"maker", "taker"} & set(fees) else FixedFee
        try:
            return short(**fees)
        except TypeError:
            raise ParameterError(
                f"fees is {fees!r}; write {{'maker': ..., 'taker': ...}}, {{'per_unit': ..., 'per_fill': ...}}, or "
                "{'use': NAME} with the settings of that scheme."
            ) from None
    if isinstance(fees, str | dict):
        made: FeeModel = make_model("fee", fees, "fees")
        return made
    if isinstance(fees, type) or not callable(getattr(fees, "fee", None)):
        raise ParameterError(
            f"fees is {fees!r}; give a fraction such as 0.001, a name such as 'instrument', a model with fee(...), "
            "or None."
        )
    return fees  # type: ignore[return-value]
