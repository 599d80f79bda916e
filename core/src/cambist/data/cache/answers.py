"""What a source answers, as bars of the series that it was asked for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import attrs

from cambist.data.columns import find_columns
from cambist.data.load import load
from cambist.errors import DataError, VenueError
from cambist.model.bars import COLUMNS, Bars

if TYPE_CHECKING:
    from cambist.data.cache.ranges import Range
    from cambist.model.instrument import Instrument
    from cambist.ports.bars import BarKey
    from cambist.ports.fetching import HistoryFetcher

__all__ = ["Answer", "answer_of"]


@attrs.frozen
class Answer:
    """What a source said.

    Attributes
    ----------
    bars
        None where there are none.
    columns
        What it delivers of a bar; empty where there is nothing to tell it by.
    """

    bars: Bars | None = None
    columns: tuple[str, ...] = ()


def answer_of(
    fetcher: HistoryFetcher, instrument: Instrument, key: BarKey, span: Range, columns: tuple[str, ...]
) -> Answer:
    """Ask a source for a span of time.

    Parameters
    ----------
    instrument
        Of the series; bars are of it, whatever the source calls it.
    columns
        What the source delivered of a bar until now.

    Raises
    ------
    DataError
        The answer is no bars, not those that were asked for, or has less of each bar than there was until now.
    VenueError
        The source cannot be asked.
    """
    start, end = span
    try:
        said = fetcher.fetch(key.symbol, key.timeframe, start, end)
    except VenueError as error:
        if error.code == "no_bars":
            return Answer()
        raise
    answer = _read(said, instrument, key)
    if answer.bars is None:
        return answer
    lost = [name for name in columns if name not in answer.columns]
    if lost:
        raise DataError(
            f"{key}: {fetcher.origin} answers without {', '.join(lost)}, which it gave until now; nothing of that was "
            "kept. Ask its operator, or fetch what is missing from another source into another folder."
        )
    bars = answer.bars.between(start, end)
    return Answer(None if bars is None else attrs.evolve(bars, instrument=instrument), answer.columns)


def _read(said: Any, instrument: Instrument, key: BarKey) -> Answer:
    if said is None:
        return Answer()
    if isinstance(said, Bars):
        if (said.instrument.symbol, said.timeframe) != (key.symbol, key.timeframe):
            raise DataError(f"{key}: the source answers with bars of {said.name}. Report that to who wrote its plugin.")
        return Answer(said, COLUMNS)
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(said, pandas.DataFrame):
        if said.empty:
            return Answer()
        layout = find_columns(list(said.columns), str(key), times_in_index=isinstance(said.index, pandas.DatetimeIndex))
        return Answer(load(said, instrument=instrument, timeframe=key.timeframe), tuple(layout.fields))
    raise DataError(
        f"{key}: the source answers with a {type(said).__name__}. Bars or a DataFrame are to be returned by its plugin."
    )
