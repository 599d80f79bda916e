"""The bars of an instant."""

from __future__ import annotations

from cambist.live.instants import Instants
from cambist.model import Timeframe

MINUTE, FIVE = Timeframe.parse("1m"), Timeframe.parse("5m")
M = MINUTE.ns
SECOND = 1_000_000_000


def test_one_series_is_all_there_is():
    instants = Instants([MINUTE], 5 * SECOND)
    assert instants.arrived(0, 7 * M, 0)
    instants.close(7 * M)
    assert instants.next_due() is None


def test_an_instant_waits_for_every_series_that_is_due_and_for_no_other():
    instants = Instants([MINUTE, MINUTE, FIVE], 5 * SECOND)
    assert not instants.arrived(1, 7 * M, 0)
    assert instants.arrived(0, 7 * M, 0)
    instants.close(7 * M)
    assert not instants.arrived(0, 10 * M, 0)
    assert not instants.arrived(1, 10 * M, 0)
    assert instants.arrived(2, 10 * M, 0)


def test_its_time_is_up_after_the_first_bar():
    instants = Instants([MINUTE, MINUTE], 5 * SECOND)
    instants.arrived(0, 7 * M, 100)
    assert instants.next_due() == 100 + 5 * SECOND
    assert instants.overdue(100 + 5 * SECOND - 1) == []
    assert instants.overdue(100 + 5 * SECOND) == [7 * M]


def test_a_bar_that_comes_too_late_closes_nothing():
    instants = Instants([MINUTE, MINUTE], 5 * SECOND)
    instants.arrived(0, 7 * M, 0)
    instants.close(7 * M)
    assert not instants.arrived(1, 7 * M, 10 * SECOND)
    assert instants.next_due() is None


def test_to_be_done_with_an_instant_is_to_be_done_with_those_before_it():
    instants = Instants([MINUTE, MINUTE], 5 * SECOND)
    instants.arrived(0, 7 * M, 0)
    instants.arrived(0, 8 * M, 60 * SECOND)
    instants.close(8 * M)
    assert instants.overdue(10**18) == []
