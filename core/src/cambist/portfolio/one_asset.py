"""What may be asked of any account, answered by one that holds a single asset."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Self

from cambist.errors import InputError
from cambist.model.portfolio import CashFlow

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.portfolio import Position

__all__ = ["FUNDS_TOLERANCE", "OneAsset"]

#: Money missing below this fraction of what is needed is float noise, not a shortfall.
FUNDS_TOLERANCE = 1e-9


class OneAsset(ABC):
    """An account in one asset, which is its currency and what all its instruments settle in.

    Attributes
    ----------
    currency
        The asset.
    cash
        How much of it there is.
    refused_flows
        Withdrawals that were refused.
    """

    currency: str
    cash: float
    refused_flows: list[CashFlow]

    @property
    @abstractmethod
    def equity(self) -> float:
        """Cash plus the worth of everything held."""

    @property
    @abstractmethod
    def free_cash(self) -> float:
        """Money that could be taken out."""

    @property
    def pockets(self) -> dict[str, Self]:
        """What holds each asset: itself, and one asset."""
        return {self.currency: self}

    @property
    def balances(self) -> dict[str, float]:
        """Cash by asset."""
        return {self.currency: self.cash}

    def rate(self, source: str, target: str = "") -> float:
        """Return what the asset is worth in itself; see `pocket` for another."""
        self.pocket(source)
        self.pocket(target)
        return 1.0

    def converted(self, amount: float, source: str, target: str) -> float:
        """Refuse to convert: there is nothing to convert to.

        Raises
        ------
        InputError
            Always.
        """
        self.pocket(source)
        self.pocket(target)
        raise InputError(f"{amount:,.8g} {source} cannot be converted to {target}: it is the same asset.")

    def pocket(self, asset: str = "") -> Self:
        """Return what holds an asset: this account, which holds no other.

        Raises
        ------
        InputError
            For another asset.
        """
        if asset and asset != self.currency:
            raise InputError(
                f"the account holds {self.currency} alone, and no {asset}. Give it some: "
                f"backtest(..., cash={{{self.currency!r}: ..., {asset!r}: ...}})."
            )
        return self

    def equity_in(self, instrument: Instrument) -> float:  # noqa: ARG002 - there is one asset
        """Return the equity in the asset in which `instrument` settles."""
        return self.equity

    def cash_in(self, instrument: Instrument) -> float:  # noqa: ARG002
        """Return the cash in the asset in which `instrument` settles."""
        return self.cash

    def mark(self, position: Position) -> float:
        """Return the price at which a position is valued."""
        return position.last_price

    def transfer(self, ts: int, amount: float, leaving: float = 0.0, kind: str = "") -> CashFlow:
        """Return a deposit or (negative) withdrawal, refused where less is free; nothing moves yet.

        Parameters
        ----------
        leaving
            What other withdrawals, not yet booked, will take.
        kind
            Of money that comes from or goes to another account or asset; see `CashFlow`.
        """
        kind = kind or ("deposit" if amount > 0.0 else "withdrawal")
        free = self.free_cash - leaving
        if amount >= 0.0 or -amount <= free + FUNDS_TOLERANCE * abs(free):
            return CashFlow(ts, kind, "", self.currency, amount)
        reason = (
            f"insufficient_funds: {-amount:,.8g} {self.currency} were to be taken out and {max(0.0, free):,.8g} are "
            "free; take less, or close something first."
        )
        refused = CashFlow(ts, kind, "", self.currency, amount, reason)
        self.refused_flows.append(refused)
        return refused
