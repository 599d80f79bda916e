"""Accounts of their own for strategies of one run: each is what the strategy alone would have made of its money."""

from __future__ import annotations

import attrs
import numpy as np
import pandas as pd
import pytest
from equal_results import FORMATS, exact, hold_equal

import cambist
from cambist import Bars, Deleveraging, Instrument, Margin, MarginTier, Strategy
from cambist.errors import InputError, ParameterError, ResultError
from cambist.strategies.examples.donchian_breakout import DonchianBreakout
from cambist.strategies.examples.rsi_reversal import RsiReversal
from cambist.strategies.examples.sma_cross import SmaCross

MINUTE = 60 * 10**9


def market(seed, **terms):
    instrument = Instrument(symbol="A", step_size="0.001", tick_size="0.01", **terms)
    rng = np.random.default_rng(seed)
    close = np.round(100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, 400))), 2)
    open_ = np.concatenate(([100.0], close[:-1]))
    high = np.round(np.maximum(open_, close) * 1.004, 2)
    low = np.round(np.minimum(open_, close) * 0.996, 2)
    return Bars(instrument, "1m", np.arange(400) * MINUTE, open_, high, low, close, rng.integers(1, 90, 400) * 1.0)


PERPETUAL = {"kind": "linear_perpetual", "margin_rate": 0.1}
TIERS = {"use": "tiered", "tiers": [(0, 0.001, 0.002), (20_000, 0.0, 0.001), (90_000, -0.0001, 0.0005)]}
STEEP = [(20_000.0, 0.02), (60_000.0, 0.05), (float("inf"), 0.09)]
BY_TIERS = Margin(
    leverage=10,
    maintenance=[MarginTier(up_to=up_to, maintenance_rate=rate) for up_to, rate in STEEP],
    liquidation="by_tier",
    deleveraging=Deleveraging(probability=0.5, move=0.01, share=0.5, distance=0.01),
)
OPTIONS = {
    "plain": ({}, {"fees": 0.001}),
    "fee tiers": ({}, {"fees": TIERS}),
    "volume limit": ({}, {"volume_limit": 0.2, "slippage": 0.001}),
    "pessimistic": (PERPETUAL, {"path": "pessimistic", "fees": 0.0005}),
    "this close": ({}, {"market_fill": "this_close"}),
    "backtrader": ({}, {"rules": "backtrader", "fees": 0.001}),
    "liquidated": (PERPETUAL, {"margin": Margin(leverage=10, maintenance=0.05)}),
    "by tiers": (PERPETUAL, {"margin": BY_TIERS}),
    "interest": ({}, {"interest": cambist.Interest(cash=2.0, short=1.0)}),
}
MONEY = {"SmaCross": 9_000.0, "RsiReversal": 4_000.0, "main": 700.0}


class Leveraged(Strategy):
    share: float = cambist.param(9.0)

    def on_bar(self, bar):
        if self.position.is_flat:
            self.order_target_percent(self.share)


def strategies(name):
    if name in ("liquidated", "by tiers"):
        made = [Leveraged(share=share) for share in (9.0, -8.0, 7.0)]
        for one, own in zip(made, MONEY, strict=True):
            one.name = own if own != "main" else "Third"
        return made
    return [SmaCross(fast=3, slow=8), RsiReversal(period=5), DonchianBreakout(entry=10, exit=5)]


def told(result):
    """Return what became of an account, but for numbers that count through the run."""
    fills = [(one.side, one.size, one.price, one.fee, one.ts, one.liquidity) for one in result.fill_records]
    orders = [(one.type, one.size, one.status, one.reason, one.fees, one.updated_at) for one in result.order_records]
    skipped = ("id", "strategy")
    trades = [attrs.astuple(one, filter=lambda field, _: field.name not in skipped) for one in result.trade_records]
    flows = [attrs.evolve(flow, account="") for flow in result.flow_records]
    return exact([fills, orders, trades, flows, result.account, result.curve])


@pytest.mark.parametrize("events", [False, True], ids=["columns", "events"])
@pytest.mark.parametrize("name", OPTIONS)
def test_each_account_is_what_its_strategy_alone_would_have_made(name, events):
    terms, options = OPTIONS[name]
    bars, seen = market(7, **terms), 0
    together = cambist.backtest(
        strategies(name), bars, cash=MONEY["main"], accounts={"SmaCross": 9_000, "RsiReversal": 4_000}, events=events,
        **options,
    )  # fmt: skip
    for account, strategy in zip(MONEY, strategies(name), strict=True):
        alone = cambist.backtest(strategy, bars, cash=MONEY[account], events=events, **options)
        assert told(together.accounts[account]) == told(alone), account
        pd.testing.assert_frame_equal(
            together.accounts[account].series.to_frame(), alone.series.to_frame().drop(columns="benchmark")
        )
        seen += len(alone.fill_records)
    assert seen > 20
    reasons = {trade.reason for trade in together.trade_records}
    assert ("liquidation" in reasons) == (name in ("liquidated", "by tiers"))
    assert any(order.tag == "adl" for order in together.order_records) == (name == "by tiers")


