"""Slippage for each instrument."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cambist.simulation.by_symbol import models_by_symbol
from cambist.simulation.slippage.inner import inner_model
from cambist.simulation.slippage.protocol import slip_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist.model.instrument import Instrument
    from cambist.simulation.bar import MatchedBar

__all__ = ["SlippageBySymbol"]


def _by_symbol(said: Any) -> Mapping[str, Any]:
    return models_by_symbol("SlippageBySymbol", said, inner_model)


@attrs.frozen
class SlippageBySymbol:
    """Another model for each instrument, and one for those that are not named.

    Parameters
    ----------
    models
        By symbol, whatever the option ``slippage`` takes.
    default
        For the others.
    """

    models: Mapping[str, Any] = attrs.field(converter=_by_symbol)
    default: Any = attrs.field(default=None, converter=inner_model)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that are named."""
        return tuple(self.models)

    def slip_in(self, bar: MatchedBar, instrument: Instrument, price: float, size: float, is_buy: bool) -> float:
        """Return what the instrument's model says."""
        return slip_in(self.models.get(instrument.symbol, self.default), bar, instrument, price, size, is_buy)
