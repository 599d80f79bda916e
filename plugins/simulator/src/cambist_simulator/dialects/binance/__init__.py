"""Binance: spot, USD-M and COIN-M futures, as its public documentation describes them."""