@pytest.mark.parametrize("make", ["make_account", "make_futures"])
def test_a_sole_account_is_the_plain_run_bit_for_bit(scenarios, make):
    for seed in range(40):
        scenario = scenarios[make](5_000 + seed)
        left_out = {"accounts", "strategy transfers", "assets"}
        account = tuple(name for name in scenario.account if name not in left_out)
        scenario = attrs.evolve(scenario, traders=1, account=account)
        plain = scenarios["play"](scenario)
        own = {**scenario.options, "accounts": {"RandomTrader": scenario.options["cash"]}}
        played = scenarios["play"](attrs.evolve(scenario, options=own))
        account = played.result.accounts["RandomTrader"]
        # A change of margin that a trader asked for names the account.
        traced = [tuple(one.replace("account='RandomTrader'", "account=''") if isinstance(one, str) else one
                        for one in told) for told in played.trace]  # fmt: skip
        assert traced == plain.trace
        assert told(account) == told(plain.result)
        assert exact(played.result.curve) == exact(plain.result.curve)
        assert exact(played.result.fund) == exact(plain.result.fund) == exact(account.fund)
        assert exact(played.result.account) == exact(plain.result.account)
        assert exact(played.result.benchmark) == exact(plain.result.benchmark)


class Lowers(Strategy):
    """Asks for more than the venue allows at its leverage, having lowered that where it is to."""

    leverage: float = cambist.param(10.0)

    def on_bar(self, bar):
        if bar.ts == 0 and self.leverage != 10.0:
            assert not self.set_leverage(self.leverage).reason
        if bar.ts == MINUTE:
            self.order = self.buy(20.0)


def test_each_account_has_its_own_leverage():
    tiers = [MarginTier(up_to=1_000.0, maintenance_rate=0.01), MarginTier(maintenance_rate=0.02, max_leverage=3)]
    margin = Margin(leverage=10, maintenance=tiers)
    lower, other = Lowers(leverage=2.0), Lowers()
    lower.name, other.name = "Lower", "Other"
    result = cambist.backtest(
        [lower, other], market(5, **PERPETUAL), cash=5_000, accounts={"Lower": 5_000}, margin=margin
    )
    reasons = {order.strategy: order.reason.partition(":")[0] for order in result.order_records}
    assert reasons == {"Lower": "", "Other": "leverage_above_limit"}


def test_margin_that_is_planned_is_of_one_account():
    margin = Margin(mode="isolated", planned=[(MINUTE, "A", 5.0)])
    with pytest.raises(ParameterError, match="planned names positions of one account, and the run has several"):
        cambist.backtest([Looks(), Buys()], market(3, **PERPETUAL), accounts={"Buys": 300}, margin=margin)


class Buys(Strategy):
    size: float = cambist.param(1.0)

    def on_start(self):
        self.seen = None

    def on_bar(self, bar):
        if self.position.is_flat and not self.open_orders:
            (self.buy if self.size > 0 else self.sell)(abs(self.size))


class Shorts(Buys):
    """The same under another name."""


def test_accounts_may_hold_opposite_positions():
    result = cambist.backtest([Buys(size=2.0), Shorts(size=-3.0)], market(1), accounts={"Buys": 5_000, "Shorts": 5_000})
    assert list(result.accounts) == ["Buys", "Shorts"]
    assert [one.series.positions["A"].iloc[-1] for one in result.accounts.values()] == [2.0, -3.0]
    assert result.by_strategy["size"].to_dict() == {"Buys": 2.0, "Shorts": -3.0}
    assert result.account.equity == result.curve.final
    with pytest.raises(ResultError, match=r"take the series of each, as result\.accounts\['Buys'\]\.series"):
        result.series  # noqa: B018


class Looks(Strategy):
    def on_bar(self, bar):
        if self.position.is_flat:
            order = self.order_target_percent(0.5)
            assert order.size == pytest.approx(0.5 * self.equity / bar.close, abs=0.001)
        self.log.debug("%s", self.cash)


