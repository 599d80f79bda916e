"""Liquidation along the bar: what comes before it, at what price it closes, and who hears of it."""

from __future__ import annotations

import numpy as np
import pytest

from cambist import Bars, Instrument, Margin, MarginTier
from cambist.errors import DataError, ParameterError
from cambist.model.times import MINUTE_NS, to_ns

START = to_ns("2024-03-01 10:00")
PERPETUAL = Instrument(symbol="BTC", kind="linear_perpetual", quote="USDT", step_size="0.001", margin_rate=0.01)


def make(rows, instrument=PERPETUAL, start=START):
    """Bars of (open, high, low, close)."""
    columns = np.array(rows, float).T
    ts = start + np.arange(len(rows)) * MINUTE_NS
    return Bars(instrument, "1m", ts, *columns, np.full(len(rows), 1_000.0))


def flat(price, count=1):
    return [(price, price, price, price)] * count


def buying(size, **orders):
    """Buy at the first close; other orders are sent right after."""

    def on_bar(strategy, bar):
        if strategy.bar == 0:
            strategy.buy(size) if size > 0 else strategy.sell(-size)
            for side, terms in orders.items():
                getattr(strategy, side)(**terms)

    return on_bar


def test_a_position_is_closed_where_its_margin_is_used_up(run):
    """10 at 100 on 20 of cash, 1 % maintenance: 20 + 10 (P - 100) = 0.01 * 10 P, P = 980 / 9.9."""
    told = []
    result = run(
        make([*flat(100, 2), (100, 100, 90, 95), *flat(95, 2)]),
        cash=20.0,
        margin=Margin(leverage=100, maintenance=0.01, liquidation_fee=0.001),
        on_bar=buying(10, sell={"size": 10, "limit": 120.0}),
        on_order=lambda strategy, order: told.append((order.id, str(order.status), order.reason, order.tag)),
        on_fill=lambda strategy, fill: told.append(fill.price),
        on_trade=lambda strategy, trade: told.append((trade.reason, trade.net)),
    )
    price = 980 / 9.9
    fee = 10 * price * 0.001
    assert told == [
        (1, "accepted", "", ""),
        (2, "accepted", "", ""),
        (1, "filled", "", ""),
        100.0,
        (2, "canceled", "liquidation", ""),
        (3, "accepted", "", "liquidation"),
        (3, "filled", "", "liquidation"),
        pytest.approx(price),
        ("liquidation", pytest.approx(10 * (price - 100) - fee)),
    ]
    assert result.account.cash == pytest.approx(20 + 10 * (price - 100) - fee)
    assert result.orders["tag"].tolist() == ["", "", "liquidation"]
    assert result.orders["type"].tolist()[-1] == "market"
    assert result.trades["reason"].tolist() == ["liquidation"]
    assert "liquidation: the long position of 10 BTC was closed by the venue at 98.9899" in result.warnings[0]
    assert "2024-03-01 10:03:00 UTC" in result.warnings[0]


def test_orders_that_the_price_reaches_earlier_come_first(run):
    margin = Margin(leverage=100, maintenance=0.01)
    bars = make([*flat(100, 2), (100, 100, 90, 95), *flat(95, 2)])
    saved = run(bars, cash=20.0, margin=margin, on_bar=buying(10, sell={"size": 10, "stop": 99.5}))
    assert [trade.reason for trade in saved.trade_records] == [""]
    assert saved.account.cash == pytest.approx(15.0)
    late = run(bars, cash=20.0, margin=margin, on_bar=buying(10, sell={"size": 10, "stop": 98.0}))
    assert [trade.reason for trade in late.trade_records] == ["liquidation"]


def test_the_path_decides_between_target_and_liquidation(run):
    margin = Margin(leverage=100, maintenance=0.01)
    bars = make([*flat(100, 2), (100, 101, 90, 95), *flat(95, 2)])  # the high is nearer to the open
    reasons = {
        path: [
            trade.reason
            for trade in run(
                bars, cash=20.0, margin=margin, path=path, on_bar=buying(10, sell={"size": 10, "limit": 101.0})
            ).trade_records
        ]
        for path in ("nearer_first", "pessimistic")
    }
    assert reasons == {"nearer_first": [""], "pessimistic": ["liquidation"]}


@pytest.mark.parametrize(("open_", "price"), [(98.5, 98.5), (90.0, 98.0)])
def test_a_gap_is_paid_down_to_the_bankruptcy_price(run, open_, price):
    """What is lost beyond the money there is, the venue loses; a stop below comes after the liquidation."""
    bars = make([*flat(100, 2), (open_, open_, open_, open_), *flat(open_)])
    result = run(
        bars,
        cash=20.0,
        margin=Margin(leverage=100, maintenance=0.01, liquidation_fee=0.5),
        on_bar=buying(10, sell={"size": 10, "stop": 99.9}),
    )
    assert result.fills["price"].tolist() == [100.0, pytest.approx(price)]
    assert result.fills["ts"].tolist()[-1] == result.equity.index[1]  # the open of the third bar
    assert result.account.cash == pytest.approx(0.0, abs=1e-9)  # the fee takes what is left, and no more


