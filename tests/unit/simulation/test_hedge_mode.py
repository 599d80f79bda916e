"""A long and a short position side by side: orders, trades, margin, funding, liquidation, and what a result shows."""

from __future__ import annotations

import numpy as np
import pytest

import cambist
from cambist import Bars, Instrument, Margin, MarginTier, OrderError
from cambist.model.times import MINUTE_NS, to_ns
from cambist.risk.rules.position import MaxPositionRule
from cambist.strategies import AllIn, PercentOfEquity

START = to_ns("2024-03-01 10:00")
PERPETUAL = Instrument(symbol="BTC", kind="linear_perpetual", quote="USDT", step_size="0.001", margin_rate=0.01)
HEDGED = Margin(position_mode="hedge", leverage=10, maintenance=0.005)


def make(rows, instrument=PERPETUAL, start=START):
    """Bars of (open, high, low, close)."""
    columns = np.array(rows, float).T
    ts = start + np.arange(len(rows)) * MINUTE_NS
    return Bars(instrument, "1m", ts, *columns, np.full(len(rows), 1_000.0))


def flat(price, count=1):
    return [(price, price, price, price)] * count


def acting(*acts):
    """Do the first at the first close, the second at the second, and so on; None for nothing."""

    def on_bar(strategy, bar):
        if strategy.bar < len(acts) and acts[strategy.bar] is not None:
            acts[strategy.bar](strategy)

    return on_bar


def both(long=2, short=1):
    def act(strategy):
        strategy.buy(long, position_side="long")
        strategy.sell(short, position_side="short")

    return act


def test_each_side_has_a_position_and_a_round_trip_of_its_own(run):
    seen = []

    def look(strategy):
        long, short = strategy.position_of("BTC", "long"), strategy.position_of("BTC", side="short")
        net = strategy.position
        seen.append((long.size, short.size, net.size, net.is_hedged, net.unrealized, strategy.equity))
        assert net is strategy.position_of("BTC") is strategy.positions["BTC"]

    result = run(
        make([*flat(100, 2), *flat(110), *flat(90), *flat(90)]),
        cash=1_000.0,
        margin=HEDGED,
        on_bar=acting(
            both(),
            look,
            lambda strategy: (look(strategy), strategy.sell(2, position_side="long", limit=110)),
            lambda strategy: strategy.close(position_side="short"),
        ),
    )
    assert seen == [(2.0, -1.0, 1.0, True, 0.0, 1_000.0), (2.0, -1.0, 1.0, True, 10.0, 1_010.0)]
    assert result.trades[["side", "size", "entry_price", "exit_price", "net"]].values.tolist() == [
        ["short", 1.0, 100.0, 90.0, 10.0]
    ]
    assert result.open_trades["side"].tolist() == ["long"]
    assert result.account.unrealized == -20.0


def codes(result):
    return [order.reason.partition(":")[0] for order in result.order_records]


def test_what_names_no_side_or_closes_too_much_is_refused(run):
    def begin(strategy):
        strategy.buy(1)
        strategy.sell(1, position_side="long")
        strategy.buy(1, position_side="short", reduce_only=True)
        strategy.sell(1, position_side="short", reduce_only=True)
        both()(strategy)

    def go_on(strategy):
        strategy.sell(2.001, position_side="long")
        strategy.order_target_size(0.0)
        resting = strategy.sell(2, position_side="long", limit=200)
        strategy.modify(resting, size=2.5)

    result = run(make(flat(100, 4)), cash=1_000.0, margin=HEDGED, on_bar=acting(begin, go_on))
    assert codes(result) == [
        "position_side_missing",
        "closes_more_than_held",
        "closes_more_than_held",
        "nothing_to_reduce",
        "",
        "",
        "closes_more_than_held",
        "position_side_missing",
        "closes_more_than_held",
    ]
    assert result.order_records[-1].size == 2.0  # what was not amended works on
    assert result.order_records[-1].is_open


