"""Cambist, on each of its paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from benchmarks.data import GeneratedBars, random_walk
from benchmarks.job import CASH, FEES
from benchmarks.outcome import Outcome
from benchmarks.strategies import Bracketed, Replace, SmaCross, SmaCrossEach

if TYPE_CHECKING:
    from cambist import Result, Strategy

__all__ = ["Cambist", "GeneratedCambist"]

_STRATEGIES: dict[str, type[Strategy]] = {
    "w1": SmaCross,
    "w2": SmaCrossEach,
    "w4": Replace,
    "brackets": Bracketed,
}
#: Instruments of the portfolio.
INSTRUMENTS = 50


@attrs.frozen
class Cambist:
    """Runs a workload through ``cambist.backtest``.

    Parameters
    ----------
    workload
        Which.
    options
        Further options of the backtest.
    columns
        Give it Cambist's own columns, not a DataFrame.
    """

    workload: str
    options: dict[str, Any] = attrs.field(factory=dict)
    columns: bool = False

    def prepare(self, size: int) -> Any:
        if self.workload == "w2":
            return {f"S{number:02}": random_walk(size, number + 1).frame() for number in range(INSTRUMENTS)}
        walk = random_walk(size)
        return walk.bars() if self.columns else walk.frame()

    def run(self, data: Any) -> Result:
        import cambist

        result = cambist.backtest(_STRATEGIES[self.workload], data, cash=CASH, fees=FEES, **self.options)
        assert result.summary["trades"] is not None  # the report is part of the work
        return result

    def outcome(self, result: Result) -> Outcome:
        fills = ((fill.size * fill.side.sign, fill.price) for fill in result.fill_records)
        return Outcome.of(fills, result.curve.final)


@attrs.frozen
class GeneratedCambist:
    """Bars made block by block while the run goes on, with averages so slow that few orders are kept."""

    def prepare(self, size: int) -> GeneratedBars:
        return GeneratedBars(size)

    def run(self, data: GeneratedBars) -> Result:
        import cambist

        strategy = SmaCross(fast=2_000, slow=6_000)
        result = cambist.backtest(strategy, data, cash=CASH, fees=FEES, blocks=True)
        assert result.summary["trades"] is not None
        return result

    def outcome(self, result: Result) -> Outcome:
        fills = ((fill.size * fill.side.sign, fill.price) for fill in result.fill_records)
        return Outcome.of(fills, result.curve.final)
