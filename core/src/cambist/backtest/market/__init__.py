"""Backtests on trades and quotes."""

from cambist.backtest.market.run import run_market_backtest

__all__ = ["run_market_backtest"]
