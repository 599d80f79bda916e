"""A spot exchange whose clocks go with its market."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest

from cambist_simulator.clock import Clock, VenueClock
from cambist_simulator.exchange.events import Traded
from cambist_simulator.exchange.exchange import Exchange
from cambist_simulator.exchange.listing import Listing, Segment
from cambist_simulator.market.hand import Hand
from cambist_simulator.market.markets import Markets


@attrs.define
class Venue:
    """An exchange and its markets."""

    exchange: Exchange
    markets: Markets
    events: list

    def hand(self, symbol="BTCUSDT"):
        return Hand(self.exchange, symbol)

    def data(self, symbol="BTCUSDT"):
        return self.markets.data("spot", symbol)

    def user(self, name="ann", **money):
        user = self.exchange.users.add(name)
        for asset, amount in (money or {"USDT": 10_000_000, "BTC": 1_000}).items():
            self.exchange.deposit(user, asset, Decimal(amount))
        return user

    def run(self, most=None):
        done = 0
        while (most is None or done < most) and self.markets.step() is not None:
            done += 1
        return done

    @property
    def trades(self):
        return [one for one in self.events if type(one) is Traded]


@pytest.fixture
def make_venue():
    """Return a maker of venues: of the symbols given, with ticks and steps."""

    def make(*symbols, tick="0.01", step="0.00001", keep=None, **rules):
        clock = VenueClock(Clock(0, 0.0), Clock(0, 0.0))
        listings = [
            Listing(
                symbol=symbol,
                base=symbol[:3],
                quote=symbol[3:],
                settle=symbol[3:],
                tick_size=Decimal(tick),
                step_size=Decimal(step),
                **rules,
            )
            for symbol in symbols or ("BTCUSDT",)
        ]
        exchange = Exchange("spot", Segment.SPOT, clock, listings=listings)
        events = []
        exchange.listen(events.append)
        return Venue(exchange, Markets(clock, [exchange], keep=keep), events)

    return make
