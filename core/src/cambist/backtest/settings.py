"""How a backtest is set up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from math import inf
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any, TypedDict

import attrs

from cambist.data.given_calendars import check_calendar
from cambist.errors import ParameterError, did_you_mean
from cambist.model.calendar import Calendar
from cambist.model.margin import Margin
from cambist.model.market_rules import MarketRules
from cambist.model.times import MINUTE_NS, duration_ns, to_ns
from cambist.portfolio.interest import Interest
from cambist.simulation.latency import LatencyModel, latency_model
from cambist.simulation.queue import CancelModel, cancel_model
from cambist.simulation.rejection import RejectionModel, rejection_model
from cambist.simulation.rules import MarketFill, StopTrigger, VenueRules

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from cambist.observe.event_sinks import NamedSink
    from cambist.ports.broker import BrokerFactory
    from cambist.ports.risk import RiskRule
    from cambist.ports.sink import EventSink
    from cambist.simulation.fees import FeeModel
    from cambist.simulation.fillers import VolumeFiller
    from cambist.simulation.market_rules import MarketRulesBySymbol
    from cambist.simulation.paths import IntrabarPath
    from cambist.simulation.slippage import BarSlippageModel, SlippageModel
    from cambist.strategies.sizers import Sizer

__all__ = ["BacktestOptions", "BacktestSettings"]

RULES = ("cambist", "backtrader")
#: Options that backtrader's broker does not have, and the one value that does not ask for them.
_FIXED_BY_BACKTRADER: dict[str, object] = {
    "path": "nearer_first",
    "fill_on_touch": True,
    "leverage": 1.0,
    "margin": None,
    "marks": None,
    "funding": None,
    "actions": None,
    "latency": None,
    "rejection": None,
    "book_cancels": "behind",
    "market_rules": None,
}


#: Options of the simulated venue, and of what hangs together with it, which no other broker is asked for.
_OF_SIMULATED = frozenset(
    {
        *("rules", "slippage", "market_fill", "cheat_on_open", "path", "volume_limit", "fill_on_touch"),
        *("stop_trigger", "latency", "rejection", "book_cancels", "market_rules", "record", "margin", "marks"),
        *("funding", "actions", "accounts", "compensates"),
    }
)


class BacktestOptions(TypedDict, total=False):
    """The keywords of `cambist.backtest` that are settings; `BacktestSettings` says what each means."""

    cash: float | Mapping[str, float]
    currency: str | None
    rates: Mapping[str, Any] | None
    conversion_fee: float
    fees: float | str | Mapping[str, Any] | FeeModel | None
    slippage: float | str | Mapping[str, Any] | SlippageModel | BarSlippageModel | None
    rules: str
    market_fill: str
    cheat_on_open: bool
    path: str | Mapping[str, Any] | IntrabarPath
    volume_limit: float | str | Mapping[str, Any] | VolumeFiller | Callable[..., float] | None
    fill_on_touch: bool
    stop_trigger: str
    latency: str | int | timedelta | Mapping[str, Any] | LatencyModel | None
    rejection: float | str | Mapping[str, Any] | RejectionModel | None
    book_cancels: str | CancelModel
    market_rules: MarketRules | MarketRulesBySymbol | str | Mapping[str, Any] | None
    leverage: float
    margin: Margin | None
    marks: Mapping[str, Any] | None
    funding: Mapping[str, Any] | None
    actions: Mapping[str, Any] | None
    compensates: Mapping[str, str] | None
    interest: Interest | Mapping[str, Interest] | None
    cash_flows: Sequence[tuple[Any, ...]]
    accounts: Mapping[str, float | Mapping[str, float]] | None
    sizer: Sizer | None
    risk: Sequence[RiskRule]
    seed: int
    benchmark: bool
    events: bool
    blocks: bool
    journal: str | PathLike[str] | None
    sinks: Sequence[EventSink | NamedSink]
    broker: BrokerFactory | None
    record: bool
    record_lines: Sequence[str]
    snapshots: str | int | timedelta | None
    periods_per_year: float | None
    calendar: str | Calendar | Mapping[str, str | Calendar] | None


def _number(name: str, *, above: float = -inf) -> Callable[[Any, Any, Any], None]:
    def check(_instance: Any, _attribute: Any, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not above < value < inf:
            raise ParameterError(f"{name} is {value!r}; it must be a finite number above {above:g}.")

    return check


def _folder(value: str | PathLike[str] | None) -> str | None:
    return None if value is None else fspath(value)


def _names(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else value


def _lines(_instance: Any, _attribute: Any, value: Any) -> None:
    if not isinstance(value, tuple) or not all(isinstance(name, str) and name for name in value):
        raise ParameterError(f"record_lines is {value!r}; give a list of names: ['fast', 'slow'].")


def _snapshots(_instance: Any, _attribute: Any, value: Any) -> None:
    if value is not None and duration_ns(value) < MINUTE_NS:
        raise ParameterError(f"snapshots is {value!r}; give a minute at least: '1h'.")


def _check_cash(what: str, value: Any) -> None:
    amounts = list(value.values()) if isinstance(value, Mapping) else [value]
    for amount in amounts:
        if isinstance(amount, bool) or not isinstance(amount, int | float) or not 0.0 <= amount < inf:
            raise ParameterError(f"{what} {value!r}; it must be a positive amount of money, or one for each asset.")
    if not any(amounts):
        raise ParameterError(f"{what} {value!r}; it must be a positive amount of money, or one for each asset.")


def _cash(_instance: Any, _attribute: Any, value: Any) -> None:
    if isinstance(value, Mapping):
        _check_cash("cash is", value)
    else:
        _number("cash", above=0.0)(_instance, _attribute, value)


def _currency(_instance: Any, _attribute: Any, value: Any) -> None:
    if value is not None and (not isinstance(value, str) or not value):
        raise ParameterError(f"currency is {value!r}; give the name of an asset, such as 'USDT'.")


def _rates(_instance: Any, _attribute: Any, value: Any) -> None:
    if value is not None and (not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value)):
        raise ParameterError(f"rates is {value!r}; give them by asset: {{'EUR': series}}.")


def _fraction(name: str) -> Callable[[Any, Any, Any], None]:
    def check(_instance: Any, _attribute: Any, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value < 1.0:
            raise ParameterError(f"{name} is {value!r}; it is a fraction: 0.001 is 0.1 %.")

    return check


def _one_of(name: str, known: Sequence[str]) -> Callable[[Any, Any, Any], None]:
    def check(_instance: Any, _attribute: Any, value: Any) -> None:
        if value not in known:
            raise ParameterError(f"{name} is {value!r}.{did_you_mean(str(value), known)}")

    return check


def _sizer(_instance: Any, _attribute: Any, value: Any) -> None:
    if value is not None and (isinstance(value, type) or not callable(getattr(value, "size", None))):
        raise ParameterError(f"sizer is {value!r}; give a sizer such as FixedSize(10) or AllIn().")


def _calendar(_instance: Any, _attribute: Any, value: Any) -> None:
    check_calendar(value)


def _margin(_instance: Any, _attribute: Any, value: Any) -> None:
    if value is not None and not isinstance(value, Margin):
        raise ParameterError(f"margin is {value!r}; give one such as Margin(mode='isolated', leverage=10).")


def _interest(_instance: Any, _attribute: Any, value: Any) -> None:
    for one in value.values() if isinstance(value, Mapping) else [value]:
        if one is not None and not isinstance(one, Interest):
            raise ParameterError(
                f"interest is {value!r}; give one such as Interest(short=0.02), or one for each asset."
            )


def _flows(_instance: Any, _attribute: Any, value: Any) -> None:
    for flow in value if isinstance(value, list | tuple) else [value]:
        if not isinstance(flow, list | tuple) or len(flow) not in (2, 3, 4):
            raise ParameterError(f"cash_flows holds {flow!r}; give a list of times and amounts: [('2024-03-01', 500)].")
        to_ns(flow[0])
        amount = flow[1]
        if isinstance(amount, bool) or not isinstance(amount, int | float) or amount == 0 or not -inf < amount < inf:
            raise ParameterError(f"cash_flows holds the amount {amount!r}; give a number, negative to take out.")


def _accounts(_instance: Any, _attribute: Any, value: Any) -> None:
    if value is None:
        return
    if not isinstance(value, Mapping) or not value:
        raise ParameterError(f"accounts is {value!r}; give cash by the name of the strategy: {{'Trend': 60_000}}.")
    for name, cash in value.items():
        _check_cash(f"accounts gives {name!r} the cash", cash)


def _by_symbol(name: str) -> Callable[[Any, Any, Any], None]:
    def check(_instance: Any, _attribute: Any, value: Any) -> None:
        if value is not None and not isinstance(value, Mapping):
            raise ParameterError(f"{name} is a {type(value).__name__}; give a dict by symbol: {{'BTCUSDT': ...}}.")

    return check


def _sinks(_instance: Any, _attribute: Any, value: Any) -> None:
    if value:
        from cambist.observe.event_sinks import named_sinks

        named_sinks(value if isinstance(value, list | tuple) else [value])


def _broker(_instance: Any, _attribute: Any, value: Any) -> None:
    if value is not None and not callable(value):
        raise ParameterError(f"broker is {value!r}; give what makes one: a class, or partial(MyBroker, fee=1.0).")


def _check_broker(settings: BacktestSettings) -> None:
    """See that nothing is asked of the simulated venue where another broker takes the orders."""
    for field in attrs.fields(BacktestSettings):
        if field.name in _OF_SIMULATED and getattr(settings, field.name) != field.default:
            raise ParameterError(
                f"{field.name} is {getattr(settings, field.name)!r}, which is for the simulated venue, and another "
                f"broker takes the orders. Leave {field.name} out, or broker."
            )


def _rules(_instance: Any, _attribute: Any, value: Any) -> None:
    for rule in value if isinstance(value, list | tuple) else [value]:
        if isinstance(rule, type) or not callable(getattr(rule, "review", None)):
            raise ParameterError(f"risk holds {rule!r}; give a list of risk rules, such as [MaxPositionRule(10)].")


@attrs.frozen(kw_only=True)
class BacktestSettings:
    """The account, the venue and the manner of a backtest.

    Attributes
    ----------
    cash
        Money at the start, in the instruments' settlement asset; or by asset, ``{"USDT": 10_000, "BTC": 0.5}``, for an
        account that holds several.
    currency
        In which such an account reckons and reports. Default: the first that `cash` names.
    rates
        What an asset is worth, beyond what the run's instruments tell: ``{"EUR": series}`` in the currency, or
        ``{"EUR/GBP": series}``; a Series, a tuple ``(times, prices)``, `Bars`, or a number that stays.
    conversion_fee
        What `Strategy.convert` costs, as a fraction of what is converted.
    fees
        A fraction of the value traded (0.001 is 0.1 %), a `FeeModel`, a name or table as in a run file, such as
        ``{"use": "per-order", "minimum": 1.0}``, or None for each instrument's own rates.
    slippage
        A fraction of the price, a model, a name or table as in a run file, or None.
    rules
        ``"cambist"``, or ``"backtrader"`` to match orders exactly as backtrader's broker does; the differences
        are listed in the documentation.
    market_fill
        ``"next_open"`` or ``"this_close"``; see `MarketFill`.
    cheat_on_open
        Call `Strategy.on_open` when a bar opens, before it is matched, with its open: orders sent from there take part
        in that very bar. The series must be of one timeframe, and their bars must not open inside each other.
    path
        ``"nearer_first"``, ``"pessimistic"`` or a function; see `cambist.simulation.paths`.
    volume_limit
        How much of a bar our fills may take: a fraction of its volume, a `VolumeFiller`, a name or table as in a run
        file, a function ``(order, price, bar) -> size``, or None for no limit. On trades and quotes: a fraction of a
        trade's size, or of what a quote displays; 1 is all of it.
    fill_on_touch
        Whether a limit trades when the price only touches it.
    latency
        How long a request takes to reach the venue: ``"50ms"``, a ``timedelta``, a `LatencyModel`, a table as in a run
        file, or None for no time.
    rejection
        The fraction of new orders that the venue refuses, a `RejectionModel`, a table as in a run file, or None.
    book_cancels
        On order books: who leaves when a level shrinks without a trade, those ``"behind"`` our order in the line, or
        some of everybody (``"spread"``), or a function; see `cambist.simulation.CancelModel`.
    market_rules
        What the market of a stock demands: `MarketRules`, a name such as ``"us-equities"``, a table as in a run file,
        such as ``{"use": "a-shares", "board": "star"}``, a dict of these by symbol, or None for no demands.
    stop_trigger
        On trades and quotes: ``"auto"``, ``"last"`` or ``"quote"``; see `StopTrigger`.
    leverage
        How many times its equity the account may hold of instruments paid in full; margined instruments have
        a margin rate of their own.
    margin
        How margined instruments are traded: leverage, maintenance margin, liquidation. None: initial margin is
        checked at each fill, and nothing is liquidated.
    marks
        Mark prices by symbol where they differ from the close: `Bars`, a DataFrame with ``high, low, close`` by
        close time, a Series, or a tuple ``(times, prices)``. They decide margin, liquidation, funding and equity.
    funding
        Funding rates of perpetuals by symbol: a DataFrame with ``rate`` and perhaps ``mark`` by time, a Series, or a
        tuple ``(times, rates[, marks])``; None for a perpetual that is to be traded without.
    actions
        Dividends and splits by symbol: a DataFrame with ``dividend`` (money for each share) and ``split`` (new shares
        for each old one), or either, by ex-time.
    compensates
        By symbol the instrument whose position its orders change, as ``data0.compensate(data1)`` does in backtrader:
        ``{"ES-C": "ES"}``.
    interest
        What is paid for borrowed instruments and earned on cash, see `Interest`; by asset where they differ.
    cash_flows
        Deposits and (negative) withdrawals: ``[("2024-03-01", 5_000), ...]``. A third entry names the account, in a run
        that has several, or the asset; a fourth the asset where the third is the account.
    accounts
        Cash by the name of the strategy, each as `cash`: those that are named trade in an account of their own, the
        others share one with `cash`, which is called ``"main"``.
    sizer
        For strategies that bring none of their own; one unit by default.
    risk
        Rules beyond those that every order must pass.
    seed
        Of the run's chance.
    benchmark
        Reckon buying and holding beside it.
    events
        Play every bar as an event through the kernel, as a live run does: slower, same result.
    blocks
        Read the data block by block in flat memory; the equity frame then has one row a day.
    journal
        A folder for a journal of the run, as a live run writes it, or None. It needs `events`, and a folder of its own.
    sinks
        What is told of all that a journal would hold, see `cambist.api.EventSink`. They need `events`.
    broker
        In place of the simulated venue what takes the orders: called as ``broker(instruments, account, deliver,
        clock)``, see `cambist.api.BrokerFactory`. Fees and fills are its business; `fees` says what to reckon with.
    record
        Keep, beside the journal, what the market did as well, so that `cambist.replay` can repeat the run.
    record_lines
        Lines of the strategies to keep at every bar, by the names of the attributes they are in, ``["fast", "slow"]``:
        they are in `Result.signals`. See `Strategy.named_lines`.
    snapshots
        How often the account is to be looked at, with what it holds: ``"1h"``, ``"1d"``, at least a minute. A period
        ends on the clock of UTC; its snapshot is of the last bar or event in it. They are in `Result.snapshots` and
        `Result.position_snapshots`. None: a storage has the end of each UTC day.
    periods_per_year
        For ratios of return to risk, where the calendar of the market is known better than the data can tell.
    calendar
        By whose sessions timers go, day orders end and orders for the close trade: a name for `load_calendar`, such as
        ``"XNYS"``, a `Calendar`, or a dict of them by symbol. Default: what each instrument names, else days of UTC.
    """

    cash: float | Mapping[str, float] = attrs.field(default=100_000.0, validator=_cash)
    currency: str | None = attrs.field(default=None, validator=_currency)
    rates: Mapping[str, Any] | None = attrs.field(default=None, validator=_rates)
    conversion_fee: float = attrs.field(default=0.0, validator=_fraction("conversion_fee"))
    fees: float | str | Mapping[str, Any] | FeeModel | None = 0.0
    slippage: float | str | Mapping[str, Any] | SlippageModel | BarSlippageModel | None = None
    rules: str = attrs.field(default="cambist", validator=_one_of("rules", RULES))
    market_fill: str = attrs.field(default="next_open", validator=_one_of("market_fill", list(MarketFill)))
    cheat_on_open: bool = False
    path: str | Mapping[str, Any] | IntrabarPath = "nearer_first"
    volume_limit: float | str | Mapping[str, Any] | VolumeFiller | Callable[..., float] | None = None
    fill_on_touch: bool = True
    stop_trigger: str = attrs.field(default="auto", validator=_one_of("stop_trigger", list(StopTrigger)))
    latency: str | int | timedelta | Mapping[str, Any] | LatencyModel | None = None
    rejection: float | str | Mapping[str, Any] | RejectionModel | None = None
    book_cancels: str | CancelModel = "behind"
    market_rules: MarketRules | MarketRulesBySymbol | str | Mapping[str, Any] | None = None
    leverage: float = attrs.field(default=1.0, validator=_number("leverage", above=0.0))
    margin: Margin | None = attrs.field(default=None, validator=_margin)
    marks: Mapping[str, Any] | None = attrs.field(default=None, validator=_by_symbol("marks"))
    funding: Mapping[str, Any] | None = attrs.field(default=None, validator=_by_symbol("funding"))
    actions: Mapping[str, Any] | None = attrs.field(default=None, validator=_by_symbol("actions"))
    compensates: Mapping[str, str] | None = attrs.field(default=None, validator=_by_symbol("compensates"))
    interest: Interest | Mapping[str, Interest] | None = attrs.field(default=None, validator=_interest)
    cash_flows: Sequence[tuple[Any, ...]] = attrs.field(default=(), validator=_flows)
    accounts: Mapping[str, float | Mapping[str, float]] | None = attrs.field(default=None, validator=_accounts)
    sizer: Sizer | None = attrs.field(default=None, validator=_sizer)
    risk: Sequence[RiskRule] = attrs.field(default=(), validator=_rules)
    seed: int = 0
    benchmark: bool = True
    events: bool = False
    blocks: bool = False
    journal: str | None = attrs.field(default=None, converter=_folder)
    sinks: Sequence[EventSink | NamedSink] = attrs.field(default=(), validator=_sinks)
    broker: BrokerFactory | None = attrs.field(default=None, validator=_broker)
    record: bool = False
    record_lines: Sequence[str] = attrs.field(default=(), converter=_names, validator=_lines)
    snapshots: str | int | timedelta | None = attrs.field(default=None, validator=_snapshots)
    periods_per_year: float | None = None
    calendar: str | Calendar | Mapping[str, str | Calendar] | None = attrs.field(default=None, validator=_calendar)

    @classmethod
    def of(cls, **options: Any) -> BacktestSettings:
        """Make settings of keywords.

        Raises
        ------
        ParameterError
            For an unknown keyword, with a suggestion, or a value out of range.
        """
        known = [field.name for field in attrs.fields(cls)]
        for name in options:
            if name not in known:
                raise ParameterError(f"a backtest has no option {name!r}.{did_you_mean(name, known)}")
        return cls(**options)

    def __attrs_post_init__(self) -> None:
        if self.journal is not None and not self.events:
            raise ParameterError(
                f"journal is {self.journal!r} in a run that makes no events. Add events=True: slower, same result."
            )
        if self.sinks and not self.events:
            raise ParameterError("sinks are told of events, and this run makes none. Add events=True: same result.")
        if self.broker is not None:
            _check_broker(self)
        if self.record and self.journal is None:
            raise ParameterError("record is True in a run without a journal. Name a folder: journal='journal'.")
        latency_model(self.latency)
        rejection_model(self.rejection)
        cancel_model(self.book_cancels)
        if self.market_rules is not None:
            from cambist.simulation.market_rules import market_rules

            market_rules(self.market_rules)
        for name in ("margin", "market_rules") if self.compensates else ():
            if getattr(self, name) is not None:
                raise ParameterError(
                    f"compensates has one instrument held as another, and {name} goes by each by itself. Leave one of "
                    "them out."
                )
        if self.cheat_on_open and self.market_fill != "next_open":
            raise ParameterError(
                f"market_fill is {self.market_fill!r} and cheat_on_open is True: two ways to trade at a price that is "
                "already known. Choose one of them."
            )
        if self.is_compatible:
            for name, only in _FIXED_BY_BACKTRADER.items():
                value = getattr(self, name)
                if value != only:
                    raise ParameterError(
                        f"{name} is {value!r}; backtrader's broker knows nothing like it. Leave {name} out, or rules."
                    )

    @property
    def keeps_records(self) -> bool:
        """Whether somebody wants to know all that happens: a journal, or sinks."""
        return self.journal is not None or bool(self.sinks)

    @property
    def is_compatible(self) -> bool:
        """Whether orders are matched by backtrader's rules."""
        return self.rules == "backtrader"

    def venue_rules(self) -> VenueRules:
        """Return the rules of the simulated venue, for one run: models that remember begin anew."""
        return VenueRules.read(
            fees=self.fees,
            slippage=self.slippage,
            path=self.path,
            market_fill=self.market_fill,
            volume_limit=self.volume_limit,
            fill_on_touch=self.fill_on_touch,
            stop_trigger=self.stop_trigger,
        )

    def describe(self) -> dict[str, object]:
        """Return the settings as they go into a result, fit for JSON."""
        return {field.name: _plain(getattr(self, field.name)) for field in attrs.fields(type(self))}


def _plain(value: object) -> object:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):  # of data by symbol, which a result does not repeat
        kept = (str, int, float, bool, Calendar, MarketRules, type(None))
        return {
            str(name): _plain(item) if isinstance(item, kept) else type(item).__name__ for name, item in value.items()
        }
    return getattr(value, "__name__", None) or repr(value)
