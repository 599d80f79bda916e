"""What a journal holds: the types of its records. Prices, sizes and money are decimals, kept as text.

A field is never taken away or given another meaning: the type gets a new version, and
`cambist.engine.codec` a function that makes the new one of the old one.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

__all__ = [
    "AccountOpened",
    "AccountValued",
    "AlertRaised",
    "AmendRequest",
    "AssetValued",
    "CashEntry",
    "CashRequest",
    "CurveState",
    "Dividend",
    "FillEntry",
    "HoldingValued",
    "InstrumentDefined",
    "MarginEntry",
    "NewTerms",
    "NotificationSent",
    "OperatorCommand",
    "OrderNote",
    "OrderTerms",
    "RatesNoted",
    "RiskState",
    "RunBegan",
    "RunEnded",
    "SeriesAnchored",
    "SignalNoted",
    "Split",
    "StrategyRun",
    "StrategyState",
    "TimerDue",
    "TimerSet",
    "TradingState",
]


class Record(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Something that is journalled; its time is that of the entry."""


class StrategyRun(Record, frozen=True):
    """A strategy of a run: the name it goes by there, its class, and its parameters as text."""

    name: str
    type: str
    parameters: dict[str, str] = {}


class RunBegan(Record, frozen=True):
    """``run_started``: a run begins, or goes on after a restart; see `cambist.model.events.RunStarted`.

    Attributes
    ----------
    valued
        Whether the run notes what the account is worth, see `AccountValued`; older versions did not.
    """

    token: str
    seed: int
    strategies: list[StrategyRun] = []
    valued: bool = False


class RunEnded(Record, frozen=True):
    """``stop_requested`` and ``run_stopped``: a run is to end, or has ended as it should."""

    reason: str = ""


class InstrumentDefined(Record, frozen=True):
    """``instrument_defined``: an instrument as the run knows it from here on; see `cambist.Instrument`."""

    symbol: str
    kind: str
    step_size: Decimal
    settle: str
    venue: str = ""
    base: str = ""
    quote: str = ""
    tick_size: Decimal | None = None
    min_size: Decimal | None = None
    max_size: Decimal | None = None
    min_notional: Decimal | None = None
    multiplier: Decimal = Decimal(1)
    margin_rate: Decimal = Decimal(1)
    maker_fee: Decimal = Decimal(0)
    taker_fee: Decimal = Decimal(0)
    calendar: str = ""


class AccountOpened(Record, frozen=True):
    """``account_opened``: the account of the run, or one of several, which trades the instruments defined before.

    Attributes
    ----------
    cash
        At the start, in the currency; of an account in several assets what they were worth.
    margin
        Terms of an account on margin, see `cambist.Margin`; None for one that is paid in full.
    compensates
        By symbol, the symbol of the instrument whose position its orders change.
    name, strategies
        Of one of several accounts, and those that trade in it; a sole account is called ``""``, and all do.
    assets
        Each asset and its money at the start, in the order of the pockets; empty where it holds one.
    rates
        What each of them was worth in the currency, where somebody knew.
    fees_in_kind
        Whether a fee that the base asset pays makes a position smaller; see `InKindPortfolio`.
    by_venue
        Whether a venue keeps it, and its word decides what there is; see `cambist.portfolio.by_venue`.
    known
        References of what had moved money before, and is part of `cash`.
    as_of
        When there was so much, by the venue's clock, ns, UTC.
    """

    currency: str
    cash: Decimal
    leverage: Decimal = Decimal(1)
    margin: dict[str, Any] | None = None
    compensates: dict[str, str] = {}
    name: str = ""
    strategies: list[str] = []
    assets: list[tuple[str, Decimal]] = []
    rates: dict[str, Decimal] = {}
    fees_in_kind: bool = False
    by_venue: bool = False
    known: list[str] = []
    as_of: int = 0


class RatesNoted(Record, frozen=True):
    """``rates_noted``: what assets are worth in the currency of the account; those that have changed.

    Written with what moves money in an account that holds several assets, so that they can be added up.
    """

    rates: dict[str, Decimal]


class OrderTerms(Record, frozen=True):
    """``order_submitted``, ``order_refused`` and ``order_adopted``: an order as it was when it was made.

    Attributes
    ----------
    client_id
        What the venue knows it by; ``""`` where none will.
    reason
        Why it was refused.
    decided
        Last price of the instrument when it was made; None where there was none, and in records of older versions.
    trail, instructions
        What few orders have, see `cambist.model.orders.Instructions`.
    """

    id: int
    symbol: str
    side: str
    type: str
    size: Decimal
    time_in_force: str
    strategy: str
    created_at: int
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    expires_at: int = 0
    reduce_only: bool = False
    tag: str = ""
    client_id: str = ""
    reason: str = ""
    instructions: dict[str, Any] | None = None
    decided: Decimal | None = None


