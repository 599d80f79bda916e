"""Which bars matter to the orders of a market, and that the others may be left out."""

from __future__ import annotations

from math import inf, nextafter

import attrs
import numpy as np
import pytest

import cambist
from cambist import Bars, Instrument, Strategy, param
from cambist.model.times import HOUR_NS, to_ns
from cambist.simulation.working import EVERY_BAR, NO_BAR

SYMBOL = "ACME"


def reach(exchange):
    """Return the reach of the market after whatever happened was looked at once."""
    return exchange.venue.markets[SYMBOL].look()


def test_without_orders_no_bar_matters_and_each_order_widens_the_reach(exchange):
    one = exchange()
    assert reach(one) == NO_BAR
    one.buy(limit=95.0)
    assert reach(one) == (95.0, inf)
    one.buy(limit=90.0)
    assert reach(one) == (95.0, inf)
    one.sell(stop=96.0)
    one.sell(limit=110.0)
    one.buy(stop=120.0)
    assert reach(one) == (96.0, 110.0)


def test_an_order_that_goes_or_changes_is_no_longer_counted(exchange):
    one = exchange()
    low, high = one.buy(limit=95.0), one.sell(limit=110.0)
    one.amend(low, limit_price=94.0)
    assert reach(one) == (94.0, 110.0)
    one.cancel(high)
    assert reach(one) == (94.0, inf)
    one.bar(100.0, 101.0, 93.0, 99.0)
    assert one.prices == [94.0]
    assert reach(one) == NO_BAR


def test_a_limit_that_must_be_passed_matters_a_hair_beyond_it(exchange):
    one = exchange(fill_on_touch=False)
    one.buy(limit=95.0)
    assert reach(one) == (nextafter(95.0, 0.0), inf)


@pytest.mark.parametrize("terms", [{"tif": "day"}, {"tif": "ioc"}, {"tif": "gtd", "expires_at": to_ns("2024-03-02")}])
def test_every_bar_matters_to_what_ends_by_time(exchange, terms):
    one = exchange()
    one.buy(limit=95.0)
    one.buy(limit=90.0, **terms)
    reach(one)
    assert one.venue.markets[SYMBOL].reach is EVERY_BAR


def test_every_bar_matters_where_its_volume_does(exchange):
    one = exchange(volume_limit=cambist.simulation.PercentFiller(0.1))
    one.buy(limit=95.0)
    reach(one)
    assert one.venue.markets[SYMBOL].reach is EVERY_BAR


@attrs.define
class Counted:
    """A path through bars that counts for how many it was asked."""

    asked: int = 0

    def __call__(self, open_, high, low, close, position):
        self.asked += 1
        return high, low


class Patient(Strategy):
    """Sends orders at a distance, and answers no word of them."""

    script = param()

    def on_start(self):
        self.bars = -1

    def on_bar(self, bar):
        self.bars += 1
        for side, terms in self.script.get(self.bars, ()):
            getattr(self, side)(1.0, **terms)


def walk(*closes):
    close = np.array(closes)
    open_ = np.concatenate(([closes[0]], close[:-1]))
    ts = to_ns("2024-03-01") + np.arange(len(close)) * HOUR_NS
    high, low = np.maximum(open_, close) + 0.5, np.minimum(open_, close) - 0.5
    return Bars(Instrument(symbol=SYMBOL), "1h", ts, open_, high, low, close, np.ones(len(close)))


def gap(bars, row, open_):
    """Let a bar open elsewhere than the one before closed."""
    opens, lows = bars.open.copy(), bars.low.copy()
    opens[row], lows[row] = open_, min(open_, lows[row])
    return attrs.evolve(bars, open=opens, low=lows)


def test_bars_that_reach_no_order_are_not_walked_through():
    path = Counted()
    script = {0: [("buy", {"limit": 95.0}), ("buy", {"stop": 120.0})]}
    cambist.backtest(Patient(script=script), walk(*[100.0] * 20, 94.0, *[100.0] * 20), path=path)
    assert path.asked == 1


@pytest.mark.parametrize("options", [{}, {"events": True}, {"blocks": True}])
def test_an_order_rests_through_the_bars_left_out(options):
    bars = gap(walk(*[100.0] * 9, 94.0, 94.0), 9, 94.2)
    script = {0: [("buy", {"limit": 95.0})], 8: [("buy", {"limit": 95.0})]}
    fees = cambist.MakerTakerFee(0.0, 0.01)
    result = cambist.backtest(Patient(script=script), bars, slippage=0.001, fees=fees, **options)
    rested, arrived = result.fill_records
    # Both trade at the open that jumps over them. The one that rested made that market; the other one takes it.
    assert (rested.price, rested.fee, str(rested.liquidity)) == (94.2, 0.0, "maker")
    assert (arrived.price, str(arrived.liquidity)) == (pytest.approx(94.2 * 1.001), "taker")


@pytest.mark.parametrize("events", [False, True])
def test_finer_bars_are_matched_where_the_bar_around_them_falls_short_by_noise(events):
    finer = walk(*[100.0] * 9)
    bars = attrs.evolve(finer, low=finer.low * (1.0 + 5e-10))
    script = {4: [("buy", {"limit": 99.5})]}
    result = cambist.backtest(Patient(script=script), bars, magnify=finer, events=events)
    assert [fill.price for fill in result.fill_records] == [99.5]


def test_a_request_under_way_arrives_in_a_bar_that_reaches_nothing():
    script = {0: [("buy", {"limit": 95.0})], 3: [("buy", {})]}
    result = cambist.backtest(Patient(script=script), walk(*[100.0] * 9), latency=HOUR_NS // 2)
    assert [fill.ts for fill in result.fill_records] == [to_ns("2024-03-01 05:00")]
