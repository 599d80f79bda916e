"""Fetching what is missing of a series, piece by piece: what has come is kept, whatever becomes of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.data.cache.answers import answer_of
from cambist.data.cache.ledger import Ledger, Revision
from cambist.data.cache.ranges import overlap, without
from cambist.data.cache.revisions import compare, revised, revision_key
from cambist.errors import StorageError, VenueError
from cambist.model.times import DAY_NS, format_ns

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.data.cache.ledger import LedgerBook
    from cambist.data.cache.ranges import Range
    from cambist.data.cache.revisions import Told
    from cambist.model.bars import Bars
    from cambist.model.instrument import Instrument
    from cambist.ports.bars import BarKey, BarStore
    from cambist.ports.fetching import HistoryFetcher

__all__ = ["Fetch", "FetchReport"]

#: Bars that are asked for, and kept, at once; where there were none, more and more.
_PIECE = 10_000
_LARGEST = 64 * _PIECE
#: Bars on either side of what is missing that are asked for once more, to see whether the source still tells the same.
_SEAM = 3
#: A time without bars, with none behind it either, is taken for empty only once it is over for so long: a source may be
#: late. One with bars behind it is empty.
_LATE = 7 * DAY_NS
#: What asking again does not change, so that nobody is told to.
_FINAL = frozenset({"timeframe", "unknown_symbol", "symbol_halted"})


@attrs.define
class FetchReport:
    """What came of a fetch.

    Attributes
    ----------
    key
        Of which series.
    start, end
        What was asked of the cache, ns, UTC, as far as it is over.
    asked
        How often the source was asked.
    added
        Bars that are new.
    unchanged
        Bars that the source told once more, as before.
    revised, withdrawn
        Bars that it tells otherwise now, and that it has no more: those told first stay, see `revision`.
    revision
        Number of the revision that keeps what it tells now; 0 for none.
    notes
        What else a person should know.
    """

    key: BarKey
    start: int
    end: int
    asked: int = 0
    added: int = 0
    unchanged: int = 0
    revised: int = 0
    withdrawn: int = 0
    revision: int = 0
    notes: list[str] = attrs.field(factory=list)


class Fetch:
    """One fetch of one series.

    Parameters
    ----------
    bars, ledgers
        Where bars and what is known of them are kept.
    fetcher
        The source.
    instrument, key
        Of the series.
    ledger
        What is known of it.
    clock
        Answers the time, ns, UTC.
    """

    def __init__(
        self,
        bars: BarStore,
        ledgers: LedgerBook,
        fetcher: HistoryFetcher,
        instrument: Instrument,
        key: BarKey,
        ledger: Ledger,
        clock: Callable[[], int],
    ) -> None:
        self._bars, self._ledgers, self._fetcher = bars, ledgers, fetcher
        self._instrument, self._key, self._ledger, self._clock = instrument, key, ledger, clock
        self._before = ledger.covered
        #: Since when there were no bars that could still come; None where there is no such time before the next piece.
        self._quiet_since: int | None = None
        self.report = FetchReport(key, 0, 0)

    def run(self, start: int, end: int, *, refresh: bool, progress: Callable[[int, int | None], None]) -> FetchReport:
        """Fetch what is missing of ``[start, end)``, or all of it once more.

        Raises
        ------
        VenueError, StorageError
            In the middle of it; says how much was kept, and how to go on.
        """
        length = self._key.timeframe.ns
        self.report.start = start
        # A bar that opens later is not over yet.
        self.report.end = end = max(start, min(end, self._clock() - length + 1))
        spans = ((start, end),) if refresh and start < end else without((start, end), self._ledger.covered)
        total = sum(-(-(until - since) // length) for since, until in spans)
        done = 0
        for span in spans:
            at, size, self._quiet_since = span[0], _PIECE, None
            while at < span[1]:
                piece = (at, min(span[1], at + size * length))
                try:
                    found = self._piece(piece, span)
                except (VenueError, StorageError) as error:
                    raise self._explained(error, at) from error
                done += -(-(piece[1] - at) // length)
                progress(min(done, total), total)
                at, size = piece[1], _PIECE if found else min(size * 4, _LARGEST)
        return self.report

    def _piece(self, piece: Range, span: Range) -> int:
        """Fetch, compare and keep one piece; return how many bars there are in it."""
        start, end = piece
        length = self._key.timeframe.ns
        if start == span[0] and overlap((start - 1, start), self._before):
            start -= _SEAM * length
        if end == span[1] and overlap((end, end + 1), self._before):
            end += _SEAM * length
        self.report.asked += 1
        answer = answer_of(self._fetcher, self._instrument, self._key, (start, end), self._ledger.columns)
        first = self._bars.read(self._key, start, end)
        latest = revised(first, self._bars, self._key, self._ledger.revisions, (start, end))
        told = compare(answer.bars, first, latest, self._ledger.covered)
        if told.fresh is not None:
            self._bars.write(told.fresh)
            self.report.added += len(told.fresh)
        ledger = self._with_revision(told).with_bars(0 if told.fresh is None else len(told.fresh), answer.columns)
        self._ledger = ledger.with_covered(*self._told((start, end), answer.bars))
        # After the bars: what a crash leaves in between is fetched once more, and is there already.
        self._ledgers.put(self._key, self._ledger)
        self.report.unchanged += told.unchanged
        return 0 if answer.bars is None else len(answer.bars)

    def _with_revision(self, told: Told) -> Ledger:
        """Keep what the source tells otherwise now; return the ledger that knows of it."""
        length = self._key.timeframe.ns
        withdrawn = tuple((ts, ts + length) for ts in told.withdrawn.tolist())
        if told.changed is None and not withdrawn:
            return self._ledger
        if not self.report.revision:
            self.report.revision = 1 + max((one.number for one in self._ledger.revisions), default=0)
            self._bars.delete(revision_key(self._key, self.report.revision))  # what a crash may have left of one
        number, count = self.report.revision, 0
        if told.changed is not None:
            count = len(told.changed)
            instrument = attrs.evolve(told.changed.instrument, venue=revision_key(self._key, number).venue)
            self._bars.write(attrs.evolve(told.changed, instrument=instrument))
        self.report.revised += count
        self.report.withdrawn += len(withdrawn)
        return self._ledger.with_revision(Revision(number, self._clock(), count, withdrawn))

    def _told(self, asked: Range, bars: Bars | None) -> Range:
        """Return of which time the source has now told everything."""
        start, end = asked
        length = self._key.timeframe.ns
        sure = self._clock() - max(_LATE, 2 * length)
        last = start if bars is None else int(bars.ts[-1]) + length
        until = max(start, min(end, max(last, sure)))
        since = start
        if last > start:
            since, self._quiet_since = self._quiet_since or start, None
        if until < end and self._quiet_since is None:
            self._quiet_since = until
        return since, until

    def _explained(self, error: VenueError | StorageError, at: int) -> VenueError | StorageError:
        if getattr(error, "code", "") in _FINAL:
            return error
        text = (
            f"{error} {self.report.added:,} new bars of {self._key} were kept; the same command goes on from "
            f"{format_ns(at)}."
        )
        return VenueError(text, code=error.code) if isinstance(error, VenueError) else StorageError(text)
