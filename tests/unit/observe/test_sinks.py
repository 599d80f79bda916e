"""A slow, hanging or raising sink costs the producer nothing, and nothing is lost without being counted.

No clock decides anything here: events and barriers say when each thread may go on.
"""

from __future__ import annotations

import logging
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.errors import InputError
from cambist.observe import FullPolicy, SinkStats, SinkWorker, log_context

WAIT = 60  # seconds until a test that hangs fails; no test waits that long unless it fails


class Gate:
    """A sink that shows when it holds an item, and holds it until it is let go."""

    def __init__(self):
        self.seen = []
        self.entered = threading.Semaphore(0)
        self.go = threading.Semaphore(0)

    def __call__(self, item):
        self.entered.release()
        assert self.go.acquire(timeout=WAIT)
        self.seen.append(item)

    def wait_until_held(self):
        assert self.entered.acquire(timeout=WAIT)

    def open(self):
        self.go.release(1_000)


@pytest.fixture
def gate():
    gate = Gate()
    yield gate
    gate.open()


def fill(worker, gate, count):
    """Have the sink hold the first item, and put so many more behind it."""
    worker.put(0)
    gate.wait_until_held()
    return [worker.put(item) for item in range(1, count + 1)]


def test_everything_is_delivered_in_order():
    seen = []
    worker = SinkWorker("all", seen.append, policy="block", capacity=3)
    for item in range(1_000):
        assert worker.put(item)
    assert worker.close(WAIT) == SinkStats(delivered=1_000)
    assert seen == list(range(1_000))


def test_drop_oldest_keeps_the_newest(gate):
    worker = SinkWorker("page", gate, policy=FullPolicy.DROP_OLDEST, capacity=3)
    assert all(fill(worker, gate, 10))
    gate.open()
    assert worker.close(WAIT) == SinkStats(delivered=4, dropped=7)
    assert gate.seen == [0, 8, 9, 10]


def test_drop_newest_keeps_the_oldest_and_says_so(gate):
    worker = SinkWorker("first", gate, policy=FullPolicy.DROP_NEWEST, capacity=3)
    assert fill(worker, gate, 5) == [True, True, True, False, False]
    gate.open()
    assert worker.close(WAIT) == SinkStats(delivered=4, dropped=2)
    assert gate.seen == [0, 1, 2, 3]


def test_collapse_keeps_the_latest_of_each_key_in_the_place_of_the_first(gate):
    worker = SinkWorker("prices", gate, policy=FullPolicy.COLLAPSE, capacity=2, key=lambda item: item[0])
    worker.put(("warm", 0))
    gate.wait_until_held()
    for item in [("a", 1), ("b", 1), ("a", 2), ("a", 3)]:
        assert worker.put(item)
    assert worker.put(("c", 1))  # a third key where two have room: the oldest goes
    gate.open()
    assert worker.close(WAIT) == SinkStats(delivered=3, dropped=1, collapsed=2)
    assert gate.seen == [("warm", 0), ("b", 1), ("c", 1)]


def test_block_makes_the_producer_wait_until_there_is_room(gate):
    worker = SinkWorker("record", gate, policy="block", capacity=1)
    fill(worker, gate, 1)
    third = threading.Thread(target=worker.put, args=(2,))
    third.start()
    # Only the sink can let it go: as long as the sink holds its item, the third one is not in the queue.
    assert worker.stats.pending == 2
    assert third.is_alive()
    gate.go.release()
    third.join(WAIT)
    assert not third.is_alive()
    gate.open()
    assert worker.close(WAIT) == SinkStats(delivered=3)


def test_a_producer_that_waits_is_let_go_when_the_sink_is_closed(gate):
    worker = SinkWorker("record", gate, policy="block", capacity=1)
    fill(worker, gate, 1)
    answers = []
    producer = threading.Thread(target=lambda: answers.append(worker.put(2)))
    producer.start()
    stats = worker.close(timeout=0)
    producer.join(WAIT)
    assert answers == [False]
    assert (stats.delivered, stats.pending) == (0, 1)


@pytest.mark.parametrize("error", [ValueError("bad"), SystemExit(3), KeyboardInterrupt()])
def test_a_sink_that_raises_is_counted_and_goes_on(error, caplog):
    def sink(item):
        if item % 2:
            raise error

    worker = SinkWorker("odd", sink, policy="block")
    for item in range(10):
        assert worker.put(item)
    assert worker.close(WAIT) == SinkStats(delivered=5, failed=5)
    told = [record for record in caplog.records if record.exc_info]
    assert len(told) == 1, "what it raises is shown once, not for each item"
    assert "sink odd" in caplog.text


