"""The orders that have left, or wait in the emulator, and are not done with."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

import attrs
import msgspec

from cambist.live.requests import Submit, SubmitGroup
from cambist.model.orders import OrderStatus
from cambist.orders.ids import ALPHABET, order_number
from cambist.ports.venue import OrderKey, OrderRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cambist.live.group_keeping import Group
    from cambist.live.replacing import Replacement
    from cambist.live.requests import Request
    from cambist.model.events import OrderEvent
    from cambist.model.orders import Fill, Order, OrderType
    from cambist.model.reports import FillReport, OrderReport
    from cambist.orders.book import OrderBook
    from cambist.ports.venue import VenueTerms

__all__ = ["OpenOrders", "Outlets", "Register", "Watched"]


#: Of how many orders that are done with the time of their last report is kept.
_REMEMBERED = 1_000


def _unkept(*_: object) -> None:
    """Take word that nobody keeps."""


@attrs.frozen(eq=False)
class Outlets:
    """Where what follows goes.

    Attributes
    ----------
    deliver
        Takes order events to the kernel, which may ask for more meanwhile.
    send
        Takes requests to the venue.
    alarm
        Told of what a person should know: a stable word, and a sentence.
    foreign
        Told of reports of orders that are not ours.
    note
        Journals that an order is about to be sent once more: when, its number, how often another stood for it before,
        what those have traded, and why.
    entrust
        Journals who works orders from here on: when, their numbers, the number of the oldest that hangs together with
        them, and how; see `cambist.orders.book.OrderBook.entrusted`.
    """

    deliver: Callable[[OrderEvent], None]
    send: Callable[[Request], None]
    alarm: Callable[[str, str], None]
    foreign: Callable[[OrderReport | FillReport], None]
    note: Callable[[int, int, int, float, str], None] = _unkept
    entrust: Callable[[int, Sequence[int], int, str], None] = _unkept


@attrs.define(eq=False, slots=True)
class Watched:
    """One of them.

    Attributes
    ----------
    client_id, venue_id
        What the venue is given, and what it calls it, once that is known.
    sent_at
        When it left, ns; None while the emulator holds it.
    asking, overtaken
        Whether the venue is being asked about it, and whether something else was asked of it since: then the answer
        tells nothing of that.
    in_doubt
        Whether the venue has still to tell how it stands, after a restart or a gap in what it tells.
    told_at
        The venue's time of the newest report.
    check_at
        When to ask, unless something is heard before; None for never.
    absences
        How often the venue said that it has no such order.
    cancels
        How often it was asked to cancel it.
    confirmed
        Whether the venue said that it works; the emulator accepts what it holds by itself.
    sent_size
        How much of a child the venue has, or is to have: it grows with what its parent trades. None for all of it.
    perhaps_unsent
        Whether the emulator held it before a restart, and nobody knows whether it left.
    wanted
        Size, limit and stop of the amendment that is under way.
    ended, ended_at
        The word that it has ended, while executions are still missing, and when that came.
    listed_at
        When the venue last listed its executions since then, ns; 0 for not yet.
    unlisted
        Whether somebody was told that it does not.
    number, carried
        How many orders at the venue have stood for it before, and what those have traded.
    replacement
        What is under way to put another in its place.
    submit, resent, resend_at
        What was sent, how often again, and when the next time is due, since the venue certainly has it not; ns.
    expiring
        Whether it is being canceled because its time has passed.
    capped
        Whether what the venue traded beyond its size is left out.
    group
        With which others the venue works it as one; None where it stands alone.
    """

    order: Order
    client_id: str
    venue_id: str = ""
    sent_at: int | None = None
    asking: bool = False
    overtaken: bool = False
    in_doubt: bool = False
    told_at: int = 0
    check_at: int | None = None
    absences: int = 0
    cancels: int = 0
    confirmed: bool = False
    sent_size: float | None = None
    perhaps_unsent: bool = False
    wanted: tuple[float, float, float] | None = None
    ended: OrderReport | None = None
    ended_at: int = 0
    listed_at: int = 0
    unlisted: bool = False
    number: int = 0
    carried: float = 0.0
    replacement: Replacement | None = None
    submit: Submit | None = None
    resent: int = 0
    resend_at: int | None = None
    expiring: bool = False
    capped: bool = False
    group: Group | None = None

    @property
    def key(self) -> OrderKey:
        """What names it to its venue."""
        return OrderKey(self.order.instrument.symbol, self.client_id, self.venue_id)

    def whole(self, report: OrderReport) -> OrderReport:
        """Return a report as one of the whole order: with what has traded before what it is about."""
        if not self.carried:
            return report
        before = self.order.instrument.size_to_decimal(self.carried)
        return msgspec.structs.replace(report, size=report.size + before, filled=report.filled + before)

    def request(self, kind: OrderType, size: float, limit: float, stop: float) -> OrderRequest:
        """Return the terms as they are sent, in exact decimals."""
        instrument = self.order.instrument
        return OrderRequest(
            order=self.order,
            client_id=self.client_id,
            type=kind,
            size=instrument.size_to_decimal(size),
            limit_price=None if isnan(limit) else instrument.price_to_decimal(limit),
            stop_price=None if isnan(stop) else instrument.price_to_decimal(stop),
        )


class Register:
    """Finds the order that a report is about.

    Parameters
    ----------
    book
        Of the run; client ids are made of its token.
    terms
        Of the venue.
    """

    def __init__(self, book: OrderBook, terms: VenueTerms) -> None:
        self._book = book
        self._alphabet, self._length = terms.id_alphabet or ALPHABET, terms.id_length
        self._watched: dict[int, Watched] = {}
        self._by_venue_id: dict[str, int] = {}
        #: The venue's time of the last report of orders that are done with, oldest first.
        self._last_told: dict[int, int] = {}

    def __iter__(self) -> Iterator[Watched]:
        """Iterate over a list that changes leave alone, oldest first."""
        return iter(list(self._watched.values()))

    def __contains__(self, order_id: int) -> bool:
        return order_id in self._watched

    def add(self, order: Order) -> Watched:
        """Watch an order from now on."""
        watched = self._watched[order.id] = Watched(order, self._client_id(order))
        watched.number, watched.carried = self._book.resent.get(order.id, (0, 0.0))
        return watched

    def renew(self, watched: Watched, carried: float) -> None:
        """Give an order another client id: what goes out next takes the place of what traded `carried` in all."""
        order = watched.order
        watched.number, watched.carried = watched.number + 1, carried
        self._book.resent[order.id] = watched.number, carried
        # Late executions of what stood there before may name it by the venue's id alone: that stays known.
        watched.client_id, watched.venue_id = self._client_id(order), ""

    def is_current(self, watched: Watched, report: OrderReport | FillReport) -> bool:
        """Tell whether a report is about what stands for an order now, and not about what stood there before."""
        if report.client_id:
            found = order_number(report.client_id, self._book.token)
            return found is None or found[1] == watched.number
        return not watched.number or report.venue_id == watched.venue_id

    def get(self, order_id: int) -> Watched | None:
        """Return what is watched under that id of the run."""
        return self._watched.get(order_id)

    def drop(self, order_id: int) -> None:
        """Watch an order no longer."""
        watched = self._watched.pop(order_id, None)
        if watched is not None:
            self._by_venue_id.pop(watched.venue_id, None)
            if watched.number:
                self._by_venue_id = {one: number for one, number in self._by_venue_id.items() if number != order_id}
            self._last_told[order_id] = watched.told_at
            if len(self._last_told) > _REMEMBERED:
                del self._last_told[next(iter(self._last_told))]

    def is_old(self, order_id: int, report: OrderReport) -> bool:
        """Tell whether a report of an order that is done with is not newer than the word of its end."""
        return report.ts <= self._last_told.get(order_id, -1)

    def learn(self, watched: Watched, venue_id: str) -> None:
        """Take note of what the venue calls an order."""
        if venue_id and not watched.venue_id:
            watched.venue_id = venue_id
            self._by_venue_id[venue_id] = watched.order.id

    def of(self, report: OrderReport | FillReport) -> Watched | None:
        """Return the order that a report is about, if it is watched."""
        number = self._by_venue_id.get(report.venue_id) if report.venue_id else None
        if number is None:
            number = self._number(report.client_id)
        return None if number is None else self._watched.get(number)

    def ended(self, report: OrderReport | FillReport) -> Order | None:
        """Return the order of this run that a report is about, done with or not; None where it is not ours."""
        number = self._number(report.client_id)
        return None if number is None else self._book.find(number)

    def forgot(self, report: OrderReport | FillReport) -> bool:
        """Tell whether a report is about an order of this run that ended long ago, and is not kept any more."""
        number, orders = self._number(report.client_id), self._book.orders
        return number is not None and bool(orders) and number <= orders[-1].id and self._book.find(number) is None

    def knows(self, fill: Fill) -> bool:
        """Tell whether an execution was applied."""
        return self._book.knows(fill)

    def _number(self, client_id: str) -> int | None:
        found = order_number(client_id, self._book.token) if client_id else None
        return None if found is None else found[0]

    def _client_id(self, order: Order) -> str:
        return self._book.client_id(order, alphabet=self._alphabet, max_length=self._length)


class OpenOrders:
    """What can be asked about the orders that are not done with.

    Parameters
    ----------
    register
        Of all that are watched.
    terms
        Of the venue.
    """

    def __init__(self, register: Register, terms: VenueTerms) -> None:
        self.register, self._terms = register, terms

    @property
    def open(self) -> list[Order]:
        """Orders that are not done with, oldest first."""
        return [watched.order for watched in self.register]

    @property
    def unknown(self) -> list[Order]:
        """Orders of which nobody knows whether they exist."""
        return [order for order in self.open if order.status is OrderStatus.UNKNOWN]

    @property
    def unsettled(self) -> bool:
        """Whether the venue is being asked about an order, or has to be."""
        return any(
            one.asking
            or one.in_doubt
            or one.absences
            or one.ended is not None
            or one.order.status is OrderStatus.UNKNOWN
            for one in self.register
        )

    def doubt_all(self) -> list[Watched]:
        """Have every order that has left be in doubt until the venue tells of it; return them, oldest first."""
        sent = [one for one in self.register if one.sent_at is not None and one.resend_at is None]
        for watched in sent:
            watched.in_doubt = True
        return sent

    def leaves(self, request: object, now: int | None) -> None:
        """Take when a request leaves: what has not left is not asked about, for the venue would say that it has it not.

        Parameters
        ----------
        now
            None for not before the run may trade.
        """
        members = request.members if isinstance(request, SubmitGroup) else (request,)
        for watched in [self.register.get(one.order_id) for one in members if isinstance(one, Submit)]:
            if watched is not None:
                watched.sent_at = now
                watched.check_at = None if now is None else now + self._terms.settling + self._terms.confirm_within

    def concerns(self, report: FillReport) -> bool:
        """Tell whether an execution is of an order that is not done with."""
        return self.register.of(report) is not None

    def client_ids(self) -> dict[str, Order]:
        """Return the orders that are not done with by what the venue knows them by."""
        return {watched.client_id: watched.order for watched in self.register}
