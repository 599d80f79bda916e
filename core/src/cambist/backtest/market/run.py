"""Puts a backtest on trades and quotes together."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from math import nan
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.analysis.sampling import Points
from cambist.backtest.calendars import Calendars
from cambist.backtest.driver import StopRequest
from cambist.backtest.history import Closes, RunHistory
from cambist.backtest.market.account import MarketAccount
from cambist.backtest.market.columns import play_market_columns
from cambist.backtest.market.driver import MarketDriver
from cambist.backtest.market.events import play_market_events
from cambist.backtest.market.feeds import BookFeed, MarketFeed
from cambist.backtest.market.samples import Samples, in_samples, sample_rows
from cambist.backtest.records.histories import History
from cambist.backtest.run import Run, bar_feed
from cambist.data.market import checked_history
from cambist.data.tick_bars import TickBars
from cambist.engine import MarketKernel
from cambist.engine.sessions import Sessions
from cambist.errors import DataError, InputError, ParameterError
from cambist.portfolio import Portfolio
from cambist.simulation import FeeInAsset, fee_model
from cambist.strategies.book_view import BookView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from cambist.analysis import EquityCurve
    from cambist.backtest.market.feeds import MarketWindow
    from cambist.backtest.result import Result
    from cambist.backtest.settings import BacktestSettings
    from cambist.model.instrument import Instrument
    from cambist.model.timeframe import Timeframe
    from cambist.ports.history import HistorySource, MarketSource
    from cambist.risk import RiskGate
    from cambist.simulation import FinerBars
    from cambist.simulation.market_venue import MarketVenue
    from cambist.strategies import Strategy

__all__ = ["run_market_backtest"]

#: Options that mean something on bars alone, and the one value that does not ask for them.
_OF_BARS: dict[str, object] = {
    "rules": "cambist",
    "market_fill": "next_open",
    "cheat_on_open": False,
    "path": "nearer_first",
    **dict.fromkeys(("actions", "market_rules", "compensates", "accounts", "currency", "rates")),
    "conversion_fee": 0.0,
}


def run_market_backtest(
    strategies: Sequence[Strategy | type[Strategy]],
    sources: Sequence[MarketSource],
    settings: BacktestSettings,
    *,
    bars: Sequence[HistorySource] = (),
    timeframe: Timeframe | None = None,
    progress: Callable[[int, int | None], None] | None = None,
    stop: StopRequest | None = None,
) -> Result:
    """Run strategies over trades and quotes, in one account; everything else is as for `run_backtest`.

    Parameters
    ----------
    bars
        Bars to be shown beside them, one source for each instrument that has some.
    timeframe
        Of bars to be made for the others, of their trades, or of their quotes where there are no trades.

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
    margin = settings.margin
    if margin is not None and (margin.is_hedged or margin.deleveraging is not None):
        what = 'position_mode="hedge"' if margin.is_hedged else "deleveraging"
        raise ParameterError(f"Margin has {what}, which runs on bars alone. Leave it out, or make bars of the trades.")
    if any(isinstance(one, History) for one in strategies):
        raise InputError("recorded fills and orders run on bars. Make bars of the trades, or leave the records out.")
    return MarketRun(strategies, (sources, bars, timeframe), settings, progress, stop or StopRequest()).play()


