"""What is news, and what waits for a channel: both as functions of time alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.errors import DeliveryError, ParameterError
from cambist.notify.alerts import AlertBook, Delivery
from cambist.notify.lane import Channel, Lane
from cambist.ports import Notice, NoticeLevel


def notice(title="down", level="warning", text=""):
    return Notice(level=level, title=title, text=text)


def told(deliveries):
    return [(one.notice.title, one.notice.text) for one in deliveries]


def test_an_alert_is_sent_once_and_the_rest_told_as_a_number():
    book = AlertBook(window=60)
    assert told(book.report(notice(text="first"), "k", 0)) == [("down", "first")]
    assert [book.report(notice(text=f"at {at}"), "k", at) for at in (1, 20, 59)] == [[], [], []]
    assert book.next_due() == 60
    assert book.due(59.9) == []
    assert told(book.due(60)) == [("down", "at 59\nThis happened 3 times in 0:01:00; the newest is shown.")]
    assert book.next_due() is None
    assert book.due(1_000) == []


def test_a_single_repetition_comes_as_it_is_and_begins_a_new_window():
    book = AlertBook(window=60)
    book.report(notice(), "k", 0)
    book.report(notice(text="again"), "k", 10)
    assert told(book.due(60)) == [("down", "again")]
    assert book.report(notice(), "k", 119) == []
    assert told(book.report(notice(text="third"), "k", 120)) == [
        ("down", "third\nThis happened 2 times in 0:01:00; the newest is shown.")
    ]


def test_what_got_worse_is_sent_at_once_and_what_got_better_is_not():
    book = AlertBook(window=60)
    book.report(notice(level="warning"), "k", 0)
    (worse,) = book.report(notice(level="critical"), "k", 1)
    assert worse.level is NoticeLevel.CRITICAL
    assert book.report(notice(level="error"), "k", 2) == []
    assert book.report(notice(level="critical"), "k", 3) == []


def test_an_alert_that_is_over_is_told_to_those_who_heard_of_it():
    book = AlertBook(window=60)
    book.report(notice(level="error"), "k", 0)
    book.report(notice(level="info"), "k", 30)
    (over,) = book.resolve("k", "it is back", 90)
    assert (over.notice.level, over.level) == (NoticeLevel.INFO, NoticeLevel.ERROR)
    assert told([over]) == [("Resolved: down", "it is back\nIt was told 2 times in 0:01:30.")]
    assert book.resolve("k", "", 91) == []
    assert book.due(1_000) == []
    assert told(book.report(notice(), "k", 92)) == [("down", "")]


def test_keys_are_told_apart_and_the_silent_are_forgotten():
    book = AlertBook(window=10, forget=100, capacity=2)
    assert book.report(notice("a"), "a", 0)
    assert book.report(notice("b"), "b", 1)
    book.report(notice("a", text="once more"), "a", 2)
    assert told(book.report(notice("c"), "c", 3)) == [("c", "")]  # b has been silent longest
    assert book.resolve("b", "", 4) == []
    assert told(book.report(notice("d"), "d", 5)) == [("a", "once more"), ("d", "")]
    assert book.due(200) == []
    assert book.resolve("d", "", 201) == []


@given(
    steps=st.lists(
        st.tuples(st.integers(0, 40), st.sampled_from("ab"), st.sampled_from(["report", "report", "resolve", "due"])),
        max_size=60,
    )
)
def test_nothing_is_told_twice_and_nothing_goes_untold(steps):
    """Each report is in exactly one notice of its key, or in the number of one, or its alert was resolved."""
    book, now, waiting = AlertBook(window=60, forget=1e9), 0, {}
    for wait, key, action in [*steps, (61, "a", "due")]:
        now += wait
        sent = []
        if action == "report":
            waiting[key] = waiting.get(key, 0) + 1
            sent = book.report(notice(key), key, now)
        elif action == "due":
            sent = book.due(now)
        elif book.resolve(key, "", now):
            waiting[key] = 0
        for one in sent:
            text = one.notice.text
            count = int(text.split(" times")[0].rpartition(" ")[2]) if text else 1
            waiting[one.notice.title] -= count
            assert waiting[one.notice.title] == 0
    assert not any(waiting.values())


@pytest.mark.parametrize(
    "settings", [{"window": -1}, {"window": float("nan")}, {"window": 9, "forget": 8}, {"capacity": 0}]
)
def test_a_book_that_cannot_be(settings):
    with pytest.raises(ParameterError, match=next(reversed(settings))):
        AlertBook(**settings)


def lane(**settings):
    return Lane(Channel(name="pager", notifier=None, **{"interval": 0, **settings}), 0.0)


def offer(made, title, level="warning", now=0.0):
    made.offer(Delivery(notice(title, level), NoticeLevel(level)), now)


def drain(made, now=0.0):
    found = []
    while isinstance(taken := made.take(now), Notice):
        found.append(taken.title)
        made.delivered()
    return found


def test_the_more_serious_goes_first_and_equals_in_their_order():
    made = lane()
    for title, level in [("1", "info"), ("2", "error"), ("3", "critical"), ("4", "error"), ("5", "info")]:
        offer(made, title, level)
    assert drain(made) == ["3", "2", "4", "1", "5"]
    assert made.stats.delivered == 5


def test_a_level_below_that_of_the_channel_is_none_of_its_business():
    made = lane(at_least="error")
    offer(made, "no", "warning")
    offer(made, "yes", "error")
    assert drain(made) == ["yes"]
    assert made.stats.dropped == 0


def test_a_full_queue_loses_the_oldest_of_the_least_serious_and_says_so():
    made = lane(capacity=3)
    for title, level in [("1", "warning"), ("2", "info"), ("3", "info"), ("4", "error"), ("5", "critical")]:
        offer(made, title, level)
    assert (made.stats.dropped, made.stats.pending) == (2, 3)
    assert drain(made) == ["5", "2 notices were lost", "4", "1"]
    assert made.stats.pending == 0


def test_the_rate_holds_back_all_but_the_critical():
    made = lane(burst=2, interval=10)
    for number in range(4):
        offer(made, f"{number}")
    assert drain(made) == ["0", "1"]
    assert made.take(0.0) == 10.0
    assert made.take(4.0) == pytest.approx(6.0)
    offer(made, "now", "critical")
    assert drain(made, 4.0) == ["now"]
    assert drain(made, 14.0) == ["2"]
    assert drain(made, 24.0) == ["3"]
    offer(made, "4"), offer(made, "5"), offer(made, "6")
    assert drain(made, 1_000.0) == ["4", "5"]  # what was not used is not saved up beyond the burst


def test_a_failure_is_waited_for_longer_each_time_and_a_success_ends_that():
    made = lane(retry=1, retry_at_most=5)
    offer(made, "a")
    now, waits = 0.0, []
    for _ in range(5):
        assert made.take(now).title == "a"
        made.failed(OSError("no"), now)
        waits.append(made.take(now))
        now += waits[-1]
    assert waits == [1, 2, 4, 5, 5]
    assert drain(made, now) == ["a"]
    offer(made, "b")
    assert made.take(now).title == "b"
    made.failed(DeliveryError("busy", after=30.0), now)
    assert made.take(now) == 30.0
    assert made.stats.attempts_failed == 6


def test_what_will_never_be_taken_is_not_tried_again_and_told():
    made = lane()
    offer(made, "bad"), offer(made, "good")
    made.take(0.0)
    made.failed(DeliveryError("no such address", again=False), 0.0)
    assert drain(made) == ["1 notice was lost", "good"]
    assert (made.stats.failed, made.stats.delivered) == (1, 1)


def test_a_notice_that_became_too_old_is_given_up():
    made = lane(give_up_after=10, retry=1)
    offer(made, "old", now=0.0)
    offer(made, "new", now=9.0)
    made.take(9.0)
    made.failed(OSError(), 9.0)
    assert made.take(10.0).title == "old"
    made.failed(OSError(), 10.5)
    assert made.stats.failed == 1
    assert drain(made, 20.0) == ["1 notice was lost", "new"]


def test_the_word_of_losses_is_kept_until_it_is_taken():
    made = lane(capacity=1)
    offer(made, "1"), offer(made, "2")
    assert made.take(0.0).title == "1 notice was lost"
    made.failed(DeliveryError("closed", again=False), 0.0)
    assert made.take(0.0) == 1.0
    offer(made, "3")
    assert drain(made, 1.0) == ["2 notices were lost", "3"]
    assert (made.stats.dropped, made.stats.failed, made.stats.delivered) == (2, 0, 1)


@given(
    st.lists(st.sampled_from(["info", "warning", "error", "critical", "take", "fail", "refuse", "wait"]), max_size=80)
)
def test_no_notice_is_unaccounted_for(actions):
    made, now, offered = lane(capacity=3, burst=2, interval=1, give_up_after=5), 0.0, 0
    for action in actions:
        if action == "wait":
            now += 2.0
        elif action not in {"take", "fail", "refuse"}:
            offer(made, action, action, now)
            offered += 1
        elif isinstance(made.take(now), Notice):
            if action == "take":
                made.delivered()
            else:
                made.failed(DeliveryError("", again=action == "fail"), now)
        stats = made.stats
        assert stats.delivered + stats.dropped + stats.failed + stats.pending == offered
        assert stats.pending <= 4
        assert len(made.ended) == stats.delivered + stats.dropped + stats.failed
    made.abandon()
    assert made.stats.pending == 0


@pytest.mark.parametrize(
    "settings",
    [{"capacity": 0}, {"burst": 0}, {"interval": -1}, {"retry": 0}, {"retry_at_most": 0}, {"give_up_after": -1}],
)
def test_a_channel_that_cannot_be(settings):
    (name,) = settings
    with pytest.raises(ParameterError, match=f"channel 'pager': {name} is"):
        Channel(name="pager", notifier=None, **settings)
