"""Margin moved between an account and its isolated positions, and leverage changed, while positions are open."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import attrs

from cambist.model.legs import leg_key, side_in
from cambist.model.portfolio import MarginChange
from cambist.portfolio.entries import NEVER
from cambist.portfolio.portfolio import worth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.model.portfolio import Position
    from cambist.portfolio.margin import MarginPortfolio

__all__ = ["PlannedMargin", "book_change", "carry_out", "checked_change"]

#: Float noise, as a fraction of what is compared.
_NOISE = 1e-9


def checked_change(portfolio: MarginPortfolio, change: MarginChange) -> MarginChange:
    """Return a change with the reason for which the venue would refuse it now, ``""`` where it would not.

    Margin can be added as far as money is free, and taken out down to initial margin, unrealized losses taken
    off. A leverage must be one that instrument and tier allow, and the initial margin that it asks for must be there.
    Codes: ``margin_not_isolated``, ``no_position``,
    ``position_side_missing``, ``insufficient_funds``, ``margin_in_use``, ``leverage_above_limit``.
    """
    if change.leverage == change.leverage:
        return attrs.evolve(change, reason=_refused_leverage(portfolio, change.symbol, change.leverage))
    return attrs.evolve(change, reason=_refused_margin(portfolio, change))


def book_change(portfolio: MarginPortfolio, change: MarginChange) -> MarginChange:
    """Carry a change out, or note that it is refused by now; return it as it was noted."""
    return carry_out(portfolio, checked_change(portfolio, change))


def carry_out(portfolio: MarginPortfolio, change: MarginChange) -> MarginChange:
    """Book a change that was checked; one with a reason, or whose position has ended since, is noted as refused.

    It is returned as it was noted.
    """
    if not change.reason and change.amount and leg_key(change.symbol, change.position_side) not in portfolio.isolated:
        change = attrs.evolve(change, reason="no_position: it was closed meanwhile, and gave its margin back.")
    if change.reason:
        portfolio.refused_changes.append(change)
        return change
    portfolio.margin_changes.append(change)
    if change.leverage == change.leverage:
        for key, more in _margin_at(portfolio, change.symbol, change.leverage).items():
            portfolio.isolated[key] += more
        portfolio.set_leverage(change.symbol, change.leverage)
    else:
        portfolio.isolated[leg_key(change.symbol, change.position_side)] += change.amount
    return change


def _refused_margin(portfolio: MarginPortfolio, change: MarginChange) -> str:
    key, currency = leg_key(change.symbol, change.position_side), portfolio.currency
    instrument = portfolio.positions[change.symbol].instrument
    if instrument.is_cash or not portfolio.terms.is_isolated:
        return (
            f"margin_not_isolated: {change.symbol} is backed by the whole account; margin is added to isolated "
            "positions alone, with Margin(mode='isolated')."
        )
    position = portfolio.legs.get(key)
    if position is None:
        return (
            f"position_side_missing: there are a long and a short position in {change.symbol}, each with margin of its "
            "own; give position_side='long' or 'short'."
        )
    if position.size == 0.0:
        return f"no_position: nothing is held of {key}, and so there is no margin to change. Open a position first."
    if change.amount > 0.0:
        free = max(0.0, portfolio.free_cash)
        if change.amount <= free * (1.0 + _NOISE):
            return ""
        return (
            f"insufficient_funds: {change.amount:,.8g} {currency} were to be added to {key} and {free:,.8g} are free; "
            "add less, or close something first."
        )
    spare = max(0.0, _spare(portfolio, key, position))
    if -change.amount <= spare * (1.0 + _NOISE):
        return ""
    return (
        f"margin_in_use: {-change.amount:,.8g} {currency} were to be taken out of {key} and {spare:,.8g} are not "
        "needed as initial margin; take less."
    )


def _spare(portfolio: MarginPortfolio, key: str, position: Position) -> float:
    """Return what an isolated position does not need: margin above initial margin, after losses that are open."""
    mark = portfolio.mark(position)
    instrument = position.instrument
    initial = abs(instrument.notional(position.size, mark)) / portfolio.leverages[instrument.symbol]
    return portfolio.isolated[key] + min(0.0, worth(position, mark)) - initial


def _margin_at(portfolio: MarginPortfolio, symbol: str, leverage: float) -> dict[str, float]:
    """Return how much more margin each isolated position in `symbol` has at another leverage, by key."""
    changed = {}
    for key in portfolio.isolated:
        position = portfolio.legs[key]
        if position.instrument.symbol == symbol:
            entry = abs(position.instrument.notional(position.size, position.average_price))
            changed[key] = entry / leverage - entry / portfolio.leverages[symbol]
    return changed


def _refused_leverage(portfolio: MarginPortfolio, symbol: str, leverage: float) -> str:
    instrument = portfolio.positions[symbol].instrument
    if instrument.is_cash:
        return f"leverage_above_limit: {symbol} is paid in full; the account's leverage is set when the run is set up."
    allowed = portfolio.leverage_limit(instrument)
    held = [leg for leg in portfolio.legs.values() if leg.instrument is instrument and leg.size != 0.0]
    for leg in held:
        of_tier = portfolio.tables[symbol].max_leverage(abs(instrument.notional(leg.size, portfolio.mark(leg))))
        allowed = min(allowed, inf if of_tier is None else of_tier)
    if leverage > allowed * (1.0 + _NOISE):
        return (
            f"leverage_above_limit: {symbol} was to be traded at a leverage of {leverage:g} and {allowed:g} is allowed "
            "for what is held; choose less, or hold less."
        )
    if portfolio.terms.is_isolated:
        more = _margin_at(portfolio, symbol, leverage)
        missing = sum(more.values()) - portfolio.free_cash
        bare = [key for key, change in more.items() if change < 0.0 and _would_end(portfolio, key, change)]
        if bare:
            return (
                f"margin_in_use: at a leverage of {leverage:g} the margin of {bare[0]} would not keep it; choose less."
            )
    else:
        now = portfolio.leverages[symbol]
        needed = sum(abs(instrument.notional(leg.size, portfolio.mark(leg))) for leg in held)
        missing = needed / leverage - needed / now - portfolio.free_cash
    if held and missing > 0.0 and leverage < portfolio.leverages[symbol]:
        return (
            f"insufficient_funds: at a leverage of {leverage:g} the position in {symbol} needs {missing:,.8g} "
            f"{portfolio.currency} more than are free; choose more, or close some of it first."
        )
    return ""


def _would_end(portfolio: MarginPortfolio, key: str, change: float) -> bool:
    """Tell whether an isolated position would be liquidated with so much less margin."""
    position = portfolio.legs[key]
    mark = portfolio.mark(position)
    return portfolio.isolated[key] + change + worth(position, mark) <= portfolio.maintenance(position, mark)


class PlannedMargin:
    """Changes of margin on dates; one more source of entries, see `cambist.portfolio.entries`.

    Parameters
    ----------
    planned
        ``(time, position, amount)``, in the order of time.
    """

    def __init__(self, portfolio: MarginPortfolio, planned: Sequence[tuple[int, str, float]]) -> None:
        self._portfolio = portfolio
        self._planned = list(planned)
        self.next_due = NEVER

    def start(self, ts: int) -> None:
        """Leave out what was due before the run."""
        while self._planned and self._planned[0][0] < ts:
            self._planned.pop(0)
        self._go_on()

    def book(self, now: int, instant: int) -> None:  # noqa: ARG002 - margin moves within the account
        """Move margin, or refuse where it is not free."""
        _, key, amount = self._planned.pop(0)
        symbol = self._portfolio.legs[key].instrument.symbol
        book_change(self._portfolio, MarginChange(now, symbol, side_in(key, symbol), amount))
        self._go_on()

    def _go_on(self) -> None:
        self.next_due = self._planned[0][0] if self._planned else NEVER
