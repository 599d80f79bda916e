"""The spot account: balances, commission, order counts."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cambist_simulator.dialects.binance.formats import eight
from cambist_simulator.dialects.binance.market_rest import listed_symbol, market_now

if TYPE_CHECKING:
    from cambist_simulator.dialects.binance.calls import Call
    from cambist_simulator.exchange.listing import Listing
    from cambist_simulator.exchange.users import User

__all__ = ["account", "commission", "fees_of", "order_limits", "prevented_matches"]

_MS = 1_000_000
_ZERO = Decimal(0)
_USUAL = Decimal("0.001")


def fees_of(user: User, listing: Listing | None) -> tuple[Decimal, Decimal]:
    """Return a user's maker and taker fee in a symbol."""
    maker = listing.maker_fee if listing else _USUAL
    taker = listing.taker_fee if listing else _USUAL
    return (
        maker if user.maker_fee is None else user.maker_fee,
        taker if user.taker_fee is None else user.taker_fee,
    )


def account(call: Call) -> dict[str, Any]:
    """Tell of the account and its balances."""
    user = call.who
    exchange = call.at.exchange
    listings = exchange.listings
    maker, taker = fees_of(user, next(iter(listings.values()), None))
    hide_empty = call.params.flag("omitZeroBalances")
    balances = dict(exchange.balances(user).items())
    assets = dict.fromkeys(one for listing in listings.values() for one in (listing.base, listing.quote))
    rows = []
    for asset in [*balances, *(one for one in assets if one not in balances)]:
        held = balances.get(asset)
        free, locked = (held.free, held.locked) if held is not None else (_ZERO, _ZERO)
        if not hide_empty or free or locked:
            rows.append({"asset": asset, "free": eight(free), "locked": eight(locked)})
    return {
        "makerCommission": int(maker * 10_000),
        "takerCommission": int(taker * 10_000),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {
            "maker": eight(maker),
            "taker": eight(taker),
            "buyer": eight(None),
            "seller": eight(None),
        },
        "canTrade": user.can_trade,
        "canWithdraw": user.can_withdraw,
        "canDeposit": user.can_deposit,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": market_now(call) // _MS,
        "accountType": "SPOT",
        "balances": rows,
        "permissions": ["SPOT"],
        "uid": 354_937_000 + user.number,
    }


def commission(call: Call) -> dict[str, Any]:
    """Tell of the commission in a symbol."""
    symbol = listed_symbol(call)
    user = call.who
    maker, taker = fees_of(user, call.at.listing(symbol))
    zero = {"maker": eight(None), "taker": eight(None), "buyer": eight(None), "seller": eight(None)}
    return {
        "symbol": symbol,
        "standardCommission": zero | {"maker": eight(maker), "taker": eight(taker)},
        "specialCommission": zero,
        "taxCommission": zero,
        "discount": {
            "enabledForAccount": bool(user.fee_asset),
            "enabledForSymbol": True,
            "discountAsset": user.fee_asset or "BNB",
            "discount": eight(1 - user.fee_discount),
        },
    }


def order_limits(call: Call) -> list[dict[str, Any]]:
    """Tell how many orders were placed of those allowed."""
    return call.venue.orders(call.at).described(call.who.id, call.now)


def prevented_matches(call: Call) -> list[dict[str, Any]]:
    """Tell of trades that self-trade prevention prevented, as far as the user's orders still say."""
    symbol = listed_symbol(call)
    number = call.params.integer("orderId")
    found = call.at.exchange.orders(call.who, symbol, limit=1_000)
    return [
        {
            "symbol": symbol,
            "preventedMatchId": order.id,
            "takerOrderId": order.id,
            "makerSymbol": symbol,
            "makerOrderId": order.id,
            "tradeGroupId": call.who.number,
            "selfTradePreventionMode": call.at.mode,
            "price": eight(order.price),
            "makerPreventedQuantity": eight(order.prevented),
            "transactTime": order.updated_at // _MS,
        }
        for order in found
        if order.prevented and (number is None or order.id == number)
    ]