def test_a_short_position_and_the_bankruptcy_price(run):
    """-10 at 100 on 20: 20 - 10 (P - 100) = 0.01 * 10 P at 1020 / 10.1; nothing is left at 102."""
    bars = make([*flat(100, 2), (100, 110, 100, 105), *flat(105)])
    for rule, price in (("mark", 1_020 / 10.1), ("bankruptcy", 102.0)):
        result = run(
            bars,
            cash=20.0,
            margin=Margin(leverage=100, maintenance=0.01, liquidate_at=rule),
            on_bar=buying(-10),
        )
        assert result.fills["price"].tolist()[-1] == pytest.approx(price)


def test_isolated_margin_is_all_that_can_be_lost(run):
    bars = make([*flat(100, 2), (100, 100, 50, 60), *flat(60)])
    result = run(
        bars,
        cash=1_000.0,
        margin=Margin(mode="isolated", leverage=20, maintenance=0.01, liquidate_at="bankruptcy"),
        on_bar=buying(10),
    )
    assert result.account.cash == pytest.approx(950.0)
    assert result.trade_records[0].exit_price == pytest.approx(95.0)


def test_margin_that_is_added_by_a_fill_moves_the_price(run):
    """The second purchase, inside the bar, brings the liquidation price above the low."""
    bars = make([*flat(100, 2), (100, 100, 97, 99), *flat(99)])
    margin = Margin(leverage=100, maintenance=0.01)
    alone = run(bars, cash=50.0, margin=margin, on_bar=buying(10))
    more = run(bars, cash=50.0, margin=margin, on_bar=buying(10, buy={"size": 15, "limit": 98.5}))
    assert [trade.reason for trade in (*alone.trade_records, *more.trade_records)] == ["", "liquidation"]
    price = more.fills["price"].tolist()[-1]
    assert 50 + 10 * (price - 100) + 15 * (price - 98.5) == pytest.approx(0.01 * 25 * price)


def test_the_mark_price_decides_where_it_is_given(run):
    bars = make([*flat(100, 2), (100, 100, 90, 95), *flat(95, 2)])
    closes = bars.close_times
    margin = Margin(leverage=100, maintenance=0.01)
    calm = run(bars, cash=20.0, margin=margin, marks={"BTC": (closes, np.full(5, 100.0))}, on_bar=buying(10))
    assert [trade.reason for trade in calm.trade_records] == [""]
    assert calm.equity["equity"].tolist() == [20.0] * 5  # at the mark
    fallen = np.array([100.0, 100.0, 98.5, 98.5, 98.5])
    hit = run(
        make(flat(100, 5)), cash=20.0, margin=margin, marks={"BTC": (closes, fallen)}, on_bar=buying(10)
    )  # the last price never moves
    assert hit.fills["price"].tolist()[-1] == pytest.approx(980 / 9.9)
    # The mark's low stands where the bar's stands: a stop above it comes first.
    stopped = run(
        bars,
        cash=20.0,
        margin=margin,
        marks={"BTC": (closes, fallen)},
        on_bar=buying(10, sell={"size": 10, "stop": 99.0}),
    )
    assert [trade.reason for trade in stopped.trade_records] == [""]


def test_mark_prices_must_cover_the_run(run):
    bars = make(flat(100, 5))
    given = {"cash": 20.0, "margin": Margin(leverage=100), "on_bar": buying(10)}
    with pytest.raises(DataError, match=r"the mark prices of BTC: there is none for 2024-03-01 10:05:00 UTC"):
        run(bars, marks={"BTC": (bars.close_times[:3], bars.close[:3])}, **given)
    with pytest.raises(DataError, match="is no price"):
        run(bars, marks={"BTC": (bars.close_times, -bars.close)}, **given)
    with pytest.raises(ParameterError, match=r"marks names 'BTD'\. Did you mean 'BTC'\?"):
        run(bars, marks={"BTD": (bars.close_times, bars.close)}, **given)
    with pytest.raises(ParameterError, match=r"without margin=Margin"):
        run(bars, marks={"BTC": (bars.close_times, bars.close)})
    with pytest.raises(ParameterError, match="margin is 10"):
        run(bars, margin=10)
    with pytest.raises(ParameterError, match="margin is Margin"):
        run(bars, margin=Margin(), rules="backtrader")


def test_an_order_beyond_the_leverage_of_its_tier_is_refused(run):
    tiers = [
        MarginTier(up_to=500.0, maintenance_rate=0.005, max_leverage=50),
        MarginTier(maintenance_rate=0.01, max_leverage=20),
    ]
    result = run(
        make(flat(100, 4)),
        cash=1_000.0,
        margin=Margin(leverage=50, maintenance=tiers),
        on_bar=lambda strategy, bar: strategy.buy(3),
    )
    # At the second close 300 are held, and 600 would be too much.
    assert [order.reason.partition(":")[0] for order in result.order_records] == ["", *["leverage_above_limit"] * 3]
    assert "allows a leverage of 20 and not 50" in result.order_records[1].reason


