"""Mark prices of a live run: kept until it begins, and not known while they do not flow."""

from __future__ import annotations

from math import isnan
from types import SimpleNamespace

import pytest

from cambist.live.mark_stream import MarkStream
from cambist.model import Instrument, Margin
from cambist.model.reports import MarkReport
from cambist.portfolio import MarginPortfolio, Portfolio
from cambist.ports.venue import StreamReport, Subscription, VenueTerms

PERPETUAL = Instrument(symbol="BTC/USDT:USDT", kind="linear_perpetual", base="BTC", quote="USDT", margin_rate="0.05")
COIN = Instrument(symbol="BTC/USDT", base="BTC", quote="USDT")


def stream(told, *, marks=True, margined=True):
    books = MarginPortfolio([PERPETUAL], 10.0, margin=Margin()) if margined else Portfolio([PERPETUAL], 10.0)
    kernel = SimpleNamespace(portfolio=books)
    return MarkStream(VenueTerms(marks=marks), kernel, [COIN, PERPETUAL], lambda *one: told.append(one))


def mark(price):
    return MarkReport(ts=1, symbol=PERPETUAL.symbol, price=price)


def test_the_newest_is_told_when_the_run_begins_and_none_is_known_while_they_do_not_flow():
    told = []
    marks = stream(told)
    (asked,) = marks.subscriptions
    assert asked == Subscription(PERPETUAL, "marks")
    marks.take(mark(100.0))
    marks.take(mark(101.0))
    assert told == []
    marks.begin()
    assert told == [(PERPETUAL.symbol, 101.0)]
    assert marks.reported(StreamReport(stream="marks", state="down", subscription=asked))
    assert isnan(told[-1][1])
    assert marks.reported(StreamReport(stream="marks", state="up", subscription=asked))
    marks.take(mark(102.0))
    assert told[-1] == (PERPETUAL.symbol, 102.0)
    assert not marks.reported(StreamReport(stream="all", state="down"))


@pytest.mark.parametrize("lacks", ["marks", "margined"])
def test_nobody_asks_for_them_where_there_are_none_or_nothing_is_valued_by_them(lacks):
    assert stream([], **{lacks: False}).subscriptions == []
