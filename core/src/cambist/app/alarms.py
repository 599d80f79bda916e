"""What a live run alarms: into its journal, into the log, and to people."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter
from typing import TYPE_CHECKING

from cambist.engine.records import AlertRaised, NotificationSent
from cambist.errors import JournalError
from cambist.notify import Dispatcher
from cambist.ports.notifier import Notice, NoticeLevel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.live import LiveRun
    from cambist.notify import Channel, Sent

__all__ = ["LEVELS", "OVER", "AlarmDesk"]

_log = logging.getLogger("cambist.live")

#: How much an alarm matters, by its word; one that is not here is a warning.
LEVELS = {
    word: level
    for level, words in {
        NoticeLevel.INFO: "run_started run_ended reconciled fill stream_up clock_right loop_goes_on kill_switch_done",
        NoticeLevel.ERROR: (
            "anomaly cancel_failed close_failed companion_failed fills_missing gap_not_filled journal_slow "
            "kill_switch loop_frozen margin_unknown order_vanished out_of_step overfilled rule_failed second_instance "
            "sink_failed strategy_failed unexplained"
        ),
        NoticeLevel.CRITICAL: ("frozen_exit journal_failed kill_switch_failed liquidation_near run_failed unprotected"),
    }.items()
    for word in words.split()
}
#: Words that say that something is over, and what.
OVER = {"stream_up": "stream_down", "clock_right": "clock_skew", "loop_goes_on": "loop_frozen"}
_LOG = {
    NoticeLevel.INFO: logging.INFO,
    NoticeLevel.WARNING: logging.WARNING,
    NoticeLevel.ERROR: logging.ERROR,
    NoticeLevel.CRITICAL: logging.CRITICAL,
}
_SEVERITY = {
    NoticeLevel.INFO: "info",
    NoticeLevel.WARNING: "warning",
    NoticeLevel.ERROR: "critical",
    NoticeLevel.CRITICAL: "critical",
}
#: Alarms of which each tells of something else: the same word with another text is another alert.
_EACH = frozenset(
    {
        "fill",
        "foreign_order",
        "kill_switch",
        "kill_switch_done",
        "kill_switch_failed",
        "out_of_step",
        "reconciled",
        "second_instance",
        "sink_failed",
        "strategy_failed",
    }
)
#: Told in another way: whoever ran the run gets the error itself.
_UNLOGGED = frozenset({"run_failed"})
#: How long channels are given at the end, seconds.
_FAREWELL = 5.0


class AlarmDesk:
    """Takes alarms of a live run and passes them on; whoever raises one waits for nobody.

    An alarm is logged at once, goes into the journal in the loop's next turn (never in the middle of a step), and to
    the channels through a `cambist.notify.Dispatcher`. What became of a notice is journalled, too.

    Parameters
    ----------
    channels
        To people; without any there are log and journal alone.
    window
        Seconds in which one alert is told once.
    heard
        Told of each alarm as well: word, level and text.

    Attributes
    ----------
    counts
        Alarms by their words.
    """

    def __init__(
        self,
        channels: Sequence[Channel],
        *,
        window: float = 300.0,
        heard: Callable[[str, NoticeLevel, str], None] = lambda _word, _level, _text: None,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._heard = heard
        self._run: LiveRun | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.get_ident()
        self._people = Dispatcher(channels, window=window, told=self._sent) if channels else None

    def attach(self, run: LiveRun) -> None:
        """Take the run whose journal alarms go into; called in its loop."""
        self._run, self._loop, self._thread = run, asyncio.get_running_loop(), threading.get_ident()

    def detach(self) -> None:
        """Let go of the run: its journal takes nothing more."""
        self._run = None

    def alarm(self, word: str, text: str) -> None:
        """Take an alarm; from any thread."""
        level = LEVELS.get(word, NoticeLevel.WARNING)
        self.counts[word] += 1
        if word not in _UNLOGGED:
            _log.log(_LOG[level], "%s: %s", word, text)
        self._heard(word, level, text)
        if threading.get_ident() != self._thread:
            # From beside the run, perhaps because the run does not get on: people first, the journal when it can.
            self._tell(word, level, text, 0)
            self._in_loop(self._journal, word, level, text)
        elif not self._in_loop(self._record, word, level, text):
            self._tell(word, level, text, 0)

    def close(self) -> None:
        """Deliver what waits, within a few seconds, and end."""
        if self._people is not None:
            self._people.close(_FAREWELL)

    def _in_loop(self, what: Callable[..., object], *arguments: object) -> bool:
        """Have something done in the next turn of the run's loop; False where there is no run."""
        if self._run is None or self._loop is None:
            return False
        try:
            self._loop.call_soon_threadsafe(what, *arguments)
        except RuntimeError:  # the loop is closed
            return False
        return True

    def _record(self, word: str, level: NoticeLevel, text: str) -> None:
        """Journal an alarm, then tell people, who can look it up by the number of its record."""
        self._tell(word, level, text, self._journal(word, level, text))

    def _journal(self, word: str, level: NoticeLevel, text: str) -> int:
        """Journal an alarm; return the number of its record, 0 where there is none."""
        number = 0
        run = self._run
        if run is not None and run.journalling:
            alert = AlertRaised(_SEVERITY[level], word, text, source=run.session.name)
            try:
                number = run.kernel.recorder.alert(run.now(), alert)
            except JournalError as error:
                _log.warning("alarm %s is not in the journal: %s", word, error)
        return number

    def _tell(self, word: str, level: NoticeLevel, text: str, number: int) -> None:
        if self._people is None:
            return
        fields = {"alarm": word, **({"record": str(number)} if number else {})}
        if word in OVER:
            self._people.resolve(OVER[word], text)
            return
        notice = Notice(level=level, title=word.replace("_", " "), text=text, fields=fields)
        self._people.notify(notice, key=f"{word} {text}" if word in _EACH else word)

    def _sent(self, sent: Sent) -> None:
        """Note what became of a notice; called by a channel's thread."""
        self._in_loop(self._note, sent)

    def _note(self, sent: Sent) -> None:
        run = self._run
        if run is None or not run.journalling:
            return
        notice = sent.notice
        record = NotificationSent(
            sent.channel,
            sent.outcome,
            sent.attempts,
            f"{notice.title}: {notice.text}",
            int(notice.fields.get("record", 0)),
            sent.error,
        )
        try:
            run.kernel.recorder.notified(run.now(), record)
        except JournalError as error:
            _log.warning("that people were told of %s is not in the journal: %s", notice.title, error)
