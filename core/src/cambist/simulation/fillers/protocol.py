"""What the simulated venue asks of a filler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from cambist.model.orders import Order
    from cambist.simulation.bar import MatchedBar

__all__ = ["BudgetFiller", "VolumeFiller"]


@runtime_checkable
class VolumeFiller(Protocol):
    """Answers how much of an order the market can take."""

    def room(self, order: Order, price: float, bar: MatchedBar) -> float:
        """Return the most of `order` that may trade at `price` in `bar`, in the instrument's units.

        ``bar.taken`` tells what our fills in it took so far. What is not above zero lets nothing trade; the order
        stays for the next bar. The venue rounds down to the instrument's step. Under ``rules="backtrader"`` a method
        ``compatible_room`` of the same arguments is asked instead where there is one.
        """
        ...


@runtime_checkable
class BudgetFiller(VolumeFiller, Protocol):
    """A filler that only bounds what all our fills in a bar take together; cheaper, since it is asked once a bar."""

    def budget(self, bar: MatchedBar) -> float:
        """Return what all our fills in `bar` may take together."""
        ...
