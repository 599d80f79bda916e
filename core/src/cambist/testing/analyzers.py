"""What a measure has to do."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from cambist.plugins.specs import UNITS, AnalyzerSpec
from cambist.testing.conformance import Suite
from cambist.testing.markets import flat_bars, walking_bars

if TYPE_CHECKING:
    from cambist.analysis import RunFacts

__all__ = ["AnalyzerTests"]


class AnalyzerTests(Suite):
    """Tests of the factory of an `AnalyzerSpec`.

    The test file or a ``conftest.py`` gives the fixture ``spec``, its record.

    Attributes
    ----------
    settings
        With which it is called.
    """

    prefix = "ANA"
    settings: dict[str, Any] = {}  # noqa: RUF012 - a subclass gives its own

    def measure(self, spec: AnalyzerSpec, facts: RunFacts) -> Any:
        """Compute it."""
        return spec.load()(facts, **self.settings)

    def test_its_unit_is_known(self, spec: AnalyzerSpec) -> None:
        """It says what its number counts."""
        assert isinstance(spec, AnalyzerSpec)
        assert spec.unit in UNITS

    @pytest.mark.parametrize("kind", ["traded", "untraded", "flat", "short"])
    def test_it_is_one_number(self, spec: AnalyzerSpec, kind: str) -> None:
        """A number, or NaN where there is none: also of a run without a trade, on a still market, or of two bars."""
        value = self.measure(spec, _facts(kind))
        assert isinstance(value, float | int)
        assert not isinstance(value, bool)
        if spec.unit == "share" and not math.isnan(value):
            assert 0.0 <= value <= 1.0

    def test_it_says_something_of_a_run_that_traded(self, spec: AnalyzerSpec) -> None:
        """A run with trades has a number."""
        assert not math.isnan(self.measure(spec, _facts("traded")))

    def test_the_same_run_has_the_same_number(self, spec: AnalyzerSpec) -> None:
        """To the last bit."""
        first, second = (float(self.measure(spec, _facts("traded"))) for _ in range(2))
        assert first == second or (math.isnan(first) and math.isnan(second))

    def test_it_changes_nothing(self, spec: AnalyzerSpec) -> None:
        """Facts are shared by all measures, and left as they are."""
        facts = _facts("traded")
        before = facts.curve.equity.copy(), len(facts.trades), len(facts.fills)
        self.measure(spec, facts)
        assert (facts.curve.equity == before[0]).all()
        assert (len(facts.trades), len(facts.fills)) == before[1:]


@cache
def _facts(kind: str) -> RunFacts:
    from cambist import backtest
    from cambist.strategies.examples.sma_cross import SmaCross

    bars = {"flat": flat_bars(), "short": walking_bars(2)}.get(kind, walking_bars(600))
    slow = 5_000 if kind == "untraded" else 20
    result = backtest(SmaCross(fast=5, slow=slow), bars, cash=10_000.0, fees=0.001)
    facts = result.facts
    assert (len(facts.trades) > 3) is (kind == "traded")
    return facts