def test_a_side_that_there_is_not_is_an_error(run):
    def act(strategy):
        for wrong, message in (
            (strategy.close, r"name the one to close: self.close\(position_side='long'\)"),
            (lambda: strategy.order_target_size(-1, position_side="long"), "a long one has 0 or more"),
            (lambda: strategy.order_target_size(1, position_side="short"), "a short one 0 or less"),
            (lambda: strategy.buy(1, position_side="both"), "position_side is 'both'. Known: long, short."),
        ):
            with pytest.raises(OrderError, match=message):
                wrong()

    def netted(strategy):
        with pytest.raises(OrderError, match="BTC has one position and no long side"):
            strategy.position_of("BTC", "long")
        with pytest.raises(OrderError, match="BTC has one position and no short side"):
            strategy.close(position_side="short")
        strategy.buy(1, position_side="long")

    assert run(make(flat(100, 4)), cash=1_000.0, margin=HEDGED, on_bar=acting(both(), act)).account.margin == 30.0
    for margin in (Margin(), None):
        result = run(make(flat(100, 3)), cash=1_000.0, margin=margin, on_bar=acting(netted))
        assert codes(result) == ["position_side_unknown"]


def test_what_is_paid_in_full_has_one_position(run):
    stock = Instrument(symbol="ACME", quote="USDT", step_size="0.001")

    def act(strategy):
        strategy.buy(1, data="ACME")
        strategy.sell(2, data="ACME", limit=100)
        strategy.buy(1, data="ACME", position_side="long")
        strategy.buy(1, data="BTC", position_side="long")

    def on_bar(strategy, bar):
        if strategy.bar == 1:
            act(strategy)

    result = run([make(flat(100, 4)), make(flat(50, 4), stock)], cash=1_000.0, margin=HEDGED, on_bar=on_bar)
    assert codes(result) == ["", "", "position_side_unknown", ""]
    assert list(result.series.positions) == ["BTC long", "BTC short", "ACME"]
    assert result.series.positions.iloc[-1].tolist() == [1.0, 0.0, 1.0]


def test_closing_orders_share_what_their_side_holds(run):
    """The second finds nothing to reduce, although the other side would let it sell."""

    def close_twice(strategy):
        strategy.sell(2, position_side="long", limit=105)
        strategy.sell(2, position_side="long", limit=106)

    bars = make([*flat(100, 2), (100, 110, 100, 110), *flat(110)])
    result = run(bars, cash=1_000.0, margin=HEDGED, on_bar=acting(both(), close_twice))
    assert codes(result)[2:] == ["", "nothing_to_reduce"]
    assert result.series.positions.iloc[-1].tolist() == [0.0, -1.0]


def test_a_bracket_stays_on_its_side(run):
    def act(strategy):
        strategy.sell(1, position_side="short")
        strategy.buy_bracket(2, position_side="long", take_profit=108, stop_loss=95)

    bars = make([*flat(100, 2), (100, 109, 100, 109), *flat(109)])
    result = run(bars, cash=1_000.0, margin=HEDGED, on_bar=acting(act))
    assert result.orders["position_side"].tolist() == ["short", "long", "long", "long"]
    assert result.trades[["side", "exit_price"]].values.tolist() == [["long", 108.0]]
    assert result.series.positions.iloc[-1].tolist() == [0.0, -1.0]


def test_targets_and_sizers_go_by_side(run):
    def act(strategy):
        strategy.order_target_size(3.0, position_side="long")
        strategy.order_target_percent(-0.2, position_side="short")

    def less(strategy):
        strategy.order_target_size(1.0, position_side="long")
        strategy.order_target_value(0.0, position_side="short")
        strategy.buy(AllIn(buffer=0.0), position_side="long")

    result = run(make(flat(100, 5)), cash=1_000.0, margin=HEDGED, on_bar=acting(act, less))
    orders = [(str(order.side), str(order.position_side), order.size) for order in result.order_records]
    assert orders == [
        ("buy", "long", 3.0),
        ("sell", "short", 2.0),
        ("sell", "long", 2.0),
        ("buy", "short", 2.0),
        ("buy", "long", 95.0),  # 1,000 less the 50 that are tied up until the orders before it trade, ten times
    ]
    assert result.series.positions.iloc[-1, 1] == 0.0


def test_the_other_side_is_not_in_a_sizers_way(run):
    """A tenth of the equity is 1 at 100, whatever is short; with one position it would buy that back first."""

    def act(strategy):
        strategy.sell(5, position_side="short")

    def more(strategy):
        strategy.buy(PercentOfEquity(0.1), position_side="long")

    result = run(make(flat(100, 4)), cash=1_000.0, margin=HEDGED, on_bar=acting(act, more))
    assert result.series.positions.iloc[-1].tolist() == [1.0, -5.0]


