"""What a kernel took in, out of the records of a journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.engine import conversions as to
from cambist.engine.adoption import Adopter
from cambist.engine.codec import CODEC
from cambist.engine.fold import REASONED
from cambist.engine.step import BOOKKEEPING
from cambist.errors import RecordError
from cambist.model import events as event
from cambist.model.legs import leg_key
from cambist.portfolio import Bookkeeper, MarginPortfolio, MultiAssetMarginPortfolio
from cambist.portfolio.margin import LIQUIDATED
from cambist.portfolio.margin_changes import carry_out

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.backtest.replay.commits import Commit
    from cambist.engine.records import FillEntry
    from cambist.engine.step import Kernel
    from cambist.model.events import Event
    from cambist.model.orders import Fill, Order
    from cambist.ports.journal import JournalEntry

__all__ = ["ASIDE", "INPUTS", "JournalledEvents", "RecordedEntries"]


def _reasoned(make: Callable[[int, int, str], Event]) -> Callable[[int, Any], Event]:
    return lambda ts, note: make(ts, note.order_id, note.reason)


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
    "cash_moved": lambda ts, entry: event.CashMoved(ts, to.cash_flow_of(entry)),
    "dividend_paid": lambda ts, paid: event.DividendPaid(ts, paid.symbol, float(paid.amount)),
    "shares_split": lambda ts, split: event.SharesSplit(ts, split.symbol, float(split.ratio)),
    "operator_command": lambda ts, said: event.OperatorCommand(ts, said.name, said.arguments, said.by),
    "run_stopped": lambda ts, ended: event.RunStopped(ts, ended.reason),
}
#: Kinds of records that a commit begins with where the journal tells what came in; others are what was made of it.
INPUTS = frozenset({*EVENTS, "instrument_defined", "order_filled", "order_adopted"})
#: Kinds of records that stand beside the steps: no kernel took them in or wanted them.
ASIDE = frozenset({"account_valued", "alert_raised", "notification_sent", "order_resent", "orders_entrusted"})


class JournalledEvents:
    """Makes the events that a journal tells of, and has around the kernel what was around it then.

    Parameters
    ----------
    kernel
        That is to take them in.
    opening
        The first commit of the journal.
    traded
        Takes note of each fill, after the name of the strategy whose it is.
    """

    def __init__(self, kernel: Kernel, opening: Commit, traded: Callable[[str, Fill], None]) -> None:
        self._kernel, self._traded = kernel, traded
        self._entries: RecordedEntries | None = None
        self._by_venue = any(one.by_venue for one in opening.every("account_opened"))
        if any(one.name == BOOKKEEPING for one in opening.every("timer_set")):
            self._entries = RecordedEntries(kernel, opening)
            kernel.bookkeeper = Bookkeeper([self._entries])

    def event_of(self, commit: Commit) -> Event:
        """Return the event that a commit begins with.

        Raises
        ------
        RecordError
            If it does not fit what came before.
        """
        entry, kernel = commit.first, self._kernel
        fields = CODEC.decode(entry)
        kernel.instant = getattr(fields, "instant", kernel.instant)
        if entry.kind == "instrument_defined":
            began = commit.only("run_started")
            return event.RunStarted(entry.ts, began.token, began.seed)
        if entry.kind == "order_filled":
            return self._filled(entry, fields)
        if entry.kind == "timer_fired" and fields.name == BOOKKEEPING and self._entries is not None:
            self._entries.expect(commit)
            kernel.instant = next((one.instant for one in commit.every("cash_moved")), kernel.instant)
        return EVENTS[entry.kind](entry.ts, fields)

    def _filled(self, entry: JournalEntry, filled: FillEntry) -> event.OrderFilled:
        """Return the event of an execution, the account told beforehand why the venue made it."""
        kernel = self._kernel
        order = kernel.book.find(filled.order_id)
        if order is None:
            raise RecordError(
                f"this is a fill of order {filled.order_id}, which nobody sent",
                code="does_not_fit",
                sequence=entry.sequence,
                remedy="Run cambist journal verify; if the journal is whole, report this as a fault.",
            )
        fill = to.fill_of(filled, order)
        if self._by_venue:
            fill.report_as(to.exact_fill_of(filled, order.instrument.settle))
        account = kernel.accounts[kernel.owners[order.strategy]]
        if filled.closed_by and isinstance(account, MarginPortfolio | MultiAssetMarginPortfolio):
            key = leg_key(order.instrument.symbol, order.position_side)
            if filled.closed_by == LIQUIDATED:
                account.note_liquidation(key, fill.size, fill.ts, fill.price, fill.fee, to.float_of(filled.mark))
            else:
                account.note_closing(key, filled.closed_by)
        self._traded(order.strategy, fill)
        return event.OrderFilled(entry.ts, order.id, fill)

    def adopt(self, commit: Commit) -> Order:
        """Put the order into the book that the venue sent by itself."""
        terms = commit.only("order_adopted")
        instrument = self._kernel.portfolio.positions[terms.symbol].instrument
        order = to.order_of(terms, instrument)
        return Adopter(self._kernel, self._kernel.owners[order.strategy])(
            instrument,
            order.side,
            order.size,
            order.tag,
            commit.first.ts,
            "" if order.by_venue else order.strategy,
            reduce_only=order.reduce_only,
            position_side=order.position_side,
        )


class RecordedEntries:
    """Books, when the kernel's bookkeeper is to, what it booked then: funding, interest, transfers, planned margin.

    Implements `cambist.portfolio.entries.Entries`.

    Parameters
    ----------
    kernel
        Whose accounts.
    opening
        The first commit, which sets the bookkeeper's timer.
    """

    def __init__(self, kernel: Kernel, opening: Commit) -> None:
        self._kernel = kernel
        self.next_due = 0
        self.expect(opening)

    def expect(self, commit: Commit) -> None:
        """Take what is booked next, and when the time after that is due, of the commit that tells of it."""
        self._coming = commit
        self._following = next(one.due for one in commit.every("timer_set") if one.name == BOOKKEEPING)

    def start(self, ts: int) -> None:  # noqa: ARG002 - whoever booked has looked
        """Begin."""
        self.next_due = self._following

    def book(self, now: int, instant: int) -> None:  # noqa: ARG002 - the records have the time
        """Book it."""
        for entry in self._coming.every("cash_moved"):
            self._kernel.portfolio.move_cash(to.cash_flow_of(entry), instant)
        for entry in self._coming.every("margin_changed"):
            books = self._kernel.accounts[entry.account]
            pocket = books.pocket(books.positions[entry.symbol].instrument.settle)
            carry_out(pocket, to.margin_change_of(entry))  # type: ignore[arg-type]  # no other has margin
        self.next_due = self._following
