"""Binance: spot, USD-M and COIN-M futures, as its public documentation describes them."""

from cambist_simulator.dialects.binance.dialect import BinanceDialect
from cambist_simulator.dialects.binance.limits import Limit
from cambist_simulator.dialects.binance.listings import default_listings, listings_from_file
from cambist_simulator.dialects.binance.venue import FUTURES_LIMITS, SPOT_LIMITS

__all__ = [
    "FUTURES_LIMITS",
    "SPOT_LIMITS",
    "BinanceDialect",
    "Limit",
    "default_listings",
    "listings_from_file",
]
