"""Margin: how much money a position ties up, and at how little of it the venue closes the position."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import pairwise
from math import inf, isfinite, nan
from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import ParameterError, did_you_mean
from cambist.model.deleveraging import Deleveraging
from cambist.model.legs import SIDES, leg_key
from cambist.model.times import to_ns

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument

__all__ = ["MaintenanceTable", "Margin", "MarginMode", "MarginTier", "PositionMode"]


class MarginMode(StrEnum):
    """What stands behind a position."""

    #: Everything in the account.
    CROSS = "cross"
    #: What was set aside when it was opened, and no more.
    ISOLATED = "isolated"


class PositionMode(StrEnum):
    """How many positions an account has in one margined instrument."""

    #: One, long or short; what is bought and what is sold is netted.
    ONE_WAY = "one-way"
    #: Two, a long and a short one side by side; every order names the one it is for.
    HEDGE = "hedge"


@attrs.frozen(kw_only=True, slots=True)
class MarginTier:
    """A step of the table that venues publish by the value of a position.

    Attributes
    ----------
    up_to
        Largest notional of the step, in the settlement asset; infinite for the last one.
    maintenance_rate
        Share of the notional, within the step, that must stay: 0.004 is 0.4 %.
    max_leverage
        Largest leverage at which a position of that value may be opened, or None for the instrument's own limit.
    """

    up_to: float = inf
    maintenance_rate: float = attrs.field()
    max_leverage: float | None = None

    def __attrs_post_init__(self) -> None:
        if not self.up_to > 0.0:
            raise ParameterError(f"MarginTier: up_to is {self.up_to!r}; it is the largest notional, above 0.")
        if not 0.0 <= self.maintenance_rate < 1.0:
            raise ParameterError(
                f"MarginTier: maintenance_rate is {self.maintenance_rate!r}; it is a fraction: 0.004 is 0.4 %."
            )
        if self.max_leverage is not None and not self.max_leverage > 0.0:
            raise ParameterError(f"MarginTier: max_leverage is {self.max_leverage!r}; it is a number above 0.")


@attrs.frozen(slots=True)
class MaintenanceTable:
    """The tiers of one instrument, with the amount to take off in each.

    The maintenance margin of a notional ``N`` is ``N * rate - amount``: each tier's rate counts for the part of the
    notional inside it. The amount of tier ``n`` is ``floor_n * (rate_n - rate_(n-1)) + amount_(n-1)``, as in the
    "Maintenance Amount" of Binance and the "maintenance margin deduction" of Bybit.

    Attributes
    ----------
    tiers
        Ascending; above the last one its rate goes on.
    amounts
        To be taken off, one for each tier, in the settlement asset.
    extra_rate
        Reckoned on top of every tier's rate; see `Margin.closing_fee`.
    """

    tiers: tuple[MarginTier, ...]
    amounts: tuple[float, ...]
    extra_rate: float = 0.0

    @classmethod
    def of(cls, tiers: Sequence[MarginTier], symbol: str, extra_rate: float = 0.0) -> MaintenanceTable:
        """Make a table of ascending tiers.

        Raises
        ------
        ParameterError
            If there is no tier, or they do not ascend in notional and rate.
        """
        if not tiers:
            raise ParameterError(f"the tiers of {symbol} are empty; give at least one MarginTier.")
        amounts = [0.0]
        for lower, upper in pairwise(tiers):
            if not (upper.up_to > lower.up_to and upper.maintenance_rate >= lower.maintenance_rate):
                raise ParameterError(
                    f"the tiers of {symbol} do not ascend: after one up to {lower.up_to:g} at "
                    f"{lower.maintenance_rate:g} comes one up to {upper.up_to:g} at {upper.maintenance_rate:g}. "
                    "Sort them by notional."
                )
            amounts.append(lower.up_to * (upper.maintenance_rate - lower.maintenance_rate) + amounts[-1])
        return cls(tuple(tiers), tuple(amounts), extra_rate)

    def _at(self, notional: float) -> int:
        for number, tier in enumerate(self.tiers):
            if notional <= tier.up_to:
                return number
        return len(self.tiers) - 1

    def margin(self, notional: float) -> float:
        """Return the maintenance margin of a position of `notional` (positive), in the settlement asset."""
        at = self._at(notional)
        return notional * (self.tiers[at].maintenance_rate + self.extra_rate) - self.amounts[at]

    def lower_tiers(self, notional: float) -> list[float]:
        """Return the largest notionals of the tiers below that of `notional`, the nearest first."""
        return [tier.up_to for tier in reversed(self.tiers[: self._at(notional)])]

    def kinks(self) -> list[float]:
        """Return the notionals at which the rate changes, ascending."""
        return [tier.up_to for tier in self.tiers[:-1]]

    def line(self, notional: float) -> tuple[float, float]:
        """Return rate and amount just below `notional`: there ``N * rate - amount`` is the maintenance margin."""
        at = self._at(notional * (1.0 - 1e-12))
        return self.tiers[at].maintenance_rate + self.extra_rate, self.amounts[at]

    def max_leverage(self, notional: float) -> float | None:
        """Return the largest leverage for a position of `notional`, or None where its tier sets none."""
        return self.tiers[self._at(notional)].max_leverage

    def threshold(self, base: float, direction: float) -> float:
        """Return the notional at which ``base + direction * notional`` is just the maintenance margin of it.

        Parameters
        ----------
        base, direction
            What backs a position, as a line over its notional: the slope is 1 or -1.

        Returns
        -------
        float
            NaN where no positive notional does it.
        """
        floor = 0.0
        for tier, amount in zip(self.tiers, self.amounts, strict=True):
            found = (base + amount) / (tier.maintenance_rate + self.extra_rate - direction)
            if floor < found <= tier.up_to:
                return found
            floor = tier.up_to
        # Above the last tier its rate goes on; `found` and `floor` are of that tier.
        return found if isfinite(floor) and found > floor else nan


_Tiers = float | Sequence[MarginTier]


def _mode(value: MarginMode | str) -> MarginMode:
    try:
        return MarginMode(value)
    except ValueError:
        raise ParameterError(f"margin mode is {value!r}.{did_you_mean(str(value), list(MarginMode))}") from None


def _position_mode(value: PositionMode | str) -> PositionMode:
    try:
        return PositionMode(value)
    except ValueError:
        raise ParameterError(
            f"Margin: position_mode is {value!r}.{did_you_mean(str(value), list(PositionMode))}"
        ) from None


def _planned(given: Sequence[Any]) -> tuple[tuple[int, str, float], ...]:
    """Return planned changes of margin as ``(ns, position, amount)``, in the order of time."""
    read = []
    for change in given:
        if not isinstance(change, list | tuple) or len(change) != 3:
            raise ParameterError(f"Margin: a planned change is {change!r}; give (time, symbol, amount).")
        when, key, amount = change
        if isinstance(amount, bool) or not isinstance(amount, int | float) or not amount or not isfinite(amount):
            raise ParameterError(
                f"Margin: the planned amount for {key} at {when} is {amount!r}; it is money, negative to take out."
            )
        read.append((to_ns(when), str(key), float(amount)))
    return tuple(sorted(read, key=lambda one: one[0]))


@attrs.frozen(kw_only=True, eq=False)
class Margin:
    """How an account trades on margin: leverage, maintenance margin and liquidation.

    Attributes
    ----------
    mode
        ``"cross"`` or ``"isolated"``; see `MarginMode`. Instruments paid in full are always backed by the account.
    leverage
        Of the margined instruments: a number for all, or numbers by symbol. Default: each instrument's limit, which
        is ``1 / margin_rate``.
    maintenance
        Maintenance margin: a rate, a list of `MarginTier`, or either by symbol. Default: half of the instrument's
        `margin_rate`; 0 for instruments paid in full, which are then closed when nothing is left.
    maintenance_on
        ``"mark"``: of the notional at the mark price (Binance, OKX). ``"entry"``: of the notional at the average
        entry price (Bybit's formula for USDT contracts).
    closing_fee
        Rate of the fee for closing that is reckoned into maintenance margin, as OKX does; not charged by itself.
    liquidation_fee
        Share of the notional closed that a liquidation costs, as far as there is money left.
    liquidate_at
        ``"mark"``: a liquidation closes at the price that led to it, never beyond the bankruptcy price.
        ``"bankruptcy"``: at the price at which nothing is left.
    position_mode
        ``"one-way"`` or ``"hedge"``; see `PositionMode`. Instruments paid in full always have one position.
    liquidation
        ``"full"``: what is liquidated is closed whole. ``"by_tier"``: only as much as brings it into the nearest lower
        tier in which maintenance margin is there again; where none does, the whole of it is taken over at the
        bankruptcy price.
    deleveraging
        When positions in profit are closed to pay for others; see `Deleveraging`.
    planned
        Margin of isolated positions to be added or (negative) taken out: ``[("2024-03-01", "BTCUSDT", 500), ...]``. One
        side of a hedged position is named ``"BTCUSDT long"``.
    """

    mode: MarginMode = attrs.field(default=MarginMode.CROSS, converter=_mode)
    leverage: float | Mapping[str, float] | None = None
    maintenance: _Tiers | Mapping[str, _Tiers] | None = None
    maintenance_on: str = "mark"
    closing_fee: float = 0.0
    liquidation_fee: float = 0.0
    liquidate_at: str = "mark"
    position_mode: PositionMode = attrs.field(default=PositionMode.ONE_WAY, converter=_position_mode)
    liquidation: str = "full"
    deleveraging: Deleveraging | None = None
    planned: Sequence[tuple[int, str, float]] = attrs.field(default=(), converter=_planned)

    def __attrs_post_init__(self) -> None:
        for name, known in (
            ("maintenance_on", ("mark", "entry")),
            ("liquidate_at", ("mark", "bankruptcy")),
            ("liquidation", ("full", "by_tier")),
        ):
            value = getattr(self, name)
            if value not in known:
                raise ParameterError(f"Margin: {name} is {value!r}.{did_you_mean(str(value), known)}")
        for name in ("closing_fee", "liquidation_fee"):
            value = getattr(self, name)
            if not 0.0 <= value < 1.0:
                raise ParameterError(f"Margin: {name} is {value!r}; it is a fraction of the notional: 0.005 is 0.5 %.")
        if self.deleveraging is not None and not isinstance(self.deleveraging, Deleveraging):
            raise ParameterError(f"Margin: deleveraging is {self.deleveraging!r}; give Deleveraging(...) or None.")
        if self.planned and not self.is_isolated:
            raise ParameterError("Margin: planned adds margin to isolated positions; choose mode='isolated'.")

    @property
    def is_hedged(self) -> bool:
        """Whether margined instruments have a long and a short position side by side."""
        return self.position_mode is PositionMode.HEDGE

    @property
    def is_isolated(self) -> bool:
        """Whether each margined position stands for itself."""
        return self.mode is MarginMode.ISOLATED

    def leverage_of(self, instrument: Instrument) -> float:
        """Return the leverage at which `instrument` is traded.

        Raises
        ------
        ParameterError
            If it is above the instrument's limit: code ``leverage_above_limit``.
        """
        limit = 1.0 / instrument.margin_rate
        chosen = self.leverage
        if isinstance(chosen, Mapping):
            chosen = chosen.get(instrument.symbol)
        if chosen is None:
            return limit
        if isinstance(chosen, bool) or not 0.0 < chosen < inf:
            raise ParameterError(f"Margin: the leverage of {instrument.symbol} is {chosen!r}; it is a number above 0.")
        if chosen > limit * (1.0 + 1e-9):
            raise ParameterError(
                f"leverage_above_limit: {instrument.symbol} is to be traded at a leverage of {chosen:g}, and its "
                f"margin_rate of {instrument.margin_rate:g} allows {limit:g}. Choose less, or another margin_rate."
            )
        return float(chosen)

    def table_of(self, instrument: Instrument) -> MaintenanceTable:
        """Return the maintenance margin of `instrument` by the value of a position."""
        given = self.maintenance
        if isinstance(given, Mapping):
            given = given.get(instrument.symbol)
        elif instrument.is_cash:
            given = None  # a number for all is meant for those that post margin
        if given is None:
            given = 0.0 if instrument.is_cash else instrument.margin_rate / 2.0
        if not isinstance(given, Sequence):
            given = [MarginTier(maintenance_rate=given)]
        return MaintenanceTable.of(given, instrument.symbol, self.closing_fee)

    def check_symbols(self, symbols: Sequence[str]) -> None:
        """Refuse what names an instrument that the run does not have.

        Raises
        ------
        ParameterError
            For the first such symbol.
        """
        for name in ("leverage", "maintenance"):
            given = getattr(self, name)
            for symbol in given if isinstance(given, Mapping) else ():
                if symbol not in symbols:
                    raise ParameterError(f"Margin: {name} names {symbol!r}.{did_you_mean(symbol, symbols)}")
        for symbol in self.deleveraging.symbols if self.deleveraging is not None else ():
            if symbol not in symbols:
                raise ParameterError(f"Deleveraging: events name {symbol!r}.{did_you_mean(symbol, symbols)}")
        known = [leg_key(symbol, side) for symbol in symbols for side in SIDES] if self.is_hedged else list(symbols)
        for _, key, _ in self.planned:
            if key not in known:
                raise ParameterError(f"Margin: planned names {key!r}.{did_you_mean(key, known)}")
