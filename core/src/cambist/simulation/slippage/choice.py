"""From what a user says to slippage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.errors import ParameterError
from cambist.simulation.catalog import make_model
from cambist.simulation.checks import is_number
from cambist.simulation.slippage.fixed import FixedSlippage
from cambist.simulation.slippage.percent import PercentSlippage
from cambist.simulation.slippage.protocol import BarSlippageModel, SlippageModel
from cambist.simulation.slippage.zero import NoSlippage

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["slippage_model"]


def slippage_model(
    slippage: float | str | Mapping[str, Any] | SlippageModel | BarSlippageModel | None,
) -> SlippageModel | BarSlippageModel:
    """Return the model that `slippage` means.

    Parameters
    ----------
    slippage
        A fraction of the price; None or 0 for none; a name, or a table with ``use`` and settings, of the catalog;
        ``{"rate": ...}`` or ``{"amount": ...}``; a model.

    Raises
    ------
    ParameterError
        For anything else.
    """
    if slippage is None:
        return NoSlippage()
    if is_number(slippage):
        return PercentSlippage(float(slippage)) if slippage else NoSlippage()
    if isinstance(slippage, dict) and "use" not in slippage:
        if set(slippage) not in ({"rate"}, {"amount"}):
            raise ParameterError(
                f"slippage is {slippage!r}; write {{'rate': ...}}, {{'amount': ...}}, or {{'use': NAME}} with the "
                "settings of that model."
            )
        return PercentSlippage(**slippage) if "rate" in slippage else FixedSlippage(**slippage)
    if isinstance(slippage, str | dict):
        made: SlippageModel | BarSlippageModel = make_model("slippage", slippage, "slippage")
        return made
    if isinstance(slippage, type) or not isinstance(slippage, SlippageModel | BarSlippageModel):
        raise ParameterError(
            f"slippage is {slippage!r}; give a fraction such as 0.0005, a name, a model with slip(...) or "
            "slip_in(...), or None."
        )
    return slippage
