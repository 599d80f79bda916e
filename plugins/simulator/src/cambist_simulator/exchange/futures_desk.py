"""What users ask of a futures exchange: positions, margin, settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist_simulator.exchange import margin
from cambist_simulator.exchange.desk import Desk, user_id
from cambist_simulator.exchange.errors import RefusedError, Why
from cambist_simulator.exchange.events import MarkChanged
from cambist_simulator.exchange.filters import MOST
from cambist_simulator.exchange.futures_ledger import INSURANCE
from cambist_simulator.exchange.futures_margin import Collateral

if TYPE_CHECKING:
    from decimal import Decimal

    from cambist_simulator.exchange.futures_ledger import Setting
    from cambist_simulator.exchange.futures_margin import FuturesWallet
    from cambist_simulator.exchange.positions import Position
    from cambist_simulator.exchange.users import User

__all__ = ["FuturesDesk"]


class FuturesDesk(Desk):
    """Positions and margin of users; every method of it refuses on spot."""

    # What users ask.

    def positions(self, user: User | str, symbol: str | None = None, *, empty: bool = False) -> list[Position]:
        """Return the positions of a user as they stand.

        Parameters
        ----------
        symbol
            None for all.
        empty
            Whether to return those of symbols in which he holds nothing, too.
        """
        who, futures = user_id(user), self._futures
        ledger = futures.ledger
        found = []
        sides = ("long", "short") if who in ledger.hedged else ("",)
        for name, market in self._floor.markets.items():
            if symbol is not None and name != symbol:
                continue
            held = {one.position_side: one for one in ledger.in_symbol(who, name)}
            for side in sides:
                if side in held and held[side].size:
                    rank = self._adl_rank(who, name, side)
                    found.append(futures.margin.position(who, market, held[side], rank))
                elif empty:
                    found.append(futures.margin.position(who, market, ledger.holding(who, name, side)))
        return found

    def _adl_rank(self, user: str, symbol: str, side: str) -> int:
        market = self._floor.markets[symbol]
        long = self._futures.ledger.holding(user, symbol, side).size > 0
        ranking = self._liquidation.ranking(market, long=long)
        place = next((at for at, (owner, one) in enumerate(ranking) if owner == user and one.position_side == side), 0)
        return 4 - place * 5 // len(ranking) if ranking else 0

    def wallet(self, user: User | str, asset: str) -> FuturesWallet:
        """Return an asset of a user's futures account as it stands."""
        return self._futures.margin.wallet(user_id(user), asset)

    def wallets(self, user: User | str) -> list[FuturesWallet]:
        """Return the assets that a user has, or that his positions are settled in."""
        who = user_id(user)
        return [self._futures.margin.wallet(who, asset) for asset in self._futures.margin.assets(who)]

    def setting(self, user: User | str, symbol: str) -> Setting:
        """Return a user's leverage and margin type in a symbol; to be read only."""
        self._floor.market(symbol)
        return self._futures.ledger.setting(user_id(user), symbol)

    def most_value(self, user: User | str, symbol: str) -> Decimal | None:
        """Return the largest value of a position that a user's leverage allows; None for any."""
        return margin.most_at_leverage(self._floor.market(symbol).listing.brackets, self.setting(user, symbol).leverage)

    def is_hedged(self, user: User | str) -> bool:
        """Tell whether a user is in hedge mode."""
        return user_id(user) in self._futures.ledger.hedged

    def has_multi_assets(self, user: User | str) -> bool:
        """Tell whether a user is in multi-assets mode."""
        return user_id(user) in self._futures.ledger.multi_assets

    # Settings.

    def set_leverage(self, user: User | str, symbol: str, leverage: int) -> Decimal | None:
        """Set a user's leverage in a symbol; return the largest value of a position that it allows, None for any."""
        market = self._floor.market(symbol)
        self._open()
        return self._settings.set_leverage(user_id(user), market, leverage)

    def set_margin_type(self, user: User | str, symbol: str, *, isolated: bool) -> None:
        """Choose isolated or cross margin for a user's positions in a symbol."""
        market = self._floor.market(symbol)
        self._open()
        self._settings.set_isolated(user_id(user), market, isolated=isolated)

    def set_position_mode(self, user: User | str, *, hedged: bool) -> None:
        """Choose hedge or one-way mode for a user."""
        self._open()
        self._settings.set_hedged(user_id(user), hedged=hedged)

    def set_multi_assets(self, user: User | str, *, multi_assets: bool) -> None:
        """Choose whether all of a user's assets back all his positions."""
        self._open()
        self._settings.set_multi_assets(user_id(user), multi_assets=multi_assets)

    def change_margin(self, user: User | str, symbol: str, amount: Decimal, position_side: str = "") -> None:
        """Add to what backs an isolated position, or take from it where `amount` is negative."""
        market = self._floor.market(symbol)
        self._open()
        self._settings.change_margin(user_id(user), market, position_side, amount)
        self._liquidation.check([user_id(user)])
        self._conditional.settle()

    # The venue.

    def set_collateral(self, asset: str, price: Decimal, share: Decimal) -> None:
        """Say how an asset counts in multi-assets mode; see `Collateral`."""
        if not (price.is_finite() and 0 < price < MOST and share.is_finite() and 0 <= share <= 1):
            raise RefusedError(Why.BAD_TERMS, "a price is above zero, and a share from 0 to 1", field="price")
        self._open()
        self._futures.margin.collateral[asset] = Collateral(price, share)
        self._liquidation.check(sorted(self._futures.ledger.multi_assets))
        self._conditional.settle()

    def fund_insurance(self, asset: str, amount: Decimal) -> None:
        """Put money into the insurance fund."""
        self._futures.ledger.pay(INSURANCE, asset, amount)

    def insurance(self, asset: str) -> Decimal:
        """Return what is in the insurance fund, negative where it owes."""
        return self._futures.ledger.wallet(INSURANCE, asset)

    def set_mark(
        self,
        symbol: str,
        mark: Decimal,
        index: Decimal | None = None,
        funding_rate: Decimal | None = None,
        next_funding: int | None = None,
    ) -> None:
        """Set mark and index price; orders that wait for them are set off, and accounts out of margin liquidated.

        Parameters
        ----------
        index
            None for the mark price.
        funding_rate, next_funding
            The payment to come, and when, ns, market time; None leaves them as they are.
        """
        market = self._floor.market(symbol)
        if not mark.is_finite() or not 0 < mark < MOST:
            raise RefusedError(Why.BAD_TERMS, "a mark price is above zero", field="mark")
        self._open()
        market.mark, market.index = mark, mark if index is None else index
        if funding_rate is not None:
            market.funding_rate = funding_rate
        if next_funding is not None:
            market.next_funding = next_funding
        self._floor.emit(
            MarkChanged(
                at=self._floor.at,
                symbol=symbol,
                mark=mark,
                index=market.index,
                funding_rate=market.funding_rate,
                next_funding=market.next_funding,
            )
        )
        self._conditional.on_mark(market)
        self._liquidation.check(self._futures.users_in(symbol))
        self._conditional.settle()

    def settle_funding(self, symbol: str, rate: Decimal) -> None:
        """Let longs pay shorts a share of their positions' value now."""
        market = self._floor.market(symbol)
        if not rate.is_finite() or abs(rate) >= 1:
            raise RefusedError(Why.BAD_TERMS, "a funding rate is a share below 1", field="rate")
        self._open()
        self._funding.settle(market, rate)
        self._liquidation.check(self._futures.users_in(symbol))
        self._conditional.settle()
