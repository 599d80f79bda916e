"""Between what the kernel works with, in floats, and what a journal holds, in decimals."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any

import attrs

from cambist.engine.records import (
    CashEntry,
    FillEntry,
    InstrumentDefined,
    MarginEntry,
    OrderTerms,
)
from cambist.engine.records import TradingState as TradingStateRecord
from cambist.model.instrument import Instrument
from cambist.model.orders import (
    ExactFill,
    Fill,
    Instructions,
    Liquidity,
    Order,
    OrderType,
    PositionSide,
    Side,
    TimeInForce,
    Trail,
)
from cambist.model.portfolio import CashFlow, MarginChange
from cambist.model.trading_state import TradingChange, TradingState
from cambist.portfolio.exact import exact

if TYPE_CHECKING:
    from decimal import Decimal

__all__ = [
    "cash_flow_of",
    "cash_record",
    "decimal_of",
    "exact_fill_of",
    "fill_of",
    "fill_record",
    "float_of",
    "instrument_of",
    "instrument_record",
    "order_of",
    "terms_record",
    "trading_change_of",
    "trading_record",
]

_DECIMALS = ("multiplier", "margin_rate", "maker_fee", "taker_fee")
_PLAIN = Instructions()
# Calling an enum costs as much as the rest of an order; a name that is none is a KeyError here.
_SIDES = {str(one): one for one in Side}
_TYPES = {str(one): one for one in OrderType}
_DURATIONS = {str(one): one for one in TimeInForce}
_LIQUIDITIES = {str(one): one for one in Liquidity}


def decimal_of(value: float) -> Decimal | None:
    """Return the decimal that a price prints as; None for NaN, which is a price that there is none."""
    return None if value != value else exact(value)  # noqa: PLR0124 - NaN


def float_of(value: Decimal | None) -> float:
    """Return the double nearest to a decimal; NaN for None."""
    return nan if value is None else float(value)


def instrument_record(instrument: Instrument) -> InstrumentDefined:
    """Return the record of an instrument."""
    fields = {field.name: getattr(instrument, field.name) for field in attrs.fields(Instrument) if field.init}
    fields["kind"] = str(instrument.kind)
    fields.update({name: exact(fields[name]) for name in _DECIMALS})
    return InstrumentDefined(**fields)


def instrument_of(record: InstrumentDefined) -> Instrument:
    """Return the instrument of a record."""
    fields = {name: getattr(record, name) for name in record.__struct_fields__}
    return Instrument(**{**fields, **{name: float(fields[name]) for name in _DECIMALS}})


def terms_record(order: Order, client_id: str = "", reason: str = "", decided: float = nan) -> OrderTerms:
    """Return the record of an order as it was made, when the last price was `decided`."""
    return OrderTerms(
        order.id,
        order.instrument.symbol,
        str(order.side),
        str(order.type),
        exact(order.size),
        str(order.time_in_force),
        order.strategy,
        order.created_at,
        limit_price=decimal_of(order.limit_price),
        stop_price=decimal_of(order.stop_price),
        expires_at=order.expires_at,
        reduce_only=order.reduce_only,
        tag=order.tag,
        client_id=client_id,
        reason=reason,
        instructions=None if order.instructions is None else instructions_fields(order.instructions),
        decided=decimal_of(decided),
    )


def instructions_fields(given: Instructions) -> dict[str, Any]:
    """Return what is said beyond what every order has; numbers as text."""
    fields: dict[str, Any] = {
        field.name: getattr(given, field.name)
        for field in attrs.fields(Instructions)
        if field.name not in ("trail", "info") and getattr(given, field.name) != getattr(_PLAIN, field.name)
    }
    if "display_size" in fields:
        fields["display_size"] = str(exact(fields["display_size"]))
    if given.position_side is not None:
        fields["position_side"] = str(given.position_side)
    if given.info:
        fields["info"] = {str(name): _noted(value) for name, value in given.info.items()}
    if given.trail is not None:
        trail = attrs.asdict(given.trail)
        fields["trail"] = {
            name: str(exact(value)) if isinstance(value, float) else value
            for name, value in trail.items()
            if value == value and value is not False  # noqa: PLR0124 - NaN: it has none
        }
    return fields


def _noted(value: Any) -> Any:
    """Return a note of the sender's: as it is where a record can hold it, else as text."""
    return value if value is None or type(value) in (bool, int, float, str) else str(value)


