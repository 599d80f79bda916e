"""Margin of isolated positions added and taken out, and leverage changed, by a strategy and by plan."""

from __future__ import annotations

import numpy as np
import pytest

from cambist import Bars, InputError, Instrument, Margin, MarginTier, OrderError
from cambist.model.times import MINUTE_NS, to_ns

START = to_ns("2024-03-01 10:00")
PERPETUAL = Instrument(symbol="BTC", kind="linear_perpetual", quote="USDT", step_size="0.001", margin_rate=0.01)


def make(rows, instrument=PERPETUAL):
    """Bars of (open, high, low, close)."""
    columns = np.array(rows, float).T
    ts = START + np.arange(len(rows)) * MINUTE_NS
    return Bars(instrument, "1m", ts, *columns, np.full(len(rows), 1_000.0))


def flat(price, count=1):
    return [(price, price, price, price)] * count


def acting(*acts):
    """Do the first at the first close, the second at the second, and so on; None for nothing."""

    def on_bar(strategy, bar):
        if strategy.bar < len(acts) and acts[strategy.bar] is not None:
            acts[strategy.bar](strategy)

    return on_bar


def isolated(**terms):
    return Margin(mode="isolated", **({"leverage": 10, "maintenance": 0.005} | terms))


def exits(result):
    return [trade.exit_price for trade in result.trade_records if trade.reason == "liquidation"]


def test_margin_that_is_added_moves_the_liquidation_price(run):
    """10 of margin at 100: 10 + P - 100 = 0.005 P at 90 / 0.995; with 20 more at 70 / 0.995."""
    bars = make([*flat(100, 3), (100, 100, 60, 60), *flat(60)])
    plain = run(bars, cash=1_000.0, margin=isolated(), on_bar=acting(lambda strategy: strategy.buy(1)))
    more = run(
        bars,
        cash=1_000.0,
        margin=isolated(),
        on_bar=acting(lambda strategy: strategy.buy(1), lambda strategy: strategy.add_margin(20)),
    )
    planned = run(
        bars,
        cash=1_000.0,
        margin=isolated(planned=[("2024-03-01 10:01:30", "BTC", 20)]),
        on_bar=acting(lambda strategy: strategy.buy(1)),
    )
    assert exits(plain) == [pytest.approx(90 / 0.995)]
    assert exits(more) == exits(planned) == [pytest.approx(70 / 0.995)]
    assert len(more.cash_flows) == 0  # it stays in the account


def test_margin_can_be_taken_out_down_to_initial_margin(run):
    """After a rise to 110 initial margin is 11 of the 40 set aside; after a fall to 95 9.5, and 5 are lost."""
    answers = []

    def take(amount):
        return lambda strategy: answers.append(strategy.add_margin(amount).reason.partition(":")[0])

    rows = [*flat(100, 2), *flat(110, 2), *flat(95, 3)]
    result = run(
        make(rows),
        cash=1_000.0,
        margin=isolated(),
        on_bar=acting(
            lambda strategy: strategy.buy(1),
            lambda strategy: strategy.add_margin(30),
            take(-29.1),
            take(-5),
            take(-20.6),
            take(-20.5),
        ),
    )
    assert answers == ["margin_in_use", "", "margin_in_use", ""]
    assert result.account.margin == pytest.approx(14.5)
    assert (
        "2 changes of margin or leverage were refused. The first, on 2024-03-01 10:03:00 UTC: margin_in_use: "
        in (result.warnings[0])
    )


def test_what_is_refused_has_a_code(run):
    answers = []

    def ask(leverage):
        def act(strategy):
            changes = (strategy.add_margin(960), strategy.set_leverage(50), strategy.set_leverage(leverage))
            answers.extend(change.reason.partition(":")[0] for change in changes)

        return act

    tiers = [MarginTier(up_to=150.0, maintenance_rate=0.005), MarginTier(maintenance_rate=0.01, max_leverage=20)]
    given = {"cash": 1_000.0, "margin": isolated(maintenance=tiers)}
    run(
        make(flat(100, 5)),
        on_bar=acting(ask(5), lambda strategy: strategy.buy(2), None, ask(0.1), ask(120)),
        **given,
    )
    assert answers == [
        *("no_position", "", ""),  # of the two leverages the second stands
        *("", "leverage_above_limit", "insufficient_funds"),
        *("insufficient_funds", "leverage_above_limit", "leverage_above_limit"),
    ]


def test_what_cannot_be_asked_for(run):
    def ask(strategy):
        with pytest.raises(InputError, match="a margin of 0 cannot be added"):
            strategy.add_margin(0)
        with pytest.raises(InputError, match="a leverage of nan cannot be set"):
            strategy.set_leverage(float("nan"))

    run(make(flat(100, 2)), cash=1_000.0, margin=isolated(), on_bar=acting(ask))

    def without(strategy):
        with pytest.raises(OrderError, match=r"this account has no margin to change; run it with margin=Margin"):
            strategy.add_margin(5)

    run(make(flat(100, 2)), cash=1_000.0, on_bar=acting(without))

    def cross(strategy):
        assert strategy.add_margin(5).reason.startswith("margin_not_isolated: BTC is backed by the whole account")

    run(make(flat(100, 2)), cash=1_000.0, margin=Margin(), on_bar=acting(cross))

    def late(strategy):
        with pytest.raises(OrderError, match="margin cannot be changed after the last bar"):
            strategy.set_leverage(5)

    run(make(flat(100, 2)), cash=1_000.0, margin=Margin(), on_stop=late)


