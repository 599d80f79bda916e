"""A run file, as pydantic models: the whole of it, and the tables about what trades on what, and what is kept."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from cambist.config.account_tables import (
    AccountTable,
    CashFlowTable,
    DeleveragedTable,
    DeleveragingTable,
    InterestTable,
    MarginTable,
    PlannedMarginTable,
    TierTable,
)
from cambist.config.live_tables import ControlTable, Listen, LiveTable, NotifyTable, PaperTable, ResendTable
from cambist.config.values import Exact, ModelTable, Name, OpenTable, Positive, Rate, Table, TimeframeText, Unit
from cambist.config.venue_tables import FixedFees, MakerTakerFees, VenueTable

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
    "SinkTable",
    "StrategyTable",
    "TierTable",
    "VenueTable",
]


class StrategyTable(Table):
    """``[strategy]``: what trades. Several, in one account, are written as ``[[strategy]]``."""

    use: str = Field(min_length=1, description="file.py, file.py:Class, package.module:Class, or a registered name")
    name: str = Field(default="", description="what it is called in the result; its class's name by default")
    parameters: dict[str, Any] = Field(default_factory=dict, description="values for what its class declares")
    missing_bars: Literal["skip", "fill", "hold"] | None = Field(
        default=None, description="as in [live], for this strategy; so are the next two"
    )
    check_bars: bool | None = Field(default=None, description="as in [live], for this strategy")
    bar_policy: dict[str, str] | None = Field(default=None, description="as in [live], for this strategy")


class HistoryTable(Table):
    """``[[history]]``: recorded fills or orders that are run beside the strategies, or alone."""

    fills: str | None = Field(default=None, min_length=1, description="booked as they were: a file or a saved result")
    orders: str | None = Field(default=None, min_length=1, description="sent again: a file or a saved result")
    strategy: str = Field(default="", description="of a saved result, only those of this strategy")
    name: str = Field(default="", description="what it is called in the result")


class InstrumentTable(Table):
    """``[data.instrument]``: what was traded; see `cambist.Instrument`."""

    symbol: str | None = Field(default=None, min_length=1, description="its name; that of the series by default")
    kind: Literal["spot", "equity", "fx", "future", "linear_perpetual", "inverse_perpetual"] = Field(
        default="spot", description="how it settles: the first three are paid in full, the others post margin"
    )
    venue: str = Field(default="", description="the exchange or broker")
    base: str = Field(default="", description="what is bought")
    quote: str = Field(default="USD", description="what the price counts")
    settle: str | None = Field(
        default=None, min_length=1, description="in which profit and fees are paid; else `quote`"
    )
    tick_size: Annotated[Exact, Unit("price")] | None = Field(default=None, description="smallest step of a price")
    step_size: Annotated[Exact, Unit("size")] = Field(default=Decimal("1e-8"), description="smallest step of a size")
    min_size: Annotated[Exact, Unit("size")] | None = Field(default=None, description="least size of an order")
    max_size: Annotated[Exact, Unit("size")] | None = Field(default=None, description="greatest size of an order")
    min_notional: Annotated[Exact, Unit("money")] | None = Field(default=None, description="least value of an order")
    multiplier: Positive = Field(default=1.0, description="units of `base` in one contract; of an inverse one, `quote`")
    margin_rate: Annotated[Positive, Unit("fraction")] = Field(
        default=1.0, description="initial margin of the notional: 0.1 is a leverage of ten"
    )
    maker_fee: Rate = Field(
        default=0.0, description="of the notional, where the run asks for the instrument's own fees"
    )
    taker_fee: Rate = Field(default=0.0, description="the same of orders that did not rest")
    calendar: str = Field(default="", description='by whose sessions it trades: "XNYS", "24/7"; days of UTC by default')


class DataTable(OpenTable):
    """``[[data]]``: one series of bars, and the settings of its feed where a feed opens it."""

    source: str | None = Field(
        default=None, min_length=1, description="a CSV or Parquet file, or FEED:SERIES; a live run needs none"
    )
    symbol: str | None = Field(default=None, min_length=1, description="its name; told by the source by default")
    timeframe: TimeframeText | None = Field(default=None, description='length of its bars, "1h"; told from the data')
    instrument: InstrumentTable | None = Field(default=None, description="what was traded")
    magnify: str | None = Field(default=None, min_length=1, description="finer bars to match by, as source")
    repair: dict[str, str] = Field(default={}, description="what is done about defects of the bars, RULE = ACTION")
    listen: Listen = Field(default=["bars"], description="what a live run listens to: bars, ticks, quotes, book")


class ComponentTable(OpenTable):
    """``[[risk]]`` and ``[sizer]``: a registered component and its settings."""

    use: str = Field(min_length=1, description="the component, by name; its settings stand beside it")


class OutputTable(Table):
    """``[output]``: where the result of a backtest is written."""

    dir: str | None = Field(default=None, min_length=1, description="where the result is written")
    format: Literal["csv", "parquet", "json"] = Field(default="csv", description="of the tables there")


class StorageTable(Table):
    """``[storage]``: where runs are kept."""

    url: str | None = Field(default=None, min_length=1, description="where runs are kept: sqlite:///runs.db")
    snapshots: str | None = Field(default=None, min_length=1, description="how often the account is looked at: 1h")


class RunTable(Table):
    """``[run]``: how a backtest is run, and what it keeps."""

    seed: int = Field(default=0, description="of the run's only source of chance")
    blocks: bool = Field(default=False, description="read the data block by block: for more than fits into memory")
    benchmark: bool = Field(default=True, description="reckon buying and holding beside it")
    events: bool = Field(
        default=False, description="play every bar as an event, as a live run does: slower, same result"
    )
    journal: str | None = Field(default=None, min_length=1, description="a new folder for a journal; needs events")
    record_lines: list[Name] = Field(default=[], description="lines of the strategies to keep at every bar, by name")
    record: bool = Field(default=False, description="keep what the market did beside the journal, to replay the run")
    periods_per_year: Positive | None = Field(default=None, description="for ratios; told from the data by default")
    calendar: Name | None = Field(
        default=None, description="for timers and sessions; that of each instrument by default"
    )


class SinkTable(OpenTable):
    """``[[sink]]``: what is told of all that happens in the run; the keys of its own are the sink's."""

    use: str = Field(min_length=1, description="the sink, by name; its settings stand beside it")
    name: str = Field(default="", description="in messages; that of the sink by default")
    only: list[Name] = Field(default=[], description="kinds of events, such as order_filled; all if empty")
    capacity: Annotated[int, Field(gt=0)] = Field(default=10_000, description="how many events may wait for it")


