"""Puts a backtest together, runs it, and returns its result."""

from __future__ import annotations

import gc
import secrets
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from cambist.analysis import ClosesRecorder, EquityRecorder
from cambist.backtest.account import AccountSetup
from cambist.backtest.account_records import AccountRecords, FundRecorder, account_results, assets_of, trades_of, valued
from cambist.backtest.calendars import Calendars
from cambist.backtest.columns import play_columns
from cambist.backtest.driver import Driver, StopRequest
from cambist.backtest.events import play_events
from cambist.backtest.feeds import Feed
from cambist.backtest.history import Closes, RunHistory, closes_until
from cambist.backtest.multi_asset import MultiAssetValuation
from cambist.backtest.openings import OpeningDriver
from cambist.backtest.played import played_series
from cambist.backtest.prepared import prepared
from cambist.backtest.records.booking import Recorded
from cambist.backtest.records.histories import OrderHistory
from cambist.backtest.result import Result, StrategyRecord
from cambist.backtest.signals import signal_table
from cambist.backtest.snapshot_tables import NO_SNAPSHOTS, SnapshotTables
from cambist.backtest.snapshots import Snapshots
from cambist.backtest.venue import finer_bars, make_venue
from cambist.engine import Kernel, OpeningKernel
from cambist.engine.step import named
from cambist.errors import DataError, ParameterError, StrategyError
from cambist.model.orders import OrderStatus
from cambist.model.times import format_ns
from cambist.model.trading_state import TradingState
from cambist.observe import log_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from cambist.analysis import EquityCurve
    from cambist.backtest.journaled import RunJournal
    from cambist.backtest.played import PlayedSeries
    from cambist.backtest.settings import BacktestSettings
    from cambist.model.bars import Bars
    from cambist.model.instrument import Instrument
    from cambist.model.trading_state import TradingChange
    from cambist.portfolio import Valuation
    from cambist.ports.history import HistorySource
    from cambist.risk import RiskGate
    from cambist.simulation import FinerBars
    from cambist.simulation.bar_venue import BarVenue
    from cambist.strategies import Strategy

    Progress = Callable[[int, int | None], None]

_Kernel = TypeVar("_Kernel", bound=Kernel)

__all__ = ["Run", "bar_feed", "run_backtest"]


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
    if settings.stop_trigger != "auto":
        raise ParameterError(
            f"stop_trigger is {settings.stop_trigger!r}, which only trades and quotes can have. Leave it out on bars."
        )
    return Run(strategies, sources, settings, progress, stop or StopRequest(), magnify).play()


#: Objects that a run may leave among the young ones: so many are looked through in a few milliseconds.
_FEW_OBJECTS = 50_000
#: Objects that runs may put aside before all of them are looked through.
_MANY_OBJECTS = 4_000_000


