"""One account that holds several assets: what each is worth, what pays for what, and that nothing is made or lost."""

from __future__ import annotations

import pickle
from fractions import Fraction

import attrs
import numpy as np
import pandas as pd
import pytest
from equal_results import FORMATS, exact, hold_equal

import cambist
from cambist import Bars, Deleveraging, Instrument, Interest, Margin, MarginTier, PercentOfEquity, Strategy
from cambist.errors import DataError, InputError, ParameterError
from cambist.simulation import FeeInAsset
from cambist.strategies.examples.sma_cross import SmaCross

DAY = 86_400 * 10**9
BTC = [100.0, 110.0, 120.0, 90.0, 95.0, 105.0, 130.0, 125.0]
BNB = [10.0, 11.0, 12.0, 10.0, 9.0, 10.0, 10.5, 11.0]


def bars(symbol, prices, kind="spot", base="", quote="USDT", start=0, **terms):
    """Return bars that open at the close before, so that a fill's price is easy to tell."""
    terms = {"margin_rate": 0.1, **terms} if "perpetual" in kind or kind == "future" else terms
    instrument = Instrument(symbol=symbol, kind=kind, base=base, quote=quote, step_size="0.001", **terms)
    close = np.array(prices, float)
    open_ = np.concatenate((close[:1], close[:-1]))
    times = (start + np.arange(len(close))) * DAY
    volume = np.ones(len(close))
    return Bars(instrument, "1d", times, open_, np.maximum(open_, close), np.minimum(open_, close), close, volume)


def spot(prices=BTC, **terms):
    return bars("BTCUSDT", prices, base="BTC", **terms)


def bnb(prices=BNB, **terms):
    return bars("BNBUSDT", prices, base="BNB", **terms)


def coin(prices=BTC, **terms):
    return bars("BTCUSD_PERP", prices, "inverse_perpetual", base="BTC", quote="USD", multiplier=10.0, **terms)


def linear(prices=BTC, **terms):
    return bars("BTCUSDT_PERP", prices, "linear_perpetual", base="BTC", **terms)


def script(*steps, name="Scripted"):
    """Return a strategy that does step number `k` at the close of instant `k`, as a function of itself."""

    def on_step(self):
        self.count = getattr(self, "count", -1) + 1
        if self.count < len(steps) and steps[self.count] is not None:
            steps[self.count](self)

    return type(name, (Strategy,), {"on_step": on_step})()


def near(value):
    return pytest.approx(float(value), rel=1e-12, abs=1e-12)


def run(strategy, data, **options):
    return cambist.backtest(strategy, data, benchmark=False, **options)


# What things are worth.


def test_equity_is_reported_in_one_currency():
    result = run(script(), [spot()], cash={"USDT": 1_000, "BTC": 2})
    assert (result.currency, result.initial_cash) == ("USDT", 1_000 + 2 * 100.0)
    assert result.equity["equity"].tolist() == [1_000 + 2 * price for price in BTC]
    assert result.series.balances.iloc[-1].to_dict() == {"USDT": 1_000.0, "BTC": 2.0}
    assert result.series.rates["BTC"].tolist() == BTC
    assert result.account.exchange == near(2 * (BTC[-1] - BTC[0]))


def test_the_currency_may_be_the_coin():
    result = run(script(), [spot()], cash={"USDT": 1_000, "BTC": 2}, currency="BTC")
    assert result.equity["equity"].tolist() == near_all([2 + 1_000 / price for price in BTC])


def near_all(values):
    return pytest.approx(values, rel=1e-12)


@pytest.mark.parametrize(
    ("currency", "worth"),
    [
        ("EUR", lambda price: (1_000 + 2 * price) / 1.25),
        ("GBP", lambda price: (1_000 + 2 * price) / 1.25 * 0.8),
    ],
)
def test_rates_lead_over_several_pairs(currency, worth):
    """BTC to USDT by the market, USDT to EUR against a given pair, EUR to GBP along another."""
    rates = {"EUR/USDT": 1.25, "EUR/GBP": 0.8}
    result = run(script(), [spot()], cash={"USDT": 1_000, "BTC": 2}, currency=currency, rates=rates)
    assert result.equity["equity"].tolist() == near_all([worth(price) for price in BTC])
    assert result.initial_cash == near(worth(BTC[0]))


