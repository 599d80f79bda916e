"""What answers, reports and silence say of orders, and the events and questions that follow.

Evidence alone moves an order: an answer, a report, an execution, or the proven absence of all of them. An order of
which nothing is heard is asked about by its client id; it is never sent again.
"""

from __future__ import annotations

from math import isnan, nan
from typing import TYPE_CHECKING

import msgspec

from cambist.live.fills import fill_of, same_size
from cambist.live.overfills import bookable, part_of
from cambist.live.requests import Cancel, FetchFills, Find
from cambist.model.events import (
    AmendRejected,
    CancelRejected,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderNotFound,
    OrderRejected,
    OrderTriggered,
    OutcomeUnknown,
    StopTrailed,
)
from cambist.model.orders import AT_MARKET, TRAILING, OrderStatus
from cambist.model.reports import ReportedStatus
from cambist.orders.times import last_moment
from cambist.ports.venue import Answered, Declined, OrderKey

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.live.replacing import Replacing
    from cambist.live.requests import Amend, Submit
    from cambist.live.resending import Resending
    from cambist.live.watched import Outlets, Register, Watched
    from cambist.model.orders import Order
    from cambist.model.reports import FillReport, OrderReport
    from cambist.ports.venue import Outcome, VenueTerms

__all__ = ["Answers", "Evidence"]

_S = OrderStatus
_ENDS = {
    ReportedStatus.CANCELED: OrderCanceled,
    ReportedStatus.EXPIRED: OrderExpired,
    ReportedStatus.REJECTED: OrderRejected,
}
#: States in which an order waits for a word of its venue.
_WAITING = frozenset({_S.SUBMITTED, _S.PENDING_CANCEL, _S.PENDING_REPLACE, _S.UNKNOWN})
#: How often a venue has to say that it has no such order.
_PROOFS = 2
#: How often a cancel is sent again where the order works on.
_CANCELS = 5


