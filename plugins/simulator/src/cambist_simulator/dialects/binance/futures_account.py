"""Futures accounts: balances, positions, commission, income."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cambist_simulator.dialects.binance.errors import invalid_symbol
from cambist_simulator.dialects.binance.formats import eight, places, plain, to_places, trimmed
from cambist_simulator.dialects.binance.futures_encode import pair
from cambist_simulator.dialects.binance.market_rest import listed_symbol, market_now
from cambist_simulator.dialects.binance.spot_account import fees_of
from cambist_simulator.dialects.binance.words import position_side

if TYPE_CHECKING:
    from cambist_simulator.dialects.binance.calls import Call
    from cambist_simulator.exchange.futures_margin import FuturesWallet
    from cambist_simulator.exchange.positions import Position

__all__ = [
    "account_v2",
    "account_v3",
    "adl_quantile",
    "balance",
    "commission",
    "income",
    "order_limits",
    "positions_v2",
    "positions_v3",
]

_MS = 1_000_000
_ZERO = Decimal(0)
_UNLIMITED = Decimal(10) ** 9


def wallets(call: Call) -> list[FuturesWallet]:
    """Return the user's wallets, empty ones of the settlement assets among them."""
    exchange = call.at.exchange
    held = {one.asset: one for one in exchange.wallets(call.who)}
    for listing in exchange.listings.values():
        if listing.settle not in held:
            held[listing.settle] = exchange.wallet(call.who, listing.settle)
    return list(held.values())


def balance(call: Call) -> list[dict[str, Any]]:
    """Tell of wallets."""
    desk = call.at
    rows = []
    for one in wallets(call):
        row: dict[str, Any] = {
            "accountAlias": call.venue.alias(call.who),
            "asset": one.asset,
            "balance": eight(one.wallet),
        }
        if desk.inverse:
            row["withdrawAvailable"] = eight(one.most_withdrawable)
        row |= {
            "crossWalletBalance": eight(one.cross_wallet),
            "crossUnPnl": eight(one.cross_unrealized),
            "availableBalance": eight(one.available),
        }
        if not desk.inverse:
            row |= {"maxWithdrawAmount": eight(one.most_withdrawable), "marginAvailable": True}
        row["updateTime"] = market_now(call) // _MS
        rows.append(row)
    return rows


def _asset(call: Call, one: FuturesWallet) -> dict[str, Any]:
    return {
        "asset": one.asset,
        "walletBalance": eight(one.wallet),
        "unrealizedProfit": eight(one.unrealized),
        "marginBalance": eight(one.margin_balance),
        "maintMargin": eight(one.maintenance),
        "initialMargin": eight(one.initial_margin),
        "positionInitialMargin": eight(one.position_margin),
        "openOrderInitialMargin": eight(one.order_margin),
        "crossWalletBalance": eight(one.cross_wallet),
        "crossUnPnl": eight(one.cross_unrealized),
        "availableBalance": eight(one.available),
        "maxWithdrawAmount": eight(one.most_withdrawable),
        "updateTime": market_now(call) // _MS,
    }


def _totals(found: list[FuturesWallet]) -> dict[str, Any]:
    def total(name: str) -> str:
        return eight(sum((getattr(one, name) for one in found), _ZERO))

    return {
        "totalInitialMargin": total("initial_margin"),
        "totalMaintMargin": total("maintenance"),
        "totalWalletBalance": total("wallet"),
        "totalUnrealizedProfit": total("unrealized"),
        "totalMarginBalance": total("margin_balance"),
        "totalPositionInitialMargin": total("position_margin"),
        "totalOpenOrderInitialMargin": total("order_margin"),
        "totalCrossWalletBalance": total("cross_wallet"),
        "totalCrossUnPnl": total("cross_unrealized"),
        "availableBalance": total("available"),
        "maxWithdrawAmount": total("most_withdrawable"),
    }


def account_v3(call: Call) -> dict[str, Any]:
    """Tell of the account: sums, wallets, positions that are open."""
    found = wallets(call)
    return _totals(found) | {
        "assets": [_asset(call, one) for one in found],
        "positions": [_short(call, one) for one in _positions(call) if one.size or one.order_margin],
    }


