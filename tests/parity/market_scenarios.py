"""Random trades and quotes, for the parity tests of runs on them."""

from __future__ import annotations

import random

import attrs
import numpy as np

from cambist import Quotes, Ticks
from cambist.model.times import to_ns

START = to_ns("2024-03-01 23:40")


@attrs.frozen(eq=False)
class Pieces:
    """Rows in blocks of random lengths, whatever is asked for; times that repeat are cut apart."""

    history: Ticks | Quotes
    seed: int

    @property
    def kind(self):
        return self.history.kind

    @property
    def name(self):
        return self.history.name

    def blocks(self, size=65_536):
        rng, start = random.Random(self.seed), 0
        while start < len(self.history):
            stop = start + rng.randrange(1, 18)
            yield self.history[start:stop]
            start = stop


def make_market(scenarios, scenario):
    """Return trades, quotes or both of each instrument, with times that repeat within and across series."""
    rng = np.random.default_rng(scenario.seed)
    histories = []
    for instrument in scenarios["instruments"](scenario):
        for kind in [("ticks",), ("quotes",), ("ticks", "quotes"), ("quotes", "ticks")][rng.integers(4)]:
            count = int(rng.integers(3, 2 * scenario.bars))
            ts = START + np.sort(rng.integers(0, count // 2 + 1, count)) * 20_000_000_000
            price = 20.0 * np.exp(np.cumsum(rng.normal(0.0, 0.008, count)))
            half = price * rng.choice([0.0, 0.0005, 0.002], count)
            low, high = price - half, price + half
            if instrument.price_grid is not None:
                low = np.array([instrument.price_grid.below(one) for one in low])
                high = np.array([instrument.price_grid.above(one) for one in high])
            sizes = np.round(rng.exponential(5.0, (2, count)), 2)
            if kind == "ticks":
                histories.append(Ticks(instrument, ts, high, sizes[0], rng.integers(-1, 2, count)))
            else:
                histories.append(Quotes(instrument, ts, low, high, *sizes))
    return histories


def last_price(histories, instrument, ts):
    """The middle of the last quote where there are quotes, else the last trade, at a time."""
    mine = [one for one in histories if one.instrument.symbol == instrument.symbol]
    one = next((one for one in mine if one.kind == "quotes"), mine[0])
    row = np.searchsorted(one.ts, ts, side="right") - 1
    return one.price[row] if one.kind == "ticks" else (one.bid[row] + one.ask[row]) / 2.0
