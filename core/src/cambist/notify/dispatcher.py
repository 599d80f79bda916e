"""Carries notices to people: each channel has a thread, and whoever has something to tell waits for none of them."""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from typing import TYPE_CHECKING, Protocol, Self

import attrs

from cambist.errors import DeliveryError, ParameterError
from cambist.notify.alerts import AlertBook
from cambist.notify.lane import Channel, ChannelStats, Lane, Sent
from cambist.observe.redaction import REDACTOR
from cambist.ports.notifier import Notice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cambist.notify.alerts import Delivery

__all__ = ["Channel", "ChannelStats", "Dispatcher", "WaitingClock"]

_log = logging.getLogger("cambist.notify.dispatcher")


class WaitingClock(Protocol):
    """What the dispatcher goes by."""

    def now(self) -> float:
        """Return seconds that never go back."""

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:
        """Wait for a notification, for so long at most; the lock of the condition is held."""


class _SystemClock:
    def now(self) -> float:
        return time.monotonic()

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:
        condition.wait(seconds)


class Dispatcher:
    """Sends each notice to the channels that take its level, and the same alert only once in a while.

    `notify` returns at once, whatever the channels do: what they do not take in time waits in a queue of each, and is
    tried again; what has to be dropped is counted, logged, and told to the channel. Secrets are masked as in logs.
    Use it in a ``with`` statement, or call `close`.

    Parameters
    ----------
    channels
        At least one, with different names.
    window
        Seconds in which one alert is sent once; see `cambist.notify.alerts.AlertBook`.
    clock
        Default: the system's.
    told
        Called with what became of each notice at each channel, by the channel's own thread or by whoever calls
        `notify` and `close`; it must return at once.

    Raises
    ------
    ParameterError
        There is no channel, two have one name, or `window` is below 0.

    Examples
    --------
    >>> from cambist.notify import Channel, Dispatcher, LogNotifier
    >>> from cambist.ports import Notice
    >>> with Dispatcher([Channel(name="log", notifier=LogNotifier())]) as people:
    ...     people.notify(Notice(level="error", title="The stream is down"), key="stream")
    ...     people.resolve("stream", "It is back.")
    """

    def __init__(
        self,
        channels: Sequence[Channel],
        *,
        window: float = 300.0,
        clock: WaitingClock | None = None,
        told: Callable[[Sent], None] = lambda _sent: None,
    ) -> None:
        names = [channel.name for channel in channels]
        if not names:
            raise ParameterError("there is no channel to send notices to; give at least one, such as the log.")
        if double := sorted({name for name in names if names.count(name) > 1}):
            raise ParameterError(f"several channels are called {double[0]!r}; give each a name of its own.")
        self._clock = clock or _SystemClock()
        self._told = told
        self._book = AlertBook(window=window, forget=max(86_400.0, window))
        self._lanes = [Lane(channel, self._clock.now()) for channel in channels]
        self._changed = threading.Condition()
        self._closing = False
        self._given_up = False
        self._late = 0
        # Daemons: a channel that hangs must not keep the process from ending after `close` has given up on it.
        self._threads = [
            threading.Thread(
                target=contextvars.copy_context().run,
                args=(self._work, lane),
                name=f"notify-{lane.channel.name}",
                daemon=True,
            )
            for lane in self._lanes
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def stats(self) -> dict[str, ChannelStats]:
        """The counts of each channel, by its name."""
        with self._changed:
            return {lane.channel.name: lane.stats for lane in self._lanes}

    @property
    def late(self) -> int:
        """How many notices came after `close`, and went nowhere but into the log."""
        return self._late

    def notify(self, notice: Notice, key: str = "") -> None:
        """Take a notice in; never waits for a channel, and may be called by any thread.

        Parameters
        ----------
        notice
            What people should know.
        key
            Names the alert: notices of one key are the same alert. Default: the title.
        """
        with self._changed:
            if not self._closing:
                self._route(self._book.report(notice, key or notice.title, self._clock.now()))
                late = False
            else:
                self._late += 1
                late = True
        self._tell_ended()
        if late:
            _log.warning("a notice came after the end of the dispatcher: %s", notice.title)

    def resolve(self, key: str, text: str = "") -> None:
        """Tell those who heard of an alert that it is over; nothing happens if it is not on."""
        with self._changed:
            if not self._closing:
                self._route(self._book.resolve(key, text, self._clock.now()))

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until nothing is pending, for so many seconds at most, and return whether that came about."""
        with self._changed:
            return self._changed.wait_for(lambda: not any(lane.stats.pending for lane in self._lanes), timeout)

    def close(self, timeout: float = 5.0) -> dict[str, ChannelStats]:
        """Take nothing more, deliver what waits, and end the threads.

        Neither rates nor back-offs are waited for: each channel is given what waits for it until it fails.

        Parameters
        ----------
        timeout
            Seconds for all channels together. What has not been delivered by then is dropped and counted, and a
            channel that hangs is left to itself.

        Returns
        -------
        dict of str to ChannelStats
            How it ended; ``pending`` is 1 for a channel that hangs.
        """
        deadline = time.monotonic() + timeout
        with self._changed:
            if not self._closing:
                self._route(self._book.due(self._clock.now(), closing=True))
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))
        with self._changed:
            told_before, self._given_up = self._given_up, True
            for lane in self._lanes:
                lane.abandon()
        self._tell_ended()
        stats = self.stats
        if not told_before:
            self._tell_losses(stats)
        return stats

    def _route(self, deliveries: Iterable[Delivery]) -> None:
        """Queue deliveries; the lock is held."""
        for delivery in deliveries:
            for lane in self._lanes:
                lane.offer(delivery, self._clock.now())
            self._changed.notify_all()

    def _work(self, lane: Lane) -> None:
        while (notice := self._next(lane)) is not None:
            try:
                lane.channel.notifier.send(_clean(notice))
            # Whatever a channel raises is its own affair: it is tried again, and the thread lives on.
            except BaseException as error:  # noqa: BLE001
                if not self._failed(lane, error):
                    return
            else:
                with self._changed:
                    recovered = lane.failing
                    lane.delivered()
                    self._changed.notify_all()
                self._tell_ended()
                if recovered:
                    _log.warning("channel %s takes notices again", lane.channel.name)

    def _next(self, lane: Lane) -> Notice | None:
        """Wait for the next notice of a lane; None when there will be no more."""
        with self._changed:
            while not self._given_up:
                now = self._clock.now()
                self._route(self._book.due(now))
                taken = lane.take(now, closing=self._closing)
                if isinstance(taken, Notice):
                    return taken
                if self._closing:
                    return None
                due = self._book.next_due()
                waits = [taken, None if due is None else due - now]
                self._clock.wait(self._changed, min((wait for wait in waits if wait is not None), default=None))
            return None

    def _failed(self, lane: Lane, error: BaseException) -> bool:
        """Note that a channel did not take a notice, and return whether to go on."""
        with self._changed:
            before, first, closing = lane.stats, not lane.failing, self._closing
            lane.failed(error, self._clock.now(), closing=closing, said=_said(error))
            if closing:
                # It will not be better before the end.
                lane.abandon()
            after = lane.stats
            self._changed.notify_all()
        self._tell_ended()
        if after.failed > before.failed:
            _log.error("channel %s: a notice was given up: %s", lane.channel.name, _said(error))
        elif first:
            _log.warning("channel %s: will try again: %s", lane.channel.name, _said(error))
        return not closing

    def _tell_ended(self) -> None:
        """Tell what became of notices; never with the lock, for whoever is told may have one of his own."""
        with self._changed:
            ended = [one for lane in self._lanes for one in lane.ended]
            for lane in self._lanes:
                lane.ended.clear()
        for one in ended:
            self._told(one)

    def _tell_losses(self, stats: dict[str, ChannelStats]) -> None:
        for name, one in stats.items():
            if one.dropped or one.failed:
                _log.warning(
                    "channel %s: %d notices dropped, %d given up, %d delivered",
                    name,
                    one.dropped,
                    one.failed,
                    one.delivered,
                )
            if one.pending:
                _log.warning("channel %s did not come back before the end and is left behind", name)


def _said(error: BaseException) -> str:
    """Return what an error says, without secrets, whether or not logs are masked."""
    text = str(error) if isinstance(error, DeliveryError) else f"{type(error).__name__}: {error}"
    return REDACTOR.text(text)


def _clean(notice: Notice) -> Notice:
    """Return a notice without secrets."""
    fields = {name: str(value) for name, value in REDACTOR.fields(notice.fields).items()}
    return attrs.evolve(notice, title=REDACTOR.text(notice.title), text=REDACTOR.text(notice.text), fields=fields)