def _short(call: Call, one: Position) -> dict[str, Any]:
    return {
        "symbol": one.symbol,
        "positionSide": position_side(one.position_side),
        "positionAmt": _size(call, one),
        "unrealizedProfit": eight(one.unrealized),
        "isolatedMargin": eight(one.isolated_margin),
        "notional": trimmed(round(one.value, 8)),
        "isolatedWallet": trimmed(one.isolated_wallet),
        "initialMargin": trimmed(round(one.initial_margin + one.order_margin, 8)),
        "maintMargin": trimmed(round(one.maintenance, 8)),
        "updateTime": one.updated_at // _MS,
    }


def account_v2(call: Call) -> dict[str, Any]:
    """Tell of the account in its older form, all positions among it; COIN-M has no other."""
    found = wallets(call)
    user = call.who
    account: dict[str, Any] = {
        "feeTier": 0,
        "feeBurn": False,
        "canTrade": user.can_trade,
        "canDeposit": user.can_deposit,
        "canWithdraw": user.can_withdraw,
        "updateTime": 0,
    }
    if not call.at.inverse:
        account["multiAssetsMargin"] = call.at.exchange.has_multi_assets(user)
        account["tradeGroupId"] = -1
        account |= _totals(found)
    account["assets"] = [_asset(call, one) | ({} if call.at.inverse else {"marginAvailable": True}) for one in found]
    account["positions"] = [_long(call, one) for one in _positions(call)]
    return account


def _long(call: Call, one: Position) -> dict[str, Any]:
    most = one.most_value if one.most_value is not None else _UNLIMITED
    row: dict[str, Any] = {
        "symbol": one.symbol,
        "initialMargin": trimmed(round(one.initial_margin + one.order_margin, 8)),
        "maintMargin": trimmed(round(one.maintenance, 8)),
        "unrealizedProfit": eight(one.unrealized),
        "positionInitialMargin": trimmed(round(one.initial_margin, 8)),
        "openOrderInitialMargin": trimmed(round(one.order_margin, 8)),
        "leverage": str(one.leverage),
        "isolated": one.isolated,
        "entryPrice": _price(one.entry_price),
        "breakEvenPrice": _price(one.break_even_price),
        "positionSide": position_side(one.position_side),
        "positionAmt": _size(call, one),
        "updateTime": one.updated_at // _MS,
    }
    if call.at.inverse:
        row |= {"maxQty": plain(_contracts(call, one, most)), "notionalValue": trimmed(round(one.value, 8))}
    else:
        row |= {
            "maxNotional": plain(most),
            "notional": trimmed(round(one.value, 8)),
            "isolatedWallet": trimmed(one.isolated_wallet),
            "bidNotional": "0",
            "askNotional": "0",
        }
    return row


def _price(value: Decimal) -> str:
    """Return an average price: as many decimals as it needs, eight at most, one at least."""
    text = trimmed(round(value, 8))
    return text if "." in text else f"{text}.0"


def _size(call: Call, one: Position) -> str:
    return to_places(one.size, places(call.at.listing(one.symbol).step_size))


def _contracts(call: Call, one: Position, value: Decimal) -> Decimal:
    """Return how many contracts are worth `value` coins."""
    contract = call.at.listing(one.symbol).contract_size
    return Decimal(int(value * one.mark / contract)) if one.mark else _ZERO


def _positions(call: Call) -> list[Position]:
    """Return the user's positions in all symbols, or in those that a request asks for."""
    desk, params = call.at, call.params
    exchange = desk.exchange
    symbols = list(exchange.listings)
    if "symbol" in params:
        symbols = [listed_symbol(call)]
    elif "pair" in params:
        symbols = [one for one in symbols if pair(one) == params.text("pair")]
        if not symbols:
            raise invalid_symbol()
    elif "marginAsset" in params:
        symbols = [one for one in symbols if desk.listing(one).settle == params.text("marginAsset")]
    return [one for symbol in symbols for one in exchange.positions(call.who, symbol, empty=True)]