def test_a_rate_stands_until_there_is_a_newer_one():
    rates = {"EUR": (np.array([-5, 3, 30]) * DAY, np.array([1.0, 2.0, 9.0]))}
    result = run(script(), [spot()], cash={"USDT": 10, "EUR": 100}, rates=rates)
    # The close of bar `k` is at `k + 1` days.
    assert result.equity["equity"].tolist() == [110.0, 110.0, 210.0, 210.0, 210.0, 210.0, 210.0, 210.0]


def test_a_missing_rate_is_an_error_and_never_zero_or_one():
    with pytest.raises(InputError, match=r"nothing tells what EUR is worth in USDT \(pairs: BTC/USDT\)"):
        run(script(), [spot()], cash={"USDT": 10, "EUR": 100})
    late = {"EUR": (np.array([4 * DAY]), np.array([2.0]))}
    with pytest.raises(DataError, match=r"nobody knows what EUR is worth in USDT: no price of it is known by then"):
        run(script(), [spot()], cash={"USDT": 10, "EUR": 100}, rates=late)
    deposit = [(1 * DAY, 5.0, "EUR")]
    with pytest.raises(DataError, match=r"what EUR is worth in USDT at 1970-01-02"):
        run(script(), [spot()], cash={"USDT": 10, "EUR": 0}, rates=late, cash_flows=deposit)
    unused = run(script(), [spot()], cash={"USDT": 10, "EUR": 0}, rates=late)
    assert unused.curve.final == 10.0


def test_a_market_that_opens_later_does_not_tell_what_was_worth_what_before():
    with pytest.raises(DataError, match="nobody knows what BNB is worth"):
        run(script(), [spot(), bnb(start=3)], cash={"USDT": 10, "BNB": 1})
    later = run(
        script(), [spot(), bnb(start=3)], cash={"USDT": 10}, currency="USDT", cash_flows=[(5 * DAY, 2.0, "USDT")]
    )
    assert later.curve.final == 12.0


def test_strategies_see_balances_and_rates():
    seen = []

    def look(self):
        seen.append((dict(self.balances), self.rate("BTC"), self.rate("USDT", "BTC"), self.cash, self.equity))

    run(script(look, look), [spot()], cash={"USDT": 1_000, "BTC": 2})
    assert seen[1] == ({"USDT": 1_000.0, "BTC": 2.0}, 110.0, 1.0 / 110.0, 1_220.0, 1_220.0)


# Orders pay in their own asset.


def test_each_asset_pays_for_its_own_orders():
    def order(self):
        self.big = self.buy(5.0, data="BTCUSDT", limit=100.0)
        self.short = self.sell(100.0, data="BTCUSD_PERP")

    result = run(script(order), [spot(), coin()], cash={"USDT": 400, "BTC": 2}, rates={"USD/USDT": 1.0})
    first, second = result.order_records
    assert first.reason.startswith("insufficient_funds: buy 5.0 BTCUSDT at 100 lacks 100 USDT")
    assert second.status == "filled"  # 100 contracts of 10 USD at 100 are 10 BTC, with a margin of 1


