"""A recorded book, played again, is the book that the venue's own rules make of the recording."""

from __future__ import annotations

import gzip
import json
from decimal import ROUND_HALF_EVEN, Decimal

import pytest

from cambist.api import DataError
from cambist.model import OrderType, Side
from cambist_simulator.exchange.events import BookChanged
from cambist_simulator.exchange.orders import OrderTerms
from cambist_simulator.market.l2 import RawBookReplay

FILES = {
    "spot": ("ticks/binance_spot_BTCUSDT_2024-08-08_raw_l2.jsonl.gz", "0.01", "0.00001"),
    "usdm": ("ticks/binance_usdm_BTCUSDT_2024-08-08_raw_l2_first30k.jsonl.gz", "0.1", "0.001"),
}


class Recorded:
    """The recording, read by the venue's rules: a snapshot, then the changes after it."""

    def __init__(self, path, step):
        self.step = Decimal(step)
        with gzip.open(path, "rt") as lines:
            self.lines = [(int(at), json.loads(text)) for at, _, text in (line.partition(" ") for line in lines)]
        self.snapshot = next(one for _, one in self.lines if "lastUpdateId" in one)
        self.book = {"bids": {}, "asks": {}}
        for name, levels in self.book.items():
            self.change(levels, self.snapshot[name])

    def size(self, text):
        exact = Decimal(text)
        return max(exact.quantize(self.step, ROUND_HALF_EVEN), self.step if exact else Decimal(0))

    def change(self, levels, rows):
        for price, size in rows:
            levels[Decimal(price)] = self.size(size)
            if not levels[Decimal(price)]:
                del levels[Decimal(price)]

    def messages(self):
        """Yield what is played: all but what the snapshot has in it already."""
        last = self.snapshot["lastUpdateId"]
        for at, line in self.lines:
            data = line.get("data", line)
            number = data.get("u") or data.get("lastUpdateId") or 0
            if data.get("e") == "trade" and data.get("X", "MARKET") == "MARKET":
                yield at, "trade", data
            elif isinstance(data.get("b"), str) and number > last:
                yield at, "ticker", data
            elif isinstance(data.get("b"), list) and number > last:
                self.change(self.book["bids"], data["b"])
                self.change(self.book["asks"], data["a"])
                last = number
                yield at, "depth", data


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_book_is_the_recorded_one(make_venue, outside_data, name):
    file, tick, step = FILES[name]
    recorded = Recorded(outside_data / file, step)
    venue = make_venue(tick=tick, step=step)
    replay = RawBookReplay(venue.hand(), outside_data / file)
    venue.markets.add(replay)
    venue.markets.begin()
    book = venue.exchange.book("BTCUSDT")
    venue.markets.step()
    assert dict(book.depth().bids) == recorded.book["bids"]
    assert dict(book.depth().asks) == recorded.book["asks"]
    taken, checked, newest = 0, 0, 0
    for at, kind, data in recorded.messages():
        assert venue.markets.step() == at
        if kind == "trade":
            trade = venue.trades[-1] if taken % 200 == 0 else None
            taken += 1
            if trade is not None:
                assert (trade.price, trade.size) == (Decimal(data["p"]), Decimal(data["q"]))
                assert trade.side is (Side.SELL if data["m"] else Side.BUY)
        elif kind == "ticker":
            newest = data["u"]
            assert book.top(Side.BUY) == (Decimal(data["b"]), recorded.size(data["B"]))
            assert book.top(Side.SELL) == (Decimal(data["a"]), recorded.size(data["A"]))
        elif data["u"] >= newest:
            checked += 1
            if checked % 40 == 0:
                assert dict(book.depth().bids) == recorded.book["bids"]
                assert dict(book.depth().asks) == recorded.book["asks"]
    assert venue.markets.step() is None
    assert len(venue.trades) == taken > 1_000
    assert checked > 200
    assert_continuous(venue.events, book)


def assert_continuous(events, book):
    sides = {"bids": {}, "asks": {}}
    last = 0
    for event in events:
        if type(event) is BookChanged:
            assert (event.first_id, event.previous_id) == (last + 1, last)
            last = event.last_id
            for name, levels in sides.items():
                levels.update(getattr(event, name))
    depth = book.depth()
    assert depth.update_id == last
    for name, levels in sides.items():
        assert {price: size for price, size in levels.items() if size} == dict(getattr(depth, name))


def test_users_take_from_the_recorded_book_and_wait_in_it(make_venue, outside_data):
    file, tick, step = FILES["spot"]
    venue = make_venue(tick=tick, step=step)
    user = venue.user()
    venue.markets.add(RawBookReplay(venue.hand(), outside_data / file))
    venue.markets.begin()
    venue.run(2_000)
    bid, _ = venue.exchange.book("BTCUSDT").top(Side.BUY)
    ask, size = venue.exchange.book("BTCUSDT").top(Side.SELL)
    bought = venue.exchange.place(user, OrderTerms(symbol="BTCUSDT", side=Side.BUY, type=OrderType.MARKET, size=size))
    assert [(one.price, one.size) for one in bought.executions] == [(ask, size)]
    waits = venue.exchange.place(
        user, OrderTerms(symbol="BTCUSDT", side=Side.BUY, type=OrderType.LIMIT, price=bid, size=Decimal("0.01"))
    )
    venue.run()
    assert [one.maker for one in waits.executions] == [True] * len(waits.executions)
    assert waits.filled == Decimal("0.01")


def test_a_recorded_book_may_loop(make_venue, tmp_path):
    path = tmp_path / "raw.jsonl"
    second = 1_000_000_000
    path.write_text(
        f'{second} {{"lastUpdateId":5,"bids":[["1.00","2"]],"asks":[["1.02","3"]]}}\n'
        f'{2 * second} {{"stream":"x","data":{{"u":6,"b":"1.00","B":"4","a":"1.01","A":"1"}}}}\n'
        f'{3 * second} {{"stream":"x","data":{{"e":"trade","p":"1.02","q":"1","m":false}}}}\n'
        f'{3 * second} {{"stream":"x","data":{{"e":"depthUpdate","U":6,"u":7,"b":[],"a":[["1.03","9"]]}}}}\n'
    )
    venue = make_venue()
    venue.markets.add(RawBookReplay(venue.hand(), path))
    venue.markets.begin(loop=True)
    book = venue.exchange.book("BTCUSDT")
    for number in range(3):
        venue.markets.advance((2 + 2 * number) * second)
        assert book.top(Side.SELL) == (Decimal("1.01"), Decimal(1))
        venue.markets.advance((3 + 2 * number) * second - 1)
        assert len(venue.trades) == number
        venue.markets.advance((3 + 2 * number) * second)
        assert len(venue.trades) == number + 1


def test_lines_that_are_no_messages(make_venue, tmp_path):
    path = tmp_path / "raw.jsonl"
    path.write_text('1 {"stream":"x","data":{"e":"trade","p":"1.005","q":"1","m":true}}\n')
    with pytest.raises(DataError, match=r"line 1: the price 1\.005"):
        RawBookReplay(make_venue().hand(), path)
    path.write_text('1 {"stream":"x","data":{"e":"trade","p":"1.00","q":"1","m":true}}\nnothing\n')
    replay = RawBookReplay(make_venue().hand(), path)
    with pytest.raises(DataError, match="line 2"):
        replay.begin(0)
    with pytest.raises(DataError, match="no such file"):
        RawBookReplay(make_venue().hand(), tmp_path / "missing.jsonl")
