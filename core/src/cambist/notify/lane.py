"""What waits for one channel: a bounded queue, the more serious first, with a rate, and patience after a failure."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import DeliveryError, ParameterError
from cambist.notify.alerts import Delivery, rank
from cambist.ports.notifier import Notice, NoticeLevel

if TYPE_CHECKING:
    from cambist.ports.notifier import Notifier

__all__ = ["Channel", "ChannelStats", "Lane", "Sent"]


def _above_zero(channel: Channel, attribute: attrs.Attribute[Any], value: float) -> None:
    if not value > 0:
        raise ParameterError(f"channel {channel.name!r}: {attribute.name} is {value!r}; it must be above 0.")


def _number(channel: Channel, attribute: attrs.Attribute[Any], value: float) -> None:
    if not value >= 0:
        raise ParameterError(f"channel {channel.name!r}: {attribute.name} is {value!r}; it must be at least 0.")


@attrs.frozen(kw_only=True)
class Channel:
    """A notifier, what is sent to it, and how; times in seconds.

    Attributes
    ----------
    name
        For logs and counts.
    notifier
        What delivers.
    at_least
        The least level that it is sent.
    only
        Notices whose field ``"alarm"`` is one of these words, and no others; empty for all.
    capacity
        Notices that may wait. Beyond it the oldest of the least serious is dropped.
    burst, interval
        So many notices may go at once, and one more after each `interval`; 0 for no limit. What is over waits, save
        for critical notices.
    retry, retry_at_most
        How long to wait after a failure; twice as long after each further one, up to the second number.
    give_up_after
        How old a notice may become while the channel fails.

    Raises
    ------
    ParameterError
        A number is of no use.
    """

    name: str
    notifier: Notifier
    at_least: NoticeLevel = attrs.field(default=NoticeLevel.INFO, converter=NoticeLevel)
    only: frozenset[str] = attrs.field(default=frozenset(), converter=frozenset)
    capacity: int = attrs.field(default=200, validator=_above_zero)
    burst: int = attrs.field(default=20, validator=_above_zero)
    interval: float = attrs.field(default=3.0, validator=_number)
    retry: float = attrs.field(default=1.0, validator=_above_zero)
    retry_at_most: float = attrs.field(default=60.0, validator=_above_zero)
    give_up_after: float = attrs.field(default=3_600.0, validator=_number)


@attrs.frozen
class ChannelStats:
    """What became of the notices for a channel.

    Attributes
    ----------
    delivered
        Taken by the channel.
    dropped
        Never shown to it: too many waited, or the end came first.
    failed
        Given up after the channel did not take them.
    attempts_failed
        Times that it did not take one.
    pending
        Still waiting, or with the channel at this moment.
    """

    delivered: int = 0
    dropped: int = 0
    failed: int = 0
    attempts_failed: int = 0
    pending: int = 0


@attrs.frozen(kw_only=True)
class Sent:
    """What became of one notice at one channel.

    Attributes
    ----------
    channel
        Its name.
    outcome
        ``"delivered"``, ``"failed"`` or ``"dropped"``.
    attempts
        How often it was tried.
    error
        Why the last attempt failed; ``""`` where none did.
    """

    channel: str
    notice: Notice
    outcome: str
    attempts: int = 0
    error: str = ""


@attrs.define(eq=False)
class _Waiting:
    delivery: Delivery
    since: float
    #: Of a notice that tells of losses: how many.
    losses: int = 0
    attempts: int = 0
    error: str = ""


class Lane:
    """The queue of one channel; knows no clock and no thread.

    What was lost is told to the channel itself, in a notice of its own before the next one that it takes.
    """

    def __init__(self, channel: Channel, now: float) -> None:
        self.channel = channel
        self._queues: dict[NoticeLevel, deque[_Waiting]] = {level: deque() for level in reversed(NoticeLevel)}
        self._with_channel: _Waiting | None = None
        self._tokens = float(channel.burst)
        self._counted = now
        self._blocked_until = now
        self._failures = 0
        self._untold = 0
        self._stats = ChannelStats()
        #: What became of notices since somebody looked; notices that tell of losses are none.
        self.ended: list[Sent] = []

    @property
    def stats(self) -> ChannelStats:
        """The counts as of now."""
        held = self._with_channel is not None and not self._with_channel.losses
        return attrs.evolve(self._stats, pending=sum(map(len, self._queues.values())) + held)

    @property
    def failing(self) -> bool:
        """Whether the channel did not take what it was given last."""
        return self._failures > 0

    def offer(self, delivery: Delivery, now: float) -> None:
        """Queue a notice if the channel is to have it."""
        if rank(delivery.level) < rank(self.channel.at_least):
            return
        if self.channel.only and delivery.notice.fields.get("alarm") not in self.channel.only:
            return
        self._queues[delivery.level].append(_Waiting(delivery, now))
        if sum(map(len, self._queues.values())) > self.channel.capacity:
            self._end(next(queue for queue in reversed(self._queues.values()) if queue).popleft(), "dropped")
            self._lost(dropped=1)

    def take(self, now: float, *, closing: bool = False) -> Notice | float | None:
        """Return the notice to be sent now, or the seconds to wait for the next one, or None while there is none.

        With `closing` nothing is waited for.
        """
        waiting = next((queue[0] for queue in self._queues.values() if queue), None)
        if waiting is None and not self._untold:
            return None
        if not closing and now < self._blocked_until:
            return self._blocked_until - now
        urgent = waiting is not None and waiting.delivery.level is NoticeLevel.CRITICAL
        wait = self._wait_for_token(now)
        if wait > 0.0 and not urgent and not closing:
            return wait
        self._tokens = max(0.0, self._tokens - 1.0)
        if waiting is None or (self._untold and not urgent):
            self._with_channel = self._loss(now)
        else:
            self._with_channel = self._queues[waiting.delivery.level].popleft()
        self._with_channel.attempts += 1
        return self._with_channel.delivery.notice

    def delivered(self) -> None:
        """Note that the channel took what `take` returned last."""
        sent, self._with_channel, self._failures = self._with_channel, None, 0
        assert sent is not None
        if sent.losses:
            self._untold -= sent.losses
        else:
            self._stats = attrs.evolve(self._stats, delivered=self._stats.delivered + 1)
            self._end(sent, "delivered")

    def failed(self, error: BaseException, now: float, *, closing: bool = False, said: str = "") -> None:
        """Note that the channel did not take it, and decide what becomes of it; `said` is the error without secrets."""
        sent, self._with_channel = self._with_channel, None
        assert sent is not None
        again = error.again if isinstance(error, DeliveryError) else True
        after = error.after if isinstance(error, DeliveryError) else None
        self._failures += 1
        self._stats = attrs.evolve(self._stats, attempts_failed=self._stats.attempts_failed + 1)
        if again or sent.losses:
            # Two to the 30th seconds are more than any limit, and to the 2,000th no number.
            patience = self.channel.retry * 2.0 ** min(self._failures - 1, 30)
            self._blocked_until = now + max(min(patience, self.channel.retry_at_most), after or 0.0)
        if sent.losses:
            return
        sent.error = said or type(error).__name__
        if again and not closing and now - sent.since <= self.channel.give_up_after:
            self._queues[sent.delivery.level].appendleft(sent)
        else:
            self._end(sent, "failed")
            self._lost(failed=1)

    def abandon(self) -> None:
        """Drop what waits."""
        self._lost(dropped=sum(map(len, self._queues.values())))
        for queue in self._queues.values():
            for waiting in queue:
                self._end(waiting, "dropped")
            queue.clear()

    def _end(self, waiting: _Waiting, outcome: str) -> None:
        self.ended.append(
            Sent(
                channel=self.channel.name,
                notice=waiting.delivery.notice,
                outcome=outcome,
                attempts=waiting.attempts,
                error="" if outcome == "delivered" else waiting.error,
            )
        )

    def _lost(self, *, dropped: int = 0, failed: int = 0) -> None:
        self._untold += dropped + failed
        was = self._stats
        self._stats = attrs.evolve(was, dropped=was.dropped + dropped, failed=was.failed + failed)

    def _loss(self, now: float) -> _Waiting:
        count = self._untold
        notice = Notice(
            level=NoticeLevel.WARNING,
            title=f"{count} {'notice was' if count == 1 else 'notices were'} lost",
            text=f"Channel {self.channel.name} could not take them, or not fast enough. The log of the run has them.",
        )
        return _Waiting(Delivery(notice, notice.level), now, count)

    def _wait_for_token(self, now: float) -> float:
        """Return the seconds until one more notice may go."""
        interval = self.channel.interval
        if interval <= 0.0:
            return 0.0
        self._tokens = min(float(self.channel.burst), self._tokens + (now - self._counted) / interval)
        self._counted = now
        # A sum of many small parts falls short of 1 by a hair, which would be waited for again and again.
        return 0.0 if self._tokens > 1.0 - 1e-9 else (1.0 - self._tokens) * interval
