"""What the venue says of money, margin and leverage, read from its own messages."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from payloads import MS, SYMBOLS, content, needs_payloads, raw

from cambist_binance.wire import futures, money


def income(**fields):
    """A row as the venue documents it."""
    row = {
        "symbol": "BTCUSDT",
        "incomeType": "FUNDING_FEE",
        "income": "-0.37500000",
        "asset": "USDT",
        "info": "",
        "time": 1570608000000,
        "tranId": 9689322392,
        "tradeId": "",
    }
    (one,) = money.decode_incomes(json.dumps([row | fields]))
    return money.cash_of(one, SYMBOLS)


def test_a_row_of_funding():
    told = income()
    assert (told.kind, told.asset, told.amount) == ("funding", "USDT", Decimal("-0.375"))
    assert (told.reference, told.ts, told.symbol) == ("FUNDING_FEE 9689322392", 1570608000000 * MS, "BTC/USDT")


@pytest.mark.parametrize(
    ("word", "amount", "kind"),
    [
        ("TRANSFER", "5", "deposit"),
        ("TRANSFER", "-5", "withdrawal"),
        ("COIN_SWAP_WITHDRAW", "-0.1", "withdrawal"),
        ("INSURANCE_CLEAR", "17.3", "insurance"),
        ("COMMISSION_REBATE", "0.1", "rebate"),
        ("WELCOME_BONUS", "10", "adjustment"),
        ("OF_NEXT_YEAR", "-3", "adjustment"),
    ],
)
def test_every_kind_of_row_has_a_word_of_ours(word, amount, kind):
    told = income(incomeType=word, income=amount, symbol="")
    assert (told.kind, told.amount, told.symbol, told.text) == (kind, Decimal(amount), "", word)


@pytest.mark.parametrize("word", ["REALIZED_PNL", "COMMISSION"])
def test_what_executions_tell_is_not_told_twice(word):
    assert income(incomeType=word) is None


def test_a_number_counts_within_its_kind():
    assert income().reference != income(incomeType="TRANSFER").reference


@needs_payloads
def test_a_balance_update_of_spot():
    event = content("spot_user_balance_update")["event"]
    told = money.balance_update_of(json.dumps(event, default=str))
    assert (told.kind, told.asset, told.amount) == ("deposit", event["a"], Decimal(event["d"]))
    assert told.ts == event["T"] * MS
    assert money.balance_update_of(json.dumps(event, default=str)) == told
    out = money.balance_update_of(json.dumps(event | {"d": "-1.00000000"}, default=str))
    assert (out.kind, out.reference == told.reference) == ("withdrawal", False)


@needs_payloads
def test_why_balances_have_changed():
    told = content("usdm_user_account_update")
    report = futures.account_update_of(raw("usdm_user_account_update"), SYMBOLS)
    assert report.reason == "order"
    assert [one.change for one in report.balances] == [Decimal(one["bc"]) for one in told["a"]["B"]]
    told["a"]["m"] = "FUNDING_FEE"
    assert futures.account_update_of(json.dumps(told, default=str).encode(), SYMBOLS).reason == "funding_fee"


@needs_payloads
@pytest.mark.parametrize("name", ["usdm_rest_user_trades", "coinm_rest_user_trades"])
def test_executions_tell_what_they_realized(name):
    reports = [futures.fill_of(one, SYMBOLS) for one in futures.decode_trades(raw(name))]
    assert [one.profit for one in reports] == [Decimal(one["realizedPnl"]) for one in content(name)]


@needs_payloads
def test_leverage_and_margin_by_symbol():
    settings = futures.decode_settings(raw("usdm_rest_symbol_config"))
    report = futures.account_of([], [], SYMBOLS, 5, settings=settings, hedged=True)
    assert report.hedged is True
    told = {one.symbol: (one.leverage, one.isolated) for one in report.margins}
    assert told == {"ETHUSDT": (20, False), "BTC/USDT": (25, True)}
    positions = futures.decode_positions(raw("coinm_rest_position_risk"))
    (margin,) = futures.account_of([], positions, SYMBOLS, 5, hedged=False).margins
    assert (margin.symbol, margin.leverage, margin.isolated) == ("BTCUSD_201225", 125, False)


@needs_payloads
def test_a_margin_call_and_another_leverage():
    call = money.margin_call_of(json.dumps(content("usdm_user_margin_call")["data"], default=str), SYMBOLS)
    assert call.word == "margin_call"
    assert "1.327 ETHUSDT at a mark price of 187.17127, which needs 1.614445" in call.text
    event = content("usdm_user_account_config")["data"]
    told = money.leverage_change_of(json.dumps(event, default=str), SYMBOLS)
    assert (told.word, told.text) == ("leverage_set", "BTC/USDT is traded at 25 times now.")
    assert money.leverage_change_of(json.dumps({"e": event["e"], "T": 1, "ai": {"j": True}}), SYMBOLS) is None
