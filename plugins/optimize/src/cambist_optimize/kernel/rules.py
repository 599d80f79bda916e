"""Which runs the compiled loop can play, and their rules as numbers."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist import BacktestSettings
from cambist.simulation import (
    FixedSlippage,
    InstrumentFees,
    MakerTakerFee,
    MarketFill,
    NoFee,
    NoSlippage,
    PercentFee,
    PercentSlippage,
    intrabar_path,
)
from cambist_optimize.kernel import layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cambist import Bars, Instrument
    from cambist.simulation import VenueRules

__all__ = ["rules_of", "why_not"]

#: Settings that the loop follows, or that make no difference to trades and equity of a signal strategy.
_FOLLOWED = frozenset(
    {
        *("cash", "fees", "slippage", "market_fill", "path", "leverage", "sizer"),
        *("seed", "benchmark", "periods_per_year", "calendar"),
    }
)
_PATHS = ("nearer_first", "pessimistic")


def why_not(settings: BacktestSettings, bars: Bars) -> str:
    """Return why runs with these settings over these bars are for the event engine; ``""`` where they are not."""
    for field in attrs.fields(BacktestSettings):
        if field.name not in _FOLLOWED and getattr(settings, field.name) != field.default:
            return f"{field.name} is set"
    if not isinstance(settings.cash, int | float):
        return "cash is in several assets"
    if bars.instrument.is_inverse:
        return f"{bars.instrument.symbol} is inverse"
    if len(bars) > 1 and bool((bars.ts[1:] < bars.close_times[:-1]).any()):
        return "bars open before others close"
    if len(bars) and not bool(np.isfinite(bars.close).all()):
        return "a price is not finite"
    rules = settings.venue_rules()
    if rules.path not in [intrabar_path(name) for name in _PATHS]:
        return "the intrabar path is one of your own"
    if _fee_rates(rules, bars.instrument) is None:
        return f"fees are {type(rules.fees).__name__}"
    if _slippage(rules) is None:
        return f"slippage is {type(rules.slippage).__name__}"
    return ""


def rules_of(settings: BacktestSettings, instrument: Instrument) -> NDArray[np.float64]:
    """Return the rules of a run for which `why_not` says nothing; see `cambist_optimize.kernel.layout`."""
    venue = settings.venue_rules()
    rules = np.zeros(layout.RULES)
    rules[layout.THIS_CLOSE] = venue.market_fill is MarketFill.THIS_CLOSE
    rules[layout.PESSIMISTIC] = venue.path is intrabar_path("pessimistic")
    rules[layout.MAKER], rules[layout.TAKER] = _fee_rates(venue, instrument) or (0.0, 0.0)
    rules[layout.SLIP_RATE], rules[layout.SLIP_AMOUNT] = _slippage(venue) or (-1.0, -1.0)
    rules[layout.MULTIPLIER] = instrument.multiplier
    rules[layout.IS_CASH] = instrument.is_cash
    rules[layout.MARGIN_RATE] = 1.0 / settings.leverage if instrument.is_cash else instrument.margin_rate
    rules[layout.IS_SIMPLE] = instrument.is_cash and settings.leverage == 1.0
    tick, step = instrument.price_grid, instrument.size_grid
    if tick is not None:
        rules[layout.TICK_NUMERATOR], rules[layout.TICK_DENOMINATOR] = tick.numerator, tick.denominator
    rules[layout.STEP_NUMERATOR], rules[layout.STEP_DENOMINATOR] = step.numerator, step.denominator
    rules[layout.MIN_SIZE] = float(instrument.min_size or 0)
    rules[layout.MAX_SIZE] = inf if instrument.max_size is None else float(instrument.max_size)
    rules[layout.MIN_NOTIONAL] = float(instrument.min_notional or 0)
    return rules


def _fee_rates(venue: VenueRules, instrument: Instrument) -> tuple[float, float] | None:
    """Return the rates for an order that rested, and for one that took."""
    fees = venue.fees
    if type(fees) is NoFee:
        return 0.0, 0.0
    if type(fees) is PercentFee:
        return fees.rate, fees.rate
    if type(fees) is MakerTakerFee:
        return fees.maker, fees.taker
    if type(fees) is InstrumentFees:
        return instrument.maker_fee, instrument.taker_fee
    return None


def _slippage(venue: VenueRules) -> tuple[float, float] | None:
    """Return rate and amount, -1 for what there is none of."""
    slippage = venue.slippage
    if type(slippage) is NoSlippage:
        return -1.0, -1.0
    if type(slippage) is PercentSlippage:
        return slippage.rate, -1.0
    if type(slippage) is FixedSlippage:
        return -1.0, slippage.amount
    return None
