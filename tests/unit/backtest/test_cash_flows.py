"""Money that moves without a fill: funding, interest, deposits and withdrawals."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

import cambist
from cambist import Interest, Margin
from cambist.errors import DataError, InputError, ParameterError
from cambist.model.times import DAY_NS, HOUR_NS, MINUTE_NS, to_ns

START = to_ns("2024-03-01 00:00")
PERPETUAL = {"kind": "linear_perpetual", "quote": "USDT", "margin_rate": 0.01}
EIGHT = np.array([START + 8 * number * HOUR_NS for number in range(5)])


def hourly(bars, closes, **terms):
    return bars(closes, timeframe="1h", start=START, every=HOUR_NS, **terms)


def flows(result):
    return [(flow.kind, flow.ts, flow.symbol, flow.asset, pytest.approx(flow.amount)) for flow in result.flow_records]


def buy_at(bar, size):
    def on_bar(strategy, _):
        if strategy.bar == bar:
            strategy.buy(size) if size > 0 else strategy.sell(-size)

    return on_bar


# Funding.


@pytest.mark.parametrize(("size", "rate"), [(10, 0.0001), (-10, 0.0001), (10, -0.0003), (-10, -0.0003)])
def test_longs_pay_shorts_at_a_positive_rate(run, bars, size, rate):
    """Bybit, "Funding Fee Calculation": position value at the mark price times the rate, longs pay when positive."""
    prices = np.full(30, 8_000.0)
    result = run(
        hourly(bars, prices, **PERPETUAL),
        cash=100_000.0,
        funding={"ACME": (EIGHT, np.full(5, rate))},
        on_bar=buy_at(9, size),
    )
    paid = Fraction(size) * 8_000 * Fraction(str(rate))
    # At 08:00 nothing was held yet.
    assert flows(result) == [
        ("funding", int(EIGHT[number]), "ACME", "USDT", pytest.approx(float(-paid))) for number in (2, 3)
    ]
    assert result.account.carry == pytest.approx(float(-2 * paid))
    assert result.account.cash == pytest.approx(100_000 - float(2 * paid))
    # In the curve from the very close of the exchange on: 16:00 is the close of bar 15.
    assert result.equity["equity"].tolist()[14:16] == pytest.approx([100_000.0, 100_000 - float(paid)])


def test_what_is_held_at_the_exchange_pays_and_nothing_else(run, bars):
    """Bought at the close before 08:00, filled at that open; sold in the bar after: one exchange."""

    def on_bar(strategy, _):
        if strategy.bar == 6:
            strategy.buy(1)
        if strategy.bar == 8:
            strategy.close()

    funding = {"ACME": (EIGHT, np.full(5, 0.001))}
    result = run(hourly(bars, np.full(30, 100.0), **PERPETUAL), funding=funding, on_bar=on_bar)
    assert [flow.ts for flow in result.flow_records] == [EIGHT[1]]
    # A history that has the times some milliseconds late means the same.
    late = {"ACME": (EIGHT + 7_000_000, np.full(5, 0.001))}
    assert run(hourly(bars, np.full(30, 100.0), **PERPETUAL), funding=late, on_bar=on_bar).flow_records == (
        result.flow_records
    )
    # Filled at the open at 08:00: the exchange of that instant was before.
    late = run(hourly(bars, np.full(30, 100.0), **PERPETUAL), funding=funding, on_bar=buy_at(7, 1))
    assert [flow.ts for flow in late.flow_records] == EIGHT[2:4].tolist()


def test_funding_is_on_the_mark_price(run, bars):
    series = hourly(bars, np.full(30, 100.0), **PERPETUAL)
    marks = (series.close_times, np.linspace(100.0, 129.0, 30))
    rates = (EIGHT, np.full(5, 0.001))
    given = {"cash": 1_000.0, "margin": Margin(leverage=10), "marks": {"ACME": marks}, "on_bar": buy_at(0, 1)}
    by_series = run(series, funding={"ACME": rates}, **given)
    assert [flow.amount for flow in by_series.flow_records] == pytest.approx([-0.107, -0.115, -0.123])
    own = run(series, funding={"ACME": (*rates, np.full(5, 50.0))}, **given)
    assert [flow.amount for flow in own.flow_records] == pytest.approx([-0.05] * 3)


def test_inverse_contracts_pay_funding_in_coin(run, bars):
    """6,000 contracts of 1 USD at a mark price of 12,000 are 0.5 BTC; at 0.01 % they cost 0.00005 BTC."""
    terms = {"kind": "inverse_perpetual", "base": "BTC", "margin_rate": 0.1}
    result = run(
        hourly(bars, np.full(30, 12_000.0), **terms),
        cash=1.0,
        funding={"ACME": pd.Series([0.0001] * 5, pd.to_datetime(EIGHT, utc=True))},
        on_bar=buy_at(0, 6_000),
    )
    assert flows(result)[0] == ("funding", int(EIGHT[1]), "ACME", "BTC", pytest.approx(-0.00005))


def test_funding_that_an_isolated_position_must_pay_makes_it_weaker(run, bars):
    """All cash is margin; the funding comes out of it and brings the liquidation price nearer."""
    closes = [*[100.0] * 12, *[94.0] * 12]
    series = hourly(bars, closes, **PERPETUAL)
    margin = Margin(mode="isolated", leverage=10, maintenance=0.01)
    calm = run(series, cash=100.0, margin=margin, on_bar=buy_at(0, 10))
    funded = run(series, cash=100.0, margin=margin, funding={"ACME": (EIGHT, np.full(5, 0.05))}, on_bar=buy_at(0, 10))
    assert [trade.reason for trade in (*calm.trade_records, *funded.trade_records)] == ["", "liquidation"]
    # 50 of margin are left: 50 + 10 (P - 100) = 0.1 P.
    assert funded.trade_records[0].exit_price == pytest.approx(950 / 9.9)
    assert funded.account.equity == pytest.approx(0.1 * 950 / 9.9)


def test_missing_funding_is_an_error(run, bars):
    series = hourly(bars, np.full(100, 100.0), **PERPETUAL)
    four_days = START + np.arange(0, 101, 8) * HOUR_NS
    rates = np.full(len(four_days), 0.0001)
    for hole in ([0, 1, 2, 3, 4, 5, 6, 7], [*range(3, 9)], [*range(5, 13)]):
        kept = np.delete(np.arange(len(four_days)), hole)
        with pytest.raises(DataError, match=r"the funding of ACME: there is no rate between 2024-03-0"):
            run(series, funding={"ACME": (four_days[kept], rates[kept])})
    for funding, message in (
        ({}, "not for ACME"),
        ({"ACMD": (four_days, rates)}, "funding names 'ACMD'. Did you mean 'ACME'?"),
        ([1], "funding is a list"),
        ({"ACME": (four_days, rates * 10_000)}, "the rate is 1.0"),
        ({"ACME": (four_days[::-1], rates)}, "is not later than the row before"),
        ({"ACME": (four_days, rates[1:])}, "do not belong together"),
        ({"ACME": (four_days, rates + np.nan)}, "rate is nan"),
        ({"ACME": (["noon"], [0.1])}, "'noon' is no ISO 8601 time"),
        ({"ACME": pd.DataFrame({"x": [1.0]}, [START])}, "there is no column 'rate'; it has x"),
        ({"ACME": 5}, "int cannot be read"),
        ({"ACME": ([], [])}, "it is empty"),
        ({"ACME": ([1], ["a"])}, "cannot be read as numbers"),
    ):
        with pytest.raises(InputError) as caught:
            run(series, funding=funding)
        assert message in str(caught.value)
    with pytest.raises(ParameterError, match="which is a spot"):
        run(hourly(bars, [50.0, 50.0]), funding={"ACME": (four_days, rates)})
    assert not run(series, funding={"ACME": None}, on_bar=buy_at(0, 1)).flow_records


# Interest.


def test_a_short_position_pays_for_every_midnight(run, bars):
    """100 short at 50: 5,000 * 3.65 % / 365 a night."""
    daily = bars([50.0] * 6, timeframe="1d", start=START, every=DAY_NS)
    result = run(daily, interest=Interest(short=0.0365), on_bar=buy_at(0, -100))
    assert [flow.amount for flow in result.flow_records] == pytest.approx([-0.5] * 5)
    assert [flow.ts for flow in result.flow_records] == [START + day * DAY_NS for day in range(2, 7)]
    assert result.account.equity == pytest.approx(100_000 - 2.5)


def test_a_position_of_the_day_pays_nothing(run, bars):
    """Hourly bars, bought and sold within a day; and one held over one midnight, sold in the first bar after it."""
    series = hourly(bars, [50.0] * 60)

    def trading(opens, closes):
        def on_bar(strategy, _):
            if strategy.bar == opens:
                strategy.sell(100)
            if strategy.bar == closes:
                strategy.close()

        return on_bar

    terms = Interest(short=0.0365)
    assert not run(series, interest=terms, on_bar=trading(2, 20)).flow_records
    over = run(series, interest=terms, on_bar=trading(2, 23))
    assert [flow.amount for flow in over.flow_records] == pytest.approx([-0.5])
    # Sold at the open at midnight of the next day: held over the first midnight, and not charged for the second.
    assert over.flow_records[0].ts == START + DAY_NS


def test_a_session_that_opens_later_does_not_forget_the_night(run, bars):
    """Bars from 14:00 to 16:00 of two days; closed in the first minute of the second: the night was held."""
    first = START + 14 * HOUR_NS
    series = bars([50.0] * 240, start=first)
    ts = np.concatenate((first + np.arange(120) * MINUTE_NS, first + DAY_NS + np.arange(120) * MINUTE_NS))
    series = type(series)(series.instrument, "1m", ts, *series.columns.values())

    def on_bar(strategy, _):
        if strategy.bar == 5:
            strategy.sell(100)
        if strategy.bar == 119:
            strategy.close()
        if strategy.bar == 125:
            strategy.sell(1_000)  # opened after the night: pays nothing for it

    result = run(series, interest=Interest(short=0.0365), on_bar=on_bar)
    assert [(flow.ts, flow.amount) for flow in result.flow_records] == [(START + DAY_NS, pytest.approx(-0.5))]


def test_cash_earns_and_debt_costs(run, bars):
    daily = bars([50.0] * 4, timeframe="1d", start=START, every=DAY_NS)
    earned = run(daily, cash=36_500.0, interest=Interest(cash=0.01, debit=0.1))
    assert [flow.amount for flow in earned.flow_records] == pytest.approx([1.0, 36_501 / 36_500, *[1.0] * 2], rel=1e-4)
    assert earned.account.cash == pytest.approx(36_500 * (1 + 0.01 / 365) ** 4)
    owed = run(
        daily, cash=36_500.0, leverage=3.0, interest=Interest(debit=0.1, long=0.02), on_bar=buy_at(0, 1_460)
    )  # 73,000 bought, 36,500 of it borrowed
    by_symbol = {flow.symbol: flow.amount for flow in owed.flow_records[:2]}
    assert by_symbol == {"ACME": pytest.approx(-4.0), "": pytest.approx(-10.0)}


def test_interest_that_is_none():
    for terms, message in (
        ({"short": "2 %"}, "short is '2 %'"),
        ({"cash": 50.0}, "cash is 50.0"),
        ({"day_count": 0}, "day_count is 0"),
        ({"value": "marked"}, "value is 'marked'"),
    ):
        with pytest.raises(ParameterError) as caught:
            Interest(**terms)
        assert message in str(caught.value)


# Deposits and withdrawals.


def test_money_comes_and_goes_on_dates(run, bars):
    daily = bars([50.0] * 6, timeframe="1d", start=START, every=DAY_NS)
    result = run(
        daily,
        cash=1_000.0,
        cash_flows=[("2024-03-03", 500.0), ("2024-03-05 12:00", -200.0), ("2030-01-01", 1.0)],
        on_bar=buy_at(0, 10),
    )
    assert result.equity["equity"].tolist() == [1_000.0, 1_500.0, 1_500.0, 1_500.0, 1_300.0, 1_300.0]
    assert result.equity["nav"].tolist() == pytest.approx([100.0] * 6)
    assert result.account.flows == 300.0
    assert [(flow.kind, flow.amount) for flow in result.flow_records] == [("deposit", 500.0), ("withdrawal", -200.0)]
    assert (result.summary["total_return"], result.summary["net_profit"]) == (pytest.approx(0.0), pytest.approx(0.0))
    assert result.summary["final_equity"] == 1_300.0
    assert any("the run ended before a cash flow of 1 on 2030-01-01" in warning for warning in result.warnings)
    assert result.cash_flows["kind"].tolist() == ["deposit", "withdrawal"]


def test_more_than_is_free_stays(run, bars):
    """1,000 of cash, 800 of it in shares: 200 can go."""
    handles = []

    def on_bar(strategy, _):
        if strategy.bar == 0:
            strategy.buy(16)
        if strategy.bar == 2:
            handles.extend(strategy.add_cash(amount) for amount in (-150.0, -100.0, -50.0))
            assert strategy.cash == 200.0  # it moves when the callback is over

    result = run(bars([50.0] * 5), cash=1_000.0, on_bar=on_bar)
    assert [handle.reason.partition(":")[0] for handle in handles] == ["", "insufficient_funds", ""]
    assert "50 are free" in handles[1].reason
    assert (result.account.cash, result.account.flows) == (0.0, -200.0)
    assert "1 withdrawals were refused" in result.warnings[0]


def test_shares_are_bought_and_sold_at_what_they_are_worth(run, bars):
    """All is in shares of ACME: 100 -> 110 -> 99. Money that comes at 110 shares in the loss only."""
    result = run(
        bars([100.0, 100.0, 110.0, 99.0, 99.0]),
        cash=1_000.0,
        cash_flows=[(to_ns("2024-03-01 10:03"), 1_100.0)],
        on_bar=buy_at(0, 10),
    )
    assert result.equity["equity"].tolist() == pytest.approx([1_000.0, 1_000.0, 2_200.0, 2_090.0, 2_090.0])
    # The fund: 11 per share of the first 100; half of it then sits in cash.
    assert result.equity["nav"].tolist() == pytest.approx([100.0, 100.0, 110.0, 104.5, 104.5])
    assert result.equity["drawdown"].tolist()[-1] == pytest.approx(-0.05)
    assert result.summary["total_return"] == pytest.approx(0.045)
    assert result.summary["max_drawdown"] == pytest.approx(-0.05)
    assert result.summary["net_profit"] == pytest.approx(-10.0)


def test_an_account_may_be_emptied_and_filled_again(run, bars):
    def on_bar(strategy, _):
        if strategy.bar == 1:
            strategy.add_cash(-1_000.0)
        if strategy.bar == 3:
            strategy.add_cash(600.0)

    result = run(bars([50.0] * 6), cash=1_000.0, on_bar=on_bar)
    assert result.equity["equity"].tolist() == [1_000.0, 0.0, 0.0, 600.0, 600.0, 600.0]
    assert result.equity["nav"].tolist() == [100.0] * 6
    assert not any("ruined" in warning for warning in result.warnings)


def test_flows_that_make_no_sense(run, bars):
    series = bars([50.0] * 5)
    for given, message in (
        ([("2024-03-01", 0)], "the amount 0"),
        ([("2024-03-01", float("nan"))], "the amount nan"),
        ([5], "cash_flows holds 5"),
        (7, "cash_flows holds 7"),
        ([("soon", 1)], "'soon' is no ISO 8601 time"),
        ([("2024-02-28", 1)], "before the run begins"),
    ):
        with pytest.raises(InputError) as caught:
            run(series, cash_flows=given)
        assert message in str(caught.value)
    with pytest.raises(ParameterError, match=r"interest is 0\.05"):
        run(series, interest=0.05)
    with pytest.raises(Exception, match=r"0\.0 cannot be added to the account"):
        run(series, on_bar=lambda strategy, bar: strategy.add_cash(0.0))
    with pytest.raises(Exception, match="money cannot be moved after the last bar"):
        run(series, on_stop=lambda strategy: strategy.add_cash(5.0))


def test_the_flows_are_saved(run, bars, tmp_path):
    result = run(bars([50.0] * 5), on_bar=lambda strategy, bar: strategy.add_cash(10.0))
    result.save(tmp_path)
    assert (tmp_path / "cash_flows.csv").read_text().splitlines()[:2] == [
        "ts,kind,symbol,asset,amount,account,reason,position_side,reference,exact",
        "2024-03-01T10:01:00Z,deposit,,USD,10.0,,,,,",
    ]
    again = cambist.load_result(tmp_path)
    assert again.flow_records == result.flow_records
    assert again.equity.equals(result.equity)  # with the value of a share
    assert list(again.equity) == ["equity", "drawdown", "nav"]
    assert again.summary.to_dict() == result.summary.to_dict()
    run(bars([50.0] * 5)).save(tmp_path / "other")
    assert not (tmp_path / "other" / "cash_flows.csv").exists()
