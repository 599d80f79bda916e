"""What a kernel takes in and no journal keeps, as the rows of a recording and back.

A journal numbers its records without a gap, and what the market does is none of them. So a recording counts by itself,
and each of its rows says after which record of the journal it was taken in. Since a step's records are appended before
the next event comes, that orders the two wholly: a row that names record 7 came before record 8, and behind whatever
led to record 7; rows that name the same record stand in their own order. Neither stream needs the other to be numbered,
and one that is lost in part leaves no gap in the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cambist.engine.codec import CODEC
from cambist.engine.journaled import Recorder
from cambist.model import effects as effect
from cambist.model import events as event
from cambist.model.bars import Bar
from cambist.model.orders import PositionSide
from cambist.model.portfolio import MarginChange

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.engine.codec import Codec
    from cambist.engine.journaled import Append
    from cambist.engine.step import Kernel

__all__ = ["ENDED", "OUTSIDE", "Recorded", "RecordingRecorder", "read_row"]

#: What a row is, in its first place; then follow the record after which it came, its time, and its own fields.
_BAR_CLOSED, _BAR_OPENED, _INSTANT_CLOSED, _REFUSED, _MARGIN, OUTSIDE, ENDED = range(7)

_FIELDS: dict[type[event.Event], tuple[int, Callable[[Any], tuple[Any, ...]]]] = {
    event.BarClosed: (
        _BAR_CLOSED,
        lambda one: (
            one.series,
            (bar := one.bar).ts,
            bar.open,
            bar.high,
            bar.low,
            bar.close,
            bar.volume,
        ),
    ),
    event.BarOpened: (_BAR_OPENED, lambda one: (one.series, one.price)),
    event.InstantClosed: (_INSTANT_CLOSED, lambda _one: ()),
    event.OrderRefused: (_REFUSED, lambda one: (one.order_id, one.reason)),
    event.MarginChanged: (_MARGIN, lambda one: _margin_fields(one.change)),
}


def _margin_fields(change: MarginChange) -> tuple[Any, ...]:
    side = None if change.position_side is None else str(change.position_side)
    return change.ts, change.symbol, side, change.amount, change.leverage, change.reason, change.account


def _margin_changed(ts: int, *fields: Any) -> event.MarginChanged:
    asked, symbol, side, *rest = fields
    return event.MarginChanged(ts, MarginChange(asked, symbol, None if side is None else PositionSide(side), *rest))


_MAKERS: dict[int, Callable[..., event.Event]] = {
    _BAR_CLOSED: lambda ts, series, *fields: event.BarClosed(ts, series, Bar(*fields)),
    _BAR_OPENED: event.BarOpened,
    _INSTANT_CLOSED: event.InstantClosed,
    _REFUSED: event.OrderRefused,
    _MARGIN: _margin_changed,
}


@attrs.frozen(slots=True)
class Recorded:
    """A row of a recording.

    Attributes
    ----------
    after
        Number of the last record that was in the journal.
    event
        What the kernel took in; None where the row is a mark.
    mark
        `OUTSIDE`: record number `record` was no wish of the kernel, somebody stopped the run. `ENDED`: the recording is
        whole, and so is the journal with record number `after`. -1 for an event.
    record
        See `mark`.
    """

    after: int
    event: event.Event | None
    mark: int = -1
    record: int = 0


def read_row(row: Sequence[Any]) -> Recorded:
    """Return what a row says."""
    code, after, ts, *fields = row
    make = _MAKERS.get(code)
    return Recorded(after, None, code, *fields) if make is None else Recorded(after, make(ts, *fields))


class RecordingRecorder(Recorder):
    """A recorder that also records what the journal does not keep.

    Parameters
    ----------
    kernel, append
        See `Recorder`.
    record
        Takes a row.
    asked_outside
        Answers whether a run was asked from outside to stop, for that reason.
    """

    def __init__(
        self,
        kernel: Kernel,
        append: Append,
        record: Callable[[Sequence[Any]], None],
        asked_outside: Callable[[str], bool],
        codec: Codec = CODEC,
    ) -> None:
        super().__init__(kernel, append, codec)
        self._record, self._asked_outside = record, asked_outside

    def fact(self, happened: event.Event) -> None:
        """Note, in journal or recording, what the kernel is about to take in."""
        known = _FIELDS.get(type(happened))
        if known is None:
            super().fact(happened)
        else:
            code, fields = known
            self._record((code, self.sequence, happened.ts, *fields(happened)))

    def intents(self, ts: int, wanted: Sequence[effect.Effect]) -> None:
        """Note what the kernel wants done; and mark what only stands among it because somebody stopped the run."""
        for one in wanted:
            if type(one) is effect.StopRun and self._asked_outside(one.reason):
                self._record((OUTSIDE, self.sequence, ts, self.sequence + len(self._drafts) + 1))
            super().intents(ts, (one,))

    def end(self) -> None:
        """Say that nothing is missing."""
        self._record((ENDED, self.sequence, 0))
