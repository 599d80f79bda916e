"""What users set on futures: leverage, margin type, position mode, and the margin of an isolated position."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from cambist_simulator.exchange import margin
from cambist_simulator.exchange.errors import RefusedError, Why
from cambist_simulator.exchange.events import ConfigChanged
from cambist_simulator.exchange.filters import MOST
from cambist_simulator.exchange.rounding import PAYMENT

if TYPE_CHECKING:
    from cambist_simulator.exchange.floor import Floor, Market
    from cambist_simulator.exchange.futures_accounts import FuturesAccounts

__all__ = ["FuturesSettings"]

_ZERO = Decimal(0)


class FuturesSettings:
    """Changes settings; each refuses what the positions and orders that are there forbid.

    Parameters
    ----------
    floor, accounts
        Where orders, positions and money are.
    """

    def __init__(self, floor: Floor, accounts: FuturesAccounts) -> None:
        self._floor, self._accounts, self._ledger = floor, accounts, accounts.ledger

    def set_leverage(self, user: str, market: Market, leverage: int) -> Decimal | None:
        """Set the leverage of a symbol; return the largest value that a position may have, None for any."""
        listing = market.listing
        highest = max((one.max_leverage for one in listing.brackets), default=125)
        if not 1 <= leverage <= highest:
            raise RefusedError(Why.LEVERAGE, leverage=leverage, highest=highest)
        most = margin.most_at_leverage(listing.brackets, leverage)
        setting = self._ledger.setting(user, listing.symbol)
        if most is not None and self._accounts.margin.more(user, market, _ZERO, _ZERO)[1] > most:
            raise RefusedError(Why.MAX_POSITION, most=most)
        if setting.isolated and leverage < setting.leverage and self._has_position(user, listing.symbol):
            raise RefusedError(Why.LEVERAGE, "an isolated position keeps its leverage or gets more", leverage=leverage)
        before, setting.leverage = setting.leverage, leverage
        if leverage < before and self._accounts.margin.available(user, listing.settle) < 0:
            setting.leverage = before
            raise RefusedError(Why.INSUFFICIENT_MARGIN, asset=listing.settle)
        self._floor.emit(ConfigChanged(at=self._floor.at, user=user, symbol=listing.symbol, leverage=leverage))
        return most

    def set_isolated(self, user: str, market: Market, *, isolated: bool) -> None:
        """Choose isolated or cross margin for a symbol."""
        symbol = market.listing.symbol
        setting = self._ledger.setting(user, symbol)
        if setting.isolated == isolated:
            raise RefusedError(Why.NOTHING_TO_CHANGE, symbol=symbol)
        if isolated and user in self._ledger.multi_assets:
            raise RefusedError(Why.UNSUPPORTED, "no isolated margin in multi-assets mode", field="isolated")
        self._refuse_busy(user, symbol)
        setting.isolated = isolated

    def set_hedged(self, user: str, *, hedged: bool) -> None:
        """Choose hedge mode (a long and a short position in a symbol) or one-way mode for all symbols."""
        if (user in self._ledger.hedged) == hedged:
            raise RefusedError(Why.NOTHING_TO_CHANGE, hedged=hedged)
        for symbol in self._floor.markets:
            self._refuse_busy(user, symbol)
        if hedged:
            self._ledger.hedged.add(user)
        else:
            self._ledger.hedged.discard(user)

    def set_multi_assets(self, user: str, *, multi_assets: bool) -> None:
        """Let all assets of an account back its positions, or each those that are settled in it."""
        if (user in self._ledger.multi_assets) == multi_assets:
            raise RefusedError(Why.NOTHING_TO_CHANGE, multi_assets=multi_assets)
        for symbol in self._floor.markets:
            if self._ledger.setting(user, symbol).isolated and self._has_position(user, symbol):
                raise RefusedError(Why.HAS_POSITION, symbol=symbol)
        if any(self._has_position(user, symbol) for symbol in self._floor.markets) and not multi_assets:
            raise RefusedError(Why.HAS_POSITION)
        if multi_assets:
            self._ledger.multi_assets.add(user)
            for symbol in self._floor.markets:
                self._ledger.setting(user, symbol).isolated = False
        else:
            self._ledger.multi_assets.discard(user)
        self._floor.emit(ConfigChanged(at=self._floor.at, user=user, multi_assets=multi_assets))

    def change_margin(self, user: str, market: Market, position_side: str, amount: Decimal) -> None:
        """Add to what backs an isolated position, or take from it where `amount` is negative."""
        listing = market.listing
        if not amount.is_finite() or not amount or abs(amount) >= MOST or amount % PAYMENT:
            raise RefusedError(Why.BAD_TERMS, "no amount", field="amount")
        holding = self._ledger.holding(user, listing.symbol, position_side)
        setting = self._ledger.setting(user, listing.symbol)
        if not setting.isolated or not holding.size:
            raise RefusedError(Why.UNSUPPORTED, "no isolated position", field="symbol")
        if amount > 0:
            if self._accounts.margin.wallet(user, listing.settle).available < amount:
                raise RefusedError(Why.INSUFFICIENT_MARGIN, asset=listing.settle, needed=amount)
        else:
            mark = market.reference
            worth = abs(margin.value(listing, holding.size, mark)) if mark is not None else abs(holding.cost)
            left = holding.isolated_wallet + amount + min(holding.unrealized(listing, mark), _ZERO)
            if left < worth / setting.leverage:
                raise RefusedError(Why.INSUFFICIENT_MARGIN, asset=listing.settle, needed=-amount)
        holding.isolated_wallet += amount
        self._accounts.tell(user, listing.settle, _ZERO, "margin")
        self._accounts.tell_position(user, market, position_side, "margin")

    def _has_position(self, user: str, symbol: str) -> bool:
        return any(one.size for one in self._ledger.in_symbol(user, symbol))

    def _refuse_busy(self, user: str, symbol: str) -> None:
        if self._has_position(user, symbol):
            raise RefusedError(Why.HAS_POSITION, symbol=symbol)
        if self._floor.store.open_in(user, symbol):
            raise RefusedError(Why.HAS_ORDERS, symbol=symbol)
