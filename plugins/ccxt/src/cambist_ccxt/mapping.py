"""From ccxt's dictionaries to instruments and reports, in exact decimals."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from math import nan
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from cambist.api import FundingRate, InputError
from cambist.model import (
    AccountReport,
    BalanceReport,
    FillReport,
    Instrument,
    InstrumentKind,
    Liquidity,
    OrderReport,
    OrderType,
    PositionReport,
    ReportedStatus,
    Side,
    TimeInForce,
)
from cambist_ccxt.symbols import Symbols

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["account_of", "fill_of", "funding_of", "instrument_of", "order_of", "symbols_of"]

_MS = 1_000_000
_S = ReportedStatus
_STATES: Final = MappingProxyType(
    {
        "open": _S.OPEN,
        "closed": _S.FILLED,
        "canceled": _S.CANCELED,
        "canceling": _S.OPEN,
        "expired": _S.EXPIRED,
        "rejected": _S.REJECTED,
    }
)
_TYPES: Final = MappingProxyType({"market": OrderType.MARKET, "limit": OrderType.LIMIT})
_TIMES: Final = MappingProxyType({"IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK})


def _decimal(value: Any) -> Decimal | None:
    try:
        return None if value is None or value == "" else Decimal(str(value))
    except InvalidOperation:
        return None


def _number(value: Any) -> Decimal:
    return _decimal(value) or Decimal(0)


def symbols_of(markets: Mapping[str, Mapping[str, Any]], venue: str) -> Symbols:
    """Make instruments of what is open; ccxt's symbols are both names."""
    traded, closed = [], []
    for symbol, market in markets.items():
        if not market.get("active", True) or market.get("option"):
            closed.append((symbol, symbol, "not open"))
            continue
        try:
            traded.append((symbol, instrument_of(market, venue)))
        except InputError as error:
            closed.append((symbol, symbol, f"rules that make no sense ({error})"))
    return Symbols(traded, closed)


def instrument_of(market: Mapping[str, Any], venue: str) -> Instrument:
    """Make an instrument of a market; sizes of contracts count contracts."""
    limits, precision = market.get("limits", {}), market.get("precision", {})
    amount, cost = limits.get("amount", {}), limits.get("cost", {})
    contract = bool(market.get("contract"))
    kind = InstrumentKind.SPOT
    if contract:
        kind = InstrumentKind.FUTURE if market.get("future") else InstrumentKind.LINEAR_PERPETUAL
        kind = InstrumentKind.INVERSE_PERPETUAL if market.get("inverse") else kind
    fees = [float(_number(market.get(side))) for side in ("maker", "taker")]
    return Instrument(
        symbol=market["symbol"],
        kind=kind,
        venue=venue,
        base=market["base"],
        quote=market["quote"],
        settle=market.get("settle") or market["quote"],
        tick_size=_decimal(precision.get("price")) or None,
        step_size=_decimal(precision.get("amount")) or Decimal("1e-8"),
        min_size=_decimal(amount.get("min")) or None,
        max_size=_decimal(amount.get("max")) or None,
        min_notional=_decimal(cost.get("min")) or None,
        multiplier=float(_decimal(market.get("contractSize")) or 1) if contract else 1.0,
        margin_rate=0.05 if contract else 1.0,
        maker_fee=fees[0],
        taker_fee=fees[1],
    )


def order_of(order: Mapping[str, Any], now: int, *, symbol: str = "", client_id: str = "") -> OrderReport:
    """Say how an order stands.

    Parameters
    ----------
    now
        ns, UTC, where the exchange tells no time.
    symbol, client_id
        Of the order, where the exchange does not repeat them.
    """
    size, filled = _number(order.get("amount")), _number(order.get("filled"))
    status = _STATES.get(order.get("status") or "open", _S.OPEN)
    if status is _S.FILLED and size and filled < size:
        status = _S.CANCELED  # "closed" says only that nothing more will trade
    if status is _S.REJECTED and filled:
        status = _S.CANCELED
    created = order.get("timestamp") or 0
    at = order.get("lastUpdateTimestamp") or order.get("lastTradeTimestamp") or created
    return OrderReport(
        ts=int(at) * _MS or now,
        symbol=order.get("symbol") or symbol,
        client_id=order.get("clientOrderId") or client_id,
        venue_id=str(order.get("id") or ""),
        status=status,
        side=Side(order.get("side") or "buy"),
        type=_TYPES.get(order.get("type") or "limit", OrderType.LIMIT),
        size=size,
        filled=filled,
        limit_price=_decimal(order.get("price")) or None,
        stop_price=_decimal(order.get("triggerPrice")) or None,
        time_in_force=_TIMES.get(order.get("timeInForce") or "", TimeInForce.GTC),
        reduce_only=bool(order.get("reduceOnly")),
        created_at=int(created) * _MS,
    )


def fill_of(trade: Mapping[str, Any], client_ids: Mapping[str, str]) -> FillReport:
    """Tell of an execution; `client_ids` are by the exchange's order ids."""
    fee = trade.get("fee") or {}
    venue_id = str(trade.get("order") or "")
    return FillReport(
        ts=int(trade["timestamp"] or 0) * _MS,
        symbol=trade["symbol"],
        client_id=client_ids.get(venue_id, ""),
        venue_id=venue_id,
        trade_id=str(trade["id"]),
        side=Side(trade["side"]),
        size=_number(trade["amount"]),
        price=_number(trade["price"]),
        fee=_number(fee.get("cost")),
        fee_asset=fee.get("currency") or "",
        liquidity=Liquidity.MAKER if trade.get("takerOrMaker") == "maker" else Liquidity.TAKER,
    )


def account_of(balance: Mapping[str, Any], positions: Iterable[Mapping[str, Any]], now: int) -> AccountReport:
    """Tell of balances and positions."""
    free = balance.get("free", {})
    return AccountReport(
        ts=now,
        balances=tuple(
            BalanceReport(ts=now, asset=asset, total=_number(total), free=_decimal(free.get(asset)))
            for asset, total in balance.get("total", {}).items()
            if _number(total)
        ),
        positions=tuple(
            PositionReport(
                ts=now,
                symbol=one["symbol"],
                size=_number(one.get("contracts")) * (-1 if one.get("side") == "short" else 1),
                entry_price=_number(one.get("entryPrice")),
                position_side=(one.get("side") or "") if one.get("hedged") else "",
                leverage=_decimal(one.get("leverage")),
                isolated=one.get("marginMode") == "isolated" if one.get("marginMode") else None,
                liquidation_price=_decimal(one.get("liquidationPrice")),
            )
            for one in positions
            if _number(one.get("contracts"))
        ),
    )


def funding_of(told: Mapping[str, Any]) -> FundingRate:
    """Tell of an exchange of funding; some exchanges say at what price positions were valued."""
    mark = float(_number((told.get("info") or {}).get("markPrice")))
    return FundingRate(int(told["timestamp"]) * _MS, float(told["fundingRate"]), mark or nan)