def test_a_strategy_sees_and_is_judged_by_its_own_account():
    class Greedy(Strategy):
        def on_bar(self, bar):
            if bar.ts == 0:
                assert (self.cash, self.equity) == (1_000.0, 1_000.0)
                self.orders = self.buy(11.0, limit=100.0), self.buy(5.0, limit=90.0)

    result = cambist.backtest([Looks(), Greedy()], market(2), cash=100_000, accounts={"Greedy": 1_000})
    refused = [order.reason.partition(":")[0] for order in result.accounts["Greedy"].order_records]
    assert refused == ["insufficient_funds", ""]
    assert len(result.accounts["main"].order_records) == 1


class Sends(Strategy):
    def on_bar(self, bar):
        if bar.ts == 3 * MINUTE:
            self.flow = self.transfer(400.0, to="Buys")
            self.refused = self.transfer(9_700.0, to="Buys")
            assert self.refused.reason.startswith("insufficient_funds")
            assert self.refused.kind == "transfer"


def test_money_sent_to_another_account_is_no_profit_of_either():
    result = cambist.backtest([Sends(), Buys(size=0.001)], market(3), cash=10_000, accounts={"Buys": 600})
    assert [(flow.kind, flow.account, flow.amount) for flow in result.flow_records] == [
        ("transfer", "main", -400.0),
        ("transfer", "Buys", 400.0),
    ]
    main, buys = result.accounts["main"], result.accounts["Buys"]
    assert (main.account.cash, main.account.flows, main.summary["total_return"]) == (9_600.0, -400.0, 0.0)
    assert buys.account.flows == 400.0
    assert abs(buys.summary["total_return"]) < 0.01
    assert (result.account.flows, result.fund) == (0.0, None)


def test_planned_flows_name_their_account():
    flows = [(MINUTE, 50.0, "Buys"), (2 * MINUTE, 70.0, "main"), (3 * MINUTE, -5.0)]
    options = {"cash": 100, "accounts": {"Buys": 300}}
    result = cambist.backtest([Looks(), Buys(size=0.001)], market(3), cash_flows=flows, **options)
    assert {name: one.account.flows for name, one in result.accounts.items()} == {"main": 65.0, "Buys": 50.0}
    with pytest.raises(ParameterError, match="cash_flows names 'Bus', no account or asset"):
        cambist.backtest([Looks(), Buys()], market(3), cash_flows=[(MINUTE, 50.0, "Bus")], **options)


@pytest.mark.parametrize(
    ("accounts", "told_of"),
    [
        ({"Buy": 100}, "accounts names the strategy 'Buy'. Did you mean 'Buys'?"),
        ({"Buys": 0}, "accounts gives 'Buys' the cash 0; it must be a positive amount"),
        ({}, "accounts is {}; give cash by the name of the strategy"),
        ([1], r"accounts is \[1\]; give cash by the name"),
    ],
)
def test_accounts_that_cannot_be(accounts, told_of):
    with pytest.raises(ParameterError, match=told_of):
        cambist.backtest([Buys(), Looks()], market(3), accounts=accounts)


@pytest.mark.parametrize("to", ["Bus", "main"])
def test_money_goes_to_another_account_of_the_run_alone(to):
    class Lost(Strategy):
        def on_bar(self, bar):
            with pytest.raises(InputError, match=f"there is no other account {to!r}"):
                self.transfer(1.0, to=to)
            with pytest.raises(InputError, match="give an amount above zero"):
                self.transfer(-1.0, to="Buys")
            self.stop()

    cambist.backtest([Lost(), Buys()], market(3), accounts={"Buys": 300})


@pytest.mark.parametrize("name", FORMATS)
def test_accounts_are_saved_and_loaded(tmp_path, name):
    both = {"accounts": {"Buys": 600, "Sends": 900}}
    saved = cambist.backtest([Sends(), Buys(size=0.001), Shorts(size=-1.0)], market(3), cash=500, **both)
    loaded = cambist.load_result(saved.save(tmp_path, name))
    assert list(loaded.accounts) == list(saved.accounts) == ["Sends", "Buys", "main"]
    for account, one in saved.accounts.items():
        hold_equal(loaded.accounts[account], one)
    pd.testing.assert_frame_equal(loaded.by_strategy, saved.by_strategy)
    fewer = cambist.backtest([Sends(), Buys(size=0.001)], market(3), accounts={"Buys": 600, "Sends": 900})
    fewer.save(tmp_path, name)
    assert list(cambist.load_result(tmp_path).accounts) == ["Sends", "Buys"]
    assert not (tmp_path / "accounts" / "3").exists()
    cambist.backtest(Buys(), market(3)).save(tmp_path, name)
    assert not (tmp_path / "accounts").exists()
