"""Puts a backtest together, runs it, and returns its result."""

from __future__ import annotations

import gc
import secrets
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.analysis import BuyAndHold, EquityRecorder
from cambist.backtest.columns import play_columns
from cambist.backtest.driver import Driver, StopRequest
from cambist.backtest.events import play_events
from cambist.backtest.feeds import Feed
from cambist.backtest.result import Result, StrategyRecord
from cambist.backtest.venue import finer_bars, make_venue
from cambist.engine import Kernel
from cambist.errors import DataError, InputError, StrategyError
from cambist.observe import log_context
from cambist.portfolio import Portfolio, Valuation
from cambist.risk import RiskGate
from cambist.strategies import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from cambist.analysis import EquityCurve
    from cambist.backtest.feeds import Window
    from cambist.backtest.settings import BacktestSettings
    from cambist.model.bars import Bars
    from cambist.ports.history import HistorySource

    Progress = Callable[[int, int | None], None]

__all__ = ["run_backtest"]


def run_backtest(
    strategies: Sequence[Strategy | type[Strategy]],
    sources: Sequence[HistorySource],
    settings: BacktestSettings,
    *,
    magnify: Mapping[int, HistorySource] | None = None,
    progress: Progress | None = None,
    stop: StopRequest | None = None,
) -> Result:
    """Run strategies over sources of bars, in one account.

    Parameters
    ----------
    strategies
        Instances or classes, worked on as copies, see `Strategy.fresh`.
    sources
        One for each series, in the order in which the strategies see them.
    magnify
        Finer bars to match by, by the number of their series.
    progress
        Called now and then with the bars played and the bars there are (None when nobody knows yet).
    stop
        Ends the run early when called; the result holds what was played.

    Raises
    ------
    InputError
        If the run cannot be set up.
    StrategyError
        If a strategy raises; ``error.result`` holds what was played until then.
    """
    run = _Run(strategies, sources, settings, progress, stop or StopRequest())
    run.connect(magnify or {})
    return run.play()


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Have the cycle collector look less often.

    A run keeps every order, fill and trade it makes and ties none of them in cycles; looking through them again
    for each 700 new ones costs a tenth of an order-heavy run.
    """
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], 300_000), 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        if not gc.get_freeze_count():
            # There and back again moves what the run made among the old objects, so that the next young collection
            # does not look through all of it.
            gc.freeze()
            gc.unfreeze()


class _Run:
    """The parts of one backtest, joined."""

    def __init__(
        self,
        strategies: Sequence[Strategy | type[Strategy]],
        sources: Sequence[HistorySource],
        settings: BacktestSettings,
        progress: Progress | None,
        stop: StopRequest,
    ) -> None:
        self.settings = settings
        self.progress = progress
        self.started_at = time.perf_counter()
        self.feeds = [_feed(number, source, settings) for number, source in enumerate(sources)]
        self.notes = tuple(note for source in sources for note in getattr(source, "notes", ()))
        instruments = [feed.instrument for feed in self.feeds]
        self.portfolio = Portfolio(instruments, settings.cash, settings.leverage)
        # Made once: what a model remembers, gate and venue must share.
        self.rules = settings.venue_rules()
        self.kernel = Kernel(
            [_prepared(strategy, settings) for strategy in strategies],
            [(feed.instrument, feed.timeframe) for feed in self.feeds],
            self.portfolio,
            RiskGate(settings.risk, reviews_funds=not settings.is_compatible),
            self.rules.fees.fee,
        )
        play = play_events if settings.events else play_columns
        self.driver = Driver(self.kernel, self.feeds, play, stop, loads_columns=not settings.events)
        self.valuation = Valuation(self.portfolio)
        self.first_open = min(int(feed.block.ts[0]) for feed in self.feeds)
        keep = not settings.blocks
        self.recorder = EquityRecorder(settings.cash, self.first_open, keep_all=keep)
        self.benchmark = BuyAndHold(instruments, settings.cash, self.first_open) if settings.benchmark else None
        self.bought: set[int] = set()
        self.bars = 0
        self.last_close = self.first_open
        self.run_id = secrets.token_hex(6)

    def connect(self, magnify: Mapping[int, HistorySource]) -> None:
        """Make the venue; finer bars, where there are any, are read and checked first."""
        finer = finer_bars(self.feeds, magnify, self.settings, self.rules)
        self.magnified = {one.symbol: str(one.timeframe) for one in finer}
        instruments = [feed.instrument for feed in self.feeds]
        self.driver.connect(make_venue(self.settings, self.rules, instruments, self.portfolio, self.driver, finer))

    def play(self) -> Result:
        try:
            with _rare_collections(), log_context(run=self.run_id):
                self.driver.run(self.run_id, self.settings.seed, self.after)
        except StrategyError as error:
            error.result = self.result(stopped=str(error))
            raise
        return self.result(stopped=self.driver.stop.reason)

    def after(self, window: Window, played: int) -> None:
        """Value the instants that a window played."""
        times = window.instants[:played]
        closes = {feed.instrument.symbol: window.closes(feed)[:played] for feed in self.feeds}
        equity, exposed = self.valuation.value(closes)
        self.recorder.add(times, equity, exposed)
        if self.benchmark is not None:
            for feed, (start, end) in zip(self.feeds, window.spans, strict=True):
                if feed.number not in self.bought and end > start:
                    self.bought.add(feed.number)
                    self.benchmark.first(feed.number, float(feed.block.open[start]))
            self.benchmark.add(times, np.column_stack(list(closes.values())))
        self.last_close = int(times[-1])
        for feed, (start, end) in zip(self.feeds, window.spans, strict=True):
            if played == len(window.instants):
                self.bars += end - start
            else:
                self.bars += int(np.searchsorted(feed.closes[start:end], self.last_close, side="right"))
        if self.progress is not None:
            total = None if self.settings.blocks else sum(len(feed.block) for feed in self.feeds)
            self.progress(self.bars, total)

    def result(self, stopped: str) -> Result:
        kernel, per_year = self.kernel, self.settings.periods_per_year
        curve = self.recorder.finish(per_year)
        trades = self.portfolio.trades
        everything = [*trades.closed, *trades.open.values()]
        return Result(
            settings=self.settings.describe() | ({"magnify": self.magnified} if self.magnified else {}),
            strategies=tuple(
                StrategyRecord(seat.strategy.name, type(seat.strategy).__name__, dict(seat.strategy.params))
                for seat in kernel.seats
            ),
            instruments=tuple(feed.instrument for feed in self.feeds),
            timeframes=tuple(str(feed.timeframe) for feed in self.feeds),
            run_id=self.run_id,
            currency=self.portfolio.currency,
            initial_cash=self.settings.cash,
            started=self.first_open,
            ended=self.last_close,
            n_bars=self.bars,
            wall_seconds=time.perf_counter() - self.started_at,
            stopped=stopped,
            curve=curve,
            benchmark=None if self.benchmark is None else self.benchmark.finish(per_year),
            order_records=kernel.book.orders,
            fill_records=kernel.fills,
            trade_records=sorted(everything, key=lambda trade: trade.id),
            warnings=(*self.notes, *self._warnings(curve)),
            account=self.portfolio.account(),
        )

    def _warnings(self, curve: EquityCurve) -> Iterator[str]:
        if curve.ruined:
            yield (
                f"equity fell to {curve.lowest:,.2f} {self.portfolio.currency}: the account was ruined, and measures "
                "that are rates of return mean nothing. Liquidation is not modeled; trade smaller, or with a stop."
            )
        for symbol, count in self.kernel.roundings.items():
            tick = self.portfolio.positions[symbol].instrument.tick_size
            yield (
                f"{count} orders of {symbol} had prices off its tick of {tick} and were rounded to it; "
                "round them yourself with instrument.round_price to choose which way."
            )
        refused: dict[str, list[int]] = {}
        for order in self.kernel.book.orders:
            if order.status == "rejected":
                refused.setdefault(order.reason.partition(":")[0], []).append(order.id)
        for code, numbers in refused.items():
            yield (
                f"{len(numbers)} orders were rejected: {code}. The first is order {numbers[0]}; "
                "result.orders has each with its reason."
            )


def _feed(number: int, source: HistorySource, settings: BacktestSettings) -> Feed:
    blocks: Iterator[Bars] = source.blocks() if settings.blocks else iter([source.load()])
    try:
        return Feed(number, blocks, whole=not settings.blocks)
    except StopIteration:
        raise DataError(f"{source.name}: there are no bars. Check the path, the symbol and the time range.") from None


def _prepared(strategy: Any, settings: BacktestSettings) -> Strategy:
    if isinstance(strategy, type) and issubclass(strategy, Strategy):
        strategy = strategy()
    if not isinstance(strategy, Strategy):
        raise InputError(f"{strategy!r} is no strategy. Give a subclass of cambist.Strategy, or an instance of one.")
    fresh = strategy.fresh()
    if settings.sizer is not None and "sizer" not in vars(strategy) and type(strategy).sizer is Strategy.sizer:
        fresh.sizer = settings.sizer
    return fresh
