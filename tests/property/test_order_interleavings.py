"""Every interleaving of what we do, what a truthful venue does and what the network does, nine moves deep.

One order, of two units. We submit it, ask to cancel and to amend it; the venue takes our requests in order, fills,
cancels, amends and rejects; its words come by three roads that overtake each other, as they do at real venues:
the answers to our requests, the stream of order updates, the stream of executions. The network loses an answer
(timeout) or everything under way (disconnect, restart). A state is plain values: every single step builds the
book anew from them through JSON, so that nothing but an order's own fields can carry the machine on.
"""

from __future__ import annotations

import json
from collections import Counter
from math import nan

import attrs
import pytest

from cambist.errors import OrderStateError
from cambist.model import Fill, Instrument, Liquidity, Order, OrderStatus, OrderType, Side, TimeInForce
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
    OutcomeUnknown,
)
from cambist.orders import TERMINAL, OrderBook

DEPTH = 9
COIN = Instrument(symbol="COIN", step_size="1")
PRICE = 100.0
SIZE, LARGER, SMALLER = 2, 3, 1
S = OrderStatus
MET: Counter[str] = Counter()
NEVER_CONFIRMED = {S.SUBMITTED, S.PENDING_CANCEL, S.PENDING_REPLACE}


@attrs.frozen(cache_hash=True)
class World:
    """Everything there is, in plain values."""

    #: Our side: the order's fields as JSON, and the ids of the fills we applied.
    local: str
    applied: tuple[int, ...] = ()
    #: The venue's side: "" (never heard of it), live, filled, canceled, expired or rejected; size; sizes of its fills.
    venue: str = ""
    size: int = SIZE
    fills: tuple[int, ...] = ()
    #: Under way: requests to the venue, and its words on each road.
    requests: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    updates: tuple[str, ...] = ()
    executions: tuple[int, ...] = ()
    #: Disconnected, and not reconciled since.
    gap: bool = False
    #: Something was given up without a disconnect: the answer to the submit, or a request on its way.
    timed_out: bool = False
    lost: bool = False
    cancels: int = 0
    amends: int = 0


FIELDS = ("size", "status", "reason", "filled", "average_price", "fees", "accepted", "triggered", "updated_at")


def freeze(order: Order) -> str:
    return json.dumps([getattr(order, name) for name in FIELDS])


def thaw(world: World) -> tuple[OrderBook, Order]:
    order = a_new_order()
    for name, value in zip(FIELDS, json.loads(world.local), strict=True):
        setattr(order, name, value)
    order.status = S(order.status)
    return OrderBook.restore("t", [order], [fill(world, number) for number in world.applied]), order


def a_new_order() -> Order:
    gtc = TimeInForce.GTC
    return Order(1, COIN, Side.BUY, OrderType.LIMIT, float(SIZE), PRICE, nan, gtc, 0, False, "", "", 0)


def fill(world: World, number: int) -> Fill:
    return Fill(number, 1, COIN, Side.BUY, float(world.fills[number - 1]), PRICE, 0.0, Liquidity.MAKER, 0)


def keep(world: World, order: Order, **changes: object) -> World:
    return attrs.evolve(world, local=freeze(order), **changes)


def event_of(word: str):
    kind, _, size = word.partition(" ")
    if kind == "amended":
        return OrderAmended(0, 1, float(size), PRICE, nan)
    return {
        "accepted": OrderAccepted,
        "rejected": OrderRejected,
        "canceled": OrderCanceled,
        "expired": OrderExpired,
        "cancel refused": CancelRejected,
        "amend refused": AmendRejected,
    }[word](0, 1)


def without(items: tuple, item: object) -> tuple:
    at = items.index(item)
    return items[:at] + items[at + 1 :]


# What we do.


def our_moves(world: World):
    _, order = thaw(world)
    status = order.status
    if world.gap:
        return
    if status is S.CREATED:
        yield "submit", ask(world, "submit", "submit")
        return
    if status in TERMINAL:
        return
    if world.cancels < 2:
        yield "cancel request", attrs.evolve(ask(world, "request_cancel", "cancel"), cancels=world.cancels + 1)
    if world.amends < 2 and status not in {S.UNKNOWN, S.PENDING_CANCEL, S.PENDING_REPLACE}:
        for size in (LARGER, SMALLER):
            after = ask(world, "request_amend", f"amend {size}")
            yield "amend request", attrs.evolve(after, amends=world.amends + 1)


def ask(world: World, method: str, request: str) -> World:
    book, order = thaw(world)
    getattr(book, method)(order, 0)
    return keep(world, order, requests=(*world.requests, request))