class MarketRun(Run):
    """The parts of one backtest on trades and quotes, joined.

    Parameters
    ----------
    strategies, settings, progress, stop
        See `Run`.
    data
        Sources of trades and quotes, sources of bars, and the timeframe of bars to be made, if any.
    """

    unit = "events"
    kernel: MarketKernel
    account: MarketAccount
    driver: MarketDriver
    _n_samples = 0
    _n_events = 0

    def __init__(
        self,
        strategies: Sequence[Strategy | type[Strategy]],
        data: tuple[Sequence[MarketSource], Sequence[HistorySource], Timeframe | None],
        settings: BacktestSettings,
        progress: Callable[[int, int | None], None] | None,
        stop: StopRequest,
    ) -> None:
        self._data = data
        super().__init__(strategies, [*data[0], *data[1]], settings, progress, stop)
        # What a result is made of, beside the curve: prices at samples, and the events at which cash changed.
        self.prices = Points(columns=len(self.instruments))
        self.cash_events = array("q")
        self.samples = Samples(self._take)

    def _feeds(self, sources: Sequence[Any]) -> Sequence[MarketFeed]:
        sources, bars, timeframe = self._data
        feeds = [_feed(number, source, self.settings) for number, source in enumerate(sources)]
        self.bar_feeds = [bar_feed(number, source, self.settings) for number, source in enumerate(bars)]
        if timeframe is not None:
            self._make_bars(feeds, sources, timeframe)
        return feeds

    def _make_bars(self, feeds: Sequence[MarketFeed], sources: Sequence[MarketSource], timeframe: Timeframe) -> None:
        """Have bars made of the trades, or the quotes, of each instrument for which none are given."""
        barred = {feed.instrument.symbol for feed in self.bar_feeds}
        for feed, source in sorted(zip(feeds, sources, strict=True), key=lambda pair: pair[0].kind != "ticks"):
            symbol = feed.instrument.symbol
            if symbol not in barred and feed.kind != "book":
                barred.add(symbol)
                made = TickBars(source if self.settings.blocks else feed.block, timeframe)
                self.bar_feeds.append(bar_feed(len(self.bar_feeds), made, self.settings))

    def _instruments(self) -> list[Instrument]:
        return list({feed.instrument.symbol: feed.instrument for feed in (*self.feeds, *self.bar_feeds)}.values())

    @property
    def books(self) -> Portfolio:
        """The account; a run on trades and quotes has no other."""
        books = self.portfolio
        assert isinstance(books, Portfolio)
        return books

    def _calendars(self) -> Calendars:
        return Calendars(self.settings.calendar, [*self.feeds, *self.bar_feeds])

    def _account(self, strategies: Sequence[str]) -> MarketAccount:
        return MarketAccount(self.settings, self.feeds, self.instruments, self.calendars, strategies)

    def _kernel(self, strategies: Sequence[Strategy], gate: RiskGate) -> MarketKernel:
        streams = [(feed.kind, feed.instrument) for feed in self.feeds]
        bars = [(feed.instrument, feed.timeframe) for feed in self.bar_feeds]
        fee = self.rules.fees.fee
        make = self._maker(MarketKernel)
        kernel = make(strategies, streams, self.books, gate, fee, bars=bars, calendars=self.calendars)
        for view, feed in zip(kernel.views, self.feeds, strict=True):
            if isinstance(feed, BookFeed) and isinstance(view, BookView):
                view.noting = feed.note
        return kernel

    def _about(self) -> dict[str, Any] | None:
        if not self.settings.record:
            return None
        from cambist.backtest.replay.setup import about

        return about(self.settings, self.bar_feeds, self.feeds)

    def _driver(self, stop: StopRequest) -> MarketDriver:
        events = self.settings.events
        play = play_market_events if events else play_market_columns
        self.sessions = Sessions(self.instruments, self.calendars)
        return MarketDriver(
            self.kernel, self.feeds, play, stop, bars=self.bar_feeds, sessions=self.sessions, makes_events=events
        )

    def _venue(self, finer: Sequence[FinerBars]) -> MarketVenue:  # type: ignore[override]  # noqa: ARG002 - there are none
        if self.settings.broker is not None:
            raise ParameterError(
                "broker takes orders that meet bars, and this run has trades, quotes or a book. Leave broker out."
            )
        self.magnified = {}
        venue = self.account.market_venue(self.driver, self.rules, self.sessions)
        self.kernel.queue_ahead = venue.queue_ahead
        return venue

    def _timeframes(self) -> tuple[str, ...]:
        return (*super()._timeframes(), *(str(feed.timeframe) for feed in self.bar_feeds))

    def after(self, window: MarketWindow, played: int) -> None:
        """Value the samples of what a window played."""
        self.calendars.require_coverage()  # of blocks that were read meanwhile
        ledger = self.books.ledger
        times = window.instants[:played]
        rows, is_settled = sample_rows(times, np.array(ledger.cash_at, np.int64) - self._n_events)
        self.cash_events.extend(ledger.cash_at)
        in_samples(self.books, self._n_events, rows, self._n_samples)
        prices = self._prices(window, rows)
        equity, exposed = self.valuation.value(times[rows], self.account.valued_at(window, rows, prices))
        self._buy_benchmark(window)
        shares = self._shares(equity)
        self._n_samples += len(rows)
        self._n_events += played
        table = np.column_stack(list(prices.values()))
        self.samples.add(times[rows], equity, exposed, shares, table, is_settled=is_settled)
        self.last_close = int(times[-1])
        self.bars += played - window.played_of(len(self.feeds), played)
        if self.progress is not None:
            total = None if self.settings.blocks else sum(len(feed.block) for feed in self.feeds)
            self.progress(self.bars, total)

    def _shares(self, equity: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what the shares of the account are worth; until money moves in or out they follow equity."""
        fund = self.curves.begun()
        return equity if fund is None else fund[0].value(equity, self._n_samples)

    def _priced_by(self, instrument: Instrument) -> MarketFeed | None:
        """Return the feed that says what an instrument is worth: its book, else its quotes, else its trades."""
        feeds: list[MarketFeed] = [feed for feed in self.feeds if feed.instrument.symbol == instrument.symbol]
        return min(feeds, key=lambda feed: _PRICING.index(feed.kind), default=None)

    def _prices(self, window: MarketWindow, rows: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """Return the price of each instrument at each sample; NaN for one that has bars alone."""
        priced = {one.symbol: self._priced_by(one) for one in self.instruments}
        return {
            symbol: np.full(len(rows), nan) if feed is None else window.marks(feed, rows)
            for symbol, feed in priced.items()
        }

    def _buy_benchmark(self, window: MarketWindow) -> None:
        """Buy and hold what the window prices for the first time."""
        for number, instrument in enumerate(self.instruments):
            feed = self._priced_by(instrument)
            if feed is None or instrument.symbol in self.first_opens:
                continue
            start, stop = window.spans[feed.number]
            known = feed.marks[start:stop][~np.isnan(feed.marks[start:stop])]  # of a book, while one side is empty
            if self.benchmark is not None and len(known):
                self.first_opens[instrument.symbol] = float(known[0])
                self.benchmark.first(number, float(known[0]))

    def settle(self, first: int | None) -> None:
        """See `Run.settle`: a sample waits for the end of its minute."""
        self.samples.settle(first)

    def _take(
        self,
        times: NDArray[np.int64],
        equity: NDArray[np.float64],
        exposed: NDArray[np.bool_],
        shares: NDArray[np.float64],
        prices: NDArray[np.float64],
    ) -> None:
        """Record samples that count."""
        if not len(times):
            return
        self.recorder.add(times, equity, exposed)
        if self.curves.fund is not None:
            self.curves.fund[1].add(times, shares, exposed)
        if self.benchmark is not None:
            self.benchmark.add(times, prices)
        if self.daily is not None:
            self.daily.add(times, list(prices.T))
        else:
            self.prices.extend(times, *prices.T)

    def history(self, curve: EquityCurve, valuation: Any) -> RunHistory:
        times = curve.all_times
        if times is None:
            closes = self._daily_closes()
        else:
            closes = {
                one.symbol: Closes(times, self.prices.values(number)) for number, one in enumerate(self.instruments)
            }
        account = valuation.history()
        # Orders and trades count events.
        account = attrs.evolve(account, bars=np.array(self.cash_events, np.int64))
        return RunHistory(account, closes, self.first_opens)

    def result(self, stopped: str) -> Result:
        """Return what was found out so far; see `Run.result`."""
        self.samples.close()
        return super().result(stopped)


#: What says what an instrument is worth, best first.
_PRICING = ("book", "quotes", "ticks")


def _feed(number: int, source: MarketSource, settings: BacktestSettings) -> MarketFeed:
    blocks: Iterator[Any] = iter(source.blocks()) if settings.blocks else iter([source.load()])
    try:
        kind = BookFeed if source.kind == "book" else MarketFeed
        return kind(number, checked_history(blocks, source.kind, source.name))
    except StopIteration:
        raise DataError(f"{source.name}: there are no rows. Check the path, the symbol and the time range.") from None
