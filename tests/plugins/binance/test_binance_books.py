"""Local books against recorded depth; a second book, in exact decimals by the letter of the rules, is the judge."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal

import pytest
from payloads import BTC, DATA, FOLDER, content, needs_payloads

from cambist_binance.books import BookGapError, BookState, LocalBook
from cambist_binance.wire.market import DepthSnapshot, DepthUpdate, decode_depth, decode_snapshot

RECORDINGS = {
    "spot_rec_book_sync_nknusdt": False,
    "usdm_rec_book_sync_sushiusdt": True,
    "coinm_rec_book_sync_btcusd_211231": True,
}
RAW = {
    "binance_spot_BTCUSDT_2024-08-08_raw_l2": (False, "btcusdt@depth@100ms"),
    "binance_usdm_BTCUSDT_2024-08-08_raw_l2_first30k": (True, "btcusdt@depth@0ms"),
}


class Judge:
    """A book in decimals."""

    def __init__(self, snapshot, *, futures):
        self.futures, self.last, self.fresh = futures, snapshot["lastUpdateId"], True
        self.sides = [{Decimal(price): Decimal(size) for price, size in snapshot[side]} for side in ("bids", "asks")]
        self.applied = 0

    def take(self, event):
        if event["u"] < self.last or (not (self.futures and self.fresh) and event["u"] == self.last):
            return
        if not self.futures:
            assert event["U"] <= self.last + 1 <= event["u"]
        elif self.fresh:
            assert event["U"] <= self.last <= event["u"]
        else:
            assert event["pu"] == self.last
        self.fresh, self.last = False, event["u"]
        self.applied += 1
        for side, levels in zip(self.sides, (event["b"], event["a"]), strict=True):
            for price, size in levels:
                if Decimal(size):
                    side[Decimal(price)] = Decimal(size)
                else:
                    side.pop(Decimal(price), None)

    def levels(self):
        """Bids and asks as doubles, best first."""
        bids, asks = self.sides
        return (
            [(float(price), float(bids[price])) for price in sorted(bids, reverse=True)],
            [(float(price), float(asks[price])) for price in sorted(asks)],
        )


def fold(told, update):
    if update.is_snapshot:
        told[1].clear()
        told[-1].clear()
    for side, price, size in update.levels:
        if size:
            told[side][price] = size
        else:
            told[side].pop(price, None)


def replay(events, snapshot, where, *, futures, look_every):
    """Feed a book as a session does, the snapshot at its place; return it with its judge and what it told."""
    book, judge = LocalBook(BTC, futures=futures), Judge(snapshot, futures=futures)
    told = {1: {}, -1: {}}
    for number, event in enumerate(events):
        if number == where:
            for update in book.start(decode_snapshot(json.dumps(snapshot).encode()), 1):
                fold(told, update)
        update = book.update(decode_depth(json.dumps(event).encode()))
        if update is not None:
            fold(told, update)
        if number < where:
            assert book.state is BookState.BUFFERING
        judge.take(event)
        if number >= where and (number - where) % look_every == 0:
            assert book.levels() == judge.levels()
    assert judge.applied > 80
    assert book.levels() == judge.levels()
    bids, asks = judge.levels()
    assert (told[1], told[-1]) == (dict(bids), dict(asks))
    return book, judge


@needs_payloads
@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recorded_sequence_is_reproduced(name):
    recording = content(name)
    stream = recording["stream"]
    events = [one["msg"]["data"] for one in stream if "depth" in one["msg"]["stream"]]
    where = sum(one["recv_ms"] <= recording["snapshot_recv_ms"] for one in stream if "depth" in one["msg"]["stream"])
    book, judge = replay(events, recording["snapshot"], where, futures=RECORDINGS[name], look_every=1)
    assert book.last == judge.last == events[-1]["u"]


@pytest.mark.skipif(DATA is None, reason="CAMBIST_TEST_DATA is not set")
@pytest.mark.parametrize("name", RAW)
def test_raw_depth_of_a_day_is_reproduced(name):
    futures, stream = RAW[name]
    events, snapshot, where = [], None, 0
    with gzip.open(DATA / "ticks" / f"{name}.jsonl.gz", "rt") as lines:
        for line in lines:
            if '"lastUpdateId"' in line:
                snapshot, where = json.loads(line.partition(" ")[2]), len(events)
            elif f'"{stream}"' in line:
                events.append(json.loads(line.partition(" ")[2])["data"])
    book, _ = replay(events, snapshot, where, futures=futures, look_every=100)
    assert book.last == events[-1]["u"]


def event(first, last, previous=None, bids=(), asks=()):
    return DepthUpdate(first=first, last=last, previous=previous, bids=list(bids), asks=list(asks), at=1)


def snapshot(last):
    return DepthSnapshot(last=last, bids=[(99.0, 1.0), (98.0, 2.0)], asks=[(101.0, 1.0)])


def live(*, futures, last=10):
    book = LocalBook(BTC, futures=futures)
    assert len(book.start(snapshot(last), 5)) == 1
    return book


def test_a_snapshot_that_is_older_than_what_came_is_refused():
    book = LocalBook(BTC, futures=False)
    assert book.update(event(12, 13)) is None
    assert book.start(snapshot(10), 5) is None
    assert book.state is BookState.BUFFERING
    first, second = book.start(snapshot(11), 5)
    assert (first.is_snapshot, second.is_snapshot) == (True, False)
    assert book.last == 13


@pytest.mark.parametrize("futures", [False, True])
def test_what_came_already_is_left_out_and_a_gap_begins_anew(futures):
    book = live(futures=futures)
    assert book.update(event(10, 11, 9, bids=[(99.5, 3.0)])).levels == ((1, 99.5, 3.0),)
    assert book.update(event(10, 11, 9, bids=[(99.5, 9.0)])) is None
    assert book.levels()[0][0] == (99.5, 3.0)
    with pytest.raises(BookGapError, match="does not follow 11"):
        book.update(event(14, 15, 13))
    assert book.state is BookState.BUFFERING
    assert book.levels() == ([], [])
    # The event that showed the gap is kept for the next snapshot.
    assert [one.is_snapshot for one in book.start(snapshot(14), 5)] == [True, False]
    assert book.last == 15


def test_the_first_event_behind_a_snapshot_has_another_rule_on_futures():
    book = live(futures=True)
    assert book.update(event(8, 12, 7)) is not None
    with pytest.raises(BookGapError):
        book.update(event(12, 14, 11))
    spot = live(futures=False)
    assert spot.update(event(11, 12)) is not None
    with pytest.raises(BookGapError):
        live(futures=True).update(event(11, 12, 10))


def test_a_crossed_book_begins_anew():
    book = live(futures=False)
    with pytest.raises(BookGapError, match=r"crossed: 101\.5 bid, 101\.0 asked"):
        book.update(event(11, 12, bids=[(101.5, 1.0)]))
    assert book.state is BookState.BUFFERING


def test_removing_what_is_not_there_is_normal():
    book = live(futures=False)
    update = book.update(event(11, 11, bids=[(50.0, 0.0)], asks=[(101.0, 0.0), (102.0, 4.0)]))
    assert update.levels == ((1, 50.0, 0.0), (-1, 101.0, 0.0), (-1, 102.0, 4.0))
    assert book.levels() == ([(99.0, 1.0), (98.0, 2.0)], [(102.0, 4.0)])


def test_every_recording_is_used():
    if FOLDER.is_dir():
        assert set(RECORDINGS) == {path.stem for path in FOLDER.glob("*book_sync*.json")}


@pytest.mark.parametrize("level", [(-1.0, 1.0), (0.0, 1.0), (100.0, -1.0), (float("inf"), 1.0), (100.0, float("nan"))])
def test_a_level_that_cannot_be_begins_the_book_anew(level):
    book = LocalBook(BTC, futures=False)
    book.start(DepthSnapshot(last=5, bids=[(100.0, 1.0)], asks=[(101.0, 1.0)]), 1)
    with pytest.raises(BookGapError, match="a level that cannot be"):
        book.update(DepthUpdate(first=6, last=6, bids=[level], asks=[]))
    assert book.state is BookState.BUFFERING
    with pytest.raises(BookGapError, match="a level that cannot be"):
        book.start(DepthSnapshot(last=6, bids=[level], asks=[]), 1)
    assert book.state is BookState.BUFFERING
