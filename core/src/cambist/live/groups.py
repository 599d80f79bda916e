"""Orders that the venue works as one, so that they work on when the run does not: groups, brackets, trailing stops.

What goes there so is journalled before it leaves, all orders of a list together, and the venue takes all of them or
none. From then on it is the venue that cancels those that others end and wakes those that wait; the run takes its word.

* Where an entry cannot be part of a list, such as a market order, it goes by itself, and what closes it follows as a
  list once the entry has ended, for as much as it has traded.
* A list whose entry ends with a part of it traded is over at the venue: what closes that part is sent anew.
* An order of a list cannot get other terms: those that close are canceled, and sent anew once they are proven gone.
* Whatever the venue does not take, the run holds instead; see `cambist.orders.emulator`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import attrs

from cambist.live.group_keeping import Group, GroupKeeping
from cambist.model.events import AmendRejected, OrderAccepted, OrderAmended
from cambist.model.orders import OrderStatus, Side
from cambist.model.reports import ReportedStatus
from cambist.orders.machine import NEVER_ARRIVED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.live.evidence import Evidence
    from cambist.live.watched import Outlets, Register, Watched
    from cambist.model.orders import Order
    from cambist.model.reports import OrderReport
    from cambist.orders.families import Family
    from cambist.ports.venue import Declined, VenueTerms

__all__ = ["Groups", "Native"]

_log = logging.getLogger("cambist.live")
#: Refusals that are about lists, and not about what is ordered.
_OF_LISTS = frozenset({"list_terms", "order_type", "unsupported", "parameter"})


@attrs.frozen
class Native:
    """What a run leaves to its venue: each answers why that cannot be; None for what the run works in any case.

    See `cambist.ports.venue.NativeSession`.
    """

    no_group: Callable[[Sequence[Order]], str] | None = None
    no_trail: Callable[[Order], str] | None = None


class Groups:
    """Keeps orders that the venue works as one in step with it.

    Parameters
    ----------
    register, terms, out
        See `Evidence`.
    native
        What is left to the venue.
    keeping
        Knows the groups.
    submit
        Sends an order by itself.
    """

    def __init__(
        self,
        register: Register,
        terms: VenueTerms,
        out: Outlets,
        native: Native,
        keeping: GroupKeeping,
        submit: Callable[[Order, int], None],
    ) -> None:
        self._register, self._terms, self._out = register, terms, out
        self._native, self.keeping, self._submit = native, keeping, submit

    def ask_by(self, evidence: Evidence) -> None:
        """Take who asks the venue, and is told when an order is done with."""
        self._evidence = self.keeping.evidence = evidence

    # What is left to the venue.

    def take(self, family: Family, now: int) -> bool:
        """Leave new orders to the venue; return False where the run is to work them."""
        ask, entry = self._native.no_group, family.entry
        if ask is None or _never_closes(family):
            return False
        why = ask(family.orders)
        if why:
            by_itself = entry is not None and not ask(family.legs)
            follows = "what closes it follows once it has traded" if by_itself else "the run holds them"
            self.keeping.tell(f"{why}; {follows}")
            if not by_itself:
                return False
        group = self.keeping.keep(Group(entry, family.legs))
        for order in family.orders:
            self._register.add(order)
        if not why:
            if not self.keeping.send(group, family.orders, now) and entry is not None:
                self._submit(entry, now)
            return True
        assert entry is not None
        self._submit(entry, now)
        if entry.is_open:
            self.keeping.mark(group, family.legs, "waits", now)
        for leg in group.open_legs:
            self._out.deliver(OrderAccepted(now, leg.id))
        return True

    def take_trail(self, order: Order, now: int) -> bool:
        """Leave a trailing stop to the venue; return False where the run is to work it."""
        if order.trail is None or self._native.no_trail is None or self.keeping.of(order) is not None:
            return False
        why = self._native.no_trail(order)
        if why:
            self.keeping.tell(f"{why}; the run holds it")
            return False
        self.keeping.send(self.keeping.keep(Group(None, (order,))), [order], now)
        return True

    def go_on(self, now: int) -> None:
        """Send what was waited for while nobody was here, after `resume`."""
        for group in self.keeping:
            for order in group.listed:
                watched = self._register.get(order.id)
                if watched is not None:
                    watched.group = group
            if not group.listed:
                self._continue(group, now)

    # What is wanted of them.

    def cancel(self, order: Order, now: int) -> bool:
        """End a leg that the venue has not; return False where it has to be asked."""
        group = self.keeping.of(order)
        if group is None or order not in group.legs:
            return False
        group.again = False
        if group.listed and order.id not in group.gone:
            return False
        for leg in (order, *(one for one in group.open_legs if one is not order)):
            if not group.listed or leg.id in group.gone:
                self.keeping.end(leg, "" if leg is order else "oco", now)
        return True

    def amend(self, order: Order, terms: tuple[float, float, float], now: int) -> bool:
        """Give an order other terms; return False where it is an order like any other."""
        group = self.keeping.of(order)
        if group is None or (group.listed and order not in group.listed) or (not group.listed and order is group.entry):
            return False
        if not group.listed or order.id in group.gone:
            self._out.deliver(OrderAmended(now, order.id, *terms))
        elif order.trail is not None:
            why = "native_trail: it would begin to follow anew; cancel it and send another"
            self._out.deliver(AmendRejected(now, order.id, why))
        elif order is group.entry or group.sleeps(order):
            why = "native_group: while its entry works, a list gets no other terms; cancel it and send another"
            self._out.deliver(AmendRejected(now, order.id, why))
        else:
            group.wanted[order.id] = terms
            self._send_anew(group, order, now)
        return True

    def shrink(self, watched: Watched, left: float, now: int) -> bool:
        """Have a leg trade no more than what is left to reduce; return False where it is an order like any other."""
        group = watched.group
        if group is None or watched.order not in group.legs:
            return False
        if left <= 0.0:
            self._evidence.withdraw(watched, now)
        elif not group.again and not group.sleeps(watched.order):
            self._send_anew(group, watched.order, now)
        return True

    def _send_anew(self, group: Group, order: Order, now: int) -> None:
        """Cancel the legs, of which each takes the others with it, so that they can be sent with other terms."""
        if group.again:
            return
        group.again = True
        self.keeping.mark(group, group.open_legs, "again", now)
        watched = self._register.get(order.id)
        assert watched is not None
        self._evidence.withdraw(watched, now)

    def stays(self, watched: Watched, now: int) -> None:
        """Take word that legs which were to be sent anew could not be canceled, and work on as they were."""
        group = watched.group
        if group is None or not group.again:
            return
        group.again = group.resumed = False
        group.wanted.clear()
        self.keeping.mark(group, group.open_legs, "sent", now)
        for leg in group.open_legs:
            one = self._register.get(leg.id)
            if one is not None:
                one.cancels = 0
            if leg.status is OrderStatus.PENDING_REPLACE:
                self._out.deliver(AmendRejected(now, leg.id, "not_amended"))

    # What the venue says.

    def declined(self, group: Group, outcome: Declined, reason: str, now: int) -> None:
        """Take word that the venue certainly has none of them: they are refused, or the run works them."""
        listed, entry = group.listed, group.entry
        begins = entry is not None and entry in listed
        legs = [leg for leg in listed if leg is not entry and leg.is_open]
        if outcome.reason == "killed" or (begins and outcome.reason not in _OF_LISTS):
            if entry is not None and begins:
                self.keeping.refuse(entry, reason, now)
            for leg in legs:
                (self.keeping.end if begins else self.keeping.refuse)(leg, "parent_ended" if begins else reason, now)
            return
        self.keeping.tell(f"the venue refused to work them as one ({reason}); the run holds them")
        if begins:
            assert entry is not None
            self.keeping.forget(group)
            self._submit(entry, now)
        legs = [leg for leg in legs if leg.is_open]
        if len(listed) == 1:  # it went by itself, under its own name
            self.keeping.renew(legs, now, outcome.reason)
        self.keeping.give_back(group, legs, now)

    def never_arrived(self, watched: Watched, proofs: int, now: int) -> bool:
        """Take the proof that the venue has no such order; return whether that is not for the order alone to decide.

        It takes all of a list or none, and so must have none of it. What closes a position is then held by the run.
        """
        group = watched.group
        if group is None or watched.confirmed:
            return False
        others = [self._register.get(one.id) for one in group.listed if one is not watched.order]
        if any(one is not None and one.absences < proofs for one in others):
            watched.check_at = now + self._terms.settling
            for one in others:
                if one is not None:
                    self._evidence.find(one)
            return True
        legs = group.open_legs
        if group.entry in group.listed:
            for leg in legs:
                self.keeping.end(leg, "parent_ended", now)
            return watched.order is not group.entry
        if group.entry is None and not watched.number:
            if not watched.order.accepted:  # unless it was cut to what is held
                return False
            self.keeping.end(watched.order, NEVER_ARRIVED, now)
            return True
        self.keeping.renew(legs, now, "never arrived")
        self.keeping.give_back(group, legs, now)
        return True

    def ended(self, watched: Watched, report: OrderReport, now: int) -> bool:
        """Take word that the venue works a leg no longer, whose executions are known; return whether that is all."""
        group, order = watched.group, watched.order
        if group is None or order not in group.legs or report.status is ReportedStatus.FILLED:
            return False
        canceled = report.status is ReportedStatus.CANCELED
        if group.again and canceled and order.status is not OrderStatus.PENDING_CANCEL:
            return self._set_aside(group, watched, now)
        others = [leg for leg in group.legs if leg is not order]
        if not group.again:  # else it is not their end that was asked for
            asked = map(self._register.get, (leg.id for leg in group.legs))
            group.asked = group.asked or any(one is not None and one.cancels for one in asked)
        if (watched.cancels and group.asked) or watched.expiring or order.filled or len(group.orders) == 1:
            return False
        if others and group.asked:
            self.keeping.end(order, "oco", now)
            return True
        entry = group.entry
        if entry is not None and entry in group.listed and entry.status is not OrderStatus.FILLED:
            return self._set_aside(group, watched, now)
        if not canceled and any(leg.is_open or leg.filled for leg in others):
            self.keeping.end(order, "oco", now)
            return True
        if not canceled:
            self._out.alarm(
                "group_lost",
                f"the venue ended order {order.id} ({watched.client_id}) and all that hang together with it, and none "
                f"has traded ({report.reason or report.status}). What they were to close is open.",
            )
        return False

    def over(self, order: Order, now: int) -> None:
        """Take word that an order is done with: others may wait for that, or the venue has ended them as well."""
        group = self.keeping.of(order)
        if group is None:
            return
        if not any(one.is_open for one in group.orders):
            self.keeping.forget(group)
        elif group.gone or (order is group.entry and not group.listed):
            self._continue(group, now)
        else:
            self._look_after(group, now)

    def _set_aside(self, group: Group, watched: Watched, now: int) -> bool:
        group.gone.add(watched.order.id)
        watched.ended, watched.check_at = None, None
        self._continue(group, now)
        return True

    def _look_after(self, group: Group, now: int) -> None:
        """Ask how the others stand, unless it is heard before."""
        for order in group.listed:
            watched = self._register.get(order.id)
            if watched is not None and order.id not in group.gone and watched.sent_at is not None:
                due = now + self._terms.confirm_within
                watched.check_at = due if watched.check_at is None else min(due, watched.check_at)

    def _continue(self, group: Group, now: int) -> None:
        """Send the legs, once nothing of them is at the venue and the entry has ended."""
        legs, entry = group.open_legs, group.entry
        if not legs:
            return
        if (entry is not None and entry.is_open) or (group.listed and any(leg.id not in group.gone for leg in legs)):
            self._look_after(group, now)
            return
        if entry is not None and not entry.filled:
            for leg in legs:
                self.keeping.end(leg, "parent_ended", now)
            return
        if group.listed:
            self.keeping.renew(legs, now, "regrouped")
        for leg in legs:
            wanted = group.wanted.pop(leg.id, None)
            if wanted is not None:
                self._out.deliver(OrderAmended(now, leg.id, *wanted))
            elif leg.status is OrderStatus.PENDING_REPLACE:
                self._out.deliver(AmendRejected(now, leg.id, "interrupted"))
        why = self._not_taken(legs)
        if why:
            self.keeping.tell(f"{why}; the run holds them")
            self.keeping.give_back(group, legs, now)
        else:
            self.keeping.send(group, legs, now)

    def _not_taken(self, legs: Sequence[Order]) -> str:
        """Return why the venue does not work legs that are sent anew; ``""`` where it does."""
        group, trail = self._native.no_group, self._native.no_trail
        if len(legs) == 1 and legs[0].trail is not None:
            return "the venue is to work no more trailing stops" if trail is None else trail(legs[0])
        return "the venue is to work no more groups" if group is None else group(legs)


def _never_closes(family: Family) -> bool:
    """Tell whether what only reduces would buy back coins that were sold: without debt there is nothing to reduce."""
    entry = family.entry
    return (
        entry is not None
        and entry.side is Side.SELL
        and entry.instrument.is_cash
        and any(leg.reduce_only for leg in family.legs)
    )
