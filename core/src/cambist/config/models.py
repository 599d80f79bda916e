"""The tables of a run file, as pydantic models."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from math import inf
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from cambist.config.environments import Environment  # noqa: TC001 - pydantic reads the annotations
from cambist.model.timeframe import Timeframe
from cambist.model.times import to_ns

__all__ = [
    "AccountTable",
    "CashFlowTable",
    "ComponentTable",
    "ControlTable",
    "DataTable",
    "DeleveragedTable",
    "DeleveragingTable",
    "FixedFees",
    "HistoryTable",
    "InstrumentTable",
    "InterestTable",
    "LiveTable",
    "MakerTakerFees",
    "MarginTable",
    "ModelTable",
    "NotifyTable",
    "OutputTable",
    "PaperTable",
    "PlannedMarginTable",
    "ResendTable",
    "RunFile",
    "RunTable",
    "StrategyTable",
    "TierTable",
    "VenueTable",
]


class _Table(BaseModel):
    """A table that takes the keys it declares and no others, and does not turn texts into numbers."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _OpenTable(BaseModel):
    """A table that also holds the settings of the component it names; `extra` has those, checked elsewhere."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    @property
    def extra(self) -> dict[str, Any]:
        """The keys that are not declared here."""
        return dict(self.model_extra or {})


def _decimal(value: Any) -> Any:
    """Take what a person wrote: ``0.1`` means the decimal 0.1."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return value
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise ValueError("it takes a number, such as 0.01") from None


def _timeframe(value: str) -> str:
    Timeframe.parse(value)
    return value