class Evidence:
    """Takes what the venue reports of orders by itself.

    Parameters
    ----------
    register
        The orders that are watched.
    terms
        Of the venue.
    out
        Where events, questions and alarms go.
    filled, ended
        Told of each order that something of has traded, or that works no longer: others may hang on it.
    value_of
        See `fill_of`.
    replacing
        Carries replacements through.
    """

    def __init__(
        self,
        register: Register,
        terms: VenueTerms,
        out: Outlets,
        *,
        filled: Callable[[Order, int], None],
        ended: Callable[[Order, int], None],
        value_of: Callable[[str, float], float],
        replacing: Replacing,
    ) -> None:
        self._register, self._terms, self._out = register, terms, out
        self._filled, self._ended, self._value_of = filled, ended, value_of
        self._replacing = replacing
        replacing.evidence = self

    def reported(self, report: OrderReport, now: int) -> None:
        """Take word of how an order stands, whoever it came from."""
        watched = self._register.of(report)
        if watched is None:
            self._unwatched(report, now)
            return
        if not self._register.is_current(watched, report):
            return  # it has ended, and another stands in its place
        report = watched.whole(report)
        self._register.learn(watched, report.venue_id)
        order = watched.order
        if report.filled > report.size and not same_size(order, float(report.filled), float(report.size)):
            report = bookable(watched, report, self._terms, self._out)
        if report.ts < watched.told_at and not report.status.ended:
            return  # older than what is known
        watched.told_at = report.ts
        if report.status.ended:
            self._over(watched, report, now)
            return
        filled = float(report.filled)
        if filled < order.filled and not same_size(order, filled, order.filled):
            return  # older than what is known
        if report.status is ReportedStatus.TRIGGERED and not order.triggered:
            self._out.deliver(OrderTriggered(now, order.id))
        self.accept(watched, now)
        self._compare(watched, report, now)
        self._replacing.confirmed(watched, now)
        if not same_size(order, filled, order.filled):
            watched.check_at = now + self._terms.confirm_within  # its executions are on their way, or were lost

    def _over(self, watched: Watched, report: OrderReport, now: int) -> None:
        """Take word that an order works no longer."""
        order = watched.order
        self._compare(watched, report, now)
        if watched.replacement is not None and watched.replacement.bare_since is not None:
            self._replacing.confirmed(watched, now)
        if watched.replacement is None or report.status is not ReportedStatus.CANCELED:
            watched.replacement = watched.wanted = None
            if order.status is _S.PENDING_REPLACE:
                self._out.deliver(AmendRejected(now, order.id, "not_amended"))
        if watched.ended is None:
            watched.ended_at = now
        watched.ended = report
        if not self._conclude(watched, now):
            watched.check_at = now + self._terms.confirm_within
            self.fetch(watched)

    def executed(self, report: FillReport, now: int) -> None:
        """Take word of an execution."""
        watched = self._register.of(report)
        if watched is None:
            self._executed_late(report, now)
            return
        if self._register.is_current(watched, report):
            self._register.learn(watched, report.venue_id)
        order = watched.order
        fill = fill_of(order, report, self._value_of)
        if self._register.knows(fill):
            self._out.deliver(OrderFilled(now, order.id, fill))  # the book compares the two
            return
        before, after = order.filled, order.filled + float(report.size)
        size = order.size
        completes, exceeds = same_size(order, after, size), after > size and not same_size(order, after, size)
        amending = watched.wanted is not None or order.status is _S.PENDING_REPLACE
        if exceeds and watched.capped:
            report = part_of(report, order)
            if not report.size:
                return
        elif order.is_open and (exceeds or (completes and amending)):
            # Its size may have been changed. How the order stands tells, and then its executions are fetched.
            self.find(watched)
            return
        self._out.deliver(OrderFilled(now, order.id, fill_of(order, report, self._value_of)))
        if order.filled != before:
            self._filled(order, now)
        if watched.ended is not None:
            self._conclude(watched, now)
        elif not order.is_open:
            self.forget(watched, now)

    def accept(self, watched: Watched, now: int) -> None:
        """Take word that the venue works an order."""
        watched.confirmed = True
        if not watched.order.accepted:
            self._out.deliver(OrderAccepted(now, watched.order.id))
        # What the run itself wants of it, without anybody's word, is waited for just so.
        if watched.order.status not in _WAITING and not watched.cancels and watched.wanted is None:
            watched.check_at = None

    def _conclude(self, watched: Watched, now: int) -> bool:
        """End an order whose end was reported, and return True, unless some of its executions are missing."""
        order, report = watched.order, watched.ended
        if report is None or order.id not in self._register:
            return True
        filled = float(report.filled)
        if order.is_open:
            if filled > order.filled and not same_size(order, filled, order.filled):
                return False
            kind = _ENDS.get(report.status)
            if kind is OrderCanceled and self._replacing.canceled(watched, now):
                return True  # another takes its place
            if kind is OrderCanceled and watched.expiring:
                kind = OrderExpired
            if kind is None:  # filled, at a size that is not the one we know
                self._out.deliver(OrderAmended(now, order.id, filled, order.limit_price, order.stop_price))
            elif kind is OrderRejected and order.filled:
                self._out.deliver(OrderCanceled(now, order.id, report.reason))
            else:
                self._out.deliver(kind(now, order.id, report.reason))
        self.forget(watched, now)
        return True

    def forget(self, watched: Watched, now: int) -> None:
        """Be done with an order."""
        self._register.drop(watched.order.id)
        self._ended(watched.order, now)

    def find(self, watched: Watched) -> None:
        """Ask how an order stands, unless that is being asked."""
        if not watched.asking and watched.resend_at is None:
            watched.asking, watched.overtaken = True, False
            self._out.send(Find(order_id=watched.order.id, key=watched.key))

    def fetch(self, watched: Watched) -> None:
        """Ask for the executions of an order, unless something is being asked about it."""
        if not watched.asking:
            watched.asking = True
            order = watched.order
            self._out.send(FetchFills(order_id=order.id, key=watched.key, since=order.created_at))

    def withdraw(self, watched: Watched, now: int) -> None:
        """Ask to cancel an order; once more does no harm."""
        if watched.resend_at is not None:  # the venue certainly has it not
            self._out.deliver(OrderCanceled(now, watched.order.id, "canceled before it was sent again"))
            self.forget(watched, now)
            return
        watched.cancels += 1
        watched.overtaken = True
        watched.check_at = now + self._terms.confirm_within
        self._out.send(Cancel(order_id=watched.order.id, key=watched.key))

    def check(self, now: int) -> None:
        """Ask about every order that has kept silent for too long."""
        for watched in self._register:
            if watched.ended is not None and now - watched.ended_at >= self._terms.fills_within:
                self._give_up_fills(watched, now)
            elif watched.resend_at is not None:
                self._send_again(watched, now)
            elif watched.check_at is not None and watched.check_at <= now and not watched.asking:
                watched.check_at = now + self._terms.confirm_within
                self.find(watched)
            self._replacing.check(watched, now)
            end = _end_of(watched, self._terms)
            if end is not None and end < now and watched.order.id in self._register:
                watched.expiring = True
                self.withdraw(watched, now)

    def expire(self, watched: Watched, now: int) -> None:
        """Cancel an order whose time has passed, whatever the venue does about it."""
        if watched.sent_at is not None and not watched.expiring:
            watched.expiring = True
            self.withdraw(watched, now)

    def _send_again(self, watched: Watched, now: int) -> None:
        """Send an order again that certainly did not arrive, under the same client id, once its time has come."""
        if watched.resend_at is None or watched.resend_at > now or watched.submit is None:
            return
        watched.resend_at = None
        watched.resent += 1
        watched.check_at = now + self._terms.settling + self._terms.confirm_within
        self._out.note(now, watched.order.id, watched.number, watched.carried, f"attempt {watched.resent + 1}")
        self._out.send(watched.submit)

    def next_due(self) -> int | None:
        """Return when `check` has something to do next, ns; None for not at all."""
        due: list[int] = []
        for watched in self._register:
            if watched.ended is not None:
                due.append(min(watched.ended_at + self._terms.fills_within, watched.check_at or 2**63))
            elif watched.check_at is not None:
                due.append(watched.check_at)
            away = self._replacing.due(watched)
            due += [one for one in (watched.resend_at, away) if one is not None]
            end = _end_of(watched, self._terms)
            if end is not None:
                due.append(end + 1)
        return min(due, default=None)

    def _compare(self, watched: Watched, report: OrderReport, now: int) -> None:
        """Take new terms from a report: those that were asked for, or what somebody else has done."""
        order = watched.order
        limit = nan if report.limit_price is None else float(report.limit_price)
        stop = nan if report.stop_price is None else float(report.stop_price)
        if report.type is not order.type or (order.type in TRAILING and not self._terms.ties):
            limit, stop = order.limit_price, order.stop_price  # those of what was sent in its place
        elif order.type in AT_MARKET:
            limit = order.limit_price
        told = float(report.size), limit, order.stop_price if isnan(stop) else stop
        known = order.size, order.limit_price, order.stop_price
        as_wanted = watched.wanted is not None and _equal(told, watched.wanted)
        if as_wanted and order.status is _S.PENDING_REPLACE:
            watched.sent_size = None  # that is its size from now on
        elif watched.sent_size is not None and told[0] <= watched.sent_size:
            told = order.size, *told[1:]  # a part of it, which grows with its parent
        if as_wanted:
            watched.wanted = None
        if _equal(told, known):
            return
        if order.trail is not None and told[0] == order.size and report.type is order.type:
            self._out.deliver(StopTrailed(now, order.id, told[2], told[1]))  # the venue lets it follow the price
            return
        fitted = self._terms.ties and order.parent and told[0] < order.size  # to what its parent has traded
        if not (as_wanted or watched.replacement is not None or fitted):
            self._out.alarm(
                "amended_elsewhere",
                f"order {order.id} ({watched.client_id}) stands at the venue with size {told[0]:g} at {told[1]:g}; the "
                f"run knew {known[0]:g} at {known[1]:g} and takes the venue's terms.",
            )
        watched.wanted = None
        self._out.deliver(OrderAmended(now, order.id, *told))

    def _unwatched(self, report: OrderReport, now: int) -> None:
        """Take a report of an order that is done with, or is not ours."""
        order = self._register.ended(report)
        if order is None:
            if not self._register.forgot(report):
                self._out.foreign(report)
            elif not report.status.ended:
                self._end_zombie(report, f"an order that ended long ago ({report.client_id})")
            return
        key = OrderKey(report.symbol, report.client_id, report.venue_id)
        filled = float(report.filled)
        if order.status is _S.FILLED:
            if filled > order.filled and not same_size(order, filled, order.filled):
                self._watch_again(order, report.venue_id)  # it was larger than we knew
                self.reported(report, now)
            return
        if not report.status.ended and self._register.is_old(order.id, report):
            return  # it was overtaken by the word of the end
        if not report.status.ended:
            what = f"order {order.id} ({report.client_id}), which had ended as {order.status}, {order.reason!r},"
            self._end_zombie(report, what)
        if filled > order.filled and not same_size(order, filled, order.filled):
            self._out.send(FetchFills(order_id=order.id, key=key, since=order.created_at))

    def _end_zombie(self, report: OrderReport, what: str) -> None:
        """Cancel an order of this run that should not work any more."""
        self._out.alarm("zombie_order", f"{what} works at the venue; it is being canceled.")
        self._out.send(Cancel(order_id=0, key=OrderKey(report.symbol, report.client_id, report.venue_id)))

    def _executed_late(self, report: FillReport, now: int) -> None:
        """Take an execution of an order that is done with, or is not ours.

        One of an order that is not kept any more was applied when it was: if it was not, the audit finds that.
        """
        order = self._register.ended(report)
        if order is None:
            if not self._register.forgot(report):
                self._out.foreign(report)
            return
        fill = fill_of(order, report, self._value_of)
        if order.status is _S.FILLED and not self._register.knows(fill):
            self.find(self._watch_again(order, report.venue_id))
        else:
            self._out.deliver(OrderFilled(now, order.id, fill))

    def _watch_again(self, order: Order, venue_id: str) -> Watched:
        watched = self._register.add(order)
        watched.sent_at = order.created_at
        self._register.learn(watched, venue_id)
        return watched

    def _give_up_fills(self, watched: Watched, now: int) -> None:
        order, report = watched.order, watched.ended
        assert report is not None
        self._out.alarm(
            "fills_missing",
            f"the venue says that {report.filled} of order {order.id} ({watched.client_id}) was filled, and tells of "
            f"executions of {order.filled:g}. The audit compares the position with the venue's.",
        )
        if order.is_open:
            self._out.deliver(OrderCanceled(now, order.id, report.reason or "fills_missing"))
        self.forget(watched, now)


