"""What can be paid for at a spot market, which lends nothing and takes the fee of what is bought out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cambist.errors import ParameterError
from cambist.model.instrument import InstrumentKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cambist.model.instrument import Instrument
    from cambist.simulation.matching import VenueAccount

__all__ = ["SpotFunds", "check_spot"]

#: More to sell than there is by no more than this fraction is float noise.
_NOISE: Final = 1e-9


class SpotFunds:
    """Answers what an account lacks for a fill.

    Parameters
    ----------
    account
        That trades.
    """

    def __init__(self, account: VenueAccount) -> None:
        self._account = account

    def missing(self, instrument: Instrument, signed: float, price: float, fee: float) -> float:
        """Return the money that would be missing after a fill, or what is to be sold and not there is worth; else 0.0.

        The parameters are those of `VenueAccount.missing_funds`.
        """
        if signed > 0.0:
            fee = min(fee, 0.0)  # a rebate comes in money
        else:
            lacking = -signed - max(0.0, self._account.positions[instrument.symbol].size)
            if lacking > _NOISE * -signed:
                return instrument.notional(lacking, price)
        return self._account.missing_funds(instrument, signed, price, fee)

    def reducible(self, instrument: Instrument, size: float) -> float:
        """Return how much of a position can be sold: what its fee left of a step stays."""
        return instrument.round_size(size)


def check_spot(instruments: Iterable[Instrument], options: Mapping[str, bool]) -> None:
    """Refuse what a spot market that takes fees in kind does not have.

    Parameters
    ----------
    instruments
        That are traded.
    options
        By the name of each such option, whether it is given.

    Raises
    ------
    ParameterError
        If one is, or an instrument has no asset that could be bought.
    """
    for name, is_given in options.items():
        if is_given:
            raise ParameterError(
                f"fees are FeeInKind, as at a spot exchange, and {name} is given, which that does not have. Leave one "
                "of them out."
            )
    for one in instruments:
        if one.kind is not InstrumentKind.SPOT or not one.base:
            raise ParameterError(
                f"fees are FeeInKind, and {one.symbol} ({one.kind}) buys no asset that could pay them. Name another "
                "scheme, or its kind and its base."
            )
