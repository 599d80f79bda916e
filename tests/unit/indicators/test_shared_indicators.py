"""Indicators that several threads ask for are computed once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from cambist.indicators.sharing import SharedIndicators


class Slow:
    """Doubles its input, once nobody else has begun to; equal to every other one."""

    def __init__(self, begun: list[int], failures: int = 0) -> None:
        self.begun, self.failures = begun, failures
        self.again = threading.Event()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Slow)

    def __hash__(self) -> int:
        return 1

    def batch(self, column):
        self.begun.append(1)
        if len(self.begun) > 1:
            self.again.set()
        self.again.wait(0.2)  # it is set early only where somebody computes the same a second time
        if len(self.begun) <= self.failures:
            raise ValueError("not yet")
        return (column * 2.0,)


def asked_at_once(shared, computation, column, threads=4):
    meeting = threading.Barrier(threads)

    def ask(_number):
        meeting.wait()
        return shared.batch(computation, [column])[0]

    with ThreadPoolExecutor(threads) as pool:
        return [pool.submit(ask, number) for number in range(threads)]


def test_threads_that_ask_for_the_same_get_the_same():
    begun: list[int] = []
    shared, column = SharedIndicators(), np.arange(10.0)
    answers = [one.result() for one in asked_at_once(shared, Slow(begun), column)]
    assert len(begun) == 1
    assert all(one is answers[0] for one in answers)
    np.testing.assert_array_equal(answers[0], column * 2.0)


def test_what_failed_is_tried_again_by_whoever_waited():
    begun: list[int] = []
    shared, column = SharedIndicators(), np.arange(10.0)
    answers = asked_at_once(shared, Slow(begun, failures=1), column)
    assert [type(one.exception()) for one in answers].count(ValueError) == 1
    found = [one.result() for one in answers if one.exception() is None]
    assert len(begun) == 2
    assert len(found) == 3
    assert all(one is found[0] for one in found)
    with pytest.raises(ValueError, match="not yet"):
        shared.batch(Slow([], failures=1), [column + 1.0])
