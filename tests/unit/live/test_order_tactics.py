"""What the order manager decides by itself: over-fills, resends, times, and orders that only reduce."""

from __future__ import annotations

import random
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist import weekly_calendar
from cambist.engine.sessions import Sessions
from cambist.engine.timers import NEVER
from cambist.errors import ParameterError
from cambist.live.orders import LiveOrders
from cambist.live.requests import Amend, Cancel, FetchFills, Find, Submit
from cambist.live.resending import RESENDS, Resend, Resending, kind_of
from cambist.live.session_ends import SessionEnds
from cambist.live.watched import Outlets
from cambist.model import Instrument, Liquidity, Order, OrderStatus, OrderType, Side, TimeInForce
from cambist.model.orders import Instructions
from cambist.model.reports import FillReport, OrderReport, ReportedStatus
from cambist.model.times import DAY_NS
from cambist.orders.book import OrderBook
from cambist.orders.ids import client_id, order_number
from cambist.orders.times import last_moment
from cambist.ports.venue import Answered, Declined, Unanswered, VenueTerms

NAN = float("nan")
SECOND = 1_000_000_000
COIN = Instrument(symbol="BTC/USDT", base="BTC", quote="USDT", tick_size="0.01", step_size="0.001")
TERMS = VenueTerms(settling=3 * SECOND, confirm_within=2 * SECOND, fills_within=60 * SECOND)


class Desk:
    """An order manager, and what it wants."""

    def __init__(self, terms=TERMS, **more) -> None:
        self.book, self.now = OrderBook("run7"), SECOND
        self.asked, self.alarms, self.notes = [], [], []
        self.instrument = COIN
        out = Outlets(
            self.book.apply,
            self.asked.append,
            lambda word, _text: self.alarms.append(word),
            lambda _report: None,
            lambda *note: self.notes.append(note),
        )
        self.manager = LiveOrders(self.book, terms, out, **more)

    def restarted(self, terms=TERMS, **more):
        """Return the desk of a run that goes on with what is in the journal of this one."""
        other = Desk(terms, **more)
        other.now = self.now
        known = list(self.book._applied.values())
        other.book.go_on_from(OrderBook.restore("run7", self.book.orders, known))
        other.book.resent.update(self.book.resent)
        other.book.entrusted.update(self.book.entrusted)
        other.manager.resume(list(other.book.open.values()), other.now)
        return other

    def send(self, size=1.0, *, kind=OrderType.LIMIT, limit=100.0, stop=NAN, side=Side.BUY, **more):
        terms = {"tif": TimeInForce.GTC, "expires_at": 0, "reduce_only": False, "parent": 0, "oco": 0} | more
        order = Order(
            self.book.next_id(),
            self.instrument,
            side,
            kind,
            size,
            limit,
            stop,
            terms["tif"],
            terms["expires_at"],
            terms["reduce_only"],
            "test",
            "",
            self.now,
        )
        order.instructions = Instructions(parent=terms["parent"], oco=terms["oco"])
        self.book.submit(self.book.add(order), self.now)
        self.manager.submit(order, self.now)
        return order

    def report(self, order, status, filled, size=None):
        return OrderReport(
            ts=self.now,
            symbol=COIN.symbol,
            client_id=self.book.client_id(order),
            venue_id=str(1000 + order.id),
            status=status,
            side=order.side,
            type=order.type,
            size=Decimal(repr(order.size if size is None else size)),
            filled=Decimal(filled),
            limit_price=None if order.limit_price != order.limit_price else Decimal(repr(order.limit_price)),
        )

    def fill(self, order, number, size, fee="0"):
        return FillReport(
            ts=self.now,
            symbol=COIN.symbol,
            client_id=self.book.client_id(order),
            venue_id=str(1000 + order.id),
            trade_id=str(number),
            side=order.side,
            size=Decimal(size),
            price=Decimal(100),
            fee=Decimal(fee),
            fee_asset="USDT",
            liquidity=Liquidity.MAKER,
        )


