"""What a backtest asks of a simulated venue, or of what stands before one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sized

    from cambist.model.orders import ApprovedOrder, Order
    from cambist.simulation.reports import Reports

__all__ = ["BarVenue", "WorkingOrders"]


class WorkingOrders(Protocol):
    """Tells whether an instrument has orders, so that its bars must be matched."""

    @property
    def working(self) -> Sized:
        """The orders at work, or on their way."""
        ...

    @property
    def reach(self) -> tuple[float, float]:
        """Low and high that a bar must reach, one of them, to matter to the orders.

        A bar that does not may be left out, as long as `last_open` is set to its open time.
        """
        ...

    last_open: int


class BarVenue(Protocol):
    """A venue that is shown bars; see `cambist.simulation.matching.MatchingVenue` for what each call means."""

    @property
    def markets(self) -> Mapping[str, WorkingOrders]:
        """The orders of each instrument, by symbol."""
        ...

    @property
    def trades_at_close(self) -> bool:
        """Whether `mark_close` must be called with every bar, before strategies see it."""
        ...

    @property
    def matches_together(self) -> bool:
        """Whether `match_together` must be called after the last bar of an instant."""
        ...

    @property
    def keeps_guards(self) -> bool:
        """Whether it watches positions of its own accord, so that every bar must be matched."""
        ...

    def split(self, symbol: str, ratio: float, ts: int) -> None:
        """Give the working orders of an instrument the terms that are the same in new shares."""
        ...

    def know_orders(self, find: Callable[[int], Order | None]) -> None:
        """Take what answers an order of the account by its id, also one that works no longer."""
        ...

    def report_to(self, reports: Reports) -> None:
        """Say what happens to orders to somebody else."""
        ...

    def submit(self, approved: ApprovedOrder) -> None:
        """Take an order."""
        ...

    def cancel(self, order_id: int) -> None:
        """Withdraw what remains of an order."""
        ...

    def amend(self, order_id: int, size: float, limit_price: float, stop_price: float) -> None:
        """Give an order new terms."""
        ...

    def match(
        self,
        symbol: str,
        opened: int,
        closed: int,
        open_: float,
        high: float,
        low: float,
        close: float,
        volume: float,
    ) -> None:
        """Work the orders of one instrument against one bar."""
        ...

    def match_together(self) -> None:
        """Work the orders against every bar noted since the last call."""
        ...

    def mark_close(
        self,
        symbol: str,
        opened: int,
        closed: int,
        open_: float,
        high: float,
        low: float,
        close: float,
        volume: float,
    ) -> None:
        """Note a bar's close."""
        ...
