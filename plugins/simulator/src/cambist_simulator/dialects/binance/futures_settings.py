"""Settings of futures accounts: leverage, margin, position mode; and listen keys."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cambist_simulator.dialects.binance.errors import ApiError, refusal
from cambist_simulator.dialects.binance.formats import plain
from cambist_simulator.dialects.binance.market_rest import listed_symbol, market_now
from cambist_simulator.dialects.binance.words import POSITION_SIDES
from cambist_simulator.exchange.errors import RefusedError, Why

if TYPE_CHECKING:
    from cambist_simulator.dialects.binance.calls import Call
    from cambist_simulator.exchange.listing import Listing

__all__ = [
    "account_config",
    "brackets",
    "change_margin",
    "extend_listen_key",
    "fee_burn",
    "margin_history",
    "multi_assets",
    "position_mode",
    "set_leverage",
    "set_margin_type",
    "set_multi_assets",
    "set_position_mode",
    "start_listen_key",
    "stop_listen_key",
    "symbol_config",
]

_MS = 1_000_000
_UNLIMITED = Decimal(10) ** 9
_OK = {"code": 200, "msg": "success"}


def _most_at(listing: Listing, leverage: int) -> Decimal:
    """Return the largest position that a leverage allows."""
    return max((one.cap for one in listing.brackets if one.max_leverage >= leverage), default=_UNLIMITED)


def symbol_config(call: Call) -> list[dict[str, Any]]:
    """Tell of leverage and margin type by symbol."""
    desk = call.at
    symbols = [listed_symbol(call)] if "symbol" in call.params else list(desk.exchange.listings)
    rows = []
    for symbol in symbols:
        setting = desk.exchange.setting(call.who, symbol)
        rows.append(
            {
                "symbol": symbol,
                "marginType": "ISOLATED" if setting.isolated else "CROSSED",
                "isAutoAddMargin": False,
                "leverage": setting.leverage,
                "maxNotionalValue": plain(_most_at(desk.listing(symbol), setting.leverage)),
            }
        )
    return rows


def account_config(call: Call) -> dict[str, Any]:
    """Tell of the account's settings."""
    user = call.who
    exchange = call.at.exchange
    return {
        "feeTier": 0,
        "canTrade": user.can_trade,
        "canDeposit": user.can_deposit,
        "canWithdraw": user.can_withdraw,
        "dualSidePosition": exchange.is_hedged(user),
        "updateTime": 0,
        "multiAssetsMargin": exchange.has_multi_assets(user),
        "tradeGroupId": -1,
    }


def brackets(call: Call) -> Any:
    """Tell of tiers of leverage and maintenance margin."""
    desk = call.at
    if "symbol" in call.params:
        row = _brackets(call, listed_symbol(call))
        return [row]
    return [_brackets(call, one) for one in desk.exchange.listings]


def _brackets(call: Call, symbol: str) -> dict[str, Any]:
    inverse = call.at.inverse
    unit = "qty" if inverse else "notional"
    return {
        "symbol": symbol,
        "notionalCoef": 1.0,
        "brackets": [
            {
                "bracket": one.bracket,
                "initialLeverage": one.max_leverage,
                f"{unit}Cap": float(one.cap) if inverse else int(one.cap),
                f"{unit}Floor": float(one.floor) if inverse else int(one.floor),
                "maintMarginRatio": float(one.maintenance_rate),
                "cum": float(one.cumulative),
            }
            for one in call.at.listing(symbol).brackets
        ],
    }


def set_leverage(call: Call) -> dict[str, Any]:
    """Set the leverage in a symbol."""
    symbol = listed_symbol(call)
    leverage = call.params.need_integer("leverage")
    if not 1 <= leverage <= 125:
        raise ApiError(-4028, f"Leverage {leverage} is not valid")
    exchange = call.at.exchange
    try:
        exchange.set_leverage(call.who, symbol, leverage)
    except RefusedError as error:
        if error.why is Why.LEVERAGE and "highest" not in error.details:
            text = "Leverage reduction is not supported in Isolated Margin Mode with open positions."
            raise ApiError(-4161, text) from error
        raise refusal(call.at.segment, error) from error
    most = plain(_most_at(call.at.listing(symbol), leverage))
    return {
        "symbol": symbol,
        "leverage": leverage,
        "maxQty" if call.at.inverse else "maxNotionalValue": most,
    }


def set_margin_type(call: Call) -> dict[str, Any]:
    """Let positions in a symbol be backed each by itself, or all by the account."""
    symbol = listed_symbol(call)
    kind = call.params.need("marginType")
    if kind not in {"ISOLATED", "CROSSED"}:
        raise ApiError(-1130, "Data sent for parameter 'marginType' is not valid.")
    exchange, isolated = call.at.exchange, kind == "ISOLATED"
    if exchange.setting(call.who, symbol).isolated is isolated:
        raise ApiError(-4046, "No need to change margin type.")
    if isolated and exchange.has_multi_assets(call.who):
        raise ApiError(-4168, "Unable to adjust to isolated-margin mode under the Multi-Assets mode.")
    try:
        exchange.set_margin_type(call.who, symbol, isolated=isolated)
    except RefusedError as error:
        raise refusal(call.at.segment, error) from error
    return _OK


