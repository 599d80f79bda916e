"""Slippage with the options that backtrader's broker has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.errors import ParameterError
from cambist.simulation.checks import check_amount
from cambist.simulation.slippage.ticks import adverse

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument

__all__ = ["BacktraderSlippage"]


@attrs.frozen(kw_only=True)
class BacktraderSlippage:
    """Percent or fixed slippage under ``rules="backtrader"``, with the switches of that broker.

    Parameters
    ----------
    perc
        A fraction of the price: 0.001 is 0.1 %. It wins over `fixed`.
    fixed
        An amount of money for each unit.
    slip_open
        Whether fills at the open of a bar slip, too. The setters of backtrader switch it on, its parameters leave it
        off.
    slip_match
        Whether a slipped price that leaves the bar becomes its extreme; else the order does not trade in that bar.
    slip_limit
        Whether a slipped limit becomes its cap even where `slip_match` is off.
    slip_out
        Whether the slipped price stands although it lies outside the bar.
    """

    perc: float = 0.0
    fixed: float = 0.0
    slip_open: bool = True
    slip_match: bool = True
    slip_limit: bool = True
    slip_out: bool = False

    def __attrs_post_init__(self) -> None:
        name = "BacktraderSlippage"
        check_amount(name, "perc", self.perc, "a fraction of the price below 1", least=0.0, most=0.999_999)
        check_amount(name, "fixed", self.fixed, "a price difference, not negative", least=0.0)
        for switch in ("slip_open", "slip_match", "slip_limit", "slip_out"):
            if not isinstance(getattr(self, switch), bool):
                raise ParameterError(f"{name}: {switch} is {getattr(self, switch)!r}; it is True or False.")

    def slip(self, instrument: Instrument, price: float, size: float, is_buy: bool) -> float:  # noqa: ARG002
        """Return the slipped price, wherever it lies."""
        if self.perc:
            return adverse(instrument, price * (1.0 + self.perc if is_buy else 1.0 - self.perc), is_buy)
        if self.fixed:
            return adverse(instrument, price + self.fixed if is_buy else price - self.fixed, is_buy)
        return price
