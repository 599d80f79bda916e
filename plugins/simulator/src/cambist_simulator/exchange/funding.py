"""What futures pay without a trade: funding, and delivery."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from cambist.model import OrderType, Side
from cambist_simulator.exchange import margin
from cambist_simulator.exchange.events import StatusChanged
from cambist_simulator.exchange.futures_ledger import INSURANCE
from cambist_simulator.exchange.listing import SymbolStatus
from cambist_simulator.exchange.market_book import MARKET
from cambist_simulator.exchange.orders import OrderTerms
from cambist_simulator.exchange.rounding import cut

if TYPE_CHECKING:
    from cambist_simulator.exchange.floor import Floor, Market
    from cambist_simulator.exchange.futures_accounts import FuturesAccounts
    from cambist_simulator.exchange.intake import Intake
    from cambist_simulator.exchange.matching import Matching

__all__ = ["Funding"]

_ZERO = Decimal(0)


class Funding:
    """Settles funding and delivery.

    Parameters
    ----------
    floor, accounts, intake, matching
        Where positions and orders are, and through whom the venue's own orders go.
    """

    def __init__(self, floor: Floor, accounts: FuturesAccounts, intake: Intake, matching: Matching) -> None:
        self._floor, self._accounts, self._intake, self._matching = floor, accounts, intake, matching

    def settle(self, market: Market, rate: Decimal) -> None:
        """Let longs pay shorts `rate` of their positions' value at the mark price, or the reverse where it is negative.

        The market itself, and the insurance fund, pay and receive as users do; rounding is the market's.
        """
        listing, ledger, mark = market.listing, self._accounts.ledger, market.reference
        if mark is None:
            return
        total = _ZERO
        for owner in list(ledger.holders.get(listing.symbol, ())):
            if owner == MARKET:
                continue
            isolated = ledger.setting(owner, listing.symbol).isolated
            paid = _ZERO
            for one in ledger.in_symbol(owner, listing.symbol):
                if not one.size:
                    continue
                amount = -cut(margin.value(listing, one.size, mark) * rate)
                paid += amount
                if isolated:
                    one.isolated_wallet += amount
            if not paid:
                continue
            total += paid
            ledger.pay(owner, listing.settle, paid)
            if owner != INSURANCE:
                self._accounts.tell(owner, listing.settle, paid, "funding")
                if isolated:
                    for one in ledger.in_symbol(owner, listing.symbol):
                        self._accounts.tell_position(owner, market, one.position_side, "funding")
        ledger.pay(MARKET, listing.settle, -total)

    def deliver(self, market: Market) -> None:
        """End a contract: its orders are canceled, its positions closed at the mark price, and it trades no more."""
        listing, ledger, floor = market.listing, self._accounts.ledger, self._floor
        for user in floor.users:
            for order in floor.store.open_of(user.id, listing.symbol):
                if order.open:
                    self._matching.cancel(order, "delivery")
        price = market.reference
        if price is not None:
            traded = []
            for owner in list(ledger.holders.get(listing.symbol, ())):
                for one in ledger.in_symbol(owner, listing.symbol):
                    if not one.size:
                        continue
                    traded.append(-one.size)
                    if owner in {MARKET, INSURANCE}:
                        self._accounts.book(owner, market, one.position_side, -one.size, price, _ZERO)
                        continue
                    terms = OrderTerms(
                        symbol=listing.symbol,
                        side=Side.SELL if one.size > 0 else Side.BUY,
                        type=OrderType.MARKET,
                        size=abs(one.size),
                        reduce_only=not one.position_side,
                        position_side=one.position_side,
                    )
                    self._intake.trade_privately(owner, market, terms, abs(one.size), price, "settlement")
            self._accounts.square(market, traded, price)
        market.listing = msgspec.structs.replace(listing, status=SymbolStatus.HALT)
        floor.emit(StatusChanged(at=floor.at, symbol=listing.symbol, status=str(SymbolStatus.HALT)))

    def advance(self, now: int) -> list[str]:
        """Do what is due; return the users who paid or received."""
        paid: dict[str, None] = {}
        for market in self._floor.markets.values():
            listing = market.listing
            while 0 < market.next_funding <= now:
                self.settle(market, market.funding_rate)
                paid |= dict.fromkeys(self._accounts.users_in(listing.symbol))
                market.next_funding = market.next_funding + listing.funding_interval if listing.funding_interval else 0
            if 0 < listing.delivers_at <= now and listing.status is not SymbolStatus.HALT:
                paid |= dict.fromkeys(self._accounts.users_in(listing.symbol))
                self.deliver(market)
        return list(paid)
