"""Money on spot: what is free and what is locked, exact to the last digit."""

from __future__ import annotations

from decimal import Decimal

import msgspec

__all__ = ["Balance", "SpotLedger"]

_ZERO = Decimal(0)


class Balance(msgspec.Struct, eq=False):
    """An asset of a user."""

    free: Decimal = _ZERO
    locked: Decimal = _ZERO

    @property
    def total(self) -> Decimal:
        """Free and locked."""
        return self.free + self.locked


class SpotLedger:
    """Balances by owner and asset, and what locks them.

    A hold is an amount that some owner's orders lock, under a number: an order's id, or minus the id of a list whose
    orders share it.
    """

    def __init__(self) -> None:
        self._accounts: dict[str, dict[str, Balance]] = {}
        self._holds: dict[int, tuple[Balance, str, Decimal]] = {}

    def balance(self, owner: str, asset: str) -> Balance:
        """Return an owner's balance, made if there was none."""
        account = self._accounts.get(owner)
        if account is None:
            account = self._accounts[owner] = {}
        found = account.get(asset)
        if found is None:
            found = account[asset] = Balance()
        return found

    def balances(self, owner: str) -> dict[str, Balance]:
        """Return an owner's balances by asset; not to be written."""
        return self._accounts.get(owner, {})

    def owners(self) -> list[str]:
        """Return who has an account."""
        return list(self._accounts)

    def held(self, number: int) -> Decimal:
        """Return what a hold locks."""
        hold = self._holds.get(number)
        return _ZERO if hold is None else hold[2]

    def hold(self, number: int, owner: str, asset: str, amount: Decimal) -> None:
        """Let a hold lock `amount` from now on; 0 ends it."""
        before = self._holds.get(number)
        if before is None:
            if not amount:
                return
            balance, was = self.balance(owner, asset), _ZERO
        else:
            balance, _, was = before
        more = amount - was
        balance.free -= more
        balance.locked += more
        if amount:
            self._holds[number] = (balance, asset, amount)
        else:
            del self._holds[number]
