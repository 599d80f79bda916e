"""A run that does not move is noticed, told of once, and ended where that is wanted; slow hooks are told of."""

from __future__ import annotations

import threading
import time

from cambist import Strategy
from cambist.live.control.heartbeat import Heartbeat
from cambist.live.control.watchdog import FROZEN_STATUS, Limits, Watchdog
from cambist.live.hook_times import HookTimes


def until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


class Aged(Heartbeat):
    """A heart whose age the test says."""

    now = 0.0

    def age(self):
        return self.now


def watch(heart, told, *, cancel_after=None, exit_after=None, **doors):
    limits = Limits(warn_after=0.05, cancel_after=cancel_after, exit_after=exit_after)
    dog = Watchdog(heart, threading.get_ident(), limits, lambda word, text: told.append((word, text)), **doors)
    dog.start()
    return dog


def test_it_tells_once_where_the_run_hangs_and_when_it_goes_on():
    heart, told = Aged(), []
    dog = watch(heart, told)
    heart.now = 3.0
    until(lambda: told)
    time.sleep(0.05)
    heart.now = 0.0
    until(lambda: len(told) == 2)
    heart.now = 3.0
    until(lambda: len(told) == 3)
    dog.stop()
    assert [word for word, _ in told] == ["loop_frozen", "loop_goes_on", "loop_frozen"]
    assert "test_watchdog.py" in told[0][1]
    assert dog.frozen == 2


def test_it_cancels_and_then_ends_the_process_each_once_in_its_time():
    heart, told, done = Aged(), [], []
    watch(
        heart,
        told,
        cancel_after=5.0,
        cancel=lambda: done.append("cancel"),
        busy=lambda: "cleared" not in done,
        exit_after=10.0,
        end=done.append,
    )
    heart.now = 4.0
    until(lambda: told)
    assert done == []
    heart.now = 6.0
    until(lambda: done)
    heart.now = 11.0
    time.sleep(0.1)
    assert done == ["cancel"], "what was begun is brought to its end"
    done.append("cleared")
    until(lambda: len(done) == 3)
    assert done == ["cancel", "cleared", FROZEN_STATUS]
    assert [word for word, _ in told] == ["loop_frozen", "frozen_exit"]


class Slow(Strategy):
    def on_bar(self, bar):
        time.sleep(bar)


def test_hooks_are_measured_and_a_slow_one_is_told_of_once_in_a_while():
    told = []
    times = HookTimes(0.02, lambda word, text: told.append((word, text)))
    strategy = Slow().fresh()
    times.measure(strategy)
    for seconds in (0.0, 0.03, 0.03):
        strategy.on_bar(seconds)
    found = times.times["Slow", "on_bar"]
    assert (found.calls, found.slow) == (3, 2)
    assert found.longest >= 0.03
    assert [word for word, _ in told] == ["slow_strategy"]
    assert set(times.times) == {("Slow", "on_bar")}, "only hooks that were written are measured"
    assert "on_bar" not in vars(Slow().fresh()), "a backtest calls a strategy as it is"