def test_usd_m_beside_coin_m():
    """A hedge: long one coin's worth in USDT, short as much in coin; each makes profit in its own asset."""

    def order(self):
        self.buy(3.0, data="BTCUSDT_PERP")
        self.sell(30.0, data="BTCUSD_PERP")

    data = [linear(), coin()]
    result = run(script(order), data, cash={"USDT": 1_000, "BTC": 4}, rates={"USD/USDT": 1.0}, fees=0.001)
    usdt, btc = result.assets["USDT"], result.assets["BTC"]
    assert usdt.unrealized == near(3 * (125 - 100))
    assert btc.unrealized == near(-30 * 10 * (1 / 100 - 1 / 125))
    assert (usdt.fees, btc.fees) == (near(3 * 100 * 0.001), near(30 * 10 / 100 * 0.001))
    assert result.account.equity == near(usdt.equity + btc.equity * 125)
    assert result.account.unrealized == near(75 - 0.6 * 125)
    assert result.account.fees == near(0.3 + 0.003 * 125)
    assert result.trades.empty
    series = result.series
    assert series.position_values["BTCUSD_PERP"].iloc[-1] == near(-0.6 * 125)
    assert series.exposures["BTCUSD_PERP"].iloc[-1] == near(-300.0)
    assert (series.cash + series.position_values.sum(axis=1)).to_numpy() == pytest.approx(series.equity.to_numpy())


def test_measures_count_in_the_currency():
    def enter(self):
        self.sell(30.0, data="BTCUSD_PERP")

    def leave(self):
        self.close("BTCUSD_PERP")

    data = [coin()]
    options = {"cash": {"USD": 100, "BTC": 4}, "fees": 0.001}
    result = run(script(enter, None, None, leave), data, **options)
    trade = result.trade_records[0]
    gross = -300 * (1 / 100 - 1 / 90)  # in coin
    assert trade.gross == near(gross)
    rate = 95.0  # at the close of the bar in which it closed
    assert result.summary["average_trade"] == near((gross - 0.003 - 300 / 90 * 0.001) * rate)
    assert result.facts.notional_traded == near(3.0 * 110 + 300 / 90 * 95)
    assert result.summary["fees_paid"] == near(result.account.fees)


def test_sizes_by_equity_reckon_in_the_asset_of_the_order():
    """Equity is 1,000 USDT and 4 BTC at 100: 14 BTC; half of it is 7 BTC, or 70 contracts of 10 USD at 100."""
    orders = []

    def order(self):
        orders.append(self.order_target_percent(0.5, "BTCUSD_PERP"))
        orders.append(self.buy(PercentOfEquity(0.5), data="BTCUSD_PERP", limit=100.0))

    run(script(order), [coin()], cash={"USDT": 1_000, "BTC": 4}, rates={"USD/USDT": 1.0})
    assert [order.size for order in orders] == [70.0, 70.0]


def test_each_asset_backs_its_own_positions():
    """The coin's pocket is used up though there is plenty of USDT, and the venue closes there alone."""

    def order(self):
        self.buy(3.0, data="BTCUSDT_PERP")
        self.buy(50.0, data="BTCUSD_PERP")

    data = [linear([100, 100, 100, 60]), coin([100, 100, 100, 60])]
    options = {"rates": {"USD/USDT": 1.0}, "margin": Margin(leverage=10, maintenance=0.05)}
    result = run(script(order), data, cash={"USDT": 1_000, "BTC": 1}, **options)
    assert [(order.instrument.symbol, order.by_venue) for order in result.order_records] == [
        ("BTCUSDT_PERP", False),
        ("BTCUSD_PERP", False),
        ("BTCUSD_PERP", True),
    ]
    assert result.warnings[0].startswith("liquidation: the long position of 50 BTCUSD_PERP")
    alone = run(script(lambda self: self.buy(50.0)), data[1], cash=1)
    assert result.fill_records[2].price < alone.fill_records[0].price
    assert result.assets["BTC"].cash >= 0.0
    assert result.series.positions["BTCUSDT_PERP"].iloc[-1] == 3.0


# Conversions.