@pytest.mark.parametrize("policy", ["drop_oldest", "drop_newest", "collapse"])
def test_a_sink_that_hangs_stalls_neither_the_producer_nor_the_end(gate, policy):
    key = (lambda item: item) if policy == "collapse" else None
    worker = SinkWorker("stuck", gate, policy=policy, capacity=10, key=key)
    fill(worker, gate, 10_000)
    stats = worker.close(timeout=0)
    assert stats == SinkStats(dropped=10_000, pending=1)
    assert not worker.put("after the end")
    assert worker.stats.dropped == 10_001


def test_what_waits_is_delivered_before_the_end(gate):
    worker = SinkWorker("drain", gate, policy="drop_oldest", capacity=10)
    fill(worker, gate, 10)
    gate.open()
    assert worker.close(WAIT) == SinkStats(delivered=11)
    assert worker.close(WAIT) == SinkStats(delivered=11)


def test_a_sink_left_behind_shows_no_further_item_when_it_comes_back(gate):
    worker = SinkWorker("late", gate, policy="drop_oldest", capacity=10)
    fill(worker, gate, 5)
    worker.close(timeout=0)
    gate.open()
    worker._thread.join(WAIT)
    assert gate.seen == [0]
    assert worker.stats == SinkStats(delivered=1, dropped=5)


def test_flush_waits_for_the_item_that_is_with_the_sink(gate):
    worker = SinkWorker("flush", gate, policy="block")
    fill(worker, gate, 1)
    assert not worker.flush(timeout=0)
    gate.open()
    assert worker.flush(WAIT)
    assert gate.seen == [0, 1]
    worker.close(WAIT)


def test_a_sink_may_feed_and_close_itself():
    worker = None
    ready = threading.Event()

    def sink(item):
        assert ready.wait(WAIT)
        if item < 50:
            worker.put(item + 1)
        else:
            worker.close()

    worker = SinkWorker("self", sink, policy="block", capacity=1)
    worker.put(0)
    ready.set()
    worker._thread.join(WAIT)
    assert worker.stats == SinkStats(delivered=51)


def test_losses_are_logged_as_they_double_and_at_the_end(gate, caplog):
    worker = SinkWorker("lossy", gate, policy="drop_newest", capacity=1)
    fill(worker, gate, 101)
    gate.open()
    worker.close(WAIT)
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1, "a hundred losses are not a hundred lines"
    assert told[0].startswith("sink lossy: 100 items dropped, 0 failed, ")


def test_the_sink_logs_with_the_ids_of_whoever_made_it():
    from cambist.observe.context import current_context

    seen = []
    with log_context(run="r7"):
        worker = SinkWorker("ids", lambda _: seen.append(dict(current_context())), policy="block")
    worker.put(1)
    worker.close(WAIT)
    assert seen == [{"run": "r7"}]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"policy": "block", "capacity": 0}, "holds nothing"),
        ({"policy": "collapse"}, "a key goes with the policy 'collapse'"),
        ({"policy": "block", "key": str}, "a key goes with the policy 'collapse'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    before = threading.active_count()
    with pytest.raises(InputError, match=message):
        SinkWorker("x", print, **settings)
    assert threading.active_count() == before


@given(
    policy=st.sampled_from(list(FullPolicy)),
    capacity=st.integers(1, 5),
    items=st.lists(st.tuples(st.integers(0, 3), st.integers()), max_size=60),
    failing=st.sets(st.integers(0, 3)),
)
def test_every_item_is_accounted_for_whatever_happens(policy, capacity, items, failing):
    seen = []

    def sink(item):
        seen.append(item)
        if item[0] in failing:
            raise ValueError

    key = (lambda item: item[0]) if policy is FullPolicy.COLLAPSE else None
    worker = SinkWorker("any", sink, policy=policy, capacity=capacity, key=key)
    logging.getLogger("cambist.observe.sinks").disabled = True
    for item in items:
        worker.put(item)
    stats = worker.close(WAIT)
    logging.getLogger("cambist.observe.sinks").disabled = False
    assert stats.delivered + stats.failed + stats.dropped + stats.collapsed == len(items)
    assert len(seen) == stats.delivered + stats.failed
    assert stats.failed == sum(item[0] in failing for item in seen)
    if policy is FullPolicy.BLOCK:
        assert seen == items
    # What was delivered came in the order in which it was put, item by item or key by key.
    rest = iter(items)
    if policy is not FullPolicy.COLLAPSE:
        assert all(any(item == other for other in rest) for item in seen)
    else:
        for name in range(4):
            ofkey = iter([item for item in items if item[0] == name])
            assert all(any(item == other for other in ofkey) for item in seen if item[0] == name)


def test_many_producers_lose_nothing_when_they_may_wait():
    seen = []
    worker = SinkWorker("busy", seen.append, policy="block", capacity=7)
    start = threading.Barrier(8)

    def produce(name):
        start.wait(WAIT)
        for number in range(500):
            assert worker.put((name, number))

    threads = [threading.Thread(target=produce, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    assert worker.close(WAIT) == SinkStats(delivered=4_000)
    for name in range(8):
        assert [number for who, number in seen if who == name] == list(range(500))
