"""Bars of a stream and those of history: each once, in order, and none left out unseen."""

from __future__ import annotations

import attrs
from hypothesis import given
from hypothesis import strategies as st

from cambist.live.joining import Deliver, Fetch, Joint, MissingBars, Tell
from cambist.model import Bar

MINUTE = 60_000_000_000
START = 1_700_000_040_000_000_000


def bar(number: int, close: float = 100.0) -> Bar:
    return Bar(START + number * MINUTE, 100.0, 101.0, 99.0, close, 1.0)


def at(number: int) -> int:
    """Return a moment just behind the close of a bar."""
    return START + (number + 1) * MINUTE + 500_000_000


class Played:
    """A joint over a venue whose history is known."""

    def __init__(self, history: dict[int, Bar], missing: MissingBars = MissingBars.SKIP) -> None:
        self.joint, self.history = Joint("BTC/USDT bars 1m", MINUTE, missing), history
        self.delivered: list[Bar] = []
        self.told: list[Tell] = []
        self.asked: list[Fetch] = []

    def take(self, one: Bar, now: int) -> None:
        self.do(self.joint.take(one, now), now)

    def do(self, found, now: int) -> None:
        for one in found:
            if isinstance(one, Deliver):
                self.delivered.append(one.bar)
            elif isinstance(one, Tell):
                self.told.append(one)
            else:
                self.asked.append(one)

    def answer(self, now: int) -> None:
        """Answer the newest question from history."""
        asked = self.asked[-1]
        bars = [one for ts, one in sorted(self.history.items()) if asked.start <= ts < asked.end]
        self.do(self.joint.fetched(bars, now), now)

    @property
    def numbers(self) -> list[int]:
        return [(one.ts - START) // MINUTE for one in self.delivered]

    @property
    def words(self) -> list[str]:
        return [one.word for one in self.told]


def history(count: int) -> dict[int, Bar]:
    return {one.ts: one for one in map(bar, range(count))}


def test_a_stream_goes_on_where_history_ended():
    played = Played(history(10))
    played.joint.warmed(bar(number) for number in range(3))
    for number in (1, 2, 3, 4):
        played.take(bar(number), at(number))
    assert played.numbers == [3, 4]
    assert played.joint.repeats == 2
    assert not played.told


def test_bars_that_closed_between_history_and_stream_are_fetched_and_come_first():
    played = Played(history(10))
    played.joint.warmed(bar(number) for number in range(3))
    played.take(bar(5), at(5))
    assert played.numbers == []
    assert played.asked == [Fetch(START + 3 * MINUTE, START + 5 * MINUTE)]
    played.take(bar(6), at(6))  # while it is being fetched
    played.answer(at(6))
    assert played.numbers == [3, 4, 5, 6]


def test_a_revision_is_told_once_and_changes_nothing():
    played = Played(history(10))
    for one in (bar(0), bar(1), bar(0, 100.5), bar(0, 100.5), bar(2)):
        played.take(one, at(2))
    assert played.numbers == [0, 1, 2]
    assert played.words == ["bar_revised"]
    assert "close 100" in played.told[0].text
    assert "close 100.5" in played.told[0].text


def test_an_old_bar_that_was_never_told_is_out_of_order():
    played = Played({})
    played.joint.warmed([bar(5)])
    played.take(bar(2), at(5))
    assert played.words == ["bar_out_of_order"]
    assert played.numbers == []


def test_a_bar_that_cannot_be_is_left_out():
    played = Played(history(3))
    played.take(attrs.evolve(bar(0), high=99.5), at(0))
    played.take(attrs.evolve(bar(0), close=float("nan")), at(0))
    played.take(attrs.evolve(bar(0), volume=-1.0), at(0))
    assert played.words == ["bar_invalid"] * 3
    assert played.numbers == []


def test_bars_that_nobody_has_are_skipped_filled_or_hold_the_instrument():
    for policy, numbers in ((MissingBars.SKIP, [0, 3]), (MissingBars.FILL, [0, 1, 2, 3]), (MissingBars.HOLD, [0, 3])):
        played = Played({}, policy)
        played.take(bar(0, 100.25), at(0))
        played.take(bar(3), at(3))
        played.answer(at(3))
        assert played.numbers == numbers
        assert played.words == ["bars_missing"]
        assert played.told[0].holds is (policy is MissingBars.HOLD)
        if policy is MissingBars.FILL:
            assert [(one.open, one.close, one.volume) for one in played.delivered[1:3]] == [(100.25, 100.25, 0.0)] * 2


def test_a_bar_that_is_late_is_asked_for_whatever_the_clocks_say():
    for skew in (-90_000_000_000, 0, 90_000_000_000):  # of the machine's clock
        played = Played(history(10))
        played.take(bar(0), at(0) + skew)
        assert played.joint.overdue(at(1) + skew + 9_000_000_000) == []
        played.do(played.joint.overdue(at(1) + skew + 11_000_000_000), 0)
        assert played.asked == [Fetch(START + MINUTE, START + 2 * MINUTE, proven=False)]
        played.answer(at(1) + skew + 12_000_000_000)
        assert played.numbers == [0, 1]


def test_a_late_bar_that_the_venue_has_not_is_waited_for_and_asked_for_again():
    played = Played({})
    played.take(bar(0), at(0))
    played.do(played.joint.overdue(at(1) + 11_000_000_000), 0)
    played.answer(at(1) + 12_000_000_000)
    assert played.told == []
    assert played.joint.overdue(at(1) + 13_000_000_000) == []
    assert len(played.joint.overdue(at(1) + 30_000_000_000)) == 1


@given(
    st.lists(st.integers(0, 30), max_size=60),
    st.integers(0, 8),
    st.sets(st.integers(0, 30)),
    st.sampled_from(MissingBars),
    st.lists(st.booleans(), max_size=60),
)
def test_whatever_comes_bars_are_shown_once_in_order_and_what_is_missing_is_told(come, warm, absent, policy, answers):
    known = {ts: one for ts, one in history(31).items() if (ts - START) // MINUTE not in absent}
    played = Played(known, policy)
    played.joint.warmed(bar(number) for number in range(warm))
    for number, answered in zip(come, [*answers, *[True] * len(come)], strict=False):
        played.take(bar(number), at(max(come)))
        if played.joint.waits and answered:
            played.answer(at(max(come)))
    while played.joint.waits:
        played.answer(at(31))
    numbers = played.numbers
    assert numbers == sorted(set(numbers))
    fresh = [one for one in come if one >= warm]
    if fresh and (numbers or warm):
        first = warm or numbers[0]
        whole = list(range(first, numbers[-1] + 1)) if numbers else []
        missing = set(whole) - set(numbers)
        assert bool(missing) <= ("bars_missing" in played.words)
        if policy is MissingBars.FILL:
            assert not missing
        assert missing <= absent
        assert numbers
        assert numbers[-1] == max(fresh)
