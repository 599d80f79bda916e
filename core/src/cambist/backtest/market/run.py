"""Puts a backtest on trades and quotes together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.backtest.calendars import Calendars
from cambist.backtest.driver import StopRequest
from cambist.backtest.market.columns import play_market_columns
from cambist.backtest.market.driver import MarketDriver
from cambist.backtest.market.events import play_market_events
from cambist.backtest.market.feeds import MarketFeed
from cambist.backtest.market.samples import ledger_in_samples, sample_rows
from cambist.backtest.records.histories import History
from cambist.backtest.run import Run
from cambist.data.market import checked_history
from cambist.engine import MarketKernel
from cambist.errors import DataError, InputError, ParameterError
from cambist.model.times import MINUTE_NS
from cambist.portfolio import Portfolio
from cambist.simulation import FeeInAsset, TickVenue, fee_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from cambist.analysis import EquityCurve
    from cambist.backtest.market.feeds import MarketWindow
    from cambist.backtest.result import Result
    from cambist.backtest.settings import BacktestSettings
    from cambist.model.instrument import Instrument
    from cambist.ports.history import MarketSource
    from cambist.risk import RiskGate
    from cambist.simulation import FinerBars
    from cambist.strategies import Strategy

__all__ = ["run_market_backtest"]

#: Options that mean something on bars alone, and the one value that does not ask for them.
_OF_BARS: dict[str, object] = {
    "rules": "cambist",
    "market_fill": "next_open",
    "cheat_on_open": False,
    "path": "nearer_first",
    **dict.fromkeys(("calendar", "margin", "marks", "funding", "actions", "interest", "latency", "rejection")),
    **dict.fromkeys(("market_rules", "compensates", "accounts", "currency", "rates")),
    "conversion_fee": 0.0,
    "cash_flows": (),
}


def run_market_backtest(
    strategies: Sequence[Strategy | type[Strategy]],
    sources: Sequence[MarketSource],
    settings: BacktestSettings,
    *,
    progress: Callable[[int, int | None], None] | None = None,
    stop: StopRequest | None = None,
) -> Result:
    """Run strategies over trades and quotes, in one account; everything else is as for `run_backtest`.

    Raises
    ------
    InputError
        If the run cannot be set up.
    StrategyError
        If a strategy raises; ``error.result`` holds what was played until then.
    """
    for name, only in _OF_BARS.items():
        value = getattr(settings, name)
        if value != only:
            raise ParameterError(f"{name} is {value!r}, which means something on bars alone. Leave it out.")
    if isinstance(settings.cash, Mapping) or isinstance(fee_model(settings.fees), FeeInAsset):
        raise ParameterError("several assets in one account mean something on bars alone. Give cash as a number.")
    if any(isinstance(one, History) for one in strategies):
        raise InputError("recorded fills and orders run on bars. Make bars of the trades, or leave the records out.")
    return MarketRun(strategies, sources, settings, progress, stop or StopRequest()).play()


@attrs.frozen(eq=False, slots=True)
class _Sample:
    """A valuation that counts only if its minute ended with it."""

    time: int
    equity: NDArray[np.float64]
    exposed: NDArray[np.bool_]
    marks: NDArray[np.float64]


class MarketRun(Run):
    """The parts of one backtest on trades and quotes, joined."""

    unit = "events"
    kernel: MarketKernel
    _samples = 0
    _events = 0
    _open_sample: _Sample | None = None
    #: Numbers of the instruments that buying and holding has bought.
    bought: set[int]

    def _feeds(self, sources: Sequence[MarketSource]) -> Sequence[MarketFeed]:
        self.bought = set()
        return [_feed(number, source, self.settings) for number, source in enumerate(sources)]

    def _instruments(self) -> list[Instrument]:
        return list({feed.instrument.symbol: feed.instrument for feed in self.feeds}.values())

    @property
    def books(self) -> Portfolio:
        """The account; a run on trades and quotes has no other."""
        books = self.portfolio
        assert isinstance(books, Portfolio)
        return books

    def _calendars(self) -> Calendars:
        return Calendars(None, ())

    def history(self, curve: EquityCurve, valuation: object) -> None:
        """Keep nothing: what was held is valued at samples, not at closes."""

    def _kernel(self, strategies: Sequence[Strategy], gate: RiskGate) -> MarketKernel:
        streams = [(feed.kind, feed.instrument) for feed in self.feeds]
        kernel = MarketKernel(strategies, streams, self.books, gate, self.rules.fees.fee)
        hooks = {"on_tick" if feed.kind == "ticks" else "on_quote" for feed in self.feeds}
        for seat in kernel.seats:
            if all(seat.hook(name) is None for name in hooks):
                raise InputError(
                    f"{seat.strategy.name} has no {' or '.join(sorted(hooks))}, and this run has nothing else to show "
                    "it. Write one; on_bar is for runs on bars."
                )
        return kernel

    def _driver(self, stop: StopRequest) -> MarketDriver:
        events = self.settings.events
        play = play_market_events if events else play_market_columns
        return MarketDriver(self.kernel, self.feeds, play, stop, makes_events=events)

    def _venue(self, finer: Sequence[FinerBars]) -> TickVenue:  # noqa: ARG002 - there are none
        self.magnified = {}
        symbols = {kind: [feed.instrument.symbol for feed in self.feeds if feed.kind == kind] for kind in _KINDS}
        return TickVenue(
            self.instruments,
            self.books,
            self.driver.deliver,
            self.driver.clock,
            self.rules,
            quoted=symbols["quotes"],
            traded=symbols["ticks"],
        )

    def after(self, window: MarketWindow, played: int) -> None:
        """Value the samples of what a window played."""
        ledger = self.books.ledger
        times = window.instants[:played]
        fills = np.array(ledger.cash_at, np.int64) - self._events
        rows, is_settled = sample_rows(times, fills)
        ledger_in_samples(ledger, self._events, rows, self._samples)
        marks = self._marks(window, rows)
        equity, exposed = self.valuation.value(times[rows], marks)
        self._buy_benchmark(window)
        self._samples += len(rows)
        self._events += played
        self._record(times[rows], equity, exposed, np.column_stack(list(marks.values())), is_settled=is_settled)
        self.last_close = int(times[-1])
        self.bars += played
        if self.progress is not None:
            total = None if self.settings.blocks else sum(len(feed.block) for feed in self.feeds)
            self.progress(self.bars, total)

    def _priced_by(self, instrument: Instrument) -> MarketFeed:
        """Return the feed that says what an instrument is worth: its quotes where it has them."""
        feeds: list[MarketFeed] = [feed for feed in self.feeds if feed.instrument.symbol == instrument.symbol]
        return next((feed for feed in feeds if feed.kind == "quotes"), feeds[0])

    def _marks(self, window: MarketWindow, rows: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """Return the price of each instrument at each sample."""
        return {one.symbol: window.marks(self._priced_by(one), rows) for one in self.instruments}

    def _buy_benchmark(self, window: MarketWindow) -> None:
        """Buy and hold what the window prices for the first time."""
        for number, instrument in enumerate(self.instruments):
            feed = self._priced_by(instrument)
            start, stop = window.spans[feed.number]
            if self.benchmark is not None and number not in self.bought and stop > start:
                self.bought.add(number)
                self.benchmark.first(number, float(feed.marks[start]))

    def _record(
        self,
        times: NDArray[np.int64],
        equity: NDArray[np.float64],
        exposed: NDArray[np.bool_],
        marks: NDArray[np.float64],
        *,
        is_settled: bool,
    ) -> None:
        """Take samples; the last one is kept until it is known whether its minute goes on."""
        if self._open_sample is not None and self._open_sample.time // MINUTE_NS != times[0] // MINUTE_NS:
            self._close_sample()
        self._open_sample = None
        if not is_settled:
            self._open_sample = _Sample(int(times[-1]), equity[-1:], exposed[-1:], marks[-1:])
            times, equity, exposed, marks = times[:-1], equity[:-1], exposed[:-1], marks[:-1]
        self._add(times, equity, exposed, marks)

    def _close_sample(self) -> None:
        sample, self._open_sample = self._open_sample, None
        if sample is not None:
            self._add(np.array([sample.time]), sample.equity, sample.exposed, sample.marks)

    def _add(
        self,
        times: NDArray[np.int64],
        equity: NDArray[np.float64],
        exposed: NDArray[np.bool_],
        marks: NDArray[np.float64],
    ) -> None:
        self.recorder.add(times, equity, exposed)
        if self.benchmark is not None:
            self.benchmark.add(times, marks)

    def result(self, stopped: str) -> Result:
        """Return what was found out so far; see `Run.result`."""
        self._close_sample()
        return super().result(stopped)


_KINDS = ("ticks", "quotes")


def _feed(number: int, source: MarketSource, settings: BacktestSettings) -> MarketFeed:
    blocks: Iterator[Any] = iter(source.blocks()) if settings.blocks else iter([source.load()])
    try:
        return MarketFeed(number, checked_history(blocks, source.kind, source.name))
    except StopIteration:
        raise DataError(f"{source.name}: there are no rows. Check the path, the symbol and the time range.") from None
