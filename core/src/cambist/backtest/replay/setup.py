"""The kernel of a replay: made of what journal and recording say of the run, as `cambist.backtest.run` makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import attrs
import msgspec

from cambist.backtest.account import AccountSetup
from cambist.backtest.actions import SplitPrice
from cambist.backtest.calendars import Calendars
from cambist.backtest.prepared import prepared
from cambist.backtest.settings import BacktestSettings
from cambist.engine import conversions as to
from cambist.engine.journaled import JournaledKernel, JournaledOpeningKernel, Recorder
from cambist.errors import JournalError, ParameterError, did_you_mean
from cambist.model.timeframe import Timeframe
from cambist.portfolio import MarginPortfolio
from cambist.simulation.fees import OrderFeeModel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cambist.backtest.replay.commits import Commit
    from cambist.engine.journaled import Append
    from cambist.engine.records import AccountOpened, RunBegan
    from cambist.model.calendar import Calendar
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Fill
    from cambist.ports.risk import RiskRule
    from cambist.simulation.fees import FeeModel
    from cambist.strategies import Strategy
    from cambist.strategies.sizers import Sizer

__all__ = ["About", "ReplayOptions", "Stage", "about", "read_about"]

#: Settings that decide what a strategy asks for and what the risk gate lets pass; all others are the venue's alone, or
#: stand in the journal.
OPTIONS = ("fees", "rules", "cheat_on_open", "calendar", "sizer", "risk", "marks", "record_lines")


class ReplayOptions(TypedDict, total=False):
    """The keywords of `cambist.replay` that are settings of the run; `BacktestSettings` says what each means."""

    fees: float | str | Mapping[str, Any] | FeeModel | None
    rules: str
    cheat_on_open: bool
    calendar: str | Calendar | Mapping[str, str | Calendar] | None
    sizer: Sizer | None
    risk: Sequence[RiskRule]
    marks: Mapping[str, Any] | None
    record_lines: Sequence[str]


class About(msgspec.Struct, frozen=True):
    """What a recording says of its run.

    Attributes
    ----------
    series
        Symbol and timeframe of each series, in declared order.
    options
        Those of `OPTIONS` that were given and are plain values.
    objects
        Those that are not, as text: a replay has to be given them again.
    """

    series: list[tuple[str, str]]
    options: dict[str, Any] = {}
    objects: dict[str, str] = {}


def about(settings: BacktestSettings, feeds: Sequence[Any]) -> dict[str, Any]:
    """Return what a recording is to say of a run.

    Raises
    ------
    ParameterError
        If the run has something that no replay can repeat.
    """
    if settings.market_rules is not None:
        raise ParameterError(
            "record is True, and a replay cannot keep market rules yet. Leave record or market_rules out."
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
            objects[field.name] = repr(value) if field.name != "marks" else ", ".join(value)
    series = [(feed.instrument.symbol, str(feed.timeframe)) for feed in feeds]
    told: dict[str, Any] = msgspec.to_builtins(About(series, options, objects))
    return told


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(name, str) and _is_plain(one) for name, one in value.items())
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return value is None or type(value) in (bool, int, float, str)


@attrs.frozen
class _Series:
    """A series of the run, of which the bars come one by one."""

    number: int
    instrument: Instrument
    timeframe: Timeframe


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
    ) -> None:
        account = opening.only("account_opened")
        defined = {one.symbol: to.instrument_of(one) for one in opening.every("instrument_defined")}
        series = [
            _Series(number, defined[symbol], Timeframe.parse(length))
            for number, (symbol, length) in enumerate(about.series)
        ]
        self.settings = settings = _settings(account, list(defined.values()), about, options)
        calendars = _Calendars(settings.calendar, series)  # type: ignore[arg-type]
        instruments = [one.instrument for one in series]
        cast = _cast(strategies, settings, opening)
        names = [one.name for one in cast]
        setup = AccountSetup(settings, series, instruments, calendars, names)  # type: ignore[arg-type]
        fees = settings.venue_rules().fees
        make = JournaledOpeningKernel if settings.cheat_on_open else JournaledKernel
        self.kernel = kernel = make(
            cast,
            [(one.instrument, one.timeframe) for one in series],
            setup.portfolio,
            setup.gate(),
            fees.fee,
            calendars,
        )
        setup.connect(kernel)
        if settings.record_lines:
            kernel.watch_lines(settings.record_lines)
        self._splits: dict[str, SplitPrice] = {}
        for cursor, instrument in zip(kernel.seats[0].cursors, instruments, strict=True):
            if instrument.is_cash:
                price = self._splits[instrument.symbol] = SplitPrice(cursor)
                kernel.portfolio.set_price_source(instrument.symbol, price)
        kernel.recorder = Recorder(kernel, append)
        #: Takes note of a fill, where fees hang on what was traded.
        self.traded: Callable[[Fill], None] | None = fees.traded if isinstance(fees, OrderFeeModel) else None

    def split(self, symbol: str, ratio: float) -> None:
        """Have the last price told in new units from here on to the next bar."""
        self._splits[symbol].split_now(ratio)


def _cast(
    strategies: Sequence[Strategy | type[Strategy]], settings: BacktestSettings, opening: Commit
) -> list[Strategy]:
    """Return the strategies under the names that they had in the run: timers and orders go by them."""
    began: RunBegan = opening.only("run_started")
    if len(strategies) != len(began.strategies):
        names = ", ".join(one.name for one in began.strategies)
        raise ParameterError(
            f"the run had {len(began.strategies)} strategies ({names}), and {len(strategies)} are given. Give as many, "
            "in the same order."
        )
    cast = [prepared(one, settings) for one in strategies]
    for strategy, had in zip(cast, began.strategies, strict=True):
        strategy.name = had.name
    return cast


def _settings(
    account: AccountOpened, instruments: list[Instrument], about: About, options: Mapping[str, Any]
) -> BacktestSettings:
    """Return the settings of the run as far as they matter here."""
    for name in options:
        if name not in OPTIONS:
            raise ParameterError(f"a replay has no option {name!r}.{did_you_mean(name, OPTIONS)}")
    for name, value in about.objects.items():
        if name not in options:
            raise ParameterError(
                f"the run had {name}={value}, which a recording cannot keep. Give the same again: "
                f"replay(..., {name}=...), or the run file on the command line."
            )
    opened = to.account_of(account, instruments)
    return BacktestSettings.of(
        **{**about.options, **options},
        cash=opened.initial_cash,
        leverage=opened.leverage,
        margin=opened.terms if isinstance(opened, MarginPortfolio) else None,
        compensates=account.compensates or None,
        events=True,
    )


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
