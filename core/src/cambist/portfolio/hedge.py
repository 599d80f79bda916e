"""An account on margin that holds a long and a short position of an instrument side by side."""

from __future__ import annotations

from math import inf, nan
from typing import TYPE_CHECKING

from cambist.model.legs import SIDES, leg_key
from cambist.model.margin import MaintenanceTable, MarginTier
from cambist.model.orders import PositionSide
from cambist.portfolio.margin import MarginPortfolio
from cambist.portfolio.portfolio import worth
from cambist.portfolio.sides import keep_sides

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cambist.model.instrument import Instrument
    from cambist.model.margin import Margin
    from cambist.model.orders import Fill, Order
    from cambist.model.portfolio import Account, Position, Trade

__all__ = ["HedgePortfolio", "LegAccount"]

_FUNDS_TOLERANCE = 1e-9
_NO_MARKS: Mapping[str, float] = {}
#: Of margin that does not change with the price.
_NOTHING_TO_KEEP = MaintenanceTable((MarginTier(maintenance_rate=0.0),), (0.0,))


class HedgePortfolio(MarginPortfolio):
    """A portfolio on margin in hedge mode: two positions in each margined instrument, one in every other.

    Parameters
    ----------
    instruments, cash, leverage, margin
        See `MarginPortfolio`.

    Notes
    -----
    `legs` has the positions that orders trade, `positions` their sums. Both sides need initial and maintenance margin
    of their own, each by the tier of its own notional, as at Binance and OKX; a pair that is hedged gets no discount.
    In cross margin both sides have one liquidation price ("both long and short positions of the same contract are
    sharing the same liquidation price in cross margin mode", Binance), or two, since the margin of a hedged pair grows
    with the price while its profit does not.
    """

    def __init__(
        self, instruments: Iterable[Instrument], cash: float, leverage: float = 1.0, *, margin: Margin
    ) -> None:
        super().__init__(instruments, cash, leverage, margin=margin)
        keep_sides(self)
        self.sides = {side: LegAccount(self, side) for side in SIDES}

    def key_of(self, instrument: Instrument, side: PositionSide | None) -> str:
        """Return the key of the position of an order for `side`."""
        return instrument.symbol if instrument.is_cash else leg_key(instrument.symbol, side)

    def set_price_source(self, symbol: str, source: Callable[[], float]) -> None:
        """Say where the last close of `symbol` is read."""
        self.positions[symbol].price_source = source  # a pair hands it on to both sides

    def apply(self, fill: Fill, order: Order, instant: int, key: str = "") -> Trade | None:
        """Book one fill of the position that the order names; see `MarginPortfolio.apply`."""
        return super().apply(fill, order, instant, key or self.key_of(fill.instrument, order.position_side))

    def missing_funds(
        self, instrument: Instrument, signed: float, price: float, fee: float, tolerance: float = _FUNDS_TOLERANCE
    ) -> float:
        """Return what would be missing after a fill that opens: bought long, sold short; see `LegAccount`."""
        side = PositionSide.LONG if signed > 0.0 else PositionSide.SHORT
        return self._missing(self.key_of(instrument, side), signed, price, fee, tolerance)

    # Liquidation.

    def levels(self, symbol: str, marks: Mapping[str, float] = _NO_MARKS) -> tuple[float, float]:
        """Return the mark prices at which a fall and a rise liquidate what is held of `symbol`; NaN where none does.

        In isolated margin they are those of the long and of the short position, in cross margin those of the pair.
        """
        position = self.positions[symbol]
        instrument = position.instrument
        if instrument.is_cash:
            price = self.liquidation_price(symbol, marks)
            return (price, nan) if position.size > 0.0 else (nan, price)
        if self._isolates[symbol]:
            return self.liquidation_price(leg_key(symbol, SIDES[0])), self.liquidation_price(leg_key(symbol, SIDES[1]))
        low, high = self._crossings(symbol, marks)
        if instrument.is_inverse:
            return instrument.multiplier / high, instrument.multiplier / low
        return low / instrument.multiplier, high / instrument.multiplier

    def _crossings(self, symbol: str, marks: Mapping[str, float]) -> tuple[float, float]:
        """Return the notionals of one unit between which equity is above maintenance margin; NaN for no bound.

        Equity is a line over it, maintenance margin a convex function of straight pieces.
        """
        pair = self._pair(symbol)
        sizes = [abs(leg.size) for leg in pair]
        if not any(sizes):
            return nan, nan
        base, slope = self._pair_line(symbol, marks)
        base -= self._other_maintenance(symbol, marks)
        table = self.tables[symbol]
        if self.terms.maintenance_on == "entry":
            base -= sum(self.maintenance(leg, nan) for leg in pair if leg.size != 0.0)
            table, sizes = _NOTHING_TO_KEEP, [1.0]
        low = high = nan
        floor = 0.0
        for bound in (*sorted({top / size for size in sizes if size for top in table.kinks()}), inf):
            level, rise = base, slope
            for size in filter(None, sizes):
                rate, amount = table.line(size * bound)
                level += amount
                rise -= rate * size
            found = -level / rise if rise else nan
            if floor < found <= bound:
                low, high = (found, high) if rise > 0.0 else (low, found)
            floor = bound
        if low != low and high != high and base <= 0.0:  # noqa: PLR0124 - NaN: it is below at every price
            return inf, nan
        return low, high

    def _pair(self, symbol: str) -> tuple[Position, Position]:
        return self.legs[leg_key(symbol, SIDES[0])], self.legs[leg_key(symbol, SIDES[1])]

    def _pair_line(self, symbol: str, marks: Mapping[str, float]) -> tuple[float, float]:
        """Return the equity behind a pair in cross margin as ``base + slope * notional of one unit``."""
        base, slope = self._pool_cash(), 0.0
        for held in self._pool():
            instrument = held.instrument
            if instrument.symbol != symbol:
                base += worth(held, marks.get(instrument.symbol, self.mark(held)))
                continue
            entry = instrument.notional(held.size, held.average_price)
            base, slope = (
                (base + entry, slope - held.size) if instrument.is_inverse else (base - entry, slope + held.size)
            )
        return base, slope

    def _other_maintenance(self, symbol: str, marks: Mapping[str, float]) -> float:
        """Return the maintenance margin of everything in the pool but the pair of `symbol`."""
        return sum(
            self.maintenance(held, marks.get(held.instrument.symbol, self.mark(held)))
            for held in self._pool()
            if held.instrument.symbol != symbol
        )

    def pair_left(self, symbol: str, price: float, marks: Mapping[str, float] = _NO_MARKS) -> float:
        """Return the equity of the pool with the pair of `symbol` at mark price `price`."""
        base, slope = self._pair_line(symbol, marks)
        return base + slope * self.positions[symbol].instrument.notional(1.0, price)

    def pair_bankruptcy(self, symbol: str, marks: Mapping[str, float] = _NO_MARKS) -> float:
        """Return the price at which nothing is left of the pool; NaN where there is none, as for a full hedge."""
        base, slope = self._pair_line(symbol, marks)
        unit = -base / slope if slope else nan
        if not 0.0 < unit < inf:
            return nan
        instrument = self.positions[symbol].instrument
        return instrument.multiplier / unit if instrument.is_inverse else unit / instrument.multiplier

    def pair_is_deficient(self, symbol: str, price: float, marks: Mapping[str, float] = _NO_MARKS) -> bool:
        """Tell whether the equity of the pool is no more than maintenance margin with `symbol` at `price`."""
        needed = sum(self.maintenance(leg, price) for leg in self._pair(symbol) if leg.size != 0.0)
        return self.pair_left(symbol, price, marks) <= needed + self._other_maintenance(symbol, marks)

    def worst_deficient(self, marks: Mapping[str, float]) -> str | None:
        """Return the instrument of the pool to close first where its equity is no more than maintenance margin."""
        equity, needed = self._pool_cash(), dict[str, float]()
        for held in self._pool():
            symbol = held.instrument.symbol
            mark = marks.get(symbol, self.mark(held))
            equity += worth(held, mark)
            needed[symbol] = needed.get(symbol, 0.0) + self.maintenance(held, mark)
        return max(needed, key=needed.__getitem__) if needed and equity <= sum(needed.values()) else None


class LegAccount:
    """A hedged account as orders of one side see it: their own positions, and everybody's money.

    Parameters
    ----------
    account
        The whole account.
    side
        Whose positions.

    Attributes
    ----------
    positions
        By symbol: those of the side, and those in instruments paid in full, which have no sides.
    """

    def __init__(self, account: HedgePortfolio, side: PositionSide) -> None:
        self._account = account
        self._side = side
        self.positions = {
            symbol: account.legs[account.key_of(position.instrument, side)]
            for symbol, position in account.positions.items()
        }

    def account(self) -> Account:
        """Return a snapshot of the whole account."""
        return self._account.account()

    def margin_of(self, instrument: Instrument, size: float, price: float) -> float:
        """Return the initial margin of a position of `size` at `price`."""
        return self._account.margin_of(instrument, size, price)

    def missing_funds(
        self, instrument: Instrument, signed: float, price: float, fee: float, tolerance: float = _FUNDS_TOLERANCE
    ) -> float:
        """Return the money that would be missing after a fill of the side; see `MarginPortfolio.missing_funds`."""
        account = self._account
        return account._missing(account.key_of(instrument, self._side), signed, price, fee, tolerance)  # noqa: SLF001
