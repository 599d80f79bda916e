"""What the venue lists when nothing else is asked for, and listings out of a saved ``exchangeInfo``.

Numbers of the built-in symbols are those of the venue's ``exchangeInfo`` and leverage brackets in 2025, rounded.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from cambist.api import InputError
from cambist.simulation import SelfTrade
from cambist_simulator.exchange.listing import Bracket, Listing, Segment, SymbolStatus

__all__ = ["default_listings", "listings_from_file"]

_D = Decimal
_ONE: Final = _D(1)
_Tiers = tuple[tuple[str, int, str], ...]
_8_HOURS: Final = 8 * 3_600_000_000_000
_STATUS: Final = {
    "TRADING": SymbolStatus.TRADING,
    "HALT": SymbolStatus.HALT,
    "CANCEL_ONLY": SymbolStatus.CANCEL_ONLY,
}
_DOUBLE: Final = (_D("5"), _D("5")), (_D("0.2"), _D("0.2"))


def default_listings(segment: Segment) -> list[Listing]:
    """Return the symbols that the venue lists in a segment."""
    if segment is Segment.SPOT:
        return [_spot(*row) for row in _SPOT]
    if segment is Segment.LINEAR:
        return [_linear(row) for row in _LINEAR]
    return [_inverse(row) for row in _INVERSE]


#: Base, quote, tick, step, most of it, least money.
_SPOT: Final = (
    ("BTC", "USDT", "0.01", "0.00001", "9000", "5"),
    ("ETH", "USDT", "0.01", "0.0001", "9000", "5"),
    ("BNB", "USDT", "0.01", "0.001", "900000", "5"),
    ("SOL", "USDT", "0.01", "0.001", "90000", "5"),
    ("XRP", "USDT", "0.0001", "0.1", "9222449", "5"),
    ("LTC", "USDT", "0.01", "0.001", "90000", "5"),
    ("ETH", "BTC", "0.00001", "0.0001", "100000", "0.0001"),
    ("BNB", "BTC", "0.000001", "0.001", "100000", "0.0001"),
    ("LTC", "BTC", "0.000001", "0.001", "100000", "0.0001"),
    ("BTC", "USDC", "0.01", "0.00001", "9000", "5"),
)


def _spot(base: str, quote: str, tick: str, step: str, most: str, least_money: str) -> Listing:
    up, down = _DOUBLE
    return Listing(
        symbol=base + quote,
        base=base,
        quote=quote,
        settle=quote,
        tick_size=_D(tick),
        step_size=_D(step),
        min_price=_D(tick),
        max_price=_D("1000000"),
        min_size=_D(step),
        max_size=_D(most),
        market_max_size=_D(most) / 10,
        min_notional=_D(least_money),
        max_notional=_D("9000000"),
        up_multiplier=up,
        down_multiplier=down,
        max_orders=200,
        max_conditional_orders=5,
        max_iceberg_parts=10,
        max_amends=10,
        trailing_range=(_D("0.001"), _D("0.2")),
        self_trade=SelfTrade.CANCEL_OLDEST,
    )


#: Up to so much notional, leverage, maintenance rate.
_BTC_TIERS: Final = (
    ("300000", 125, "0.004"),
    ("800000", 100, "0.005"),
    ("3000000", 75, "0.0065"),
    ("12000000", 50, "0.01"),
    ("70000000", 25, "0.02"),
    ("100000000", 20, "0.025"),
    ("230000000", 10, "0.05"),
    ("480000000", 5, "0.1"),
    ("600000000", 4, "0.125"),
    ("800000000", 3, "0.15"),
    ("1200000000", 2, "0.25"),
    ("1800000000", 1, "0.5"),
)
_ALT_TIERS: Final = (
    ("50000", 75, "0.0065"),
    ("150000", 50, "0.01"),
    ("900000", 25, "0.02"),
    ("2000000", 20, "0.025"),
    ("9000000", 10, "0.05"),
    ("20000000", 5, "0.1"),
    ("30000000", 4, "0.125"),
    ("40000000", 2, "0.25"),
    ("50000000", 1, "0.5"),
)


def brackets_of(tiers: _Tiers, scale: Decimal = _ONE) -> tuple[Bracket, ...]:
    """Return brackets whose maintenance margin has no jump where one ends and the next begins."""
    found: list[Bracket] = []
    floor, rate, cumulative = _D(0), _D(0), _D(0)
    for number, (cap, leverage, text) in enumerate(tiers, 1):
        cumulative += floor * (_D(text) - rate) if number > 1 else _D(0)
        rate = _D(text)
        found.append(
            Bracket(
                bracket=number,
                max_leverage=leverage,
                floor=floor,
                cap=_D(cap) / scale,
                maintenance_rate=rate,
                cumulative=cumulative,
            )
        )
        floor = _D(cap) / scale
    return tuple(found)


#: Base, quote, tick, step, most, most at market, least money, highest price, tiers.
_LINEAR: Final = (
    ("BTC", "USDT", "0.10", "0.001", "1000", "120", "50", "4529764", _BTC_TIERS),
    ("ETH", "USDT", "0.01", "0.001", "10000", "2000", "20", "306177", _BTC_TIERS),
    ("BNB", "USDT", "0.010", "0.01", "100000", "2000", "5", "100000", _ALT_TIERS),
    ("SOL", "USDT", "0.0100", "0.01", "1000000", "80000", "5", "6857", _ALT_TIERS),
    ("XRP", "USDT", "0.0001", "0.1", "10000000", "2000000", "5", "100000", _ALT_TIERS),
    ("BTC", "USDC", "0.1", "0.001", "1000", "120", "50", "4529764", _BTC_TIERS),
)


def _linear(row: tuple[str, str, str, str, str, str, str, str, _Tiers]) -> Listing:
    base, quote, tick, step, most, at_market, least_money, highest, tiers = row
    return Listing(
        symbol=base + quote,
        base=base,
        quote=quote,
        settle=quote,
        tick_size=_D(tick),
        step_size=_D(step),
        min_price=_D(tick),
        max_price=_D(highest),
        min_size=_D(step),
        max_size=_D(most),
        market_step_size=_D(step),
        market_min_size=_D(step),
        market_max_size=_D(at_market),
        min_notional=_D(least_money),
        up_multiplier=(_D("1.0500"), _D("1.0500")),
        down_multiplier=(_D("0.9500"), _D("0.9500")),
        max_orders=200,
        max_conditional_orders=10,
        max_amends=10_000,
        trailing_range=(_D("0.001"), _D("0.1")),
        maker_fee=_D("0.0002"),
        taker_fee=_D("0.0005"),
        liquidation_fee=_D("0.0125"),
        brackets=brackets_of(tiers),
        funding_interval=_8_HOURS,
        self_trade=SelfTrade.CANCEL_OLDEST,
    )


#: Base, contract size in USD, tick, most, most at market, highest price; brackets are in coin, valued at a round price.
_INVERSE: Final = (
    ("BTC", "100", "0.1", "1000000", "60000", "4520958", "50000", _BTC_TIERS),
    ("ETH", "10", "0.01", "1000000", "500000", "306159", "2500", _BTC_TIERS),
    ("BNB", "10", "0.010", "1000000", "60000", "100000", "500", _ALT_TIERS),
)


def _inverse(row: tuple[str, str, str, str, str, str, str, _Tiers]) -> Listing:
    base, contract, tick, most, at_market, highest, round_price, tiers = row
    return Listing(
        symbol=f"{base}USD_PERP",
        base=base,
        quote="USD",
        settle=base,
        contract_size=_D(contract),
        tick_size=_D(tick),
        step_size=_D(1),
        min_price=_D(tick),
        max_price=_D(highest),
        min_size=_D(1),
        max_size=_D(most),
        market_step_size=_D(1),
        market_min_size=_D(1),
        market_max_size=_D(at_market),
        up_multiplier=(_D("1.0500"), _D("1.0500")),
        down_multiplier=(_D("0.9500"), _D("0.9500")),
        max_orders=200,
        max_conditional_orders=20,
        max_amends=10_000,
        trailing_range=(_D("0.001"), _D("0.1")),
        maker_fee=_D("0.0002"),
        taker_fee=_D("0.0005"),
        liquidation_fee=_D("0.0150"),
        brackets=brackets_of(tiers, _D(round_price)),
        funding_interval=_8_HOURS,
        self_trade=SelfTrade.CANCEL_OLDEST,
    )


def listings_from_file(path: str | Path, segment: Segment, symbols: tuple[str, ...] = ()) -> list[Listing]:
    """Return listings out of a saved answer to ``exchangeInfo``.

    Parameters
    ----------
    symbols
        Which ones; all where empty.

    Raises
    ------
    InputError
        If the file is no such answer, or lacks a symbol.
    """
    path = Path(path)
    try:
        rows = msgspec.json.decode(path.read_bytes())["symbols"]
        found = {row["symbol"]: row for row in rows}
    except (OSError, msgspec.DecodeError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} is no answer to exchangeInfo ({error}); save one as JSON and name that file."
        ) from None
    if missing := sorted(set(symbols) - found.keys()):
        raise InputError(f"{path} lists no {missing[0]}; it lists {', '.join(list(found)[:10])} ...")
    try:
        return [_from_row(found[symbol], segment) for symbol in (symbols or tuple(found))]
    except (KeyError, ArithmeticError) as error:
        raise InputError(f"{path} has a symbol without {error}; save exchangeInfo of {segment} anew.") from None


def _from_row(row: dict[str, Any], segment: Segment) -> Listing:
    filters = {one["filterType"]: one for one in row["filters"]}
    price, lot = filters["PRICE_FILTER"], filters["LOT_SIZE"]
    market = filters.get("MARKET_LOT_SIZE", {})
    spot = segment is Segment.SPOT
    tiers = _BTC_TIERS if row["baseAsset"] in {"BTC", "ETH"} else _ALT_TIERS
    scale = _D(50_000) if segment is Segment.INVERSE else _D(1)
    fee = _D("0.001") if spot else _D("0.0005")
    return Listing(
        symbol=row["symbol"],
        base=row["baseAsset"],
        quote=row["quoteAsset"],
        settle=row.get("marginAsset", row["quoteAsset"]),
        contract_size=_D(str(row.get("contractSize", 1))),
        tick_size=_D(price["tickSize"]),
        step_size=_D(lot["stepSize"]),
        min_price=_number(price, "minPrice"),
        max_price=_number(price, "maxPrice"),
        min_size=_D(lot["minQty"]),
        max_size=_number(lot, "maxQty"),
        market_step_size=_number(market, "stepSize"),
        market_min_size=_number(market, "minQty"),
        market_max_size=_number(market, "maxQty"),
        **_money_rules(filters),
        **_counts(filters),
        trailing_range=_trailing(filters) if spot else (_D("0.001"), _D("0.1")),
        maker_fee=fee if spot else _D("0.0002"),
        taker_fee=fee,
        liquidation_fee=_D(str(row.get("liquidationFee", 0))),
        brackets=() if spot else brackets_of(tiers, scale),
        funding_interval=_8_HOURS if row.get("contractType") == "PERPETUAL" else 0,
        delivers_at=_delivery(row),
        self_trade=SelfTrade.CANCEL_OLDEST,
        status=_STATUS.get(row.get("status", row.get("contractStatus", "TRADING")), SymbolStatus.BREAK),
    )


def _number(filters: dict[str, Any], name: str) -> Decimal | None:
    value = _D(str(filters.get(name, 0)))
    return value or None


def _money_rules(filters: dict[str, Any]) -> dict[str, Any]:
    notional = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL") or {}
    rules: dict[str, Any] = {
        "min_notional": _number(notional, "minNotional") or _number(notional, "notional"),
        "max_notional": _number(notional, "maxNotional"),
        "notional_at_market": bool(notional.get("applyMinToMarket", notional.get("applyToMarket", True))),
    }
    by_side = filters.get("PERCENT_PRICE_BY_SIDE")
    if by_side:
        rules["up_multiplier"] = _D(by_side["bidMultiplierUp"]), _D(by_side["askMultiplierUp"])
        rules["down_multiplier"] = _D(by_side["bidMultiplierDown"]), _D(by_side["askMultiplierDown"])
    elif both := filters.get("PERCENT_PRICE"):
        rules["up_multiplier"] = (_D(both["multiplierUp"]),) * 2
        rules["down_multiplier"] = (_D(both["multiplierDown"]),) * 2
    return rules


def _counts(filters: dict[str, Any]) -> dict[str, Any]:
    def most(kind: str, *names: str) -> int | None:
        row = filters.get(kind, {})
        return next((int(row[name]) for name in names if name in row), None)

    position = filters.get("MAX_POSITION")
    return {
        "max_orders": most("MAX_NUM_ORDERS", "maxNumOrders", "limit"),
        "max_conditional_orders": most("MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders", "limit"),
        "max_iceberg_parts": most("ICEBERG_PARTS", "limit"),
        "max_amends": most("MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends"),
        "max_position": _D(position["maxPosition"]) if position else None,
    }


def _trailing(filters: dict[str, Any]) -> tuple[Decimal, Decimal] | None:
    row = filters.get("TRAILING_DELTA")
    if row is None:
        return None
    least = min(row["minTrailingAboveDelta"], row["minTrailingBelowDelta"])
    most = max(row["maxTrailingAboveDelta"], row["maxTrailingBelowDelta"])
    return _D(least) / 10_000, _D(most) / 10_000


def _delivery(row: dict[str, Any]) -> int:
    at = int(row.get("deliveryDate", 0)) if row.get("contractType", "PERPETUAL") != "PERPETUAL" else 0
    return at * 1_000_000
