"""The dispatcher: threads, a clock that is moved by hand, and channels that fail as channels do."""

from __future__ import annotations

import logging
import queue
import threading

import pytest

from cambist.errors import DeliveryError, ParameterError
from cambist.notify import Channel, Dispatcher
from cambist.observe import register_secret
from cambist.ports import Notice, NoticeLevel

PATIENCE = 20.0  # seconds until a test that hangs is told so; nothing waits that long


class Phone:
    """A channel that keeps what it gets, raises what it is told to, and hangs while it is closed."""

    def __init__(self):
        self.heard = queue.Queue()
        self.open = threading.Event()
        self.open.set()
        self.entered = queue.Queue()
        self.errors = []

    def send(self, notice):
        self.entered.put(notice.title)
        assert self.open.wait(PATIENCE)
        if self.errors:
            raise self.errors.pop(0)
        self.heard.put(notice)

    def next(self):
        return self.heard.get(timeout=PATIENCE)


@pytest.fixture
def phone():
    made = Phone()
    yield made
    made.open.set()


def channel(phone, name="phone", **settings):
    return Channel(name=name, notifier=phone, **{"interval": 0, **settings})


def notice(title="down", level="error", **parts):
    return Notice(level=level, title=title, **parts)


def test_each_level_goes_to_the_channels_that_take_it(clock):
    all_of_them, urgent = Phone(), Phone()
    with Dispatcher([channel(all_of_them), channel(urgent, "urgent", at_least="error")], clock=clock) as people:
        for level in NoticeLevel:
            people.notify(notice(f"of {level}", level))
        assert people.flush(PATIENCE)
    assert {all_of_them.next().title for _ in NoticeLevel} == {f"of {level}" for level in NoticeLevel}
    assert {urgent.next().title for _ in range(2)} == {"of error", "of critical"}
    assert urgent.heard.empty()


def test_a_channel_that_hangs_delays_neither_the_caller_nor_another(clock, phone):
    stuck = Phone()
    stuck.open.clear()
    people = Dispatcher([channel(stuck, "stuck", capacity=2), channel(phone)], clock=clock)
    people.notify(notice("first"))
    assert stuck.entered.get(timeout=PATIENCE) == "first"
    for number in range(100):
        people.notify(notice(f"{number}"))
    assert [phone.next().title for _ in range(101)] == ["first", *(f"{number}" for number in range(100))]
    assert (people.stats["stuck"].dropped, people.stats["stuck"].pending) == (98, 3)
    stuck.open.set()
    assert people.flush(PATIENCE)
    people.close()
    titles = [stuck.next().title for _ in range(4)]
    assert titles == ["first", "98 notices were lost", "98", "99"]


def test_the_same_alert_is_sent_once_then_as_a_number_and_resolved(clock, phone):
    with Dispatcher([channel(phone, at_least="error")], window=60, clock=clock) as people:
        people.notify(notice(), key="stream")
        assert phone.next().title == "down"
        for _ in range(5):
            people.notify(notice(text="again"), key="stream")
        assert people.flush(PATIENCE)
        assert phone.heard.empty()
        clock.advance(60)
        assert phone.next().text == "again\nThis happened 5 times in 0:01:00; the newest is shown."
        people.resolve("stream", "It is back.")
        over = phone.next()
        assert (over.title, over.level) == ("Resolved: down", NoticeLevel.INFO)
        people.resolve("stream")
        people.resolve("never heard of")
    assert phone.heard.empty()


def test_a_failing_channel_is_tried_again_later_and_told_in_the_log(clock, phone, caplog):
    phone.errors = [DeliveryError("busy", after=30), ValueError("odd"), DeliveryError("busy")]
    with Dispatcher([channel(phone, retry=1)], clock=clock) as people:
        people.notify(notice())
        for number, wait in enumerate((30, 2, 4), start=1):
            with people._changed:  # the failure is noted, and with that the time of the next try
                assert people._changed.wait_for(lambda n=number: people.stats["phone"].attempts_failed == n, PATIENCE)
            clock.advance(wait - 0.5)
            assert phone.heard.empty()
            clock.advance(0.5)
        assert phone.next().title == "down"
        assert people.flush(PATIENCE)
        assert people.stats["phone"].attempts_failed == 3
    assert [(one.levelno, one.message) for one in caplog.records] == [
        (logging.WARNING, "channel phone: will try again: busy"),
        (logging.WARNING, "channel phone takes notices again"),
    ]


def test_what_is_given_up_is_logged_without_its_secrets(clock, phone, caplog):
    register_secret("hunter2-of-the-phone")
    phone.errors = [DeliveryError("no such hunter2-of-the-phone", again=False)]
    with Dispatcher([channel(phone)], clock=clock) as people:
        people.notify(notice())
        assert phone.next().title == "1 notice was lost"
        assert people.flush(PATIENCE)
    assert caplog.messages[0] == "channel phone: a notice was given up: no such ***"
    assert "hunter2" not in caplog.text


def test_secrets_do_not_leave(clock, phone):
    register_secret("hunter2-in-a-notice")
    with Dispatcher([channel(phone)], clock=clock) as people:
        people.notify(notice("hunter2-in-a-notice", text="a hunter2-in-a-notice b", fields={"api_key": "x", "a": "b"}))
        heard = phone.next()
    assert (heard.title, heard.text, heard.fields) == ("***", "a *** b", {"api_key": "***", "a": "b"})