def instructions_of(fields: dict[str, Any]) -> Instructions:
    """Return what `instructions_fields` was given."""
    made = dict(fields)
    if "display_size" in made:
        made["display_size"] = float(made["display_size"])
    if "position_side" in made:
        made["position_side"] = PositionSide(made["position_side"])
    if "trail" in made:
        trail: dict[str, Any] = {
            name: float(value) if isinstance(value, str) else value for name, value in made["trail"].items()
        }
        made["trail"] = Trail(**trail)
    return Instructions(**made)


def order_of(terms: OrderTerms, instrument: Instrument) -> Order:
    """Return the order of a record, as it was made."""
    order = Order(
        terms.id,
        instrument,
        _SIDES[terms.side],
        _TYPES[terms.type],
        float(terms.size),
        float_of(terms.limit_price),
        float_of(terms.stop_price),
        _DURATIONS[terms.time_in_force],
        terms.expires_at,
        terms.reduce_only,
        terms.strategy,
        terms.tag,
        terms.created_at,
        terms.created_at,
    )
    if terms.instructions is not None:
        order.instructions = instructions_of(terms.instructions)
    return order


def fill_record(fill: Fill, instant: int, payment: tuple[str, float] | None = None) -> FillEntry:
    """Return the record of an execution; `payment` is the asset that pays its fee, and how much, where it is another.

    Without, the fee was paid in the settlement asset.
    """
    if fill.exact is not None:
        return _reported_record(fill, fill.exact, instant)
    fee_asset, fee = payment or ("", fill.fee)
    return FillEntry(
        fill.order_id,
        fill.id,
        exact(fill.size),
        exact(fill.price),
        exact(fee),
        str(fill.liquidity),
        fill.ts,
        instant,
        fee_asset,
        None if payment is None else exact(fill.fee),
    )


def _reported_record(fill: Fill, told: ExactFill, instant: int) -> FillEntry:
    """Return the record of an execution in the venue's own decimals."""
    elsewhere = fill.fee_payment is not None
    return FillEntry(
        fill.order_id,
        fill.id,
        told.size,
        told.price,
        told.fee,
        str(fill.liquidity),
        fill.ts,
        instant,
        told.fee_asset if elsewhere else "",
        exact(fill.fee) if elsewhere else None,
        profit=told.profit,
    )


def exact_fill_of(record: FillEntry, settle: str) -> ExactFill:
    """Return the numbers of a record to the last digit; `settle` is the asset of settlement."""
    return ExactFill(record.size, record.price, record.fee, record.fee_asset or settle, record.profit)


def fill_of(record: FillEntry, order: Order) -> Fill:
    """Return the execution of a record, its fee in the settlement asset; the fill notes what else it was paid in."""
    fee = record.fee if record.fee_value is None else record.fee_value
    fill = Fill(
        record.id,
        record.order_id,
        order.instrument,
        order.side,
        float(record.size),
        float(record.price),
        float(fee),
        _LIQUIDITIES[record.liquidity],
        record.filled_at,
    )
    if record.fee_value is not None:
        fill.pay_fee_in(record.fee_asset, float(record.fee))
    return fill


def margin_record(change: MarginChange) -> MarginEntry:
    """Return the record of a change of margin or leverage, or of its refusal."""
    side = "" if change.position_side is None else str(change.position_side)
    terms = exact(change.amount), decimal_of(change.leverage)
    return MarginEntry(change.symbol, change.ts, side, *terms, change.reason, change.account)


def margin_change_of(record: MarginEntry) -> MarginChange:
    """Return the change of a record."""
    side = PositionSide(record.position_side) if record.position_side else None
    terms = float(record.amount), float_of(record.leverage)
    return MarginChange(record.asked_at, record.symbol, side, *terms, record.reason, record.account)


def trading_record(change: TradingChange) -> TradingStateRecord:
    """Return the record of a change of what may be traded."""
    return TradingStateRecord(str(change.state), change.scope, change.reason, change.by, change.rule)


def trading_change_of(ts: int, record: TradingStateRecord) -> TradingChange:
    """Return the change of a record of that time."""
    return TradingChange(ts, TradingState(record.state), record.scope, record.reason, record.by, record.rule)


def cash_record(flow: CashFlow, instant: int, *, asked: bool = False) -> CashEntry:
    """Return the record of money that moved without a fill."""
    amount = exact(flow.amount) if flow.exact is None else flow.exact
    whose = flow.position_side, flow.account, flow.reference
    return CashEntry(flow.kind, flow.asset, amount, flow.ts, flow.symbol, instant, asked, *whose)


def cash_flow_of(record: CashEntry) -> CashFlow:
    """Return the movement of money of a record."""
    amount, whose = float(record.amount), (record.position_side, record.account, record.reference)
    return CashFlow(record.due, record.kind, record.symbol, record.asset, amount, "", *whose, record.amount)
