"""Cambist: one strategy, one risk gate, one order machine and one portfolio from backtest to live."""
