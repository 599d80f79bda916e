"""Small exchanges with a market around 100, and short ways to say what is asked of them."""

from __future__ import annotations

from contextlib import contextmanager
from decimal import Decimal

import pytest

from cambist.model import OrderType, Side
from cambist_simulator.clock import Clock, VenueClock
from cambist_simulator.exchange.errors import RefusedError
from cambist_simulator.exchange.exchange import Exchange
from cambist_simulator.exchange.listing import Listing, Segment
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