def positions_v2(call: Call) -> list[dict[str, Any]]:
    """Tell of positions in all symbols, open or not; COIN-M has no other form."""
    inverse = call.at.inverse
    rows = []
    for one in _positions(call):
        most = one.most_value if one.most_value is not None else _UNLIMITED
        row: dict[str, Any] = {
            "symbol": one.symbol,
            "positionAmt": _size(call, one),
            "entryPrice": _price(one.entry_price),
            "breakEvenPrice": _price(one.break_even_price),
            "markPrice": eight(one.mark),
            "unRealizedProfit": eight(one.unrealized),
            "liquidationPrice": trimmed(round(one.liquidation_price, 8)),
            "leverage": str(one.leverage),
        }
        if inverse:
            row["maxQty"] = plain(_contracts(call, one, most))
        else:
            row["maxNotionalValue"] = plain(most)
        row |= {
            "marginType": "isolated" if one.isolated else "cross",
            "isolatedMargin": eight(one.isolated_margin),
            "isAutoAddMargin": "false",
            "positionSide": position_side(one.position_side),
        }
        if inverse:
            row["notionalValue"] = trimmed(round(one.value, 8))
        else:
            row |= {"notional": trimmed(round(one.value, 8)), "isolatedWallet": trimmed(one.isolated_wallet)}
        row["updateTime"] = one.updated_at // _MS
        rows.append(row)
    return rows


def positions_v3(call: Call) -> list[dict[str, Any]]:
    """Tell of positions that are open, or that orders would open."""
    return [
        {
            "symbol": one.symbol,
            "positionSide": position_side(one.position_side),
            "positionAmt": _size(call, one),
            "entryPrice": _price(one.entry_price),
            "breakEvenPrice": _price(one.break_even_price),
            "markPrice": eight(one.mark),
            "unRealizedProfit": eight(one.unrealized),
            "liquidationPrice": trimmed(round(one.liquidation_price, 8)),
            "isolatedMargin": eight(one.isolated_margin),
            "notional": trimmed(round(one.value, 8)),
            "marginAsset": call.at.listing(one.symbol).settle,
            "isolatedWallet": trimmed(one.isolated_wallet),
            "initialMargin": trimmed(round(one.initial_margin + one.order_margin, 8)),
            "maintMargin": trimmed(round(one.maintenance, 8)),
            "positionInitialMargin": trimmed(round(one.initial_margin, 8)),
            "openOrderInitialMargin": trimmed(round(one.order_margin, 8)),
            "adl": one.adl_rank,
            "bidNotional": "0",
            "askNotional": "0",
            "updateTime": one.updated_at // _MS,
        }
        for one in _positions(call)
        if one.size or one.order_margin
    ]


def commission(call: Call) -> dict[str, str]:
    """Tell of the commission in a symbol."""
    symbol = listed_symbol(call)
    maker, taker = fees_of(call.who, call.at.listing(symbol))
    return {"symbol": symbol, "makerCommissionRate": trimmed(maker), "takerCommissionRate": trimmed(taker)}


def order_limits(call: Call) -> list[dict[str, Any]]:
    """Tell of the limits of orders."""
    return [limit.described() for limit in call.venue.orders(call.at).limits]


def adl_quantile(call: Call) -> Any:
    """Tell how soon positions are deleveraged."""
    ranks: dict[str, dict[str, int]] = {}
    for one in _positions(call):
        if one.size:
            ranks.setdefault(one.symbol, {})[position_side(one.position_side)] = one.adl_rank
    rows = [{"symbol": symbol, "adlQuantile": rank} for symbol, rank in ranks.items()]
    return rows[0] if "symbol" in call.params and rows else rows


def income(call: Call) -> list[dict[str, Any]]:
    """Tell of profits, fees, funding and transfers, oldest first."""
    params = call.params
    symbol = listed_symbol(call) if "symbol" in params else ""
    start, end = params.window()
    kind = params.text("incomeType")
    rows = [
        one
        for one in call.venue.incomes[call.at.segment].of(call.who.id)
        if (not symbol or one["symbol"] == symbol)
        and (not kind or one["incomeType"] == kind)
        and (start is None or one["time"] >= start)
        and (end is None or one["time"] <= end)
    ]
    limit = params.limit(100, 1_000)
    return rows[:limit] if start is not None else rows[-limit:]
