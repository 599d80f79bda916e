"""Liquidation by tiers, the insurance fund, and auto-deleveraging."""

from __future__ import annotations

import numpy as np
import pytest

from cambist import Bars, Deleveraging, Instrument, Margin, MarginTier, ParameterError
from cambist.model.times import MINUTE_NS, to_ns

START = to_ns("2024-03-01 10:00")
PERPETUAL = Instrument(symbol="BTC", kind="linear_perpetual", quote="USDT", step_size="0.001", margin_rate=0.01)
TIERS = [
    MarginTier(up_to=500.0, maintenance_rate=0.01),
    MarginTier(up_to=1_000.0, maintenance_rate=0.02),
    MarginTier(maintenance_rate=0.05),
]


def make(rows, instrument=PERPETUAL):
    """Bars of (open, high, low, close)."""
    columns = np.array(rows, float).T
    ts = START + np.arange(len(rows)) * MINUTE_NS
    return Bars(instrument, "1m", ts, *columns, np.full(len(rows), 1_000.0))


def flat(price, count=1):
    return [(price, price, price, price)] * count


def buying(size):
    def on_bar(strategy, bar):
        if strategy.bar == 0:
            strategy.buy(size) if size > 0 else strategy.sell(-size)

    return on_bar


def closed(result, tag="liquidation"):
    return [(order.size, order.average_price) for order in result.order_records if order.tag == tag]


def stepwise(**terms):
    return Margin(leverage=100, maintenance=TIERS, liquidation="by_tier", **terms)


def test_a_position_is_reduced_to_the_tier_in_which_its_margin_is_enough(run):
    """20 at 100 on 85: 85 + 20 (P - 100) = 1 P - 35 (what the lower tiers need less) at 1880 / 19 = 98.947.

    There 63.947 are left. 10.106 of it are worth 1,000 and need 15: 9.894 are closed, and the rest goes on.
    """
    bars = make([*flat(100, 2), (100, 100, 98.9, 99), *flat(99)])
    result = run(bars, cash=85.0, margin=stepwise(), on_bar=buying(20))
    price = 1_880 / 19
    kept = PERPETUAL.round_size(1_000 / price)
    assert closed(result) == [(pytest.approx(20 - kept), pytest.approx(price))]
    assert kept * price <= 1_000 < (kept + 0.001) * price
    assert result.account.equity == pytest.approx(85 + 20 * (price - 100) + kept * (99 - price))
    trade = result.trade_records[0]
    assert trade.is_open
    assert (trade.reason, trade.exited) == ("", pytest.approx(20 - kept))
    assert f"{20 - kept:g} of the long position of 20 BTC was closed" in result.warnings[0]


def test_it_goes_on_tier_by_tier_and_ends_at_the_bankruptcy_price(run):
    """Falling on, the lower tiers come to their price one after the other; the last is taken over whole."""
    bars = make([*flat(100, 2), (100, 100, 60, 61), *flat(61)])
    result = run(bars, cash=85.0, margin=stepwise(), on_bar=buying(20))
    (first, price), (second, lower), (rest, last) = closed(result)
    equity = 85 + 20 * (price - 100)
    kept = 20 - first
    # In the second tier: equity + kept (P - price) = 0.02 * kept * P - 5.
    assert lower == pytest.approx((kept * price - equity - 5) / (0.98 * kept))
    equity += kept * (lower - price)
    kept -= second
    assert kept == pytest.approx(PERPETUAL.round_size(500 / lower))
    assert last == pytest.approx(lower - equity / kept)  # nothing is left of it
    assert rest == pytest.approx(kept)
    assert result.account.equity == pytest.approx(0.0, abs=1e-9)
    assert [trade.reason for trade in result.trade_records] == ["liquidation"]


def test_the_lowest_tier_has_nothing_below_it(run):
    bars = make([*flat(100, 2), (100, 100, 90, 90), *flat(90)])
    result = run(bars, cash=20.0, margin=stepwise(), on_bar=buying(4))
    assert closed(result) == [(4.0, pytest.approx(95.0))]  # 20 / 4 below the entry
    assert result.account.equity == pytest.approx(0.0, abs=1e-9)


