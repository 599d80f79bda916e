"""What may be asked of any account, answered by one that holds a single asset."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Self

from cambist.errors import InputError

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.portfolio import Position

__all__ = ["OneAsset"]


class OneAsset(ABC):
    """An account in one asset, which is its currency and what all its instruments settle in.

    Attributes
    ----------
    currency
        The asset.
    cash
        How much of it there is.
    """

    currency: str
    cash: float

    @property
    @abstractmethod
    def equity(self) -> float:
        """Cash plus the worth of everything held."""

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
