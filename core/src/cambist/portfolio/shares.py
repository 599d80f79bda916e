"""Whose a position is: what each strategy of a shared account holds of it."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import attrs

from cambist.model.legs import leg_key
from cambist.model.orders import Fill, Side
from cambist.portfolio.compensating import CompensatingPortfolio
from cambist.portfolio.forgetting import forget_history
from cambist.portfolio.hedge import HedgePortfolio
from cambist.portfolio.portfolio import Portfolio
from cambist.portfolio.saved import load_account, save_account
from cambist.portfolio.sides import keep_sides

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cambist.model.instrument import Grid, Instrument
    from cambist.model.orders import Order
    from cambist.model.portfolio import Position, StockSplit
    from cambist.portfolio.multi_asset import MultiAssetPortfolio

__all__ = ["Share", "StrategyShares"]

_AS_ITSELF: Mapping[str, str] = {}


class Share:
    """What the fills of one strategy come to, as if it had an account of its own that began with nothing.

    Parameters
    ----------
    instruments
        Of the run.
    sided
        Whether the account has a long and a short position in each margined instrument.

    Attributes
    ----------
    books
        One for each settlement asset, by its name.
    positions, legs
        By symbol, and as they are kept apart; see `Portfolio`.
    """

    def __init__(self, instruments: Iterable[Instrument], *, sided: bool = False) -> None:
        by_asset: dict[str, list[Instrument]] = {}
        for instrument in instruments:
            by_asset.setdefault(instrument.settle, []).append(instrument)
        self.books = {asset: Portfolio(listed, 1.0) for asset, listed in by_asset.items()}
        for books in self.books.values():
            books.cash = books.initial_cash = 0.0
            if sided:
                keep_sides(books)
        self.positions: dict[str, Position] = {}
        self.legs: dict[str, Position] = {}
        for books in self.books.values():
            self.positions |= books.positions
            self.legs |= books.legs

    def book(self, fill: Fill, order: Order, instant: int) -> None:
        """Book a fill, or a part of one."""
        instrument = fill.instrument
        key = leg_key(instrument.symbol, order.position_side)
        trade = self.books[instrument.settle].apply(fill, order, instant, key)
        if trade is not None and order.by_venue:
            trade.reason = order.tag


class StrategyShares:
    """Attributes every fill of a run to strategies, so that their shares of a position add up to it exactly.

    A fill belongs to the strategy whose order it is, whatever it does to the position: who closes what another has
    bought is short from then on, as far as shares go. What a venue closes by itself, such as a liquidation, closes the
    shares of every strategy of that account in proportion, and so does a split. Where that cannot be done on the
    instrument's step, the largest share takes what is left over.

    Parameters
    ----------
    instruments
        Of the run.
    accounts
        The name of each strategy's account, by the name of the strategy.
    order_of
        Answers the order of a number.
    held_as
        By symbol, the symbol of the instrument whose position orders of it change; see `CompensatingPortfolio`.
    sided
        Whether accounts have a long and a short position in each margined instrument. Shares are reckoned for each of
        them by itself then.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        accounts: Mapping[str, str],
        order_of: Callable[[int], Order],
        held_as: Mapping[str, str] = _AS_ITSELF,
        *,
        sided: bool = False,
    ) -> None:
        known = {one.symbol: one for one in instruments}
        self._held_as = {symbol: known[other] for symbol, other in held_as.items()}
        self._accounts = accounts
        self._order_of = order_of
        self._booked = self._split = self._latest = 0
        self.shares = {strategy: Share(instruments, sided=sided) for strategy in accounts}

    @classmethod
    def of(
        cls,
        accounts: Mapping[str, Portfolio | MultiAssetPortfolio],
        owners: Mapping[str, str],
        order_of: Callable[[int], Order],
    ) -> StrategyShares:
        """Return those of a run that goes on, which see the prices that its accounts see.

        Parameters
        ----------
        accounts, owners
            Accounts by name, and the name of each strategy's, by the name of the strategy.
        """
        first = next(iter(accounts.values()))
        other = first.held_as if isinstance(first, CompensatingPortfolio) else {}
        held_as = {symbol: one.symbol for symbol, one in other.items()}
        listed = [one.instrument for one in first.positions.values()]
        shares = cls(listed, owners, order_of, held_as, sided=isinstance(first, HedgePortfolio))
        for strategy, share in shares.shares.items():
            for symbol, own in share.positions.items():
                own.price_source = accounts[owners[strategy]].positions[symbol].price_source
        return shares

    def catch_up(
        self,
        fills: Sequence[Fill],
        splits: Sequence[StockSplit],
        instants: Callable[[str], int] = lambda _key: 0,
    ) -> None:
        """Book what has come since the last time.

        Parameters
        ----------
        fills, splits
            Everything so far, in order.
        instants
            Answers, once for each step of the account's position of a key (see `cambist.model.legs`), at which instant
            it was.
        """
        while True:
            due = splits[self._split] if self._split < len(splits) else None
            if due is not None and due.fills <= self._booked:
                self._split += 1
                self._take_split(due, instants)
            elif self._booked < len(fills):
                fill = self._as_held(fills[self._booked])
                self._booked += 1
                order = self._order_of(fill.order_id)
                self._latest = instants(leg_key(fill.instrument.symbol, order.position_side))
                self._take(fill, order, self._latest)
            else:
                return

    def save(self) -> dict[str, Any]:
        """Return all of this as plain values, for `load`."""
        books = {
            strategy: {asset: save_account(one) for asset, one in share.books.items()}
            for strategy, share in self.shares.items()
        }
        return {"booked": self._booked, "books": books}

    def load(self, saved: Mapping[str, Any]) -> None:
        """Bring shares that were just made to where `save` found them."""
        self._booked = saved["booked"]
        for strategy, books in saved["books"].items():
            for asset, one in books.items():
                load_account(self.shares[strategy].books[asset], one)

    def forget(self, fills: int, keep: int) -> None:
        """Go on with the last `fills` fills, all of which are booked, and no splits; keep few of the closed trades.

        Parameters
        ----------
        fills
            How many there are from now on.
        keep
            See `forget_history`.
        """
        self._booked, self._split = fills, 0
        for share in self.shares.values():
            for books in share.books.values():
                forget_history(books, {"": books}, keep)

    def _as_held(self, fill: Fill) -> Fill:
        other = self._held_as.get(fill.instrument.symbol)
        return fill if other is None else attrs.evolve(fill, instrument=other)

    def _take(self, fill: Fill, order: Order, instant: int) -> None:
        if not order.by_venue:
            self.shares[order.strategy].book(fill, order, instant)
            return
        instrument, grid = fill.instrument, fill.instrument.size_grid
        held = self._held(leg_key(instrument.symbol, order.position_side), self._accounts[order.strategy])
        signed = _steps(grid, fill.size) * fill.side.sign
        parts = _in_proportion(held, Fraction(-signed, sum(held.values())), -signed)
        moved = sum(map(abs, parts.values()))
        for strategy, steps in parts.items():
            if steps:
                side = Side.SELL if steps > 0 else Side.BUY
                fee = fill.fee if abs(steps) == moved else fill.fee * (abs(steps) / moved)
                terms = (_size(grid, abs(steps)), fill.price, fee, fill.liquidity, fill.ts)
                part = Fill(fill.id, fill.order_id, instrument, side, *terms)
                self.shares[strategy].book(part, order, instant)

    def _take_split(self, split: StockSplit, instants: Callable[[str], int]) -> None:
        for account in dict.fromkeys(self._accounts.values()):
            held = self._held(split.symbol, account)
            total = sum(held.values())
            instrument = next(iter(self.shares.values())).positions[split.symbol].instrument
            grid = instrument.size_grid
            if total:
                exact = _size(grid, total) * split.ratio  # as the account itself reckons
                kept = _steps(grid, instrument.round_size(abs(exact))) * (1 if exact > 0.0 else -1)
                self._latest = instants(split.symbol)
            else:  # the account holds nothing and has no step here; shares that cancel each other out do
                kept = 0
            for strategy, steps in _in_proportion(held, Fraction(split.ratio), kept).items():
                books = self.shares[strategy].books[instrument.settle]
                books.split(split.ts, split.symbol, split.ratio, self._latest, _size(grid, steps), split.price)

    def _held(self, key: str, account: str) -> dict[str, int]:
        """Return what each strategy of an account holds, in steps of size; those that hold nothing are left out."""
        held = {}
        for strategy, share in self.shares.items():
            position = share.legs[key]
            if position.size and self._accounts[strategy] == account:
                held[strategy] = _steps(position.instrument.size_grid, position.size)
        return held


def _in_proportion(held: Mapping[str, int], ratio: Fraction, total: int) -> dict[str, int]:
    """Return each of `held` times `ratio` in whole numbers that add up to `total`."""
    parts = {strategy: int(steps * ratio) for strategy, steps in held.items()}
    if parts:
        largest = max(held, key=lambda strategy: abs(held[strategy]))
        parts[largest] += total - sum(parts.values())
    return parts


def _steps(grid: Grid, size: float) -> int:
    return round(Fraction(size) * grid.denominator / grid.numerator)


def _size(grid: Grid, steps: int) -> float:
    return steps * grid.numerator / grid.denominator
