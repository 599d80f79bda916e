"""What a strategy has to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.strategies import Strategy
from cambist.testing.conformance import Suite
from cambist.testing.markets import flat_bars, walking_bars

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.model.bars import Bars

__all__ = ["StrategyTests"]


class StrategyTests(Suite):
    """Tests of a `cambist.Strategy` on bars of one instrument.

    The test file or a ``conftest.py`` gives the fixture ``make``, a function without arguments that makes the strategy.

    Attributes
    ----------
    options
        Of `cambist.backtest`, with which it runs.
    trades
        Whether it is expected to trade on the suite's bars; see `bars`.
    """

    prefix = "STR"
    options: dict[str, Any] = {"cash": 100_000.0, "fees": 0.001}  # noqa: RUF012 - a subclass gives its own
    trades = True

    def bars(self) -> Bars:
        """Return the bars on which it runs: 600 days that walk and swing. A subclass may give others."""
        return walking_bars(600)

    def test_it_is_a_strategy_whose_parameters_are_explained(self, make: Callable[[], Strategy]) -> None:
        """Each declared parameter has a line of documentation: lists of settings show it."""
        strategy = make()
        assert isinstance(strategy, Strategy)
        silent = [name for name, one in type(strategy).parameters.items() if not one.doc]
        assert not silent, f"no documentation of {', '.join(silent)}: param(..., doc='what it is')"

    def test_it_runs(self, make: Callable[[], Strategy]) -> None:
        """From the first bar to the last, and trades where that is expected."""
        result = self._run(make, self.bars())
        assert (len(result.fills) > 0) is self.trades

    def test_it_decides_alike_each_time(self, make: Callable[[], Strategy]) -> None:
        """Two runs send the same orders and end with the same equity, to the last bit."""
        first, second = (self._run(make, self.bars()) for _ in range(2))
        assert np.array_equal(first.equity.to_numpy(), second.equity.to_numpy(), equal_nan=True)
        assert len(first.fills) == len(second.fills)

    def test_it_bears_a_market_that_stands_still(self, make: Callable[[], Strategy]) -> None:
        """No price moves, no volume of information: nothing is divided by zero."""
        self._run(make, flat_bars())

    def test_it_bears_a_market_that_has_just_begun(self, make: Callable[[], Strategy]) -> None:
        """One bar, or a few, are less than any indicator wants."""
        for rows in (1, 2, 5):
            self._run(make, walking_bars(rows))

    def test_it_does_not_know_the_future(self, make: Callable[[], Strategy]) -> None:
        """What it decides is the same without the bars that follow; see `cambist.testing.check_lookahead`."""
        from cambist.backtest.checking import check_lookahead

        check_lookahead(lambda _: make(), self.bars(), cuts=8, **self.options).raise_if_found()

    def _run(self, make: Callable[[], Strategy], bars: Bars) -> Any:
        from cambist import backtest

        return backtest(make(), bars, **self.options)
