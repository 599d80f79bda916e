"""What clients ask of ``/sapi`` before and beside trading: fees, coins, restrictions of a key, transfers."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cambist_simulator.dialects.binance.errors import ApiError, refusal
from cambist_simulator.dialects.binance.formats import plain, trimmed
from cambist_simulator.dialects.binance.spot_account import fees_of
from cambist_simulator.exchange.errors import RefusedError
from cambist_simulator.exchange.listing import Segment

if TYPE_CHECKING:
    from cambist_simulator.dialects.binance.calls import Call

__all__ = [
    "account_status",
    "api_restrictions",
    "api_trading_status",
    "bnb_burn",
    "coins",
    "no_margin_pairs",
    "set_bnb_burn",
    "system_status",
    "trade_fees",
    "transfer",
]

_ZERO = Decimal(0)
_PLACES = {"MAIN": Segment.SPOT, "UMFUTURE": Segment.LINEAR, "CMFUTURE": Segment.INVERSE}


def system_status(call: Call) -> dict[str, Any]:
    """Tell whether the venue is open."""
    closed = call.venue.maintenance
    return {"status": int(closed), "msg": "system_maintenance" if closed else "normal"}


def account_status(call: Call) -> dict[str, str]:  # noqa: ARG001 -- a handler like the others
    """Tell that the account is in order."""
    return {"data": "Normal"}


def api_trading_status(call: Call) -> dict[str, Any]:
    """Tell whether the account may trade over the API."""
    return {
        "data": {
            "isLocked": not call.who.can_trade,
            "plannedRecoverTime": 0,
            "triggerCondition": {"GCR": 150, "IFER": 150, "UFR": 300},
            "updateTime": 0,
        }
    }


def trade_fees(call: Call) -> list[dict[str, str]]:
    """Tell of spot fees by symbol."""
    spot = call.venue.spot
    listings = {} if spot is None else spot.exchange.listings
    wanted = call.params.text("symbol")
    if wanted and wanted not in listings:
        raise ApiError(-1121, "Invalid symbol.")
    rows = []
    for listing in listings.values():
        if not wanted or listing.symbol == wanted:
            maker, taker = fees_of(call.who, listing)
            rows.append({"symbol": listing.symbol, "makerCommission": plain(maker), "takerCommission": plain(taker)})
    return rows


def api_restrictions(call: Call) -> dict[str, Any]:
    """Tell what the key may do."""
    key = call.key
    assert key is not None
    allowed = key.permissions
    return {
        "ipRestrict": bool(key.ips),
        "createTime": 1_577_836_800_000,
        "enableReading": "read" in allowed,
        "enableSpotAndMarginTrading": "spot" in allowed,
        "enableWithdrawals": "withdraw" in allowed,
        "enableInternalTransfer": "withdraw" in allowed,
        "enableMargin": False,
        "enableFutures": "futures" in allowed,
        "permitsUniversalTransfer": "withdraw" in allowed,
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enablePortfolioMarginTrading": False,
    }


def coins(call: Call) -> list[dict[str, Any]]:
    """Tell of all coins, with what the user has on spot."""
    spot = call.venue.spot
    balances = {} if spot is None else dict(spot.exchange.balances(call.who).items())
    assets = dict.fromkeys(
        asset
        for desk in call.venue.desks.values()
        for listing in desk.exchange.listings.values()
        for asset in (listing.base, listing.quote)
    )
    rows = []
    for asset in [*assets, *(one for one in balances if one not in assets)]:
        held = balances.get(asset)
        free, locked = (held.free, held.locked) if held is not None else (_ZERO, _ZERO)
        rows.append(
            {
                "coin": asset,
                "depositAllEnable": True,
                "withdrawAllEnable": True,
                "name": asset,
                "free": trimmed(free),
                "locked": trimmed(locked),
                "freeze": "0",
                "withdrawing": "0",
                "ipoing": "0",
                "ipoable": "0",
                "storage": "0",
                "isLegalMoney": asset == "USD",
                "trading": True,
                "networkList": [_network(asset)],
            }
        )
    return rows


def _network(asset: str) -> dict[str, Any]:
    return {
        "network": asset,
        "coin": asset,
        "withdrawIntegerMultiple": "0.00000001",
        "isDefault": True,
        "depositEnable": True,
        "withdrawEnable": True,
        "depositDesc": "",
        "withdrawDesc": "",
        "specialTips": "",
        "name": asset,
        "resetAddressStatus": False,
        "addressRegex": "^.+$",
        "memoRegex": "",
        "withdrawFee": "0",
        "withdrawMin": "0.00000001",
        "withdrawMax": "9999999999",
        "minConfirm": 1,
        "unLockConfirm": 0,
        "sameAddress": False,
        "estimatedArrivalTime": 1,
        "busy": False,
    }


def bnb_burn(call: Call) -> dict[str, bool]:
    """Tell whether spot fees are paid in BNB."""
    return {"spotBNBBurn": call.who.fee_asset == "BNB", "interestBNBBurn": False}


def set_bnb_burn(call: Call) -> dict[str, bool]:
    """Let spot fees be paid in BNB, or no more."""
    if "spotBNBBurn" in call.params:
        call.who.fee_asset = "BNB" if call.params.flag("spotBNBBurn") else ""
    return bnb_burn(call)


def transfer(call: Call) -> dict[str, int]:
    """Move money between the user's accounts."""
    params = call.params
    source, _, target = params.need("type").partition("_")
    places = _PLACES.get(source), _PLACES.get(target)
    desks = [None if place is None else call.venue.desks.get(place) for place in places]
    if desks[0] is None or desks[1] is None or desks[0] is desks[1]:
        raise ApiError(-1130, "Data sent for parameter 'type' is not valid.")
    amount = params.need_decimal("amount")
    if not amount:
        raise ApiError(-9000, "Amount must be positive.")
    try:
        desks[0].exchange.transfer(call.who, params.need("asset"), amount, to=desks[1].exchange)
    except RefusedError as error:
        failed = refusal(Segment.SPOT, error)
        raise ApiError(-5013, "Asset transfer failed: insufficient balance") from failed
    return {"tranId": next(call.venue.transfers)}


def no_margin_pairs(call: Call) -> list[Any]:  # noqa: ARG001 -- a handler like the others
    """Tell that there is no margin trading."""
    return []
