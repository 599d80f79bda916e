"""Small exchanges with a market around 100, and short ways to say what is asked of them."""

from __future__ import annotations

from contextlib import contextmanager
from decimal import Decimal

import pytest

from cambist.model import OrderType, Side
from cambist_simulator.clock import Clock, VenueClock
from cambist_simulator.exchange.errors import RefusedError
from cambist_simulator.exchange.exchange import Exchange
from cambist_simulator.exchange.listing import Bracket, Listing, Segment
from cambist_simulator.exchange.orders import OrderTerms

BUY, SELL = Side.BUY, Side.SELL
BTC = "BTCUSDT"
D = Decimal
#: 2024-01-01.
START = 1_704_067_200_000_000_000


def spot_listing(**rules):
    terms = {"symbol": BTC, "base": "BTC", "quote": "USDT", "settle": "USDT"}
    return Listing(**(terms | {"tick_size": D("0.01"), "step_size": D("0.001")} | rules))


def spot(*listings, levels=5, **options):
    """Return a spot exchange whose market shows 1 BTC at each of `levels` ticks from 99.99 down and 100.01 up."""
    clock = Clock(start=START, speed=0)
    exchange = Exchange("spot", Segment.SPOT, VenueClock(clock), listings=listings or [spot_listing()], **options)
    quote(exchange, levels=levels)
    return exchange


def quote(exchange, symbol=BTC, middle="100", levels=5, size="1"):
    tick = exchange.listing(symbol).tick_size
    for step in range(1, levels + 1):
        exchange.set_level(symbol, BUY, D(middle) - step * tick, D(size))
        exchange.set_level(symbol, SELL, D(middle) + step * tick, D(size))


def user(exchange, name="ann", **money):
    who = exchange.users.add(name)
    for asset, amount in (money or {"USDT": 100_000, "BTC": 10}).items():
        exchange.deposit(who, asset, D(amount))
    return who


def terms(side, size=None, price=None, kind=None, symbol=BTC, **more):
    if kind is None:
        kind = OrderType.MARKET if price is None else OrderType.LIMIT
    decimals = {key: D(value) if isinstance(value, str) and key in _DECIMALS else value for key, value in more.items()}
    return OrderTerms(
        symbol=symbol,
        side=side,
        type=kind,
        size=None if size is None else D(size),
        price=None if price is None else D(price),
        **decimals,
    )


_DECIMALS = {"quote_size", "stop_price", "trail", "display"}


def heard(exchange):
    """Return the list that events of the exchange go to from now on."""
    events = []
    exchange.listen(events.append)
    return events


@contextmanager
def refused(why, **details):
    with pytest.raises(RefusedError) as caught:
        yield
    assert caught.value.why == why
    assert {key: caught.value.details.get(key) for key in details} == details


# "Updates to Leverage and Margin Tiers of Binance Futures Contracts (2021-03-18)", BTCUSDT 125x perpetual contract:
# up to, maintenance rate, leverage, maintenance amount.
BTC_TIERS = [
    (50_000, "0.004", 125, 0),
    (250_000, "0.005", 100, 50),
    (1_000_000, "0.01", 50, 1_300),
    (10_000_000, "0.025", 20, 16_300),
    (20_000_000, "0.05", 10, 266_300),
    (50_000_000, "0.1", 5, 1_266_300),
    (10**12, "0.5", 1, 21_266_300),
]


def brackets(rows=BTC_TIERS):
    floor, found = 0, []
    for number, (cap, rate, leverage, amount) in enumerate(rows, 1):
        found.append(
            Bracket(
                bracket=number,
                max_leverage=leverage,
                floor=D(floor),
                cap=D(cap),
                maintenance_rate=D(rate),
                cumulative=D(amount),
            )
        )
        floor = cap
    return tuple(found)


def linear_listing(**rules):
    terms = {"symbol": BTC, "base": "BTC", "quote": "USDT", "settle": "USDT", "brackets": brackets()}
    fees = {"maker_fee": D("0.0002"), "taker_fee": D("0.0004")}
    return Listing(**(terms | fees | {"tick_size": D("0.1"), "step_size": D("0.001")} | rules))


COIN = "BTCUSD_PERP"
COIN_TIERS = [
    (5, "0.004", 125, 0),
    (10, "0.005", 100, "0.005"),
    (20, "0.01", 50, "0.055"),
    (10**6, "0.025", 20, "0.355"),
]


def inverse_listing(**rules):
    terms = {"symbol": COIN, "base": "BTC", "quote": "USD", "settle": "BTC", "brackets": brackets(COIN_TIERS)}
    grid = {"contract_size": D(100), "tick_size": D("0.1"), "step_size": D(1)}
    fees = {"maker_fee": D("0.0001"), "taker_fee": D("0.0005")}
    return Listing(**(terms | grid | fees | rules))


def futures(*listings, segment=None, **options):
    """Return a futures exchange without a market; `quote` gives it one."""
    listings = listings or (linear_listing(),)
    if segment is None:
        segment = Segment.INVERSE if listings[0].settle == listings[0].base else Segment.LINEAR
    clock = Clock(start=START, speed=0)
    return Exchange("futures", segment, VenueClock(clock), listings=listings, **options)


def opened(exchange, who, side, size, price, symbol=BTC, **more):
    """Let a user open a position at a price, taker of the market's only level there."""
    exchange.clear_book(symbol)
    exchange.set_mark(symbol, D(price))
    exchange.set_level(symbol, side.opposite, D(price), D(size))
    order = exchange.place(who, terms(side, size, price, symbol=symbol, **more))
    assert order.left == 0
    return order