def test_a_conversion_goes_at_the_rate_of_the_moment():
    flows = []

    def convert(self):
        flows.append(self.convert(220.0, "USDT", "BTC"))

    def back(self):
        flows.append(self.convert(1.0, "BTC", "USDT"))

    def too_much(self):
        flows.append(self.convert(5_000.0, "USDT", "BTC"))

    data = [spot()]
    result = run(script(None, convert, back, too_much), data, cash={"USDT": 1_000, "BTC": 2}, conversion_fee=0.01)
    assert [(flow.asset, flow.amount) for flow in result.flow_records] == [
        ("USDT", -220.0),
        ("BTC", near(220 / 110 * 0.99)),
        ("BTC", -1.0),
        ("USDT", near(120 * 0.99)),
    ]
    assert [flow.kind for flow in result.flow_records] == ["conversion"] * 4
    assert flows[2].reason.startswith("insufficient_funds")
    assert result.account.flows == 0.0
    assert result.fund is None  # no money came or went


def test_a_conversion_that_cannot_be():
    def convert(self):
        with pytest.raises(InputError, match="the account has no ETH"):
            self.convert(1.0, "USDT", "ETH")
        with pytest.raises(InputError, match="it is the same asset"):
            self.convert(1.0, "USDT", "USDT")
        with pytest.raises(InputError, match="give an amount above zero"):
            self.convert(-1.0, "USDT", "BTC")
        self.stop()

    run(script(convert), [spot()], cash={"USDT": 1_000, "BTC": 2})

    def alone(self):
        with pytest.raises(InputError, match="the account holds USDT alone, and no BTC"):
            self.convert(1.0, "USDT", "BTC")
        with pytest.raises(InputError, match="the account holds USDT alone, and no BTC"):
            self.add_cash(1.0, "BTC")
        self.stop()

    run(script(alone), [spot()], cash=1_000)


def test_deposits_come_in_their_asset_and_are_no_profit():
    def deposit(self):
        self.add_cash(1.0, "BTC")

    flows = [("1970-01-05", -50.0), ("1970-01-06", 0.5, "BTC")]
    result = run(script(None, deposit), [spot()], cash={"USDT": 1_000, "BTC": 0}, cash_flows=flows)
    assert result.assets["BTC"].flows == 1.5
    assert result.account.flows == near(110 - 50 + 0.5 * 95)
    assert result.equity["nav"].iloc[1] == near(100.0)
    # The share has 1 BTC of 1,110 from there on; what leaves at the close of row 3 is sold at its value then.
    after = 100 * (1_000 + 90.0) / 1_110
    assert result.equity["nav"].iloc[3:5].tolist() == near_all([after, after * (950 + 95) / (950 + 90)])
    assert result.summary["net_profit"] == near(result.curve.final - 1_000 - result.account.flows)


def test_interest_by_asset():
    terms = {"BTC": Interest(cash=0.365)}
    result = run(script(), [spot()], cash={"USDT": 1_000, "BTC": 2}, interest=terms)
    assert {flow.asset for flow in result.flow_records} == {"BTC"}
    assert result.assets["BTC"].cash == near(2 * 1.001**8)
    with pytest.raises(ParameterError, match="interest names 'ETH'"):
        run(script(), [spot()], cash={"USDT": 1_000, "BTC": 2}, interest={"ETH": Interest(cash=0.1)})


# Fees in a third coin.


