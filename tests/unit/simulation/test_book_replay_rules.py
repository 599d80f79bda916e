"""Orders in a recorded book, rule by rule."""

from __future__ import annotations

import pytest

from cambist.errors import OrderError, ParameterError
from cambist.model import Side, TimeInForce
from cambist.simulation import (
    BookAmended,
    BookCanceled,
    BookLevel,
    BookOrder,
    BookRejected,
    BookReplay,
    BookRested,
    BookTrade,
    cancels_spread,
)

BUY, SELL = Side.BUY, Side.SELL


def order(number, side, size, price=None, **terms):
    return BookOrder(id=number, owner="us", side=side, size=size, price=price, **terms)


@pytest.fixture
def replay():
    """A book of 10 lots at each of the prices 98, 99 and 101, 102."""
    replay = BookReplay()
    assert replay.snapshot([(99, 10), (98, 10)], [(101, 10), (102, 10)]) == []
    return replay


def test_those_ahead_trade_first_and_what_goes_beyond_is_ours(replay):
    assert replay.submit(order(1, BUY, 4, 99)) == [BookRested(1, "us", BUY, 99, 4, 4)]
    assert replay.get(1).ahead == 10
    assert replay.trade(SELL, 99, 7) == []
    assert replay.get(1).ahead == 3
    assert replay.level(BUY, 99, 3) == []  # the record tells of those seven, and they do not count again
    assert replay.get(1).ahead == 3
    assert replay.trade(SELL, 99, 5) == [BookTrade(0, "", 1, "us", SELL, 99, 2)]
    assert replay.get(1).remaining == 2


def test_who_leaves_is_taken_to_have_stood_behind_until_nobody_is_left_there(replay):
    replay.submit(order(1, BUY, 4, 99))
    replay.level(BUY, 99, 25)
    replay.level(BUY, 99, 12)
    assert replay.get(1).ahead == 10
    replay.level(BUY, 99, 6)
    assert replay.get(1).ahead == 6


def test_the_proportional_model_spreads_who_leaves_over_the_line():
    replay = BookReplay(cancels_spread)
    replay.snapshot([(99, 10)], [])
    replay.submit(order(1, BUY, 4, 99))
    replay.level(BUY, 99, 25)  # 10 ahead, 15 behind
    replay.level(BUY, 99, 10)  # 15 of 25 leave: 6 of them stood ahead
    assert replay.get(1).ahead == 4


def test_a_trade_through_our_price_fills_us_up_to_its_size(replay):
    replay.submit(order(1, BUY, 4, 99))
    replay.submit(order(2, BUY, 4, 98))
    assert replay.trade(SELL, 97, 5) == [
        BookTrade(0, "", 1, "us", SELL, 99, 4),
        BookTrade(0, "", 2, "us", SELL, 98, 1),
    ]
    assert replay.get(2).ahead == 0


def test_an_ask_that_comes_to_our_bid_trades_with_it_once(replay):
    replay.submit(order(1, BUY, 8, 100))
    assert replay.level(SELL, 100, 5) == [BookTrade(0, "", 1, "us", SELL, 100, 5)]
    assert replay.level(SELL, 100, 5) == []
    assert replay.level(SELL, 100, 6) == [BookTrade(0, "", 1, "us", SELL, 100, 1)]


def test_what_we_took_is_gone_until_the_level_is_told_anew(replay):
    assert replay.submit(order(1, BUY, 14)) == [
        BookTrade(1, "us", 0, "", BUY, 101, 10),
        BookTrade(1, "us", 0, "", BUY, 102, 4),
    ]
    assert replay.depth().asks == (BookLevel(102, 6, 0),)
    assert replay.best(SELL) == 102
    replay.level(SELL, 101, 3)
    assert replay.depth(1).asks == (BookLevel(101, 3, 0),)


def test_fill_or_kill_and_immediate_or_cancel(replay):
    fok = order(1, BUY, 11, 101, time_in_force=TimeInForce.FOK)
    assert replay.submit(fok) == [BookCanceled(1, "us", 11, "unfilled")]
    ioc = order(2, BUY, 11, 101, time_in_force=TimeInForce.IOC)
    assert replay.submit(ioc) == [BookTrade(2, "us", 0, "", BUY, 101, 10), BookCanceled(2, "us", 1, "unfilled")]


def test_we_never_trade_with_ourselves(replay):
    replay.submit(order(1, SELL, 5, 100))
    assert replay.submit(order(2, BUY, 5, 100)) == [BookCanceled(2, "us", 5, "self_trade")]
    assert replay.submit(order(3, BUY, 5)) == [BookCanceled(3, "us", 5, "self_trade")]
    assert replay.submit(order(4, BUY, 5, 101, post_only=True)) == [BookRejected(4, "us", "submit", "would_take")]


def test_less_size_keeps_the_place_and_more_loses_it(replay):
    replay.submit(order(1, BUY, 6, 99))
    replay.trade(SELL, 99, 8)
    assert replay.amend(1, size=5) == [BookAmended(1, "us", 99, 5, True)]
    assert (replay.get(1).ahead, replay.get(1).remaining) == (2, 5)
    replay.level(BUY, 99, 30)
    assert replay.amend(1, size=7) == [BookAmended(1, "us", 99, 7, False), BookRested(1, "us", BUY, 99, 7, 7)]
    assert replay.get(1).ahead == 30
    replay.trade(SELL, 98, 3)
    assert replay.amend(1, size=3) == [BookRejected(1, "us", "amend", "size_filled")]
    assert replay.amend(1, price=101)[1:] == [BookTrade(1, "us", 0, "", BUY, 101, 4)]
    assert replay.amend(1, size=9) == [BookRejected(1, "", "amend", "unknown_order")]


def test_a_snapshot_tells_nothing_of_what_lies_beyond_it(replay):
    replay.submit(order(1, BUY, 4, 98))
    replay.snapshot([(100, 7)], [])
    assert replay.depth().bids == (BookLevel(100, 7, 0), BookLevel(99, 10, 0), BookLevel(98, 10, 0))
    assert replay.depth().asks == ()
    replay.snapshot([(98, 2)], [])
    assert replay.depth().bids == (BookLevel(98, 2, 0),)
    assert replay.get(1).ahead == 2


def test_what_cannot_be_worked_is_rejected(replay):
    replay.submit(order(1, BUY, 1, 99))
    assert replay.submit(order(1, BUY, 1, 99)) == [BookRejected(1, "us", "submit", "duplicate_id")]
    assert replay.submit(order(2, BUY, 5, 99, display=1)) == [BookRejected(2, "us", "submit", "hidden_size")]
    assert replay.cancel(9) == [BookRejected(9, "", "cancel", "unknown_order")]
    assert replay.cancel(1) == [BookCanceled(1, "us", 1, "canceled")]
    assert replay.open_orders == []


@pytest.mark.parametrize(("what", "given"), [("level", (BUY, 0, 1)), ("level", (BUY, 5, -1)), ("trade", (BUY, 5, 0))])
def test_a_record_that_cannot_be_is_refused(replay, what, given):
    with pytest.raises(ParameterError, match="cannot be; a price is at least 1 tick"):
        getattr(replay, what)(*given)


def test_questions_and_amendments_without_sense_are_refused(replay):
    with pytest.raises(ParameterError, match="levels is 0"):
        replay.depth(0)
    replay.submit(order(1, BUY, 6, 99))
    with pytest.raises(OrderError, match="size is -1"):
        replay.amend(1, size=-1)
