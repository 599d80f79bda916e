"""The order book against a plain one: a flat list that is searched for the best order again for every single lot."""

from __future__ import annotations

from collections import defaultdict
from copy import deepcopy

import attrs
import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cambist.model.orders import Side, TimeInForce
from cambist.simulation.book import (
    BookAmended,
    BookCanceled,
    BookOrder,
    BookReduced,
    BookTrade,
    LimitOrderBook,
    SelfTrade,
)

SIDES = st.sampled_from(list(Side))
SIZES = st.integers(1, 9)
PRICES = st.integers(1, 7)
OWNERS = st.sampled_from(["ann", "bob", "cid"])
MODES = st.sampled_from(list(SelfTrade))


@attrs.define
class Plain:
    """A resting order of the plain book."""

    order: BookOrder
    price: int
    remaining: int
    shown: int
    turn: int


class PlainBook:
    """What an order book does, one lot at a time."""

    def __init__(self):
        self.resting = []
        self.turn = 0
        self.told = []

    def best_for(self, side, price):
        """Whom an arriving order meets next."""
        facing = [one for one in self.resting if one.order.side is not side]
        if price is not None:
            facing = [one for one in facing if (one.price <= price if side is Side.BUY else one.price >= price)]
        sign = 1 if side is Side.BUY else -1
        return min(facing, key=lambda one: (sign * one.price, one.turn), default=None)

    def next_turn(self):
        self.turn += 1
        return self.turn

    def tell(self, kind, *what):
        self.told.append((kind, *what))

    def submit(self, order):
        if order.post_only and self.best_for(order.side, order.price) is not None:
            self.tell("BookRejected", order.id, order.owner, "submit", "would_take")
            return
        if order.time_in_force is TimeInForce.FOK:
            trial = deepcopy(self)
            trial.told = []
            trial.arrive(msgspec.structs.replace(order, time_in_force=TimeInForce.IOC), order.size)
            if sum(one[-1] for one in trial.told if one[0] == "BookTrade") < order.size:
                self.tell("BookCanceled", order.id, order.owner, order.size, "unfilled")
                return
        self.arrive(order, order.size)

    def arrive(self, order, left):
        refreshed = True
        while left:
            maker = self.best_for(order.side, order.price)
            if maker is None:
                break
            who = maker.order
            if who.owner == order.owner and order.self_trade is not SelfTrade.ALLOW:
                left = self.avoid(order, left, maker)
                continue
            last = self.told[-1] if self.told else ("",)
            if not refreshed and last[0] == "BookTrade" and last[3] == who.id and last[1] == order.id:
                self.told[-1] = (*last[:-1], last[-1] + 1)
            else:
                self.tell("BookTrade", order.id, order.owner, who.id, who.owner, order.side, maker.price, 1)
            refreshed = False
            left -= 1
            maker.remaining -= 1
            maker.shown -= 1
            if maker.remaining == 0:
                self.resting.remove(maker)
            elif maker.shown == 0:
                maker.shown = min(who.display, maker.remaining)
                maker.turn = self.next_turn()
                refreshed = True
                self.tell("BookRefreshed", who.id, who.owner, maker.shown)
        if not left:
            return
        if order.price is None or order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
            self.tell("BookCanceled", order.id, order.owner, left, "unfilled")
            return
        shown = left if order.display is None else min(order.display, left)
        self.resting.append(Plain(order, order.price, left, shown, self.next_turn()))
        self.tell("BookRested", order.id, order.owner, order.side, order.price, left, shown)

    def avoid(self, order, left, maker):
        mode = order.self_trade
        if mode is SelfTrade.DECREMENT:
            size = min(left, maker.remaining)
            for one, before in ((maker.order, maker.remaining), (order, left)):
                if before == size:
                    self.tell("BookCanceled", one.id, one.owner, size, "self_trade")
                else:
                    self.tell("BookReduced", one.id, one.owner, size, before - size)
            maker.remaining -= size
            maker.shown = min(maker.shown, maker.remaining)
            if not maker.remaining:
                self.resting.remove(maker)
            return left - size
        if mode is not SelfTrade.CANCEL_NEWEST:
            self.resting.remove(maker)
            self.tell("BookCanceled", maker.order.id, maker.order.owner, maker.remaining, "self_trade")
        if mode is SelfTrade.CANCEL_OLDEST:
            return left
        self.tell("BookCanceled", order.id, order.owner, left, "self_trade")
        return 0

    def find(self, number):
        return next((one for one in self.resting if one.order.id == number), None)

    def cancel(self, number):
        found = self.find(number)
        if found is None:
            self.tell("BookRejected", number, "", "cancel", "unknown_order")
            return
        self.resting.remove(found)
        self.tell("BookCanceled", number, found.order.owner, found.remaining, "canceled")

    def amend(self, number, size, price):
        found = self.find(number)
        if found is None:
            self.tell("BookRejected", number, "", "amend", "unknown_order")
            return
        order = found.order
        size, price = size or order.size, price or found.price
        left = found.remaining - order.size + size
        display = order.display and min(order.display, size)
        new = msgspec.structs.replace(order, size=size, price=price, display=display)
        if left <= 0:
            self.tell("BookRejected", number, order.owner, "amend", "size_filled")
        elif price == found.price and size <= order.size:
            found.order, found.remaining, found.shown = new, left, min(found.shown, left)
            self.tell("BookAmended", number, order.owner, price, size, True)
        elif order.post_only and self.best_for(order.side, price) is not None:
            self.tell("BookRejected", number, order.owner, "amend", "would_take")
        else:
            self.resting.remove(found)
            self.tell("BookAmended", number, order.owner, price, size, False)
            self.arrive(new, left)