def test_another_asset_pays_the_fee_as_long_as_it_lasts():
    def trade(self):
        (self.buy if self.position_of("BTCUSDT") == 0 else self.sell)(2.0, data="BTCUSDT")

    strategy = script(trade, trade, trade, trade)
    type(strategy).position_of = lambda self, symbol: self.positions[symbol].size
    data = [spot(), bnb()]
    result = run(strategy, data, cash={"USDT": 1_000, "BNB": 0.035}, fees=FeeInAsset("BNB", 0.001, discount=0.25))
    # Bought at 100, sold at 110, bought at 120, sold at 90; the rates are the closes of the bars before.
    fees = [2 * 100 * 0.00075, 2 * 110 * 0.00075, 2 * 120 * 0.001, 2 * 90 * 0.001]
    assert [fill.fee for fill in result.fill_records] == near_all(fees)
    assert [fill.fee_asset for fill in result.fill_records] == ["BNB", "BNB", "USDT", "USDT"]
    assert [fill.fee_paid for fill in result.fill_records] == near_all([fees[0] / 10, fees[1] / 11, fees[2], fees[3]])
    assert result.assets["BNB"].cash == near(0.035 - fees[0] / 10 - fees[1] / 11)
    assert result.assets["USDT"].cash == near(1_000 + 2 * (110 - 100) + 2 * (90 - 120) - fees[2] - fees[3])
    assert [trade.fees for trade in result.trade_records] == near_all([fees[0] + fees[1], fees[2] + fees[3]])
    assert result.order_records[0].fees == near(fees[0])
    assert result.fills["fee_asset"].tolist() == ["BNB", "BNB", "USDT", "USDT"]
    assert result.orders["fee_asset"].tolist() == ["USDT"] * 4
    assert result.assets["USDT"].fees == near(sum(fees))


def test_an_order_whose_fee_is_paid_elsewhere_may_take_all_the_cash():
    options = {"data": [spot([100.0] * 4), bnb([10.0] * 4)], "fees": FeeInAsset("BNB", 0.001)}
    whole = run(script(lambda self: self.buy(10.0, data="BTCUSDT")), cash={"USDT": 1_000, "BNB": 1}, **options)
    assert (whole.order_records[0].status, whole.assets["USDT"].cash) == ("filled", near(0.0))
    none = run(script(lambda self: self.buy(10.0, data="BTCUSDT")), cash={"USDT": 1_000, "BNB": 0}, **options)
    assert none.order_records[0].reason.startswith("insufficient_funds: buy 10.0 BTCUSDT at 100 lacks 1 USDT")


def test_a_liquidation_fee_is_the_positions_own():
    data = [linear([100, 100, 100, 60]), bnb([10.0] * 4)]
    options = {"margin": Margin(leverage=10, maintenance=0.05, liquidation_fee=0.01)}
    result = run(
        script(lambda self: self.buy(9.0, data="BTCUSDT_PERP")),
        data,
        cash={"USDT": 100, "BNB": 5},
        fees=FeeInAsset("BNB", 0.001),
        **options,
    )
    opened, closed = result.fill_records
    assert (opened.fee_asset, closed.fee_asset) == ("BNB", "USDT")
    assert closed.fee > 0.0


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        ({"asset": ""}, "give the name of an asset"),
        ({"asset": "BNB", "discount": 1.5}, "a fraction of the fee, from 0 to 1"),
        ({"asset": "BNB", "fees": {"use": "per-order", "minimum": 1.0}}, "a fee by the order cannot be paid"),
    ],
)
def test_fees_that_cannot_be(terms, told):
    with pytest.raises(ParameterError, match=told):
        FeeInAsset(**terms)


# What does not go together.


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"cash": {"USDT": -1}}, "cash is {'USDT': -1}; it must be a positive amount"),
        ({"cash": {"USDT": 0, "BTC": 0}}, "it must be a positive amount of money, or one for each asset"),
        ({"cash": {"USDT": 5, "BTC": 1}, "rules": "backtrader"}, "backtrader's broker knows one currency"),
        ({"cash": 5, "rates": {"EUR": 1.0}}, "rates are given, and the run has one asset"),
        ({"cash": {"USDT": 5, "BTC": 1}, "rates": {"USDT": 1.0}}, "rates has 'USDT'; name an asset that is not USDT"),
        ({"cash": {"USDT": 5, "BTC": 1}, "rates": {"EUR": 0}}, "a rate is a finite number above zero"),
        (
            {"cash": {"USDT": 5, "BTC": 1}, "margin": Margin(position_mode="hedge")},
            "position_mode='hedge', which an acc",
        ),
        ({"conversion_fee": 2}, "conversion_fee is 2; it is a fraction"),
        ({"currency": 3}, "currency is 3; give the name of an asset"),
    ],
)
def test_options_that_do_not_go_together(options, told):
    with pytest.raises(ParameterError, match=told):
        run(script(), [spot()], **options)


