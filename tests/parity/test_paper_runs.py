"""The same bars through a backtest and a paper run: equal orders, equal fills, whatever the fill rules are."""

from __future__ import annotations

import pytest
from paper_runs import EverythingTrader, PaperRun, decided, traded, walk
from recorded_market import RecordedMarket

import cambist
from cambist.strategies.examples.sma_cross import SmaCross


def backtested(strategy, *blocks, **options):
    return cambist.backtest(strategy, list(blocks), events=True, **{"cash": 10_000.0, "fees": None, **options})


def assert_equal(paper: PaperRun, result) -> None:
    kernel = paper.play()
    assert result.fill_records
    assert decided(kernel.book.orders) == decided(result.order_records)
    assert traded(kernel.fills) == traded(result.fill_records)
    assert kernel.portfolio.cash == result.account.cash
    assert [word for word, _ in paper.alarms] == []


@pytest.mark.parametrize("forming", [False, True])
def test_a_crossing_of_averages_trades_as_in_the_backtest(tmp_path, forming):
    bars = walk(300, seed=3)
    market = RecordedMarket(bars, forming=forming)
    strategy = SmaCross(fast=5, slow=15)
    assert_equal(PaperRun(tmp_path / "journal", [strategy], market), backtested(strategy, bars))


RULES = {
    "plain": {},
    "slippage": {"slippage": 0.001},
    "pessimistic": {"path": "pessimistic", "fill_on_touch": False},
    "volume": {"volume_limit": 0.2},
    "latency": {"latency": "20s"},
    "rejection": {"rejection": 0.2},
    "fees": {"fees": {"use": "per-order", "minimum": 1.0}},
}


@pytest.mark.parametrize("forming", [False, True])
@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
def test_orders_of_every_kind_fare_as_in_the_backtest(tmp_path, rules, forming):
    bars = walk(150, seed=7)
    market = RecordedMarket(bars, forming=forming)
    assert_equal(
        PaperRun(tmp_path / "journal", [EverythingTrader()], market, **rules),
        backtested(EverythingTrader, bars, **rules),
    )


class Silent(EverythingTrader):
    """Answers no fill."""

    answers = 0.0


def test_orders_that_trade_at_the_close_fare_as_in_the_backtest(tmp_path):
    bars, rules = walk(150, seed=7), {"market_fill": "this_close"}
    paper = PaperRun(tmp_path / "journal", [Silent()], RecordedMarket(bars), **rules)
    assert_equal(paper, backtested(Silent, bars, **rules))


@pytest.mark.parametrize("strategy", [SmaCross(fast=3, slow=9), EverythingTrader()], ids=["crossing", "everything"])
def test_several_instruments_share_an_account_as_in_the_backtest(tmp_path, strategy):
    blocks = [walk(120, seed=11 + number, symbol=f"{base}/USDT") for number, base in enumerate(("BTC", "ETH", "SOL"))]
    market = RecordedMarket(*blocks)
    assert_equal(PaperRun(tmp_path / "journal", [strategy.fresh()], market), backtested(strategy, *blocks))
