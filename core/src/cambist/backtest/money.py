"""The facts of a run for its measures: what trades and fills in several assets come to in one currency."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.analysis import Holding, Holdings, RunFacts
from cambist.backtest.marks import booked_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.backtest.history import RunHistory
    from cambist.backtest.result import Result
    from cambist.model import Fill, Trade
    from cambist.model.portfolio import StockSplit

__all__ = ["Money", "facts_of", "holdings_of"]


#: Later than any bar: the rate at the end of the run counts.
_LAST = 2**63 - 1


class Money:
    """Converts at the rates of a run.

    Parameters
    ----------
    history
        Of an account that holds several assets.
    splits
        Of the run.
    """

    def __init__(self, history: RunHistory, splits: Sequence[StockSplit]) -> None:
        self._history = history
        self._splits = splits

    def trades(self, trades: Sequence[Trade]) -> list[Trade]:
        """Return trades with gross and fees in the currency, at the rate of the close at which they ended."""
        closed = np.array([trade.closed_bar for trade in trades if not trade.is_open], np.int64)
        ends = iter(self._history.account.times_of(closed).tolist())
        at = [_LAST if trade.is_open else next(ends) for trade in trades]
        rates = self._rates([trade.instrument.settle for trade in trades], at)
        return [
            attrs.evolve(trade, gross=trade.gross * rate, fees=trade.fees * rate)
            for trade, rate in zip(trades, rates, strict=True)
        ]

    def traded(self, fills: Sequence[Fill], values: Sequence[float]) -> float:
        """Return the sum of what was traded, at the rate of the close of the bar of each fill."""
        at = booked_at(fills, self._splits, {}, self._history.account, ())  # several assets have no sides
        rates = self._rates([fill.instrument.settle for fill in fills], at)
        return sum(value * rate for value, rate in zip(values, rates, strict=True))

    def _rates(self, assets: Sequence[str], times: Sequence[int]) -> list[float]:
        found = []
        for asset, ts in zip(assets, times, strict=True):
            known = self._history.assets[asset].rates
            found.append(float(known.prices[np.searchsorted(known.times, ts, side="right") - 1]))
        return found


def facts_of(result: Result) -> RunFacts:
    """Return what the measures of a result are computed from, money in its currency."""
    trades, traded = _traded(result)
    curve, money = (result.curve, None) if result.fund is None else (result.fund, result.curve)
    return RunFacts(
        curve,
        trades,
        result.account.fees,
        traded,
        fills=result.fill_records,
        holdings=result.holdings,
        benchmark=result.benchmark,
        flows=result.account.flows,
        money=money,
    )


def _traded(result: Result) -> tuple[Sequence[Trade], float]:
    """Return the trades and the value of everything traded."""
    parts = [account.facts for account in result.accounts.values() if account.assets]
    if parts:  # each account at its own rates
        trades = sorted((trade for part in parts for trade in part.trades), key=lambda trade: trade.id)
        return trades, sum(part.notional_traded for part in parts)
    values = [abs(fill.instrument.notional(fill.size, fill.price)) for fill in result.fill_records]
    history = result.history
    if history is None or not history.assets:
        return result.trade_records, sum(values)
    money = Money(history, result.split_records)
    return money.trades(result.trade_records), money.traded(result.fill_records, values)


def holdings_of(result: Result) -> Holdings | None:
    """Return what was held when, at prices at which its value comes out in the currency; None without a history."""
    history = result.history
    if history is None:
        return None
    held = []
    for key, instrument in history.account.legs(result.instruments):
        steps, closes = history.account.positions[key], history.closes[instrument.symbol]
        prices = closes.prices
        if history.assets:
            rates = history.assets[instrument.settle].rates.at(closes.times)
            prices = prices / rates if instrument.is_inverse else prices * rates
        held.append(Holding(instrument, steps.times, steps.sizes, closes.times, prices, key))
    account = history.account
    return Holdings(tuple(held), account.times, account.cash, account.initial_cash)