def test_several_assets_must_be_asked_for():
    with pytest.raises(InputError, match=r"settle in BTC, USDT; .* cash=\{'BTC': \.\.\., 'USDT': \.\.\.\}"):
        run(script(), [spot(), coin()], cash=1_000)


# One asset is one asset.


def test_a_single_asset_by_name_is_the_plain_run_bit_for_bit(scenarios):
    for seed in range(40):
        scenario = scenarios["make_account"](6_000 + seed)
        left_out = {"accounts", "assets", "strategy transfers"}
        scenario = attrs.evolve(scenario, account=tuple(name for name in scenario.account if name not in left_out))
        plain = scenarios["play"](scenario)
        assets = {one.instrument.settle for one in scenarios["bars"](scenario)}
        cash = dict.fromkeys(assets, scenario.options["cash"])
        named = scenarios["play"](attrs.evolve(scenario, options={**scenario.options, "cash": cash}))
        assert named.books() == plain.books()
        assert named.curve() == plain.curve()


def test_unused_assets_change_nothing_of_a_run(scenarios):
    """The other asset's rate is 1 and its balance 0: the books are those of the plain run, in pockets."""
    for seed in range(20):
        scenario = attrs.evolve(scenarios["make"](6_100 + seed), traders=1)
        if any(one.instrument.settle != "USD" for one in scenarios["bars"](scenario)):
            continue
        plain = scenarios["play"](scenario).result
        options = {**scenario.options, "cash": {"USD": scenario.options["cash"], "X": 0}, "rates": {"X": 1.0}}
        other = scenarios["play"](attrs.evolve(scenario, options=options)).result
        assert exact(other.fill_records) == exact(plain.fill_records)
        assert exact(other.order_records) == exact(plain.order_records)
        assert exact(other.trade_records) == exact(plain.trade_records)
        assert exact(other.curve) == exact(plain.curve)


@pytest.mark.parametrize("mode", ["cross", "isolated"])
def test_unused_assets_change_nothing_of_an_account_on_margin(mode):
    """Liquidation by tiers, auto-deleveraging and planned margin find the pocket that they are of."""
    walk = np.round(100.0 * np.exp(np.cumsum(np.random.default_rng(11).normal(0.0, 0.03, 400))), 2)
    tiers = [(500.0, 0.02), (1_500.0, 0.05), (float("inf"), 0.09)]
    margin = Margin(
        mode=mode,
        leverage=10,
        maintenance=[MarginTier(up_to=up_to, maintenance_rate=rate) for up_to, rate in tiers],
        liquidation="by_tier",
        liquidation_fee=0.01,
        deleveraging=Deleveraging(
            probability=0.2, move=0.03, share=0.5, distance=0.01, events=[(9 * DAY, "BTCUSDT_PERP", 0.5)]
        ),
        planned=[(9 * DAY, "BTCUSDT_PERP", 5.0)] if mode == "isolated" else (),
    )

    class Leveraged(Strategy):
        def on_bar(self, bar):
            if self.cash < 250.0:
                self.add_cash(300.0)
            if bar.ts % (8 * DAY) == 0:
                self.order_target_value(self.equity * (9.0 if bar.ts % (16 * DAY) else -9.0))

    plain = run(Leveraged(), [linear(walk)], cash=300, margin=margin)
    several = run(Leveraged(), [linear(walk)], cash={"USDT": 300, "X": 0}, rates={"X": 1.0}, margin=margin)
    for name in ("fill_records", "order_records", "trade_records", "flow_records", "curve", "warnings"):
        assert exact(getattr(several, name)) == exact(getattr(plain, name)), name
    tags = [order.tag for order in plain.order_records]
    assert tags.count("liquidation") > 10
    assert tags.count("adl") > 3


# Saved, with accounts, and all of it together.