class Answers:
    """Takes what the venue answers to requests.

    Parameters
    ----------
    register, terms, out
        See `Evidence`.
    evidence
        Draws what follows from the reports among the answers.
    replacing, resending
        What else follows.
    never_left
        Told of an order that the venue has not; answers whether somebody else goes on with it.
    too_small
        Told of a child that is smaller at the venue than it should be by now.

    Attributes
    ----------
    refused
        Told of the reason for which a venue refused an order.
    """

    def __init__(
        self,
        register: Register,
        terms: VenueTerms,
        out: Outlets,
        evidence: Evidence,
        replacing: Replacing,
        resending: Resending,
        *,
        never_left: Callable[[Watched, int], bool],
        too_small: Callable[[Watched, int], None],
    ) -> None:
        self._register, self._terms, self._out, self._evidence = register, terms, out, evidence
        self._replacing, self._resending = replacing, resending
        self._never_left, self._too_small = never_left, too_small
        self.refused: Callable[[str], None] = lambda _reason: None

    def submitted(self, request: Submit, outcome: Outcome, now: int) -> None:
        """Take the answer to a submit."""
        watched = self._register.get(request.order_id)
        if watched is None:
            return  # the private stream was faster, and told of the end
        order = watched.order
        if watched.client_id != request.key.client_id:
            return  # of what stood there before
        if isinstance(outcome, Answered):
            if outcome.report is not None:
                self._evidence.reported(outcome.report, now)
            elif watched.replacement is not None:
                self._evidence.find(watched)
            elif self._terms.ack_accepts:
                self._evidence.accept(watched, now)
        elif not isinstance(outcome, Declined):
            self._out.deliver(OutcomeUnknown(now, order.id, outcome.text))
            watched.check_at = now + self._terms.settling
        elif outcome.reason != "duplicate_client_id" and self._try_again(watched, outcome, now):
            pass
        elif watched.replacement is not None and outcome.reason != "duplicate_client_id":
            self._not_replaced(watched, _reason(outcome), now)
        elif outcome.reason == "duplicate_client_id" or watched.confirmed:
            self._evidence.find(watched)  # it is there: an earlier request arrived, or the stream has told of it
        else:
            self._out.deliver(OrderRejected(now, order.id, _reason(outcome)))
            self._evidence.forget(watched, now)
            self.refused(outcome.reason)

    def _try_again(self, watched: Watched, outcome: Declined, now: int) -> bool:
        """See whether an order that the venue did not take is to be sent again, and when."""
        waits = (
            watched.order.status in {_S.SUBMITTED, _S.PENDING_REPLACE} and not watched.order.filled > watched.carried
        )
        due = self._resending.due(watched, outcome, now) if waits else None
        if due is None:
            return False
        watched.resend_at, watched.check_at = due, None
        return True

    def _not_replaced(self, watched: Watched, reason: str, now: int) -> None:
        """Take word that what was to take an order's place is not there."""
        if not self._replacing.refused(watched, reason, now):
            if watched.order.is_open:
                self._out.deliver(OrderCanceled(now, watched.order.id, f"not_replaced: {reason}"))
            self._evidence.forget(watched, now)

    def canceled(self, request: Cancel, outcome: Outcome, now: int) -> None:
        """Take the answer to a cancel; one that is not answered is pending until evidence comes."""
        watched = self._register.get(request.order_id)
        if watched is None:
            return
        if isinstance(outcome, Answered):
            if outcome.report is not None:
                self._evidence.reported(outcome.report, now)
        elif isinstance(outcome, Declined):
            if outcome.reason == "unknown_order":
                self._evidence.find(watched)  # it has ended, and how is what matters
            elif outcome.retry_after:
                watched.check_at = now + outcome.retry_after
            elif watched.replacement is not None:
                self._replacing.unchanged(watched)
                self._out.deliver(AmendRejected(now, watched.order.id, _reason(outcome)))
            else:
                watched.cancels = 0
                self._out.deliver(CancelRejected(now, watched.order.id, _reason(outcome)))

    def amended(self, request: Amend, outcome: Outcome, now: int) -> None:
        """Take the answer to an amendment; one that is not answered is pending until evidence comes."""
        watched = self._register.get(request.order_id)
        if watched is None:
            return
        if isinstance(outcome, Answered):
            if outcome.report is not None:
                self._evidence.reported(outcome.report, now)
        elif isinstance(outcome, Declined):
            watched.wanted = None
            self._out.deliver(AmendRejected(now, watched.order.id, _reason(outcome)))
            if outcome.reason == "unknown_order":
                self._evidence.find(watched)

    def found(self, request: Find, outcome: Outcome, now: int) -> None:
        """Take the answer to the question how an order stands."""
        watched = self._register.get(request.order_id)
        if watched is None:
            return
        watched.asking = False
        if isinstance(outcome, Answered):
            if outcome.report is None:
                self._absent(watched, now)
                return
            watched.absences = 0
            self._evidence.reported(outcome.report, now)
            if watched.order.id in self._register and not outcome.report.status.ended:
                self._settle(watched, outcome.report, now)
            return
        wait = outcome.retry_after if isinstance(outcome, Declined) else 0
        watched.check_at = now + max(wait, self._terms.confirm_within)

    def fetched(self, request: FetchFills, fills: Sequence[FillReport] | None, now: int) -> None:
        """Take the executions of an order that were asked for; None where the venue could not be asked."""
        watched = self._register.get(request.order_id)
        if watched is not None:
            watched.asking = False
        key = request.key
        for fill in fills or ():
            if (key.venue_id and fill.venue_id == key.venue_id) or (fill.client_id and fill.client_id == key.client_id):
                # Not every venue says whose it is; the order may have ended meanwhile, and is found by its client id.
                named = fill if fill.client_id else msgspec.structs.replace(fill, client_id=key.client_id)
                self._evidence.executed(named, now)

    def _settle(self, watched: Watched, report: OrderReport, now: int) -> None:
        """Draw what follows from an order that works on, now that the venue was asked about it."""
        order = watched.order
        if not same_size(order, float(watched.whole(report).filled), order.filled):
            self._evidence.fetch(watched)
        if watched.overtaken:
            watched.check_at = now + self._terms.confirm_within
            return
        due = None if watched.cancels or watched.replacement is not None else watched.sent_size
        if due is not None and float(watched.whole(report).size) < due:
            self._too_small(watched, now)
            return
        if order.status is _S.PENDING_REPLACE:
            replacement = watched.replacement
            if replacement is not None and not replacement.refused and watched.cancels < _CANCELS:
                self._evidence.withdraw(watched, now)  # the request was lost
                return
            self._replacing.unchanged(watched)
            self._out.deliver(AmendRejected(now, order.id, "not_amended"))
        elif order.status is _S.PENDING_CANCEL or watched.cancels:
            if watched.cancels < _CANCELS:
                self._evidence.withdraw(watched, now)  # the request was lost
                return
            tried, watched.cancels = watched.cancels, 0
            self._out.deliver(CancelRejected(now, order.id, "not_canceled"))
            self._out.alarm("cancel_failed", f"order {order.id} ({watched.client_id}) works on after {tried} cancels.")

    def _absent(self, watched: Watched, now: int) -> None:
        """Take word that the venue has no such order; it counts once the venue had time to see it."""
        order, sent, out = watched.order, watched.sent_at, self._out
        if sent is None:
            return
        if now - sent < self._terms.settling:
            watched.check_at = sent + self._terms.settling
            return
        watched.absences += 1
        if watched.absences < _PROOFS:
            watched.check_at = now + self._terms.settling
            return
        if watched.replacement is not None and watched.replacement.may_be_gone:
            self._not_replaced(watched, "never arrived", now)
            return
        if self._never_left(watched, now):
            return
        if order.accepted:
            out.alarm(
                "order_vanished",
                f"order {order.id} ({watched.client_id}) was accepted, and the venue knows it no longer. It counts as "
                "canceled; look it up by its client id.",
            )
            out.deliver(OrderCanceled(now, order.id, "vanished"))
        else:
            if order.status is not _S.UNKNOWN:
                out.deliver(OutcomeUnknown(now, order.id, "never confirmed"))
            out.deliver(OrderNotFound(now, order.id))
        self._evidence.forget(watched, now)


def _end_of(watched: Watched, terms: VenueTerms) -> int | None:
    """Return until when an order works, ns, None where nothing is to be done then.

    One that its venue ends as well is canceled all the same, once: nobody has to know which venues can what. The
    simulated venue of a paper run alone goes by a time of its own.
    """
    if terms.ties or watched.sent_at is None or watched.expiring or watched.ended is not None:
        return None
    return last_moment(watched.order)


def _reason(outcome: Declined) -> str:
    return f"{outcome.reason}: {outcome.text}" if outcome.text else outcome.reason


def _equal(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Compare numbers of which NaN is one that an order has not."""
    return repr(one) == repr(other)
