"""A venue for accounts that hold a long and a short position of an instrument side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from cambist.model.legs import SIDES, leg_key
from cambist.model.orders import Liquidity
from cambist.simulation.liquidation import LIQUIDATION, LiquidatingVenue, guard
from cambist.simulation.liquidator import MarginAccount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cambist.model.events import OrderEvent
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order, PositionSide
    from cambist.simulation.liquidator import MarkPrices
    from cambist.simulation.matching import VenueAccount
    from cambist.simulation.rules import VenueRules
    from cambist.simulation.working import Market, Working

__all__ = ["HedgedAccount", "HedgingVenue"]


class HedgedAccount(MarginAccount, Protocol):
    """What this venue must know of the account that trades; see `cambist.portfolio.hedge.HedgePortfolio`."""

    @property
    def sides(self) -> Mapping[PositionSide, VenueAccount]:
        """The account as orders of each side see it."""
        ...

    def levels(self, symbol: str, marks: Mapping[str, float] = ...) -> tuple[float, float]:
        """Return the mark prices at which a fall and a rise liquidate what is held of `symbol`, or NaN."""
        ...

    def pair_left(self, symbol: str, price: float, marks: Mapping[str, float] = ...) -> float:
        """Return what is left behind a pair in cross margin at a mark price."""
        ...

    def pair_bankruptcy(self, symbol: str, marks: Mapping[str, float] = ...) -> float:
        """Return the price at which nothing is left behind it, or NaN."""
        ...

    def pair_is_deficient(self, symbol: str, price: float, marks: Mapping[str, float] = ...) -> bool:
        """Tell whether the equity behind it is no more than maintenance margin at a mark price."""
        ...


class HedgingVenue(LiquidatingVenue):
    """`LiquidatingVenue` for a hedged account.

    The parameters are those of `LiquidatingVenue`; `account` also knows the two sides.

    Notes
    -----
    A pair has two guards: one acts where the price falls, one where it rises. In isolated margin they are those of the
    long and of the short position, which stand for themselves. In cross margin both are the pair's. What is hedged of
    it is closed first, both sides at one price, which costs the account nothing but the fee and frees the maintenance
    margin of both (OKX, "Forced Partial or Full Liquidation": "the pairs of long/short positions will be closed
    immediately. If Margin Ratio reaches the required Maintenance Margin Ratio, liquidation will stop; if it is not
    reached, the liquidation will continue"). Then what is left is liquidated as one position is.
    """

    def __init__(
        self,
        instruments: Iterable[Instrument],
        account: HedgedAccount,
        deliver: Callable[[OrderEvent], None],
        clock: Callable[[], int],
        rules: VenueRules | None = None,
        *,
        adopt: Callable[..., Order],
        marks: Mapping[str, MarkPrices],
        seed: int = 0,
    ) -> None:
        super().__init__(instruments, account, deliver, clock, rules, adopt=adopt, marks=marks, seed=seed)
        self._hedged = account
        first = len(self.markets)
        self._rising = {
            symbol: guard(first + number, market) for number, (symbol, market) in enumerate(self.markets.items())
        }
        self._funds = {side: account.sides[side].missing_funds for side in SIDES}
        self._whole_funds = account.missing_funds

    # Orders.

    def _execute(self, market: Market, working: Working, price: float, who: Liquidity, ts: int) -> None:
        """Trade what volume, position and funds allow at `price`, of the position that the order names."""
        side = working.order.position_side
        self._missing_funds = self._whole_funds if side is None else self._funds[side]
        super()._execute(market, working, price, who, ts)

    def _reducible(self, working: Working, ts: int) -> float:
        """Return the most that an order may close of its position; one that may close nothing ends."""
        order = working.order
        if order.position_side is None:
            return super()._reducible(working, ts)
        held = self._hedged.legs[leg_key(order.instrument.symbol, order.position_side)].size
        reducible = -held if order.is_buy else held
        if reducible <= 0.0:
            self._end_reduced(working, ts)
            return 0.0
        return reducible

    # Guards.

    def _watch(self, symbol: str) -> None:
        """Put the guards of a pair where they belong, or take them away."""
        market, account = self.markets[symbol], self._hedged
        long, short = self._sides(symbol)
        if not (self._isolates(market.instrument) or market.instrument.is_cash):
            long = short = long or short  # what is left of the pair decides for both
        falls, rises = account.levels(symbol) if long or short else (0.0, 0.0)
        for held, one, falling, level in (
            (short, self._rising[symbol], False, rises),
            (long, self._guards[symbol], True, falls),
        ):
            if held:
                self._place(symbol, one, falling, level)
            else:
                market.working.pop(one.order.id, None)

    def _sides(self, symbol: str) -> tuple[bool, bool]:
        """Tell whether a long and a short position in `symbol` are open."""
        legs, position = self._hedged.legs, self._hedged.positions[symbol]
        if symbol in legs:
            return position.size > 0.0, position.size < 0.0
        return legs[leg_key(symbol, SIDES[0])].size != 0.0, legs[leg_key(symbol, SIDES[1])].size != 0.0

    def _isolates(self, instrument: Instrument) -> bool:
        return self._margin.terms.is_isolated and not instrument.is_cash

    def _due(self, symbol: str, working: Working) -> tuple[str, float]:
        """Return what a guard stands for, and the mark price at which it acts."""
        falls, rises = self._hedged.levels(symbol)
        rising = working is self._rising[symbol]
        level = rises if rising else falls
        if self._isolates(working.market.instrument):
            return leg_key(symbol, SIDES[rising]), level
        return symbol, level

    # Liquidation.

    def _close_out(self, key: str, reached: float, ts: int, marks: Mapping[str, float]) -> None:
        """Close one position, or a pair as far as it must be."""
        account = self._hedged
        if key in account.legs:
            super()._close_out(key, reached, ts, marks)
            return
        long, short = (leg_key(key, side) for side in SIDES)
        hedged = min(account.legs[long].size, -account.legs[short].size)
        if hedged:
            self._close_pair(key, hedged, reached, ts, marks)
        # Without a pair the guard has been right: something must go, whatever float noise says at its very price.
        if hedged and account.terms.liquidation == "by_tier" and not account.pair_is_deficient(key, reached, marks):
            return
        for one in (long, short):
            if account.legs[one].size:
                super()._close_out(one, reached, ts, marks)

    def _close_pair(self, symbol: str, size: float, reached: float, ts: int, marks: Mapping[str, float]) -> None:
        """Close `size` of both sides at one price: that makes and loses nothing against the mark price."""
        margin, instrument = self._hedged, self.markets[symbol].instrument
        grid = instrument.price_grid
        price = reached if grid is None else grid.nearest(reached)
        for side in SIDES:
            fee = instrument.notional(size, price) * margin.terms.liquidation_fee
            fee = min(fee, max(0.0, margin.pair_left(symbol, price, marks)))
            key = leg_key(symbol, side)
            margin.note_liquidation(key, size, ts, price, fee, reached)
            self._liquidator.send(key, size, price, fee, Liquidity.TAKER, ts, LIQUIDATION)