@pytest.mark.parametrize("blocks", [False, True], ids=["memory", "blocks"])
@pytest.mark.parametrize("name", FORMATS)
def test_assets_are_saved_and_loaded(scenarios, tmp_path, name, blocks):
    several = fees = 0
    for seed in range(6_200, 6_230):
        scenario = scenarios["make_account"](seed)
        if "assets" not in scenario.account:
            continue
        saved = scenarios["play"](scenario, blocks=blocks).result
        for one in (saved, *saved.accounts.values()):
            for strategy in one.strategies:
                strategy.parameters["trace"] = None
        loaded = cambist.load_result(saved.save(tmp_path / str(seed), name))
        pairs = [(loaded.accounts[account], one) for account, one in saved.accounts.items()] or [(loaded, saved)]
        for other, one in pairs:
            hold_equal(other, one)
            for frame in ("balances", "rates", "by_strategy"):
                saved_frame, loaded_frame = getattr(one.series, frame), getattr(other.series, frame)
                pd.testing.assert_frame_equal(loaded_frame, saved_frame, check_exact=True)
            several += bool(one.assets)
            fees += sum(fill.fee_asset != fill.instrument.settle for fill in other.fill_records)
            kept = [(fill.fee_asset, fill.fee_paid) for fill in one.fill_records]
            assert [(fill.fee_asset, fill.fee_paid) for fill in other.fill_records] == kept
    assert several > 8
    assert fees > 8


def test_sub_accounts_in_several_assets():
    def send(self):
        self.transfer(0.5, to="Other", asset="BTC")

    other = script(lambda self: self.buy(1.0), name="Other")
    result = run(
        [script(send, name="Sender"), other],
        [spot()],
        accounts={"Sender": {"USDT": 100, "BTC": 1}, "Other": 500},
        currency="USDT",
    )
    assert result.initial_cash == 100 + 100 + 500
    assert {name: one.assets["BTC"].cash for name, one in result.accounts.items()} == {"Sender": 0.5, "Other": 0.5}
    assert result.curve.final == near(600 - 100 + 125 + 125)
    assert result.account.exchange == near(1.0 * (125 - 100))
    assert [one.account.flows for one in result.accounts.values()] == near_all([-50.0, 50.0])


def test_measures_of_several_accounts_in_several_assets_count_in_the_currency():
    def trade(self):
        (self.sell if self.positions["BTCUSD_PERP"].is_flat else self.buy)(30.0, data="BTCUSD_PERP")

    money = {"cash": {"USD": 100, "BTC": 4}, "accounts": {"One": {"BTC": 5}}}
    names = ("One", "Two")
    result = run([script(trade, None, trade, name=name) for name in names], [coin()], **money, currency="USD")
    one, two = result.accounts["One"], result.accounts["main"]
    assert result.facts.notional_traded == near(one.facts.notional_traded + two.facts.notional_traded)
    assert one.summary["average_trade"] == near(two.summary["average_trade"])
    assert result.summary["average_trade"] == near(one.summary["average_trade"])
    assert one.summary["average_trade"] == near(-300 * (1 / 100 - 1 / 120) * 90.0)