@pytest.mark.parametrize(("policy", "filled"), [("accept", 1.2), ("reject", 1.0)])
def test_what_a_venue_trades_beyond_the_size_is_booked_or_left_out_and_told_either_way(policy, filled):
    desk = Desk(msgspec.structs.replace(TERMS, overfills=policy))
    order, evidence = desk.send(), desk.manager.evidence
    evidence.reported(desk.report(order, ReportedStatus.OPEN, "0"), desk.now)
    evidence.executed(desk.fill(order, 1, "0.8"), desk.now)
    evidence.executed(desk.fill(order, 2, "0.4", fee="0.4"), desk.now)
    assert order.filled == 0.8  # how the order stands is asked first
    assert isinstance(desk.asked[-1], Find)
    told = Answered(desk.report(order, ReportedStatus.FILLED, "1.2"))
    desk.manager.answers.found(desk.asked[-1], told, desk.now)
    assert isinstance(desk.asked[-1], FetchFills)
    fills = [desk.fill(order, 1, "0.8"), desk.fill(order, 2, "0.4", fee="0.4")]
    desk.manager.answers.fetched(desk.asked[-1], fills, desk.now)
    assert (order.status, order.filled) == (OrderStatus.FILLED, filled)
    assert order.fees == pytest.approx(0.4 * (filled - 0.8) / 0.4)
    assert desk.alarms == ["overfilled"]
    assert not desk.book.anomalies


def test_executions_are_missing_once_the_venue_has_listed_others_and_not_while_it_cannot_be_asked():
    desk = Desk()
    order, manager = desk.send(), desk.manager
    told = desk.report(order, ReportedStatus.FILLED, "1")
    manager.evidence.reported(told, desk.now)
    for _ in range(5):  # the address is banned for far longer than executions may lag
        assert isinstance(desk.asked[-1], FetchFills)
        manager.answers.fetched(desk.asked[-1], None, desk.now)
        desk.now = max(manager.evidence.next_due(), desk.now + 30 * SECOND)
        manager.on_time(desk.now)
        manager.answers.found(desk.asked[-1], Answered(told), desk.now)
        assert order.is_open
        assert manager.evidence.next_due() > desk.now
    assert desk.alarms == ["fills_missing"]
    manager.answers.fetched(desk.asked[-1], [desk.fill(order, 1, "0.4")], desk.now)
    assert order.filled == 0.4
    manager.on_time(desk.now)
    assert (order.status, desk.alarms) == (OrderStatus.CANCELED, ["fills_missing"] * 2)
    # Had they been listed in time, it would have been filled.
    other = Desk()
    order, manager = other.send(), other.manager
    manager.evidence.reported(other.report(order, ReportedStatus.FILLED, "1"), other.now)
    manager.answers.fetched(other.asked[-1], None, other.now)
    other.now += 100 * SECOND
    manager.on_time(other.now)
    manager.answers.found(other.asked[-1], Answered(other.report(order, ReportedStatus.FILLED, "1")), other.now)
    manager.answers.fetched(other.asked[-1], [other.fill(order, 1, "1")], other.now)
    assert (order.status, other.alarms) == (OrderStatus.FILLED, [])


def busy(retry_after=0):
    return Declined("rate_limit", "", retry_after)


def test_what_reduces_is_sent_again_until_its_deadline_under_the_same_name_and_noted():
    desk = Desk(resend={"reduce": Resend(None, 3.0)})
    order = desk.send(side=Side.SELL, reduce_only=True)
    first = desk.asked[0]
    for attempt in range(2, 7):
        desk.manager.answers.submitted(desk.asked[-1], busy(SECOND), desk.now)
        assert order.status is OrderStatus.SUBMITTED
        assert desk.manager.evidence.next_due() == desk.now + SECOND
        desk.manager.on_time(desk.now + SECOND - 1)
        assert len(desk.asked) == attempt - 1
        desk.now += SECOND
        desk.manager.on_time(desk.now)
        assert desk.asked[-1] == first
        assert desk.notes[-1][4] == f"attempt {attempt}"
        if attempt == 4:
            break
    desk.manager.answers.submitted(desk.asked[-1], busy(SECOND), desk.now)
    assert order.status is OrderStatus.REJECTED  # 4 s are more than its 3


