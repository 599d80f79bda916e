"""Liquidation prices, maintenance amounts and bankruptcy prices as the venues publish them.

Each expected number is either printed on the page named beside it, or computed here in exact fractions from the formula
printed there.
"""

from __future__ import annotations

from fractions import Fraction

import pytest
from venue_accounts import BTCUSDT_TIERS, exactly, held, inverse, linear, tiers

from cambist import Instrument, Margin, MarginTier
from cambist.errors import ParameterError
from cambist.portfolio import MarginPortfolio


def test_bybit_usdt_contracts_in_isolated_margin():
    """Bybit, "Liquidation Price (USDT Contract)", isolated margin: maintenance margin on the entry value."""
    terms = {"cash": 50_000, "mode": "isolated", "maintenance": 0.005, "maintenance_on": "entry"}
    assert held(linear(), 1.0, 20_000.0, leverage=50, **terms).liquidation_price("BTCUSDT") == exactly(19_700)
    assert held(linear(), 1.0, 10_000.0, leverage=50, **terms).liquidation_price("BTCUSDT") == exactly(9_850)
    assert held(linear(), -1.0, 8_000.0, leverage=40, **terms).liquidation_price("BTCUSDT") == exactly(8_160)


def test_bybit_bankruptcy_price():
    """Bybit, "Bankruptcy Price (USDT Contract)": entry price times (1 - initial margin rate)."""
    account = held(linear(), 1.0, 10_000.0, cash=50_000, mode="isolated", leverage=50)
    assert account.bankruptcy_price("BTCUSDT") == exactly(9_800)


def test_bybit_inverse_contracts_in_isolated_margin():
    """Bybit, "Liquidation Price Calculation under Isolated Mode (Unified Trading Account)": 60,000 USD at 50,000, 10x.

    Quantity / [position value +- (initial margin - maintenance margin)], with the values of the page's example.
    """
    terms = {"cash": 10, "mode": "isolated", "leverage": 10, "maintenance": 0.005, "maintenance_on": "entry"}
    value, initial, maintenance = Fraction("1.2"), Fraction("0.12"), Fraction("0.006")
    long = held(inverse(), 60_000, 50_000.0, **terms)
    assert long.isolated["BTCUSD"] == exactly(initial)
    assert long.liquidation_price("BTCUSD") == exactly(60_000 / (value + initial - maintenance))
    short = held(inverse(), -60_000, 50_000.0, **terms)
    assert short.liquidation_price("BTCUSD") == exactly(60_000 / (value - initial + maintenance))


def test_bybit_inverse_contracts_on_the_mark_price():
    """The same page as of May 2026, with tiers: size * (rate + 1) / (size/entry + size/entry/leverage + deduction)."""
    steps = [MarginTier(up_to=0.5, maintenance_rate=0.005), MarginTier(maintenance_rate=0.01)]
    deduction = Fraction("0.5") * Fraction("0.005")
    terms = {"cash": 10, "mode": "isolated", "leverage": 10, "maintenance": steps}
    value, rate = Fraction("1.2"), Fraction("0.01")
    long = held(inverse(), 60_000, 50_000.0, **terms).liquidation_price("BTCUSD")
    assert long == exactly(60_000 * (rate + 1) / (value + value / 10 + deduction))
    short = held(inverse(), -60_000, 50_000.0, **terms).liquidation_price("BTCUSD")
    assert short == exactly(60_000 * (1 - rate) / (value - value / 10 - deduction))


def test_binance_in_cross_margin():
    """Binance, FAQ 25edcd7fe0e544839d0847b8cbb2e400: a wallet of 500 USDT, long 1,000 USDT at 50,000: 25,100.40."""
    account = held(linear(), 0.02, 50_000.0, cash=500, leverage=20, maintenance=tiers())
    assert round(account.liquidation_price("BTCUSDT"), 2) == 25_100.40


@pytest.mark.parametrize("side", [1, -1])
def test_binance_with_other_contracts_and_tiers(side):
    """Binance, "How to Calculate Liquidation Price of USD-M Futures Contracts", one-way mode.

    LP = (WB - TMM + UPNL + cum - side * size * entry) / (size * MMR - side * size), in the tier that holds at LP.
    """
    other = linear("ETHUSDT")
    account = held(
        linear(),
        side * 40.0,
        20_000.0,
        cash=100_000,
        others=[(other, 10.0, 1_500.0)],
        leverage=20,
        maintenance={"BTCUSDT": tiers(), "ETHUSDT": 0.01},
    )
    account.set_price_source("ETHUSDT", lambda: 1_400.0)
    wallet, tmm, upnl = Fraction(100_000), Fraction(14_000) / 100, Fraction(-1_000)
    found = account.liquidation_price("BTCUSDT")
    rate, cum = next((Fraction(str(rate)), cum) for up_to, rate, _, cum in BTCUSDT_TIERS if 40 * found <= up_to)
    expected = (wallet - tmm + upnl + cum - side * 40 * 20_000) / (40 * rate - side * 40)
    assert found == exactly(expected)
    assert cum == 1_300


