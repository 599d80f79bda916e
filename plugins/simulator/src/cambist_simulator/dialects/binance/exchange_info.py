"""``exchangeInfo``: limits, assets and symbols with their filters, as each of the three APIs writes them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from cambist_simulator.dialects.binance.formats import eight, places, plain, to_places, trimmed
from cambist_simulator.dialects.binance.futures_encode import pair
from cambist_simulator.exchange.listing import Segment, SymbolStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cambist_simulator.dialects.binance.limits import Limit
    from cambist_simulator.exchange.listing import Listing

__all__ = ["futures_info", "spot_info"]

_MS = 1_000_000
#: What the venue gives perpetuals for a day of delivery.
_NEVER: Final = 4_133_404_800_000
_SPOT_TYPES: Final = [
    "LIMIT",
    "LIMIT_MAKER",
    "MARKET",
    "STOP_LOSS",
    "STOP_LOSS_LIMIT",
    "TAKE_PROFIT",
    "TAKE_PROFIT_LIMIT",
]
_FUTURES_TYPES: Final = [
    "LIMIT",
    "MARKET",
    "STOP",
    "STOP_MARKET",
    "TAKE_PROFIT",
    "TAKE_PROFIT_MARKET",
    "TRAILING_STOP_MARKET",
]
_STATUS: Final = {
    SymbolStatus.TRADING: "TRADING",
    SymbolStatus.HALT: "HALT",
    SymbolStatus.CANCEL_ONLY: "CANCEL_ONLY",
    SymbolStatus.BREAK: "BREAK",
}
_FUTURES_STATUS: Final = {
    SymbolStatus.TRADING: "TRADING",
    SymbolStatus.HALT: "PENDING_TRADING",
    SymbolStatus.CANCEL_ONLY: "PRE_SETTLE",
    SymbolStatus.BREAK: "CLOSE",
}


def spot_info(listings: Iterable[Listing], limits: Iterable[Limit], now: int) -> dict[str, Any]:
    """Return the answer of spot; `now` is the server time in ms."""
    return {
        "timezone": "UTC",
        "serverTime": now,
        "rateLimits": [limit.described() for limit in limits],
        "exchangeFilters": [],
        "symbols": [_spot_symbol(listing) for listing in listings],
    }


def _spot_symbol(listing: Listing) -> dict[str, Any]:
    return {
        "symbol": listing.symbol,
        "status": _STATUS[listing.status],
        "baseAsset": listing.base,
        "baseAssetPrecision": 8,
        "quoteAsset": listing.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": _SPOT_TYPES,
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "opoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _spot_filters(listing),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT"],
    }


def _spot_filters(listing: Listing) -> list[dict[str, Any]]:
    filters: list[dict[str, Any]] = [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": eight(listing.min_price),
            "maxPrice": eight(listing.max_price),
            "tickSize": eight(listing.tick_size),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": eight(listing.min_size),
            "maxQty": eight(listing.max_size),
            "stepSize": eight(listing.step_size),
        },
        {"filterType": "ICEBERG_PARTS", "limit": listing.max_iceberg_parts or 10},
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": eight(listing.market_min_size),
            "maxQty": eight(listing.market_max_size or listing.max_size),
            "stepSize": eight(listing.market_step_size),
        },
    ]
    if listing.trailing_range is not None:
        least, most = (int(share * 10_000) for share in listing.trailing_range)
        filters.append(
            {
                "filterType": "TRAILING_DELTA",
                "minTrailingAboveDelta": least,
                "maxTrailingAboveDelta": most,
                "minTrailingBelowDelta": least,
                "maxTrailingBelowDelta": most,
            }
        )
    if listing.up_multiplier is not None and listing.down_multiplier is not None:
        filters.append(
            {
                "filterType": "PERCENT_PRICE_BY_SIDE",
                "bidMultiplierUp": plain(listing.up_multiplier[0]),
                "bidMultiplierDown": plain(listing.down_multiplier[0]),
                "askMultiplierUp": plain(listing.up_multiplier[1]),
                "askMultiplierDown": plain(listing.down_multiplier[1]),
                "avgPriceMins": 5,
            }
        )
    return filters + _spot_counts(listing)


def _spot_counts(listing: Listing) -> list[dict[str, Any]]:
    filters: list[dict[str, Any]] = [
        {
            "filterType": "NOTIONAL",
            "minNotional": eight(listing.min_notional),
            "applyMinToMarket": listing.notional_at_market,
            "maxNotional": eight(listing.max_notional or Decimal(9_000_000)),
            "applyMaxToMarket": False,
            "avgPriceMins": 5,
        }
    ]
    if listing.max_position is not None:
        filters.append({"filterType": "MAX_POSITION", "maxPosition": eight(listing.max_position)})
    if listing.max_orders is not None:
        filters.append({"filterType": "MAX_NUM_ORDERS", "maxNumOrders": listing.max_orders})
    if listing.max_conditional_orders is not None:
        filters.append({"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": listing.max_conditional_orders})
    if listing.max_amends is not None:
        filters.append({"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": listing.max_amends})
    return filters


def futures_info(listings: Iterable[Listing], limits: Iterable[Limit], now: int, segment: Segment) -> dict[str, Any]:
    """Return the answer of USD-M or COIN-M; `now` is the server time in ms."""
    listed = list(listings)
    inverse = segment is Segment.INVERSE
    info: dict[str, Any] = {
        "timezone": "UTC",
        "serverTime": now,
        "rateLimits": [limit.described() for limit in limits],
        "exchangeFilters": [],
    }
    if not inverse:
        info["futuresType"] = "U_MARGINED"
        assets = dict.fromkeys(listing.settle for listing in listed)
        info["assets"] = [{"asset": one, "marginAvailable": True, "autoAssetExchange": "-10000"} for one in assets]
    info["symbols"] = [_contract(listing, inverse=inverse) for listing in listed]
    return info


def _contract(listing: Listing, *, inverse: bool) -> dict[str, Any]:
    tick, step = places(listing.tick_size), places(listing.step_size)
    first = listing.brackets[0] if listing.brackets else None
    contract: dict[str, Any] = {
        "symbol": listing.symbol,
        "pair": pair(listing.symbol),
        "contractType": "CURRENT_QUARTER" if listing.delivers_at else "PERPETUAL",
        "deliveryDate": listing.delivers_at // _MS or _NEVER,
        "onboardDate": 1_569_398_400_000,
        "contractStatus" if inverse else "status": _FUTURES_STATUS[listing.status],
        "maintMarginPercent": to_places(first.maintenance_rate * 100 if first else Decimal("2.5"), 4),
        "requiredMarginPercent": "5.0000",
        "baseAsset": listing.base,
        "quoteAsset": listing.quote,
        "marginAsset": listing.settle,
        "pricePrecision": tick,
        "quantityPrecision": step,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": ["PoW"],
        "triggerProtect": "0.0500",
        "liquidationFee": to_places(listing.liquidation_fee, 6),
        "marketTakeBound": "0.05",
        "maxMoveOrderLimit": listing.max_amends or 10_000,
        "filters": _contract_filters(listing, inverse=inverse),
        "orderTypes": _FUTURES_TYPES,
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"] if inverse else ["GTC", "IOC", "FOK", "GTX", "GTD"],
    }
    if inverse:
        contract["contractSize"] = int(listing.contract_size)
        contract["equalQtyPrecision"] = 4
    else:
        contract["settlePlan"] = 0
        contract["permissionSets"] = ["GRID", "COPY"]
    return contract


def _contract_filters(listing: Listing, *, inverse: bool) -> list[dict[str, Any]]:
    filters: list[dict[str, Any]] = [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": plain(listing.min_price),
            "maxPrice": plain(listing.max_price),
            "tickSize": plain(listing.tick_size),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": plain(listing.min_size),
            "maxQty": plain(listing.max_size),
            "stepSize": plain(listing.step_size),
        },
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": plain(listing.market_min_size or listing.min_size),
            "maxQty": plain(listing.market_max_size or listing.max_size),
            "stepSize": plain(listing.market_step_size or listing.step_size),
        },
    ]
    if listing.max_orders is not None:
        filters.append({"filterType": "MAX_NUM_ORDERS", "limit": listing.max_orders})
    if listing.max_conditional_orders is not None:
        filters.append({"filterType": "MAX_NUM_ALGO_ORDERS", "limit": listing.max_conditional_orders})
    if not inverse and listing.min_notional is not None:
        filters.append({"filterType": "MIN_NOTIONAL", "notional": trimmed(listing.min_notional)})
    if listing.up_multiplier is not None and listing.down_multiplier is not None:
        filters.append(
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": to_places(listing.up_multiplier[0], 4),
                "multiplierDown": to_places(listing.down_multiplier[0], 4),
                "multiplierDecimal": "4",
            }
        )
    return filters


def selected(listings: Mapping[str, Listing], symbols: Iterable[str] | None) -> list[Listing]:
    """Return the listings that were asked for, all of them for None."""
    return list(listings.values()) if symbols is None else [listings[one] for one in symbols]
