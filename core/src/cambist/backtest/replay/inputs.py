"""What a kernel took in, out of the records of a journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.engine import conversions as to
from cambist.engine.fold import REASONED
from cambist.model import events as event
from cambist.model.portfolio import CashFlow
from cambist.portfolio.margin_changes import carry_out

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.backtest.replay.commits import Commit
    from cambist.engine.records import CashEntry
    from cambist.model.events import Event
    from cambist.portfolio import Portfolio

__all__ = ["EVENTS", "INPUTS", "RecordedEntries", "cash_flow"]


def _reasoned(make: Callable[[int, int, str], Event]) -> Callable[[int, Any], Event]:
    return lambda ts, note: make(ts, note.order_id, note.reason)


def cash_flow(entry: CashEntry) -> CashFlow:
    """Return the movement of money that a record is of."""
    return CashFlow(entry.due, entry.kind, entry.symbol, entry.asset, float(entry.amount))


#: Kind of a record -> what makes the event, of its time and its fields.
EVENTS: dict[str, Callable[[int, Any], Event]] = {
    **{kind: _reasoned(make) for kind, make in REASONED.items()},
    "order_accepted": lambda ts, note: event.OrderAccepted(ts, note.order_id),
    "order_triggered": lambda ts, note: event.OrderTriggered(ts, note.order_id),
    "order_amended": lambda ts, terms: event.OrderAmended(
        ts, terms.order_id, to.float_of(terms.size), to.float_of(terms.limit_price), to.float_of(terms.stop_price)
    ),
    "stop_trailed": lambda ts, terms: event.StopTrailed(
        ts, terms.order_id, to.float_of(terms.stop_price), to.float_of(terms.limit_price)
    ),
    "timer_fired": lambda ts, timer: event.TimerFired(ts, timer.name, timer.due),
    "cash_moved": lambda ts, entry: event.CashMoved(ts, cash_flow(entry)),
    "dividend_paid": lambda ts, paid: event.DividendPaid(ts, paid.symbol, float(paid.amount)),
    "shares_split": lambda ts, split: event.SharesSplit(ts, split.symbol, float(split.ratio)),
    "run_stopped": lambda ts, ended: event.RunStopped(ts, ended.reason),
}
#: Kinds of records that a commit begins with where the journal tells what came in; others are what was made of it.
INPUTS = frozenset({*EVENTS, "instrument_defined", "order_filled", "order_adopted"})


class RecordedEntries:
    """Books, when the kernel's bookkeeper is to, what it booked then: funding, interest, transfers, planned margin.

    Implements `cambist.portfolio.entries.Entries`.

    Parameters
    ----------
    portfolio
        The account.
    opening
        The first commit, which sets the bookkeeper's timer.
    timer
        Its name.
    """

    def __init__(self, portfolio: Portfolio, opening: Commit, timer: str) -> None:
        self._portfolio, self._timer = portfolio, timer
        self.next_due = 0
        self.expect(opening)

    def expect(self, commit: Commit) -> None:
        """Take what is booked next, and when the time after that is due, of the commit that tells of it."""
        self._coming = commit
        self._following = next(one.due for one in commit.every("timer_set") if one.name == self._timer)

    def start(self, ts: int) -> None:  # noqa: ARG002 - whoever booked has looked
        """Begin."""
        self.next_due = self._following

    def book(self, now: int, instant: int) -> None:  # noqa: ARG002 - the records have the time
        """Book it."""
        for entry in self._coming.every("cash_moved"):
            self._portfolio.move_cash(cash_flow(entry), instant)
        for entry in self._coming.every("margin_changed"):
            carry_out(self._portfolio, to.margin_change_of(entry))  # type: ignore[arg-type]  # others have none
        self.next_due = self._following