def test_the_fee_of_a_reduction_must_leave_enough(run):
    """At 4 % of what is closed, no lower tier would be left with its margin."""
    bars = make([*flat(100, 2), (100, 100, 98.9, 99), *flat(99)])
    cheap = run(bars, cash=85.0, margin=stepwise(liquidation_fee=0.01), on_bar=buying(20))
    assert cheap.account.fees == pytest.approx(0.01 * sum(size * price for size, price in closed(cheap)))
    assert cheap.trade_records[0].is_open
    dear = run(bars, cash=85.0, margin=stepwise(liquidation_fee=0.05), on_bar=buying(20))
    assert closed(dear) == [(20.0, pytest.approx(95.75))]


def test_inverse_contracts_and_short_positions_by_tier(run):
    """Short 10,000 USD at 100 on 1 BTC: 100 BTC of value; as the price rises its value in BTC falls, its loss grows."""
    coin = Instrument(symbol="BTCUSD", kind="inverse_perpetual", base="BTC", step_size="1", margin_rate=0.01)
    tiers = [MarginTier(up_to=50.0, maintenance_rate=0.001), MarginTier(maintenance_rate=0.01)]
    bars = make([*flat(100, 2), (100, 100.8, 100, 100.7), *flat(100.7)], coin)
    result = run(
        bars,
        cash=1.2,
        margin=Margin(leverage=100, maintenance=tiers, liquidation="by_tier"),
        on_bar=buying(-10_000),
    )
    # 1.2 - 10,000 (1 / 100 - 1 / P) = 0.01 * 10,000 / P - 0.45, so 10,000 (1 - 0.01) / P = 98.35.
    price = 9_900 / 98.35
    kept = coin.round_size(50 * price)
    assert closed(result) == [(10_000 - kept, pytest.approx(price))]


def test_what_a_gap_costs_beyond_the_margin_the_fund_pays(run):
    """Money is conserved: account and fund together have what the market left."""
    for liquidation in ("full", "by_tier"):
        bars = make([*flat(100, 2), *flat(80, 2)])
        margin = Margin(leverage=100, maintenance=TIERS, liquidation=liquidation)
        result = run(bars, cash=85.0, margin=margin, on_bar=buying(20))
        assert closed(result) == [(20.0, pytest.approx(95.75))]
        assert result.account.equity == pytest.approx(0.0, abs=1e-9)
        assert "The insurance fund paid 315 USDT." in result.warnings[0]  # 20 * (95.75 - 80)


def test_the_fund_makes_good_what_no_price_could(run):
    """Sold at 60 while the mark stood at 100, 3 lose 120 on 40; the short position cannot pay that at any price."""
    other = Instrument(symbol="ETH", kind="linear_perpetual", quote="USDT", step_size="0.001", margin_rate=0.01)
    first = make([*flat(100, 2), *flat(60, 3)])
    marks = {"BTC": (first.close_times, np.full(5, 100.0))}

    def on_bar(strategy, bar):
        if strategy.bar == 1:
            strategy.sell(0.1, data="ETH")
            strategy.buy(3, data="BTC")
        if strategy.bar == 4:
            strategy.close("BTC")

    result = run([first, make(flat(50, 5), other)], cash=40.0, margin=Margin(leverage=10), marks=marks, on_bar=on_bar)
    assert [(trade.instrument.symbol, trade.net, trade.reason) for trade in result.trade_records] == [
        ("BTC", -120.0, ""),
        ("ETH", 0.0, "liquidation"),
    ]
    assert result.cash_flows[["kind", "symbol", "amount"]].values.tolist() == [["insurance", "ETH", 80.0]]
    account = result.account
    assert (account.cash, account.equity, account.carry) == (0.0, 0.0, 80.0)
    assert account.equity - 40.0 == account.realized - account.fees + account.carry


# Auto-deleveraging.


def adl(**terms):
    return Margin(leverage=10, maintenance=0.005, deleveraging=Deleveraging(**terms))


def test_events_close_a_share_of_what_is_in_profit(run):
    """Half of a short at the bankruptcy price of the other side, and a maker's fee; the orders are canceled."""
    told = []
    bars = make([*flat(100, 2), (100, 100, 90, 90), *flat(90, 2)])
    events = [("2024-03-01 10:02:30", "BTC", 0.5, 91.0), ("2024-03-01 10:00:30", "BTC", 1.0)]

    def on_bar(strategy, bar):
        if strategy.bar == 0:
            strategy.sell(4)
            strategy.buy(4, limit=50)

    result = run(
        bars,
        cash=1_000.0,
        margin=adl(events=events),
        fees={"use": "maker-taker", "maker": 0.001, "taker": 0.002},
        on_bar=on_bar,
        on_order=lambda strategy, order: told.append((order.id, str(order.status), order.reason, order.tag)),
    )
    assert closed(result, "adl") == [(2.0, 91.0)]
    assert (2, "canceled", "adl", "") in told
    assert (3, "filled", "", "adl") in told
    assert result.fills["liquidity"].tolist() == ["taker", "maker"]
    assert result.fills["fee"].tolist() == [pytest.approx(0.8), pytest.approx(2 * 91 * 0.001)]
    assert result.trade_records[0].is_open


