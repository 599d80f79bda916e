"""Every interleaving of what a run wants, what its venue does and what the network does, eight moves deep.

The order manager itself, with one order of two lots. It is submitted, canceled and amended; the venue takes requests in
order, accepts, refuses, fills; its answers and its stream come by two roads that overtake each other. A request or an
answer gets lost (time-out), the stream is cut (disconnect), time passes, the process dies and starts again. Worlds that
are equal are gone on with once. From every one of them everything is let arrive, and both sides must tell the same.
"""

from __future__ import annotations

import pickle
from collections import Counter
from decimal import Decimal
from math import nan

import pytest

from cambist.errors import OrderStateError
from cambist.live.orders import LiveOrders
from cambist.live.requests import Amend, Cancel, FetchFills, Find, Submit
from cambist.live.watched import Outlets
from cambist.model import Instrument, Liquidity, Order, OrderStatus, OrderType, Side, TimeInForce
from cambist.model.effects import AmendOrder
from cambist.model.reports import FillReport, OrderReport, ReportedStatus
from cambist.orders.book import OrderBook
from cambist.ports.venue import Answered, Declined, Unanswered, VenueTerms

DEPTH = 8
COIN = Instrument(symbol="COIN", step_size="1", tick_size="1")
SECOND = 1_000_000_000
TERMS = VenueTerms(amends="all", settling=SECOND, confirm_within=SECOND, fills_within=1000 * SECOND)
#: By how much time passes in one move: more than every wait.
PASSES = 2 * SECOND
S, V = OrderStatus, ReportedStatus
MODIFIABLE = {S.ACCEPTED, S.PARTIALLY_FILLED}


