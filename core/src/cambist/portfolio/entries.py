"""What moves money without a fill, at times that are known beforehand: funding, interest, deposits and withdrawals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from cambist.model.legs import side_in
from cambist.model.portfolio import CashFlow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from cambist.portfolio.portfolio import Portfolio

__all__ = ["NEVER", "Bookkeeper", "Entries", "Funding", "Transfers"]

#: Later than any bar.
NEVER = 2**63 - 1


class Entries(Protocol):
    """One source of entries.

    Attributes
    ----------
    next_due
        When its next one is due, ns; `NEVER` when there is none.
    """

    next_due: int

    def start(self, ts: int) -> None:
        """Begin at `ts`, before the first bar: what was due earlier is no concern of this run."""

    def book(self, now: int, instant: int) -> None:
        """Book what is due at `next_due`, and set that anew.

        Parameters
        ----------
        now, instant
            Time, ns, and number of the instant at whose end it is booked; not before `next_due`.
        """


class Bookkeeper:
    """Books entries when they are due; the kernel asks for it by a timer.

    Parameters
    ----------
    entries
        Sources; of those due at one time the first comes first.
    """

    def __init__(self, entries: Sequence[Entries]) -> None:
        self._entries = entries

    def start(self, ts: int) -> None:
        """Begin a run whose first bar opens at `ts`."""
        for entries in self._entries:
            entries.start(ts)

    @property
    def next_due(self) -> int:
        """When the next entry is due, ns."""
        return min((entries.next_due for entries in self._entries), default=NEVER)

    def book(self, now: int, instant: int) -> None:
        """Book all that is due at `now`, in the order of time."""
        while (due := self.next_due) <= now:
            for entries in self._entries:
                if entries.next_due == due:
                    entries.book(now, instant)


class Funding:
    """Funding payments of one position in a perpetual.

    Parameters
    ----------
    portfolio, key
        The account, and which of its `legs` pays.
    times, rates
        When funding is exchanged, int64 ns UTC, and the rates, float64, shape ``(n,)`` each.
    marks
        Mark prices at those times, shape ``(n,)``, or None.
    mark_at
        Answers the mark price at a time, where there are none.

    Notes
    -----
    A position pays ``notional at the mark price * rate``: at a positive rate longs pay and shorts receive, at a
    negative one the other way round (Bybit, "Funding Fee Calculation"; for the notional of inverse contracts Bitget,
    "Funding cost calculation"). Whoever holds nothing at that time pays nothing.
    """

    def __init__(
        self,
        portfolio: Portfolio,
        key: str,
        times: NDArray[np.int64],
        rates: NDArray[np.float64],
        marks: NDArray[np.float64] | None,
        mark_at: Callable[[int], float],
    ) -> None:
        self._portfolio = portfolio
        self._position = portfolio.legs[key]
        self._side = str(side_in(key, self._position.instrument.symbol) or "")
        self._times, self._rates, self._marks, self._mark_at = times, rates, marks, mark_at
        self._row = 0
        self.next_due = int(times[0])

    def start(self, ts: int) -> None:
        """Leave out what was exchanged before the run."""
        self._go_to(int(self._times.searchsorted(ts, side="right")))

    def book(self, now: int, instant: int) -> None:  # noqa: ARG002 - the entry carries the time of the exchange
        """Exchange funding on what is held."""
        row, position = self._row, self._position
        if position.size:
            price = self._mark_at(self.next_due) if self._marks is None else float(self._marks[row])
            instrument = position.instrument
            paid = instrument.notional(position.size, price) * float(self._rates[row])
            flow = CashFlow(self.next_due, "funding", instrument.symbol, instrument.settle, -paid, "", self._side)
            self._portfolio.move_cash(flow, instant)
        self._go_to(row + 1)

    def _go_to(self, row: int) -> None:
        self._row = row
        self.next_due = int(self._times[row]) if row < len(self._times) else NEVER


class Transfers:
    """Deposits and withdrawals on dates.

    Parameters
    ----------
    planned
        ``(time, amount)``, in the order of time; a negative amount is taken out.
    """

    def __init__(self, portfolio: Portfolio, planned: Sequence[tuple[int, float]]) -> None:
        self._portfolio = portfolio
        self._planned = list(planned)
        self.next_due = NEVER

    def start(self, ts: int) -> None:  # noqa: ARG002 - whoever made the plan has looked
        """Begin with the first."""
        self._go_on()

    def book(self, now: int, instant: int) -> None:
        """Move the money, or refuse where less is free."""
        _, amount = self._planned.pop(0)
        flow = self._portfolio.transfer(now, amount)
        if not flow.reason:
            self._portfolio.move_cash(flow, instant)
        self._go_on()

    @property
    def left(self) -> list[tuple[int, float]]:
        """What has not come to its time."""
        return self._planned

    def _go_on(self) -> None:
        self.next_due = self._planned[0][0] if self._planned else NEVER