# What the venue does. It never lies.


def venue_moves(world: World):
    if world.requests:
        yield "venue takes request", take(world, accept=True)
        if world.requests[0] == "submit":
            yield "venue refuses", take(world, accept=False)
    if world.venue == "live":
        left = world.size - sum(world.fills)
        if left > 1:
            yield "partial fill", trade(world, 1)
        yield "full fill", trade(world, left)
        yield "venue expires", tell(attrs.evolve(world, venue="expired"), "expired", answer=None)


def take(world: World, *, accept: bool) -> World:
    request, rest = world.requests[0], world.requests[1:]
    world = attrs.evolve(world, requests=rest)
    if request == "submit":
        word = "accepted" if accept else "rejected"
        return tell(attrs.evolve(world, venue="live" if accept else "rejected"), word, answer=word)
    if request == "cancel":
        if world.venue != "live":
            return tell(world, None, answer="cancel refused")
        return tell(attrs.evolve(world, venue="canceled"), "canceled", answer="canceled")
    size = int(request.split()[1])
    if world.venue != "live" or size <= sum(world.fills):
        return tell(world, None, answer="amend refused")
    # An amend is told by the stream alone: an answer that comes late would bring back terms that are gone.
    return tell(attrs.evolve(world, size=size), f"amended {size}", answer=None)


def trade(world: World, size: int) -> World:
    fills = (*world.fills, size)
    venue = "filled" if sum(fills) == world.size else "live"
    heard = world.executions if world.gap else (*world.executions, len(fills))
    return attrs.evolve(world, fills=fills, venue=venue, executions=heard)


def tell(world: World, update: str | None, *, answer: str | None) -> World:
    answers = world.answers if answer is None else tuple(sorted((*world.answers, answer)))
    updates = world.updates if update is None or world.gap else (*world.updates, update)
    return attrs.evolve(world, answers=answers, updates=updates)


# What the network does.


def network_moves(world: World):
    for word in dict.fromkeys(world.answers):
        yield word, deliver(world, word, answers=without(world.answers, word))
    if world.updates:
        yield world.updates[0], deliver(world, world.updates[0], updates=world.updates[1:])
    if world.executions:
        yield "execution", execute(world)
    _, order = thaw(world)
    if order.status is not S.CREATED and not world.gap:
        if not world.timed_out:
            yield "timeout", time_out(world)
        if world.requests and not world.lost:
            yield "request lost", attrs.evolve(world, requests=world.requests[1:], lost=True)
        yield "disconnect", cut(world)
    if world.gap:
        yield "reconcile", reconcile(world)


def deliver(world: World, word: str, **changes: object) -> World:
    """A truthful venue's word is never refused: an `OrderStateError` here fails the search."""
    book, order = thaw(world)
    before = order.status
    book.apply(event_of(word))
    if before in TERMINAL and order.status is not before:
        assert before is S.FILLED
        assert word.startswith("amended")
        MET["an order was filled, and then was not"] += 1
    return keep(world, order, **changes)


def execute(world: World) -> World:
    number = world.executions[0]
    book, order = thaw(world)
    before = order.status
    try:
        changed = book.apply(OrderFilled(0, 1, fill(world, number)))
    except OrderStateError:
        # The one thing a truthful venue can be refused: a fill that overtook the word that made room for it.
        assert any(word.startswith("amended") for word in world.updates)
        assert freeze(order) == world.local
        assert len(book.anomalies) == 1
        MET["a fill was refused until its amend came"] += 1
        return world
    if before in TERMINAL and changed is not None:
        MET["a fill came late"] += 1
    assert (changed is None) == (number in world.applied)
    applied = tuple(sorted({*world.applied, number}))
    return keep(world, order, executions=world.executions[1:], applied=applied)


def time_out(world: World) -> World:
    """The answer to the submit is given up, whether or not it is on its way."""
    answers = tuple(word for word in world.answers if word not in {"accepted", "rejected"})
    book, order = thaw(world)
    book.apply(OutcomeUnknown(0, 1, "no answer"))
    return keep(world, order, answers=answers, timed_out=True)


def cut(world: World) -> World:
    """Everything under way is lost, in both directions; what was sent and never confirmed is UNKNOWN."""
    book, order = thaw(world)
    if order.status in NEVER_CONFIRMED and not order.accepted:
        book.apply(OutcomeUnknown(0, 1, "no answer"))
    return keep(world, order, requests=(), answers=(), updates=(), executions=(), gap=True)


