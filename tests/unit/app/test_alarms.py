"""What a live run alarms goes into its journal, to the log and to people, and holds up nobody."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from types import SimpleNamespace

from cambist.app.alarms import LEVELS, AlarmDesk
from cambist.errors import JournalWriteError
from cambist.notify import Channel
from cambist.ports.notifier import NoticeLevel

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "run-live.md"


class Kept:
    """A channel that keeps what it is sent."""

    def __init__(self):
        self.notices = []

    def send(self, notice):
        self.notices.append(notice)


class Recorder:
    def __init__(self, fails=False):
        self.alerts, self.sent, self.fails = [], [], fails

    def alert(self, ts, alert):
        if self.fails:
            raise JournalWriteError("the disk is full", code="disk_full")
        self.alerts.append(alert)
        return 7

    def notified(self, ts, sent):
        self.sent.append(sent)


def run_of(recorder, journalling=True):
    return SimpleNamespace(
        session=SimpleNamespace(name="venue"),
        kernel=SimpleNamespace(recorder=recorder),
        journalling=journalling,
        now=lambda: 1,
    )


async def settle(recorder, count):
    async with asyncio.timeout(20):
        while len(recorder.sent) < count:  # noqa: ASYNC110 - a thread of a channel tells nobody
            await asyncio.sleep(0.01)


def test_an_alarm_is_journalled_then_told_and_what_became_of_it_is_journalled(caplog):
    channel, recorder = Kept(), Recorder()
    caplog.set_level(logging.INFO)

    async def play():
        desk = AlarmDesk([Channel(name="pager", notifier=channel, at_least="info")])
        desk.attach(run_of(recorder))
        desk.alarm("out_of_step", "BTC differs")
        assert not recorder.alerts, "never in the middle of what raised it"
        await settle(recorder, 1)
        desk.detach()
        desk.close()
        return desk

    desk = asyncio.run(play())
    (alert,) = recorder.alerts
    assert (alert.severity, alert.code, alert.text, alert.source) == ("critical", "out_of_step", "BTC differs", "venue")
    (notice,) = channel.notices
    assert (notice.level, notice.title, notice.text) == (NoticeLevel.ERROR, "out of step", "BTC differs")
    assert notice.fields == {"alarm": "out_of_step", "record": "7"}
    (sent,) = recorder.sent
    assert (sent.channel, sent.outcome, sent.attempts, sent.alert) == ("pager", "delivered", 1, 7)
    assert "out_of_step: BTC differs" in caplog.text
    assert desk.counts == {"out_of_step": 1}


def test_what_is_over_is_told_to_whoever_heard_of_it():
    channel, recorder = Kept(), Recorder()

    async def play():
        desk = AlarmDesk([Channel(name="pager", notifier=channel)])
        desk.attach(run_of(recorder))
        desk.alarm("stream_up", "it never was down")
        desk.alarm("stream_down", "cut")
        desk.alarm("stream_up", "it is back")
        await settle(recorder, 2)
        desk.close()

    asyncio.run(play())
    assert [one.title for one in channel.notices] == ["stream down", "Resolved: stream down"]
    assert [one.code for one in recorder.alerts] == ["stream_up", "stream_down", "stream_up"]


def test_a_journal_that_takes_nothing_keeps_nobody_from_being_told():
    channel = Kept()

    async def play():
        desk = AlarmDesk([Channel(name="pager", notifier=channel)])
        desk.attach(run_of(Recorder(fails=True)))
        desk.alarm("journal_failed", "the disk is full")
        await asyncio.sleep(0)
        desk.detach()
        desk.alarm("run_failed", "it ended")
        desk.close()

    asyncio.run(play())
    assert [one.title for one in channel.notices] == ["journal failed", "run failed"]


def test_the_page_tells_of_every_word_by_its_level():
    text = PAGE.read_text(encoding="utf-8")
    for line in (line for line in text.splitlines() if line.startswith("| `") and line.count("|") == 4):
        words, level = (part.strip() for part in line.split("|")[1:3])
        if level not in {str(one) for one in NoticeLevel}:
            continue
        for word in (one.strip(" `") for one in words.split(",") if "`" in one):
            assert LEVELS.get(word, NoticeLevel.WARNING) == level, word