Exact = Annotated[Decimal, BeforeValidator(_decimal), Field(gt=0, allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Rate = Annotated[float, Field(gt=-1, lt=1)]
ModelName = Annotated[str, Field(min_length=1)]
TimeframeText = Annotated[str, AfterValidator(_timeframe)]


class StrategyTable(_Table):
    """``[strategy]``: what trades. Several, in one account, are written as ``[[strategy]]``."""

    use: str = Field(min_length=1, description="file.py, file.py:Class, package.module:Class, or a registered name")
    name: str = Field(default="", description="what it is called in the result; its class's name by default")
    parameters: dict[str, Any] = Field(default_factory=dict, description="values for what its class declares")
    missing_bars: Literal["skip", "fill", "hold"] | None = Field(
        default=None, description="as in [live], for this strategy; so are the next two"
    )
    check_bars: bool | None = None
    bar_policy: dict[str, str] | None = None


class HistoryTable(_Table):
    """``[[history]]``: recorded fills or orders that are run beside the strategies, or alone."""

    fills: str | None = Field(default=None, min_length=1, description="booked as they were: a file or a saved result")
    orders: str | None = Field(default=None, min_length=1, description="sent again: a file or a saved result")
    strategy: str = Field(default="", description="of a saved result, only those of this strategy")
    name: str = Field(default="", description="what it is called in the result")


class InstrumentTable(_Table):
    """``[data.instrument]``: what was traded; see `cambist.Instrument`."""

    symbol: str | None = Field(default=None, min_length=1)
    kind: Literal["spot", "equity", "fx", "future", "linear_perpetual", "inverse_perpetual"] = "spot"
    venue: str = ""
    base: str = ""
    quote: str = "USD"
    settle: str | None = Field(default=None, min_length=1)
    tick_size: Exact | None = None
    step_size: Exact = Decimal("1e-8")
    min_size: Exact | None = None
    max_size: Exact | None = None
    min_notional: Exact | None = None
    multiplier: Positive = 1.0
    margin_rate: Positive = 1.0
    maker_fee: Rate = 0.0
    taker_fee: Rate = 0.0
    calendar: str = ""


Listen = Annotated[
    list[Literal["bars", "ticks", "quotes", "book"]],
    BeforeValidator(lambda said: [said] if isinstance(said, str) else said),
    Field(min_length=1),
]


class DataTable(_OpenTable):
    """``[[data]]``: one series of bars, and the settings of its feed where a feed opens it."""

    source: str | None = Field(
        default=None, min_length=1, description="a CSV or Parquet file, or FEED:SERIES; a live run needs none"
    )
    symbol: str | None = Field(default=None, min_length=1)
    timeframe: TimeframeText | None = None
    instrument: InstrumentTable | None = None
    magnify: str | None = Field(default=None, min_length=1, description="finer bars to match by, as source")
    repair: dict[str, str] = Field(default={}, description="what is done about defects of the bars, RULE = ACTION")
    listen: Listen = Field(default=["bars"], description="what a live run listens to: bars, ticks, quotes, book")


def _moment(value: Any) -> Any:
    to_ns(value)
    return value


Share = Annotated[float, Field(ge=0, lt=1)]
Moment = Annotated[Any, AfterValidator(_moment)]


class TierTable(_Table):
    """``[[account.margin.tiers]]``; see `cambist.MarginTier`."""

    up_to: Annotated[float, Field(gt=0)] = inf
    maintenance_rate: Share
    max_leverage: Positive | None = None


class DeleveragedTable(_Table):
    """``[[account.margin.deleveraging.events]]``: a position in profit that the venue closed."""

    date: Moment
    symbol: str = Field(min_length=1)
    share: Annotated[float, Field(gt=0, le=1)]
    price: Positive | None = None


class DeleveragingTable(_Table):
    """``[account.margin.deleveraging]``; see `cambist.model.Deleveraging`."""

    events: list[DeleveragedTable] = Field(default=[])
    probability: Annotated[float, Field(ge=0, le=1)] = 0.0
    move: Annotated[float, Field(ge=0, le=1)] = 0.05
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    distance: Annotated[float, Field(ge=0, le=1)] = 0.0


class PlannedMarginTable(_Table):
    """``[[account.margin.planned]]``: margin to be added to a position, or with a negative amount taken out."""

    date: Moment
    symbol: str = Field(min_length=1, description="of the position; 'BTCUSDT long' for one side of a hedged one")
    amount: Number


class MarginTable(_Table):
    """``[account.margin]``; see `cambist.Margin`."""

    mode: Literal["cross", "isolated"] = "cross"
    leverage: Positive | None = None
    leverages: dict[str, Positive] = Field(default_factory=dict, description="by symbol, in place of `leverage`")
    maintenance: Share | None = None
    tiers: list[TierTable] = Field(default_factory=list, description="in place of `maintenance`")
    maintenance_on: Literal["mark", "entry"] = "mark"
    closing_fee: Share = 0.0
    liquidation_fee: Share = 0.0
    liquidate_at: Literal["mark", "bankruptcy"] = "mark"
    position_mode: Literal["one-way", "hedge"] = "one-way"
    liquidation: Literal["full", "by_tier"] = "full"
    deleveraging: DeleveragingTable | None = None
    planned: list[PlannedMarginTable] = Field(default=[], description="margin added to isolated positions")


class InterestTable(_Table):
    """``[account.interest]``: rates a year; see `cambist.Interest`."""

    short: Annotated[float, Field(gt=-10, lt=10)] = 0.0
    long: Annotated[float, Field(gt=-10, lt=10)] = 0.0
    cash: Annotated[float, Field(gt=-10, lt=10)] = 0.0
    debit: Annotated[float, Field(gt=-10, lt=10)] = 0.0
    day_count: Annotated[float, Field(gt=0, lt=1000)] = 365.0
    value: Literal["market", "entry"] = "market"


class CashFlowTable(_Table):
    """``[[account.cash_flows]]``: a deposit, or with a negative amount a withdrawal."""

    date: Moment
    amount: Number
    account: Annotated[str, Field(min_length=1)] | None = None
    asset: Annotated[str, Field(min_length=1)] | None = None


Cash = Annotated[
    Annotated[Positive, Tag("<amount")]
    | Annotated[dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]], Tag("<assets")],
    Discriminator(lambda value: "<assets" if isinstance(value, dict) else "<amount"),
]