def reconcile(world: World) -> World:
    """Ask the venue, and put what it says through the machine; it must fit."""
    book, order = thaw(world)
    if world.venue in {"", "rejected"}:
        if order.status in NEVER_CONFIRMED:
            book.apply(OutcomeUnknown(0, 1, "no answer"))
        if order.status is S.UNKNOWN:
            book.apply(OrderNotFound(0, order.id))
        return keep(world, order, gap=False)
    if not order.accepted and order.status not in TERMINAL:
        book.apply(OrderAccepted(0, 1))
    if order.size != world.size:
        book.apply(OrderAmended(0, 1, float(world.size), PRICE, nan))
    for number in range(1, len(world.fills) + 1):
        assert (book.apply(OrderFilled(0, 1, fill(world, number))) is None) == (number in world.applied)
    if world.venue in {"canceled", "expired"}:
        book.apply(event_of(world.venue))
    elif order.status is S.PENDING_CANCEL:
        book.apply(CancelRejected(0, 1))
    elif order.status is S.PENDING_REPLACE:
        book.apply(AmendRejected(0, 1))
    return keep(world, order, gap=False, applied=tuple(range(1, len(world.fills) + 1)))


# What must hold.


def check(world: World) -> None:
    book, order = thaw(world)
    filled = sum(world.fills[number - 1] for number in world.applied)
    assert order.filled == filled <= sum(world.fills)
    assert order.filled <= order.size
    assert (order.status is S.FILLED) == (order.filled == order.size)
    assert order.filled == 0 or (order.average_price == PRICE and order.accepted)
    assert order.status is not S.REJECTED or order.filled == 0
    assert (1 in book.open) == (order.status not in TERMINAL)
    if order.status in {S.CREATED, S.SUBMITTED, S.UNKNOWN}:
        assert not order.accepted
    if order.status in {S.CANCELED, S.EXPIRED, S.REJECTED}:
        assert world.venue not in {"live", "filled"}
    if order.status is S.UNKNOWN:
        assert world.timed_out or world.gap or world.venue == ""


def settle(world: World) -> None:
    """Let everything arrive; then both sides must tell the same, and telling it again must change nothing."""
    while world.requests:
        world = take(world, accept=True)
    while world.updates:
        world = deliver(world, world.updates[0], updates=world.updates[1:])
    while world.executions:
        left = len(world.executions)
        world = execute(world)
        assert len(world.executions) < left
    while world.answers:
        world = deliver(world, world.answers[0], answers=world.answers[1:])
    check(world)
    if world.gap or world.timed_out or world.lost:
        world = reconcile(world)
        check(world)
    agree(world)
    again = reconcile(world)
    assert again == world


def agree(world: World) -> None:
    _, order = thaw(world)
    status = {
        "": S.REJECTED,
        "live": S.PARTIALLY_FILLED if world.fills else S.ACCEPTED,
        "filled": S.FILLED,
        "canceled": S.CANCELED,
        "expired": S.EXPIRED,
        "rejected": S.REJECTED,
    }[world.venue]
    if order.status is S.CREATED:
        assert world.venue == ""
        return
    assert order.status is status
    assert order.filled == sum(world.fills)
    if world.venue not in {"", "rejected"}:
        assert order.size == world.size


def moves(world: World):
    yield from our_moves(world)
    yield from venue_moves(world)
    yield from network_moves(world)


@pytest.fixture(scope="module")
def explored():
    """Every state within reach, and how often each move was made."""
    MET.clear()
    seen, taken = {World(freeze(a_new_order()))}, Counter()
    edge = list(seen)
    for _ in range(DEPTH):
        following = []
        for world in edge:
            for name, after in moves(world):
                taken[name] += 1
                if after not in seen:
                    seen.add(after)
                    following.append(after)
        edge = following
    return seen, taken


def test_every_state_within_reach_keeps_the_invariants(explored):
    for world in explored[0]:
        check(world)


def test_every_state_within_reach_settles_on_what_the_venue_says(explored):
    for world in explored[0]:
        settle(world)
    assert set(MET) == {
        "a fill came late",
        "a fill was refused until its amend came",
        "an order was filled, and then was not",
    }


def test_the_search_meets_what_it_is_for(explored):
    seen, taken = explored
    ours = {"submit", "cancel request", "amend request"}
    venues = {"venue takes request", "venue refuses", "partial fill", "full fill", "venue expires"}
    words = {"accepted", "rejected", "canceled", "expired", "cancel refused", "amend refused", "amended 3", "amended 1"}
    network = {"execution", "timeout", "request lost", "disconnect", "reconcile"}
    assert set(taken) == ours | venues | words | network
    assert {thaw(world)[1].status for world in seen} == set(OrderStatus) - {S.TRIGGERED}
    assert len(seen) > 5_000
