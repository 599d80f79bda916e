"""Orders that belong together: one cancels the other, one sends the other, one sends two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cambist_simulator.exchange.errors import RefusedError, Why
from cambist_simulator.exchange.events import ListChanged
from cambist_simulator.exchange.listing import Segment
from cambist_simulator.exchange.orders import ExecutionType, OrderList, Status
from cambist_simulator.exchange.triggers import is_conditional

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist_simulator.exchange.floor import Floor, Market
    from cambist_simulator.exchange.intake import Intake
    from cambist_simulator.exchange.matching import Matching
    from cambist_simulator.exchange.orders import ListTerms, VenueOrder

__all__ = ["Lists"]

_SIZES = {"oco": 2, "oto": 2, "otoco": 3}


class Lists:
    """Takes lists and keeps what happens to one of their orders in step with the others.

    Parameters
    ----------
    floor, intake, matching
        Where orders go, and through whom.
    names
        Makes a client id of a list's number.
    """

    def __init__(self, floor: Floor, intake: Intake, matching: Matching, names: Callable[[int], str]) -> None:
        self._floor, self._intake, self._matching, self._names = floor, intake, matching, names
        self._ending: set[int] = set()
        matching.before_leg, matching.after_leg = self._before_leg, self._after_leg

    # Requests.

    def place(self, user: str, terms: ListTerms) -> OrderList:
        """Take a list."""
        floor = self._floor
        if floor.segment is not Segment.SPOT:
            raise RefusedError(Why.UNSUPPORTED, "futures have no order lists", field="kind")
        if _SIZES.get(terms.kind) != len(terms.orders):
            raise RefusedError(Why.BAD_LIST, f"{terms.kind!r} of {len(terms.orders)} orders", field="orders")
        if any(one.symbol != terms.symbol for one in terms.orders):
            raise RefusedError(Why.BAD_LIST, "orders of other symbols", field="symbol")
        drafts = [self._intake.draft(user, one)[0] for one in terms.orders]
        market = floor.markets[terms.symbol]
        first = 0 if terms.kind == "oco" else 1
        self._check(terms, drafts, drafts[first:] if len(drafts) - first == 2 else [])
        number = floor.next_list
        for draft in drafts[first:] if len(drafts) - first == 2 else []:
            draft.shares_hold = True
        for draft in drafts:
            draft.list_id = number
        working, pending = (drafts, []) if first == 0 else (drafts[:1], drafts[1:])
        made = OrderList(
            id=number,
            user=user,
            kind=terms.kind,
            symbol=terms.symbol,
            client_id=terms.client_id or self._names(number),
            order_ids=[],
            status="exec_started",
            at=floor.at,
        )
        caps = self._admit(made, working, market)
        floor.next_list += 1
        floor.keep_list(made)
        for draft in pending:
            draft.status = Status.PENDING
        for draft in drafts:
            self._intake.register(draft)
            made.order_ids.append(draft.id)
        self._tell(made)
        # What waits first: a limit leg that trades at once must find it there to end it.
        for draft, cap in sorted(zip(working, caps, strict=True), key=lambda pair: not is_conditional(pair[0].terms)):
            if draft.open:
                self._intake.start(draft, market, cap)
        return made

    def cancel(self, user: str, list_id: int | None = None, client_id: str | None = None) -> OrderList:
        """Cancel every open order of a list."""
        found = self.find(user, list_id, client_id)
        if found.status == "all_done":
            raise RefusedError(Why.UNKNOWN_ORDER, list_id=list_id, client_id=client_id)
        for order in self._orders(found):
            if order.open:
                self._matching.cancel(order)
        return found

    def find(self, user: str, list_id: int | None = None, client_id: str | None = None) -> OrderList:
        """Return a user's list."""
        for one in reversed(self._floor.lists.values()):
            if one.user == user and (one.id == list_id if list_id is not None else one.client_id == client_id):
                return one
        raise RefusedError(Why.UNKNOWN_ORDER, list_id=list_id, client_id=client_id)

    def _check(self, terms: ListTerms, drafts: list[VenueOrder], legs: list[VenueOrder]) -> None:
        names = [one.client_id for one in drafts if one.client_id]
        if len(set(names)) != len(names):
            raise RefusedError(Why.DUPLICATE_CLIENT_ID, client_id=names[-1])
        if terms.kind != "oco" and (drafts[0].price is None or is_conditional(drafts[0].terms)):
            raise RefusedError(Why.BAD_LIST, "the working order is no limit order", field="type")
        if not legs:
            return
        first, second = legs
        if first.terms.side is not second.terms.side or first.size != second.size:
            raise RefusedError(Why.BAD_LIST, "the legs differ in side or size", field="side")
        if not any(is_conditional(one.terms) for one in legs):
            raise RefusedError(Why.BAD_LIST, "no leg waits for a price", field="type")

    def _admit(self, made: OrderList, working: list[VenueOrder], market: Market) -> list[int | None]:
        """Lock what the working orders need; legs lock once for both."""
        floor = self._floor
        caps: list[int | None] = []
        floor.lists[made.id] = made
        try:
            for place, draft in enumerate(working):
                draft.id = floor.store.next_id + place
                caps.append(floor.accounts.admit(draft, market))
        except RefusedError:
            for draft in working[: len(caps)]:
                draft.status = Status.REJECTED
                floor.accounts.relock(draft)
            del floor.lists[made.id]
            raise
        return caps

    # What follows.

    def _orders(self, one: OrderList) -> list[VenueOrder]:
        found = (self._floor.store.get(order_id) for order_id in one.order_ids)
        return [order for order in found if order is not None]

    def before_trigger(self, order: VenueOrder) -> None:
        """End the other leg of an order that is set off."""
        self._before_leg(order)

    def _before_leg(self, order: VenueOrder) -> None:
        if not order.shares_hold or order.filled:
            return
        for other in self._orders(self._floor.lists[order.list_id]):
            if other is not order and other.shares_hold and other.open:
                self._ending.add(order.list_id)
                self._matching.withdraw(other, Status.EXPIRED, ExecutionType.EXPIRED, "list")
                self._ending.discard(order.list_id)

    def _after_leg(self, order: VenueOrder) -> None:
        if order.list_id in self._ending:
            return
        made = self._floor.lists[order.list_id]
        orders = self._orders(made)
        self._ending.add(made.id)
        if order.status is Status.FILLED:
            self._send(order, orders)
        else:
            self._end_others(order, orders)
        self._ending.discard(made.id)
        if made.status != "all_done" and not any(one.open for one in orders):
            made.status = "all_done"
            made.at = self._floor.at
            self._tell(made)

    def _end_others(self, order: VenueOrder, orders: list[VenueOrder]) -> None:
        canceled = order.status is Status.CANCELED
        for other in orders:
            if other.open:
                if canceled:
                    self._matching.cancel(other)
                else:
                    self._matching.withdraw(other, Status.EXPIRED, ExecutionType.EXPIRED, "list")

    def _send(self, order: VenueOrder, orders: list[VenueOrder]) -> None:
        """Send the orders that waited for `order` to be filled."""
        pending = [one for one in orders if one.status is Status.PENDING]
        if order is not orders[0] or not pending:
            return
        floor = self._floor
        market = floor.markets[order.terms.symbol]
        caps = []
        for one in pending:
            one.status = Status.NEW
            try:
                caps.append(floor.accounts.admit(one, market))
            except RefusedError as refused:
                for each in pending:
                    if each.open:
                        self._matching.end(each, Status.EXPIRED, ExecutionType.EXPIRED, str(refused.why))
                return
        for one in pending:
            one.updated_at = floor.at
            floor.tell(one, ExecutionType.NEW)
        # Outside of this list's end: a leg that trades at once ends the other.
        self._ending.discard(order.list_id)
        for one, cap in sorted(zip(pending, caps, strict=True), key=lambda pair: not is_conditional(pair[0].terms)):
            if one.open:
                self._intake.start(one, market, cap)

    def _tell(self, made: OrderList) -> None:
        if self._floor.listeners:
            self._floor.emit(
                ListChanged(at=self._floor.at, list=msgspec.structs.replace(made, order_ids=[*made.order_ids]))
            )