class AccountTable(_Table):
    """``[account]``."""

    cash: Cash = Field(default=100_000.0, description="a number, or one for each asset")
    currency: Annotated[str, Field(min_length=1)] | None = None
    rates: dict[str, Positive] | None = Field(default=None, description="numbers that stay, by asset")
    conversion_fee: Share = 0.0
    leverage: Positive = 1.0
    margin: MarginTable | None = None
    interest: InterestTable | None = None
    cash_flows: list[CashFlowTable] = Field(default=[])
    accounts: dict[str, Cash] | None = Field(default=None, min_length=1, description="cash by name of the strategy")
    compensates: dict[str, Annotated[str, Field(min_length=1)]] | None = Field(
        default=None, description="by symbol the instrument whose position its orders change"
    )


class ModelTable(_OpenTable):
    """``{ use = "per-order", minimum = 1.0 }``: a simulation model by name, and its settings."""

    use: str = Field(min_length=1)


class MakerTakerFees(_Table):
    """``fees = { maker = 0.0002, taker = 0.0005 }``: fractions of the value traded."""

    maker: Rate
    taker: Rate


class FixedFees(_Table):
    """``fees = { per_unit = 0.005, per_fill = 1.0 }``: amounts of money."""

    per_unit: Number = 0.0
    per_fill: Number = 0.0


class PercentSlippageTable(_Table):
    """``slippage = { rate = 0.0005 }``: a fraction of the price."""

    rate: Annotated[float, Field(ge=0, lt=1)]


class FixedSlippageTable(_Table):
    """``slippage = { amount = 0.01 }``: an amount of money for each unit."""

    amount: Annotated[float, Field(ge=0, allow_inf_nan=False)]


# A union is told apart here, so that a mistake is told once, and not once for each member of the union. The tags begin
# with a sign that no key has, which takes them out of the way to a value.
def _model_kind(value: Any) -> str:
    """Return the tag of a simulation model by its name, alone or in a table with settings; ``""`` for anything else."""
    return "<name" if isinstance(value, str) else "<model" if isinstance(value, dict) else ""


def _fees_kind(value: Any) -> str:
    if isinstance(value, dict) and "use" not in value:
        return "<maker-taker" if {"maker", "taker"} & set(value) else "<fixed"
    return _model_kind(value) or "<rate"


def _slippage_kind(value: Any) -> str:
    if isinstance(value, dict) and "use" not in value:
        return "<percent" if "rate" in value else "<fixed"
    return _model_kind(value) or "<rate"


Fees = Annotated[
    Annotated[Rate, Tag("<rate")]
    | Annotated[MakerTakerFees, Tag("<maker-taker")]
    | Annotated[FixedFees, Tag("<fixed")]
    | Annotated[ModelName, Tag("<name")]
    | Annotated[ModelTable, Tag("<model")],
    Discriminator(_fees_kind),
]
Slippage = Annotated[
    Annotated[Annotated[float, Field(ge=0, lt=1)], Tag("<rate")]
    | Annotated[PercentSlippageTable, Tag("<percent")]
    | Annotated[FixedSlippageTable, Tag("<fixed")]
    | Annotated[ModelName, Tag("<name")]
    | Annotated[ModelTable, Tag("<model")],
    Discriminator(_slippage_kind),
]


VolumeLimit = Annotated[
    Annotated[Annotated[float, Field(gt=0, le=1)], Tag("<rate")]
    | Annotated[ModelName, Tag("<name")]
    | Annotated[ModelTable, Tag("<model")],
    Discriminator(lambda value: _model_kind(value) or "<rate"),
]


Rejection = Annotated[
    Annotated[Annotated[float, Field(ge=0, le=1)], Tag("<rate")]
    | Annotated[ModelName, Tag("<name")]
    | Annotated[ModelTable, Tag("<model")],
    Discriminator(lambda value: _model_kind(value) or "<rate"),
]
ByName = Annotated[
    Annotated[ModelName, Tag("<name")] | Annotated[ModelTable, Tag("<model")],
    Discriminator(lambda value: _model_kind(value) or "<name"),
]


