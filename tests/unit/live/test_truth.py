"""Questions that wait where a venue's limits leave no room."""

from __future__ import annotations

import asyncio

import pytest

from cambist.errors import VenueError
from cambist.live.truth import Truth
from cambist.ports.venue import Answered, Declined, OrderKey, Unanswered

MS = 1_000_000
KEY = OrderKey("B/T:T", "c1")
BUSY = VenueError("no room", retry_after=5 * MS)
FOUND = object()


class Venue:
    """Gives its answers one after the other; the last for ever."""

    name = "acme"

    def __init__(self, *answers) -> None:
        self.answers, self.asked = list(answers), 0

    async def account(self):
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, VenueError):
            raise answer
        return answer

    async def find_order(self, _key):
        return await self.account()


def asked(venue, question):
    alarms = []
    truth = Truth(venue, lambda word, text: alarms.append((word, text)))
    return asyncio.run(question(truth)), alarms


def test_no_room_is_told_and_waited_for():
    async def several(truth):
        return await asyncio.gather(*(truth.account() for _ in range(3)))

    told, alarms = asked(Venue(BUSY, BUSY, BUSY, 7), several)
    assert told == [7, 7, 7]
    assert alarms == [("venue_busy", "acme is waited for: no room")]
    assert asked(Venue(Declined("rate_limit", "no room", 5 * MS), Answered(FOUND)), lambda one: one.order(KEY)) == (
        FOUND,
        alarms,
    )


@pytest.mark.parametrize("error", [VenueError("refused"), VenueError("banned", retry_after=3_600_000 * MS)])
def test_what_no_wait_mends_is_raised(error):
    venue = Venue(error)
    with pytest.raises(VenueError, match=str(error)):
        asked(venue, lambda truth: truth.account())
    assert venue.asked == 1


def test_an_order_of_which_nothing_is_told_is_never_taken_for_none(monkeypatch):
    monkeypatch.setattr("cambist.live.truth._AGAIN_AFTER", 0.0)
    assert asked(Venue(Unanswered("cut"), Answered(None)), lambda one: one.order(KEY)) == (None, [])
    venue = Venue(Unanswered("cut"))
    with pytest.raises(VenueError, match="acme does not tell how order c1 stands: cut"):
        asked(venue, lambda truth: truth.order(KEY))
    assert venue.asked == 3