class _Aside:
    """How many objects runs have put aside since all were looked through."""

    count = 0


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Have the cycle collector look less often.

    A run keeps every order, fill and trade it makes and ties none of them in cycles; looking through them again
    for each 700 new ones costs a tenth of an order-heavy run. The run itself is a cycle, which the collector has to
    find soon after: a program may play thousands.
    """
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], 300_000), 50, 50)
    try:
        yield
    finally:
        made = gc.get_count()[0]
        gc.set_threshold(*before)
        if made > _FEW_OBJECTS and gc.isenabled() and not gc.get_freeze_count():
            _put_aside(made)


def _put_aside(count: int) -> None:
    """Move what a large run made among the old objects, so that the next young collection need not look through it.

    The collector does not count what gets there in this way and would never look through the old ones because of it.
    """
    gc.freeze()
    gc.unfreeze()
    _Aside.count += count
    if _Aside.count > _MANY_OBJECTS:
        _Aside.count = 0
        gc.collect()


class Run:
    """The parts of one backtest, joined; on bars, save where a subclass makes other parts.

    Parameters
    ----------
    strategies, sources, settings, progress, stop, magnify
        See `run_backtest`.
    """

    #: What `Result.n_bars` counts.
    unit = "bars"

    def __init__(
        self,
        strategies: Sequence[Strategy | type[Strategy]],
        sources: Sequence[Any],
        settings: BacktestSettings,
        progress: Progress | None,
        stop: StopRequest,
        magnify: Mapping[int, HistorySource] | None = None,
    ) -> None:
        self.settings = settings
        self.progress = progress
        self.started_at = time.perf_counter()
        self.feeds = self._feeds(sources)
        self.notes = tuple(note for source in sources for note in getattr(source, "notes", ()))
        self.instruments = self._instruments()
        self.calendars = self._calendars()
        # Made once: what a model remembers, gate and venue must share.
        self.rules = settings.venue_rules()
        cast = named([prepared(strategy, settings) for strategy in strategies])
        self.account = self._account([one.name for one in cast])
        self.portfolio = self.account.portfolio
        self.kernel = self._kernel(cast, self.account.gate())
        self.driver = self._driver(stop)
        self.account.connect(self.kernel)
        if settings.record_lines:
            self.kernel.watch_lines(settings.record_lines)
        self.driver.actions = self.account.actions
        self.recorded = Recorded.of(self.kernel, self.feeds, self.account)
        venue = self._venue(finer_bars(self.feeds, magnify or {}, settings, self.rules))
        self.driver.connect(venue if self.recorded is None else self.recorded.before(venue))
        self.first_open = self.driver.begins_at()
        keep_all = not settings.blocks
        self.valuation = valued(self.portfolio, self.first_open, keep_all=keep_all)
        expected = 0 if settings.blocks else max(len(feed.block) for feed in self.feeds)
        cash = self.account.initial_cash
        self.recorder = EquityRecorder(cash, self.first_open, keep_all=keep_all, expected=expected)
        self.curves = FundRecorder(self.portfolio, self.recorder)
        self.benchmark = (
            self.account.held.recorder(cash, self.first_open, keep_all=keep_all) if settings.benchmark else None
        )
        self.first_opens: dict[str, float] = {}
        self.daily = ClosesRecorder(len(self.instruments)) if settings.blocks else None
        self.bars = 0
        self.last_close = self.first_open
        self.run_id = secrets.token_hex(6)
        self.snapshots = Snapshots.of(self)
        self.driver.snapshots = self.snapshots
        self.journal: RunJournal | None = None
        if settings.keeps_records:  # last of all: a run that cannot begin leaves none
            from cambist.backtest.journaled import RunJournal

            self.journal = RunJournal(settings, self.kernel, self._about(), self.driver.stop)

    def _feeds(self, sources: Sequence[Any]) -> Sequence[Any]:
        return [bar_feed(number, source, self.settings) for number, source in enumerate(sources)]

    def _instruments(self) -> list[Instrument]:
        return [feed.instrument for feed in self.feeds]

    def _calendars(self) -> Calendars:
        return Calendars(self.settings.calendar, self.feeds)

    def _account(self, strategies: Sequence[str]) -> AccountSetup:
        return AccountSetup(self.settings, self.feeds, self.instruments, self.calendars, strategies)

    def _kernel(self, strategies: Sequence[Strategy], gate: RiskGate) -> Kernel:
        series = [(feed.instrument, feed.timeframe) for feed in self.feeds]
        make = self._maker(OpeningKernel if self.settings.cheat_on_open else Kernel)
        fee = self.account.expected_fee(self.rules)
        return make(strategies, series, self.portfolio, gate, fee, self.calendars)

    def _maker(self, kernel: type[_Kernel]) -> type[_Kernel]:
        """Return what makes the run's kernel: one that journals, where the run has a journal, or sinks."""
        if not self.settings.keeps_records:
            return kernel
        from cambist.backtest.journaled import journaled

        return journaled(kernel)

    def _about(self) -> dict[str, Any] | None:
        """Return what a recording is to say of the run; None where none is wanted."""
        if not self.settings.record:
            return None
        from cambist.backtest.replay.setup import about

        if any(isinstance(seat.strategy, OrderHistory) for seat in self.kernel.seats):
            raise ParameterError(
                "record is True in a run of recorded orders, which a replay cannot send: it does not know the bars "
                "beforehand. Leave record out, or run the recorded fills: FillHistory."
            )
        return about(self.settings, self.feeds)

    def _driver(self, stop: StopRequest) -> Driver:
        play = play_events if self.settings.events else play_columns
        kind = OpeningDriver if self.settings.cheat_on_open else Driver
        return kind(self.kernel, self.feeds, play, stop, loads_columns=not self.settings.events)

    def _venue(self, finer: Sequence[FinerBars]) -> BarVenue:
        self.magnified = {one.symbol: str(one.timeframe) for one in finer}
        return make_venue(self.account, self.settings, self.rules, self.driver, finer)

    def play(self) -> Result:
        """Play everything and return the result; see `run_backtest`."""
        whole = False
        try:
            with _rare_collections(), log_context(run=self.run_id):
                self.driver.run(self.run_id, self.settings.seed, self.after)
            whole = True
        except StrategyError as error:
            whole = True
            error.result = self.result(stopped=str(error))
            raise
        finally:
            if self.journal is not None:
                self.journal.close(whole=whole)
        return self.result(stopped=self.driver.stop.reason)

    def after(self, window: Any, played: int) -> None:
        """Value the instants that a window played."""
        self.calendars.require_coverage()  # of blocks that were read meanwhile
        times = window.instants[:played]
        closes = [window.closes(feed)[:played] for feed in self.feeds]
        prices = {symbol: values[:played] for symbol, values in self.account.closes(window).items()}
        first = self.valuation.instant
        equity, exposed = self.valuation.value(times, prices)
        self.curves.add(times, equity, exposed, first)
        if self.daily is not None:
            self.daily.add(times, closes)
        if self.benchmark is not None:
            for feed, (start, end) in zip(self.feeds, window.spans, strict=True):
                if end > start and feed.instrument.symbol not in self.first_opens:
                    self.first_opens[feed.instrument.symbol] = float(feed.block.open[start])
                    self.benchmark.first(feed.number, self.account.held.first(window, feed))
            self.benchmark.add(
                times, np.array([self.account.held.over(window, feed)[:played] for feed in self.feeds]).T
            )
        if self.kernel.watch is not None and not self.settings.events:
            self._keep_lines(window, played)
        self.account.held.passed(prices)
        self.last_close = int(times[-1])
        for feed, (start, end) in zip(self.feeds, window.spans, strict=True):
            if played == len(window.instants):
                self.bars += end - start
            else:
                self.bars += int(np.searchsorted(feed.closes[start:end], self.last_close, side="right"))
        if self.progress is not None:
            total = None if self.settings.blocks else sum(len(feed.block) for feed in self.feeds)
            self.progress(self.bars, total)

    def settle(self, first: int | None) -> None:
        """Have the curve hold all that counts of what was played; `first` is the time of what comes next, if any."""

    def _keep_lines(self, window: Any, played: int) -> None:
        """Keep what somebody wants of the lines of a window."""
        assert self.kernel.watch is not None
        last = int(window.instants[played - 1])
        for line in self.kernel.watch.lines:
            feed, (start, end) = self.feeds[line.series], window.spans[line.series]
            line.take(start, feed.closes[start : start + int(np.searchsorted(feed.closes[start:end], last, "right"))])

    def result(self, stopped: str) -> Result:
        """Return what was found out so far; `stopped` says why the run ended early, ``""`` where it did not."""
        kernel, per_year = self.kernel, self.settings.periods_per_year
        curve, fund = self.curves.finish(per_year)
        result = Result(
            settings=self.settings.describe() | ({"magnify": self.magnified} if self.magnified else {}),
            strategies=tuple(
                StrategyRecord(seat.strategy.name, type(seat.strategy).__name__, dict(seat.strategy.params))
                for seat in kernel.seats
            ),
            instruments=tuple(self.instruments),
            timeframes=self._timeframes(),
            unit=self.unit,
            run_id=self.run_id,
            currency=self.portfolio.currency,
            initial_cash=self.account.initial_cash,
            started=self.first_open,
            ended=self.last_close,
            n_bars=self.bars,
            wall_seconds=time.perf_counter() - self.started_at,
            stopped=stopped,
            curve=curve,
            benchmark=None if self.benchmark is None else self.benchmark.finish(per_year),
            fund=fund,
            order_records=kernel.book.orders,
            fill_records=kernel.fills,
            trade_records=trades_of(self.account.accounts.values()),
            flow_records=self.portfolio.cash_flows,
            split_records=kernel.splits,
            last_prices={symbol: self.portfolio.mark(held) for symbol, held in self.portfolio.positions.items()},
            warnings=(*self.notes, *self._warnings(fund or curve)),
            account=self.portfolio.account(),
            assets=assets_of(self.portfolio),
            history=self.history(curve, self.valuation),
            snapshot_records=NO_SNAPSHOTS if self.snapshots is None else SnapshotTables.of(self.snapshots.taken),
            signal_records=signal_table(kernel.signals, () if kernel.watch is None else kernel.watch.lines),
        )
        if isinstance(self.valuation, AccountRecords):
            result.accounts = account_results(self, result)
        return result

    def _timeframes(self) -> tuple[str, ...]:
        return tuple(str(feed.timeframe) for feed in self.feeds)

    def history(
        self, curve: EquityCurve, valuation: Valuation | MultiAssetValuation | AccountRecords
    ) -> RunHistory | None:
        """Return what the series of an account are computed from; None where there is no one account to have them."""
        account = valuation.history()
        if account is None:
            return None
        if curve.all_times is not None:
            closes = closes_until(self.feeds, self.last_close, curve.all_times)
        else:
            closes = self._daily_closes()
        assets = valuation.assets() if isinstance(valuation, MultiAssetValuation) else {}
        return RunHistory(account, closes, self.first_opens, assets, self._played())

    def _played(self) -> tuple[PlayedSeries, ...]:
        """Return the bars, where they are in memory, and what strategies made of whole columns of them."""
        if self.settings.blocks:
            return ()
        return played_series(self.feeds, () if self.settings.events else self.kernel.seats, self.last_close)

    def _daily_closes(self) -> dict[str, Closes]:
        """Return the last price of each UTC day, where no more was kept."""
        assert self.daily is not None
        times, columns = self.daily.finish()
        return {one.symbol: Closes(times, column) for one, column in zip(self.instruments, columns, strict=True)}

    def _warnings(self, curve: EquityCurve) -> Iterator[str]:
        yield from self.account.warnings()
        if self.journal is not None:
            yield from self.journal.troubles
            if self.journal.lost:
                yield f"{self.journal.lost}. The run cannot be replayed beyond it."
        if self.recorded is not None:
            yield from self.recorded.warnings()
        if curve.ruined:
            liquidated = "" if self.settings.margin else "Liquidation is not modeled without margin=Margin(...); "
            yield (
                f"equity fell to {curve.lowest:,.2f} {self.portfolio.currency}: the account was ruined, and measures "
                f"that are rates of return mean nothing. {liquidated}{'t' if liquidated else 'T'}rade smaller, or with "
                "a stop."
            )
        for changes in _halts(self.kernel.trading.changes).values():
            more = "" if len(changes) == 1 else f" It was so {len(changes)} times."
            yield f"on {format_ns(changes[0].ts)} {changes[0].told}.{more}"
        unheard = [seat.strategy.name for seat in self.kernel.seats if seat.hook("on_open") is not None]
        if unheard and not self.settings.cheat_on_open:
            yield f"on_open of {', '.join(unheard)} was never called: that takes cheat_on_open=True."
        for symbol, count in self.kernel.roundings.items():
            tick = self.portfolio.positions[symbol].instrument.tick_size
            yield (
                f"{count} orders of {symbol} had prices off its tick of {tick} and were rounded to it; "
                "round them yourself with instrument.round_price to choose which way."
            )
        refused: dict[str, list[int]] = {}
        for order in self.kernel.book.orders:
            if order.status is OrderStatus.REJECTED:
                refused.setdefault(order.reason.partition(":")[0], []).append(order.id)
        for code, numbers in refused.items():
            yield (
                f"{len(numbers)} orders were rejected: {code}. The first is order {numbers[0]}; "
                "result.orders has each with its reason."
            )


def _halts(changes: Sequence[TradingChange]) -> dict[tuple[str, str], list[TradingChange]]:
    """Return the changes that halted or restricted trading, by scope and who wanted it."""
    found: dict[tuple[str, str], list[TradingChange]] = {}
    for change in changes:
        if change.state is not TradingState.ACTIVE:
            found.setdefault((change.scope, change.by), []).append(change)
    return found


def bar_feed(number: int, source: HistorySource, settings: BacktestSettings) -> Feed:
    """Return the feed of a source of bars."""
    blocks: Iterator[Bars] = source.blocks() if settings.blocks else iter([source.load()])
    try:
        return Feed(number, blocks, whole=not settings.blocks)
    except StopIteration:
        raise DataError(f"{source.name}: there are no bars. Check the path, the symbol and the time range.") from None
