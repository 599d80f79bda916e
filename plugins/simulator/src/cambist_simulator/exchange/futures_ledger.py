"""Money, positions and settings on futures, and what open orders would add to positions."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from cambist_simulator.exchange.positions import Holding

__all__ = ["FEES", "INSURANCE", "ROUNDING", "Exposure", "FuturesLedger", "Setting"]

#: Owners beside the users: of fees, of what rounding leaves over, and of the insurance fund.
FEES, ROUNDING, INSURANCE = "#fees", "#rounding", "#insurance"
_ZERO = Decimal(0)


class Setting(msgspec.Struct, eq=False):
    """What a user has set for a symbol."""

    leverage: int = 20
    isolated: bool = False


class Exposure(msgspec.Struct, eq=False):
    """What a user's open orders in a symbol would add to positions, values in the settlement asset.

    Attributes
    ----------
    bids, asks
        Of buy and sell orders that are not bound to reduce.
    """

    bids: Decimal = _ZERO
    asks: Decimal = _ZERO


class FuturesLedger:
    """Wallets by owner and asset, positions by owner, symbol and position side.

    The sum over all owners of wallet minus the cost of their positions, per asset, changes by deposits and withdrawals
    alone.
    """

    def __init__(self) -> None:
        self._wallets: dict[str, dict[str, Decimal]] = {}
        self._holdings: dict[str, dict[tuple[str, str], Holding]] = {}
        self._settings: dict[tuple[str, str], Setting] = {}
        self._exposures: dict[str, dict[str, Exposure]] = {}
        self._counted: dict[int, Decimal] = {}
        #: By symbol: who holds a position.
        self.holders: dict[str, dict[str, None]] = {}
        self.hedged: set[str] = set()
        self.multi_assets: set[str] = set()

    # Money.

    def wallet(self, owner: str, asset: str) -> Decimal:
        """Return a wallet's balance, that of isolated positions included."""
        return self._wallets.get(owner, {}).get(asset, _ZERO)

    def wallets(self, owner: str) -> dict[str, Decimal]:
        """Return an owner's wallets by asset; not to be written."""
        return self._wallets.get(owner, {})

    def pay(self, owner: str, asset: str, amount: Decimal) -> None:
        """Put money into a wallet, or take it out where `amount` is negative."""
        wallets = self._wallets.setdefault(owner, {})
        wallets[asset] = wallets.get(asset, _ZERO) + amount

    def owners(self) -> list[str]:
        """Return who has a wallet or a position."""
        return list({**self._wallets, **self._holdings})

    # Positions.

    def holding(self, owner: str, symbol: str, position_side: str) -> Holding:
        """Return a position, made if there was none."""
        holdings = self._holdings.setdefault(owner, {})
        key = (symbol, position_side)
        found = holdings.get(key)
        if found is None:
            found = holdings[key] = Holding(symbol=symbol, position_side=position_side)
        return found

    def holdings(self, owner: str) -> list[Holding]:
        """Return the positions of an owner, empty ones that he once had included."""
        return list(self._holdings.get(owner, {}).values())

    def in_symbol(self, owner: str, symbol: str) -> list[Holding]:
        """Return the positions of an owner in a symbol."""
        return [one for one in self._holdings.get(owner, {}).values() if one.symbol == symbol]

    def note_holder(self, owner: str, symbol: str) -> None:
        """Keep `holders` in step with an owner's positions."""
        holders = self.holders.setdefault(symbol, {})
        if any(one.size for one in self.in_symbol(owner, symbol)):
            holders[owner] = None
        else:
            holders.pop(owner, None)

    # Settings.

    def setting(self, owner: str, symbol: str) -> Setting:
        """Return what an owner has set for a symbol."""
        found = self._settings.get((owner, symbol))
        if found is None:
            found = self._settings[owner, symbol] = Setting()
        return found

    # Open orders.

    def exposure(self, owner: str, symbol: str) -> Exposure:
        """Return what an owner's orders in a symbol would add."""
        exposures = self._exposures.setdefault(owner, {})
        found = exposures.get(symbol)
        if found is None:
            found = exposures[symbol] = Exposure()
        return found

    def exposed(self, owner: str) -> list[str]:
        """Return the symbols in which an owner's orders would add something."""
        return [symbol for symbol, one in self._exposures.get(owner, {}).items() if one.bids or one.asks]

    def counted(self, order_id: int) -> Decimal:
        """Return what an order counts for in its exposure."""
        return self._counted.get(order_id, _ZERO)

    def count(self, order_id: int, owner: str, symbol: str, worth: Decimal, *, buys: bool) -> None:
        """Let an order count for `worth` in its exposure from now on."""
        more = worth - self._counted.get(order_id, _ZERO)
        exposure = self.exposure(owner, symbol)
        if buys:
            exposure.bids += more
        else:
            exposure.asks += more
        if worth:
            self._counted[order_id] = worth
        else:
            self._counted.pop(order_id, None)
