"""What holds after any run: orders, fills, trades, account and curve tell one story within the market's bounds."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from math import isnan

import numpy as np
import pytest

from cambist import OrderStatus, Side
from cambist.model import Liquidity
from cambist.model.legs import leg_key

SCENARIOS = 120


def bars_of(bars, fill):
    """Return the rows of the bars that a fill can have happened in: the one that opens then, the one that closes."""
    return np.flatnonzero((bars.ts == fill.ts) | (bars.close_times == fill.ts))


def hold_orders(result):
    fills = defaultdict(list)
    for fill in result.fill_records:
        fills[fill.order_id].append(fill)
    assert [fill.id for fill in result.fill_records] == list(range(1, len(result.fill_records) + 1))
    assert [order.id for order in result.order_records] == list(range(1, len(result.order_records) + 1))
    for order in result.order_records:
        mine = fills.pop(order.id, [])
        grid = order.instrument.size_grid
        filled = 0.0
        for fill in mine:
            assert (fill.instrument, fill.side) == (order.instrument, order.side)
            assert fill.size > 0.0
            assert fill.ts >= order.created_at
            filled = grid.nearest(filled + fill.size)
        assert order.filled == filled <= order.size
        assert (order.status is OrderStatus.FILLED) is (filled == order.size > 0.0)
        assert "pending" not in order.status
        assert order.status is not OrderStatus.SUBMITTED
        if order.status is OrderStatus.REJECTED:
            assert not mine
            assert order.reason
        assert order.fees == pytest.approx(sum(fill.fee for fill in mine))
        if mine:
            value = sum(fill.size * fill.price for fill in mine) / sum(fill.size for fill in mine)
            assert order.average_price == pytest.approx(value)
        else:
            assert isnan(order.average_price)
    assert not fills


def hold_market(scenario, result, series):
    """No fill is outside its bar, off the grid, worse than its limit, or more than the volume allows."""
    options = scenario.options
    taken = defaultdict(float)
    for fill in result.fill_records:
        order = result.order_records[fill.order_id - 1]
        bars = series[fill.instrument.symbol]
        rows = bars_of(bars, fill)
        grid = fill.instrument.price_grid
        assert grid is None or grid.holds(fill.price)
        assert fill.instrument.size_grid.holds(fill.size)
        if "slippage" not in options or fill.liquidity is Liquidity.MAKER:
            assert any(bars.low[row] <= fill.price <= bars.high[row] for row in rows)
        if not isnan(order.limit_price) and order.updated_at == fill.ts:
            assert fill.price <= order.limit_price if order.is_buy else fill.price >= order.limit_price
        taken[fill.instrument.symbol, fill.ts] += fill.size
        if "volume_limit" in options:
            allowed = bars.volume[rows].sum() * options["volume_limit"]
            assert taken[fill.instrument.symbol, fill.ts] <= allowed * (1 + 1e-9)


def hold_account(scenario, result):
    account, trades = result.account, result.trade_records
    held = defaultdict(float)
    for fill in result.fill_records:
        order = result.order_records[fill.order_id - 1]
        before = held[fill.instrument.symbol]
        signed = fill.size if fill.side is Side.BUY else -fill.size
        after = held[fill.instrument.symbol] = fill.instrument.size_grid.nearest(before + signed)
        if order.reduce_only:
            assert abs(after) < abs(before)
            assert after * before >= 0.0
    assert account.equity - scenario.options["cash"] == pytest.approx(
        account.realized + account.unrealized - account.fees, abs=1e-6 * scenario.options["cash"]
    )
    assert sum(trade.gross for trade in trades) == pytest.approx(account.realized, abs=1e-6)
    assert sum(trade.fees for trade in trades) == pytest.approx(account.fees, abs=1e-6)
    assert sum(fill.fee for fill in result.fill_records) == pytest.approx(account.fees, abs=1e-9)
    still_held = {name for name, size in held.items() if size}
    assert {trade.instrument.symbol for trade in trades if trade.is_open} == still_held
    assert result.curve.final == pytest.approx(account.equity, rel=1e-9)


def exact_cash(result, initial, flows, fills):
    """Replay fills and flows of a result in exact fractions: return the cash that must be there."""
    sides = {order.id: order.position_side for order in result.order_records}
    cash, size, entry = Fraction(initial), defaultdict(Fraction), defaultdict(Fraction)
    for flow in flows:
        cash += Fraction(flow.amount)
    for fill in fills:
        one = fill.instrument
        many, price = Fraction(one.multiplier), Fraction(fill.price)
        name = leg_key(one.symbol, sides[fill.order_id])
        signed = one.size_to_decimal(fill.size)
        signed = Fraction(signed) * (1 if fill.side is Side.BUY else -1)
        cash -= Fraction(fill.fee)
        if one.is_cash:
            cash -= signed * many * price
            size[name] += signed
            continue
        at = -1 / price if one.is_inverse else price  # what profit is linear in
        closing = -signed if size[name] * signed < 0 and abs(signed) <= abs(size[name]) else Fraction(0)
        if size[name] * signed < 0:
            closing = closing or size[name]
            cash += closing * many * (at - entry[name])
        opening = signed + closing
        size[name] -= closing
        if opening:
            entry[name] = (size[name] * entry[name] + opening * at) / (size[name] + opening)
            size[name] += opening
    return cash


def hold_money(result):
    """No money comes from nowhere, and none is lost: all of it is in fills, flows and what is held."""
    if result.assets:
        hold_assets(result)
        return
    account = result.account
    cash = exact_cash(result, result.initial_cash, result.flow_records, result.fill_records)
    scale = max(1.0, float(abs(cash)), sum(abs(flow.amount) for flow in result.flow_records))
    assert account.cash == pytest.approx(float(cash), abs=1e-8 * scale)
    moved = defaultdict(float)
    for flow in result.flow_records:
        moved[flow.kind] += flow.amount
    came = moved["deposit"] + moved["withdrawal"] + moved["transfer"]
    assert account.flows == pytest.approx(came, abs=1e-9 * scale)
    carried = ("funding", "interest", "dividend", "insurance")  # a fraction of a share is sold, not carried
    carry = sum(moved[kind] for kind in carried)
    assert account.carry == pytest.approx(carry, abs=1e-9 * scale)
    assert sum(trade.gross for trade in result.trade_records) == pytest.approx(account.realized, abs=1e-8 * scale)
    assert account.equity - result.initial_cash == pytest.approx(
        account.realized + account.unrealized - account.fees + account.flows + account.carry, abs=1e-8 * scale
    )
    assert result.curve.final == pytest.approx(account.equity, rel=1e-9, abs=1e-8 * scale)


@pytest.mark.parametrize("first", range(0, 160, 40))
def test_accounts_that_trade_futures_in_full_add_up(scenarios, first):
    """Hedge mode, liquidation by tiers, the insurance fund and auto-deleveraging make no money and lose none."""
    hedged = several_assets = 0
    for seed in range(first, first + 40):
        result = scenarios["play"](scenarios["make_futures"](3_000 + seed)).result
        hold_orders(result)
        for account in result.accounts.values() or [result]:
            hold_money(account)
        if result.accounts:
            hold_sum(result)
            hedged += any(order.position_side is not None for order in result.order_records)
        several_assets += any(account.assets for account in (result, *result.accounts.values()))
        for trade in result.trade_records:
            sides = {
                order.position_side
                for order in result.order_records
                if order.instrument is trade.instrument and order.filled
            }
            assert None not in sides or len(sides) == 1
    assert hedged > 0
    assert several_assets > 0


@pytest.mark.parametrize("first", range(0, 160, 40))
def test_every_account_adds_up(scenarios, first):
    moved = several = several_assets = 0
    for seed in range(first, first + 40):
        result = scenarios["play"](scenarios["make_account"](3_000 + seed)).result
        hold_orders(result)
        for account in result.accounts.values() or [result]:
            hold_money(account)
        if result.accounts:
            hold_sum(result)
            several += 1
        several_assets += any(account.assets for account in (result, *result.accounts.values()))
        if result.settings["margin"] is not None:
            ruined = any("the account was ruined" in warning for warning in result.warnings)
            assert ruined or result.curve.lowest >= -1e-9 * result.initial_cash
        moved += len(result.flow_records) + len(result.fill_records)
    assert moved > 500
    assert several > 3
    assert several_assets > 8


def hold_assets(result):
    """Each asset of an account is what its own fills and flows make of it, and the account is their worth."""
    worth = Fraction(0)
    for asset, account in result.assets.items():
        history = result.history.assets[asset]
        flows = [flow for flow in result.flow_records if flow.asset == asset]
        fills = [fill for fill in result.fill_records if fill.instrument.settle == asset]
        cash = exact_cash(result, history.account.initial_cash, flows, fills)
        scale = max(1.0, float(abs(cash)), sum(abs(flow.amount) for flow in flows), sum(fill.fee for fill in fills))
        assert account.cash == pytest.approx(float(cash), abs=1e-8 * scale)
        inside = sum(flow.amount for flow in flows if flow.kind in ("conversion", "fee"))
        assert account.exchange == pytest.approx(inside, abs=1e-8 * scale)
        made = account.realized + account.unrealized - account.fees + account.flows + account.carry + inside
        assert account.equity - history.account.initial_cash == pytest.approx(made, abs=1e-8 * scale)
        rate = history.rates.prices[-1]
        if account.equity:
            worth += Fraction(account.equity) * Fraction(float(rate))
    total, scale = result.account, max(1.0, abs(result.account.equity), result.initial_cash)
    assert total.equity == pytest.approx(float(worth), rel=1e-9, abs=1e-8 * scale)
    assert result.curve.final == pytest.approx(float(worth), rel=1e-9, abs=1e-8 * scale)
    made = total.realized + total.unrealized - total.fees + total.flows + total.carry + total.exchange
    assert total.equity - result.initial_cash == pytest.approx(made, abs=1e-8 * scale)
    hold_fees_in_another_asset(result)


def hold_fees_in_another_asset(result):
    """What paid a fee left the asset that paid, and what it was worth came to where the fee was charged."""
    told = [flow for flow in result.flow_records if flow.kind == "fee"]
    paid = [fill for fill in result.fill_records if fill.fee_asset != fill.instrument.settle]
    assert len(told) == 2 * len(paid)
    for fill, out, came in zip(paid, told[::2], told[1::2], strict=True):
        assert (out.asset, out.amount, out.ts) == (fill.fee_asset, -fill.fee_paid, fill.ts)
        assert (came.asset, came.amount, came.ts) == (fill.instrument.settle, fill.fee, fill.ts)
    balance = {asset: one.account.cash for asset, one in result.history.assets.items()}
    assert all((cash >= -1e-9).all() for asset, cash in balance.items() if asset == "BNB")


def hold_sum(result):
    """A run of several accounts is their sum: nothing comes in between."""
    parts = result.accounts.values()
    for name in ("cash", "equity", "margin", "fees", "realized", "unrealized", "flows", "carry"):
        exact = float(sum(Fraction(getattr(part.account, name)) for part in parts))
        scale = sum(abs(getattr(part.account, name)) for part in parts)
        assert getattr(result.account, name) == pytest.approx(exact, rel=1e-12, abs=1e-12 * scale), name
    curves = np.array([part.curve.all_equity for part in parts])
    assert result.curve.all_equity == pytest.approx(curves.sum(axis=0), rel=1e-12, abs=1e-9)
    assert result.initial_cash == sum(part.initial_cash for part in parts)
    for records in ("order_records", "fill_records", "trade_records"):
        together = sorted((one for part in parts for one in getattr(part, records)), key=lambda one: one.id)
        assert [one.id for one in getattr(result, records)] == [one.id for one in together]
    assert sorted(map(repr, result.flow_records)) == sorted(repr(flow) for part in parts for flow in part.flow_records)
    sent = sum(Fraction(flow.amount) for flow in result.flow_records if flow.kind == "transfer")
    if not any(part.assets for part in parts):  # else deposits and transfers come out at the rates of their times
        assert sent == 0


@pytest.mark.parametrize("first", range(0, SCENARIOS, 30))
def test_every_run_adds_up(scenarios, first):
    fills = 0
    for seed in range(first, first + 30):
        scenario = scenarios["make"](2_000 + seed)
        result = scenarios["play"](scenario).result
        series = {bars.instrument.symbol: bars for bars in scenarios["bars"](scenario)}
        hold_orders(result)
        hold_market(scenario, result, series)
        hold_account(scenario, result)
        fills += len(result.fill_records)
    assert fills > 100