def test_two_positions_share_the_account(run):
    """Each is harmless; together they are not, and the one that ties up more is closed at the common close."""
    other = Instrument(symbol="ETH", kind="linear_perpetual", quote="USDT", step_size="0.001", margin_rate=0.01)
    first = make([*flat(100, 2), (100, 100, 99.2, 99.2), *flat(99.2)])
    second = make([*flat(50, 2), (50, 50, 49.6, 49.6), *flat(49.6)], other)

    def on_bar(strategy, bar):
        if strategy.bar in (0, 1):
            strategy.buy(10 if bar.symbol == "BTC" else 22, data=bar)

    result = run([first, second], cash=25.0, margin=Margin(leverage=100, maintenance=0.005), on_bar=on_bar)
    # 25 - 8 - 8.8 = 8.2 of equity against 0.005 * (992 + 1091.2) = 10.4; without ETH 4.96 are needed.
    closed = [(trade.instrument.symbol, trade.reason, trade.exit_price) for trade in result.trade_records]
    assert closed == [
        ("BTC", "", pytest.approx(float("nan"), nan_ok=True)),
        ("ETH", "liquidation", pytest.approx(49.6)),
    ]
    assert result.account.equity == pytest.approx(8.2)


def test_a_small_position_goes_with_a_large_one_whose_margin_is_missing(run):
    """Funding takes 20 of 60 when 50.05 must stay: what has its bar first is closed, at any price above 0."""
    terms = {"kind": "linear_perpetual", "quote": "USDT", "step_size": "0.001", "tick_size": "0.01"}
    small = Instrument(symbol="A", margin_rate=0.001, **terms)
    large = Instrument(symbol="B", margin_rate=0.001, **terms)
    bars = [make(flat(100, 6), small), make(flat(50, 6), large)]
    exchange = (bars[1].close_times[2:3], np.array([0.002]))

    def on_bar(strategy, bar):
        if strategy.bar in (0, 1):
            strategy.buy(0.1 if bar.symbol == "A" else 200, data=bar)

    result = run(
        bars,
        cash=60.0,
        margin=Margin(maintenance=0.005),
        funding={"A": None, "B": exchange},
        on_bar=on_bar,
    )
    closed = [(trade.instrument.symbol, trade.reason, trade.exit_price) for trade in result.trade_records]
    assert closed == [("A", "liquidation", 100.0), ("B", "liquidation", 50.0)]
    assert result.account.cash == pytest.approx(40.0)


def test_inverse_contracts_settle_in_coin_from_end_to_end(run):
    """Long 5,000 USD at 10,000 on 0.11 BTC at 5x: bought 0.5 BTC, sold at 12,500 for 0.4: 0.1 BTC made."""
    coin = Instrument(symbol="BTCUSD", kind="inverse_perpetual", base="BTC", step_size="1", margin_rate=0.01)
    bars = make([*flat(10_000, 2), (10_000, 12_500, 10_000, 12_500), *flat(12_500, 2)], coin)

    def on_bar(strategy, bar):
        if strategy.bar == 0:
            strategy.buy(5_000)
        if strategy.bar == 2:
            strategy.close()

    result = run(bars, cash=0.11, margin=Margin(leverage=5, maintenance=0.005), fees=0.0004, on_bar=on_bar)
    assert result.currency == "BTC"
    paid = 0.5 * 0.0004 + 0.4 * 0.0004
    assert result.account.fees == pytest.approx(paid)
    assert result.account.cash == pytest.approx(0.11 + 0.1 - paid)
    assert result.equity["equity"].tolist()[2] == pytest.approx(0.21 - 0.5 * 0.0004)
    assert result.trade_records[0].gross == pytest.approx(0.1)


def test_a_fill_within_the_bar_is_watched_at_once(run):
    """Bought at the limit on the way down, liquidated on the same way."""
    bars = make([*flat(100), (100, 100, 90, 95), *flat(95)])
    result = run(
        bars,
        cash=20.0,
        margin=Margin(leverage=100, maintenance=0.01),
        on_bar=lambda strategy, bar: strategy.buy(10, limit=99.0) if strategy.bar == 0 else None,
    )
    assert [fill.price for fill in result.fill_records] == [99.0, pytest.approx((990 - 20) / 9.9)]


def test_an_account_that_strategies_look_at_is_at_mark_prices(run):
    seen = []
    bars = make(flat(100, 4))
    marks = (bars.close_times, np.array([100.0, 101.0, 102.0, 103.0]))

    def on_bar(strategy, bar):
        if strategy.bar == 0:
            strategy.buy(10)
        seen.append((strategy.equity, strategy._desk.account().unrealized, strategy._desk.account().margin))

    run(bars, cash=200.0, margin=Margin(leverage=10), marks={"BTC": marks}, on_bar=on_bar)
    assert seen == [(200.0, 0.0, 0.0), (210.0, 10.0, 101.0), (220.0, 20.0, 102.0), (230.0, 30.0, 103.0)]
