"""The kernel on trades and quotes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from cambist.engine.desk import Desk
from cambist.engine.step import Kernel, Seat
from cambist.errors import InputError
from cambist.model.events import QuoteReceived, TickReceived
from cambist.strategies.market import MarketDataSet, MarketSeries, QuoteView, TickView

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.model.instrument import Instrument
    from cambist.model.orders import Liquidity
    from cambist.portfolio import Books
    from cambist.risk import RiskGate
    from cambist.strategies.strategy import Strategy

__all__ = ["MarketKernel"]


class MarketKernel(Kernel):
    """A kernel whose market is trades and quotes in place of bars; everything about orders is the same.

    At one event: order events first, each delivered at once; then `on_tick` or `on_quote` of each strategy; then
    timers.

    Parameters
    ----------
    strategies, portfolio, gate, expected_fee
        See `Kernel`.
    streams
        Kind (``"ticks"`` or ``"quotes"``) and instrument of each series, in declared order.

    Attributes
    ----------
    views
        What strategies are shown of each series.

    Raises
    ------
    InputError
        If two series are of one kind and instrument, or two different instruments have one symbol.
    """

    def __init__(
        self,
        strategies: Sequence[Strategy],
        streams: Sequence[tuple[str, Instrument]],
        portfolio: Books,
        gate: RiskGate,
        expected_fee: Callable[[Instrument, float, float, Liquidity], float],
    ) -> None:
        self.views: list[TickView | QuoteView] = []
        self._market: dict[str, MarketSeries] = {}
        for kind, instrument in streams:
            self._add(kind, instrument)
        super().__init__(strategies, (), portfolio, gate, expected_fee)
        for symbol, series in self._market.items():
            source = series.quote or series.tick
            assert source is not None
            portfolio.set_price_source(symbol, source.mark)
        self._handlers[TickReceived] = self._tick_received
        self._handlers[QuoteReceived] = self._quote_received

    def _add(self, kind: str, instrument: Instrument) -> None:
        series = self._market.setdefault(instrument.symbol, MarketSeries(instrument, None, None))
        if series.instrument != instrument:
            raise InputError(
                f"{instrument.symbol} is described in two ways ({series.instrument} and {instrument}). "
                "Give trades and quotes of one market the same instrument."
            )
        if (series.tick if kind == "ticks" else series.quote) is not None:
            raise InputError(f"there are two series of {kind} of {instrument.symbol}; put them into one.")
        if kind == "ticks":
            series.tick = TickView(instrument)
            self.views.append(series.tick)
        else:
            series.quote = QuoteView(instrument)
            self.views.append(series.quote)

    def _seat(self, strategy: Strategy, series: object) -> Seat:  # noqa: ARG002 - there are no bars
        desk = Desk(self, strategy.name)
        desk.instrument = self.sole_instrument
        strategy.data = MarketDataSet(tuple(self._market.values()))  # type: ignore[assignment]  # it has no lines
        strategy.log = logging.getLogger(f"cambist.strategy.{strategy.name}")
        strategy._desk = desk  # noqa: SLF001 - the kernel is what a strategy is plugged into
        return Seat(strategy, desk, (), ())

    @property
    def sole_instrument(self) -> Instrument | None:
        """What is meant when a request names no instrument outside an event; None when that would be a guess."""
        return next(iter(self._market.values())).instrument if len(self._market) == 1 else None

    def _tick_received(self, event: TickReceived) -> None:
        view, tick = self.views[event.stream], event.tick
        assert isinstance(view, TickView)
        view.ts, view.price, view.size = tick.ts, tick.price, tick.size
        view.side_code = 0 if tick.side is None else tick.side.sign
        for seat in self.seats:
            seat.desk.instrument = view.instrument
            seat.strategy.on_tick(view)
            seat.desk.instrument = self.sole_instrument

    def _quote_received(self, event: QuoteReceived) -> None:
        view, quote = self.views[event.stream], event.quote
        assert isinstance(view, QuoteView)
        view.ts, view.bid, view.ask = quote.ts, quote.bid, quote.ask
        view.bid_size, view.ask_size = quote.bid_size, quote.ask_size
        for seat in self.seats:
            seat.desk.instrument = view.instrument
            seat.strategy.on_quote(view)
            seat.desk.instrument = self.sole_instrument