def test_closing_delivers_what_waits_whatever_the_rate_and_tells_the_count(clock, phone):
    people = Dispatcher([channel(phone, burst=1, interval=1_000)], clock=clock)
    for title in ("a", "b", "c", "a", "a"):
        people.notify(notice(title))
    stats = people.close(PATIENCE)["phone"]
    assert (stats.delivered, stats.dropped, stats.pending) == (4, 0, 0)
    heard = [phone.next() for _ in range(4)]
    assert [one.title for one in heard] == ["a", "b", "c", "a"]
    assert heard[-1].text == "This happened 2 times in 0:00:00; the newest is shown."


def test_closing_does_not_wait_for_a_channel_that_is_down(clock, phone, caplog):
    phone.errors = [OSError("cut")] * 2
    people = Dispatcher([channel(phone)], clock=clock)
    people.notify(notice("a"))
    phone.entered.get(timeout=PATIENCE)
    people.notify(notice("b"))
    stats = people.close(PATIENCE)["phone"]
    assert (stats.delivered, stats.failed + stats.dropped, stats.pending) == (0, 2, 0)
    assert "notices dropped" in caplog.messages[-1]


def test_closing_leaves_a_channel_behind_that_hangs(clock, phone, caplog):
    phone.open.clear()
    people = Dispatcher([channel(phone)], clock=clock)
    people.notify(notice("a"))
    phone.entered.get(timeout=PATIENCE)
    people.notify(notice("b"))
    stats = people.close(0.01)["phone"]
    assert (stats.pending, stats.dropped) == (1, 1)
    assert caplog.messages[-1] == "channel phone did not come back before the end and is left behind"


def test_after_the_end_nothing_is_taken_and_that_is_said(clock, phone, caplog):
    people = Dispatcher([channel(phone)], clock=clock)
    people.close(PATIENCE)
    people.notify(notice("too late"))
    people.resolve("too late")
    assert people.close(PATIENCE)["phone"].delivered == 0
    assert people.late == 1
    assert "too late" in caplog.text


def test_a_channel_may_have_something_to_tell_itself(clock):
    class Echo(Phone):
        def send(self, notice):
            if notice.title == "down":
                people.notify(Notice(title="echo"))
            super().send(notice)

    echo = Echo()
    people = Dispatcher([channel(echo)], clock=clock)
    people.notify(notice())
    assert [echo.next().title, echo.next().title] == ["down", "echo"]
    people.close(PATIENCE)


def test_many_threads_lose_nothing(phone):
    with Dispatcher([channel(phone, capacity=10_000)]) as people:
        threads = [
            threading.Thread(target=lambda k=k: [people.notify(notice(f"{k}/{i}")) for i in range(100)])
            for k in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert people.flush(PATIENCE)
        assert people.stats["phone"].delivered == 800
    assert len({phone.next().title for _ in range(800)}) == 800


def test_channels_that_cannot_be(phone):
    with pytest.raises(ParameterError, match="no channel"):
        Dispatcher([])
    with pytest.raises(ParameterError, match="several channels are called 'phone'"):
        Dispatcher([channel(phone), channel(phone)])
    with pytest.raises(ParameterError, match="window"):
        Dispatcher([channel(phone)], window=-1)


def test_some_words_go_to_a_channel_that_takes_them_alone(clock, phone):
    picky = Phone()
    with Dispatcher([channel(phone), channel(picky, "picky", only={"fill"})], clock=clock) as people:
        people.notify(notice("a fill", fields={"alarm": "fill"}))
        people.notify(notice("a stream", fields={"alarm": "stream_down"}))
        people.notify(notice("a plain word"))
        assert people.flush(PATIENCE)
    assert {phone.next().title for _ in range(3)} == {"a fill", "a stream", "a plain word"}
    assert picky.next().title == "a fill"
    assert picky.heard.empty()


def test_what_became_of_each_notice_is_told(clock):
    register_secret("open-sesame")
    phone, told = Phone(), queue.Queue()
    phone.errors = [
        DeliveryError("busy", again=True),
        DeliveryError("no such address as open-sesame", again=False),
    ]
    people = Dispatcher([channel(phone, capacity=2, retry=1)], clock=clock, told=told.put)
    people.notify(notice("first"))
    assert phone.entered.get(timeout=PATIENCE) == "first"
    clock.advance(2)
    assert phone.entered.get(timeout=PATIENCE) == "first"
    given_up = told.get(timeout=PATIENCE)
    assert (given_up.notice.title, given_up.outcome, given_up.attempts) == ("first", "failed", 2)
    assert given_up.error == "no such address as ***"
    people.notify(notice("second"))
    assert told.get(timeout=PATIENCE).outcome == "delivered"
    phone.open.clear()
    for title in ("third", "fourth", "fifth", "sixth"):
        people.notify(notice(title))
    lost = told.get(timeout=PATIENCE)
    assert (lost.outcome, lost.attempts, lost.error) == ("dropped", 0, "")
    phone.open.set()
    people.close()
    rest = [told.get(timeout=PATIENCE) for _ in range(3)]
    assert {lost.notice.title, *(one.notice.title for one in rest)} == {"third", "fourth", "fifth", "sixth"}
    assert told.empty()
