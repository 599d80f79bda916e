"""Trades and quotes: the data, the strategy, and the engines that run it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from benchmarks.data import START
from benchmarks.job import CASH, FEES
from benchmarks.outcome import Outcome
from cambist import Instrument, Quotes, Strategy, Ticks, param

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist import Result
    from cambist.strategies.market import QuoteView, TickView

__all__ = ["CambistMarket", "CambistTickFile", "FloorMoves", "Moves", "market"]

#: Rows of a piece when a file is written.
PIECE = 500_000


def market(kind: str, count: int, seed: int = 1, *, start: int = START, price: float = 100.0) -> Ticks | Quotes:
    """Return `count` trades or quotes of a random walk, some 25 ms apart."""
    chance = np.random.default_rng(seed)
    ts = start + np.cumsum(chance.integers(0, 50_000_000, count))
    prices = price * np.exp(np.cumsum(chance.normal(0.0, 1e-4, count)))
    sizes = chance.uniform(1.0, 100.0, (2, count))
    instrument = Instrument(symbol="WALK")
    if kind == "trades":
        return Ticks(instrument, ts, prices, sizes[0], chance.integers(0, 2, count) * 2 - 1)
    return Quotes(instrument, ts, prices * (1 - 1e-4), prices * (1 + 1e-4), *sizes)


class Moves(Strategy):
    """Buys one unit after a rise by `move` from where it looked last, closes after such a fall."""

    move: float = param(0.01, gt=0)

    def on_start(self) -> None:
        self.up = self.down = 0.0

    def on_tick(self, tick: TickView) -> None:
        price = tick.price
        if price >= self.up or price <= self.down:
            self.moved(price)

    def on_quote(self, quote: QuoteView) -> None:
        price = quote.bid
        if price >= self.up or price <= self.down:
            self.moved(price)

    def moved(self, price: float) -> None:
        """Trade, and look from here on."""
        if price <= self.down:
            self.close()
        elif self.up and not self.position:
            self.buy(1.0)
        self.up, self.down = price * (1.0 + self.move), price * (1.0 - self.move)


class _FloorStrategy:
    """`Moves`, on the floor."""

    def __init__(self, engine: _FloorEngine) -> None:
        self.engine = engine
        self.move = 0.01
        self.up = self.down = 0.0

    def on_event(self, price: float) -> None:
        if price >= self.up or price <= self.down:
            engine = self.engine
            if price <= self.down:
                engine.pending = -engine.size
            elif self.up and not engine.size:
                engine.pending = 1.0
            self.up, self.down = price * (1.0 + self.move), price * (1.0 - self.move)


class _FloorEngine:
    """A bare loop: one market order at a time, filled at the next event; no instant is valued but the last."""

    def __init__(self) -> None:
        self.cash = CASH
        self.size = 0.0
        self.pending = 0.0
        self.fills: list[tuple[float, float]] = []
        self.equity = CASH

    def run(self, shown: list[float], bids: list[float], asks: list[float]) -> None:
        on_event = _FloorStrategy(self).on_event
        for price, bid, ask in zip(shown, bids, asks, strict=True):
            size = self.pending
            if size:
                at = ask if size > 0.0 else bid
                self.cash -= size * at + abs(size) * at * FEES
                self.size += size
                self.fills.append((size, at))
                self.pending = 0.0
            on_event(price)
        self.equity = self.cash + self.size * (bids[-1] + asks[-1]) / 2.0


@attrs.frozen
class FloorMoves:
    """The floor, on trades or quotes."""

    kind: str

    def prepare(self, size: int) -> Any:
        return market(self.kind, size)

    def run(self, data: Any) -> _FloorEngine:
        engine = _FloorEngine()
        if self.kind == "trades":
            prices = data.price.tolist()
            engine.run(prices, prices, prices)
        else:
            bids = data.bid.tolist()
            engine.run(bids, bids, data.ask.tolist())
        return engine

    def outcome(self, result: _FloorEngine) -> Outcome:
        return Outcome.of(result.fills, result.equity)


@attrs.frozen
class CambistMarket:
    """Trades or quotes in memory through ``cambist.backtest``."""

    kind: str
    options: dict[str, Any] = attrs.field(factory=dict)

    def prepare(self, size: int) -> Any:
        return market(self.kind, size)

    def run(self, data: Any) -> Result:
        import cambist

        result = cambist.backtest(Moves, data, cash=CASH, fees=FEES, **self.options)
        assert result.summary["trades"] is not None  # the report is part of the work
        return result

    def outcome(self, result: Result) -> Outcome:
        fills = ((fill.size * fill.side.sign, fill.price) for fill in result.fill_records)
        return Outcome.of(fills, result.curve.final)


@attrs.frozen
class CambistTickFile(CambistMarket):
    """Trades in a Parquet file, read block by block."""

    kind: str = "trades"

    def prepare(self, size: int) -> Any:
        import pyarrow as pa
        import pyarrow.parquet as pq

        folder = tempfile.TemporaryDirectory()
        path = Path(folder.name) / "trades.parquet"
        writer = None
        for piece in _pieces(size):
            table = pa.table({"ts": piece.ts, **piece.columns})
            writer = writer or pq.ParquetWriter(path, table.schema)
            writer.write_table(table, row_group_size=100_000)
        if writer is not None:
            writer.close()
        return folder, path

    def run(self, data: Any) -> Result:
        import cambist

        return super().run(cambist.open_ticks(data[1]))


def _pieces(size: int) -> Iterator[Any]:
    """Yield a long walk in pieces; it is drawn back to its beginning, or it would leave the range of prices."""
    start, price = START, 100.0
    for number, first in enumerate(range(0, size, PIECE)):
        piece: Any = market("trades", min(PIECE, size - first), number, start=start, price=price)
        yield piece
        start, price = int(piece.ts[-1]), 100.0 + 0.9 * (float(piece.price[-1]) - 100.0)
