"""Random trades and quotes, for the parity tests of runs on them."""

from __future__ import annotations

import random

import attrs
import numpy as np

from cambist import BookUpdates, Quotes, Ticks
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


def make_books(scenarios, scenario):
    """Return an order book of each instrument, with trades before or after it, and perhaps quotes of the last one."""
    rng = np.random.default_rng(scenario.seed)
    histories = []
    for number, one in enumerate(scenarios["instruments"](scenario)):
        instrument = attrs.evolve(one, tick_size="0.05")
        if number == 2:
            histories.append(next(value for value in make_market(scenarios, scenario) if value.instrument == one))
            continue
        book, trades = _book_and_trades(rng, instrument, scenario.bars)
        histories += [(book,), (trades, book), (trades, book), (book, trades)][rng.integers(4)]
    return histories


def _book_and_trades(rng, instrument, count):
    """A book of a few levels that drifts, and trades at its best prices; times repeat within and across the two."""
    grid, step = instrument.price_grid, instrument.size_grid
    lot = step.nearest(max(float(instrument.step_size), 1.0))
    middle, shown = 400, {1: {}, -1: {}}
    rows, trades = [], []
    for ts in START + np.sort(rng.integers(0, count, count)) * 20_000_000_000:
        middle += int(rng.integers(-2, 3))
        snapshot = not rows or rng.random() < 0.1
        if rows and rows[-1][0] == ts:
            snapshot = rows[-1][4]
        for side in (1, -1):
            wanted = {middle - side * k: int(rng.integers(0, 6)) for k in range(1, 5)}
            wanted |= {price: 0 for price in shown[side] if (price - middle) * side >= 0}
            changed = (
                wanted
                if snapshot
                else {price: size for price, size in wanted.items() if rng.random() < 0.6 or not size}
            )
            shown[side].update(changed)
            shown[side] = {price: size for price, size in shown[side].items() if size}
            rows += [
                (ts, side, grid.nearest(price * 0.05), step.nearest(size * lot), snapshot)
                for price, size in changed.items()
                if size or not snapshot
            ]
        if rng.random() < 0.7:
            side = int(rng.choice([1, -1]))
            trades.append((ts, grid.nearest((middle + side) * 0.05), step.nearest(int(rng.integers(0, 9)) * lot), side))
    trades = trades or [(rows[0][0], 20.0, lot, 0)]
    ts, side, price, size, snapshot = zip(*rows, strict=True)
    book = BookUpdates(instrument, ts, side, price, size, snapshot)
    return book, Ticks(instrument, *zip(*trades, strict=True))
