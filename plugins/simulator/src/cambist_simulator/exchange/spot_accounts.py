"""What orders do to money on spot: locks, payments and fees."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from cambist.model import OrderType, Side
from cambist.simulation import SelfTrade
from cambist_simulator.exchange.errors import RefusedError, Why
from cambist_simulator.exchange.events import BalanceChanged
from cambist_simulator.exchange.filters import MOST, refuse
from cambist_simulator.exchange.market_book import MARKET
from cambist_simulator.exchange.orders import Execution, Status
from cambist_simulator.exchange.rounding import cut
from cambist_simulator.exchange.spot_ledger import SpotLedger

if TYPE_CHECKING:
    from cambist_simulator.exchange.floor import Floor, Market
    from cambist_simulator.exchange.orders import VenueOrder

__all__ = ["FEES", "SpotAccounts"]

#: The owner of the fees that were paid.
FEES = "#fees"
_ZERO, _BUY = Decimal(0), Side.BUY


class SpotAccounts:
    """The accounts of a spot exchange.

    The market itself has an account too, under the name `MARKET`, and may owe; fees go to `FEES`. The sum of an asset
    over all accounts changes by deposits and withdrawals alone.

    Parameters
    ----------
    floor
        Where the orders are.
    """

    def __init__(self, floor: Floor) -> None:
        self.ledger = SpotLedger()
        self._floor = floor
        # User -> why, and by asset how much his sum changed.
        self._touched: dict[str, tuple[str, dict[str, Decimal]]] = {}

    # Before it works.

    def prepare(self, order: VenueOrder, market: Market) -> None:
        """Refuse what spot does not have; find the size of an order for quote money."""
        terms = order.terms
        if terms.reduce_only or terms.close_position or terms.position_side:
            raise RefusedError(Why.UNSUPPORTED, "there are no positions on spot", field="reduce_only")
        if terms.quote_size is not None:
            if terms.type is not OrderType.MARKET:
                raise RefusedError(Why.BAD_TERMS, "only a market order has a quote size", field="quote_size")
            order.size = _size_for(order, market, terms.quote_size)
        most = market.listing.max_position
        if most is not None and terms.side is _BUY:
            base = market.listing.base
            coming = sum(
                (one.left for one in self._floor.store.open_in(order.user, terms.symbol) if one.terms.side is _BUY),
                _ZERO,
            )
            if self.ledger.balance(order.user, base).total + coming + order.size > most:
                refuse("max_position", "max", order.size)

    def admit(self, order: VenueOrder, market: Market) -> int | None:
        """Lock what it needs; see `Accounts.admit`."""
        asset, amount, cap = self._need(order, market)
        number = _hold_of(order)
        held = self.ledger.held(number)
        if amount > held:
            if self.ledger.balance(order.user, asset).free < amount - held:
                raise RefusedError(Why.INSUFFICIENT_FUNDS, asset=asset, needed=amount)
            self.ledger.hold(number, order.user, asset, amount)
            self._touch(order.user, "order", asset)
        return cap

    def check(self, order: VenueOrder, market: Market) -> None:
        """See `Accounts.check`."""
        asset, amount, _ = self._need(order, market)
        if self.ledger.balance(order.user, asset).free < amount:
            raise RefusedError(Why.INSUFFICIENT_FUNDS, asset=asset, needed=amount)

    def readmit(self, order: VenueOrder, market: Market, size: Decimal, price: Decimal | None) -> None:
        """See `Accounts.readmit`."""
        left = size - order.filled - order.prevented
        buys = order.terms.side is _BUY
        asset = market.listing.quote if buys else market.listing.base
        amount = left * price if buys and price is not None else left
        held = self.ledger.held(_hold_of(order))
        if self.ledger.balance(order.user, asset).free + held < amount:
            raise RefusedError(Why.INSUFFICIENT_FUNDS, asset=asset, needed=amount)

    def _need(self, order: VenueOrder, market: Market) -> tuple[str, Decimal, int | None]:
        """Return (asset, amount, worst price in ticks) that an order locks."""
        if order.terms.side is not _BUY:
            return market.listing.base, order.left, None
        quote = market.listing.quote
        if order.price is not None:
            return quote, order.price * order.left, None
        if order.triggered or order.terms.type is OrderType.MARKET:
            cost, worst = _cost(order, market)
            return quote, cost, worst
        price = order.stop_price or market.book.last_price or _ZERO
        return quote, price * order.left, None

    # While it works.

    def relock(self, order: VenueOrder) -> None:
        """Lock what the orders of its hold still need, at most."""
        number, ledger = _hold_of(order), self.ledger
        held = ledger.held(number)
        if not held:
            return
        listing = self._floor.markets[order.terms.symbol].listing
        asset = listing.quote if order.terms.side is _BUY else listing.base
        if number > 0:
            need = self._rest(order, held)
        else:
            store = self._floor.store
            legs = [store.get(one) for one in self._floor.lists[order.list_id].order_ids]
            need = max(
                (self._rest(one, held) for one in legs if one is not None and one.shares_hold),
                default=_ZERO,
            )
        if need != held:
            ledger.hold(number, order.user, asset, need)
            self._touch(order.user, "order", asset)

    def _rest(self, order: VenueOrder, held: Decimal) -> Decimal:
        """Return what an order still locks."""
        if not order.open or order.status is Status.PENDING:
            return _ZERO
        if order.terms.side is not _BUY:
            return order.left
        if order.price is not None:
            return order.price * order.left
        if order.triggered or order.terms.type is OrderType.MARKET or order.stop_price is None:
            return held
        return order.stop_price * order.left

    def trade(
        self, order: VenueOrder, market: Market, size: Decimal, price: Decimal, trade_id: int, *, maker: bool
    ) -> Execution:
        """Move money of a user; see `Accounts.trade`."""
        listing, user, ledger = market.listing, order.user, self.ledger
        quote = price * size
        number = _hold_of(order)
        base_balance, quote_balance = ledger.balance(user, listing.base), ledger.balance(user, listing.quote)
        buys = order.terms.side is _BUY
        if buys:
            held = ledger.held(number)
            left = held - quote if order.price is None else order.price * (order.left - size)
            ledger.hold(number, user, listing.quote, max(left, _ZERO))
            quote_balance.free -= quote
            base_balance.free += size
        else:
            ledger.hold(number, user, listing.base, order.left - size)
            base_balance.free -= size
            quote_balance.free += quote
        self._touch(user, "trade", listing.base, size if buys else -size)
        self._touch(user, "trade", listing.quote, -quote if buys else quote)
        fee, fee_asset = self._charge(order, market, size if buys else quote, quote, maker=maker)
        return Execution(
            trade_id=trade_id,
            order_id=order.id,
            symbol=listing.symbol,
            side=order.terms.side,
            size=size,
            price=price,
            quote=quote,
            fee=fee,
            fee_asset=fee_asset,
            maker=maker,
            at=self._floor.at,
        )

    def trade_market(self, market: Market, buys: bool, size: Decimal, price: Decimal) -> None:
        """Move money of the market; see `Accounts.trade_market`."""
        quote, listing = price * size, market.listing
        sign = 1 if buys else -1
        self.ledger.balance(MARKET, listing.base).free += sign * size
        self.ledger.balance(MARKET, listing.quote).free -= sign * quote

    def _charge(
        self, order: VenueOrder, market: Market, received: Decimal, quote: Decimal, *, maker: bool
    ) -> tuple[Decimal, str]:
        """Take the fee: of what was received, or of the user's fee asset where he has enough of it."""
        listing = market.listing
        user = self._floor.users.get(order.user)
        if maker:
            rate = listing.maker_fee if user.maker_fee is None else user.maker_fee
        else:
            rate = listing.taker_fee if user.taker_fee is None else user.taker_fee
        asset = listing.base if order.terms.side is _BUY else listing.quote
        if not rate:
            return _ZERO, asset
        fee = _ZERO
        if user.fee_asset:
            fee = self._in_fee_asset(listing.quote, user.fee_asset, quote * rate * (1 - user.fee_discount))
            if fee > 0 and self.ledger.balance(order.user, user.fee_asset).free >= fee:
                asset = user.fee_asset
            else:
                fee = _ZERO
        fee = fee or cut(received * rate)
        if fee:
            self.ledger.balance(order.user, asset).free -= fee
            self.ledger.balance(FEES, asset).free += fee
            self._touch(order.user, "trade", asset, -fee)
        return fee, asset

    def _in_fee_asset(self, quote: str, asset: str, amount: Decimal) -> Decimal:
        """Return quote money as the fee asset at its last price; 0 where it has none."""
        if asset == quote:
            return cut(amount)
        for market in self._floor.markets.values():
            if market.listing.base == asset and market.listing.quote == quote and market.book.last_price:
                return cut(amount / market.book.last_price)
        return _ZERO

    # From outside.

    def move(self, user: str, asset: str, amount: Decimal, reason: str) -> None:
        """Put money in, or take it out where `amount` is negative.

        Raises
        ------
        RefusedError
            Where so much is not free.
        """
        held = self.ledger.balances(user).get(asset)
        if amount < 0 and (held is None or held.free + amount < 0):
            raise RefusedError(Why.INSUFFICIENT_FUNDS, asset=asset, needed=-amount)
        self.ledger.balance(user, asset).free += amount
        self._touch(user, reason, asset, amount)

    # What to tell.

    def _touch(self, user: str, reason: str, asset: str, change: Decimal = _ZERO) -> None:
        touched = self._touched.get(user)
        if touched is None:
            self._touched[user] = (reason, {asset: change})
            return
        if reason != touched[0] and reason != "order":
            touched = self._touched[user] = (reason, touched[1])
        touched[1][asset] = touched[1].get(asset, _ZERO) + change

    def closable(self, order: VenueOrder) -> Decimal:  # noqa: ARG002 - futures need it
        """Return zero: there are no positions on spot."""
        return _ZERO

    def changed(self, market: Market) -> None:
        """Do nothing: there are no positions on spot."""

    def report(self) -> None:
        """See `Accounts.report`."""
        if not self._touched:
            return
        touched, self._touched = self._touched, {}
        floor = self._floor
        if not floor.listeners:
            return
        for user, (reason, changes) in touched.items():
            balances = self.ledger.balances(user)
            shown = {asset: (balances[asset].free, balances[asset].locked) for asset in changes}
            floor.emit(BalanceChanged(at=floor.at, user=user, reason=reason, balances=shown, changes=changes))


