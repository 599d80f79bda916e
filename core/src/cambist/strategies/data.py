"""The series of a run, as ``self.data``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cambist.indicators.growing import GrowingSeries
    from cambist.indicators.lines import Line
    from cambist.indicators.series import Series
    from cambist.model.instrument import Instrument
    from cambist.model.timeframe import Timeframe

__all__ = ["DataSet"]


class DataSet:
    """Every series of the run, in declared order; its own lines are those of the first.

    Attributes
    ----------
    open, high, low, close, volume
        Lines of the first series.
    """

    def __init__(self, series: Sequence[Series]) -> None:
        self._series = tuple(series)
        self._by_symbol = {one.symbol: one for one in self._series}
        first = self._series[0]
        self.open: Line = first.open
        self.high: Line = first.high
        self.low: Line = first.low
        self.close: Line = first.close
        self.volume: Line = first.volume

    @property
    def instrument(self) -> Instrument:
        """Instrument of the first series."""
        return self._series[0].instrument

    @property
    def timeframe(self) -> Timeframe:
        """Timeframe of the first series."""
        return self._series[0].timeframe

    @property
    def symbol(self) -> str:
        """Symbol of the first series."""
        return self._series[0].symbol

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols, in declared order."""
        return tuple(self._by_symbol)

    def resample(self, timeframe: str | Timeframe, **options: Any) -> Series:
        """Return a slower series made of the first one; see `Series.resample`, of which it takes the options."""
        return self._series[0].resample(timeframe, **options)

    def replay(self, timeframe: str | Timeframe, **options: Any) -> GrowingSeries:
        """Return a slower series whose newest bar grows; see `Series.replay`, of which it takes the options."""
        return self._series[0].replay(timeframe, **options)

    def __getitem__(self, which: str | int) -> Series:
        if isinstance(which, int):
            return self._series[which]
        try:
            return self._by_symbol[which]
        except KeyError:
            raise InputError(f"this run has no series {which!r}.{did_you_mean(which, self._by_symbol)}") from None

    def __iter__(self) -> Iterator[Series]:
        return iter(self._series)

    def __len__(self) -> int:
        return len(self._series)

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._by_symbol

    def __repr__(self) -> str:
        return f"<DataSet {', '.join(self._by_symbol)}>"