def test_a_third_asset_and_conversions_conserve_in_exact_fractions():
    """Random orders, conversions and fees: what left one asset at a rate came to another, to the last fraction."""

    class Restless(Strategy):
        def on_start(self):
            self.rng = np.random.default_rng(5)

        def on_step(self):
            if self.rng.random() < 0.5:
                symbol = str(self.rng.choice(["BTCUSDT", "BTCUSD_PERP"]))
                self.order_target_percent(float(self.rng.uniform(-0.4, 0.6)), symbol)
            if self.rng.random() < 0.4:
                source, target = self.rng.choice([("USDT", "BTC"), ("BTC", "USDT"), ("BNB", "BTC"), ("USDT", "BNB")])
                self.convert(float(self.rng.uniform(0.01, 0.1)), str(source), str(target))

    walk = 100 * np.exp(np.cumsum(np.random.default_rng(8).normal(0, 0.02, 300)))
    other = 10 * np.exp(np.cumsum(np.random.default_rng(9).normal(0, 0.02, 300)))
    cash = {"USDT": 2_000.0, "BTC": 10.0, "BNB": 0.3}
    fees = FeeInAsset("BNB", {"maker": 0.0002, "taker": 0.0006}, 0.25)
    result = run(Restless(), [spot(walk), bnb(other), coin(walk)], cash=cash, fees=fees, rates={"USD/USDT": 1.0})
    exact_cash = {asset: Fraction(amount) for asset, amount in cash.items()}
    size, entry = Fraction(0), Fraction(0)  # of the inverse contract, in 1 / price
    for fill in result.fill_records:
        signed, price = Fraction(str(fill.size)) * fill.side.sign, Fraction(fill.price)
        exact_cash[fill.fee_asset] -= Fraction(fill.fee_paid)
        if fill.instrument.symbol == "BTCUSDT":
            exact_cash["USDT"] -= signed * price
            continue
        closing = max(-abs(signed), -abs(size)) * (1 if signed < 0 else -1) if size * signed < 0 else Fraction(0)
        exact_cash["BTC"] += -closing * 10 * (entry - 1 / price)
        opening, size = signed - closing, size + closing
        entry = (size * entry + opening / price) / (size + opening) if opening else entry
        size += opening
    conversions = [flow for flow in result.flow_records if flow.kind == "conversion"]
    for out, came in zip(conversions[::2], conversions[1::2], strict=True):
        assert out.ts == came.ts
        row = int(out.ts // DAY) - 1
        worth = {"USDT": Fraction(1), "BTC": Fraction(walk[row]), "BNB": Fraction(other[row])}
        assert float(-Fraction(out.amount) * worth[out.asset]) == near(Fraction(came.amount) * worth[came.asset])
        for flow in (out, came):
            exact_cash[flow.asset] += Fraction(flow.amount)
    for asset, account in result.assets.items():
        assert account.cash == pytest.approx(float(exact_cash[asset]), rel=1e-9, abs=1e-9)
    assert len(result.fill_records) > 60
    assert len(conversions) > 60
    assert {fill.fee_asset for fill in result.fill_records} == {"USDT", "BTC", "BNB"}


def test_a_plain_strategy_runs_in_an_account_of_several_assets():
    result = cambist.backtest(SmaCross(fast=2, slow=3), [spot(BTC * 6)], cash={"USDT": 1_000, "BTC": 1})
    assert result.benchmark.final == near(result.initial_cash * BTC[-1] / BTC[0])


@pytest.mark.parametrize("option", [{"market_rules": "us-cash"}, {"compensates": {"BNBUSDT": "BTCUSDT"}}])
@pytest.mark.parametrize("money", [{"cash": {"USDT": 5, "BTC": 1}}, {"accounts": {"Scripted": 5}}])
def test_rules_of_one_account_are_not_kept_for_several(option, money):
    with pytest.raises(ParameterError, match="is kept for one account in one asset, and the run has several"):
        run(script(), [spot(), bnb()], **option, **money)


def test_a_fill_that_another_asset_paid_goes_through_pickle():
    data = [spot(), bnb()]
    options = {"cash": {"USDT": 1_000, "BNB": 1}, "fees": FeeInAsset("BNB", 0.001)}
    result = run(script(lambda self: self.buy(1.0, data="BTCUSDT")), data, **options)
    (fill,) = result.fill_records
    again = pickle.loads(pickle.dumps(fill))
    assert (again.fee_asset, again.fee_paid) == (fill.fee_asset, fill.fee_paid) == ("BNB", near(0.01))
    assert exact(again) == exact(fill)
    plain = pickle.loads(pickle.dumps(attrs.evolve(fill)))
    assert (plain.fee_asset, plain.fee_paid) == ("USDT", fill.fee)