class VenueTable(_Table):
    """``[venue]``: what the simulated venue charges and how it matches; see `cambist.BacktestSettings`."""

    fees: Fees = Field(default=0.0, description="a fraction, {maker, taker}, {per_unit, per_fill}, or a model")
    slippage: Slippage = Field(default=0.0, description="a fraction of the price, {rate}, {amount}, or a model")
    rules: Literal["cambist", "backtrader"] = "cambist"
    market_fill: Literal["next_open", "this_close"] = "next_open"
    cheat_on_open: bool = Field(default=False, description="call on_open with the open of each bar, before it trades")
    path: ByName = Field(default="nearer_first", description="a model by name")
    volume_limit: VolumeLimit | None = Field(default=None, description="a fraction of each bar's volume, or a model")
    fill_on_touch: bool = True
    latency: ByName | None = Field(default=None, description='a length of time such as "50ms", or a model')
    rejection: Rejection | None = Field(default=None, description="the fraction of new orders refused, or a model")
    market_rules: ByName | None = Field(default=None, description="what the market of a stock demands, by name")


class ComponentTable(_OpenTable):
    """``[[risk]]`` and ``[sizer]``: a registered component and its settings."""

    use: str = Field(min_length=1)


class OutputTable(_Table):
    """``[output]``."""

    dir: str | None = Field(default=None, min_length=1, description="where the result is written")
    format: Literal["csv", "parquet", "json"] = Field(default="csv", description="of the tables there")


class StorageTable(_Table):
    """``[storage]``."""

    url: str | None = Field(default=None, min_length=1, description="where runs are kept: sqlite:///runs.db")
    snapshots: str | None = Field(default=None, min_length=1, description="how often the account is looked at: 1h")


class RunTable(_Table):
    """``[run]``."""

    seed: int = 0
    blocks: bool = False
    benchmark: bool = True
    events: bool = False
    journal: str | None = Field(default=None, min_length=1, description="a new folder for a journal; needs events")
    record_lines: list[Annotated[str, Field(min_length=1)]] = Field(
        default=[], description="lines of the strategies to keep at every bar, by name"
    )
    record: bool = Field(default=False, description="keep what the market did beside the journal, to replay the run")
    periods_per_year: Positive | None = None
    calendar: Annotated[str, Field(min_length=1)] | None = None


class ResendTable(_Table):
    """``resend = { stop = { within = 60 } }``: how long an order of a kind is sent again; both bounds hold."""

    attempts: Annotated[int, Field(ge=0)] | None = None
    within: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None


class ControlTable(_Table):
    """``[live.control]``: how a live run is operated and watched over; see `cambist.live.control.ControlSettings`."""

    warn_after: Positive = Field(default=2.0, description="seconds, like all that follow")
    cancel_after: Positive | None = None
    exit_after: Positive | None = None
    patience: Positive = 2.0
    clear_within: Positive = 20.0
    on_signal: bool = True


class _RunningTable(_Table):
    """What ``[live]`` and ``[paper]`` have in common; times in seconds."""

    currency: str | None = Field(default=None, min_length=1)
    on_stop: Literal["cancel", "keep", "flatten"] = "cancel"
    step_timeout: Positive = 5.0
    on_failure: Literal["keep", "cancel_opening", "cancel", "flatten"] = "cancel_opening"
    ready_within: Positive = 90.0
    drain_within: Positive = 15.0
    close_within: Positive = 10.0
    audit_every: Positive = 60.0
    journal_slow_after: Positive = 2.0
    snapshot_every: Positive = 900.0
    snapshot_records: Annotated[int, Field(ge=1)] = 20_000
    keep_segments: Annotated[int, Field(ge=1)] | None = None
    keep_orders: Annotated[int, Field(ge=1)] = 10_000
    keep_bars: Annotated[int, Field(ge=1, le=65_536)] = 65_536
    stale_after: Annotated[float, Field(gt=0)] = 60.0
    late_bars_after: Positive = 10.0
    missing_bars: Literal["skip", "fill", "hold"] = "skip"
    check_bars: bool = Field(default=False, description="hold every bar against the rules of data quality")
    bar_policy: dict[str, str] = Field(default={}, description="what is done about a bar that breaks RULE = ACTION")
    anchor_bars: Annotated[int, Field(ge=1)] = 100_000
    rules_every: Positive = 300.0
    unprotected_within: Positive = 2.0
    resend: dict[Literal["entry", "reduce", "stop"], ResendTable] = Field(default_factory=dict)
    record: bool = Field(default=False, description="keep what the market did beside the journal, to replay the run")
    slow_hook: Positive = Field(default=0.25, description="a hook of a strategy that takes longer is told of")
    notify_fills: bool = Field(default=False, description="tell people of fills, too")
    notify_window: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 300.0
    control: ControlTable = ControlTable()