class World:
    """Run, network and venue; what a copy of it does, the original knows nothing of."""

    def __init__(self) -> None:
        self.now = 10 * SECOND
        self.book = OrderBook("t")
        self.requests: list = []  # on their way to the venue, in order
        self.answers: list = []  # (request, outcome), in any order
        self.stream: list = []  # reports, in order
        self.submits = self.cancels = self.amends = 0
        self.gap = self.faulty = False
        #: The order at the venue: status, size, limit and sizes and prices of its executions; None while there is none.
        self.status: ReportedStatus | None = None
        self.size, self.limit, self.fills = 2, 100, []
        self.prices: list[int] = []
        self.anomalies: list[str] = []
        self.manager = self.make()

    def make(self) -> LiveOrders:
        made = LiveOrders(self.book, TERMS, Outlets(self.deliver, self.send, self.alarm, self.foreign, self.note))
        made.answers.refused = self.refused
        return made

    def refused(self, reason) -> None:
        assert reason in {"insufficient_funds", "unknown_order", "size_filled"}

    # Doors of the manager.

    def deliver(self, event) -> None:
        try:
            self.book.apply(event)
        except OrderStateError as error:
            self.anomalies.append(str(error))

    def send(self, request) -> None:
        self.requests.append(request)

    def alarm(self, word, text) -> None:
        assert word in {"amended_elsewhere", "zombie_order"}, text

    def foreign(self, report) -> None:
        raise AssertionError(report)

    def note(self, *what) -> None:
        raise AssertionError(f"it was sent anew: {what}")

    @property
    def order(self) -> Order | None:
        return self.book.orders[0] if self.book.orders else None

    # What the run wants.

    def submit(self) -> None:
        order = Order(1, COIN, Side.BUY, OrderType.LIMIT, 2.0, 100.0, nan, TimeInForce.GTC, 0, False, "s", "", self.now)
        self.book.add(order)
        self.book.submit(order, self.now)
        self.manager.submit(order, self.now)

    def cancel(self) -> None:
        self.cancels += 1
        self.book.request_cancel(self.order, self.now)
        self.manager.cancel(1, self.now)

    def amend(self, size: float, limit: float) -> None:
        self.amends += 1
        self.book.request_amend(self.order, self.now)
        self.manager.amend(AmendOrder(1, size, limit, nan), self.now)

    # What the venue does.

    @property
    def filled(self) -> int:
        return sum(self.fills)

    def report(self) -> OrderReport:
        return OrderReport(
            ts=self.now,
            symbol="COIN",
            client_id="t-1",
            venue_id="7",
            status=self.status,
            side=Side.BUY,
            type=OrderType.LIMIT,
            size=Decimal(self.size),
            filled=Decimal(self.filled),
            limit_price=Decimal(self.limit),
        )

    def execution(self, number: int) -> FillReport:
        return FillReport(
            ts=self.now,
            symbol="COIN",
            client_id="t-1",
            venue_id="7",
            trade_id=str(number + 1),
            side=Side.BUY,
            size=Decimal(self.fills[number]),
            price=Decimal(self.prices[number]),
            fee=Decimal(0),
            fee_asset="",
            liquidity=Liquidity.MAKER,
        )

    def tell(self, *words) -> None:
        if not self.gap:
            self.stream += words

    def take(self, *, refuse: bool = False) -> None:
        request = self.requests.pop(0)
        self.answers.append((request, self.done(request, refuse=refuse)))

    def done(self, request, *, refuse: bool):
        if isinstance(request, Submit):
            self.submits += 1
            if refuse:
                return Declined("insufficient_funds")
            self.status = V.OPEN
            self.tell(self.report())
            return Answered(self.report())
        if isinstance(request, FetchFills):
            return [self.execution(number) for number in range(len(self.fills))]
        if self.status is None:
            return Answered(None) if isinstance(request, Find) else Declined("unknown_order")
        if isinstance(request, Find):
            return Answered(self.report())
        if self.status.ended:
            return Declined("unknown_order")
        if isinstance(request, Cancel):
            self.status = V.CANCELED
        elif request.terms.size <= self.filled:
            return Declined("size_filled")
        else:
            self.size, self.limit = int(request.terms.size), int(request.terms.limit_price)
        self.tell(self.report())
        return Answered(self.report())

    def trade(self, lots: int) -> None:
        self.fills.append(lots)
        self.prices.append(self.limit)
        if self.filled == self.size:
            self.status = V.FILLED
        self.tell(self.execution(len(self.fills) - 1), self.report())

    # What the network does.

    def hear(self) -> None:
        report = self.stream.pop(0)
        if isinstance(report, FillReport):
            self.manager.evidence.executed(report, self.now)
        else:
            self.manager.evidence.reported(report, self.now)

    def answer(self, at: int) -> None:
        request, outcome = self.answers.pop(at)
        answers = self.manager.answers
        if isinstance(request, FetchFills):
            answers.fetched(request, outcome if isinstance(outcome, list) else None, self.now)
            return
        takes = {Submit: answers.submitted, Cancel: answers.canceled, Amend: answers.amended, Find: answers.found}
        takes[type(request)](request, outcome, self.now)

    def lose_request(self) -> None:
        self.faulty = True
        self.answers.append((self.requests.pop(0), Unanswered("lost on the way there")))

    def lose_answer(self, at: int) -> None:
        self.faulty = True
        self.answers[at] = self.answers[at][0], Unanswered("lost on the way back")

    def disconnect(self) -> None:
        self.gap = self.faulty = True
        self.stream.clear()

    def reconnect(self) -> None:
        self.gap = False
        self.manager.ask_all()

    def pass_time(self) -> None:
        self.now += PASSES
        self.manager.on_time(self.now)

    def restart(self) -> None:
        """Lose the manager and all that is on the wire; order and executions are in the journal."""
        self.faulty = True
        for road in (self.requests, self.answers, self.stream):
            road.clear()
        self.book = OrderBook.restore("t", self.book.orders, list(self.book._applied.values()))
        self.manager = self.make()
        self.gap = False
        self.manager.resume(list(self.book.open.values()), self.now)

    # The search.

    def moves(self):
        order = self.order
        if order is None:
            yield "submit", ()
            return
        if order.is_open and self.cancels < 1:
            yield "cancel", ()
        if order.status in MODIFIABLE and self.amends < 1:
            yield "amend", (3.0, 100.0)
            yield "amend", (1.0, 101.0)
        if self.requests:
            yield "take", ()
            yield "lose_request", ()
            if isinstance(self.requests[0], Submit):
                yield "refuse", ()
        if self.status is V.OPEN:
            yield "trade", (1,)
            if self.size - self.filled > 1:
                yield "trade", (self.size - self.filled,)
        if self.stream:
            yield "hear", ()
        for at, (_, outcome) in enumerate(self.answers):
            yield "answer", (at,)
            if not isinstance(outcome, Unanswered):
                yield "lose_answer", (at,)
        yield ("reconnect" if self.gap else "disconnect"), ()
        yield "pass_time", ()
        yield "restart", ()

    def refuse(self) -> None:
        self.take(refuse=True)

    def key(self):
        """Return all that what may come depends on; times by how long ago they are."""
        order = self.order
        if order is None:
            return None
        watched = self.manager.register.get(1)
        seen = None
        if watched is not None:
            due = None if watched.check_at is None else watched.check_at - self.now
            settled = watched.sent_at is not None and self.now - watched.sent_at >= TERMS.settling
            ended = None if watched.ended is None else (watched.ended.status, watched.ended.filled)
            seen = (watched.venue_id, settled, watched.asking, watched.overtaken, due, watched.absences)
            seen += (watched.cancels, repr(watched.wanted), ended, watched.told_at - self.now)
        ours = (order.status, order.size, order.limit_price, order.filled, order.accepted, len(self.book._applied))
        theirs = (self.status, self.size, self.limit, tuple(self.fills), tuple(self.prices), self.submits)
        wire = (
            tuple(map(_plain, self.requests)),
            tuple(sorted((_plain(one), self._plain_outcome(outcome)) for one, outcome in self.answers)),
            tuple(map(self._plain_report, self.stream)),
        )
        return ours, seen, theirs, wire, self.cancels, self.amends, self.gap

    def _plain_report(self, report) -> str:
        if isinstance(report, FillReport):
            return f"trade {report.trade_id}"
        return f"{report.status} {report.size} {report.limit_price} {report.filled} {report.ts - self.now}"

    def _plain_outcome(self, outcome) -> str:
        if isinstance(outcome, Answered):
            return "none" if outcome.report is None else self._plain_report(outcome.report)
        return f"{len(outcome)} fills" if isinstance(outcome, list) else type(outcome).__name__ + str(outcome)

    # What must hold.

    def check(self) -> None:
        order = self.order
        assert self.submits <= 1, "the order was sent twice"
        assert not self.anomalies
        if order is None:
            return
        assert 0 <= order.filled <= self.filled
        assert order.filled <= order.size
        assert (order.status is S.FILLED) == (order.filled == order.size)
        if order.status in {S.CANCELED, S.EXPIRED} and order.reason != "vanished":
            assert self.status is not V.OPEN

    def settle(self) -> None:
        """Let everything arrive, with time for what is asked again; then both sides tell the same."""
        self.gap = False
        for audit in range(2):
            if audit:
                self.manager.ask_all()
            for _ in range(6):
                while self.requests or self.answers or self.stream:
                    if self.requests:
                        self.take()
                    elif self.answers:
                        self.answer(0)
                    else:
                        self.hear()
                if self.manager.evidence.next_due() is None:
                    break
                self.pass_time()
        self.check()
        order = self.order
        if order is None:
            return
        assert order.filled == self.filled, (order.status, order.filled, self.status, self.fills)
        if self.status is None:
            assert order.status is S.REJECTED
        elif self.status is V.OPEN:
            assert order.status in MODIFIABLE
            assert (order.size, order.limit_price) == (self.size, self.limit)
        else:
            assert order.status is (S.FILLED if self.status is V.FILLED else S.CANCELED)
        assert not self.manager.unsettled


