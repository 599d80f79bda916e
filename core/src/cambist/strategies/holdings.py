"""The part of a strategy that looks at its account, and moves money."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from cambist.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist.model.portfolio import CashFlow, Position
    from cambist.strategies.desk import TradingDesk

__all__ = ["Holdings"]


class Holdings:
    """Money and shares of positions, as a strategy sees them; see `cambist.strategies.strategy.Strategy`."""

    _desk: TradingDesk

    @property
    def cash(self) -> float:
        """Cash of the account; that of all assets in the account's currency, where it holds several."""
        return self._desk.cash

    @property
    def balances(self) -> Mapping[str, float]:
        """Cash of the account by asset."""
        return self._desk.balances

    @property
    def equity(self) -> float:
        """Equity of the account at last prices."""
        return self._desk.equity

    @property
    def own_position(self) -> Position:
        """The share of `position` that belongs to this strategy: what its own fills come to in a shared account.

        The shares of all strategies add up to the position. What the venue closes by itself, and what a split does,
        is shared in proportion. Reckoned from the fills when asked for.
        """
        desk = self._desk
        return desk.own_positions[(desk.instrument or desk.current).symbol]

    @property
    def own_positions(self) -> Mapping[str, Position]:
        """The shares of `positions` that belong to this strategy, by symbol; see `own_position`."""
        return self._desk.own_positions

    def add_cash(self, amount: float, asset: str = "") -> CashFlow:
        """Bring money into the account, or take some out (negative); it moves when this callback is over.

        Parameters
        ----------
        asset
            Of an account that holds several. Default: its currency.

        Returns
        -------
        CashFlow
            Its `reason` says why it was refused, beginning with ``insufficient_funds`` where more was to be taken out
            than is free; ``""`` where it was not.

        Raises
        ------
        InputError
            For an amount that is 0 or not finite.
        """
        if amount == 0.0 or not -inf < amount < inf:
            raise InputError(f"{amount} cannot be added to the account; give an amount, negative to take out.")
        return self._desk.add_cash(float(amount), asset)

    def transfer(self, amount: float, *, to: str, asset: str = "") -> CashFlow:
        """Send money to another account of the run, when this callback is over; see ``accounts`` of `backtest`.

        Parameters
        ----------
        amount
            Above zero.
        to
            Name of the account: that of its strategy, or ``"main"``.
        asset
            Of accounts that hold several. Default: their currency.

        Returns
        -------
        CashFlow
            What leaves this account; its `reason` says why it was refused, as for `add_cash`.

        Raises
        ------
        InputError
            For an amount that is not above zero or not finite, or an account that is not another of the run.
        """
        if not 0.0 < amount < inf:
            raise InputError(f"{amount} cannot be sent to {to!r}; give an amount above zero.")
        return self._desk.transfer(float(amount), to, asset)

    def convert(self, amount: float, source: str, target: str) -> CashFlow:
        """Turn some of one asset of the account into another, at the rate of this moment; see ``cash`` of `backtest`.

        It happens when this callback is over, and costs the run's ``conversion_fee``.

        Parameters
        ----------
        amount
            Of `source`, above zero.
        source, target
            Names of assets: ``self.convert(500, "USDT", "BTC")``.

        Returns
        -------
        CashFlow
            What leaves `source`; its `reason` says why it was refused, as for `add_cash`.

        Raises
        ------
        InputError
            For an amount that is not above zero or not finite, or an asset that the account does not have.
        DataError
            If nobody knows the rate yet.
        """
        if not 0.0 < amount < inf:
            raise InputError(f"{amount} {source} cannot be converted; give an amount above zero.")
        return self._desk.convert(float(amount), source, target)

    def rate(self, source: str, target: str = "") -> float:
        """Return what a unit of one asset is worth in another, the account's currency by default.

        The last one known; NaN where there is none yet.
        """
        return self._desk.rate(source, target)
