"""What the simulated venue asks of slippage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.simulation.bar import MatchedBar

__all__ = ["BarSlippageModel", "SlippageModel", "slip_in"]


@runtime_checkable
class SlippageModel(Protocol):
    """Answers the price of a market or stop fill; limit fills inside a bar never slip."""

    def slip(self, instrument: Instrument, price: float, size: float, is_buy: bool) -> float:
        """Return the price after slippage, against the trader."""
        ...


@runtime_checkable
class BarSlippageModel(Protocol):
    """The same for slippage that hangs on the bar in which the order trades: on its time, its volume, its range."""

    def slip_in(self, bar: MatchedBar, instrument: Instrument, price: float, size: float, is_buy: bool) -> float:
        """Return the price after slippage, against the trader.

        Parameters
        ----------
        bar
            The whole bar, also where the order trades at its open.
        instrument, price, is_buy
            What trades, at which price before slippage, which way.
        size
            The most that trades at it: what remains of the order, less what the bar's volume does not allow.
        """
        ...


def slip_in(
    model: SlippageModel | BarSlippageModel,
    bar: MatchedBar,
    instrument: Instrument,
    price: float,
    size: float,
    is_buy: bool,
) -> float:
    """Ask a model of either kind."""
    if isinstance(model, BarSlippageModel):
        return model.slip_in(bar, instrument, price, size, is_buy)
    return model.slip(instrument, price, size, is_buy)