def test_money_is_not_added_twice(run):
    """Both are free when they are asked for; when they are booked, one is left, and the strategy is told."""
    told = []
    result = run(
        make(flat(100, 4)),
        cash=100.0,
        margin=isolated(),
        on_bar=acting(
            lambda strategy: strategy.buy(1),
            lambda strategy: [strategy.add_margin(60), strategy.add_margin(60)],
        ),
        on_margin=lambda strategy, change: told.append((strategy.bar, change.amount, change.reason.partition(":")[0])),
    )
    assert told == [(1, 60.0, ""), (1, 60.0, "insufficient_funds")]
    assert result.account.margin == 70.0
    assert "1 changes of margin or leverage were refused" in result.warnings[0]


def test_leverage_in_cross_margin(run):
    """A lower one needs margin that is free, a higher one frees some; orders are judged by the new one."""
    margins = []

    def look(strategy):
        margins.append(strategy._desk.account().margin)

    result = run(
        make(flat(100, 7)),
        cash=1_000.0,
        margin=Margin(leverage=10, maintenance=0.005),
        on_bar=acting(
            lambda strategy: strategy.buy(40),
            lambda strategy: (look(strategy), strategy.set_leverage(4)),
            lambda strategy: (look(strategy), strategy.set_leverage(3.9)),
            lambda strategy: (look(strategy), strategy.buy(1), strategy.set_leverage(50)),
            lambda strategy: (look(strategy), strategy.buy(1)),
        ),
    )
    assert margins == [400.0, 1_000.0, 1_000.0, 80.0]
    assert [order.reason.partition(":")[0] for order in result.order_records] == ["", "insufficient_funds", ""]
    assert "insufficient_funds: at a leverage of 3.9 the position in BTC needs 25.641026 USDT" in result.warnings[0]


def test_leverage_in_isolated_margin(run):
    """What is set aside follows at the entry price, and what was added stays."""
    margins = []

    def look(strategy):
        margins.append(strategy._desk.account().margin)

    run(
        make([*flat(100, 2), *flat(104, 5)]),
        cash=30.0,
        margin=isolated(),
        on_bar=acting(
            lambda strategy: strategy.buy(1),
            lambda strategy: strategy.add_margin(2),
            lambda strategy: (look(strategy), strategy.set_leverage(5)),
            lambda strategy: (look(strategy), strategy.set_leverage(3)),
            lambda strategy: (look(strategy), strategy.set_leverage(50)),
            look,
        ),
    )
    # 3 times would need 13.33 more of the 8 that are free.
    assert margins == [12.0, 22.0, 22.0, 4.0]


def test_more_leverage_than_a_position_could_bear_is_refused(run):
    """At 91.5 1.5 of 10 are left; at 50x 2 of them would be behind it, 8 less than now."""
    result = run(
        make([*flat(100, 2), *flat(91.5, 3)]),
        cash=100.0,
        margin=isolated(),
        on_bar=acting(lambda strategy: strategy.buy(1), None, lambda strategy: strategy.set_leverage(50)),
    )
    assert "margin_in_use: at a leverage of 50 the margin of BTC would not keep it" in result.warnings[0]
    assert result.account.margin == 10.0


def test_sides_of_a_hedge_have_margin_of_their_own(run):
    answers = []

    def open_both(strategy):
        strategy.buy(1, position_side="long")
        strategy.sell(1, position_side="short")

    def change(strategy):
        answers.append(strategy.add_margin(5).reason.partition(":")[0])
        answers.append(strategy.add_margin(20, position_side="long").reason)

    rows = [*flat(100, 3), (100, 100, 75, 75), *flat(75), (75, 112, 75, 112), *flat(112)]
    bars = make(rows)
    margin = isolated(position_mode="hedge", planned=[("2024-03-01 10:04:30", "BTC short", 50)])
    result = run(bars, cash=1_000.0, margin=margin, on_bar=acting(open_both, change))
    assert answers == ["position_side_missing", ""]
    assert exits(result) == []  # 75 is above 70 / 0.995, and 60 behind the short one hold until 160 / 1.005
    assert result.account.margin == pytest.approx(90.0)


@pytest.mark.parametrize("way", [{"events": True}, {"blocks": True}])
def test_every_way_of_playing_changes_it_alike(run, way):
    rng = np.random.default_rng(3)
    closes = 100 * np.cumprod(1 + rng.normal(0, 0.01, 200))
    opens = np.concatenate(([100.0], closes[:-1]))
    rows = list(zip(opens, np.maximum(opens, closes), np.minimum(opens, closes), closes, strict=True))

    def on_bar(strategy, bar):
        step = strategy.bar % 7
        if step == 0:
            strategy.order_target_size(float(strategy.chance.choice([-2, 2])))
        elif step in (2, 3):
            strategy.add_margin(strategy.chance.uniform(-20.0, 40.0) or 1.0)
        elif step == 5:
            strategy.set_leverage(strategy.chance.uniform(2.0, 60.0))

    given = {"cash": 100.0, "margin": isolated(liquidation="by_tier", liquidation_fee=0.001), "on_bar": on_bar}
    first, other = run(make(rows), **given), run(make(rows), **given, **way)
    assert first.account == other.account
    assert first.warnings == other.warnings
    assert first.orders.equals(other.orders)
    assert len(first.trades)
