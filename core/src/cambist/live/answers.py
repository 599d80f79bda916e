"""What a venue answers to requests, and what follows: how an order stands, when it is asked about, when it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import msgspec

from cambist.live.fills import same_size
from cambist.live.replacing import PASSED
from cambist.model.events import (
    AmendRejected,
    CancelRejected,
    OrderCanceled,
    OrderNotFound,
    OrderRejected,
    OutcomeUnknown,
)
from cambist.model.orders import OrderStatus
from cambist.ports.venue import Answered, Declined

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.live.evidence import Evidence
    from cambist.live.replacing import Replacing
    from cambist.live.requests import Amend, Cancel, FetchFills, Find, Submit, SubmitGroup
    from cambist.live.resending import Resending
    from cambist.live.watched import Outlets, Register, Watched
    from cambist.model.reports import FillReport, OrderReport
    from cambist.ports.venue import Outcome, VenueTerms

__all__ = ["Answers", "Successors"]

_S = OrderStatus
#: How often a venue has to say that it has no such order.
_PROOFS = 2
#: How often a cancel is sent again where the order works on.
_CANCELS = 5
#: How orders stand that may be sent again: as long as the venue has not confirmed one, those that were held here, too.
_NEW = frozenset({_S.SUBMITTED, _S.PENDING_REPLACE})
_NEW_OR_HELD = _NEW | {_S.ACCEPTED, _S.TRIGGERED}


@attrs.frozen(kw_only=True)
class Successors:
    """Who may go on with an order where the venue does not: each answers whether it does.

    Attributes
    ----------
    never_left
        Told of an order that the venue has not.
    passed
        Told of a stop that the market has passed, and why the venue did not take it.
    refit
        Told of the size that an order has at the venue, which may ask for another one.
    """

    never_left: Callable[[Watched, int], bool]
    passed: Callable[[Watched, str, int], bool]
    refit: Callable[[Watched, float, int], bool]


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
    successors
        Who may go on with an order.

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
        successors: Successors,
    ) -> None:
        self._register, self._terms, self._out, self._evidence = register, terms, out, evidence
        self._replacing, self._resending = replacing, resending
        self._successors = successors
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
        elif outcome.reason != "duplicate_client_id" and watched.group is not None and not watched.confirmed:
            self._evidence.groups.declined(watched.group, outcome, _reason(outcome), now)
            self.refused(outcome.reason)
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

    def group_submitted(self, request: SubmitGroup, outcomes: Sequence[Outcome], now: int) -> None:
        """Take the answers to orders that were sent as one; a refusal of one is a refusal of all."""
        refused = isinstance(outcomes[0], Declined) and outcomes[0].reason != "duplicate_client_id"
        for member, outcome in zip(request.members[: 1 if refused else None], outcomes, strict=not refused):
            self.submitted(member, outcome, now)

    def _try_again(self, watched: Watched, outcome: Declined, now: int) -> bool:
        """See whether an order that the venue did not take is to be sent again, and when, or as what it turns into."""
        if outcome.reason in PASSED and watched.replacement is None and not watched.confirmed:
            return self._successors.passed(watched, outcome.reason, now)
        # What was held here is accepted, or has triggered, without the venue's word.
        states = _NEW if watched.confirmed else _NEW_OR_HELD
        waits = watched.order.status in states and not watched.order.filled > watched.carried
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
        self._take_report(outcome, now)
        if isinstance(outcome, Declined):
            if outcome.reason == "unknown_order":
                self._evidence.find(watched)  # it has ended, and how is what matters
            elif outcome.retry_after:
                watched.check_at = now + outcome.retry_after
            elif watched.replacement is not None:
                self._replacing.unchanged(watched, now)
                self._out.deliver(AmendRejected(now, watched.order.id, _reason(outcome)))
            elif watched.group is not None and watched.group.again:
                self._evidence.groups.stays(watched, now)
            else:
                watched.cancels = 0
                self._out.deliver(CancelRejected(now, watched.order.id, _reason(outcome)))

    def amended(self, request: Amend, outcome: Outcome, now: int) -> None:
        """Take the answer to an amendment; one that is not answered is pending until evidence comes."""
        watched = self._register.get(request.order_id)
        if watched is None:
            return
        self._take_report(outcome, now)
        if isinstance(outcome, Declined):
            watched.wanted = None
            self._out.deliver(AmendRejected(now, watched.order.id, _reason(outcome)))
            if outcome.reason == "unknown_order":
                self._evidence.find(watched)

    def _take_report(self, outcome: Outcome, now: int) -> None:
        if isinstance(outcome, Answered) and outcome.report is not None:
            self._evidence.reported(outcome.report, now)

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
            watched.in_doubt, watched.absences = False, 0
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
            if watched.ended is not None:
                self._evidence.lagging.listed(watched, now, answered=fills is not None)
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
        changing = watched.cancels or watched.replacement is not None
        if not changing and self._successors.refit(watched, float(watched.whole(report).size), now):
            return
        group = watched.group
        if group is not None and group.again:
            if watched.cancels and watched.cancels < _CANCELS:
                self._evidence.withdraw(watched, now)  # the request was lost
            elif watched.cancels or group.resumed:
                self._evidence.groups.stays(watched, now)
        elif order.status is _S.PENDING_REPLACE:
            replacement = watched.replacement
            if replacement is not None and replacement.bare_since is not None:
                # The new one is there, and this word of it is older than an execution that is known: ask once more.
                watched.check_at = now + self._terms.confirm_within
                return
            if replacement is not None and not replacement.refused and watched.cancels < _CANCELS:
                self._evidence.withdraw(watched, now)  # the request was lost
                return
            self._replacing.unchanged(watched, now)
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
        if sent is not None and now - sent < self._terms.settling:
            watched.check_at = sent + self._terms.settling
            return
        watched.in_doubt = False
        if sent is None:
            return
        watched.absences += 1
        if watched.absences < _PROOFS:
            watched.check_at = now + self._terms.settling
            return
        if self._evidence.groups.never_arrived(watched, _PROOFS, now):
            return
        if watched.replacement is not None and watched.replacement.may_be_gone:
            self._not_replaced(watched, "never arrived", now)
            return
        if self._successors.never_left(watched, now):
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


def _reason(outcome: Declined) -> str:
    return f"{outcome.reason}: {outcome.text}" if outcome.text else outcome.reason
