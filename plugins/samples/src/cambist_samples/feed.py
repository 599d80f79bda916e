"""The feed: series by name, checked, with what was repaired on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.api import DataError, RepairReport, did_you_mean, tidy
from cambist.model import COLUMNS, Bars, Timeframe
from cambist_samples.catalog import SAMPLES, Sample
from cambist_samples.reader import read_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SampleHistory", "SampleInfo", "SamplesFeed", "open_feed"]


@attrs.frozen(kw_only=True)
class SampleInfo:
    """What there is to know about a series, for a list.

    Attributes
    ----------
    name
        What to ask for.
    symbol, timeframe
        Of what.
    rows
        Bars after the repair.
    first, last
        Open times of the first and the last bar, ns, UTC.
    package
        The distribution that carries it.
    license
        Of the package, and of the data where that differs.
    note
        What to know before trading on it.
    """

    name: str
    symbol: str
    timeframe: Timeframe
    rows: int
    first: int
    last: int
    package: str
    license: str
    note: str


@attrs.frozen(eq=False)
class SampleHistory:
    """A series as a `cambist.api.HistorySource`.

    Attributes
    ----------
    info
        What it is.
    bars
        The series.
    report
        What was repaired, row by row.
    """

    info: SampleInfo
    bars: Bars
    report: RepairReport

    @property
    def name(self) -> str:
        """``samples:`` and the name."""
        return f"samples:{self.info.name}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done to the data, in sentences; empty if nothing was."""
        return () if self.report.is_clean else (f"{self.name}: {self.report.describe()}",)

    def load(self) -> Bars:
        """Return every bar."""
        return self.bars

    def blocks(self, size: int = 65_536) -> Iterator[Bars]:
        """Yield the bars in pieces of at most `size` rows."""
        return self.bars.blocks(size)


class SamplesFeed:
    """The samples: call it with a name to open one.

    Examples
    --------
    >>> from cambist_samples import open_feed
    >>> open_feed("AAPL").load()
    <Bars AAPL 1d: 1509 bars, 2019-01-02 00:00:00 UTC .. 2024-12-30 00:00:00 UTC>
    """

    def __call__(self, source: str, *, timeframe: str | Timeframe | None = None) -> SampleHistory:
        """Open a series; see `source`."""
        return self.source(source, timeframe=timeframe)

    def source(self, name: str, timeframe: str | Timeframe | None = None) -> SampleHistory:
        """Open a series by its name, or by its symbol where that (with the timeframe) says which.

        Parameters
        ----------
        name
            Such as ``"AAPL"``, ``"BTC-USD-15m"``, or ``"BTC-USD"`` with a timeframe. Upper or lower case.
        timeframe
            Which of several series of one symbol; never a resampling.

        Raises
        ------
        DataError
            There is no such series, or several.
        MissingDependencyError
            The package that carries it is not installed.
        """
        return _open(_find(name, None if timeframe is None else Timeframe.parse(timeframe)))

    def catalog(self) -> tuple[SampleInfo, ...]:
        """Return what there is, in the order in which to show it. Reads every series."""
        return tuple(_open(sample).info for sample in SAMPLES)

    def symbols(self) -> tuple[str, ...]:
        """Return the names that can be asked for, without reading anything."""
        return tuple(sample.name for sample in SAMPLES)


#: The feed's factory: ``open_feed("AAPL")``.
open_feed = SamplesFeed()


def _find(name: str, timeframe: Timeframe | None) -> Sample:
    if not isinstance(name, str):
        raise DataError(f"a sample is asked for by its name, not by {type(name).__name__}. Names: {_names(SAMPLES)}.")
    wanted = name.strip().lower()
    named = [sample for sample in SAMPLES if sample.name.lower() == wanted]
    named = named or [sample for sample in SAMPLES if sample.instrument.symbol.lower() == wanted]
    if not named:
        raise DataError(f"there is no sample called {name!r}.{did_you_mean(name, [s.name for s in SAMPLES])}")
    found = [sample for sample in named if timeframe in (None, sample.timeframe)]
    if not found:
        frames = " and ".join(str(sample.timeframe) for sample in named)
        raise DataError(
            f"the sample {name} comes in {frames}, not in {timeframe}. Leave timeframe= out, or resample it."
        )
    if len(found) > 1:
        raise DataError(f"there are several samples of {name}: {_names(found)}. Say which.")
    return found[0]


def _names(samples: list[Sample] | tuple[Sample, ...]) -> str:
    return ", ".join(sample.name for sample in samples)


def _open(sample: Sample) -> SampleHistory:
    ts, columns, report = tidy(*read_columns(sample), sample.timeframe)
    bars = Bars(sample.instrument, sample.timeframe, ts, *(columns[name] for name in COLUMNS))
    info = SampleInfo(
        name=sample.name,
        symbol=sample.instrument.symbol,
        timeframe=sample.timeframe,
        rows=len(bars),
        first=int(bars.ts[0]),
        last=int(bars.ts[-1]),
        package=sample.package,
        license=sample.license,
        note=sample.note,
    )
    return SampleHistory(info, bars, report)
