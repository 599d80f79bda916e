"""Which notices are news: the same alert again is counted, not sent again, until a while has passed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from cambist.errors import ParameterError
from cambist.ports.notifier import Notice, NoticeLevel

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["AlertBook", "Delivery", "rank"]

_RANKS = {level: number for number, level in enumerate(NoticeLevel)}


def rank(level: NoticeLevel) -> int:
    """Return how much a level matters, as a number: 0 for the least."""
    return _RANKS[level]


@attrs.frozen
class Delivery:
    """A notice on its way.

    Attributes
    ----------
    notice
        What is sent.
    level
        By which it is routed: of the word that an alert is over, the level of the alert, so that whoever heard of the
        one hears of the other.
    """

    notice: Notice
    level: NoticeLevel


@attrs.define
class _Alert:
    """One alert that is on: when it began, when it was sent and seen last, and how often since it was sent."""

    last: Notice
    level: NoticeLevel
    began: float
    sent: float
    seen: float
    count: int = 1
    unsent: int = 0


class AlertBook:
    """The alerts that are on, by key; knows no clock.

    The first notice of a key is sent at once. Those that follow within `window` are counted, and told in one notice
    when it has passed; one of a higher level than any before is sent at once. An alert is on until it is resolved, or
    has not been heard of for `forget`.

    Parameters
    ----------
    window
        Seconds in which one alert is sent once; 0 sends each.
    forget
        Seconds after which a silent alert is no longer known, and can no longer be resolved.
    capacity
        Alerts that are known at most. Beyond it the one that has been silent longest is forgotten.

    Raises
    ------
    ParameterError
        For a number that is of no use.
    """

    def __init__(self, *, window: float = 300.0, forget: float = 86_400.0, capacity: int = 1_000) -> None:
        if not window >= 0.0:
            raise ParameterError(f"window is {window!r}; it is a number of seconds from 0 on.")
        if not forget >= window:
            raise ParameterError(f"forget is {forget!r}; it is a number of seconds, and not below window ({window!r}).")
        if capacity < 1:
            raise ParameterError(f"capacity is {capacity!r}; give at least 1 alert.")
        self._window = window
        self._forget = forget
        self._capacity = capacity
        # In the order in which they were heard of last.
        self._alerts: dict[str, _Alert] = {}

    def report(self, notice: Notice, key: str, now: float) -> list[Delivery]:
        """Take a notice in, and return what is to be sent for it; `now` in seconds, as everywhere here."""
        alert = self._alerts.pop(key, None)
        if alert is None:
            made = list(self._make_room())
            self._alerts[key] = _Alert(notice, notice.level, now, now, now)
            return [*made, Delivery(notice, notice.level)]
        self._alerts[key] = alert
        alert.last, alert.seen = notice, now
        alert.count += 1
        alert.unsent += 1
        if rank(notice.level) > rank(alert.level):
            alert.level = notice.level
        elif now < alert.sent + self._window:
            return []
        return [self._tell(alert, now)]

    def resolve(self, key: str, text: str, now: float) -> list[Delivery]:
        """Return the word that an alert is over; nothing for one that is not on."""
        alert = self._alerts.pop(key, None)
        if alert is None:
            return []
        times = "once" if alert.count == 1 else f"{alert.count} times"
        facts = f"It was told {times} in {_length(now - alert.began)}."
        notice = Notice(
            level=NoticeLevel.INFO,
            title=f"Resolved: {alert.last.title}",
            text=f"{text}\n{facts}" if text else facts,
            fields=alert.last.fields,
        )
        return [Delivery(notice, alert.level)]

    def due(self, now: float, *, closing: bool = False) -> list[Delivery]:
        """Return what is to be sent because time has passed, or because there will be no later; forget the silent."""
        told = [
            self._tell(alert, now)
            for alert in self._alerts.values()
            if alert.unsent and (closing or now >= alert.sent + self._window)
        ]
        for key in [key for key, alert in self._alerts.items() if now >= alert.seen + self._forget]:
            del self._alerts[key]
        return told

    def next_due(self) -> float | None:
        """Return when `due` has something to send next; None for never."""
        return min((alert.sent + self._window for alert in self._alerts.values() if alert.unsent), default=None)

    def _make_room(self) -> Iterator[Delivery]:
        """Forget the alert that has been silent longest if there are too many; what it still had to tell is told."""
        if len(self._alerts) >= self._capacity:
            alert = self._alerts.pop(next(iter(self._alerts)))
            if alert.unsent:
                yield self._tell(alert, alert.seen)

    def _tell(self, alert: _Alert, now: float) -> Delivery:
        """Return the newest notice of an alert, with how many it stands for."""
        last, count, length = alert.last, alert.unsent, _length(now - alert.sent)
        alert.unsent, alert.sent = 0, now
        if count > 1:
            again = f"This happened {count} times in {length}; the newest is shown."
            last = attrs.evolve(last, text=f"{last.text}\n{again}" if last.text else again)
        return Delivery(last, last.level)


def _length(seconds: float) -> str:
    """Write a length of time for people: ``0:05:00``."""
    return str(timedelta(seconds=round(seconds)))
