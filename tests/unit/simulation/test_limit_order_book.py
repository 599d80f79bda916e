"""The order book by example, and its conversion from and to decimals."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from cambist.errors import InstrumentError, OrderError, ParameterError
from cambist.model import Instrument, Side, TimeInForce
from cambist.simulation.book import (
    BookCanceled,
    BookLevel,
    BookOrder,
    BookRefreshed,
    BookRejected,
    BookRested,
    BookTrade,
    BookUnits,
    LimitOrderBook,
    SelfTrade,
)

BUY, SELL = Side.BUY, Side.SELL


def order(number, owner, side, size, price=None, **terms):
    return BookOrder(id=number, owner=owner, side=side, size=size, price=price, **terms)


def test_who_came_first_at_the_best_price_trades_first_and_at_its_own_price():
    book = LimitOrderBook()
    for number, (owner, price) in enumerate([("ann", 101), ("bob", 100), ("cid", 100)], 1):
        assert book.submit(order(number, owner, SELL, 5, price)) == [BookRested(number, owner, SELL, price, 5, 5)]
    assert book.submit(order(4, "dan", BUY, 12, 102)) == [
        BookTrade(4, "dan", 2, "bob", BUY, 100, 5),
        BookTrade(4, "dan", 3, "cid", BUY, 100, 5),
        BookTrade(4, "dan", 1, "ann", BUY, 101, 2),
    ]
    assert book.depth().asks == (BookLevel(101, 3, 1),)
    assert book.depth().bids == ()


def test_a_used_up_slice_goes_to_the_end_of_the_line():
    book = LimitOrderBook()
    book.submit(order(1, "ann", BUY, 10, 50, display=3))
    book.submit(order(2, "bob", BUY, 4, 50))
    assert book.depth().bids == (BookLevel(50, 7, 2),)
    assert book.submit(order(3, "cid", SELL, 8)) == [
        BookTrade(3, "cid", 1, "ann", SELL, 50, 3),
        BookRefreshed(1, "ann", 3),
        BookTrade(3, "cid", 2, "bob", SELL, 50, 4),
        BookTrade(3, "cid", 1, "ann", SELL, 50, 1),
    ]
    assert (book.get(1).remaining, book.get(1).displayed) == (6, 2)


def test_a_market_order_that_finds_nobody_ends():
    assert LimitOrderBook().submit(order(1, "ann", BUY, 3)) == [BookCanceled(1, "ann", 3, "unfilled")]


def test_a_fill_or_kill_order_counts_hidden_lots_and_touches_nothing_when_it_fails():
    book = LimitOrderBook()
    book.submit(order(1, "ann", SELL, 10, 50, display=1))
    before = book.depth()
    fok = {"time_in_force": TimeInForce.FOK}
    assert book.submit(order(2, "bob", BUY, 11, 50, **fok)) == [BookCanceled(2, "bob", 11, "unfilled")]
    assert book.depth() == before
    traded = book.submit(order(3, "bob", BUY, 10, 50, **fok))
    assert sum(event.size for event in traded if isinstance(event, BookTrade)) == 10


def test_a_fill_or_kill_order_does_not_count_what_lies_behind_its_owners_own():
    """The hidden lots of the first order would queue behind our own, where the arriving order ends."""
    book = LimitOrderBook()
    book.submit(order(1, "ann", SELL, 5, 50, display=2))
    book.submit(order(2, "bob", SELL, 1, 50))
    fok = {"time_in_force": TimeInForce.FOK}
    assert book.submit(order(3, "bob", BUY, 3, 50, **fok)) == [BookCanceled(3, "bob", 3, "unfilled")]
    going_on = order(4, "bob", BUY, 5, 50, self_trade=SelfTrade.CANCEL_OLDEST, **fok)
    assert sum(event.size for event in book.submit(going_on) if isinstance(event, BookTrade)) == 5
    assert book.depth().asks == ()


def test_an_id_is_used_once_even_after_its_order_ended():
    book = LimitOrderBook()
    book.submit(order(1, "ann", BUY, 3))
    assert book.submit(order(1, "ann", BUY, 3, 10)) == [BookRejected(1, "ann", "submit", "duplicate_id")]
    assert book.best_bid is None


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"size": 0}, "size is 0; it counts whole lots"),
        ({"size": 1.5}, r"size is 1\.5"),
        ({"price": -3}, "price is -3; it counts whole ticks"),
        ({"size": True}, "size is True"),
        ({"display": 6}, "display 6 is above its size 5"),
        ({"price": None, "post_only": True}, "post_only means nothing to a market order"),
        ({"time_in_force": TimeInForce.IOC, "display": 2}, "display means nothing to a ioc order"),
    ],
)
def test_terms_that_no_book_can_work_are_refused(terms, words):
    with pytest.raises(OrderError, match=words):
        order(1, "ann", BUY, **({"size": 5, "price": 10} | terms))


def test_an_amendment_is_held_to_the_same_terms():
    book = LimitOrderBook()
    book.submit(order(1, "ann", BUY, 3, 10))
    with pytest.raises(OrderError, match="price is 0"):
        book.amend(1, price=0)
    assert book.get(1).price == 10


def test_questions_without_an_answer_say_so():
    book = LimitOrderBook()
    with pytest.raises(ParameterError, match="order 7 does not rest"):
        book.size_ahead(7)
    with pytest.raises(ParameterError, match="levels is 0"):
        book.depth(0)


UNITS = BookUnits(Instrument(symbol="ETHBTC", tick_size="0.00001", step_size="0.001"))


def test_decimals_become_whole_numbers_and_come_back_exactly():
    assert UNITS.ticks("0.05321") == 5321
    assert UNITS.ticks(0.3) == 30_000
    assert UNITS.lots(Decimal("12.345")) == 12_345
    assert UNITS.price(5321) == Decimal("0.05321")
    assert UNITS.size(12_345) == Decimal("12.345")
    assert UNITS.ticks_of([0.1 + 0.2, 0.05321]).tolist() == [30_000, 5321]
    assert UNITS.lots_of(np.array([[1.001], [0.0]])).tolist() == [[1001], [0]]


@pytest.mark.parametrize("off", ["0.053215", 0.1 + 0.2, "0.000001"])
def test_what_is_off_the_grid_is_refused(off):
    with pytest.raises(InstrumentError, match=r"is not a multiple of 0\.00001"):
        UNITS.ticks(off)


@pytest.mark.parametrize("odd", ["many", float("nan"), "inf"])
def test_what_is_no_number_is_refused(odd):
    with pytest.raises(InstrumentError, match=r"ETHBTC: the price .* is no finite number"):
        UNITS.ticks(odd)


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), 0.000015])
def test_an_array_with_a_value_off_the_grid_is_refused(odd):
    with pytest.raises(InstrumentError, match=r"a price, .*, is not a multiple"):
        UNITS.ticks_of([0.00001, odd])


def test_a_book_needs_ticks():
    with pytest.raises(InstrumentError, match="ACME has no tick size"):
        BookUnits(Instrument(symbol="ACME"))


def test_a_book_that_does_not_remember_takes_an_id_again_once_it_rests_no_longer():
    book = LimitOrderBook(remembers=False)
    book.submit(order(1, "ann", BUY, 3, 50))
    assert book.submit(order(1, "ann", BUY, 3, 50)) == [BookRejected(1, "ann", "submit", "duplicate_id")]
    book.cancel(1)
    assert book.submit(order(1, "ann", BUY, 3, 50)) == [BookRested(1, "ann", BUY, 50, 3, 3)]


def test_what_one_price_displays():
    book = LimitOrderBook()
    book.submit(order(1, "ann", BUY, 10, 50, display=3))
    book.submit(order(2, "bob", BUY, 4, 50))
    assert (book.displayed_at(BUY, 50), book.displayed_at(SELL, 50), book.displayed_at(BUY, 51)) == (7, 0, 0)
