"""Fees, profit, funding, margin and liquidation as venues document them, in exact arithmetic.

Every number is printed on the page named in the docstring, or computed here in fractions from the formula printed
there. Where a page rounds on the way, the test says so.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from venue_accounts import exactly, hedged, held, inverse, linear, tiers, trade

from cambist import Instrument, MakerTakerFee, MarginTier
from cambist.model import Liquidity, PositionSide
from cambist.model.portfolio import MarginChange
from cambist.portfolio import Funding, book_change, checked_change

MAKER, TAKER = Liquidity.MAKER, Liquidity.TAKER
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
#: 1 contract of Binance's BTCUSD is 100 USD.
COIN_M = {"multiplier": 100.0, "margin_rate": 0.008}


def prices(account, price):
    for symbol in account.positions:
        account.set_price_source(symbol, lambda: price)
    return account


# Fees.


def test_binance_fees_of_linear_contracts():
    """Binance, FAQ 360033544231 ("Binance Futures Fee Structure & Fee Calculations"): 1 BTC at 10,104 and 11,104."""
    fees = MakerTakerFee(0.0002, 0.0005)
    assert fees.fee(linear(), 1.0, 10_104.0, TAKER) == exactly(Fraction("5.052"))
    assert fees.fee(linear(), 1.0, 11_104.0, MAKER) == exactly(Fraction("2.2208"))


def test_binance_fees_of_inverse_contracts():
    """The same page: 10 contracts of 100 USD at 10,104 are 0.09897 BTC and cost 0.000049485 BTC.

    It rounds the value to five decimals before the fee (0.09897), and that of the sale at 11,104 to two (0.09, of which
    it charges 0.000018); we round nothing.
    """
    fees, contract = MakerTakerFee(0.0002, 0.0005), inverse(**COIN_M)
    value = Fraction(10 * 100, 10_104)
    assert contract.notional(10.0, 10_104.0) == exactly(value)
    assert round(float(value), 5) == 0.09897
    assert fees.fee(contract, 10.0, 10_104.0, TAKER) == exactly(value * Fraction("0.0005"))
    assert round(value, 5) * Fraction("0.0005") == Fraction("0.000049485")
    assert fees.fee(contract, 10.0, 11_104.0, MAKER) == exactly(Fraction(1_000, 11_104) * Fraction("0.0002"))
    assert round(Fraction(1_000, 11_104), 2) * Fraction("0.0002") == Fraction("0.000018")


def test_bybit_fees_of_inverse_contracts():
    """Bybit, "Perpetual & Futures Contract: Fees Explained": 10,000 BTCUSD at 8,000, taker 0.055 %, maker 0.02 %."""
    fees = MakerTakerFee(0.0002, 0.00055)
    assert fees.fee(inverse(), 10_000.0, 8_000.0, TAKER) == exactly(Fraction("0.0006875"))
    assert fees.fee(inverse(), 10_000.0, 8_000.0, MAKER) == exactly(Fraction("0.00025"))


# Profit.


def test_bybit_average_entry_price_of_inverse_contracts():
    """Bybit, "Profit & Loss calculations (Inverse Contracts)": 1,000 at 5,000 and 2,000 at 6,000 average 5,625."""
    account = held(inverse(), 1_000, 5_000.0, cash=10, leverage=10)
    trade(account, inverse(), 2_000, 6_000.0)
    assert account.positions["BTCUSD"].average_price == exactly(5_625)


@pytest.mark.parametrize("side", [1, -1])
def test_bybit_unrealized_profit_of_inverse_contracts(side):
    """The same page: 1,000 at 5,000 with the price at 5,500.

    1,000 x (1 / 5,000 - 1 / 5,500) is 1 / 55 = 0.018182; the page prints 0.01819, having rounded the bracket up.
    """
    account = prices(held(inverse(), side * 1_000, 5_000.0, cash=10, leverage=10), 5_500.0)
    assert account.account().unrealized == exactly(side * Fraction(1, 55))


def test_bybit_what_is_an_inverse_contract():
    """Bybit, "What is Inverse Contract?": 10,000 USD bought at 23,000 (0.435 BTC), closed at 25,000: 0.035 BTC."""
    account = held(inverse(), 10_000, 23_000.0, cash=1, leverage=5)
    trade(account, inverse(), -10_000, 25_000.0)
    made = Fraction(10_000, 23_000) - Fraction(10_000, 25_000)
    assert account.cash == exactly(1 + made)
    assert round(float(made), 3) == 0.035


@pytest.mark.parametrize(("size", "leave"), [(1.0, 5_500.0), (-1.0, 4_500.0)])
def test_binance_profit_of_linear_contracts(size, leave):
    """Binance, "A Beginner's Guide to Futures Trading": 1 BTC from 5,000 to 5,500, and short to 4,500: 500 each."""
    account = held(linear(), size, 5_000.0, cash=10_000, leverage=2)
    trade(account, linear(), -size, leave)
    assert account.cash == 10_500.0


def test_binance_profit_of_coin_margined_contracts():
    """The same page: size x multiplier x direction x (1 / entry price - 1 / mark price)."""
    account = prices(held(inverse(**COIN_M), -37, 41_000.0, cash=1, leverage=5), 39_500.0)
    assert account.account().unrealized == exactly(-37 * 100 * (Fraction(1, 41_000) - Fraction(1, 39_500)))


# Funding.


@pytest.mark.parametrize(
    ("contract", "value"),
    [
        (linear(multiplier=0.01, step_size="1"), Fraction("0.01") * 250 * 30_000),
        (inverse(multiplier=100.0), Fraction(100) * 250 / 30_000),
    ],
)
@pytest.mark.parametrize("side", [1, -1])
def test_funding_fees(contract, value, side):
    """Bitget, "Funding cost calculation": rate x position value, at the mark price.

    Linear: face value x contracts x mark; inverse: face value x contracts / mark. At a positive rate the longs pay the
    shorts (so Bybit, "Funding Fee Calculation"), whatever the leverage.
    """
    account = held(contract, side * 250, 29_000.0, cash=100_000, leverage=10)
    before = account.cash
    at, rates, marks = np.array([5]), np.array([0.0001]), np.array([30_000.0])
    Funding(account, contract.symbol, at, rates, marks, lambda _: 0.0).book(5, 0)
    assert Fraction(account.cash) - Fraction(before) == exactly(-side * value * Fraction("0.0001"))


def test_funding_of_both_sides_of_a_hedge():
    """As above: the long side pays, the short side receives, each on its own value."""
    account = hedged(linear(), (3.0, 29_000.0), (-1.0, 31_000.0), cash=100_000, leverage=10)
    for side in PositionSide:
        Funding(account, f"BTCUSDT {side}", np.array([5]), np.array([0.0001]), np.array([30_000.0]), float).book(5, 0)
    assert [(flow.position_side, flow.amount) for flow in account.cash_flows] == [
        ("long", exactly(-9)),
        ("short", exactly(3)),
    ]


# Maintenance margin and liquidation.


def test_binance_maintenance_amounts_of_coin_margined_contracts():
    """Binance, "How to Calculate Liquidation Price of COIN-M Futures Contracts" (ceccfcfb4e3a45e3b48b0b1bb1a8ae46).

    BTCUSD, level 5: 50 BTC * (5 % - 2.5 %) + 0.56 BTC = 1.81 BTC; at 300 BTC 12.5 % and 11.81 BTC. What lies below 50
    BTC the page does not show: its 0.56 are added here.
    """
    table = held(inverse(**COIN_M), 1, 50_000.0, cash=1, maintenance=coin_tiers()).tables["BTCUSD"]
    assert [round(Fraction(amount) + Fraction("0.56"), 8) for amount in table.amounts] == [
        Fraction("0.56"),
        Fraction("1.81"),
        Fraction("6.81"),
        Fraction("11.81"),
    ]
    assert table.margin(300.0) == exactly(300 * Fraction("0.125") - Fraction("11.25"))


def coin_tiers():
    steps = [(50.0, 0.025), (100.0, 0.05), (200.0, 0.1)]
    return [*(MarginTier(up_to=top, maintenance_rate=rate) for top, rate in steps), MarginTier(maintenance_rate=0.125)]


def test_binance_coin_margined_contracts_in_cross_margin():
    """The same page's formula for one contract, with one-way mode's variables:

    LP = size * (MMR + side) / ((WB + cum) / multiplier + side * size / entry price). With 100,000 contracts long at
    45,000 on 101 BTC, a developer's reading of it at dev.binance.vision (topic 6292) gives 33,578.859744834; the
    venue's calculator showed 33,599.40 that day, of which the page does not tell the reason.
    """
    account = held(inverse(**COIN_M), 100_000, 45_000.0, cash=101.56, leverage=5, maintenance=coin_tiers())
    rate, cum = Fraction("0.125"), Fraction("11.81")
    price = 100_000 * (rate + 1) / ((101 + cum) / 100 + Fraction(100_000, 45_000))
    assert account.liquidation_price("BTCUSD") == exactly(price)
    assert round(float(price), 6) == round(33_578.859744834, 6)


@pytest.mark.parametrize("side", [1, -1])
def test_binance_isolated_margin(side):
    """Binance, "How to Calculate Liquidation Price of USD-M Futures Contracts" (b3c689c1f50a44cabb3a84e663b81d93).

    In isolated margin WB is the isolated wallet, TMM = UPNL = 0: here 3 BTC at 20,000 and 25x, with 400 USDT added.
    """
    account = prices(
        held(linear(), side * 3.0, 20_000.0, cash=10_000, mode="isolated", leverage=25, maintenance=tiers()), 20_000.0
    )
    book_change(account, MarginChange(1, "BTCUSDT", amount=400.0))
    wallet, rate, cum = Fraction(60_000, 25) + 400, Fraction("0.005"), Fraction(50)  # 50,000 to 250,000 USDT
    price = (wallet + cum - side * 3 * 20_000) / (3 * rate - side * 3)
    assert account.liquidation_price("BTCUSDT") == exactly(price)


@pytest.mark.parametrize(
    ("long", "short", "wallet"),
    [((5.0, 20_000.0), (-2.0, 21_000.0), 20_000), ((2.0, 20_000.0), (-5.0, 19_000.0), 20_000)],
)
def test_binance_hedge_mode_in_cross_margin(long, short, wallet):
    """The same page: both sides of a contract share one liquidation price in cross margin.

    LP = (WB - TMM + UPNL + cumL + cumS - L * EPL + S * EPS) / (L * MMRL + S * MMRS - L + S), each side's rate and
    amount by its own value at LP.
    """
    account = hedged(linear(), long, short, cash=wallet, leverage=50, maintenance=tiers())
    falls, rises = account.levels("BTCUSDT")
    found = falls if long[0] > -short[0] else rises
    (size, entry), (sold, at) = long, short
    rate, cum = Fraction(0), Fraction(0)
    for one in (size, -sold):
        tier = next(row for row in ((50_000, "0.004", 0), (250_000, "0.005", 50)) if one * found <= row[0])
        rate, cum = rate + Fraction(one) * Fraction(tier[1]), cum + tier[2]
    expected = (wallet + cum - Fraction(size) * Fraction(entry) - Fraction(sold) * Fraction(at)) / (
        rate - Fraction(size) - Fraction(sold)
    )
    assert found == exactly(expected)


def test_a_pair_that_is_hedged_can_run_out_both_ways():
    """From the formula above: 1 BTC long, 0.99 short. Where the price rises, margin grows faster than profit."""
    account = hedged(linear(), (1.0, 20_000.0), (-0.99, 20_000.0), cash=400, leverage=100, maintenance=0.01)
    falls, rises = account.levels("BTCUSDT")
    assert falls != falls  # noqa: PLR0124 - NaN: 400 of cash outlast the loss of 0.01 BTC down to 0
    assert rises == exactly(
        (400 - Fraction(20_000) + Fraction("0.99") * 20_000)
        / (Fraction("1.99") * Fraction("0.01") - 1 + Fraction("0.99"))
    )
    assert rises > 20_000
    even = hedged(linear(), (1.0, 20_000.0), (-1.0, 19_000.0), cash=500, leverage=100, maintenance=0.01)
    assert even.levels("BTCUSDT")[0] == float("inf")  # 1,000 are lost for good: nothing is left at any price


def test_bybit_hedged_positions():
    """Bybit's announcement of "USDT contract's full position hedging margin", old logic, by its numbers.

    3,000 USDT at 100x: 2 BTC long at 10,000 (margin 200), at 9,000 4 BTC short (360): 2,000 lost, 440 are free. At
    8,000 long and short cancel out, and 2,440 are free. Free and margin make the equity: 1,000 and 3,000. Our margin
    is that of the mark price, so that of the long side is 180 and 160.
    """
    account = hedged(linear(), (2.0, 10_000.0), (-4.0, 9_000.0), cash=3_000, leverage=100)
    assert prices(account, 9_000.0).equity == 440 + 200 + 360
    assert account.free_cash == exactly(1_000 - 180 - 360)
    assert prices(account, 8_000.0).equity == 2_440 + 200 + 360
    assert account.free_cash == exactly(3_000 - 160 - 320)


def test_bybit_extra_margin_of_linear_contracts():
    """Bybit, "Liquidation Price (USDT Contract)": entry -+ (IM - MM) / size -+ extra margin / size."""
    terms = {"mode": "isolated", "leverage": 40, "maintenance": 0.005, "maintenance_on": "entry", "cash": 50_000}
    for side in (1, -1):
        account = prices(held(linear(), side * 2.0, 8_000.0, **terms), 8_000.0)
        book_change(account, MarginChange(1, "BTCUSDT", amount=300.0))
        distance = (Fraction(16_000, 40) - Fraction(16_000) * Fraction("0.005")) / 2 + Fraction(300, 2)
        assert account.liquidation_price("BTCUSDT") == exactly(8_000 - side * distance)


def test_bybit_extra_margin_of_inverse_contracts():
    """Bybit, "Liquidation Price Calculation under Isolated Mode (Unified Trading Account)" of May 2026, at no fee:

    size * (MMR + 1) / (size / entry + size / entry / leverage + extra margin + deduction).
    """
    terms = {"cash": 10, "mode": "isolated", "leverage": 10, "maintenance": 0.005}
    account = prices(held(inverse(), 60_000, 50_000.0, **terms), 50_000.0)
    book_change(account, MarginChange(1, "BTCUSD", amount=0.05))
    price = 60_000 * (Fraction("0.005") + 1) / (Fraction("1.2") + Fraction("0.12") + Fraction("0.05"))
    assert account.liquidation_price("BTCUSD") == exactly(price)


def test_bybit_inverse_contracts_in_cross_margin():
    """Bybit, "How to calculate Liquidation Price (Inverse Contract)": 0.5 BTC, 10,000 long at 8,000: 5,739.50.

    The page sets aside the fee for closing at the bankruptcy price, 0.075 % there, which it finds at 5,718.57: that of
    ours, 5,714.29, times 1.00075. Here the fee is taken off the wallet. The formula gives 5,739.08; the page shows it
    on the contract's tick of 0.5, rounded up, as the 7,735.37 of the next test are shown as 7,735.50.
    """
    plain = held(inverse(), 10_000, 8_000.0, cash=0.5, maintenance=0.005, maintenance_on="entry")
    bankrupt = Fraction(10_000) / (Fraction(10_000, 8_000) + Fraction("0.5"))
    assert plain.bankruptcy_price("BTCUSD") == exactly(bankrupt)
    with_fee = bankrupt * Fraction("1.00075")
    assert round(float(with_fee), 2) == 5_718.57
    fee = 10_000 * Fraction("0.00075") / with_fee
    terms = {"maintenance": 0.005, "maintenance_on": "entry"}
    account = held(inverse(), 10_000, 8_000.0, cash=float(Fraction("0.5") - fee), **terms)
    found = account.liquidation_price("BTCUSD")
    kept = Fraction("0.5") - Fraction(10_000, 8_000) * Fraction("0.005") - fee
    assert 10_000 * (Fraction(1, 8_000) - 1 / Fraction(found)) == exactly(-kept)
    grid = inverse(tick_size="0.5").price_grid
    assert grid is not None
    assert grid.above(found) == 5_739.50


def test_bybit_bankruptcy_price_of_inverse_contracts():
    """Bybit, "What is Auto-Deleveraging (ADL)?": long at 7,890.08, 50x: 7,890.08 * 50 / 51 = 7,735.372549."""
    account = held(inverse(), 5_000, 7_890.08, cash=1, mode="isolated", leverage=50)
    assert account.bankruptcy_price("BTCUSD") == exactly(Fraction("7890.08") * 50 / 51)
    assert round(account.bankruptcy_price("BTCUSD"), 6) == 7_735.372549


def test_okx_partial_liquidation():
    """OKX, "V. Forced Partial or Full Liquidation": 15,000 swaps in tier 3, tier 1 up to 2,000: 13,000 are closed.

    Tiers there are by contracts; here 100 USD each at 10,000 USD, 0.01 BTC a contract, with losses that tier 2 could
    not bear.
    """
    steps = [
        MarginTier(up_to=20.0, maintenance_rate=0.005),
        MarginTier(up_to=120.0, maintenance_rate=0.01),
        MarginTier(maintenance_rate=0.02),
    ]
    contract = inverse(multiplier=100.0, tick_size="0.1")
    account = held(contract, 15_000, 10_000.0, cash=0.5, leverage=100, maintenance=steps)
    assert account.size_to_close("BTCUSD", 10_000.0, 10_000.0) == 13_000


def test_bybit_partial_liquidation():
    """Bybit, "Liquidation Process (USDT Contract)": by the difference to the lower tier "which satisfies the margin".

    1,500,000 USDT in the third of three tiers; the second is enough, so that 500,000 at the mark price are closed.
    """
    steps = [
        MarginTier(up_to=500_000.0, maintenance_rate=0.005),
        MarginTier(up_to=1_000_000.0, maintenance_rate=0.01),
        MarginTier(maintenance_rate=0.03),
    ]
    account = held(linear(), 150.0, 10_200.0, cash=52_000, leverage=50, maintenance=steps)
    # At 10,000 22,000 are left; 1,500,000 need 22,500 and 1,000,000 need 7,500.
    assert account.left("BTCUSDT", 10_000.0) == exactly(22_000)
    assert account.tables["BTCUSDT"].margin(1_500_000.0) == exactly(22_500)
    assert account.size_to_close("BTCUSDT", 10_000.0, 10_000.0) == 50.0
    assert account.size_to_close("BTCUSDT", 10_000.0, 9_800.0) == 50.0  # 10,000 worse, and 12,000 are left
    assert account.size_to_close("BTCUSDT", 9_854.0, 9_854.0) == 0.0  # 100 left: no tier is low enough


@pytest.mark.parametrize("leverage", [10, 50])
def test_binance_initial_margin_follows_the_leverage(leverage):
    """Initial margin goes by the leverage that was chosen, maintenance margin by the value of the position alone."""
    account = prices(held(linear(), 0.5, 20_000.0, cash=10_000, leverage=20, maintenance=tiers()), 20_000.0)
    assert account.margin == exactly(500)
    maintenance = account.maintenance(account.positions["BTCUSDT"], 20_000.0)
    change = checked_change(account, MarginChange(1, "BTCUSDT", leverage=float(leverage)))
    assert change.reason == ""
    book_change(account, change)
    assert account.margin == exactly(Fraction(10_000, leverage))
    assert account.maintenance(account.positions["BTCUSDT"], 20_000.0) == maintenance == exactly(40)
    assert isinstance(account.positions["BTCUSDT"].instrument, Instrument)
