"""Orders that the venue works as one: what leaves, what is journalled, and what follows from what the venue says."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from math import nan
from types import SimpleNamespace

import msgspec
import pytest

from cambist.live.dispatch import Dispatcher
from cambist.live.groups import Native
from cambist.live.orders import LiveOrders
from cambist.live.requests import Cancel, Find, Submit, SubmitGroup
from cambist.live.watched import Outlets
from cambist.model import Instructions, Instrument, Liquidity, Order, OrderStatus, OrderType, Side, TimeInForce, Trail
from cambist.model.effects import AmendOrder
from cambist.model.reports import FillReport, OrderReport, ReportedStatus
from cambist.orders.book import OrderBook
from cambist.orders.families import families
from cambist.ports.venue import Answered, Declined, OrderKey, Unanswered, VenueTerms

COIN = Instrument(symbol="BTC/USDT", base="BTC", quote="USDT", tick_size="0.01", step_size="0.001", taker_fee=0.001)
SECOND = 1_000_000_000
T, S, R = OrderType, OrderStatus, ReportedStatus
TERMS = VenueTerms(
    native=frozenset({T.MARKET, T.LIMIT, T.STOP}), amends="smaller", settling=SECOND, confirm_within=SECOND
)


def no_group(orders):
    """A venue whose lists begin with limit orders."""
    entry = orders[0] if any(one.parent == orders[0].id for one in orders[1:]) else None
    return "not with a market order" if entry is not None and entry.type is not T.LIMIT else ""


class Play:
    """A book that survives, managers that do not, and a venue that says what a test has it say."""

    def __init__(self):
        self.book, self.now, self.native = OrderBook("run7"), SECOND, Native(no_group, lambda _order: "")
        self.begin()

    def begin(self, **more):
        self.said, self.alarms = [], []
        out = Outlets(
            self.book.apply,
            self.said.append,
            lambda word, _text: self.alarms.append(word),
            lambda _: None,
            entrust=lambda _ts, numbers, _first, state: self.said.append((state, numbers)),
        )
        self.manager = LiveOrders(self.book, TERMS, out, native=self.native, **more)

    def restart(self, **more):
        entrusted, resent = dict(self.book.entrusted), dict(self.book.resent)
        self.book = OrderBook.restore("run7", self.book.orders, list(self.book._applied.values()))
        self.book.entrusted.update(entrusted)
        self.book.resent.update(resent)
        self.begin(**more)
        self.manager.resume(list(self.book.open.values()), self.now)

    def make(self, kind, side=Side.SELL, limit=nan, stop=nan, **ties):
        number, closes = self.book.next_id(), bool(ties.get("parent"))
        order = Order(number, COIN, side, kind, 0.1, limit, stop, TimeInForce.GTC, 0, closes, "s", "", self.now)
        order.instructions = Instructions(**ties)
        self.book.submit(self.book.add(order), self.now)
        return order

    def send(self, *orders):
        (family,) = families(orders)
        if not self.manager.submit_family(family, self.now):
            for order in orders:
                self.manager.submit(order, self.now)
        return orders

    def bracket(self, kind=T.LIMIT):
        entry = self.make(kind, Side.BUY, limit=100.0 if kind is T.LIMIT else nan)
        stop = self.make(T.STOP, stop=90.0, parent=entry.id)
        return self.send(entry, stop, self.make(T.LIMIT, limit=110.0, parent=entry.id, oco=stop.id))

    def pair(self):
        stop = self.make(T.STOP, stop=90.0)
        return self.send(stop, self.make(T.LIMIT, limit=110.0, oco=stop.id))

    def report(self, order, status=R.OPEN, filled="0"):
        carried = Decimal(repr(self.book.resent.get(order.id, (0, 0.0))[1]))
        return OrderReport(
            ts=self.now,
            symbol=COIN.symbol,
            client_id=self.book.client_id(order),
            venue_id=f"{order.id}-{self.book.resent.get(order.id, (0, 0.0))[0]}",
            status=status,
            side=order.side,
            type=order.type,
            size=Decimal(repr(order.size)) - carried,
            filled=Decimal(filled),
            limit_price=None if order.limit_price != order.limit_price else Decimal(repr(order.limit_price)),
            stop_price=None if order.stop_price != order.stop_price else Decimal(repr(order.stop_price)),
        )

    def tell(self, status, *orders, filled="0"):
        for order in orders:
            self.manager.evidence.reported(self.report(order, status, filled), self.now)

    def filled(self, order, size="0.1"):
        fill = FillReport(
            ts=self.now,
            symbol=COIN.symbol,
            client_id=self.book.client_id(order),
            venue_id="",
            trade_id=f"{order.id} {size}",
            side=order.side,
            size=Decimal(size),
            price=Decimal(100),
            fee=Decimal(0),
            fee_asset="USDT",
            liquidity=Liquidity.MAKER,
        )
        self.manager.evidence.executed(fill, self.now)

    def answer(self, outcome):
        """Answer the last request for several orders, the same for each."""
        request = next(one for one in reversed(self.said) if isinstance(one, SubmitGroup))
        self.manager.answers.group_submitted(request, [outcome] * len(request.members), self.now)

    def ask(self, known=()):
        """Let time pass, and answer what was asked about orders: the venue has those that are known, and no other."""
        self.now += 2 * SECOND
        self.manager.on_time(self.now)
        for request in [one for one in self.said if isinstance(one, Find)]:
            self.said.remove(request)
            order = self.book.get(request.order_id)
            report = self.report(order) if order in known else None
            self.manager.answers.found(request, Answered(report), self.now)

    def sent(self, kind=SubmitGroup):
        """What left: of each request the orders that it is about."""
        numbers = []
        for one in self.said:
            if isinstance(one, kind):
                members = one.members if isinstance(one, SubmitGroup) else [one]
                numbers.append([member.order_id for member in members])
        return numbers

    def statuses(self, *orders):
        return [(order.status, order.reason) for order in orders]


@pytest.fixture
def play():
    return Play()


def ids(orders):
    return [order.id for order in orders]


def test_all_of_a_list_are_journalled_before_it_leaves(play):
    orders = play.bracket()
    (noted, sent) = play.said
    assert noted == ("sent", ids(orders))
    assert [one.order_id for one in sent.members] == ids(orders)
    assert [one.key.client_id for one in sent.members] == ["run7-1", "run7-2", "run7-3"]


def test_word_of_one_proves_that_the_venue_has_all(play):
    orders = play.bracket()
    play.answer(Unanswered("cut off"))
    assert {order.status for order in orders} == {S.UNKNOWN}
    play.tell(R.OPEN, orders[2])
    assert {order.status for order in orders} == {S.ACCEPTED}


def test_none_is_given_up_while_one_may_be_there(play):
    orders = play.bracket()
    play.answer(Unanswered("cut off"))
    for _ in range(3):
        play.ask()
    assert play.statuses(*orders) == [
        (S.REJECTED, "never arrived at the venue"),
        (S.CANCELED, "parent_ended"),
        (S.CANCELED, "parent_ended"),
    ]
    assert play.alarms == []


def test_one_that_is_found_keeps_the_others(play):
    entry, stop, target = play.bracket()
    play.answer(Unanswered("cut off"))
    play.ask(known=[target])
    play.ask(known=[target])
    assert entry.is_open
    assert stop.is_open
    assert entry.accepted


@pytest.mark.parametrize("reason", ["insufficient_funds", "killed", "rate_limit"])
def test_a_list_that_is_refused_ends_whole(play, reason):
    orders = play.bracket()
    play.answer(Declined(reason))
    assert play.statuses(*orders) == [(S.REJECTED, reason), (S.CANCELED, "parent_ended"), (S.CANCELED, "parent_ended")]
    assert play.manager.open == []


def test_where_the_venue_takes_no_such_list_the_entry_goes_alone_and_the_run_holds_the_rest(play):
    entry, stop, target = play.bracket()
    play.said.clear()
    play.answers = play.manager.answers
    request = SubmitGroup(
        order_id=entry.id,
        key=OrderKey(COIN.symbol, "run7-1"),
        members=tuple(play.manager.register.get(one.id).submit for one in (entry, stop, target)),
    )
    play.manager.answers.group_submitted(request, [Declined("list_terms")] * 3, play.now)
    assert play.said[-1] == ("held", ids((entry, stop, target)))
    assert play.sent(Submit) == [[entry.id]]
    assert play.book.entrusted == {}
    play.tell(R.OPEN, entry)
    play.filled(entry)
    play.manager.on_price(COIN.symbol, 89.0, play.now)  # the run watches the price for it
    assert stop.triggered


def test_what_closes_a_market_entry_waits_for_all_of_it_and_goes_as_a_list(play):
    entry, stop, target = play.bracket(T.MARKET)
    assert play.sent(Submit) == [[entry.id]]
    assert ("waits", [stop.id, target.id]) in play.said
    play.filled(entry, "0.04")
    assert play.sent() == []
    play.filled(entry, "0.06")
    assert play.sent() == [[stop.id, target.id]]


def test_what_waits_is_canceled_and_changed_without_asking_the_venue(play):
    _, stop, target = play.bracket(T.MARKET)
    play.manager.amend(AmendOrder(stop.id, 0.1, nan, 95.0), play.now)
    assert stop.stop_price == 95.0
    play.manager.cancel(target.id, play.now)
    assert play.statuses(stop, target) == [(S.CANCELED, "oco"), (S.CANCELED, "")]
    assert play.sent(Cancel) == []


@pytest.mark.parametrize("until", [0, 1])
def test_what_waited_goes_on_after_a_restart(play, until):
    entry, stop, target = play.bracket(T.MARKET)
    if until:
        play.tell(R.OPEN, entry)
        play.filled(entry)
        play.book.entrust([stop.id, target.id], entry.id, "waits")  # the process died before the list was journalled
    play.restart()
    assert play.sent() == ([[stop.id, target.id]] if until else [])
    play.filled(entry)
    assert play.sent() == [[stop.id, target.id]]


def test_a_leg_that_ends_because_the_other_trades_is_canceled_as_in_a_backtest(play):
    stop, target = play.pair()
    play.tell(R.OPEN, stop, target)
    play.tell(R.EXPIRED, stop)
    assert play.statuses(stop) == [(S.CANCELED, "oco")]
    play.filled(target)
    assert target.status is S.FILLED
    assert play.sent(Cancel) == []
    assert play.alarms == []


def test_a_group_of_which_the_venue_traded_nothing_is_told(play):
    orders = play.pair()
    play.tell(R.OPEN, *orders)
    play.tell(R.EXPIRED, *orders)
    assert [order.is_open for order in orders] == [False, False]
    assert play.alarms == ["group_lost"]


def test_the_cancel_of_one_ends_all(play):
    orders = play.bracket()
    play.tell(R.OPEN, *orders)
    play.manager.cancel(orders[2].id, play.now)
    assert play.sent(Cancel) == [[orders[2].id]]
    play.tell(R.CANCELED, *orders)
    assert {order.status for order in orders} == {S.CANCELED}
    assert play.sent() == [ids(orders)]  # nothing was sent anew


@pytest.mark.parametrize("first", ["entry", "legs"])
def test_an_entry_that_ends_in_part_leaves_what_closes_that_part(play, first):
    entry, stop, target = play.bracket()
    play.tell(R.OPEN, entry, stop, target)
    play.filled(entry, "0.04")
    ends = [lambda: play.tell(R.CANCELED, entry, filled="0.04"), lambda: play.tell(R.CANCELED, stop, target)]
    for end in ends if first == "entry" else reversed(ends):
        end()
    assert play.sent() == [[entry.id, stop.id, target.id], [stop.id, target.id]]
    assert [stop.size, target.size] == [0.04, 0.04]
    again = next(one for one in reversed(play.said) if isinstance(one, SubmitGroup))
    assert [one.key.client_id for one in again.members] == ["run7-2-1", "run7-3-1"]
    play.restart()
    play.tell(R.OPEN, stop, target)
    play.tell(R.EXPIRED, stop)
    assert play.statuses(stop) == [(S.CANCELED, "oco")]


def test_a_leg_gets_other_terms_once_both_are_proven_gone(play):
    stop, target = play.pair()
    play.tell(R.OPEN, stop, target)
    play.book.request_amend(stop, play.now)
    play.manager.amend(AmendOrder(stop.id, 0.1, nan, 95.0), play.now)
    play.tell(R.CANCELED, stop)
    assert len(play.sent()) == 1
    play.tell(R.CANCELED, target)
    assert len(play.sent()) == 2
    assert (stop.stop_price, stop.status, target.status) == (95.0, S.ACCEPTED, S.ACCEPTED)
    play.answer(Unanswered("cut off"))
    for _ in range(3):
        play.ask()  # the new list never arrived: the run holds both
    assert [stop.is_open, target.is_open] == [True, True]
    assert play.sent(Submit) == [[target.id]]
    assert play.alarms == []


@pytest.mark.parametrize("there", [True, False])
def test_other_terms_that_are_cut_off_leave_the_old_ones_at_work(play, there):
    stop, target = play.pair()
    play.tell(R.OPEN, stop, target)
    play.book.request_amend(stop, play.now)
    play.manager.amend(AmendOrder(stop.id, 0.1, nan, 95.0), play.now)
    play.restart()
    if there:
        play.ask(known=[stop, target])
    else:
        play.tell(R.CANCELED, stop, target)
    assert play.sent() == ([] if there else [[stop.id, target.id]])
    assert (stop.stop_price, stop.status, target.status) == (90.0, S.ACCEPTED, S.ACCEPTED)


def test_a_leg_that_trades_meanwhile_stands_as_it_was(play):
    stop, target = play.pair()
    play.tell(R.OPEN, stop, target)
    play.book.request_amend(stop, play.now)
    play.manager.amend(AmendOrder(stop.id, 0.1, nan, 95.0), play.now)
    play.tell(R.EXPIRED, stop)
    play.filled(target)
    assert play.statuses(stop) == [(S.CANCELED, "oco")]
    assert len(play.sent()) == 1


def test_while_its_entry_works_a_list_gets_no_other_terms(play):
    entry, stop, target = play.bracket()
    play.tell(R.OPEN, entry, stop, target)
    for order in (entry, stop):
        play.book.request_amend(order, play.now)
        play.manager.amend(AmendOrder(order.id, 0.1, order.limit_price, order.stop_price), play.now)
        assert order.status is S.ACCEPTED
        assert order.reason.startswith("native_group: ")
    assert play.sent(Cancel) == []


def test_a_trailing_stop_is_left_to_the_venue_and_looked_for_there_after_a_restart(play):
    trail = play.make(T.TRAILING_STOP, trail=Trail(percent=0.02, from_market=True))
    play.manager.submit(trail, play.now)
    assert play.sent(Submit) == [[trail.id]]
    play.tell(R.OPEN, trail)
    play.manager.on_price(COIN.symbol, 100.0, play.now)
    play.native = Native()  # the venue has it, whatever the settings say by now
    play.restart()
    assert play.sent(Find) == [[trail.id]]
    play.manager.on_price(COIN.symbol, 50.0, play.now)
    assert not trail.triggered


def test_where_the_stop_of_a_trail_is_the_venue_alone_says_or_nobody_knows(play):
    trail = play.make(T.TRAILING_STOP, stop=98.0, trail=Trail(percent=0.02, from_market=True))
    play.manager.submit(trail, play.now)
    play.tell(R.OPEN, trail)
    assert trail.stop_price == 98.0
    told = play.report(trail)
    for stop, known in (("98.5", 98.5), (None, nan), ("99.25", 99.25)):
        told = msgspec.structs.replace(told, stop_price=None if stop is None else Decimal(stop), ts=told.ts + 1)
        play.manager.evidence.reported(told, play.now)
        assert repr(trail.stop_price) == repr(known)
    assert trail.status is S.ACCEPTED
    assert play.alarms == []


def test_what_the_run_holds_stays_with_it_when_the_settings_change(play):
    play.native = Native()
    play.begin()
    trail = play.make(T.TRAILING_STOP, trail=Trail(percent=0.02, from_market=True))
    play.manager.submit(trail, play.now)
    play.manager.on_price(COIN.symbol, 100.0, play.now)
    play.native = Native(no_group, lambda _order: "")
    play.restart()
    assert play.said == []
    play.manager.on_price(COIN.symbol, 97.0, play.now)
    assert trail.triggered


def test_an_entry_too_small_to_be_closed_goes_alone(play):
    play.begin(reducible=lambda _order: 0.0)
    entry, stop, target = (
        play.make(kind, side, limit=price, **ties)
        for kind, side, price, ties in (
            (T.LIMIT, Side.BUY, 100.0, {}),
            (T.LIMIT, Side.SELL, 90.0, {"parent": 1}),
            (T.LIMIT, Side.SELL, 110.0, {"parent": 1, "oco": 2}),
        )
    )
    for order in (entry, stop, target):
        order.size = 0.001  # one step, of which the fee leaves less
    play.send(entry, stop, target)
    assert play.sent(Submit) == [[entry.id]]
    assert play.statuses(stop, target) == [(S.CANCELED, "nothing_to_reduce")] * 2


def test_an_entry_that_trails_does_not_part_from_what_closes_it(play):
    entry = play.make(T.TRAILING_STOP, Side.BUY, trail=Trail(percent=0.02, from_market=True))
    stop = play.make(T.STOP, stop=90.0, parent=entry.id)
    play.send(entry, stop, play.make(T.LIMIT, limit=110.0, parent=entry.id, oco=stop.id))
    assert play.sent(Submit) == []  # the run holds the entry
    play.manager.on_price(COIN.symbol, 100.0, play.now)
    play.manager.on_price(COIN.symbol, 103.0, play.now)
    assert play.sent(Submit) == [[entry.id]]
    play.filled(entry)
    assert play.sent() == [[stop.id, stop.id + 1]]


def test_orders_that_hang_together_otherwise_are_no_family(play):
    entry, first, second = (play.make(T.LIMIT, limit=100.0) for _ in range(3))
    joined = play.make(T.LIMIT, limit=100.0, oco=77)  # of a group that began before
    child = play.make(T.STOP, stop=90.0, parent=78)
    assert families([entry, first, second, joined, child]) == []
    three = [play.make(T.LIMIT, limit=100.0, parent=entry.id) for _ in range(3)]
    assert families([entry, *three]) == []
    found = families([entry, three[0], joined])
    assert [one.orders for one in found] == [(entry, three[0])]


def test_a_cancel_waits_until_the_list_was_sent():
    asked = []

    class Session:
        def no_group(self, orders):
            raise AssertionError

        no_trail = no_group

        async def submit_group(self, requests):
            await asyncio.sleep(0.01)
            asked.append("group")
            return [Answered(None)] * len(requests)

        async def cancel(self, key):
            asked.append(key.client_id)
            return Answered(None)

    def submit(number):
        terms = SimpleNamespace(order=SimpleNamespace(tag=""))
        return Submit(order_id=number, key=OrderKey("BTC/USDT", f"c{number}"), terms=terms)

    async def play():
        async with asyncio.TaskGroup() as group:
            answers = SimpleNamespace(group_submitted=lambda *_: None, canceled=lambda *_: None)
            dispatcher = Dispatcher(Session(), answers, lambda: 0, group)
            members = (submit(1), submit(2))
            dispatcher.send(SubmitGroup(order_id=1, key=members[0].key, members=members))
            dispatcher.send(Cancel(order_id=2, key=members[1].key))
            await dispatcher.idle()

    asyncio.run(play())
    assert asked == ["group", "c2"]


def shrunk_trail(play):
    """Two trailing stops for what is held, of which one has to give way to something that was sold beside them."""
    held = [0.2]
    play.begin(reducible=lambda _order: held[0])
    trail = play.make(T.TRAILING_STOP, trail=Trail(percent=0.02, from_market=True))
    trail.reduce_only = True
    play.manager.submit(trail, play.now)
    play.tell(R.OPEN, trail)
    held[0] = 0.06
    other = play.make(T.MARKET)
    play.manager.submit(other, play.now)
    play.filled(other)
    assert play.sent(Cancel) == [[trail.id]]
    return trail, held


@pytest.mark.parametrize("cut", ["before the cancel", "after the cancel", "before the new one", "after the new one"])
def test_a_trail_that_is_cut_to_what_is_left_stands_again_after_the_run_was_cut_off(play, cut):
    trail, held = shrunk_trail(play)
    assert play.said[-2][0] == "again", "journalled before the cancel leaves"
    there = [trail] if cut in {"before the cancel", "after the new one"} else []
    if "new" in cut:
        play.tell(R.CANCELED, trail)
        assert play.sent(Submit)[-1] == [trail.id]
    play.restart(reducible=lambda _order: held[0])
    if cut == "after the cancel":
        play.tell(R.CANCELED, trail)
        there = [trail]
        assert play.sent(Submit) == [[trail.id]]
    for _ in range(3):
        play.ask(known=there)
    play.manager.cut(play.now)  # what is left to reduce is known again
    if cut == "before the cancel":
        play.tell(R.CANCELED, trail)
        play.tell(R.OPEN, trail)
    assert trail.is_open
    assert (trail.size, trail.filled) == (0.06, 0.0)
    assert play.alarms == []
    if cut == "before the new one":  # nobody knows why it never arrived: from here on the run holds it
        play.manager.on_price(COIN.symbol, 100.0, play.now)
        play.manager.on_price(COIN.symbol, 97.0, play.now)
        assert trail.triggered


def test_what_waits_until_the_run_may_trade_is_not_given_up_because_the_venue_has_it_not(play):
    trail, held = shrunk_trail(play)
    play.restart(reducible=lambda _order: held[0])
    play.tell(R.CANCELED, trail)
    (submit,) = [one for one in play.said if isinstance(one, Submit)]
    play.manager.leaves(submit, None)  # other orders are still being asked about
    for _ in range(3):
        play.ask()
    assert play.sent(Submit) == [[trail.id]], "nothing took its place"
    play.manager.leaves(submit, play.now)
    play.ask(known=[trail])
    assert (trail.status, trail.size) == (S.ACCEPTED, 0.06)
    assert play.alarms == []


def test_a_stop_that_the_venue_did_not_take_as_one_of_a_pair_is_held_again_after_a_restart(play):
    stop, target = play.pair()
    play.answer(Declined("list_terms"))
    play.tell(R.OPEN, target)
    assert play.sent(Submit) == [[target.id]], "the stop would lock the same coins"
    play.restart()
    for _ in range(3):
        play.ask(known=[target])
    assert stop.status is S.ACCEPTED
    assert play.alarms == []
    play.manager.on_price(COIN.symbol, 89.0, play.now)
    assert stop.triggered


def test_what_is_left_of_a_pair_and_refused_goes_as_the_stop_it_is_under_another_name(play):
    stop, target = play.pair()
    play.tell(R.OPEN, stop, target)
    play.manager.amend(AmendOrder(stop.id, stop.size, nan, 80.0), play.now)
    play.tell(R.CANCELED, stop)
    play.manager.cancel(target.id, play.now)
    play.tell(R.CANCELED, target)
    first = play.said[-1]
    assert (first.order_id, first.terms.type, first.terms.stop_price) == (stop.id, T.STOP, Decimal("80.00"))
    play.manager.answers.submitted(first, Declined("overloaded", ""), play.now)
    again = play.said[-1]
    assert (again.order_id, again.terms.type, again.terms.stop_price) == (stop.id, T.STOP, Decimal("80.00"))
    assert again.key.client_id != first.key.client_id
    assert (target.status, stop.status) == (S.CANCELED, S.ACCEPTED)