def _hold_of(order: VenueOrder) -> int:
    """Return the number of the hold that locks for an order: its own, or that of the list whose legs share it."""
    return order.id if not order.shares_hold else -1 - order.list_id


def _cost(order: VenueOrder, market: Market) -> tuple[Decimal, int | None]:
    """Return what a buy at any price costs at most, and the worst price it pays, ticks."""
    book = market.book
    lots, cost, worst = book.lots(order.left), 0, None
    for ticks, there in book.facing(_BUY, not_of(order, market)):
        worst = ticks
        cost += ticks * min(there, lots)
        lots -= there
        if lots <= 0:
            break
    return cost * (book.tick * book.step), worst


def _size_for(order: VenueOrder, market: Market, money: Decimal) -> Decimal:
    """Return the size that so much quote money buys, or whose sale earns it, in whole steps."""
    if not 0 < money < MOST:
        refuse("notional", "min" if money <= 0 else "max", money)
    book, lots, left = market.book, 0, money / (market.book.tick * market.book.step)
    for ticks, there in book.facing(order.terms.side, not_of(order, market)):
        take = min(there, int(left / ticks))
        lots += take
        left -= take * ticks
        if take < there:
            break
    if not lots:
        raise RefusedError(Why.NO_LIQUIDITY, symbol=book.symbol)
    step = market.listing.market_step_size or market.listing.step_size
    size = lots * book.step
    return size - size % step


def not_of(order: VenueOrder, market: Market) -> str | None:
    """Return whose orders an order will not trade with: its owner's, or nobody's."""
    mode = order.terms.self_trade or market.listing.self_trade
    return None if mode is SelfTrade.ALLOW else order.user
