"""What a run that lasts need not keep in memory: all of it is in the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.portfolio.forgetting import forget_history

if TYPE_CHECKING:
    from cambist.engine.journaled import Journaling

__all__ = ["Memory"]

#: Shares of strategies are brought up to date every so many fills, so that it never takes long.
_FILLS = 512


class Memory:
    """Forgets the oldest of what a kernel has collected, now and then.

    What is still needed stays: open orders; at least `keep` ended ones, by which late and repeated fills are known, and
    which a restart brings back too; what each strategy holds; and as many closed trades for those who look at them.

    Parameters
    ----------
    kernel
        Of a live run, between two steps.
    keep
        How many ended orders, closed trades, movements of money, signals and changes of trading states stay at least;
        up to twice as many do.
    """

    def __init__(self, kernel: Journaling, keep: int) -> None:
        self._kernel, self._keep = kernel, keep
        self._shared = 0

    def tidy(self) -> None:
        """Forget what is due."""
        kernel, most = self._kernel, 2 * self._keep
        fills = len(kernel.fills)
        if not self._shared <= fills < self._shared + _FILLS:
            kernel.shares.up_to_date()
            self._shared = fills
        book = kernel.book
        if len(book.orders) - len(book.open) > most:
            self._forget_orders()
        if max(len(kernel.signals), len(book.anomalies), len(kernel.trading.changes)) > most:
            self._forget_notes()
        if len(kernel.portfolio.cash_flows) > most:
            self._forget_money()

    def _forget_orders(self) -> None:
        kernel = self._kernel
        shares = kernel.shares.up_to_date()
        gone = kernel.book.retire(self._keep)
        kernel.fills[:] = [fill for fill in kernel.fills if fill.order_id not in gone]
        kernel.splits.clear()
        shares.forget(len(kernel.fills), 1)
        self._shared = len(kernel.fills)
        self._forget_money()

    def _forget_money(self) -> None:
        kernel = self._kernel
        kernel.monitors.forgotten(forget_history(kernel.portfolio, kernel.accounts, self._keep))

    def _forget_notes(self) -> None:
        kernel, keep = self._kernel, self._keep
        signals, anomalies = kernel.signals, kernel.book.anomalies
        gone = max(0, len(signals) - keep), max(0, len(anomalies) - keep)
        kernel.recorder.forgotten(*gone)
        del signals[: gone[0]], anomalies[: gone[1]]
        del kernel.trading.changes[:-keep]
