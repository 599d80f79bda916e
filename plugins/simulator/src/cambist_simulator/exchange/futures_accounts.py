"""What orders do to money and positions on futures: margin, profit, fees."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from cambist.model import Side
from cambist_simulator.exchange import margin
from cambist_simulator.exchange.errors import RefusedError, Why
from cambist_simulator.exchange.events import BalanceChanged, PositionChanged
from cambist_simulator.exchange.futures_ledger import FEES, INSURANCE, ROUNDING, FuturesLedger
from cambist_simulator.exchange.futures_margin import FuturesMargin, break_even
from cambist_simulator.exchange.market_book import MARKET
from cambist_simulator.exchange.orders import Execution
from cambist_simulator.exchange.reducing import Reducing
from cambist_simulator.exchange.rounding import cut, raised
from cambist_simulator.exchange.triggers import is_conditional

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cambist_simulator.exchange.floor import Floor, Market
    from cambist_simulator.exchange.matching import Matching
    from cambist_simulator.exchange.orders import VenueOrder
    from cambist_simulator.exchange.positions import Holding

__all__ = ["FuturesAccounts"]

_ZERO, _ONE = Decimal(0), Decimal(1)
_BUY = Side.BUY
#: What a market order is assumed to pay above the best ask (Binance, "Cost Required to Open a Position").
_SLIPPAGE = Decimal("1.0005")


class FuturesAccounts:
    """The accounts of a futures exchange.

    Parameters
    ----------
    floor, matching
        Where orders are, and who takes those out that have nothing left to reduce.
    """

    def __init__(self, floor: Floor, matching: Matching) -> None:
        self.ledger = FuturesLedger()
        self.margin = FuturesMargin(floor, self.ledger)
        self.reducing = Reducing(floor, self.ledger, matching)
        self._floor = floor
        #: Users who traded since the last look at their margin.
        self.traded: dict[str, None] = {}
        self._moved: dict[str, None] = {}

    # Before it works.

    def prepare(self, order: VenueOrder, market: Market) -> None:  # noqa: ARG002 - spot needs it
        """Check position side and what may only reduce; cut the size to what there is to reduce."""
        terms = order.terms
        for field in ("quote_size", "display"):
            if getattr(terms, field) is not None:
                raise RefusedError(Why.UNSUPPORTED, f"futures have no {field}", field=field)
        hedged = order.user in self.ledger.hedged
        if (terms.position_side in {"long", "short"}) != hedged or (terms.position_side and not hedged):
            raise RefusedError(Why.POSITION_SIDE, position_side=terms.position_side, hedged=hedged)
        if hedged and terms.reduce_only:
            raise RefusedError(Why.BAD_TERMS, "means nothing in hedge mode", field="reduce_only")
        waits = is_conditional(terms)
        if terms.close_position and (not waits or order.price is not None or terms.reduce_only):
            raise RefusedError(Why.BAD_TERMS, "only a stop without a limit closes a position", field="close_position")
        if waits or not self.reducing.applies_to(order):
            return
        there = self.reducing.there(order)
        if not there or (hedged and order.size > there):
            raise RefusedError(Why.REDUCE_ONLY, size=order.size, position=there)
        order.size = min(order.size, there)

    def admit(self, order: VenueOrder, market: Market) -> int | None:
        """Tie up the margin that it needs; see `Accounts.admit`."""
        if is_conditional(order.terms) and order.conditional:
            return None  # it needs margin when it is set off
        if not order.system:
            if self.reducing.applies_to(order):
                if order.price is not None:
                    market.reducing.setdefault(order.terms.side, {})[order.id] = None
            else:
                counted = self.ledger.counted(order.id)
                order.assumed_price, worth = self._check_margin(order, market, order.size, order.price, counted)
                self._count(order, worth)
        return _cap(order, market)

    def check(self, order: VenueOrder, market: Market) -> None:
        """See `Accounts.check`."""
        if not (order.conditional or self.reducing.applies_to(order)):
            self._check_margin(order, market, order.size, order.price, _ZERO)

    def readmit(self, order: VenueOrder, market: Market, size: Decimal, price: Decimal | None) -> None:
        """See `Accounts.readmit`."""
        if self.reducing.applies_to(order):
            if size - order.filled - order.prevented > self.reducing.there(order):
                raise RefusedError(Why.REDUCE_ONLY, size=size)
        else:
            self._check_margin(order, market, size, price, self.ledger.counted(order.id))

    def _check_margin(
        self, order: VenueOrder, market: Market, size: Decimal, price: Decimal | None, counted: Decimal
    ) -> tuple[Decimal, Decimal]:
        """Return an order's assumed price and what it counts for; refuse it where the margin for it is not there."""
        listing, user = market.listing, order.user
        left = size - order.filled - order.prevented
        buys = order.terms.side is _BUY
        assumed = _assumed(market, price, buys=buys)
        worth = margin.value(listing, left, assumed) if assumed else _ZERO
        more = worth - counted
        bids, asks = (more, _ZERO) if buys else (_ZERO, more)
        most = margin.most_at_leverage(listing.brackets, self.ledger.setting(user, listing.symbol).leverage)
        need, largest = self.margin.more(user, market, bids, asks)
        if most is not None and more > 0 and largest > most:
            raise RefusedError(Why.MAX_POSITION, most=most)
        if need > 0:
            need += self._open_loss(order, market, left, assumed)
            available = self.margin.available(user, listing.settle)
            if need > available:
                raise RefusedError(Why.INSUFFICIENT_MARGIN, asset=listing.settle, needed=need, available=available)
        return assumed, worth

    def _open_loss(self, order: VenueOrder, market: Market, left: Decimal, price: Decimal) -> Decimal:
        """Return what an order would lose at the mark price by being filled, as far as it opens."""
        if market.mark is None:
            return _ZERO
        opens = left - self.reducing.there(order)
        if opens <= 0:
            return _ZERO
        signed = opens if order.terms.side is _BUY else -opens
        listing = market.listing
        gain = margin.signed_value(listing, signed, market.mark) - margin.signed_value(listing, signed, price)
        return max(-gain, _ZERO)

    def _count(self, order: VenueOrder, worth: Decimal) -> None:
        terms = order.terms
        self.ledger.count(order.id, order.user, terms.symbol, worth, buys=terms.side is _BUY)

    # While it works.

    def relock(self, order: VenueOrder) -> None:
        """See `Accounts.relock`."""
        market = self._floor.markets[order.terms.symbol]
        if not order.open:
            reducing = market.reducing.get(order.terms.side)
            if reducing:
                reducing.pop(order.id, None)
        if self.ledger.counted(order.id):
            left = order.left if order.open else _ZERO
            self._count(order, margin.value(market.listing, left, order.assumed_price) if left else _ZERO)

    def trade(
        self, order: VenueOrder, market: Market, size: Decimal, price: Decimal, trade_id: int, *, maker: bool
    ) -> Execution:
        """Book a trade of a user; see `Accounts.trade`."""
        listing, terms = market.listing, order.terms
        worth = margin.value(listing, size, price)
        fee = cut(worth * self._rate(order, market, maker=maker))
        if self.ledger.counted(order.id):
            left = order.left - size
            self._count(order, margin.value(listing, left, order.assumed_price) if left else _ZERO)
        signed = size if terms.side is _BUY else -size
        profit = self.book(order.user, market, terms.position_side, signed, price, fee)
        self.ledger.pay(INSURANCE if order.system else FEES, listing.settle, fee)
        self.traded[order.user] = None
        reason = order.system or "trade"
        self.tell(order.user, listing.settle, profit - fee, reason)
        self.tell_position(order.user, market, terms.position_side, reason)
        return Execution(
            trade_id=trade_id,
            order_id=order.id,
            symbol=listing.symbol,
            side=terms.side,
            size=size,
            price=price,
            quote=worth,
            fee=fee,
            fee_asset=listing.settle,
            maker=maker,
            at=self._floor.at,
            profit=profit,
            position_side=terms.position_side,
        )

    def trade_market(self, market: Market, buys: bool, size: Decimal, price: Decimal) -> None:
        """See `Accounts.trade_market`."""
        self.book(MARKET, market, "", size if buys else -size, price, _ZERO)

    def book(
        self, owner: str, market: Market, position_side: str, signed: Decimal, price: Decimal, fee: Decimal
    ) -> Decimal:
        """Book a trade of anybody's: position, profit, fee, and what backs it if it is isolated; return the profit."""
        listing, ledger = market.listing, self.ledger
        holding = ledger.holding(owner, listing.symbol, position_side)
        booked = holding.trade(listing, signed, price, fee)
        holding.updated_at = self._floor.at
        ledger.pay(owner, listing.settle, booked.profit - fee)
        if booked.residue:
            ledger.pay(ROUNDING, listing.settle, booked.residue)
        setting = ledger.setting(owner, listing.symbol)
        if setting.isolated:
            holding.isolated_wallet -= cut(holding.isolated_wallet * booked.share_closed)
            if booked.share_closed == 1:
                holding.isolated_wallet = _ZERO
            if booked.opened:
                holding.isolated_wallet += raised(margin.value(listing, booked.opened, price) / setting.leverage)
        ledger.note_holder(owner, listing.symbol)
        self._moved[owner] = None
        return booked.profit

    def square(self, market: Market, traded: Iterable[Decimal], price: Decimal) -> None:
        """Take up what rounding leaves over where several trade against several at one price.

        Parameters
        ----------
        traded
            Contracts of each, negative for sold ones; their sum is zero, that of their values may not be.
        """
        left = sum((margin.signed_value(market.listing, one, price) for one in traded), _ZERO)
        if left:
            self.ledger.pay(ROUNDING, market.listing.settle, left)

    def _rate(self, order: VenueOrder, market: Market, *, maker: bool) -> Decimal:
        listing = market.listing
        if order.system:
            return listing.liquidation_fee if order.system == "liquidation" else _ZERO
        user = self._floor.users.get(order.user)
        if maker:
            return listing.maker_fee if user.maker_fee is None else user.maker_fee
        return listing.taker_fee if user.taker_fee is None else user.taker_fee

    def closable(self, order: VenueOrder) -> Decimal:
        """See `Accounts.closable`."""
        return self.reducing.there(order)

    def changed(self, market: Market) -> None:
        """See `Accounts.changed`."""
        moved, self._moved = self._moved, {}
        if any(market.reducing.values()):
            self.reducing.cut(market, moved)

    def users_in(self, symbol: str) -> list[str]:
        """Return the users who hold a position in a symbol."""
        return [one for one in self.ledger.holders.get(symbol, ()) if one and one[0] != "#"]

    # From outside.

    def move(self, user: str, asset: str, amount: Decimal, reason: str) -> None:
        """Put money in, or take it out where `amount` is negative; refuses what positions and orders need."""
        if amount < 0 and self.margin.wallet(user, asset).most_withdrawable < -amount:
            raise RefusedError(Why.INSUFFICIENT_FUNDS, asset=asset, needed=-amount)
        self.ledger.pay(user, asset, amount)
        self.tell(user, asset, amount, reason)

    # What to tell.

    def tell(self, user: str, asset: str, change: Decimal, reason: str) -> None:
        """Tell a wallet."""
        floor = self._floor
        if floor.listeners:
            balance = self.ledger.wallet(user, asset)
            shown = {asset: (balance, self.margin.cross_wallet(user, asset))}
            floor.emit(BalanceChanged(at=floor.at, user=user, reason=reason, balances=shown, changes={asset: change}))

    def tell_position(self, user: str, market: Market, position_side: str, reason: str) -> None:
        """Tell a position."""
        floor, listing = self._floor, market.listing
        if not floor.listeners:
            return
        holding: Holding = self.ledger.holding(user, listing.symbol, position_side)
        floor.emit(
            PositionChanged(
                at=floor.at,
                user=user,
                reason=reason,
                symbol=listing.symbol,
                position_side=position_side,
                size=holding.size,
                entry_price=margin.entry_price(listing, holding.size, holding.cost),
                break_even_price=break_even(listing, holding),
                unrealized=holding.unrealized(listing, market.reference),
                realized=holding.realized,
                isolated_wallet=holding.isolated_wallet,
                isolated=self.ledger.setting(user, listing.symbol).isolated,
            )
        )

    def report(self) -> None:
        """Do nothing: everything was told when it happened."""


def _assumed(market: Market, price: Decimal | None, *, buys: bool) -> Decimal:
    """Return the price that an order's margin is reckoned with.

    Notes
    -----
    Binance, "Cost Required to Open a Position in Perpetual Futures Contracts": a limit order to buy at its price, one
    to sell at that or the mark, whichever is higher; a market order to buy at the best ask and 0.05 % more, one to sell
    at the best bid or the mark.
    """
    mark = market.reference or _ZERO
    if price is not None:
        return price if buys else max(price, mark)
    best = market.book.best_ask if buys else market.book.best_bid
    if best is None:
        return mark
    return best * _SLIPPAGE if buys else max(best, mark)


def _cap(order: VenueOrder, market: Market) -> int | None:
    """Return the worst price of a market order, ticks, where the listing bounds it."""
    bound, mark = market.listing.market_bound, market.mark
    if order.price is not None or order.system or bound is None or mark is None:
        return None
    return market.book.ticks(mark * (_ONE + bound if order.terms.side is _BUY else _ONE - bound))
