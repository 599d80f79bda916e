"""Runs of a few bars, with a strategy given as functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import cambist
from cambist import Bars, Instrument, Strategy, param
from cambist.model.times import MINUTE_NS, to_ns

if TYPE_CHECKING:
    from collections.abc import Callable

START = to_ns("2024-03-01 10:00")


class Told(Strategy):
    """Does at each callback what a test says: ``Told(told={"on_bar": function(strategy, bar), ...})``."""

    told = param()

    def on_start(self) -> None:
        self.bar = -1
        self.tell("on_start")

    def on_warmup_bar(self, bar: Any) -> None:
        self.tell("on_warmup_bar", bar)

    def on_bar(self, bar: Any) -> None:
        self.bar += 1
        self.tell("on_bar", bar)

    def on_step(self) -> None:
        self.tell("on_step")

    def on_order(self, order: Any) -> None:
        self.tell("on_order", order)

    def on_fill(self, fill: Any) -> None:
        self.tell("on_fill", fill)

    def on_trade(self, trade: Any) -> None:
        self.tell("on_trade", trade)

    def on_timer(self, name: str) -> None:
        self.tell("on_timer", name)

    def on_margin(self, change: Any) -> None:
        self.tell("on_margin", change)

    def on_stop(self) -> None:
        self.tell("on_stop")

    def tell(self, what: str, *values: Any) -> None:
        if what in self.told:
            self.told[what](self, *values)


def make_bars(
    closes: Any, symbol: str = "ACME", timeframe: str = "1m", start: int = START, every: int = MINUTE_NS, **terms: Any
) -> Bars:
    """Bars that open where the one before closed and reach 1 beyond both."""
    closes = np.asarray(closes, float)
    opens = np.concatenate((closes[:1], closes[:-1]))
    ts = start + np.arange(len(closes)) * every
    high, low = np.maximum(opens, closes) + 1.0, np.minimum(opens, closes) - 1.0
    return Bars(
        Instrument(symbol=symbol, **terms), timeframe, ts, opens, high, low, closes, np.full(len(closes), 1_000.0)
    )


@pytest.fixture
def bars() -> Callable[..., Bars]:
    """Make bars of closes."""
    return make_bars


@pytest.fixture
def run() -> Callable[..., Any]:
    """Run functions as a strategy: ``run(bars, on_bar=..., on_fill=..., cash=...)``."""

    def play(bars: Any, **given: Any) -> Any:
        told = {name: given.pop(name) for name in list(given) if name.startswith("on_")}
        return cambist.backtest(Told(told=told), bars, **({"benchmark": False} | given))

    return play


@pytest.fixture
def told() -> type[Strategy]:
    """The strategy that does what it is told."""
    return Told
