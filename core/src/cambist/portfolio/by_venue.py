"""Accounts that a venue keeps: what it says was paid, earned and held decides, to the last digit.

The exact ledger of such an account is part of it. What strategies see of money, and of what is held of an instrument
paid in full, is read from there after each execution and each movement of money, so that no rounding of ours adds up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.model.legs import leg_key
from cambist.model.orders import ExactFill
from cambist.portfolio.exact import ExactLedger, exact, held_asset
from cambist.portfolio.hedge import HedgePortfolio
from cambist.portfolio.in_kind import InKindPortfolio
from cambist.portfolio.margin import MarginPortfolio
from cambist.portfolio.portfolio import Portfolio

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from cambist.model.instrument import Instrument
    from cambist.model.orders import Fill, Order
    from cambist.model.portfolio import CashFlow, Trade

__all__ = ["VenueBooks", "VenueHedge", "VenueInKind", "VenueMargin", "VenuePortfolio", "open_spot"]


class VenueBooks(Portfolio):
    """What accounts that a venue keeps have in common; goes before one of the portfolios.

    Attributes
    ----------
    exact
        What there is of each asset and contract. Of assets that pay fees and are no currency it is all that there is.
    opening, as_of
        Money at the start, in the currency, and when there was so much, by the venue's clock, ns, UTC.
    known
        References of what had moved money before.
    """

    exact: ExactLedger
    opening: Decimal
    as_of: int
    known: Sequence[str]

    def open_exactly(self, opening: Decimal, as_of: int = 0, known: Sequence[str] = ()) -> None:
        """Begin with that much money at that time, the references in `known` being part of it."""
        self.exact = ExactLedger()
        self.exact.move(self.currency, opening)
        self.opening, self.as_of, self.known = opening, as_of, known
        held = [held_asset(position.instrument) for position in self.positions.values() if position.instrument.is_cash]
        self._sole = {asset for asset in held if held.count(asset) == 1 and asset != self.currency}

    def apply(self, fill: Fill, order: Order, instant: int, key: str = "") -> Trade | None:
        """Book one fill in the venue's numbers; see `Portfolio.apply`."""
        trade = super().apply(fill, order, instant, key)
        instrument = fill.instrument
        told = fill.exact or ExactFill(exact(fill.size), exact(fill.price), exact(fill.fee_paid), fill.fee_asset)
        leg = key or self._leg(instrument, order)
        asset = told.fee_asset or instrument.settle
        self.exact.fill(instrument, fill.side, told.size, told.price, told.fee, asset, leg, told.profit)
        if instrument.is_cash:
            self._follow_holding(instrument)
        self._follow_cash()
        return trade

    def _leg(self, instrument: Instrument, order: Order) -> str:  # noqa: ARG002 - hedged accounts need it
        """Return the key of the position that an order trades."""
        return instrument.symbol

    def _follow_cash(self) -> None:
        self.cash = float(self.exact.balance(self.currency))
        if self.ledger.cash:
            self.ledger.cash[-1] = self.cash

    def _follow_holding(self, instrument: Instrument) -> None:
        """Hold of an instrument paid in full what the ledger says, where no other holds the same asset."""
        position = self.positions[instrument.symbol]
        asset = held_asset(instrument)
        if asset in self._sole and position.size != 0.0:
            there = float(self.exact.balance(asset))
            if there > 0.0:
                position.size = there
                self.ledger.held[instrument.symbol].sizes[-1] = there

    def move_cash(self, flow: CashFlow, instant: int) -> None:
        """Book money that moves without a fill, of whatever asset; see `Portfolio.move_cash`."""
        self.exact.move(flow.asset or self.currency, exact(flow.amount) if flow.exact is None else flow.exact)
        if flow.asset not in ("", self.currency):
            self.cash_flows.append(flow)  # no cash of strategies: what pays fees
            return
        super().move_cash(flow, instant)
        self._follow_cash()

    def leverage_limit(self, instrument: Instrument) -> float:
        """Return the largest leverage that may be set: no more than the run was allowed."""
        return min(self.leverage, 1.0 / instrument.margin_rate)

    def _claim(self, *_: Any) -> None:
        """Leave it to the venue to say what its insurance fund paid."""


class VenuePortfolio(VenueBooks):
    """`Portfolio`, kept by a venue."""


class VenueInKind(VenueBooks, InKindPortfolio):
    """`InKindPortfolio`, kept by a venue."""


class VenueMargin(VenueBooks, MarginPortfolio):
    """`MarginPortfolio`, kept by a venue, which liquidates by itself."""


class VenueHedge(VenueBooks, HedgePortfolio):
    """`HedgePortfolio`, kept by a venue, which liquidates by itself."""

    def _leg(self, instrument: Instrument, order: Order) -> str:
        return instrument.symbol if instrument.is_cash else leg_key(instrument.symbol, order.position_side)


def open_spot(instruments: Iterable[Instrument], cash: float) -> VenueInKind:
    """Return an account as a spot exchange keeps it that takes fees in kind, with some money.

    Raises
    ------
    InputError
        As of `Portfolio`.
    """
    books = VenueInKind(instruments, cash)
    books.open_exactly(exact(cash))
    return books
