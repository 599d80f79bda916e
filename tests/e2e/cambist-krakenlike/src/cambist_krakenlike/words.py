"""What the venue's words mean."""

from __future__ import annotations

from decimal import Decimal

from cambist.api import VenueError
from cambist.model import (
    BalanceReport,
    Bar,
    FillReport,
    Instrument,
    Liquidity,
    OrderReport,
    OrderType,
    ReportedStatus,
    Side,
    TimeInForce,
)

MS = 1_000_000
COINS = {"XBT": "BTC", "XDG": "DOGE"}
TYPES = {"market": OrderType.MARKET, "limit": OrderType.LIMIT}
REASONS = {"would_take": "post_only"}
STATUSES = {
    "new": ReportedStatus.OPEN,
    "pending": ReportedStatus.OPEN,
    "partially_filled": ReportedStatus.OPEN,
    "triggered": ReportedStatus.TRIGGERED,
    "filled": ReportedStatus.FILLED,
    "canceled": ReportedStatus.CANCELED,
    "rejected": ReportedStatus.REJECTED,
    "expired": ReportedStatus.EXPIRED,
    "expired_in_match": ReportedStatus.EXPIRED,
}


def coin(theirs):
    return COINS.get(theirs, theirs)


def number(text):
    return None if text is None else Decimal(text)


def instrument(row):
    return Instrument(
        symbol=f"{coin(row['base'])}/{coin(row['quote'])}",
        venue="krakenlike",
        base=coin(row["base"]),
        quote=coin(row["quote"]),
        tick_size=row["tick_size"],
        step_size=row["step_size"],
        min_size=number(row["min_size"]) or None,
        max_size=number(row["max_size"]),
        min_notional=number(row["min_notional"]),
        maker_fee=float(row["maker_fee"]),
        taker_fee=float(row["taker_fee"]),
    )


def order_report(row, symbol):
    if row["status"] not in STATUSES:
        raise VenueError(f"the venue says that an order is {row['status']!r}; nobody knows what that means.")
    return OrderReport(
        ts=row["updated"] * MS,
        symbol=symbol,
        client_id=row["client_id"] or "",
        venue_id=str(row["id"]),
        status=STATUSES[row["status"]],
        side=Side(row["side"]),
        type=TYPES.get(row["type"], OrderType.LIMIT),
        size=Decimal(row["size"]),
        filled=Decimal(row["filled"]),
        limit_price=number(row["price"]),
        time_in_force=TimeInForce[row["time_in_force"].upper()],
        created_at=row["created"] * MS,
        reason=REASONS.get(row["reason"], row["reason"] or ""),
    )


def fill_report(row, symbol, client_id=""):
    return FillReport(
        ts=row["time"] * MS,
        symbol=symbol,
        client_id=client_id,
        venue_id=str(row["order_id"]),
        trade_id=str(row["trade_id"]),
        side=Side(row["side"]),
        size=Decimal(row["size"]),
        price=Decimal(row["price"]),
        fee=Decimal(row["fee"]),
        fee_asset=coin(row["fee_asset"]),
        liquidity=Liquidity.MAKER if row["maker"] else Liquidity.TAKER,
    )


def balances(rows, ts):
    return tuple(
        BalanceReport(
            ts=ts, asset=coin(asset), total=Decimal(row["free"]) + Decimal(row["locked"]), free=Decimal(row["free"])
        )
        for asset, row in rows.items()
    )


def bar(row):
    return Bar(row["open_time"] * MS, *(float(row[name]) for name in ("open", "high", "low", "close", "volume")))


def levels(data):
    sides = ((1, data["bids"]), (-1, data["asks"]))
    return tuple((side, float(price), float(size)) for side, rows in sides for price, size in rows)
