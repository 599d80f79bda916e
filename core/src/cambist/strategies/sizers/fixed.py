"""Always the same size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.strategies.sizers.checks import check_number, check_whole

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Side
    from cambist.strategies.desk import TradingDesk

__all__ = ["FixedSize"]


@attrs.frozen
class FixedSize:
    """Always the same size, whether the account can pay for it or not: what it cannot, the risk gate refuses.

    Parameters
    ----------
    units
        In units of the instrument.
    tranches
        In how many equal parts it is traded: each order is for ``units / tranches``.
    """

    units: float = 1.0
    tranches: int = 1

    def __attrs_post_init__(self) -> None:
        check_number(self, "units", "it must be above zero.")
        check_whole(self, "tranches", "it counts orders, at least 1.")

    def size(self, desk: TradingDesk, instrument: Instrument, side: Side, price: float) -> float:  # noqa: ARG002
        """Return one part of `units`, on the instrument's step."""
        return self.units if self.tranches == 1 else instrument.round_size(self.units / self.tranches)
