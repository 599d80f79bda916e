"""The venue of a backtest, with what stands before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.backtest.broker_venue import BrokerVenue
from cambist.errors import ParameterError
from cambist.simulation import (
    BarSlippageModel,
    FinerBars,
    Magnifier,
    OrderGateway,
    latency_model,
    rejection_model,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cambist.backtest.account import AccountSetup
    from cambist.backtest.driver import Driver
    from cambist.backtest.feeds import Feed
    from cambist.backtest.settings import BacktestSettings
    from cambist.ports.history import HistorySource
    from cambist.simulation import VenueRules
    from cambist.simulation.bar_venue import BarVenue

__all__ = ["finer_bars", "make_venue"]


def make_venue(
    account: AccountSetup,
    settings: BacktestSettings,
    rules: VenueRules,
    driver: Driver,
    finer: Sequence[FinerBars] = (),
) -> BarVenue:
    """Return the venue that the settings ask for, alone where they ask for nothing before it.

    Parameters
    ----------
    account
        Knows which venue matches its orders.
    finer
        Finer bars to match by.
    """
    if settings.broker is not None:
        if finer:
            raise ParameterError(
                "magnify is for the simulated venue, and another broker takes the orders. Leave it out."
            )
        return BrokerVenue(settings.broker, account, driver)

    def matching(clock: Callable[[], int]) -> BarVenue:
        return account.venue(driver, rules, clock)

    latency, rejection = latency_model(settings.latency), rejection_model(settings.rejection)
    if latency is None and rejection is None:
        venue = matching(driver.clock)
    else:
        venue = OrderGateway(matching, driver.clock, driver.deliver, latency, rejection, settings.seed)
    return Magnifier(venue, finer) if finer else venue


def finer_bars(
    feeds: Sequence[Feed], magnify: Mapping[int, HistorySource], settings: BacktestSettings, rules: VenueRules
) -> list[FinerBars]:
    """Read the finer bars of each series that has some, and check them against it.

    Raises
    ------
    DataError
        They do not cover the series, or do not add up to it.
    ParameterError
        The other settings leave no use for them.
    """
    if not magnify:
        return []
    if settings.is_compatible:
        raise ParameterError("magnify: backtrader's broker knows nothing like it. Leave magnify out, or rules.")
    if settings.blocks:
        raise ParameterError("magnify needs all bars in memory to check them. Leave blocks out, or magnify.")
    uses_volume = rules.volume_limit is not None or isinstance(rules.slippage, BarSlippageModel)
    return [
        FinerBars(feeds[number].block, source.load(), checks_volume=uses_volume) for number, source in magnify.items()
    ]
