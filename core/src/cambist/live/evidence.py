"""What reports and silence say of orders, and the events and questions that follow.

Evidence alone moves an order: an answer, a report, an execution, or the proven absence of all of them. An order of
which nothing is heard is asked about by its client id; it is never sent again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.live.fills import fill_of, same_size
from cambist.live.lagging_fills import LaggingFills
from cambist.live.overfills import bookable, part_of
from cambist.live.requests import Cancel, FetchFills, Find
from cambist.live.told_terms import take_terms
from cambist.model.events import (
    AmendRejected,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderTriggered,
)
from cambist.model.orders import OrderStatus, OrderType
from cambist.model.reports import ReportedStatus
from cambist.orders.times import last_moment
from cambist.ports.venue import OrderKey

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.live.groups import Groups
    from cambist.live.replacing import Replacing
    from cambist.live.watched import Outlets, Register, Watched
    from cambist.model.orders import Order
    from cambist.model.reports import FillReport, OrderReport
    from cambist.ports.venue import VenueTerms

__all__ = ["Evidence"]

_S = OrderStatus
_ENDS = {
    ReportedStatus.CANCELED: OrderCanceled,
    ReportedStatus.EXPIRED: OrderExpired,
    ReportedStatus.REJECTED: OrderRejected,
}
#: States in which an order waits for a word of its venue.
_WAITING = frozenset({_S.SUBMITTED, _S.PENDING_CANCEL, _S.PENDING_REPLACE, _S.UNKNOWN})


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
    replacing, groups
        Carry replacements through, and keep orders in step that the venue works as one.

    Attributes
    ----------
    lagging
        Executions that lag behind the word that an order has ended.
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
        groups: Groups,
    ) -> None:
        self._register, self._terms, self._out = register, terms, out
        self._filled, self._ended, self._value_of = filled, ended, value_of
        self._replacing, self.groups = replacing, groups
        self.lagging = LaggingFills(terms, out)
        replacing.evidence = self
        groups.ask_by(self)

    def reported(self, report: OrderReport, now: int) -> None:
        """Take word of how an order stands, whoever it came from."""
        watched = self._register.of(report)
        if watched is None:
            self._unwatched(report, now)
            return
        if not self._register.is_current(watched, report):
            return  # it has ended, and another stands in its place
        watched.in_doubt = False
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
        take_terms(watched, report, self._terms, self._out, now)
        self._replacing.confirmed(watched, now)
        if not same_size(order, filled, order.filled):
            watched.check_at = now + self._terms.confirm_within  # its executions are on their way, or were lost

    def _over(self, watched: Watched, report: OrderReport, now: int) -> None:
        """Take word that an order works no longer."""
        order = watched.order
        take_terms(watched, report, self._terms, self._out, now)
        if watched.replacement is not None and watched.replacement.bare_since is not None:
            self._replacing.confirmed(watched, now)
        canceled = report.status is ReportedStatus.CANCELED
        goes_on = watched.replacement is not None or (watched.group is not None and watched.group.again)
        if not (goes_on and canceled):
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
        # What was asked for just before the run was cut off may stand at the venue, and nobody here knows of it.
        doubtful = watched.in_doubt and order.type is not OrderType.MARKET
        amending = watched.wanted is not None or order.status is _S.PENDING_REPLACE or doubtful
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
        is_new, watched.confirmed, watched.absences = not watched.confirmed, True, 0
        if not watched.order.accepted:
            self._out.deliver(OrderAccepted(now, watched.order.id))
        if is_new and watched.group is not None:  # the venue takes all of a list or none
            for one in map(self._register.get, (order.id for order in watched.group.listed)):
                if one is not None and not one.confirmed:
                    self.accept(one, now)
        # What the run itself wants of it, without anybody's word, is waited for just so.
        waits = watched.in_doubt or watched.cancels or watched.wanted is not None or watched.ended is not None
        if watched.order.status not in _WAITING and not waits:
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
            if self.groups.ended(watched, report, now):
                return True
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
            if self.lagging.are_missing(watched):
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
            if self.lagging.are_missing(watched):
                due.append(watched.listed_at)
            elif watched.check_at is not None:
                due.append(watched.check_at)
            away = self._replacing.due(watched)
            due += [one for one in (watched.resend_at, away) if one is not None]
            end = _end_of(watched, self._terms)
            if end is not None:
                due.append(end + 1)
        return min(due, default=None)

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
        assert watched.ended is not None
        self.lagging.give_up(watched)
        if watched.order.is_open:
            self._out.deliver(OrderCanceled(now, watched.order.id, watched.ended.reason or "fills_missing"))
        self.forget(watched, now)


def _end_of(watched: Watched, terms: VenueTerms) -> int | None:
    """Return until when an order works, ns, None where nothing is to be done then.

    One that its venue ends as well is canceled all the same, once: nobody has to know which venues can what. The
    simulated venue of a paper run alone goes by a time of its own.
    """
    if terms.ties or watched.sent_at is None or watched.expiring or watched.ended is not None:
        return None
    return last_moment(watched.order)
