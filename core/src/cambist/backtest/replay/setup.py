"""The kernel of a replay: made of what journal and recording say of the run, as `cambist.backtest.run` makes it."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any, TypedDict

import attrs
import msgspec
import numpy as np

from cambist.backtest.account import AccountSetup
from cambist.backtest.actions import SplitPrice
from cambist.backtest.books import MAIN
from cambist.backtest.calendars import Calendars
from cambist.backtest.market.account import MarketAccount
from cambist.backtest.market_rules import rules_by_symbol
from cambist.backtest.prepared import prepared
from cambist.backtest.records.histories import FillHistory
from cambist.backtest.settings import BacktestSettings
from cambist.engine import conversions as to
from cambist.engine.account_opening import NotedRates, account_of
from cambist.engine.journaled import JournaledKernel, JournaledMarketKernel, JournaledOpeningKernel, Recorder
from cambist.errors import JournalError, ParameterError, did_you_mean
from cambist.model.bars import Bars
from cambist.model.timeframe import Timeframe
from cambist.portfolio import MarginPortfolio, MultiAssetMarginPortfolio
from cambist.simulation.fees import OrderFeeModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cambist.backtest.replay.commits import Commit
    from cambist.engine import Kernel
    from cambist.engine.journaled import Append
    from cambist.engine.records import AccountOpened, RunBegan
    from cambist.model.bars import Bar
    from cambist.model.calendar import Calendar
    from cambist.model.events import Event
    from cambist.model.instrument import Instrument
    from cambist.model.market_rules import MarketRules
    from cambist.model.orders import Fill
    from cambist.ports.risk import RiskRule
    from cambist.simulation.fees import FeeModel
    from cambist.simulation.market_rules import MarketRulesBySymbol
    from cambist.strategies import Strategy
    from cambist.strategies.sizers import Sizer

__all__ = ["About", "ReplayOptions", "Stage", "about", "check_count", "check_objects", "read_about", "renamed"]

#: Settings that decide what a strategy asks for and what the risk gate lets pass; all others are the venue's alone, or
#: stand in the journal.
OPTIONS = (
    *("fees", "rules", "cheat_on_open", "calendar", "sizer", "risk", "marks"),
    *("rates", "conversion_fee", "market_rules", "record_lines"),
)


class ReplayOptions(TypedDict, total=False):
    """The keywords of `cambist.replay` that are settings of the run; `BacktestSettings` says what each means."""

    fees: float | str | Mapping[str, Any] | FeeModel | None
    rules: str
    cheat_on_open: bool
    calendar: str | Calendar | Mapping[str, str | Calendar] | None
    sizer: Sizer | None
    risk: Sequence[RiskRule]
    marks: Mapping[str, Any] | None
    rates: Mapping[str, Any] | None
    conversion_fee: float
    market_rules: str | Mapping[str, Any] | MarketRules | MarketRulesBySymbol | None
    record_lines: Sequence[str]


class About(msgspec.Struct, frozen=True):
    """What a recording says of its run.

    Attributes
    ----------
    series
        Symbol and timeframe of each series of bars, in declared order.
    options
        Those of `OPTIONS` that were given and are plain values.
    objects
        Those that are not, as text: a replay has to be given them again.
    opens
        When each series of bars begins, ns, UTC, and at what price it opens: what assets are worth before a bar closes.
    streams
        Kind and symbol of each series of trades, quotes or books, in declared order.
    live
        Whether it was a live or a paper run.
    cannot
        What the place where it traded could not do, and why; see `cambist.engine.Kernel.cannot`.
    """

    series: list[tuple[str, str]]
    options: dict[str, Any] = {}
    objects: dict[str, str] = {}
    opens: list[tuple[int, float]] = []
    streams: list[tuple[str, str]] = []
    live: bool = False
    cannot: dict[str, str] = {}


def about(settings: BacktestSettings, feeds: Sequence[Any], streams: Sequence[Any] = ()) -> dict[str, Any]:
    """Return what a recording is to say of a run.

    Parameters
    ----------
    feeds, streams
        Its bars; and its trades, quotes and books.

    Raises
    ------
    ParameterError
        If the run has something that no replay can repeat.
    """
    rules = rules_by_symbol(settings, [feed.instrument.symbol for feed in feeds])
    if settings.actions and any(one.has_limits for one in rules.values()):
        raise ParameterError(
            "record is True in a run with market_rules that limit prices and with actions: a replay does not know the "
            "dividends and splits to come. Leave record or actions out, and give adjusted bars."
        )
    options: dict[str, Any] = {}
    objects: dict[str, str] = {}
    for field in attrs.fields(BacktestSettings):
        value = getattr(settings, field.name)
        if field.name not in OPTIONS or value == field.default:
            continue
        if _is_plain(value):
            options[field.name] = value
        else:
            objects[field.name] = ", ".join(value) if field.name in ("marks", "rates") else repr(value)
    series = [(feed.instrument.symbol, str(feed.timeframe)) for feed in feeds]
    opens = [(int(feed.block.ts[0]), float(feed.block.open[0])) for feed in feeds]
    shown = [(feed.kind, feed.instrument.symbol) for feed in streams]
    told: dict[str, Any] = msgspec.to_builtins(About(series, options, objects, opens, shown))
    return told


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(name, str) and _is_plain(one) for name, one in value.items())
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return value is None or type(value) in (bool, int, float, str)


@attrs.frozen
class _Opening:
    """What is known of the bars of a series before they come: the first open time and price."""

    ts: tuple[int, ...]
    open: tuple[float, ...]


@attrs.frozen
class _Series:
    """A series of bars of the run, which come one by one."""

    number: int
    instrument: Instrument
    timeframe: Timeframe
    block: _Opening
    recorded: Callable[[int], Iterable[Bar]]

    def on_block(self, note: Callable[[Bars], None]) -> None:
        """Have the bars noted that the recording holds: the reference price of a day is that of the one before."""
        rows = [attrs.astuple(bar) for bar in self.recorded(self.number)]
        if rows:
            note(Bars(self.instrument, str(self.timeframe), *map(np.array, zip(*rows, strict=True))))


@attrs.frozen
class _Stream:
    """A series of trades, quotes or books of the run, which come one by one."""

    number: int
    kind: str
    instrument: Instrument


class _Calendars(Calendars):
    """Calendars that need not be asked whether they cover the bars: the run did."""

    def require_coverage(self) -> None:
        """Do nothing."""


class Stage:
    """A kernel, and beside it what the run had around its own and has a say in what strategies and gate see.

    Parameters
    ----------
    strategies
        Instances or classes, worked on as copies.
    opening
        The first commit of the journal.
    about
        What the recording says of the run.
    options
        Of the replay; see `ReplayOptions`.
    append
        Takes the records of a step, see `Recorder`.
    recorded
        Answers the recorded bars of a series.

    Attributes
    ----------
    markets
        What is remembered to keep the rules of the markets; None where none have any.
    streams
        The instruments of the series of trades, quotes and books.

    Raises
    ------
    ParameterError
        For an option that is unknown, or one that is needed and not given.
    """

    def __init__(
        self,
        strategies: Sequence[Strategy | type[Strategy]],
        opening: Commit,
        about: About,
        options: Mapping[str, Any],
        append: Append,
        recorded: Callable[[int], Iterable[Bar]],
    ) -> None:
        defined = {one.symbol: to.instrument_of(one) for one in opening.every("instrument_defined")}
        self.settings = settings = _settings(list(opening.every("account_opened")), defined, about, options)
        bars = _series(about, defined, recorded)
        streams = [_Stream(number, kind, defined[symbol]) for number, (kind, symbol) in enumerate(about.streams)]
        feeds: list[Any] = [*streams, *bars]
        calendars = _Calendars(settings.calendar, feeds)
        instruments = list({one.instrument.symbol: one.instrument for one in feeds}.values())
        cast = _cast(strategies, settings, opening)
        kind = MarketAccount if streams else AccountSetup
        setup = kind(settings, streams or bars, instruments, calendars, [one.name for one in cast])  # type: ignore[arg-type]
        kept = next((one for one in opening.every("account_opened") if one.by_venue), None)
        if kept is not None:  # a venue's word decides what there is
            setup.portfolio = account_of(kept, instruments)
        rules = settings.venue_rules()
        fee = setup.expected_fee(rules)
        self._fees = {name: own.fees for name, own in setup.rules.items()}
        made = [(one.instrument, one.timeframe) for one in bars]
        self.kernel: JournaledKernel | JournaledOpeningKernel | JournaledMarketKernel
        if streams:
            shown = [(one.kind, one.instrument) for one in streams]
            own: Any = setup.portfolio, setup.gate(), fee
            self.kernel = JournaledMarketKernel(cast, shown, *own, bars=made, calendars=calendars)
        else:
            make = JournaledOpeningKernel if settings.cheat_on_open else JournaledKernel
            self.kernel = make(cast, made, setup.portfolio, setup.gate(), fee, calendars)
        setup.connect(self.kernel)
        if settings.record_lines:
            self.kernel.watch_lines(settings.record_lines)
        self._histories = {one.name for one in cast if isinstance(one, FillHistory)}
        self._splits: dict[str, SplitPrice] = {} if streams else _split_prices(self.kernel, instruments)
        self.kernel.recorder = Recorder(self.kernel, append)
        self.markets = setup.markets
        self.streams = [one.instrument for one in streams]

    is_live = False

    def started(self) -> None:
        """Do nothing: a backtest begins once."""

    def taking(self, event: Event) -> None:
        """Do nothing: all is in the kernel."""

    def raised(self) -> str:
        """Return nothing: what a strategy raises ends a backtest."""
        return ""

    def traded(self, strategy: str, fill: Fill) -> None:
        """Take note of a fill that is about to be booked, where fees or the rules of its market hang on it."""
        fees = self._fees[self.kernel.owners[strategy]]
        if isinstance(fees, OrderFeeModel):
            fees.traded(fill)
        ruled = None if self.markets is None else self.markets.markets.get(fill.instrument.symbol)
        if self.markets is not None and ruled is not None:
            day = fill.ts if strategy in self._histories else self.markets.now()
            ruled.note(fill.side, fill.size, fill.price, fill.fee, day)

    def split(self, symbol: str, ratio: float) -> None:
        """Have the last price told in new units from here on to the next bar."""
        self._splits[symbol].split_now(ratio)
        if self.markets is not None and symbol in self.markets.markets:
            self.markets.markets[symbol].split(ratio)


def check_count(strategies: Sequence[object], began: RunBegan) -> None:
    """Hold that as many strategies are given as the run had.

    Raises
    ------
    ParameterError
        If not.
    """
    if len(strategies) != len(began.strategies):
        names = ", ".join(one.name for one in began.strategies)
        raise ParameterError(
            f"the run had {len(began.strategies)} strategies ({names}), and {len(strategies)} are given. Give as many, "
            "in the same order."
        )


def renamed(cast: list[Strategy], began: RunBegan) -> list[Strategy]:
    """Give strategies the names that they had in the run."""
    for strategy, had in zip(cast, began.strategies, strict=True):
        strategy.name = had.name
    return cast


def check_objects(about: About, options: Mapping[str, Any], known: Iterable[str]) -> None:
    """Hold that a replay knows the options that it is given, and is given those that no recording can keep.

    Raises
    ------
    ParameterError
        If not.
    """
    known = list(known)
    for name in options:
        if name not in known:
            raise ParameterError(f"a replay has no option {name!r}.{did_you_mean(name, known)}")
    for name, value in about.objects.items():
        if name not in options:
            raise ParameterError(
                f"the run had {name}={value}, which a recording cannot keep. Give the same again: "
                f"replay(..., {name}=...), or the run file on the command line."
            )


def _cast(
    strategies: Sequence[Strategy | type[Strategy]], settings: BacktestSettings, opening: Commit
) -> list[Strategy]:
    """Return the strategies under the names that they had in the run: timers and orders go by them."""
    began: RunBegan = opening.only("run_started")
    check_count(strategies, began)
    cast = [prepared(one, settings) for one in strategies]
    return renamed(cast, began)


def _series(about: About, defined: Mapping[str, Instrument], recorded: Callable[[int], Iterable[Bar]]) -> list[_Series]:
    opens = about.opens or [(0, nan)] * len(about.series)  # an older recording, of a run in one asset
    return [
        _Series(number, defined[symbol], Timeframe.parse(length), _Opening((ts,), (price,)), recorded)
        for number, ((symbol, length), (ts, price)) in enumerate(zip(about.series, opens, strict=True))
    ]


def _split_prices(kernel: Kernel, instruments: Sequence[Instrument]) -> dict[str, SplitPrice]:
    """Have the last price of what can be split come from where a split can change it."""
    splits = {}
    for cursor, instrument in zip(kernel.seats[0].cursors, instruments, strict=True):
        if instrument.is_cash:
            price = splits[instrument.symbol] = SplitPrice(cursor)
            kernel.portfolio.set_price_source(instrument.symbol, price)
    return splits


def _settings(
    opened: Sequence[AccountOpened], instruments: Mapping[str, Instrument], about: About, options: Mapping[str, Any]
) -> BacktestSettings:
    """Return the settings of the run as far as they matter here."""
    check_objects(about, options, OPTIONS)
    first = opened[0]
    books = account_of(first, instruments.values(), NotedRates(first))
    own = {one.name: _money(one) for one in opened}
    accounts: dict[str, Any] = {"cash": own.pop(MAIN, own.get("", _money(first)))}
    if "" not in own:
        accounts["accounts"] = own
    if first.assets:
        accounts["currency"] = first.currency
    return BacktestSettings.of(
        **{**about.options, **options},
        **accounts,
        leverage=float(first.leverage),
        margin=books.terms if isinstance(books, MarginPortfolio | MultiAssetMarginPortfolio) else None,
        compensates=first.compensates or None,
        events=True,
    )


def _money(opened: AccountOpened) -> float | dict[str, float]:
    """Return what an account had at its start, as the option ``cash`` says it."""
    return {asset: float(cash) for asset, cash in opened.assets} or float(opened.cash)


def read_about(head: Mapping[str, Any], path: object) -> About:
    """Return what the head of a recording says.

    Raises
    ------
    JournalError
        If it says something else.
    """
    try:
        return msgspec.convert(head, About)
    except msgspec.ValidationError as error:
        raise JournalError(
            f"the head of the recording is none: {error}", code="bad_recording", path=path, remedy="Restore the file."
        ) from error