def test_entries_are_not_chased_and_what_was_refused_is_not_sent_again():
    desk = Desk()
    entry = desk.send()
    desk.manager.answers.submitted(desk.asked[-1], busy(), desk.now)
    assert entry.status is OrderStatus.REJECTED
    leaves = desk.send(side=Side.SELL, reduce_only=True)
    desk.manager.answers.submitted(desk.asked[-1], Declined("insufficient_funds"), desk.now)
    assert leaves.status is OrderStatus.REJECTED
    assert desk.notes == []


def test_an_order_that_waits_to_be_sent_again_is_canceled_without_the_venue():
    desk = Desk()
    order = desk.send(side=Side.SELL, reduce_only=True)
    desk.manager.answers.submitted(desk.asked[-1], busy(60 * SECOND // 4), desk.now)
    desk.manager.ask_all()
    asked = len(desk.asked)
    desk.book.request_cancel(order, desk.now)
    desk.manager.cancel(order.id, desk.now)
    assert order.status is OrderStatus.CANCELED
    assert len(desk.asked) == asked


def test_kinds_and_policies_are_named():
    desk = Desk()
    assert kind_of(desk.send()) == "entry"
    assert kind_of(desk.send(reduce_only=True)) == "reduce"
    assert kind_of(desk.send(kind=OrderType.STOP, limit=NAN, stop=120.0, reduce_only=True)) == "stop"
    assert RESENDS["entry"] == Resend(0)
    with pytest.raises(ParameterError, match="resend has 'entries'; kinds of orders are entry, reduce, stop"):
        Resending({"entries": Resend()})
    with pytest.raises(ParameterError, match="attempts of a resend policy is -1"):
        Resend(-1)


@pytest.mark.parametrize(
    ("more", "end"),
    [
        ({}, None),
        ({"tif": TimeInForce.GTD, "expires_at": 7 * SECOND}, 7 * SECOND),
        ({"tif": TimeInForce.DAY}, None),
    ],
)
def test_an_order_ends_at_its_time_whatever_the_venue_can(more, end):
    desk = Desk()
    order = desk.send(**more)
    desk.manager.evidence.reported(desk.report(order, ReportedStatus.OPEN, "0"), desk.now)
    assert last_moment(order) == end
    assert desk.manager.evidence.next_due() == (None if end is None else end + 1)
    desk.manager.on_time(end or 10 * DAY_NS)
    assert not any(isinstance(one, Cancel) for one in desk.asked)
    if end is None:
        return
    desk.now = end + 1
    desk.manager.on_time(desk.now)
    assert isinstance(desk.asked[-1], Cancel)
    told = Answered(desk.report(order, ReportedStatus.CANCELED, "0"))
    desk.manager.answers.canceled(desk.asked[-1], told, desk.now)
    assert order.status is OrderStatus.EXPIRED


EARLY = weekly_calendar("early", {"mon-sun": "0:00-18:00"}, start="1970-01-01", end="1970-01-31")


@pytest.mark.parametrize(("calendar", "end"), [(None, DAY_NS), (EARLY, 18 * DAY_NS // 24)])
def test_a_day_order_ends_with_its_session(calendar, end):
    desk = Desk()
    order = desk.send(tif=TimeInForce.DAY)
    desk.manager.evidence.reported(desk.report(order, ReportedStatus.OPEN, "0"), desk.now)
    ends = SessionEnds(desk.manager)
    assert ends.due == NEVER
    ends.know(Sessions([order.instrument], lambda _instrument: calendar))
    ends.begin(desk.now)
    assert ends.due == end
    ends.passed(end - 1, end - 1)
    assert not any(isinstance(one, Cancel) for one in desk.asked)
    ends.passed(end, end)
    assert isinstance(desk.asked[-1], Cancel)
    assert ends.due > end


def test_a_session_that_ended_while_the_run_was_away_takes_its_orders_along():
    desk = Desk()
    day = desk.send(tif=TimeInForce.DAY)
    desk.manager.evidence.reported(desk.report(day, ReportedStatus.OPEN, "0"), desk.now)
    close = desk.send(kind=OrderType.MARKET_ON_CLOSE, limit=NAN)
    assert close.status is OrderStatus.ACCEPTED
    ends = SessionEnds(desk.manager)
    ends.know(Sessions([day.instrument], lambda _instrument: None))
    ends.begin(3 * DAY_NS)
    assert isinstance(desk.asked[-1], Cancel)
    assert (close.status, close.reason) == (OrderStatus.CANCELED, "session_over")
    assert not any(isinstance(one, Submit) and one.order_id == close.id for one in desk.asked)


@pytest.mark.parametrize("left", [False, True])
def test_an_order_for_a_close_at_which_the_run_died_trades_then_or_never(left):
    desk = Desk()
    order = desk.send(kind=OrderType.MARKET_ON_CLOSE, limit=NAN)
    now = DAY_NS + SECOND
    out = Outlets(desk.book.apply, desk.asked.append, desk.alarms.append, lambda _report: None)
    manager, before = LiveOrders(desk.book, TERMS, out), len(desk.asked)
    ends = SessionEnds(manager)
    ends.know(Sessions([order.instrument], lambda _instrument: None))
    manager.resume([order], now)
    answer = Answered(desk.report(order, ReportedStatus.OPEN, "0") if left else None)
    while manager.unsettled:
        if isinstance(desk.asked[-1], Find) and len(desk.asked) > before:
            before = len(desk.asked)
            manager.answers.found(desk.asked[-1], answer, now)
        now += SECOND
        manager.on_time(now)
    ends.begin(now)
    if left:
        assert order.status is OrderStatus.ACCEPTED
    else:
        assert (order.status, order.reason) == (OrderStatus.CANCELED, "session_over")
    assert not any(isinstance(one, Submit) for one in desk.asked)


@pytest.mark.parametrize("sent", [False, True], ids=["canceled", "sent anew"])
def test_a_stop_that_is_cut_to_what_is_left_stands_again_after_the_run_was_cut_off(sent):
    rigid = VenueTerms(native=frozenset({OrderType.MARKET, OrderType.STOP}), settling=SECOND, confirm_within=SECOND)
    held = [1.0]
    desk = Desk(rigid, reducible=lambda _order: held[0])
    stop = desk.send(kind=OrderType.STOP, limit=NAN, stop=90.0, side=Side.SELL, reduce_only=True)
    desk.manager.evidence.reported(desk.report(stop, ReportedStatus.OPEN, "0"), desk.now)
    held[0] = 0.4
    other = desk.send(0.6, kind=OrderType.MARKET, limit=NAN, side=Side.SELL)
    desk.manager.evidence.executed(desk.fill(other, 1, "0.6"), desk.now)
    assert isinstance(desk.asked[-1], Cancel)
    gone = desk.report(stop, ReportedStatus.CANCELED, "0")
    if sent:
        desk.manager.evidence.reported(gone, desk.now)
        assert desk.asked[-1].terms.size == Decimal("0.4")

    again = desk.restarted(rigid, reducible=lambda _order: held[0])
    stop = again.book.get(stop.id)
    for _ in range(3 if sent else 1):  # what was sent never arrived, as the venue says
        again.now += 2 * SECOND
        again.manager.on_time(again.now)
        for find in [one for one in again.asked if isinstance(one, Find)]:
            again.asked.remove(find)
            again.manager.answers.found(find, Answered(None if sent else gone), again.now)
    submit = again.asked[-1]
    assert isinstance(submit, Submit)
    assert (submit.order_id, submit.terms.size) == (stop.id, Decimal("0.4"))
    again.manager.answers.submitted(submit, Answered(again.report(stop, ReportedStatus.OPEN, "0", 0.4)), again.now)
    assert (stop.status, stop.size) == (OrderStatus.ACCEPTED, 0.4)
    assert again.book.entrusted == {}, "the mark is taken off"
    assert again.alarms == (["unprotected"] if sent else []), "how long it was away is told"


def test_an_order_that_was_not_found_once_is_settled_when_the_stream_tells_of_it():
    desk = Desk()
    order, manager = desk.send(), desk.manager
    manager.answers.submitted(desk.asked[-1], Unanswered("cut off"), desk.now)
    desk.now += 4 * SECOND
    manager.on_time(desk.now)
    assert isinstance(desk.asked[-1], Find)
    manager.answers.found(desk.asked[-1], Answered(None), desk.now)
    assert manager.unsettled
    manager.evidence.reported(desk.report(order, ReportedStatus.OPEN, "0"), desk.now)  # it became visible late
    assert order.status is OrderStatus.ACCEPTED
    assert not manager.unsettled, "a start, or a gap in the stream, would be waited for without end"


@given(seed=st.integers(0, 2**32), steps=st.integers(1, 40))
def test_orders_that_only_reduce_never_do_more_together_than_there_is(seed, steps):
    chance = random.Random(seed)
    held = [chance.randint(1, 30)]  # steps of 0.001
    working: dict[int, Order] = {}

    def reducible(order):
        others = sum(one.remaining for one in working.values() if one.id != order.id)
        return max(0.0, COIN.size_grid.nearest(held[0] / 1000 - others))

    desk = Desk(VenueTerms(amends="all", settling=SECOND, confirm_within=SECOND), reducible=reducible)
    trades = iter(range(1, 10_000))

    def settle():
        """Let the venue do what is asked, at once."""
        while desk.asked:
            one = desk.asked.pop(0)
            order = desk.book.get(one.order_id)
            if isinstance(one, Submit):
                working[order.id] = order
                report = desk.report(order, ReportedStatus.OPEN, "0", float(one.terms.size))
                desk.manager.answers.submitted(one, Answered(report), desk.now)
            elif isinstance(one, Amend):
                report = desk.report(order, ReportedStatus.OPEN, repr(order.filled), float(one.terms.size))
                desk.manager.answers.amended(one, Answered(report), desk.now)
            elif isinstance(one, Cancel):
                working.pop(order.id, None)
                report = desk.report(order, ReportedStatus.CANCELED, repr(order.filled))
                desk.manager.answers.canceled(one, Answered(report), desk.now)

    for _ in range(steps):
        desk.now += SECOND
        if chance.random() < 0.5 or not working:
            size = COIN.round_size(chance.randint(1, 40) / 1000)
            desk.send(size, side=Side.SELL, reduce_only=True)
        elif chance.random() < 0.6:
            order = chance.choice(list(working.values()))
            lots = chance.randint(1, max(1, round(order.remaining * 1000)))
            held[0] -= lots
            report = desk.fill(order, next(trades), f"{lots / 1000:.3f}")
            if lots == round(order.remaining * 1000):
                del working[order.id]
            desk.manager.evidence.executed(report, desk.now)
        else:
            held[0] = max(0, held[0] - chance.randint(0, 5))  # sold by another order, which trades now
            other = desk.send(0.001, side=Side.BUY)
            desk.asked.pop()
            desk.manager.evidence.executed(desk.fill(other, next(trades), "0.001"), desk.now)
        settle()
        together = sum(round(one.remaining * 1000) for one in working.values())
        assert together <= max(0, held[0])
        assert held[0] >= 0
    assert not desk.book.anomalies


@given(number=st.integers(1, 10**9), again=st.integers(0, 10**4), alphabet=st.sampled_from(["", "-", "_", "x"]))
def test_an_id_that_was_sent_anew_is_read_back(number, again, alphabet):
    letters = "abcdefghijklmnopqrstuvw0123456789" + (alphabet or "-")
    text = client_id("a5c1e1c7", number, again, alphabet=letters)
    assert order_number(text, "a5c1e1c7") == (number, again)
    assert order_number(text, "a5c1e1c8") is None
    assert order_number(text + "-", "a5c1e1c7") is None


@pytest.mark.parametrize(
    "text", ["", "a5c1", "a5c1e1c7-", "a5c1e1c7-01", "a5c1e1c7-1-0", "a5c1e1c7-1-1-1", "a5c1e1c7+1"]
)
def test_what_is_no_id_of_the_run_is_none(text):
    assert order_number(text, "a5c1e1c7") is None


# Orders that hang together at a venue that works stops, and knows no ties.

STOPS = msgspec.structs.replace(
    TERMS, native=TERMS.native | {OrderType.STOP, OrderType.STOP_LIMIT, OrderType.MARKET_IF_TOUCHED}
)
PERPETUAL = Instrument(symbol=COIN.symbol, kind="linear_perpetual", tick_size="0.01", step_size="0.001")
COMES = ReportedStatus.OPEN


class Bracket:
    """An entry of two coins, and a stop at 90 and a target at 120 that close it."""

    def __init__(self, instrument=PERPETUAL, **stop):
        self.desk = Desk(STOPS)
        self.desk.instrument = instrument
        legs = {"side": Side.SELL, "reduce_only": True}
        self.entry = self.desk.send(2.0)
        self.stop = self.send(**{"kind": OrderType.STOP, "limit": NAN, "stop": 90.0} | legs | stop)
        self.target = self.send(limit=120.0, oco=self.stop.id, **legs)

    def send(self, oco=0, **terms):
        return self.desk.send(2.0, parent=self.entry.id, oco=oco, **terms)

    def trades(self, order, number, size):
        """Let the venue work an order, and trade some of it."""
        report = self.desk.report(order, COMES, str(order.filled))
        self.desk.manager.evidence.reported(report, self.desk.now)
        self.desk.manager.evidence.executed(self.desk.fill(order, number, size), self.desk.now)

    def sent(self, order):
        """Return type, size and stop of what was sent of an order."""
        sent = [one.terms for one in self.desk.asked if isinstance(one, Submit) and one.order_id == order.id]
        return [(one.type, float(one.size), one.stop_price and float(one.stop_price)) for one in sent]


def test_a_stop_that_waits_for_an_entry_rests_at_a_venue_that_works_stops():
    bracket = Bracket()
    assert (bracket.sent(bracket.stop), bracket.sent(bracket.target)) == ([], [])
    bracket.trades(bracket.entry, 1, "2")
    assert bracket.sent(bracket.stop) == [(OrderType.STOP, 2.0, 90.0)]
    assert bracket.sent(bracket.target) == [(OrderType.LIMIT, 2.0, None)]
    bracket.desk.manager.on_price(COIN.symbol, 80.0, bracket.desk.now)  # the venue watches it
    assert len(bracket.sent(bracket.stop)) == 1


def test_it_grows_with_its_entry_and_takes_the_rest_of_it_away_once_it_trades():
    bracket = Bracket()
    desk, stop = bracket.desk, bracket.stop
    bracket.trades(bracket.entry, 1, "0.5")
    assert bracket.sent(stop) == [(OrderType.STOP, 0.5, 90.0)]
    desk.manager.evidence.reported(desk.report(stop, COMES, "0", 0.5), desk.now)
    bracket.trades(bracket.entry, 2, "0.5")
    desk.manager.evidence.reported(desk.report(stop, ReportedStatus.CANCELED, "0", 0.5), desk.now)  # to be sent larger
    assert bracket.sent(stop) == [(OrderType.STOP, 0.5, 90.0), (OrderType.STOP, 1.0, 90.0)]
    desk.manager.evidence.reported(desk.report(stop, COMES, "0", 1.0), desk.now)
    desk.asked.clear()
    bracket.trades(stop, 3, "1")
    withdrawn = {one.order_id for one in desk.asked if isinstance(one, Cancel)}
    assert withdrawn == {bracket.entry.id, bracket.target.id}
    assert (stop.status, stop.size) == (OrderStatus.FILLED, 1.0)


@pytest.mark.parametrize(
    ("terms", "plain"),
    [
        ({"kind": OrderType.STOP}, (OrderType.MARKET, 2.0, None)),
        ({"kind": OrderType.STOP_LIMIT, "limit": 88.0}, (OrderType.LIMIT, 2.0, None)),
    ],
)
def test_a_stop_that_the_market_has_passed_meanwhile_leaves_as_what_it_turns_into(terms, plain):
    """In a backtest it triggers as it comes to the market; one of its own is refused there as well as here."""
    bracket = Bracket(**terms)
    desk, stop = bracket.desk, bracket.stop
    bracket.trades(bracket.entry, 1, "2")
    first = desk.asked[-2]
    assert first.order_id == stop.id
    desk.manager.answers.submitted(first, Declined("would_trigger", ""), desk.now)
    assert (stop.status, bracket.sent(stop)[1:]) == (OrderStatus.TRIGGERED, [plain])
    assert desk.asked[-1].key.client_id != first.key.client_id
    assert desk.notes[-1][1:] == (stop.id, 1, 0.0, "would_trigger")
    alone = desk.send(limit=NAN, kind=OrderType.STOP, stop=90.0, side=Side.SELL)
    desk.manager.answers.submitted(desk.asked[-1], Declined("would_trigger", ""), desk.now)
    assert alone.status is OrderStatus.REJECTED


@pytest.mark.parametrize(("instrument", "shares"), [(COIN, True), (PERPETUAL, False)])
def test_a_stop_limit_that_is_held_locks_what_its_target_had_locked(instrument, shares):
    """On spot there is no more to sell than was bought: a second order for it would be refused."""
    bracket = Bracket(instrument, kind=OrderType.STOP_LIMIT, limit=88.0)
    desk = bracket.desk
    bracket.trades(bracket.entry, 1, "2")
    assert bool(bracket.sent(bracket.stop)) is not shares  # on futures it rests at the venue
    desk.asked.clear()
    desk.manager.on_price(COIN.symbol, 89.0, desk.now)
    asked = [(type(one), one.order_id) for one in desk.asked]
    assert asked == ([(Cancel, bracket.target.id), (Submit, bracket.stop.id)] if shares else [])
    assert bracket.sent(bracket.stop) == ([(OrderType.LIMIT, 2.0, None)] if shares else [])


@pytest.mark.parametrize("terms", [TERMS, STOPS])
def test_what_was_held_here_is_sent_again_while_the_venue_is_too_busy_to_take_it(terms):
    desk = Desk(terms)
    desk.instrument = PERPETUAL
    entry = desk.send(2.0)
    legs = {"side": Side.SELL, "reduce_only": True, "parent": entry.id}
    stop = desk.send(2.0, limit=NAN, kind=OrderType.STOP, stop=90.0, **legs)
    desk.manager.evidence.executed(desk.fill(entry, 1, "2"), desk.now)
    desk.manager.on_price(COIN.symbol, 89.0, desk.now)
    sent = desk.asked[-1]
    assert (sent.order_id, sent.terms.type) == (stop.id, OrderType.MARKET if terms is TERMS else OrderType.STOP)
    desk.manager.answers.submitted(sent, Declined("rate_limit", "", SECOND), desk.now)
    desk.now += 2 * SECOND
    desk.manager.on_time(desk.now)
    assert desk.asked[-2:] == [sent, sent]
    assert desk.notes[-1][-1] == "attempt 2"
