"""What an event sink has to do."""

from __future__ import annotations

import threading
from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import pytest

from cambist.backtest.run import run_backtest
from cambist.backtest.settings import BacktestSettings
from cambist.data import open_source
from cambist.ports.sink import RunEvent
from cambist.strategies.examples.sma_cross import SmaCross
from cambist.testing.conformance import Suite
from cambist.testing.markets import walking_bars

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cambist.ports.sink import EventSink

__all__ = ["SinkTests"]


@attrs.define
class _Kept:
    """Keeps the events of a run."""

    events: list[RunEvent] = attrs.field(factory=list)

    def take(self, event: RunEvent) -> None:
        self.events.append(event)

    def close(self) -> None:
        pass


def _events() -> tuple[RunEvent, ...]:
    """Return events for a sink of its own: it may change them, and should not."""
    return deepcopy(_told())


@cache
def _told() -> tuple[RunEvent, ...]:
    """Return what a backtest tells, and what befalls orders beyond it."""
    kept = _Kept()
    settings = BacktestSettings(events=True, sinks=(kept,), cash=10_000.0, benchmark=False)
    run_backtest([SmaCross(fast=5, slow=20)], [open_source(walking_bars(120))], settings)
    last = kept.events[-1]
    more: tuple[tuple[str, Mapping[str, Any]], ...] = (
        (
            "order_rejected",
            {"order_id": 901, "reason": 'funds: zu wenig \N{EURO SIGN}, \u4e0d\u8db3\nline two, "quoted"'},
        ),
        ("order_canceled", {"order_id": 902, "reason": ""}),
    )
    added = (
        RunEvent(last.sequence + number, last.ts + number, kind, fields)
        for number, (kind, fields) in enumerate(more, 1)
    )
    return (*kept.events, *added)


class SinkTests(Suite):
    """Tests of an `EventSink`.

    The test file or a ``conftest.py`` gives the fixtures ``sink`` (a fresh one), ``received`` (a callable that returns
    what has arrived at the other end, one text an event, with its sequence number in it) and, where it can be made to
    fail, ``break_sink``.

    Attributes
    ----------
    kinds
        Kinds of events that it takes; None for all.
    secrets
        Texts that must never show.
    """

    prefix = "SNK"
    kinds: ClassVar[frozenset[str] | None] = None
    secrets: ClassVar[tuple[str, ...]] = ()

    @pytest.fixture
    def break_sink(self) -> Callable[[], None] | None:
        """Return what makes the sink fail; None where nothing can."""
        return None

    def wanted(self) -> list[RunEvent]:
        """Return the events that it takes."""
        return [one for one in _events() if self.kinds is None or one.kind in self.kinds]

    def test_every_event_arrives(self, sink: EventSink, received: Callable[[], list[str]]) -> None:
        """All of those that it takes, once and in their order, known by their numbers."""
        for event in _events():
            sink.take(event)
        sink.close()
        texts, wanted = received(), self.wanted()
        assert wanted, "it takes no kind of event that a run has"
        assert len(texts) >= len(wanted)
        found = iter(texts)
        for event in wanted:
            assert any(str(event.sequence) in text for text in found), f"event {event.sequence} is missing, or late"

    def test_an_event_is_left_as_it_is(self, sink: EventSink) -> None:
        """Nothing is changed in what other sinks are shown, too."""
        for event in _events():
            before = deepcopy(event)
            sink.take(event)
            assert event == before
        sink.close()

    def test_closing_is_always_possible(self, sink: EventSink, received: Callable[[], list[str]]) -> None:
        """Where there was no event, and a second time."""
        sink.close()
        sink.close()
        assert not received()

    def test_any_thread_may_tell(self, sink: EventSink, received: Callable[[], list[str]]) -> None:
        """The thread that tells is not the one that made the sink, nor the one that closes it."""
        raised: list[BaseException] = []

        def tell() -> None:
            try:
                for event in self.wanted():
                    sink.take(event)
            except BaseException as error:  # noqa: BLE001 - told below
                raised.append(error)

        thread = threading.Thread(target=tell)
        thread.start()
        thread.join()
        sink.close()
        assert not raised, raised
        assert len(received()) >= len(self.wanted())

    def test_a_failure_is_raised(self, sink: EventSink, break_sink: Callable[[], None] | None) -> None:
        """What could not be taken is not passed over; the error shows no secret."""
        if break_sink is None:
            pytest.skip("nothing here makes this sink fail")
        break_sink()
        with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is
            list(map(sink.take, self.wanted()))
        assert not [secret for secret in self.secrets if secret in str(caught.value)]

    def test_it_does_not_show_its_secrets(self, sink: EventSink) -> None:
        """Printing a sink is harmless."""
        shown = repr(sink) + str(vars(sink) if hasattr(sink, "__dict__") else "")
        assert not [secret for secret in self.secrets if secret in shown]
