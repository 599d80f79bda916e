"""What a journal says of a run's performance, day by day."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import msgspec

from cambist.analysis.catalog import MEASURES
from cambist.analysis.daily import curve_of, performance
from cambist.analysis.facts import RunFacts
from cambist.engine.records import CurveState
from cambist.engine.valued import daily_row, day_of, standing_of
from cambist.portfolio.exact import exact
from cambist.ports.rows import MeasureRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cambist.analysis.curve import EquityCurve
    from cambist.engine.records import AccountValued
    from cambist.ports.rows import Row

__all__ = ["DailyLog"]


class DailyLog:
    """Keeps how a run, and each account of several, stood at the end of each UTC day, and makes rows of it.

    The formulas are those of `cambist.analysis`: the rows of a journal are those of the same run's result.
    """

    def __init__(self) -> None:
        self._accounts: dict[str, _Days] = {}

    def take(self, valued: AccountValued) -> Iterator[Row]:
        """Take how an account stands; yield the row of the day before where that is over.

        Many snapshots of one day make one row of it.
        """
        return self._accounts.setdefault(valued.account, _Days()).take(valued)

    def rows(self) -> Iterator[Row]:
        """Yield the rows of the day of the last snapshots, and every measure that equity of the whole alone decides."""
        for days in self._accounts.values():
            yield from days.rows()

    def save(self) -> Any:
        """Return what has been kept, in plain types."""
        return {name: days.save() for name, days in self._accounts.items()}

    def restore(self, saved: Any) -> None:
        """Go on from what `save` has returned."""
        for name, kept in msgspec.convert(saved, dict[str, tuple[list[CurveState], list[CurveState]]]).items():
            self._accounts[name] = _Days(*kept)


class _Days:
    """The days of one account, or of the whole."""

    def __init__(self, curve: Iterable[CurveState] = (), fund: Iterable[CurveState] = ()) -> None:
        self._curve, self._fund = list(curve), list(fund)
        self._untold: AccountValued | None = None

    def take(self, valued: AccountValued) -> Iterator[Row]:
        before = self._untold
        if before is not None and day_of(before.curve.ts) != day_of(valued.curve.ts):
            yield self._day(before)
        _keep(self._curve, valued.curve)
        _keep(self._fund, valued.fund or valued.curve)  # until money moves, shares follow equity
        self._untold = valued

    def rows(self) -> Iterator[Row]:
        valued, self._untold = self._untold, None
        if valued is None:
            return
        yield self._day(valued)
        if valued.account:
            return
        money = _curve(self._curve, valued) if valued.fund is not None else None
        facts = RunFacts(_curve(self._fund, valued), flows=float(valued.flows), money=money)
        for name, spec in MEASURES.items():
            if spec.benchmarked:  # those that can be told of buying and holding need no trades
                value = spec.compute(facts)
                number = None if value is None or not isfinite(value) else float(value)
                yield MeasureRow(name=name, value=number, unit=str(spec.unit))

    def _day(self, valued: AccountValued) -> Row:
        performed = performance(_curve(self._fund, valued))
        return daily_row(performed, exact(valued.curve.equity), valued.account)

    def save(self) -> Any:
        return msgspec.to_builtins([self._curve, self._fund])


def _keep(days: list[CurveState], now: CurveState) -> None:
    """Put in how a curve stands now: of one day the last standing counts."""
    if days and (day_of(days[-1].ts) == day_of(now.ts) or now.bars <= days[-1].bars):
        days[-1] = now
    else:
        days.append(now)


def _curve(days: list[CurveState], valued: AccountValued) -> EquityCurve:
    return curve_of(valued.start, valued.initial, list(map(standing_of, days)), valued.periods_per_year)
