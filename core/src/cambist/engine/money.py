"""What a strategy may ask for money to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.errors import InputError, did_you_mean
from cambist.model.effects import MoveCash

if TYPE_CHECKING:
    from cambist.engine.step import Kernel
    from cambist.model.portfolio import CashFlow

__all__ = ["MoneyRequests"]


class MoneyRequests:
    """Takes requests for one account, refuses what is not free, and leaves effects.

    Parameters
    ----------
    kernel
        Whose clock and accounts to use.
    account
        Name of the account.
    """

    def __init__(self, kernel: Kernel, account: str) -> None:
        self._kernel = kernel
        self._account = account
        self._books = kernel.accounts[account]

    def take(self, amount: float, asset: str, kind: str) -> CashFlow:
        """Have money come into the account, or (negative) leave it, unless less than that is free."""
        kernel, pocket = self._kernel, self._books.pocket(asset)
        key = self._account, pocket.currency
        flow = pocket.transfer(kernel.clock.read(), amount, kernel.leaving[key], kind)
        if self._account:
            flow = attrs.evolve(flow, account=self._account)
        if not flow.reason:
            kernel.leaving[key] -= min(0.0, amount)
            kernel.effects.append(MoveCash(flow))
        return flow

    def transfer(self, amount: float, to: str, asset: str) -> CashFlow:
        """Have money go to another account of the run."""
        accounts = self._kernel.accounts
        if to not in accounts or to == self._account:
            others = [name for name in accounts if name != self._account]
            raise InputError(
                f"there is no other account {to!r} to send money to.{did_you_mean(to, others)}"
                if others
                else f"the run has one account. Give others: backtest(..., accounts={{{to!r}: 10_000}})."
            )
        accounts[to].pocket(asset)  # which refuses an asset that it has no use for
        flow = self.take(-amount, asset, "transfer")
        if not flow.reason:
            self._kernel.effects.append(MoveCash(attrs.evolve(flow, amount=amount, account=to)))
        return flow

    def convert(self, amount: float, source: str, target: str) -> CashFlow:
        """Have some of one asset become another, at the rate of this moment."""
        got = self._books.converted(amount, source, target)
        flow = self.take(-amount, source, "conversion")
        if not flow.reason:
            self._kernel.effects.append(MoveCash(attrs.evolve(flow, asset=target, amount=got)))
        return flow
