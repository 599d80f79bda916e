"""What the venue of a paper run says of orders, executions and positions, in exact decimals."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any

from cambist.model.legs import side_in
from cambist.model.orders import OrderStatus
from cambist.model.reports import FillReport, OrderReport, PositionReport, ReportedStatus
from cambist.portfolio import HedgePortfolio, MarginPortfolio
from cambist.portfolio.exact import exact

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from cambist.model.orders import Fill, Order

__all__ = ["fill_report", "order_report", "position_reports"]

_STATUS = {
    OrderStatus.FILLED: ReportedStatus.FILLED,
    OrderStatus.CANCELED: ReportedStatus.CANCELED,
    OrderStatus.EXPIRED: ReportedStatus.EXPIRED,
    OrderStatus.REJECTED: ReportedStatus.REJECTED,
}


def order_report(order: Order, client_id: str, ts: int) -> OrderReport:
    """Say how an order stands at `ts`, ns."""
    working = ReportedStatus.TRIGGERED if order.triggered else ReportedStatus.OPEN
    return OrderReport(
        ts=ts,
        symbol=order.instrument.symbol,
        client_id=client_id,
        venue_id=str(order.id),
        status=_STATUS.get(order.status) or working,
        side=order.side,
        type=order.type,
        size=exact(order.size),
        filled=exact(order.filled),
        limit_price=_price(order.limit_price),
        stop_price=_price(order.stop_price),
        time_in_force=order.time_in_force,
        reduce_only=order.reduce_only,
        position_side=str(order.position_side or ""),
        created_at=order.created_at,
        reason=order.reason,
        system=_system(order),
    )


def fill_report(fill: Fill, order: Order, client_id: str, mark: Decimal | None) -> FillReport:
    """Say what an execution was; `mark` is the mark price that led to it, of a liquidation."""
    return FillReport(
        ts=fill.ts,
        symbol=fill.instrument.symbol,
        client_id=client_id,
        venue_id=str(fill.order_id),
        trade_id=str(fill.id),
        side=fill.side,
        size=exact(fill.size),
        price=exact(fill.price),
        fee=exact(fill.fee_paid),
        fee_asset=fill.fee_asset,
        liquidity=fill.liquidity,
        position_side=str(order.position_side or ""),
        system=_system(order),
        mark=mark,
    )


def position_reports(portfolio: Any, ts: int) -> Iterator[PositionReport]:
    """Say what is held of margined instruments, each side of a hedged one by itself."""
    for key, held in portfolio.legs.items():
        instrument = held.instrument
        if instrument.is_cash or not held.size:
            continue
        yield PositionReport(
            ts=ts,
            symbol=instrument.symbol,
            size=exact(held.size),
            entry_price=exact(held.average_price),
            position_side=str(side_in(key, instrument.symbol) or ""),
            liquidation_price=_liquidation(portfolio, key) if isinstance(portfolio, MarginPortfolio) else None,
        )


def _liquidation(portfolio: MarginPortfolio, key: str) -> Decimal | None:
    """Return the mark price at which a position is liquidated; None where none does it."""
    held = portfolio.legs[key]
    if isinstance(portfolio, HedgePortfolio) and not portfolio.terms.is_isolated:
        return _price(portfolio.levels(held.instrument.symbol)[held.size < 0.0])
    return _price(portfolio.liquidation_price(key))


def _system(order: Order) -> str:
    """Return why the venue itself sent an order; ``""`` where it did not."""
    return order.tag if order.instructions is not None and order.instructions.by_venue else ""


def _price(value: float) -> Decimal | None:
    return None if isnan(value) else exact(value)