def test_rules_look_at_the_side_that_an_order_is_for(run):
    def act(strategy):
        strategy.buy(3, position_side="long")
        strategy.sell(3, position_side="short")
        strategy.sell(1, position_side="short", limit=120)

    tiers = [MarginTier(up_to=250.0, maintenance_rate=0.005), MarginTier(maintenance_rate=0.01, max_leverage=5)]
    capped = run(make(flat(100, 3)), cash=1_000.0, margin=HEDGED, risk=[MaxPositionRule(3.5)], on_bar=acting(act))
    assert codes(capped) == ["", "", "position_above_limit"]
    by_tier = Margin(position_mode="hedge", leverage=10, maintenance=tiers)
    tiered = run(make(flat(100, 4)), cash=1_000.0, margin=by_tier, on_bar=acting(both(2, 2), both(1, 0.5)))
    assert codes(tiered) == ["", "", "leverage_above_limit", ""]


def test_both_sides_need_margin(run):
    """10 of 100 at 10x each: 100 of margin for either, hedged or not."""
    result = run(make(flat(100, 3)), cash=250.0, margin=HEDGED, on_bar=acting(both(10, 10), both(4, 6)))
    assert codes(result) == ["", "", "", "insufficient_funds"]
    assert result.account.margin == pytest.approx(240.0)


def test_funding_is_paid_and_received_by_side(run):
    bars = make(flat(100, 4))
    exchange = (bars.close_times[2:3], np.array([0.001]))
    result = run(bars, cash=1_000.0, margin=HEDGED, funding={"BTC": exchange}, on_bar=acting(both()))
    assert result.cash_flows[["symbol", "position_side", "amount"]].values.tolist() == [
        ["BTC", "long", pytest.approx(-0.2)],
        ["BTC", "short", pytest.approx(0.1)],
    ]


def liquidating(**terms):
    return Margin(position_mode="hedge", leverage=100, **({"maintenance": 0.01} | terms))


def closed(result):
    return [
        (str(order.position_side), order.size, order.average_price)
        for order in result.order_records
        if order.tag == "liquidation"
    ]


def test_a_pair_is_liquidated_at_one_price(run):
    """2 long, 1 short at 100 on 20: 20 + P - 100 = 0.01 * 3 P at 80 / 0.97; all of it is closed there."""
    bars = make([*flat(100, 2), (100, 100, 78, 79), *flat(79)])
    result = run(bars, cash=20.0, margin=liquidating(), on_bar=acting(both()))
    price = pytest.approx(80 / 0.97)
    assert closed(result) == [("long", 1.0, price), ("short", 1.0, price), ("long", 1.0, price)]
    assert [(trade.is_long, trade.reason) for trade in result.trade_records] == [
        (True, "liquidation"),
        (False, "liquidation"),
    ]
    assert result.account.cash == pytest.approx(80 / 0.97 - 80)


def test_what_is_hedged_is_closed_first_and_may_be_enough(run):
    """By tier: with the pair gone 20 + P - 100 is above 0.01 P, and the rest goes on until 80 / 0.99."""
    once = make([*flat(100, 2), (100, 100, 82, 82), *flat(82)])
    result = run(once, cash=20.0, margin=liquidating(liquidation="by_tier"), on_bar=acting(both()))
    price = pytest.approx(80 / 0.97)
    assert closed(result) == [("long", 1.0, price), ("short", 1.0, price)]
    assert result.series.positions.iloc[-1].tolist() == [1.0, 0.0]
    assert result.account.equity == pytest.approx(2.0)
    on = make([*flat(100, 2), (100, 100, 80.5, 81), *flat(81)])
    result = run(on, cash=20.0, margin=liquidating(liquidation="by_tier"), on_bar=acting(both()))
    # What no tier helps is taken over at the bankruptcy price, and the fund has what was left.
    assert closed(result)[2] == ("long", 1.0, pytest.approx(80.0))
    assert result.account.equity == pytest.approx(0.0, abs=1e-9)


def test_a_pair_that_rises_out_of_its_margin(run):
    """1 long at 100, 1 short at 96 on 6: 2 are left whatever happens, and at 200 they are 0.5 % of 400."""

    def second(strategy):
        strategy.sell(1, position_side="short")

    rows = [*flat(100, 2), *flat(96, 2), (96, 210, 96, 205), *flat(205)]
    result = run(
        make(rows),
        cash=6.0,
        margin=liquidating(maintenance=0.005),
        on_bar=acting(lambda strategy: strategy.buy(1, position_side="long"), None, second),
    )
    assert closed(result) == [("long", 1.0, pytest.approx(200.0)), ("short", 1.0, pytest.approx(200.0))]
    assert result.account.cash == pytest.approx(2.0)