class LiveTable(_RunningTable):
    """``[live]``: the account that a live run trades, and how it behaves; see `cambist.live.LiveSettings`."""

    venue: str = Field(min_length=1, description="a session of an installed plugin, such as binance-spot")
    environment: Environment = Field(description="dev, testnet or production")
    consent: str | None = Field(default=None, description="to real money, in production")
    journal: str = Field(default="journal", min_length=1, description="a folder; a run that is in it goes on")
    on_position: Literal["ask", "adopt", "ignore", "close"] = "ask"
    on_order: Literal["ask", "ignore", "close"] = "ignore"
    on_balance: Literal["adopt", "ignore", "ask"] = "adopt"
    owners: dict[str, Annotated[str, Field(min_length=1)]] = Field(
        default_factory=dict, description="by symbol, the strategy to which positions belong that are taken over"
    )
    tolerances: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = Field(
        default_factory=dict, description="by asset, what may be more or less of it without being told"
    )
    native_groups: bool = Field(default=False, description="leave OCO groups and brackets to the venue, where it can")
    native_trails: bool = Field(default=False, description="leave trailing stops to the venue, where it can")
    liquidation_warnings: list[Share] = Field(
        default=[0.1, 0.05, 0.02], description="distances to the liquidation price, as fractions of the price"
    )
    settings: dict[str, Any] = Field(default_factory=dict, description="the venue's own: keys, address, ...")


class PaperTable(_RunningTable):
    """``[paper]``: a paper run; what is not here is as in ``[live]``, where there is one."""

    venue: str | None = Field(default=None, min_length=1, description="whose market it is; that of [live]")
    journal: str = Field(default="paper-journal", min_length=1, description="a folder; a run that is in it goes on")
    match_by: Listen | None = Field(default=None, description="what orders meet: bars, or any of the others")
    stop_trigger: Literal["auto", "last", "quote"] = "auto"
    book_cancels: Literal["behind", "spread"] = "behind"
    funding: bool = Field(default=True, description="whether perpetuals pay funding, at the rates of the venue")
    marks: Literal["venue", "bars"] = Field(default="venue", description="by which prices futures are liquidated")
    settings: dict[str, Any] | None = Field(default=None, description="the venue's own, without keys; those of [live]")


class NotifyTable(_OpenTable):
    """``[[notify]]``: a channel to people, what it is told, and the settings of its notifier."""

    use: str = Field(min_length=1)
    name: str = Field(default="", description="in logs and in the journal; that of the notifier by default")
    at_least: Literal["info", "warning", "error", "critical"] = "warning"
    only: list[Annotated[str, Field(min_length=1)]] = Field(
        default=[], description="alarms by their words; all if empty"
    )
    capacity: Annotated[int, Field(gt=0)] = 200
    burst: Annotated[int, Field(gt=0)] = 20
    interval: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 3.0
    retry: Positive = 1.0
    retry_at_most: Positive = 60.0
    give_up_after: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 3_600.0


class RunFile(_Table):
    """A whole run file."""

    strategy: list[StrategyTable] = Field(default_factory=list)
    history: list[HistoryTable] = Field(default_factory=list)
    data: list[DataTable] = Field(default_factory=list)
    account: AccountTable = AccountTable()
    venue: VenueTable = VenueTable()
    risk: list[ComponentTable] = Field(default_factory=list)
    sizer: ComponentTable | None = None
    output: OutputTable = OutputTable()
    storage: StorageTable = StorageTable()
    run: RunTable = RunTable()
    live: LiveTable | None = None
    paper: PaperTable | None = None
    notify: list[NotifyTable] = Field(default_factory=list)
    secrets: dict[str, dict[str, Any]] = Field(default_factory=dict, description="settings of providers of secrets")