class OrderNote(Record, frozen=True):
    """Whatever happens to an order and has no numbers: ``order_accepted``, ``cancel_requested`` and more."""

    order_id: int
    reason: str = ""


class AmendRequest(Record, frozen=True):
    """``amend_requested``: the venue is asked for new terms."""

    order_id: int
    size: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None


class NewTerms(Record, frozen=True):
    """``order_amended`` and ``stop_trailed``: an order has new terms; a trailed one keeps its size."""

    order_id: int
    size: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None


class OrderResent(Record, frozen=True):
    """``order_resent``: an order is about to be sent once more.

    Attributes
    ----------
    number
        How many orders at the venue have stood for it before; its client id is made of that.
    carried
        What those have traded.
    reason
        Why.
    """

    order_id: int
    number: int = 0
    carried: Decimal = Decimal(0)
    reason: str = ""


class OrdersEntrusted(Record, frozen=True):
    """``orders_entrusted``: the venue alone works orders from here on, or no longer does; or what is about to be done.

    Attributes
    ----------
    order_ids
        Those that it takes, or took, as one.
    group
        Id of the oldest of those that hang together.
    state
        ``"waits"`` until the order has traded for which they wait, ``"sent"``, ``"again"`` where they are canceled so
        that they can be sent with other terms, or ``"held"``: the run works them. ``"replacing"`` is an order like any
        other that the run is about to cancel for the same reason, without anybody having asked for it.
    """

    order_ids: list[int]
    group: int
    state: str


class FillEntry(Record, frozen=True):
    """``order_filled``: some of an order traded.

    Attributes
    ----------
    id
        Of the execution; with venue, symbol and side it is applied once.
    fee, fee_asset
        What was paid, and in what; ``""`` for the settlement asset.
    fee_value
        The fee in the settlement asset where it was paid in another.
    filled_at
        When it traded, ns, UTC; the entry's time is when we learned of it.
    instant
        Number of the instant of the run.
    closed_by
        Why the venue closed the position by itself, ``"liquidation"`` or ``"adl"``; ``""`` where a strategy traded.
    mark
        Mark price at a liquidation.
    profit
        What the venue booked as realized, in the settlement asset; None where it did not say, and it was reckoned.
    """

    order_id: int
    id: int
    size: Decimal
    price: Decimal
    fee: Decimal
    liquidity: str
    filled_at: int
    instant: int = 0
    fee_asset: str = ""
    fee_value: Decimal | None = None
    closed_by: str = ""
    mark: Decimal | None = None
    profit: Decimal | None = None


class CashEntry(Record, frozen=True):
    """``cash_moved``: money moved without a fill; see `cambist.model.portfolio.CashFlow`."""

    kind: str
    asset: str
    amount: Decimal
    due: int
    symbol: str = ""
    instant: int = 0
    #: Whether a strategy had asked for it.
    asked: bool = False
    position_side: str = ""
    account: str = ""
    #: What the venue knows it by; it is booked once.
    reference: str = ""


class CashRequest(Record, frozen=True):
    """``cash_requested``: a strategy brings money, or takes some out; `asset` is ``""`` for the currency."""

    amount: Decimal
    asset: str = ""
    account: str = ""


class Dividend(Record, frozen=True):
    """``dividend_paid``: an instrument pays `amount` for each unit held."""

    symbol: str
    amount: Decimal
    instant: int = 0


class Split(Record, frozen=True):
    """``shares_split``: each unit has become `ratio` units; `price` is the last one before, in old units."""

    symbol: str
    ratio: Decimal
    price: Decimal | None
    instant: int = 0


class MarginEntry(Record, frozen=True):
    """``margin_changed``: margin of a position was moved, its leverage changed, or either refused.

    ``margin_requested``: a strategy wants that, and the venue is asked.

    See `cambist.model.portfolio.MarginChange`; `leverage` is None where margin was moved.
    """

    symbol: str
    asked_at: int
    position_side: str = ""
    amount: Decimal = Decimal(0)
    leverage: Decimal | None = None
    reason: str = ""
    account: str = ""


class TimerSet(Record, frozen=True):
    """``timer_set``: a timer is due at `due`, ns UTC; None forgets it."""

    name: str
    due: int | None


class TimerDue(Record, frozen=True):
    """``timer_fired``: a timer fired that was due at `due`."""

    name: str
    due: int


class HoldingValued(Record, frozen=True):
    """A position in an `AccountValued`: as it is, and the price at which it was valued."""

    symbol: str
    size: Decimal
    average_price: Decimal | None = None
    price: Decimal | None = None
    unrealized: Decimal | None = None
    side: str = ""