def test_binance_maintenance_amounts():
    """The "Maintenance Amount" column of Binance's table of March 2021, from the tiers alone."""
    table = Margin(maintenance=tiers()).table_of(linear())
    assert [round(amount, 6) for amount in table.amounts] == [amount for *_, amount in BTCUSDT_TIERS]
    assert table.margin(300_000) == exactly(300_000 * Fraction("0.01") - 1_300)
    assert [table.max_leverage(notional) for notional in (1, 50_000, 50_001, 10**9)] == [125, 125, 100, 1]


def test_okx_margin_ratio_is_one_at_the_liquidation_price():
    """OKX: (margin balance + PnL) / (face value * contracts * mark price * (tier rate + fee rate)), isolated, USDT.

    For coin margin the formula gives, for a long: (1 + rate) / (1 / entry + margin / face value / contracts).
    """
    contract = linear(multiplier=0.01, step_size="1", margin_rate=0.01)
    account = held(
        contract, 150, 30_000.0, cash=5_000, mode="isolated", leverage=10, maintenance=0.004, closing_fee=0.0005
    )
    price = Fraction(account.liquidation_price("BTCUSDT"))
    balance, value = Fraction(4_500), Fraction(150) / 100
    assert (balance + value * (price - 30_000)) / (value * price * Fraction("0.0045")) == exactly(1)
    coins = held(
        inverse(multiplier=100.0),
        50,
        25_000.0,
        cash=1,
        mode="isolated",
        leverage=5,
        maintenance=0.01,
        closing_fee=0.0005,
    )
    rate, margin = Fraction("0.0105"), Fraction(50 * 100) / 25_000 / 5
    assert coins.liquidation_price("BTCUSD") == exactly((1 + rate) / (Fraction(1, 25_000) + margin / 100 / 50))


def test_what_is_never_liquidated_has_no_price():
    assert held(linear(), 1.0, 100.0, cash=1_000, maintenance=0.005).liquidation_price("BTCUSDT") != 0.0
    spot = held(Instrument(symbol="ACME"), 5.0, 100.0, cash=1_000).liquidation_price("ACME")
    assert spot != spot  # noqa: PLR0124 - NaN
    short = held(Instrument(symbol="ACME"), -5.0, 100.0, cash=1_000)
    assert short.liquidation_price("ACME") == short.bankruptcy_price("ACME") == 300.0


def test_leverage_beyond_the_limit_and_other_nonsense():
    cases = [
        ({"leverage": 126}, "leverage_above_limit: BTCUSDT is to be traded at a leverage of 126"),
        ({"leverage": {"BTCUSD": 10}}, "leverage names 'BTCUSD'. Did you mean 'BTCUSDT'?"),
        ({"leverage": 0}, "the leverage of BTCUSDT is 0"),
        ({"mode": "crossed"}, "margin mode is 'crossed'. Did you mean 'cross'?"),
        ({"maintenance_on": "index"}, "maintenance_on is 'index'"),
        ({"maintenance": []}, "the tiers of BTCUSDT are empty"),
        ({"maintenance": 1.0}, "maintenance_rate is 1.0"),
        ({"maintenance": list(reversed(tiers()))}, "the tiers of BTCUSDT do not ascend"),
        ({"liquidation_fee": -0.1}, "liquidation_fee is -0.1"),
        ({"liquidate_at": "market"}, "liquidate_at is 'market'"),
        ({"liquidation": "partial"}, "liquidation is 'partial'. Known: by_tier, full."),
        ({"position_mode": "hedged"}, "position_mode is 'hedged'. Did you mean 'hedge'?"),
        ({"deleveraging": 0.1}, "deleveraging is 0.1; give Deleveraging(...)"),
        ({"planned": [("2024-03-01", "BTCUSDT", 5)]}, "choose mode='isolated'"),
        (
            {"planned": [("2024-03-01", "BTCUSD", 5)], "mode": "isolated"},
            "planned names 'BTCUSD'. Did you mean 'BTCUSDT'?",
        ),
        ({"planned": [("2024-03-01", "BTCUSDT", 0)], "mode": "isolated"}, "the planned amount for BTCUSDT at"),
        ({"planned": ["2024-03-01"], "mode": "isolated"}, "give (time, symbol, amount)"),
    ]
    for terms, message in cases:
        with pytest.raises(ParameterError) as caught:
            MarginPortfolio([linear()], 1_000.0, margin=Margin(**terms))
        assert message in str(caught.value)
    with pytest.raises(ParameterError, match="up_to is 0"):
        MarginTier(up_to=0, maintenance_rate=0.1)
    with pytest.raises(ParameterError, match="max_leverage is 0"):
        MarginTier(maintenance_rate=0.1, max_leverage=0)
