"""Accounts as the venues' pages describe them, for the tests that hold ours to their numbers."""

from __future__ import annotations

from math import inf

import pytest

from cambist import Instrument, Margin, MarginTier
from cambist.model import Fill, Instructions, Liquidity, Order, OrderType, PositionSide, Side, TimeInForce
from cambist.portfolio import HedgePortfolio, MarginPortfolio

NAN = float("nan")
# "Updates to Leverage and Margin Tiers of Binance Futures Contracts (2021-03-18)", BTCUSDT 125x perpetual contract.
BTCUSDT_TIERS = [
    (50_000, 0.004, 125, 0),
    (250_000, 0.005, 100, 50),
    (1_000_000, 0.01, 50, 1_300),
    (10_000_000, 0.025, 20, 16_300),
    (20_000_000, 0.05, 10, 266_300),
    (50_000_000, 0.1, 5, 1_266_300),
    (100_000_000, 0.125, 4, 2_516_300),
    (200_000_000, 0.15, 3, 5_016_300),
    (300_000_000, 0.25, 2, 25_016_300),
    (inf, 0.5, 1, 100_016_300),
]


def tiers():
    return [
        MarginTier(up_to=up_to, maintenance_rate=rate, max_leverage=leverage)
        for up_to, rate, leverage, _ in BTCUSDT_TIERS
    ]


def linear(symbol="BTCUSDT", **terms):
    given = {"kind": "linear_perpetual", "base": "BTC", "quote": "USDT", "step_size": "0.001", "margin_rate": 0.008}
    return Instrument(symbol=symbol, **(given | terms))


def inverse(**terms):
    given = {"kind": "inverse_perpetual", "base": "BTC", "quote": "USD", "step_size": "1", "margin_rate": 0.01}
    return Instrument(symbol="BTCUSD", **(given | terms))


def held(instrument, size, price, *, cash, others=(), **margin):
    """Return an account that holds `size` of an instrument, bought or sold at `price`."""
    listed = [instrument, *(other for other, _, _ in others)]
    account = MarginPortfolio(listed, cash, margin=Margin(**margin))
    for one, signed, at in [(instrument, size, price), *others]:
        trade(account, one, signed, at)
    return account


def hedged(instrument, long, short, *, cash, **margin):
    """Return a hedged account that holds a long and a short position, each as (size, price)."""
    account = HedgePortfolio([instrument], cash, margin=Margin(position_mode="hedge", **margin))
    for side, (size, at) in zip(PositionSide, (long, short), strict=True):
        trade(account, instrument, size, at, side)
    return account


def trade(account, instrument, signed, price, side=None, fee=0.0):
    """Book a fill."""
    way = Side.BUY if signed > 0 else Side.SELL
    order = Order(1, instrument, way, OrderType.MARKET, abs(signed), NAN, NAN, TimeInForce.GTC, 0, False, "s", "", 0)
    if side is not None:
        order.instructions = Instructions(position_side=side)
    account.apply(Fill(1, 1, instrument, way, abs(signed), price, fee, Liquidity.TAKER, 1), order, 0)


def exactly(value):
    return pytest.approx(float(value), rel=1e-12)
