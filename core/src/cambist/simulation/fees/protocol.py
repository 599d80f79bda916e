"""What the simulated venue asks of a fee scheme."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Fill, Liquidity, Order

__all__ = ["FeeModel", "OrderFeeModel"]


class FeeModel(Protocol):
    """Answers the fee of a fill, in the settlement asset; positive is paid, negative a rebate."""

    def fee(self, instrument: Instrument, size: float, price: float, liquidity: Liquidity) -> float:
        """Return the fee of `size` (positive) at `price`."""
        ...


@runtime_checkable
class OrderFeeModel(FeeModel, Protocol):
    """A scheme whose fee hangs on the order that trades, on the time, or on what was traded before.

    Its `fee` is the fee to expect of a new order of that size: the gate asks for it before the order leaves. What a
    fill costs is asked of `charge` instead.
    """

    def fresh(self) -> OrderFeeModel:
        """Return the scheme as a run begins with it: nothing traded yet. One without a memory returns itself."""
        ...

    def charge(self, order: Order, size: float, price: float, liquidity: Liquidity, ts: int) -> float:
        """Return the fee of a fill of `order` at `ts` (ns, UTC), and remember nothing: it may yet be refused.

        ``order.filled``, ``order.average_price`` and ``order.fees`` tell of its fills so far.
        """
        ...

    def traded(self, fill: Fill) -> None:
        """Take note of a fill that was made."""
        ...
