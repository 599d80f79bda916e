"""What an indicator has to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cambist.model import Instrument
from cambist.strategies import Strategy
from cambist.testing.conformance import Suite
from cambist.testing.markets import bars_of, flat_bars, walking_bars

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from cambist.model.bars import Bars

__all__ = ["IndicatorTests"]


class IndicatorTests(Suite):
    """Tests of the factory of an `IndicatorSpec`, as a strategy uses it.

    The test file or a ``conftest.py`` gives the fixture ``attach``: a function of the series of a strategy
    (``self.data``) that returns the indicator's line, or a tuple of its lines.

    Attributes
    ----------
    warmup
        How many bars pass before its first value, on bars that are known from the first on.
    """

    prefix = "IND"
    warmup = 0

    def test_it_has_values_after_its_warmup(self, attach: Callable[[Any], Any]) -> None:
        """Nothing before, NaN that is, and numbers from then on."""
        for column in _columns(attach, walking_bars(self.warmup + 100)):
            known = ~np.isnan(column)
            assert known.any(), "it never has a value"
            assert int(known.argmax()) == self.warmup
            assert known[self.warmup :].all()

    def test_it_does_not_know_the_future(self, attach: Callable[[Any], Any]) -> None:
        """A value is the same whether or not later bars are there, to the last bit."""
        bars = walking_bars(self.warmup + 100)
        whole = _columns(attach, bars)
        for rows in (self.warmup + 1, self.warmup + 2, self.warmup + 37):
            for column, part in zip(whole, _columns(attach, bars[:rows]), strict=True):
                assert np.array_equal(column[:rows], part, equal_nan=True)

    def test_blocks_give_the_same(self, attach: Callable[[Any], Any]) -> None:
        """Bars that come in blocks, or one by one as they do live, give the values of the whole, to the last bit."""
        bars = walking_bars(self.warmup + 60)
        whole = _columns(attach, bars)
        for size in (1, 16):
            for column, part in zip(whole, _columns(attach, _Blocks(bars, size)), strict=True):
                assert np.array_equal(column, part, equal_nan=True)

    def test_it_bears_a_market_that_stands_still(self, attach: Callable[[Any], Any]) -> None:
        """No price moves: it has values, or NaN, and does not raise."""
        for column in _columns(attach, flat_bars(self.warmup + 50)):
            assert not np.isinf(column).any()

    def test_it_bears_a_market_that_has_just_begun(self, attach: Callable[[Any], Any]) -> None:
        """Too few bars for a value give none."""
        for rows in {1, 2, self.warmup} - {0}:
            for column in _columns(attach, walking_bars(rows)):
                assert np.isnan(column[: self.warmup]).all()

    @pytest.mark.parametrize("factor", [1e-6, 1e6])
    def test_it_bears_prices_of_any_size(self, attach: Callable[[Any], Any], factor: float) -> None:
        """Also of a coin that costs a millionth, and of a currency with many zeros."""
        bars = walking_bars(self.warmup + 50)
        scaled = bars_of(bars.close * factor, instrument=Instrument(symbol="ACME"))
        for column in _columns(attach, scaled):
            assert np.isfinite(column[self.warmup :]).all()


class _Blocks:
    """Bars that come in pieces."""

    name = "blocks"

    def __init__(self, bars: Bars, size: int) -> None:
        self._bars, self._size = bars, size

    def load(self) -> Bars:
        """Return all of them."""
        return self._bars

    def blocks(self, size: int = 65_536) -> Any:
        """Yield pieces of the size that the test wants."""
        return self._bars.blocks(min(size, self._size))


def _columns(attach: Callable[[Any], Any], source: Bars | _Blocks) -> list[NDArray[np.float64]]:
    """Return the values of an indicator's lines bar by bar, as a run knew them; NaN where it knew none."""
    from cambist import backtest

    names: list[str] = []

    class Watcher(Strategy):
        """Has the lines as attributes, so that the run can keep them."""

        def on_start(self) -> None:
            lines = attach(self.data)
            names[:] = [f"line_{number}" for number in range(len(lines) if isinstance(lines, tuple) else 1)]
            for name, line in zip(names, lines if isinstance(lines, tuple) else (lines,), strict=True):
                setattr(self, name, line)

    backtest(Watcher, walking_bars(2))  # tells how many lines there are
    result = backtest(Watcher, source, record_lines=list(names), blocks=isinstance(source, _Blocks))
    bars = source.load() if isinstance(source, _Blocks) else source
    rows = {ts: row for row, ts in enumerate(bars.close_times.tolist())}
    columns = []
    for name in names:
        column = np.full(len(bars), np.nan)
        noted = result.signals[result.signals.name == name].value
        for ts, value in zip(noted.index.astype("int64").tolist(), noted.tolist(), strict=True):
            column[rows[ts]] = value
        columns.append(column)
    return columns