class RunFile(Table):
    """A whole run file."""

    strategy: list[StrategyTable] = Field(default_factory=list, description="what trades")
    history: list[HistoryTable] = Field(default_factory=list, description="recorded fills or orders")
    data: list[DataTable] = Field(default_factory=list, description="what is traded")
    account: AccountTable = Field(default=AccountTable(), description="the account of a backtest or a paper run")
    venue: VenueTable = Field(default=VenueTable(), description="the simulated venue")
    risk: list[ComponentTable] = Field(default_factory=list, description="rules beyond those that every order passes")
    sizer: ComponentTable | None = Field(default=None, description="of orders without a size; one unit by default")
    broker: ComponentTable | None = Field(default=None, description="what takes the orders of a backtest, by name")
    analyzer: list[ComponentTable] = Field(default_factory=list, description="measures beside those of the core")
    sink: list[SinkTable] = Field(default_factory=list, description="what is told of all that happens")
    output: OutputTable = Field(default=OutputTable(), description="where a result is written")
    storage: StorageTable = Field(default=StorageTable(), description="where a result is kept")
    run: RunTable = Field(default=RunTable(), description="how a backtest is run")
    live: LiveTable | None = Field(default=None, description="the account that a live run trades")
    paper: PaperTable | None = Field(default=None, description="a paper run")
    notify: list[NotifyTable] = Field(default_factory=list, description="channels to people")
    secrets: dict[str, dict[str, Any]] = Field(default_factory=dict, description="settings of who keeps secrets")