class CurveState(Record, frozen=True):
    """How an equity curve stands, in an `AccountValued`; see `cambist.analysis.curve.CurveStanding`.

    Attributes
    ----------
    fall, fall_from, fall_to, recovered, longest, money
        The deepest fall; see `cambist.analysis.Drawdown`.
    """

    ts: int
    equity: float
    peak: float
    lowest: float
    bars: int
    exposed: int
    fall: float = 0.0
    fall_from: int | None = None
    fall_to: int | None = None
    recovered: int | None = None
    longest: int = 0
    money: float = 0.0


class AssetValued(Record, frozen=True):
    """One asset in an `AccountValued`, counted in itself: what its positions came to is part of its equity."""

    asset: str
    equity: Decimal
    cash: Decimal
    margin: Decimal
    free: Decimal


class AccountValued(Record, frozen=True):
    """``account_valued``: what an account is worth at the last close of a period; the entry's time is that close.

    Prices are no part of a journal, so this is noted where they are known. Of several accounts each has a record in one
    commit, behind that of all together.

    Attributes
    ----------
    account
        Its name in a run that has several; ``""`` for the whole.
    free
        Equity that no position needs as margin.
    drawdown
        Below the highest equity so far, a fraction, 0 or below.
    flows
        Deposits less withdrawals so far.
    start, initial
        Time and equity of the initial point of the curve.
    curve, fund
        How the curve of equity stands, and that of a share where money was brought in or taken out.
    periods_per_year
        For ratios, where it was given.
    assets
        Each of several assets that the account holds.
    """

    equity: Decimal
    cash: Decimal
    margin: Decimal
    free: Decimal
    drawdown: float
    flows: Decimal
    start: int
    initial: float
    curve: CurveState
    holdings: list[HoldingValued] = []
    fund: CurveState | None = None
    periods_per_year: float | None = None
    account: str = ""
    assets: list[AssetValued] = []


class AlertRaised(Record, frozen=True):
    """``alert_raised``: something that people should know of.

    Attributes
    ----------
    severity
        ``"info"``, ``"warning"`` or ``"critical"``.
    code
        Stable name of what it is.
    scope
        What it is about: a symbol, an order, a venue; ``""`` for the run.
    source
        Who noticed.
    """

    severity: str
    code: str
    text: str
    scope: str = ""
    source: str = ""


class NotificationSent(Record, frozen=True):
    """``notification_sent``: people were told, or could not be.

    Attributes
    ----------
    channel
        By which way, such as the name of a notifier.
    outcome
        ``"delivered"``, ``"failed"`` or ``"dropped"``.
    attempts
        How often it was tried.
    text
        What they were told.
    alert
        Number of the record of the alert that it is about; 0 for none.
    error
        What went wrong, without secrets.
    """

    channel: str
    outcome: str
    attempts: int
    text: str = ""
    alert: int = 0
    error: str = ""


class SignalNoted(Record, frozen=True):
    """``signal_noted``: a strategy noted something; the entry's time is when. See `cambist.model.signals.Signal`.

    Attributes
    ----------
    value
        The number, to the last bit; None where `text` was noted.
    """

    strategy: str
    name: str
    symbol: str = ""
    value: float | None = None
    text: str = ""


class StrategyState(Record, frozen=True):
    """``strategy_state``: what a strategy keeps over a restart; see `cambist.engine.strategy_state`."""

    strategy: str
    state: bytes


class TradingState(Record, frozen=True):
    """``trading_state``: what may be traded from here on; see `cambist.model.TradingChange`.

    Attributes
    ----------
    state
        ``"active"``, ``"reducing"`` (only what makes positions smaller) or ``"halted"``.
    scope
        ``"account:NAME"``, ``"strategy:NAME"``, ``"symbol:SYMBOL"``, or ``""`` for everything.
    by
        Who said so: a rule, or an operator.
    rule
        The rule whose hold this is, or was; ``""`` for that of operators.
    """

    state: str
    scope: str = ""
    reason: str = ""
    by: str = ""
    rule: str = ""


class RiskState(Record, frozen=True):
    """``risk_state``: what a risk rule remembers over a restart; see `cambist.engine.monitors`."""

    rule: str
    state: bytes


class OperatorCommand(Record, frozen=True):
    """``operator_command``: somebody told the run to do something.

    Attributes
    ----------
    by
        Who: a user, a host, a key.
    outcome
        What came of it where it was carried out around the kernel: ``"done"``, or why it was refused. ``""`` for one
        that the kernel took in: what it did stands behind it.
    """

    name: str
    arguments: dict[str, Any] = {}
    by: str = ""
    outcome: str = ""


class SeriesAnchored(Record, frozen=True):
    """``series_anchored``: the first bar that the indicators of a series were fed with, by its open time."""

    symbol: str
    timeframe: str
    ts: int
