"""The cache of history: series of bars that are fetched once."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import attrs
import msgspec

from cambist.data.cache.fetch import Fetch
from cambist.data.cache.history import CachedHistory
from cambist.data.cache.ledger import FORMAT, Ledger, LedgerBook
from cambist.data.cache.names import nearest_key, nearest_symbol
from cambist.data.cache.ranges import merged, without
from cambist.data.cache.revisions import revision_key
from cambist.errors import ConfigError, DataError, StateUnusableError, StorageError, VenueError, did_you_mean
from cambist.model.instrument import Instrument
from cambist.model.times import format_ns
from cambist.ports.bars import BarKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cambist.data.cache.fetch import FetchReport
    from cambist.data.cache.ledger import Revision
    from cambist.data.cache.names import SeriesName
    from cambist.data.cache.ranges import Ranges
    from cambist.model.timeframe import Timeframe
    from cambist.ports.bars import BarStore
    from cambist.ports.fetching import HistoryFetcher
    from cambist.ports.storage import StateStore

__all__ = ["BarCache", "CachedSeries"]

_MOST_SHOWN = 400
_HOLES_SHOWN = 3


@attrs.frozen(kw_only=True)
class CachedSeries:
    """What the cache has of a series.

    Attributes
    ----------
    key, instrument
        Of what.
    first, last, rows
        Open times of the first and the last bar, ns, UTC, and how many there are.
    origin
        Where they were fetched; ``""`` where nobody knows.
    covered
        Times of which the source has told everything.
    revisions
        What it told otherwise later.
    """

    key: BarKey
    instrument: Instrument
    first: int
    last: int
    rows: int
    origin: str
    covered: Ranges
    revisions: tuple[Revision, ...]


class BarCache:
    """Series of bars that are fetched once, and read as often as somebody likes.

    Parameters
    ----------
    bars
        Keeps the bars. Many may read while one fetches.
    state
        Keeps what is known of them: one ledger a series.
    place
        Where that is, for people.
    lock
        Keeps those apart who fetch one series: a context in which nobody else does. Default: there is nobody else.
    clock
        Answers the time, ns, UTC.

    Notes
    -----
    Bars are written before the ledger says that they are there. Whatever ends the process in between, the ledger
    never claims what is not stored, and what it does not know of is fetched once more and found to be there.

    A bar that was fetched is never changed. Where the source tells something else the next time, that is kept as a
    revision beside it (under the venue's name with ``~1``, ``~2`` ... behind it), and reading chooses between the two.
    """

    def __init__(
        self,
        bars: BarStore,
        state: StateStore,
        *,
        place: str = "memory",
        lock: Callable[[BarKey], AbstractContextManager[None]] = lambda _key: nullcontext(),
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.bars = bars
        self.place = place
        self._ledgers = LedgerBook(state)
        self._lock, self._clock = lock, clock

    # Fetching.

    def get(
        self,
        fetcher: HistoryFetcher,
        symbol: str,
        timeframe: str | Timeframe,
        start: int,
        end: int | None = None,
        *,
        refresh: bool = False,
        progress: Callable[[int, int | None], None] = lambda _done, _total: None,
    ) -> FetchReport:
        """Fetch what is missing of a series.

        Parameters
        ----------
        fetcher
            The source.
        symbol, timeframe
            Of the series; a symbol may differ from the source's in case and separators.
        start, end
            Open times, ``[start, end)``, ns, UTC; None for as far as bars are over.
        refresh
            Whether to fetch all of it once more, to see what the source tells otherwise now.
        progress
            Told how many bars' time is done, of how many.

        Raises
        ------
        ConfigError
            The series was fetched elsewhere, or there is nothing between `start` and `end`.
        DataError
            The source answers with what are no bars, or with less of each than until now.
        VenueError, StorageError
            The source cannot be asked, or does not have the symbol; or bars cannot be kept. What has come is kept.
        """
        instrument = self._instrument(fetcher, symbol)
        key = BarKey(instrument.symbol, timeframe, instrument.venue)
        until = self._clock() if end is None else end
        if start >= until:
            raise ConfigError(
                f"{key}: it would be fetched from {format_ns(start)} to {format_ns(until)}. Exchange them."
            )
        with self._lock(key):
            ledger, note = self._ledger(key)
            if ledger is not None and ledger.rows > self._rows(key):
                note = f"{key}: bars that were fetched before are not there any more; they are fetched again."
                ledger = self._recovered(key)
            ledger = ledger or Ledger(FORMAT, str(key), fetcher.origin)
            if ledger.origin and ledger.origin != fetcher.origin:
                raise ConfigError(
                    f"{key}: the cache at {self.place} has it from {ledger.origin}, and this would come from "
                    f"{fetcher.origin}. Use another folder, or delete the series first: cambist data delete."
                )
            ledger = msgspec.structs.replace(ledger, origin=fetcher.origin)
            fetch = Fetch(self.bars, self._ledgers, fetcher, instrument, key, ledger, self._clock)
            report = fetch.run(start, until, refresh=refresh, progress=progress)
        report.notes += [note] if note else []
        return report

    def missing(self, key: BarKey, start: int, end: int) -> Ranges:
        """Return of which parts of ``[start, end)`` the source was not asked yet."""
        ledger, _ = self._ledger(key)
        return ((start, end),) if ledger is None else without((start, end), ledger.covered)

    def _instrument(self, fetcher: HistoryFetcher, symbol: str) -> Instrument:
        known = {one.symbol: one for one in fetcher.instruments()}
        if not known:
            return Instrument(symbol=symbol, venue=fetcher.venue)
        found = nearest_symbol(symbol, list(known))
        if found is None:
            hint = did_you_mean(symbol, known)[:_MOST_SHOWN]
            raise VenueError(f"{fetcher.venue} has no {symbol!r}.{hint}", code="unknown_symbol")
        return attrs.evolve(known[found], venue=fetcher.venue)

    # Reading.

    def open(self, name: SeriesName, start: int | None = None, end: int | None = None) -> CachedHistory:
        """Return a series as a source of bars.

        Parameters
        ----------
        name
            Which; see `nearest_key`.
        start, end
            Open times, ``[start, end)``, ns, UTC; None for as far as it goes.

        Raises
        ------
        DataError
            There is no such series, or parts of that time were never fetched; says how to fetch them.
        """
        ledger, key = self._ledgers.get(name.key), name.key
        if ledger is None:
            # One damaged series must not hide those that are named in full.
            key = nearest_key(name, self._keys(), self.place)
            ledger, _ = self._ledger(key)
        assert ledger is not None
        self._refuse_holes(key, ledger, start, end)
        text = f"{key.venue}:{key.symbol}:{key.timeframe}"
        notes: tuple[str, ...] = ()
        changed = sum(one.bars + len(one.withdrawn) for one in ledger.revisions)
        if changed and not name.revised:
            note = (
                f"{text}: its source revised {changed:,} bars or stretches of bars. These are the bars as they were "
                f"first fetched; {text}:revised has them as the source tells them now."
            )
            notes = (note,)
        return CachedHistory(
            store=self.bars,
            key=key,
            name=str(attrs.evolve(name, venue=key.venue, symbol=key.symbol)),
            start=start,
            end=end,
            revisions=ledger.revisions if name.revised else (),
            notes=notes,
        )

    def _refuse_holes(self, key: BarKey, ledger: Ledger, start: int | None, end: int | None) -> None:
        if not ledger.covered:
            return
        # Bars that open up to a bar's length before the end of what was told are all there are.
        last = ledger.covered[-1][1]
        until = last if end is None or last < end <= last + key.timeframe.ns else end
        holes = without((ledger.covered[0][0] if start is None else start, until), ledger.covered)
        if holes:
            spans = ", ".join(f"{format_ns(one)} .. {format_ns(other)}" for one, other in holes[:_HOLES_SHOWN])
            first, final = _typed(holes[0][0]), _typed(holes[-1][1])
            raise DataError(
                f"{key}: {spans} were never fetched. Fetch them: cambist data get {key.venue} {key.symbol} "
                f"{key.timeframe} --from {first} --to {final}; or ask for a time that is there."
            )

    def series(self) -> list[CachedSeries]:
        """Return what there is, sorted by key; revisions are told with their series."""
        found = []
        for stored in self.bars.series():
            if not _is_revision(stored.key):
                ledger, _ = self._ledger(stored.key)
                assert ledger is not None
                found.append(
                    CachedSeries(
                        key=stored.key,
                        instrument=stored.instrument,
                        first=stored.first,
                        last=stored.last,
                        rows=stored.rows,
                        origin=ledger.origin,
                        covered=ledger.covered,
                        revisions=ledger.revisions,
                    )
                )
        return found

    def _keys(self) -> list[BarKey]:
        return [one.key for one in self.bars.series() if not _is_revision(one.key)]

    # Looking after it.

    def check(self, key: BarKey) -> list[str]:
        """Read all of a series, and return what is wrong with it, in sentences."""
        try:
            ledger, note = self._ledger(key)
        except StorageError as error:
            return [str(error)]
        faults = [note] if note else []
        keys = [key, *(revision_key(key, one.number) for one in (ledger.revisions if ledger else ()) if one.bars)]
        for one in keys:
            try:
                rows = sum(len(block) for block in self.bars.blocks(one))
            except (StorageError, DataError) as error:
                faults.append(str(error))
                continue
            told = max(self._rows(one), ledger.rows if ledger is not None and one == key else 0)
            if rows != told:
                faults.append(f"{one}: {rows:,} bars can be read, and there should be {told:,}.")
        return faults

    def delete(self, key: BarKey) -> None:
        """Forget a series with its revisions; one that is not there is no error."""
        with self._lock(key):
            # The ledger first: bars without one are found by what they are, a ledger without bars would lie.
            self._ledgers.delete(key)
            for stored in list(self._revisions_of(key)):
                self.bars.delete(stored)
            self.bars.delete(key)

    def _revisions_of(self, key: BarKey) -> Iterator[BarKey]:
        for stored in self.bars.series():
            venue, tilde, number = stored.key.venue.rpartition("~")
            if tilde and number.isdigit() and attrs.evolve(stored.key, venue=venue) == key:
                yield stored.key

    def _ledger(self, key: BarKey) -> tuple[Ledger | None, str]:
        """Return what is known of a series, and what a person should know of that.

        Where nothing is known of bars that are there (they were copied here, or what was known is damaged), they are
        what there is to know: between two of them that do not follow each other, the source is asked again.
        """
        note = ""
        try:
            ledger = self._ledgers.get(key)
        except StateUnusableError as error:
            ledger = None
            note = f"{key}: what the cache knew beside the bars is lost ({error}); times without bars are asked again."
        return (self._recovered(key), note) if ledger is None else (ledger, "")

    def _rows(self, key: BarKey) -> int:
        return next((one.rows for one in self.bars.series() if one.key == key), 0)

    def _recovered(self, key: BarKey) -> Ledger | None:
        """Return what the bars tell by themselves; None where there are none."""
        rows = 0
        spans: list[tuple[int, int]] = []
        for block in self.bars.blocks(key):
            rows, closes = rows + len(block), block.close_times
            cuts = (block.ts[1:] != closes[:-1]).nonzero()[0] + 1
            starts, ends = block.ts[[0, *cuts]], closes[[*(cuts - 1), -1]]
            spans = list(merged([*spans, *zip(starts.tolist(), ends.tolist(), strict=True)]))
        return Ledger(FORMAT, str(key), "", (), rows, tuple(spans)) if spans else None


def _is_revision(key: BarKey) -> bool:
    return "~" in key.venue


def _typed(ts: int) -> str:
    """Return a time as it is typed: a day where it begins one."""
    text = format_ns(ts).removesuffix(" UTC")
    day, _, clock = text.partition(" ")
    return day if clock in {"", "00:00", "00:00:00"} else f"{day}T{clock}"
