"""The tables of a run file about live and paper runs: the account at the venue, operation, and who is told."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from cambist.config.environments import Environment  # noqa: TC001 - pydantic reads the annotations
from cambist.config.values import Name, OpenTable, Seconds, SecondsOrNone, Share, Table, Unit

__all__ = ["ControlTable", "Listen", "LiveTable", "NotifyTable", "PaperTable", "ResendTable"]

Listen = Annotated[
    list[Literal["bars", "ticks", "quotes", "book"]],
    BeforeValidator(lambda said: [said] if isinstance(said, str) else said),
    Field(min_length=1),
]
Count = Annotated[int, Field(ge=1)]
#: A policy about what the venue has and the run has not, or the other way round.
Policy = Literal["ask", "adopt", "ignore", "close"]


class ResendTable(Table):
    """``resend = { stop = { within = 60 } }``: how long an order of a kind is sent again; both bounds hold."""

    attempts: Annotated[int, Field(ge=0)] | None = Field(default=None, description="how often at most; no end if unset")
    within: SecondsOrNone | None = Field(default=None, description="until when after the first time; no end if unset")


class ControlTable(Table):
    """``[live.control]``: how a live run is operated and watched over; see `cambist.live.control.ControlSettings`."""

    warn_after: Seconds = Field(default=2.0, description="a run that does not move for so long is told of")
    cancel_after: Seconds | None = Field(default=None, description="and everything of it is canceled; never if unset")
    exit_after: Seconds | None = Field(default=None, description="and its process is ended; never if unset")
    patience: Seconds = Field(default=2.0, description="how long a command waits for a run that does not move")
    clear_within: Seconds = Field(default=20.0, description="how long canceling everything may take")
    on_signal: bool = Field(default=True, description="whether SIGUSR1 throws the kill switch")


class _RunningTable(Table):
    """What ``[live]`` and ``[paper]`` have in common."""

    currency: str | None = Field(
        default=None, min_length=1, description="in which the account is kept; else of [account]"
    )
    on_stop: Literal["cancel", "keep", "flatten"] = Field(default="cancel", description="of open orders, at a stop")
    step_timeout: Seconds = Field(default=5.0, description="how long the other bars of an instant are waited for")
    on_failure: Literal["keep", "cancel_opening", "cancel", "flatten"] = Field(
        default="cancel_opening", description="of orders and position of a strategy that raises"
    )
    ready_within: Seconds = Field(default=90.0, description="how long connecting may take, and comparing as long")
    drain_within: Seconds = Field(default=15.0, description="how long a stop may take")
    close_within: Seconds = Field(default=10.0, description="how long connections and journal may take after that")
    audit_every: Seconds = Field(default=60.0, description="between audits of orders, positions and balances")
    journal_slow_after: Seconds = Field(default=2.0, description="when a disk that keeps records waiting is told of")
    snapshot_every: Seconds = Field(default=900.0, description="a snapshot of the run is kept after so long")
    snapshot_records: Count = Field(default=20_000, description="and after so many records of the journal")
    keep_segments: Count | None = Field(
        default=None, description="closed files of the journal that stay although nobody needs them; all if unset"
    )
    keep_orders: Count = Field(default=10_000, description="how many ended orders stay in memory")
    keep_bars: Annotated[int, Field(ge=1, le=65_536)] = Field(
        default=65_536, description="how many bars back lines reach"
    )
    stale_after: Annotated[float, Field(gt=0), Unit("seconds")] = Field(
        default=60.0, description="how long a subscription may be silent before its instrument may take no new risk"
    )
    late_bars_after: Seconds = Field(
        default=10.0, description="how long after its close a bar may come before the venue is asked for it"
    )
    missing_bars: Literal["skip", "fill", "hold"] = Field(
        default="skip", description="of bars that nobody has: go on, fill with the last close, or only reduce"
    )
    check_bars: bool = Field(default=False, description="hold every bar against the rules of data quality")
    bar_policy: dict[str, str] = Field(default={}, description="what is done about a bar that breaks RULE = ACTION")
    anchor_bars: Count = Field(default=100_000, description="how many bars a start goes back for at most")
    rules_every: Seconds = Field(
        default=300.0, description="between looks at what the venue trades, and by which rules"
    )
    unprotected_within: Seconds = Field(
        default=2.0, description="how long a stop that is being replaced may be away before somebody is told"
    )
    resend: dict[Literal["entry", "reduce", "stop"], ResendTable] = Field(
        default_factory=dict, description="whether orders that certainly did not arrive are sent again, by kind"
    )
    record: bool = Field(default=False, description="keep what the market did beside the journal, to replay the run")
    practice_every: SecondsOrNone = Field(
        default=0.005, description="between two rehearsals of an order's way that nothing can send; 0 for none"
    )
    slow_hook: Seconds = Field(default=0.25, description="a hook of a strategy that takes longer is told of")
    notify_fills: bool = Field(default=False, description="tell people of fills, too")
    notify_window: SecondsOrNone = Field(default=300.0, description="in which one alert is told once")
    control: ControlTable = Field(default=ControlTable(), description="how the run is operated and watched over")


class LiveTable(_RunningTable):
    """``[live]``: the account that a live run trades, and how it behaves; see `cambist.live.LiveSettings`."""

    venue: str = Field(min_length=1, description="a session of an installed plugin, such as binance-spot")
    environment: Environment = Field(description="a simulator on this machine, play money, or real money")
    consent: str | None = Field(default=None, description="to real money, in production")
    journal: str = Field(default="journal", min_length=1, description="a folder; a run that is in it goes on")
    on_position: Policy = Field(default="ask", description="of a position that the run and the venue do not both know")
    on_order: Literal["ask", "ignore", "close"] = Field(
        default="ignore", description="of an open order that the run did not send"
    )
    on_balance: Literal["adopt", "ignore", "ask"] = Field(
        default="adopt", description="of money that is there, or is not, and nothing tells why"
    )
    owners: dict[str, Name] = Field(
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
    stop_trigger: Literal["auto", "last", "quote"] = Field(
        default="auto", description="on trades and quotes: which price sets off a stop"
    )
    book_cancels: Literal["behind", "spread"] = Field(
        default="behind", description="on books: who leaves when a level shrinks without a trade"
    )
    funding: bool = Field(default=True, description="whether perpetuals pay funding, at the rates of the venue")
    marks: Literal["venue", "bars"] = Field(default="venue", description="by which prices futures are liquidated")
    settings: dict[str, Any] | None = Field(default=None, description="the venue's own, without keys; those of [live]")


class NotifyTable(OpenTable):
    """``[[notify]]``: a channel to people, what it is told, and the settings of its notifier."""

    use: str = Field(min_length=1, description="the notifier, by name; its settings stand beside it")
    name: str = Field(default="", description="in logs and in the journal; that of the notifier by default")
    at_least: Literal["info", "warning", "error", "critical"] = Field(
        default="warning", description="the least level that it is told"
    )
    only: list[Name] = Field(default=[], description="alarms by their words; all if empty")
    capacity: Annotated[int, Field(gt=0)] = Field(default=200, description="how many notices may wait")
    burst: Annotated[int, Field(gt=0)] = Field(default=20, description="how many notices may go at once")
    interval: SecondsOrNone = Field(default=3.0, description="after which one more may go; 0 for no limit")
    retry: Seconds = Field(
        default=1.0, description="how long it waits after a failure; twice as long after each further"
    )
    retry_at_most: Seconds = Field(default=60.0, description="up to so long")
    give_up_after: SecondsOrNone = Field(
        default=3_600.0, description="how old a notice may become while the channel fails"
    )
