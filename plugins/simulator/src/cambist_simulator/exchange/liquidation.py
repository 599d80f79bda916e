"""What a futures exchange does with accounts whose margin is used up."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from cambist.model import OrderType, Side, TimeInForce
from cambist_simulator.exchange import margin
from cambist_simulator.exchange.events import MarginCalled
from cambist_simulator.exchange.futures_ledger import INSURANCE
from cambist_simulator.exchange.listing import SymbolStatus
from cambist_simulator.exchange.orders import OrderTerms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cambist_simulator.exchange.floor import Floor, Market
    from cambist_simulator.exchange.futures_accounts import FuturesAccounts
    from cambist_simulator.exchange.intake import Intake
    from cambist_simulator.exchange.matching import Matching
    from cambist_simulator.exchange.positions import Holding

__all__ = ["Liquidation"]

_ZERO = Decimal(0)
_BUY, _SELL = Side.BUY, Side.SELL
#: A user is warned when the maintenance margin is this share of what he has left.
_WARNED = Decimal("0.8")


class Liquidation:
    """Watches margins, closes positions, and passes on what the market does not take.

    An account whose margin has fallen to the maintenance margin loses its open orders first. Then its positions are
    closed, the one with the largest maintenance margin first, by orders of the venue that trade down to the bankruptcy
    price and no further: as far as the next lower tier if that is enough, else whole. The insurance fund takes over
    what nobody took, at that price, as long as it has the initial margin for it; else those who hold the other side
    with the most profit and leverage are deleveraged. What an account owes in the end is paid by the insurance fund.

    Parameters
    ----------
    floor, accounts, intake, matching
        Where orders and money are, and through whom the venue's own orders go.
    """

    def __init__(self, floor: Floor, accounts: FuturesAccounts, intake: Intake, matching: Matching) -> None:
        self._floor, self._accounts, self._intake, self._matching = floor, accounts, intake, matching
        #: (user, symbol or asset) that were warned and have not recovered.
        self.warned: set[tuple[str, str]] = set()

    def check(self, users: Iterable[str]) -> None:
        """Look at the margin of users, and close what must be closed."""
        ledger = self._accounts.ledger
        for user in list(users):
            holdings = [one for one in ledger.holdings(user) if one.size]
            cross: dict[str, None] = {}
            for one in holdings:
                market = self._floor.markets[one.symbol]
                if ledger.setting(user, one.symbol).isolated:
                    self._check_isolated(user, market, one)
                else:
                    cross[market.listing.settle] = None
            for asset in cross:
                self._check_cross(user, asset)

    def force(self, user: str, market: Market) -> bool:
        """Liquidate a user's positions in a symbol whatever his margin; tell whether there were any."""
        held = [one for one in self._accounts.ledger.in_symbol(user, market.listing.symbol) if one.size]
        if not held or market.mark is None:
            return False
        self._cancel_orders(user, [market])
        for one in held:
            if one.size:
                self._close(user, market, one, abs(one.size), price=market.mark)
        return True

    def _check_isolated(self, user: str, market: Market, holding: Holding) -> None:
        listing, mark = market.listing, market.mark
        if mark is None or not holding.size or listing.status is not SymbolStatus.TRADING:
            return
        balance = holding.isolated_wallet + holding.unrealized(listing, mark)
        least = margin.maintenance(listing.brackets, abs(margin.value(listing, holding.size, mark)))
        if balance > least:
            self._warn(user, listing.symbol, market, holding, balance, least)
            return
        self._cancel_orders(user, [market])
        before = self._accounts.margin.cross_wallet(user, listing.settle)
        self._close(user, market, holding, abs(holding.size))
        lost = before - self._accounts.margin.cross_wallet(user, listing.settle)
        if lost > 0:
            self._make_good(user, listing.settle, lost)

    def _check_cross(self, user: str, asset: str) -> None:
        reckoned, markets = self._accounts.margin, self._floor.markets
        balance, least = reckoned.state(user, asset)
        held = self._cross(user, asset)
        if not held or not least:
            return
        if balance > least:
            for one in held:
                self._warn(user, one.symbol, markets[one.symbol], one, balance, least)
            return
        self._cancel_orders(user, [one for one in markets.values() if self._counts(user, one.listing.settle, asset)])
        for _ in range(64):
            balance, least = reckoned.state(user, asset)
            held = self._cross(user, asset)
            if not held or balance > least:
                break
            worst = max(held, key=lambda one: (self._least(one), one.symbol, one.position_side))
            market = markets[worst.symbol]
            self._close(user, market, worst, self._part(market, worst))
        if not self._cross(user, asset):
            for owed_in in reckoned.assets(user):
                owed = -reckoned.cross_wallet(user, owed_in)
                if owed > 0 and self._counts(user, owed_in, asset):
                    self._make_good(user, owed_in, owed)

    def _counts(self, user: str, settle: str, asset: str) -> bool:
        return settle == asset or user in self._accounts.ledger.multi_assets

    def _cross(self, user: str, asset: str) -> list[Holding]:
        """Return the cross positions of a user that can be closed now."""
        ledger = self._accounts.ledger
        found = []
        for one in ledger.holdings(user):
            market = self._floor.markets[one.symbol]
            if (
                one.size
                and market.mark is not None
                and market.listing.status is SymbolStatus.TRADING
                and self._counts(user, market.listing.settle, asset)
                and not ledger.setting(user, one.symbol).isolated
            ):
                found.append(one)
        return found

    def _least(self, holding: Holding) -> Decimal:
        market = self._floor.markets[holding.symbol]
        assert market.mark is not None
        return margin.maintenance(market.listing.brackets, abs(margin.value(market.listing, holding.size, market.mark)))

    def _part(self, market: Market, holding: Holding) -> Decimal:
        """Return the contracts to close: what is above the next lower tier, or all in the lowest one."""
        listing = market.listing
        assert market.mark is not None
        worth = abs(margin.value(listing, holding.size, market.mark))
        bracket = margin.tier(listing.brackets, worth)
        if bracket is None or not bracket.floor:
            return abs(holding.size)
        kept = abs(holding.size) * bracket.floor / worth
        kept -= kept % listing.step_size
        return abs(holding.size) - kept or abs(holding.size)

    def _cancel_orders(self, user: str, markets: Iterable[Market]) -> None:
        for market in markets:
            for order in self._floor.store.open_of(user, market.listing.symbol, conditional=False):
                if order.open:
                    self._matching.cancel(order, "liquidation")

    def _close(self, user: str, market: Market, holding: Holding, size: Decimal, price: Decimal | None = None) -> None:
        """Close contracts of a position: in the book down to a price (None: of bankruptcy), the rest by others."""
        listing = market.listing
        side = _SELL if holding.size > 0 else _BUY
        if price is None:
            price = self._accounts.margin.bankruptcy_price(user, market, holding)
        price = self._to_tick(market, price, side)
        terms = OrderTerms(
            symbol=listing.symbol,
            side=side,
            type=OrderType.LIMIT,
            size=size,
            price=price,
            time_in_force=TimeInForce.IOC,
            reduce_only=not holding.position_side,
            position_side=holding.position_side,
        )
        order = self._intake.place(user, terms, system="liquidation")
        rest = size - order.filled
        if rest:
            self._pass_on(user, market, terms, rest, price)

    @staticmethod
    def _to_tick(market: Market, price: Decimal, side: Side) -> Decimal:
        """Return a bankruptcy price on the grid, to the better for the account; the mark where there is none."""
        assert market.mark is not None
        ticks = market.book.ticks(price or market.mark)
        if side is _SELL and ticks * market.book.tick < price:
            ticks += 1
        return max(ticks, 1) * market.book.tick

    def _pass_on(self, user: str, market: Market, terms: OrderTerms, size: Decimal, price: Decimal) -> None:
        """Let the insurance fund, or those with the most profit on the other side, take contracts over."""
        accounts, listing, sign = self._accounts, market.listing, terms.side.sign
        self._intake.trade_privately(user, market, terms, size, price, "liquidation")
        traded = [size * sign]
        worth = margin.value(listing, size, price)
        bracket = margin.tier(listing.brackets, worth)
        need = worth / (bracket.max_leverage if bracket is not None else 1)
        if accounts.ledger.wallet(INSURANCE, listing.settle) < need:
            for owner, holding in self.ranking(market, long=terms.side is _BUY):
                if not size:
                    break
                if owner == user:
                    continue
                taken = min(size, abs(holding.size))
                size -= taken
                other = OrderTerms(
                    symbol=listing.symbol,
                    side=terms.side.opposite,
                    type=OrderType.LIMIT,
                    size=taken,
                    price=price,
                    reduce_only=not holding.position_side,
                    position_side=holding.position_side,
                )
                self._intake.trade_privately(owner, market, other, taken, price, "adl")
                traded.append(-taken * sign)
        if size:
            accounts.book(INSURANCE, market, "", -size * sign, price, _ZERO)
            traded.append(-size * sign)
        accounts.square(market, traded, price)

    def ranking(self, market: Market, *, long: bool) -> list[tuple[str, Holding]]:
        """Return the users' positions of one side in the order in which they are deleveraged.

        Notes
        -----
        By profit as a share of the entry value, times leverage where it is a profit, divided by it where it is none.
        """
        ledger = self._accounts.ledger
        found = []
        for owner in ledger.holders.get(market.listing.symbol, ()):
            for one in ledger.in_symbol(owner, market.listing.symbol):
                if one.size and (one.size > 0) == long and one.cost and not owner.startswith("#") and owner:
                    share = one.unrealized(market.listing, market.mark) / abs(one.cost)
                    leverage = ledger.setting(owner, one.symbol).leverage
                    found.append((share * leverage if share > 0 else share / leverage, owner, one))
        found.sort(key=lambda each: (-each[0], each[1], each[2].position_side))
        return [(owner, one) for _, owner, one in found]

    def _make_good(self, user: str, asset: str, owed: Decimal) -> None:
        """Let the insurance fund pay what an account owes."""
        self._accounts.ledger.pay(user, asset, owed)
        self._accounts.ledger.pay(INSURANCE, asset, -owed)
        self._accounts.tell(user, asset, owed, "insurance")

    def _warn(self, user: str, key: str, market: Market, holding: Holding, balance: Decimal, least: Decimal) -> None:
        """Tell a user, once, that he is close to liquidation."""
        if least < balance * _WARNED:
            self.warned.discard((user, key))
            return
        if (user, key) in self.warned:
            return
        self.warned.add((user, key))
        listing, mark = market.listing, market.mark or _ZERO
        isolated = self._accounts.ledger.setting(user, listing.symbol).isolated
        self._floor.emit(
            MarginCalled(
                at=self._floor.at,
                user=user,
                symbol=listing.symbol,
                position_side=holding.position_side,
                size=holding.size,
                mark_price=mark,
                unrealized=holding.unrealized(listing, mark),
                maintenance=least,
                wallet=holding.isolated_wallet
                if isolated
                else self._accounts.margin.cross_wallet(user, listing.settle),
                isolated=isolated,
            )
        )
