"""Whose money a run trades with: one account, or one for each of several strategies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.errors import ParameterError, did_you_mean
from cambist.portfolio import AccountGroup, MarginPortfolio, Portfolio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.backtest.settings import BacktestSettings
    from cambist.model.instrument import Instrument

__all__ = ["MAIN", "open_books"]

#: The account of the strategies that have none of their own, in a run with several.
MAIN = "main"


def open_books(
    settings: BacktestSettings, instruments: Sequence[Instrument], strategies: Sequence[str]
) -> Portfolio | AccountGroup:
    """Return the account that the settings ask for, or all of them.

    Raises
    ------
    ParameterError
        For an account of a strategy that the run does not have.
    """
    if settings.accounts is None:
        return _books(settings, instruments, settings.cash)
    for name in settings.accounts:
        if name not in strategies:
            raise ParameterError(
                f"accounts names the strategy {name!r}.{did_you_mean(str(name), strategies)} A strategy that runs "
                "twice has its number behind its name."
            )
    owners = {strategy: strategy if strategy in settings.accounts else MAIN for strategy in strategies}
    if MAIN in settings.accounts and len(set(owners.values())) > 1:
        raise ParameterError(
            f"accounts names a strategy {MAIN!r}, as the others' account is called. Name it otherwise."
        )
    money = {**settings.accounts, **({} if MAIN in settings.accounts else {MAIN: settings.cash})}
    accounts = {name: _books(settings, instruments, money[name]) for name in dict.fromkeys(owners.values())}
    return AccountGroup(accounts, owners)


def _books(settings: BacktestSettings, instruments: Sequence[Instrument], cash: float) -> Portfolio:
    if settings.margin is None:
        return Portfolio(instruments, cash, settings.leverage)
    return MarginPortfolio(instruments, cash, settings.leverage, margin=settings.margin)
