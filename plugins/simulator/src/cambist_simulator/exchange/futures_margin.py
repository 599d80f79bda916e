"""What a futures account is worth, what its positions and orders tie up, and what is left."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from cambist_simulator.exchange import margin
from cambist_simulator.exchange.positions import Position
from cambist_simulator.exchange.rounding import cut

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cambist_simulator.exchange.floor import Floor, Market
    from cambist_simulator.exchange.futures_ledger import FuturesLedger
    from cambist_simulator.exchange.listing import Listing
    from cambist_simulator.exchange.positions import Holding

__all__ = ["Collateral", "FuturesMargin", "FuturesWallet", "break_even"]

_ZERO, _ONE = Decimal(0), Decimal(1)


class Collateral(msgspec.Struct, frozen=True):
    """How an asset counts in multi-assets mode: its price in the account's common money, and the share that counts."""

    price: Decimal = _ONE
    share: Decimal = _ONE


class FuturesWallet(msgspec.Struct, frozen=True, kw_only=True):
    """An asset of a futures account.

    Attributes
    ----------
    wallet, cross_wallet
        Balance with and without what backs isolated positions.
    unrealized, cross_unrealized
        Profit of all, and of cross positions, settled in it.
    position_margin, order_margin
        Initial margin of positions, and what open orders need on top.
    maintenance
        Of all positions.
    available
        For new orders: cross wallet and profit less what cross positions and orders tie up.
    most_withdrawable
        The same without profit that is not realized.
    """

    asset: str
    wallet: Decimal
    cross_wallet: Decimal
    unrealized: Decimal
    cross_unrealized: Decimal
    position_margin: Decimal
    order_margin: Decimal
    maintenance: Decimal
    available: Decimal
    most_withdrawable: Decimal

    @property
    def initial_margin(self) -> Decimal:
        """Of positions and orders."""
        return self.position_margin + self.order_margin

    @property
    def margin_balance(self) -> Decimal:
        """Wallet and profit."""
        return self.wallet + self.unrealized


class _Tied(msgspec.Struct):
    """What an account's symbols of one settlement asset come to; `cross` leaves out what is isolated."""

    unrealized: Decimal = _ZERO
    cross_unrealized: Decimal = _ZERO
    isolated_wallet: Decimal = _ZERO
    position: Decimal = _ZERO
    cross_position: Decimal = _ZERO
    order: Decimal = _ZERO
    maintenance: Decimal = _ZERO
    cross_maintenance: Decimal = _ZERO