def _plain(request) -> str:
    terms = f" {request.terms.size} {request.terms.limit_price}" if isinstance(request, Amend) else ""
    return type(request).__name__ + terms


def explore():
    """Return every world within reach, pickled, with the moves that lead there, and how often each move was made."""
    first = World()
    seen, taken = {first.key()}, Counter()
    edge = [(pickle.dumps(first), ())]
    every = list(edge)
    for _ in range(DEPTH):
        following = []
        for data, path in edge:
            for name, arguments in list(pickle.loads(data).moves()):
                world = pickle.loads(data)
                getattr(world, name)(*arguments)
                taken[name] += 1
                key = world.key()
                if key not in seen:
                    seen.add(key)
                    world.check()
                    following.append((pickle.dumps(world), (*path, (name, *arguments))))
        every += following
        edge = following
    return every, taken


@pytest.fixture(scope="module")
def explored():
    return explore()


@pytest.mark.slow
def test_every_interleaving_settles_on_what_the_venue_says(explored):
    worlds, _ = explored
    assert len(worlds) > 3_000
    for data, path in worlds:
        world = pickle.loads(data)
        try:
            world.settle()
        except AssertionError as error:
            raise AssertionError(f"after {path}: {error}") from error


def test_the_search_meets_what_it_is_for(explored):
    worlds, taken = explored
    ours = {"submit", "cancel", "amend"}
    network = {"hear", "answer", "lose_request", "lose_answer", "disconnect", "reconnect", "pass_time", "restart"}
    assert set(taken) == ours | network | {"take", "refuse", "trade"}
    met = {pickle.loads(data).order.status for data, path in worlds if path}
    assert met >= set(S) - {S.CREATED, S.TRIGGERED, S.EXPIRED}