def test_a_gap_beyond_nothing_is_paid_by_the_fund(run):
    """At 70 30 are lost on 20: the hedged part goes at 70, the rest at 80, where nothing is left; the fund pays 10."""
    bars = make([*flat(100, 2), *flat(70, 2)])
    result = run(bars, cash=20.0, margin=liquidating(), on_bar=acting(both()))
    assert closed(result) == [("long", 1.0, 70.0), ("short", 1.0, 70.0), ("long", 1.0, pytest.approx(80.0))]
    assert result.account.cash == pytest.approx(0.0, abs=1e-9)
    assert "The insurance fund paid 10 USDT." in result.warnings[2]


def test_isolated_sides_stand_for_themselves(run):
    """10 behind each at 100: the long one goes at 90 / 0.99, the short one stays."""
    bars = make([*flat(100, 2), (100, 100, 85, 85), *flat(85)])
    margin = Margin(position_mode="hedge", mode="isolated", leverage=10, maintenance=0.01)
    result = run(bars, cash=1_000.0, margin=margin, on_bar=acting(both(1, 1)))
    assert closed(result) == [("long", 1.0, pytest.approx(90 / 0.99))]
    assert result.series.positions.iloc[-1].tolist() == [0.0, -1.0]
    rising = run(
        make([*flat(100, 2), (100, 115, 100, 115), *flat(115)]), cash=1_000.0, margin=margin, on_bar=acting(both(1, 1))
    )
    assert closed(rising) == [("short", 1.0, pytest.approx(110 / 1.01))]


def test_pairs_of_two_instruments_share_the_account(run):
    """At the common close 9.8 are left, and 0.01 * 90 * (7 + 4) = 9.9 must be; of BTC, 6.3. Without it 3.6 must be."""
    other = Instrument(symbol="ETH", kind="linear_perpetual", quote="USDT", step_size="0.001", margin_rate=0.01)
    rows = [*flat(100, 2), *flat(90, 2)]

    def on_bar(strategy, bar):
        if strategy.bar == 1:
            strategy.buy(5, data="BTC", position_side="long")
            strategy.sell(2, data="BTC", position_side="short")
            strategy.buy(3, data="ETH", position_side="long")
            strategy.sell(1, data="ETH", position_side="short")

    result = run([make(rows), make(rows, other)], cash=59.8, margin=liquidating(), on_bar=on_bar)
    assert closed(result) == [("long", 2.0, 90.0), ("short", 2.0, 90.0), ("long", 3.0, 90.0)]
    assert result.series.positions.iloc[-1].tolist() == [0.0, 0.0, 3.0, -1.0]
    assert result.account.equity == pytest.approx(9.8)


def test_a_saved_result_has_both_sides(run, tmp_path):
    bars = make([*flat(100, 2), *flat(110), *flat(90), *flat(90)])
    exchange = (bars.close_times[2:3], np.array([0.001]))
    given = {"cash": 1_000.0, "margin": HEDGED, "funding": {"BTC": exchange}}
    result = run(bars, on_bar=acting(both(), None, lambda strategy: strategy.close(position_side="long")), **given)
    for format_ in ("csv", "json"):
        result.save(tmp_path / format_, format_)
        again = cambist.load_result(tmp_path / format_)
        assert again.orders.equals(result.orders)
        assert again.fills.equals(result.fills)
        assert again.trades.equals(result.trades)
        assert again.cash_flows.equals(result.cash_flows)
        assert again.series.to_frame().equals(result.series.to_frame())
        assert again.series.buys.equals(result.series.buys)
        assert again.analysis.position_sizes.equals(result.analysis.position_sizes)
    header = (tmp_path / "csv" / "positions.csv").read_text().splitlines()[0]
    assert header == "ts,instrument,size,average_price,position_side"
    assert list(result.analysis.position_sizes) == ["BTC long", "BTC short"]
    assert result.series.gross_exposure.tolist()[1] == 300.0
    assert result.series.net_exposure.tolist()[1] == 100.0
    total = result.series.cash + result.series.position_values.sum(axis=1)
    assert np.allclose(total, result.series.equity)
