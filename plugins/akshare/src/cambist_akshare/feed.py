"""The feed: a kind and a code, such as ``stock:600000``, to bars."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args

import attrs
import pandas as pd

from cambist.api import DataError, FetchedHistory, choose_instrument, did_you_mean
from cambist.model import Bars, Timeframe

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from cambist.model import Instrument

__all__ = ["open_akshare"]

#: How prices are adjusted: as quoted, forward (the newest stay as quoted), backward (the oldest do).
Adjust = Literal["none", "qfq", "hfq"]

_ZONE = "Asia/Shanghai"
_DAY = Timeframe.parse("1d")
_MINUTES = {"5m": "5", "15m": "15", "30m": "30", "1h": "60"}
_CHINESE = {"open": "开盘", "high": "最高", "low": "最低", "close": "收盘", "volume": "成交量"}
_ENGLISH = {name: name for name in _CHINESE}
#: Shares in a hand, in which Chinese exchanges count volume.
_HAND = 100.0


@attrs.frozen(kw_only=True)
class _Kind:
    """What can be asked for.

    Attributes
    ----------
    ask
        Asks the client: ``ask(client, code, first, last, adjust, minutes)``, minutes None for days.
    time, minute_time
        The column of dates, and of times of bars below a day.
    columns
        Of a bar, by field.
    unit
        How many make one of the volume.
    """

    ask: Callable[..., Any]
    time: str = "日期"
    minute_time: str = "时间"
    columns: dict[str, str] = attrs.field(factory=lambda: _CHINESE)
    unit: float = _HAND
    has_minutes: bool = False
    can_adjust: bool = False


def _stock(client: Any, code: str, first: str, last: str, adjust: str, minutes: str | None) -> Any:
    if minutes is None:
        return client.stock_zh_a_hist(symbol=code, period="daily", start_date=first, end_date=last, adjust=adjust)
    return client.stock_zh_a_hist_min_em(
        symbol=code, period=minutes, start_date=f"{first} 00:00:00", end_date=f"{last} 23:59:59", adjust=adjust
    )


def _index(client: Any, code: str, first: str, last: str, adjust: str, minutes: str | None) -> Any:  # noqa: ARG001
    return client.index_zh_a_hist(symbol=code, period="daily", start_date=first, end_date=last)


def _fund(client: Any, code: str, first: str, last: str, adjust: str, minutes: str | None) -> Any:  # noqa: ARG001
    return client.fund_etf_hist_em(symbol=code, period="daily", start_date=first, end_date=last, adjust=adjust)


def _futures(client: Any, code: str, first: str, last: str, adjust: str, minutes: str | None) -> Any:  # noqa: ARG001
    frame = client.futures_zh_daily_sina(symbol=code)
    days = pd.to_datetime(frame["date"])
    return frame[(days >= first) & (days <= last)]


_KINDS = {
    "stock": _Kind(ask=_stock, has_minutes=True, can_adjust=True),
    "index": _Kind(ask=_index),
    "fund": _Kind(ask=_fund, can_adjust=True),
    "futures": _Kind(ask=_futures, time="date", columns=_ENGLISH, unit=1.0),
}


def open_akshare(
    source: str,
    *,
    timeframe: str | Timeframe = "1d",
    start: str | date = "1990-01-01",
    end: str | date = "2050-01-01",
    adjust: Adjust = "none",
    symbol: str | None = None,
    instrument: Instrument | None = None,
) -> FetchedHistory:
    """Return a source of the bars of a Chinese security; the service is asked when they are first read.

    Parameters
    ----------
    source
        ``"stock:600000"``, ``"index:000300"``, ``"fund:510300"`` (a traded fund) or ``"futures:RB2410"`` (``RB0`` is
        the main contract, unadjusted). A code alone is a stock.
    timeframe
        1d; of stocks also 5m, 15m, 30m and 1h.
    start, end
        First and last day, in China.
    adjust
        ``"none"``, ``"qfq"`` (forward: the newest prices stay as quoted, all others change with each dividend) or
        ``"hfq"`` (backward: the oldest stay). Stocks and funds alone.
    symbol, instrument
        What the bars are of; default: the code.

    Raises
    ------
    DataError
        The kind, the timeframe or the adjustment is none that there is.

    Notes
    -----
    A day is its midnight UTC. Bars below a day, which the source stamps with their end in China's time, carry the UTC
    time of their open. Volume is in shares (the source counts hands of 100), of futures in contracts. Days on which a
    security was suspended have no bar.
    """
    frame = Timeframe.parse(timeframe)
    name, colon, code = source.strip().partition(":")
    kind_name, code = (name.lower(), code.strip()) if colon else ("stock", name)
    kind = _kind(kind_name, code, frame, adjust)
    minutes = None if frame == _DAY else _MINUTES[str(frame)]
    form = "%Y%m%d" if minutes is None else "%Y-%m-%d"
    first, last = (pd.Timestamp(day).strftime(form) for day in (start, end))
    where = f"akshare:{kind_name}:{code}"
    question = partial(kind.ask, _client(), code, first, last, "" if adjust == "none" else adjust, minutes)
    of = choose_instrument(symbol, instrument, default=code)
    return FetchedHistory(where, partial(_fetch, question, where, kind, of, frame), passing=(OSError,))


def _kind(name: str, code: str, frame: Timeframe, adjust: str) -> _Kind:
    if name not in _KINDS:
        raise DataError(f"AkShare's feed has no {name!r}.{did_you_mean(name, _KINDS)}")
    kind = _KINDS[name]
    if not code:
        raise DataError(f"no code is named. Write one such as akshare:{name}:600000.")
    offered = {"1d": "", **(_MINUTES if kind.has_minutes else {})}
    if str(frame) not in offered:
        raise DataError(f"there are no bars of {frame} of {name}:{code}. There are: {', '.join(offered)}.")
    if adjust not in get_args(Adjust):
        raise DataError(f"adjust is {adjust!r}: give 'none', 'qfq' or 'hfq'.")
    if adjust != "none" and not kind.can_adjust:
        raise DataError(f"adjust is {adjust!r}, and prices of {name}:{code} come as quoted. Leave it out.")
    return kind


def _client() -> Any:
    import akshare

    return akshare


def _fetch(
    question: Callable[[], Any], where: str, kind: _Kind, instrument: Instrument, timeframe: Timeframe
) -> tuple[Bars, tuple[str, ...]]:
    try:
        frame = question()
    except (KeyError, TypeError, IndexError, ValueError) as error:
        # The client reads an answer without bars as if there were some.
        if isinstance(error, OSError):
            raise
        raise DataError(
            f"{where}: the answer has no bars ({type(error).__name__}: {error}). Check the code, and start and end; if "
            "they are right the service has changed, and there may be a newer akshare."
        ) from error
    if frame is None or frame.empty:
        raise DataError(f"{where}: there are no bars. Check the code, and start and end.")
    time = kind.time if timeframe == _DAY else kind.minute_time
    lacking = [name for name in (time, *kind.columns.values()) if name not in frame]
    if lacking:
        raise DataError(
            f"{where}: the answer has no {', '.join(lacking)}, but {', '.join(map(str, frame.columns))}. Install the "
            "version of akshare that cambist-akshare was made for."
        )
    index = pd.DatetimeIndex(pd.to_datetime(frame[time]))
    if timeframe != _DAY:
        index = index.tz_localize(_ZONE).tz_convert("UTC").tz_localize(None)
    ts = index.as_unit("ns").asi8 - (0 if timeframe == _DAY else timeframe.ns)
    columns = [frame[label].to_numpy(dtype="float64") for label in kind.columns.values()]
    columns[-1] = columns[-1] * kind.unit
    try:
        return Bars(instrument, timeframe, ts, *columns), ()
    except DataError as error:
        raise DataError(f"{where}: {error}") from None
