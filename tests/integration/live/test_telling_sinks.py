"""Sinks beside a live run: told of what is safe, in order; one that fails or hangs stops nothing."""

from __future__ import annotations

import asyncio
import threading

from test_live_run import (
    running,
    until,
    venue,  # noqa: F401 - a fixture
)
from test_projecting import make, trade

from cambist.live.telling import Telling
from cambist.observe.event_sinks import NamedSink
from cambist.storage.journal import JournalFolder


class Keeping:
    def __init__(self, raises=""):
        self.events, self.closed, self.raises = [], False, raises

    def take(self, event):
        if event.kind == self.raises:
            raise RuntimeError("no")
        self.events.append(event)

    def close(self):
        self.closed = True


class Hanging(Keeping):
    """Does not come back from its first event before it may."""

    def __init__(self):
        super().__init__()
        self.may = threading.Event()

    def take(self, event):
        self.may.wait(30)
        super().take(event)


def test_sinks_hear_what_is_safe_and_none_stops_the_run(venue, tmp_path):  # noqa: F811
    good, deaf, slow = Keeping(), Keeping("order_filled"), Hanging()
    sinks = [
        NamedSink(name="good", sink=good),
        NamedSink(name="deaf", sink=deaf),
        NamedSink(name="slow", sink=slow, capacity=2),
    ]

    async def play():
        run = make(tmp_path, venue, Telling(sinks))
        async with running(run):
            await trade(run, venue, 3)
            await until(lambda: [one.kind for one in good.events].count("order_filled") == 6)  # two for each order
            await until(lambda: len(run.alarms) == 2)
            slow.may.set()
        run.journal.close()
        return run

    run = asyncio.run(play())
    entries = {one.sequence: one for one in JournalFolder(tmp_path / "journal").read()}
    numbers = [one.sequence for one in good.events]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert all((one.ts, one.kind) == (entries[one.sequence].ts, entries[one.sequence].kind) for one in good.events)
    assert good.events[-1].kind == "run_stopped"
    alarms = dict(sorted((text.partition("'")[2].partition("'")[0], text) for _, text in run.alarms))
    assert {word for word, _ in run.alarms} == {"sink_failed"}
    assert "RuntimeError: no; the run goes on" in alarms["deaf"]
    assert "was too slow for" in alarms["slow"]
    assert (good.closed, deaf.closed, slow.closed) == (True, True, True)
    assert len(slow.events) < len(good.events)
