"""The event sinks of a run: each has a thread and a bounded queue, and none can disturb the run or another."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import InputError
from cambist.observe.sinks import FullPolicy, SinkWorker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.ports.sink import EventSink, RunEvent

__all__ = ["NamedSink", "SinkGroup", "named_sinks"]

_log = logging.getLogger("cambist.observe.sinks")


@attrs.frozen(kw_only=True)
class NamedSink:
    """A sink as a run knows it.

    Attributes
    ----------
    name
        For messages.
    sink
        What is told.
    only
        Kinds of events that it is told of; empty for all.
    capacity
        How many events may wait for it.
    """

    name: str
    sink: EventSink
    only: frozenset[str] = attrs.field(default=frozenset(), converter=frozenset)
    capacity: int = 10_000


def named_sinks(given: Sequence[Any]) -> tuple[NamedSink, ...]:
    """Return sinks with names: where one has none, that of its class, and a number where that is taken.

    Raises
    ------
    InputError
        One of them is no sink.
    """
    made: dict[str, NamedSink] = {}
    for one in given:
        if not isinstance(one, NamedSink):
            if isinstance(one, type) or not callable(getattr(one, "take", None)):
                raise InputError(
                    f"sinks holds {one!r}; give a list of event sinks, such as [JsonLinesSink('run.jsonl')]."
                )
            plain = type(one).__name__
            name = plain if plain not in made else f"{plain} {len(made) + 1}"
            one = NamedSink(name=name, sink=one)  # noqa: PLW2901 - it is the same sink
        made[one.name] = one
    return tuple(made.values())


class _Fed:
    """A sink at work: its queue, and what it raised last."""

    def __init__(self, named: NamedSink, policy: FullPolicy) -> None:
        self.named = named
        self.error = ""
        self.worker: SinkWorker[RunEvent] = SinkWorker(named.name, self._take, policy=policy, capacity=named.capacity)

    def _take(self, event: RunEvent) -> None:
        try:
            self.named.sink.take(event)
        except BaseException as error:
            self.error = _told(error)
            raise

    def trouble(self) -> str:
        """Return what went wrong so far, in a sentence; ``""`` where nothing did."""
        stats, name = self.worker.stats, self.named.name
        parts = []
        if self.error:
            events = f"{stats.failed} of {stats.failed + stats.delivered} events" if stats.failed else "no event"
            parts.append(f"the sink {name!r} raised for {events}, the last time: {self.error}")
        if stats.dropped:
            parts.append(f"the sink {name!r} was too slow for {stats.dropped} events, which it was not told of")
        return "; ".join(parts)

    def close(self, timeout: float) -> None:
        """Let it have what waits, and close it; one that hangs is left behind."""
        stats = self.worker.close(timeout)
        if stats.pending:
            self.error = self.error or f"it did not come back within {timeout:g} s"
            return
        try:
            self.named.sink.close()
        except Exception as error:  # noqa: BLE001 - a sink is its own affair
            _log.exception("sink %s raised when it was closed", self.named.name)
            self.error = _told(error)


class SinkGroup:
    """Tells the sinks of a run, and keeps what goes wrong with them.

    Parameters
    ----------
    sinks
        By names that differ.
    policy
        What becomes of an event when the queue of a sink is full.
    """

    def __init__(self, sinks: Sequence[NamedSink], policy: FullPolicy) -> None:
        self._fed = [_Fed(one, policy) for one in sinks]

    def tell(self, event: RunEvent) -> None:
        """Hand an event to those that want it."""
        for one in self._fed:
            if not one.named.only or event.kind in one.named.only:
                one.worker.put(event)

    def troubles(self) -> dict[str, str]:
        """Return what went wrong so far, by the names of the sinks."""
        return {one.named.name: trouble for one in self._fed if (trouble := one.trouble())}

    def close(self, timeout: float = 10.0) -> dict[str, str]:
        """Let all of them have what waits, close them, and return what went wrong.

        Parameters
        ----------
        timeout
            Seconds that each may take.
        """
        for one in self._fed:
            one.close(timeout)
        return self.troubles()


def _told(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