def change_margin(call: Call) -> dict[str, Any]:
    """Add margin to an isolated position, or take some off."""
    symbol = listed_symbol(call)
    params = call.params
    side = params.text("positionSide", "BOTH")
    if side not in POSITION_SIDES:
        raise ApiError(-4060, "Invalid position side.")
    amount = params.need_decimal("amount")
    kind = params.need_integer("type")
    if kind not in {1, 2}:
        raise ApiError(-1130, "Data sent for parameter 'type' is not valid.")
    if not amount:
        raise ApiError(-4055, "Amount must be positive.")
    try:
        call.at.exchange.change_margin(
            call.who, symbol, amount if kind == 1 else -amount, position_side=POSITION_SIDES[side]
        )
    except RefusedError as error:
        raise _margin_refused(error, call) from error
    call.venue.margin_changes[call.at.segment].append(
        {
            "symbol": symbol,
            "type": kind,
            "deltaType": "USER_ADJUST",
            "amount": plain(amount),
            "asset": call.at.listing(symbol).settle,
            "time": market_now(call) // _MS,
            "positionSide": side,
            "clientTranId": "",
            "user": call.who.id,
        }
    )
    return {"amount": float(amount), "code": 200, "msg": "Successfully modify position margin.", "type": kind}


def _margin_refused(error: RefusedError, call: Call) -> ApiError:
    if error.why is Why.INSUFFICIENT_MARGIN or error.why is Why.INSUFFICIENT_FUNDS:
        added = call.params.integer("type") == 1
        text = "Cross balance insufficient." if added else "Isolated balance insufficient."
        return ApiError(-4050 if added else -4051, text)
    if error.why is Why.UNSUPPORTED and call.at.exchange.setting(call.who, call.params.text("symbol")).isolated:
        return ApiError(-4054, "Cannot add position margin: position is 0.")
    if error.why is Why.UNSUPPORTED:
        return ApiError(-4049, "Add margin only support for isolated position.")
    return refusal(call.at.segment, error)


def margin_history(call: Call) -> list[dict[str, Any]]:
    """Tell of changes of margin that the user asked for."""
    symbol = listed_symbol(call)
    rows = [
        {name: value for name, value in one.items() if name != "user"}
        for one in call.venue.margin_changes[call.at.segment]
        if one["user"] == call.who.id and one["symbol"] == symbol
    ]
    return rows[-call.params.limit(500, 500) :]


def position_mode(call: Call) -> dict[str, bool]:
    """Tell whether long and short positions are held apart."""
    return {"dualSidePosition": call.at.exchange.is_hedged(call.who)}


def set_position_mode(call: Call) -> dict[str, Any]:
    """Hold long and short positions apart, or no more; on USD-M and COIN-M alike, since they share the switch."""
    call.params.need("dualSidePosition")
    hedged = call.params.flag("dualSidePosition")
    if call.at.exchange.is_hedged(call.who) is hedged:
        raise ApiError(-4059, "No need to change position side.")
    desks = call.venue.futures()
    done = []
    try:
        for desk in desks:
            if desk.exchange.is_hedged(call.who) is not hedged:
                desk.exchange.set_position_mode(call.who, hedged=hedged)
                done.append(desk)
    except RefusedError as error:
        for desk in done:
            desk.exchange.set_position_mode(call.who, hedged=not hedged)
        if error.why is Why.HAS_POSITION:
            raise ApiError(-4068, "Position side cannot be changed if there exists position.") from error
        if error.why is Why.HAS_ORDERS:
            raise ApiError(-4067, "Position side cannot be changed if there exists open orders.") from error
        raise refusal(call.at.segment, error) from error
    return _OK


def multi_assets(call: Call) -> dict[str, bool]:
    """Tell whether all assets back all positions."""
    return {"multiAssetsMargin": call.at.exchange.has_multi_assets(call.who)}


def set_multi_assets(call: Call) -> dict[str, Any]:
    """Let all assets back all positions, or no more."""
    call.params.need("multiAssetsMargin")
    wanted = call.params.flag("multiAssetsMargin")
    exchange = call.at.exchange
    if exchange.has_multi_assets(call.who) is wanted:
        raise ApiError(-4171, "Adjusted asset mode is currently set and does not need to be adjusted repeatedly.")
    try:
        exchange.set_multi_assets(call.who, multi_assets=wanted)
    except RefusedError as error:
        if error.why is Why.HAS_ORDERS:
            text = "Unable to adjust Multi-Assets Mode with open orders in USDⓈ-M Futures."
            raise ApiError(-4170, text) from error
        text = "Unable to adjust to Multi-Assets mode with symbols of USDⓈ-M Futures under isolated-margin mode."
        raise ApiError(-4167, text) from error
    return _OK


def fee_burn(call: Call) -> dict[str, bool]:  # noqa: ARG001 -- a handler like the others
    """Tell that fees are paid in the settlement asset."""
    return {"feeBurn": False}


def start_listen_key(call: Call) -> dict[str, str]:
    """Return the key that opens the user's data; it is good for an hour."""
    return {"listenKey": call.venue.listen_keys.start(call.at.segment, call.who.id, call.now)}


def extend_listen_key(call: Call) -> dict[str, str]:
    """Let the key be good for another hour."""
    key = call.venue.listen_keys.extend(call.at.segment, call.who.id, call.now)
    if key is None:
        raise ApiError(-1125, "This listenKey does not exist.")
    return {"listenKey": key}


def stop_listen_key(call: Call) -> dict[str, Any]:
    """Take the key back."""
    call.venue.listen_keys.stop(call.at.segment, call.who.id)
    return {}