class BookMachine(RuleBasedStateMachine):
    """Both books get the same requests and must say the same, word for word."""

    def __init__(self):
        super().__init__()
        self.book, self.plain = LimitOrderBook(), PlainBook()
        self.orders = {}
        self.gone = defaultdict(int)  # lots of each order that traded, were canceled or taken off

    def both(self, request, *arguments):
        events = getattr(self.book, request)(*arguments)
        self.plain.told = []
        getattr(self.plain, request)(*arguments)
        self.compare(events)

    def compare(self, events):
        assert [(type(event).__name__, *msgspec.structs.astuple(event)) for event in events] == self.plain.told
        for event in events:
            if isinstance(event, BookTrade):
                self.gone[event.order_id] += event.size
                self.gone[event.maker_id] += event.size
            elif isinstance(event, BookCanceled | BookReduced):
                self.gone[event.order_id] += event.size
            elif isinstance(event, BookAmended):
                self.orders[event.order_id] = event.size

    def new(self, **terms):
        order = BookOrder(id=len(self.orders) + 1, **terms)
        self.orders[order.id] = order.size
        self.both("submit", order)

    @rule(
        owner=OWNERS,
        side=SIDES,
        size=SIZES,
        price=PRICES,
        post_only=st.booleans(),
        display=st.none() | st.integers(1, 3),
        self_trade=MODES,
    )
    def rest(self, size, display, **terms):
        self.new(size=size, display=display and min(display, size), **terms)

    @rule(
        owner=OWNERS,
        side=SIDES,
        size=SIZES,
        price=st.none() | PRICES,
        time_in_force=st.sampled_from([TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.FOK]),
        self_trade=MODES,
    )
    def take(self, **terms):
        self.new(**terms)

    @precondition(lambda self: self.orders)
    @rule(pick=st.integers(0, 30))
    def cancel(self, pick):
        self.both("cancel", pick % len(self.orders) + 1)

    @precondition(lambda self: self.orders)
    @rule(pick=st.integers(0, 30), size=st.none() | SIZES, price=st.none() | PRICES)
    def amend(self, pick, size, price):
        resting = self.book.orders(Side.BUY) + self.book.orders(Side.SELL)
        number = resting[pick % len(resting)].order.id if resting else pick + 1
        events = self.book.amend(number, size=size, price=price)
        self.plain.told = []
        self.plain.amend(number, size, price)
        self.compare(events)

    @invariant()
    def queues_are_equal(self):
        for side in Side:
            sign = -1 if side is Side.BUY else 1
            plain = [one for one in self.plain.resting if one.order.side is side]
            plain.sort(key=lambda one: (sign * one.price, one.turn))
            found = self.book.orders(side)
            assert [(one.order, one.price, one.remaining, one.displayed) for one in found] == [
                (one.order, one.price, one.remaining, one.shown) for one in plain
            ]
            levels = self.book.depth().bids if side is Side.BUY else self.book.depth().asks
            shown = defaultdict(lambda: [0, 0])
            for one in plain:
                shown[one.price][0] += one.shown
                shown[one.price][1] += 1
            assert [(level.price, [level.size, level.orders]) for level in levels] == list(shown.items())
            assert levels[:2] == (self.book.depth(2).bids if side is Side.BUY else self.book.depth(2).asks)

    @invariant()
    def the_book_is_not_crossed(self):
        bid, ask = self.book.best_bid, self.book.best_ask
        assert bid is None or ask is None or bid < ask

    @invariant()
    def no_lot_is_made_or_lost(self):
        left = {one.order.id: one.remaining for side in Side for one in self.book.orders(side)}
        for number, size in self.orders.items():
            if number in left:
                assert self.gone[number] + left[number] == size
            elif self.gone[number]:
                assert self.gone[number] == size

    @invariant()
    def what_is_ahead_is_what_stands_before(self):
        for side in Side:
            seen = defaultdict(int)
            for one in self.book.orders(side):
                assert self.book.size_ahead(one.order.id) == seen[one.price]
                seen[one.price] += one.displayed


BookMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=30)
TestOrderBook = BookMachine.TestCase
