"""The feed: a ticker of Yahoo Finance and a timeframe, to bars."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from cambist.api import DataError, FetchedHistory, choose_instrument, did_you_mean
from cambist.model import Bars, Timeframe

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    import pandas as pd

    from cambist.model import Instrument

__all__ = ["INTERVALS", "open_yahoo"]

#: What Yahoo calls a timeframe.
INTERVALS = {
    "1m": "1m", "2m": "2m", "5m": "5m", "15m": "15m", "30m": "30m", "1h": "60m", "90m": "90m", "1d": "1d", "1w": "1wk",
}  # fmt: skip
_COLUMNS = ("Open", "High", "Low", "Close", "Volume")
_DAY = Timeframe.parse("1d")
_HORIZONS = "Bars of 1m go back 7 days, other bars below a day 60 days, those of 1h 730 days"


def open_yahoo(
    source: str,
    *,
    timeframe: str | Timeframe = "1d",
    start: str | date | None = None,
    end: str | date | None = None,
    adjusted: bool = True,
    prepost: bool = False,
    symbol: str | None = None,
    instrument: Instrument | None = None,
) -> FetchedHistory:
    """Return a source of the bars of a ticker; the service is asked when they are first read.

    Parameters
    ----------
    source
        The ticker as Yahoo writes it: ``"AAPL"``, ``"VOD.L"``, ``"^GSPC"``, ``"EURUSD=X"``, ``"BTC-USD"``.
    timeframe
        One of 1m, 2m, 5m, 15m, 30m, 1h, 90m, 1d, 1w.
    start, end
        First day, and the day after the last one, in the zone of the exchange. Default: all there is.
    adjusted
        Prices are adjusted for splits and dividends; without it for splits alone, as Yahoo quotes them.
    prepost
        With the bars before and after the session, where the timeframe is below a day.
    symbol, instrument
        What the bars are of; default: the ticker.

    Raises
    ------
    DataError
        The timeframe is none that Yahoo has, or two names are given.

    Notes
    -----
    A day is its midnight UTC, a week its Monday. A bar that has not closed yet is left out, and the source's notes say
    so: a day has closed at midnight UTC.
    """
    frame = Timeframe.parse(timeframe)
    if str(frame) not in INTERVALS:
        raise DataError(f"Yahoo has no bars of {frame}.{did_you_mean(str(frame), INTERVALS)}")
    ticker = source.strip()
    if not ticker:
        raise DataError("no ticker is named. Write one as Yahoo does: yahoo:AAPL.")
    question: dict[str, Any] = {"interval": INTERVALS[str(frame)], "auto_adjust": adjusted, "prepost": prepost}
    question |= {"start": start, "end": end} if start or end else {"period": "max"}
    of = choose_instrument(symbol, instrument, default=ticker)
    client = _client()
    return FetchedHistory(
        f"yahoo:{ticker}",
        partial(_fetch, client, ticker, question, of, frame, time.time_ns),
        passing=(OSError, client.exceptions.YFRateLimitError),
    )


def _client() -> Any:
    import yfinance
    import yfinance.exceptions

    return yfinance


def _fetch(
    client: Any,
    ticker: str,
    question: dict[str, Any],
    instrument: Instrument,
    timeframe: Timeframe,
    clock: Callable[[], int],
) -> tuple[Bars, tuple[str, ...]]:
    # The client logs what goes wrong and returns nothing, unless it is told not to.
    hidden, client.config.debug.hide_exceptions = client.config.debug.hide_exceptions, False
    try:
        frame = client.Ticker(ticker).history(actions=False, **question)
    except client.exceptions.YFRateLimitError:
        raise
    except client.exceptions.YFException as error:
        raise DataError(f"yahoo:{ticker}: {error} {_advice(timeframe)}") from error
    finally:
        client.config.debug.hide_exceptions = hidden
    if frame is None or frame.empty:
        raise DataError(f"yahoo:{ticker}: there are no bars. {_advice(timeframe)}")
    return _bars(frame, ticker, instrument, timeframe, clock())


def _advice(timeframe: Timeframe) -> str:
    reach = f" {_HORIZONS}." if timeframe < _DAY else ""
    return f"Check the ticker, with its suffix such as '.L', and start and end.{reach}"


def _bars(
    frame: pd.DataFrame, ticker: str, instrument: Instrument, timeframe: Timeframe, now: int
) -> tuple[Bars, tuple[str, ...]]:
    lacking = [name for name in _COLUMNS if name not in frame]
    if lacking:
        raise DataError(
            f"yahoo:{ticker}: the answer has no {', '.join(lacking)}, but {', '.join(map(str, frame.columns))}. "
            "Install the version of yfinance that cambist-yahoo was made for."
        )
    index: Any = frame.index
    # Days are stamped with midnight of the exchange's zone, which is no grid where clocks change.
    index = index.tz_localize(None) if timeframe >= _DAY else index.tz_convert("UTC").tz_localize(None)
    ts = index.as_unit("ns").asi8
    values = {name: frame[name].to_numpy(dtype="float64") for name in _COLUMNS}
    notes = []
    closed = int((ts + timeframe.ns <= now).sum())
    if closed < len(ts):
        notes.append(f"yahoo:{ticker}: left out the last bar, which has not closed yet")
    if closed == 0:
        raise DataError(f"yahoo:{ticker}: no bar has closed yet. Ask for an earlier start.")
    return Bars(instrument, timeframe, ts[:closed], *(column[:closed] for column in values.values())), tuple(notes)