class FuturesMargin:
    """Reckons accounts.

    Parameters
    ----------
    floor, ledger
        Prices and rules; money, positions and settings.
    """

    def __init__(self, floor: Floor, ledger: FuturesLedger) -> None:
        self._floor = floor
        self.ledger = ledger
        #: By asset, for multi-assets mode; those not named count in full, at a price of 1.
        self.collateral: dict[str, Collateral] = {}

    # Symbols.

    def margins(self, user: str, market: Market) -> tuple[Decimal, Decimal]:
        """Return the initial margin of a user's positions in a symbol, and what open orders need on top.

        Notes
        -----
        In one-way mode positions and orders need the larger of what the position would need after all buys, and after
        all sells.
        """
        listing, ledger = market.listing, self.ledger
        exposure = ledger.exposure(user, listing.symbol)
        leverage = ledger.setting(user, listing.symbol).leverage
        long, short = self._values(user, market)
        worth = self._worth(user, long, short, exposure.bids, exposure.asks)
        position = (long + short) / leverage
        return position, worth / leverage - position

    def more(self, user: str, market: Market, bids: Decimal, asks: Decimal) -> tuple[Decimal, Decimal]:
        """Return what further orders would need, and the largest value that a position may come to with them.

        Parameters
        ----------
        bids, asks
            Value of buy and of sell orders, on top of those that are there.
        """
        ledger = self.ledger
        exposure = ledger.exposure(user, market.listing.symbol)
        long, short = self._values(user, market)
        before = self._worth(user, long, short, exposure.bids, exposure.asks)
        bids, asks = exposure.bids + bids, exposure.asks + asks
        after = self._worth(user, long, short, bids, asks)
        if user in ledger.hedged:
            largest = max(long + bids, short + asks)
        else:
            largest = max(long - short + bids, short - long + asks)
        return (after - before) / ledger.setting(user, market.listing.symbol).leverage, largest

    def _worth(self, user: str, long: Decimal, short: Decimal, bids: Decimal, asks: Decimal) -> Decimal:
        """Return the value that margin is needed for."""
        if user in self.ledger.hedged:
            return long + bids + short + asks
        held = long - short
        return max(abs(held + bids), abs(held - asks))

    def _values(self, user: str, market: Market) -> tuple[Decimal, Decimal]:
        """Return what the long and the short positions in a symbol are worth at the mark, both not negative."""
        long = short = _ZERO
        mark = market.reference
        if mark is None:
            return long, short
        for one in self.ledger.in_symbol(user, market.listing.symbol):
            worth = margin.value(market.listing, one.size, mark)
            if worth > 0:
                long += worth
            else:
                short -= worth
        return long, short

    # Accounts.

    def _tied(self, user: str, asset: str) -> _Tied:
        found, ledger = _Tied(), self.ledger
        for market in self._markets(user, asset):
            listing, mark = market.listing, market.reference
            isolated = ledger.setting(user, listing.symbol).isolated
            position, order = self.margins(user, market)
            found.position += position
            found.order += order
            if not isolated:
                found.cross_position += position
            for one in ledger.in_symbol(user, listing.symbol):
                if not one.size or mark is None:
                    continue
                profit = one.unrealized(listing, mark)
                least = margin.maintenance(listing.brackets, abs(margin.value(listing, one.size, mark)))
                found.unrealized += profit
                found.maintenance += least
                if isolated:
                    found.isolated_wallet += one.isolated_wallet
                else:
                    found.cross_unrealized += profit
                    found.cross_maintenance += least
        return found

    def _markets(self, user: str, asset: str) -> Iterable[Market]:
        """Return the markets settled in an asset in which a user has positions or orders."""
        ledger = self.ledger
        symbols = dict.fromkeys(one.symbol for one in ledger.holdings(user) if one.size)
        symbols |= dict.fromkeys(ledger.exposed(user))
        markets = self._floor.markets
        return [markets[one] for one in symbols if markets[one].listing.settle == asset]

    def cross_wallet(self, user: str, asset: str) -> Decimal:
        """Return a wallet's balance without what backs isolated positions."""
        markets = self._floor.markets
        tied = sum(
            (one.isolated_wallet for one in self.ledger.holdings(user) if markets[one.symbol].listing.settle == asset),
            _ZERO,
        )
        return self.ledger.wallet(user, asset) - tied

    def wallet(self, user: str, asset: str) -> FuturesWallet:
        """Return an asset of an account as it stands."""
        tied = self._tied(user, asset)
        balance = self.ledger.wallet(user, asset)
        cross = balance - tied.isolated_wallet
        need = tied.cross_position + tied.order
        if user in self.ledger.multi_assets:
            left = self._common_left(user, asset)
        else:
            left = cross + tied.cross_unrealized - need
        out = min(left, cross + min(tied.cross_unrealized, _ZERO) - need, cross)
        return FuturesWallet(
            asset=asset,
            wallet=balance,
            cross_wallet=cross,
            unrealized=tied.unrealized,
            cross_unrealized=tied.cross_unrealized,
            position_margin=tied.position,
            order_margin=tied.order,
            maintenance=tied.maintenance,
            available=cut(max(left, _ZERO)),
            most_withdrawable=cut(max(out, _ZERO)),
        )

    def assets(self, user: str) -> list[str]:
        """Return the assets that a user has, or that his positions are settled in."""
        settled = {self._floor.markets[one.symbol].listing.settle: None for one in self.ledger.holdings(user)}
        return list(dict.fromkeys(self.ledger.wallets(user)) | settled)

    def available(self, user: str, asset: str) -> Decimal:
        """Return what new orders may use, negative where more is tied up than there is."""
        if user in self.ledger.multi_assets:
            return self._common_left(user, asset)
        tied = self._tied(user, asset)
        cross = self.ledger.wallet(user, asset) - tied.isolated_wallet
        return cross + tied.cross_unrealized - tied.cross_position - tied.order

    def state(self, user: str, asset: str) -> tuple[Decimal, Decimal]:
        """Return (margin balance, maintenance margin) of cross positions, in an asset or in all (multi-assets)."""
        if user in self.ledger.multi_assets:
            balance = least = _ZERO
            for one in self.assets(user):
                tied = self._tied(user, one)
                price = self._collateral(one).price
                balance += self._counted(user, one, tied)
                least += tied.cross_maintenance * price
            return balance, least
        tied = self._tied(user, asset)
        return self.ledger.wallet(user, asset) - tied.isolated_wallet + tied.cross_unrealized, tied.cross_maintenance

    # Multi-assets mode.

    def _collateral(self, asset: str) -> Collateral:
        return self.collateral.get(asset) or Collateral()

    def _counted(self, user: str, asset: str, tied: _Tied) -> Decimal:
        """Return what an asset counts for in common money; what is owed counts in full."""
        terms = self._collateral(asset)
        balance = self.ledger.wallet(user, asset) - tied.isolated_wallet + tied.cross_unrealized
        return balance * terms.price * (terms.share if balance > 0 else _ONE)

    def _common_left(self, user: str, asset: str) -> Decimal:
        left = _ZERO
        for one in self.assets(user):
            tied = self._tied(user, one)
            left += self._counted(user, one, tied) - (tied.cross_position + tied.order) * self._collateral(one).price
        return left / self._collateral(asset).price

    # Positions.

    def backing(self, user: str, market: Market, holding: Holding) -> Decimal:
        """Return what backs a position besides its own profit: its wallet, or the account with the others' profit."""
        if self.ledger.setting(user, market.listing.symbol).isolated:
            return holding.isolated_wallet
        balance, _ = self.state(user, market.listing.settle)
        own = holding.unrealized(market.listing, market.reference)
        if user in self.ledger.multi_assets:
            return balance / self._collateral(market.listing.settle).price - own
        return balance - own

    def liquidation_price(self, user: str, market: Market, holding: Holding) -> Decimal:
        """Return the mark price at which a position is liquidated, all else unchanged; 0 where there is none."""
        listing, mark = market.listing, market.reference
        if not holding.size or mark is None:
            return _ZERO
        if self.ledger.setting(user, listing.symbol).isolated:
            legs, backing = [holding], holding.isolated_wallet
        else:
            legs = [one for one in self.ledger.in_symbol(user, listing.symbol) if one.size]
            balance, least = self.state(user, listing.settle)
            if user in self.ledger.multi_assets:
                price = self._collateral(listing.settle).price
                balance, least = balance / price, least / price
            for one in legs:
                balance -= one.unrealized(listing, mark)
                least -= margin.maintenance(listing.brackets, abs(margin.value(listing, one.size, mark)))
            backing = balance - least
        return margin.liquidation_price(listing, [(one.size, one.cost, listing.brackets) for one in legs], backing)

    def bankruptcy_price(self, user: str, market: Market, holding: Holding) -> Decimal:
        """Return the price at which a position has used up all its backing; 0 where there is none."""
        if not holding.size:
            return _ZERO
        return margin.zero_price(market.listing, holding.size, holding.cost, self.backing(user, market, holding))

    def position(self, user: str, market: Market, holding: Holding, adl_rank: int = 0) -> Position:
        """Return a position as it stands."""
        listing, mark = market.listing, market.reference or _ZERO
        setting = self.ledger.setting(user, listing.symbol)
        worth = margin.value(listing, holding.size, mark) if holding.size and mark else _ZERO
        profit = holding.unrealized(listing, market.reference)
        initial = abs(worth) / setting.leverage
        hedged = user in self.ledger.hedged
        _, order = self.margins(user, market)
        if hedged:
            exposure = self.ledger.exposure(user, listing.symbol)
            order = (exposure.bids if holding.position_side == "long" else exposure.asks) / setting.leverage
        least = margin.maintenance(listing.brackets, abs(worth))
        return Position(
            user=user,
            symbol=listing.symbol,
            position_side=holding.position_side,
            size=holding.size,
            entry_price=margin.entry_price(listing, holding.size, holding.cost),
            break_even_price=break_even(listing, holding),
            mark=mark,
            value=worth,
            unrealized=profit,
            realized=holding.realized,
            liquidation_price=self.liquidation_price(user, market, holding),
            bankruptcy_price=self.bankruptcy_price(user, market, holding),
            leverage=setting.leverage,
            isolated=setting.isolated,
            isolated_wallet=holding.isolated_wallet if setting.isolated else _ZERO,
            isolated_margin=holding.isolated_wallet + profit if setting.isolated and holding.size else _ZERO,
            initial_margin=initial,
            order_margin=order,
            maintenance=least,
            most_value=margin.most_at_leverage(listing.brackets, setting.leverage),
            adl_rank=adl_rank,
            updated_at=holding.updated_at,
        )


def break_even(listing: Listing, holding: Holding) -> Decimal:
    """Return the price at which a position has earned the fees that were paid for it."""
    return margin.entry_price(listing, holding.size, holding.cost + holding.fees)