def test_what_is_not_in_profit_is_left_alone(run):
    bars = make([*flat(100, 2), (100, 100, 90, 90), *flat(90, 2)])
    events = [("2024-03-01 10:02:30", "BTC", 1.0)]
    result = run(bars, cash=1_000.0, margin=adl(events=events), on_bar=buying(4))
    assert closed(result, "adl") == []
    whole = run(bars, cash=1_000.0, margin=adl(events=events, distance=0.02), on_bar=buying(-4))
    assert closed(whole, "adl") == [(4.0, pytest.approx(90 * 1.02))]
    assert whole.trade_records[0].reason == "adl"


def test_chance_is_drawn_from_the_seed_alone(run):
    rng = np.random.default_rng(7)
    closes = 100 * np.cumprod(1 + rng.normal(0, 0.01, 300))
    opens = np.concatenate(([100.0], closes[:-1]))
    rows = list(zip(opens, np.maximum(opens, closes), np.minimum(opens, closes), closes, strict=True))

    def on_bar(strategy, bar):
        if strategy.bar % 4 == 0:
            strategy.order_target_size(1.0 if strategy.bar % 8 else -1.0)

    def play(seed, **more):
        margin = adl(probability=0.5, move=0.005, share=1.0, distance=0.001)
        result = run(make(rows), cash=10_000.0, margin=margin, seed=seed, on_bar=on_bar, **more)
        return closed(result, "adl")

    first = play(1)
    assert first == play(1) == play(1, events=True) == play(1, blocks=True)
    assert first != play(2)
    assert 5 < len(first) < 100
    always = run(make(rows), cash=10_000.0, margin=adl(probability=1.0, move=0.01), on_bar=on_bar)
    never = run(make(rows), cash=10_000.0, margin=adl(probability=0.0, move=0.0), on_bar=on_bar)
    assert closed(never, "adl") == []
    for order in always.order_records:
        if order.tag == "adl":
            bar = next(row for row in rows if row[3] == order.average_price)
            assert abs(bar[3] / bar[0] - 1.0) >= 0.01


def test_deleveraging_that_cannot_be(run):
    cases = [
        ({"events": [("2024-03-01", "BTC")]}, r"an event is \('2024-03-01', 'BTC'\); give \(time, symbol, share\)"),
        ({"events": [("2024-03-01", "BTC", 1.5)]}, "the share of BTC at 2024-03-01 is 1.5"),
        ({"events": [("2024-03-01", "BTC", 0.5, -1.0)]}, "the price of BTC at 2024-03-01 is -1.0"),
        ({"probability": 2.0}, "probability is 2.0"),
        ({"share": 0.0}, "share is 0.0"),
        ({"distance": True}, "distance is True"),
    ]
    for terms, message in cases:
        with pytest.raises(ParameterError, match=message):
            Deleveraging(**terms)
    with pytest.raises(ParameterError, match=r"events name 'BTD'\. Did you mean 'BTC'\?"):
        run(make(flat(100, 3)), cash=100.0, margin=adl(events=[("2024-03-01", "BTD", 1.0)]))


def test_what_is_left_of_isolated_margin_stays_with_the_rest(run):
    """20 at 100 on 85 (a leverage of 2,000 / 85): what is closed at the price above takes its loss and no more."""
    bars = make([*flat(100, 2), (100, 100, 98.9, 99), *flat(99)])
    margin = Margin(
        mode="isolated", leverage=2_000 / 85, maintenance=TIERS, liquidation="by_tier", liquidation_fee=0.0001
    )
    result = run(bars, cash=500.0, margin=margin, on_bar=buying(20))
    ((size, price),) = closed(result)
    assert price == pytest.approx(1_880 / 19)
    assert result.account.margin == pytest.approx(85 - size * (100 - price) - size * price * 0.0001)
    assert result.account.cash == pytest.approx(result.account.margin + 415)
