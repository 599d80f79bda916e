"""The venue of a backtest, with what stands before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.simulation import BacktraderVenue, OrderGateway, SimulatedVenue, latency_model, rejection_model

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.backtest.driver import Driver
    from cambist.backtest.settings import BacktestSettings
    from cambist.model.instrument import Instrument
    from cambist.portfolio import Portfolio
    from cambist.simulation import VenueRules
    from cambist.simulation.bar_venue import BarVenue

__all__ = ["make_venue"]


def make_venue(
    settings: BacktestSettings,
    rules: VenueRules,
    instruments: Sequence[Instrument],
    portfolio: Portfolio,
    driver: Driver,
) -> BarVenue:
    """Return the venue that the settings ask for, alone where they ask for nothing before it."""

    def matching(clock: Callable[[], int]) -> BarVenue:
        kind = BacktraderVenue if settings.is_compatible else SimulatedVenue
        return kind(instruments, portfolio, driver.deliver, clock, rules)

    latency, rejection = latency_model(settings.latency), rejection_model(settings.rejection)
    if latency is None and rejection is None:
        return matching(driver.clock)
    return OrderGateway(matching, driver.clock, driver.deliver, latency, rejection, settings.seed)
