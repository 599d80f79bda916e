"""What backs the positions of an account on margin, when that is too little, and at what price nothing is left."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from cambist.portfolio.portfolio import Portfolio, worth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cambist.model.instrument import Instrument
    from cambist.model.margin import MaintenanceTable, Margin
    from cambist.model.portfolio import Position

__all__ = ["BackedPortfolio"]

_NO_MARKS: Mapping[str, float] = {}


class BackedPortfolio(Portfolio):
    """A portfolio with leverage by instrument, maintenance margin and mark prices.

    Parameters
    ----------
    instruments, cash, leverage
        See `Portfolio`; `leverage` is that of instruments paid in full.
    margin
        Of the others.

    Attributes
    ----------
    terms
        How it trades on margin.
    leverages
        Of each margined instrument, by symbol.
    isolated
        Money set aside for each isolated position, by the keys of `legs`.

    Notes
    -----
    Positions that are backed by the account (all of them in cross mode; in isolated mode those in instruments paid in
    full) form the *pool*: its equity is cash, less what is set aside for isolated positions, plus the worth of its
    positions at mark prices.
    """

    def __init__(
        self, instruments: Iterable[Instrument], cash: float, leverage: float = 1.0, *, margin: Margin
    ) -> None:
        super().__init__(instruments, cash, leverage)
        self.terms = margin
        margin.check_symbols(list(self.positions))
        listed = {symbol: position.instrument for symbol, position in self.positions.items()}
        self.tables: dict[str, MaintenanceTable] = {symbol: margin.table_of(one) for symbol, one in listed.items()}
        self.leverages = {symbol: margin.leverage_of(one) for symbol, one in listed.items() if not one.is_cash}
        self.isolated: dict[str, float] = {}
        self._rates = {
            symbol: 1.0 / (self.leverage if one.is_cash else self.leverages[symbol]) for symbol, one in listed.items()
        }
        self._isolates = {symbol: margin.is_isolated and not one.is_cash for symbol, one in listed.items()}
        self._marks: dict[str, Callable[[], float]] = {}

    def set_mark_source(self, symbol: str, source: Callable[[], float]) -> None:
        """Say where the mark price of `symbol` is read; without, it is the last close."""
        self._marks[symbol] = source

    def leverage_limit(self, instrument: Instrument) -> float:
        """Return the largest leverage that may be set, whatever is held."""
        return 1.0 / instrument.margin_rate

    def set_leverage(self, symbol: str, leverage: float) -> None:
        """Trade a margined instrument at another leverage from now on."""
        self.leverages[symbol] = leverage
        self._rates[symbol] = 1.0 / leverage

    def mark(self, position: Position) -> float:
        """Return the mark price of a position."""
        source = self._marks.get(position.instrument.symbol)
        price = nan if source is None else source()
        return price if price == price else position.last_price  # noqa: PLR0124 - NaN: none is known yet

    # The pool.

    def _initial(self, instrument: Instrument, size: float, price: float) -> float:
        return abs(instrument.notional(size, price)) * self._rates[instrument.symbol]

    def _pool(self) -> list[Position]:
        isolates = self._isolates
        return [held for held in self.legs.values() if held.size != 0.0 and not isolates[held.instrument.symbol]]

    def _pool_cash(self) -> float:
        return self.cash - sum(self.isolated.values()) if self.isolated else self.cash

    # Liquidation.

    def left(self, key: str, price: float, marks: Mapping[str, float] = _NO_MARKS) -> float:
        """Return what backs the position `key` and is left of it at mark price `price`.

        Parameters
        ----------
        marks
            Mark prices by symbol that are newer than those of the account.
        """
        position = self.legs[key]
        return self._backing(key, marks) + worth(position, price)

    def maintenance(self, position: Position, price: float) -> float:
        """Return the maintenance margin of a position at mark price `price`."""
        at = price if self.terms.maintenance_on == "mark" else position.average_price
        return self.tables[position.instrument.symbol].margin(abs(position.instrument.notional(position.size, at)))

    def liquidation_price(self, key: str, marks: Mapping[str, float] = _NO_MARKS) -> float:
        """Return the mark price at which the position `key` is liquidated; NaN where there is none.

        There what backs the position equals the maintenance margin that it needs, everything else staying as it is.
        """
        position = self.legs[key]
        if position.size == 0.0:
            return nan
        base, direction = self._line(key, marks)
        base -= self._others_maintenance(key, marks)
        if self.terms.maintenance_on == "mark":
            notional = self.tables[position.instrument.symbol].threshold(base, direction)
        else:
            notional = (self.maintenance(position, nan) - base) / direction
        return _price_of(position, notional)

    def bankruptcy_price(self, key: str, marks: Mapping[str, float] = _NO_MARKS) -> float:
        """Return the price at which nothing is left of what backs the position `key`; NaN where there is none."""
        position = self.legs[key]
        base, direction = self._line(key, marks)
        return _price_of(position, -base / direction)

    def worst_deficient(self, marks: Mapping[str, float]) -> str | None:
        """Return the position of the pool to close first where its equity is no more than maintenance margin.

        It is the one that ties up the most; None where there is enough.
        """
        equity, total = self._pool_cash(), 0.0
        worst, most = None, -1.0
        for held in self._pool():
            symbol = held.instrument.symbol
            mark = marks[symbol] if symbol in marks else self.mark(held)
            needed = self.maintenance(held, mark)
            equity += worth(held, mark)
            total += needed
            if needed > most:
                worst, most = symbol, needed
        return worst if equity <= total else None

    def _line(self, key: str, marks: Mapping[str, float]) -> tuple[float, float]:
        """Return what backs a position as ``base + direction * notional``, its notional being positive."""
        position = self.legs[key]
        instrument, size = position.instrument, position.size
        base = self._backing(key, marks)
        direction = 1.0 if size > 0.0 else -1.0
        if instrument.is_cash:
            return base, direction
        entry = direction * abs(instrument.notional(size, position.average_price))
        # Linear: size * (price - entry price). Inverse: size * (1 / entry price - 1 / price), which falls as the
        # notional in coins grows.
        return (base + entry, -direction) if instrument.is_inverse else (base - entry, direction)

    def _backing(self, key: str, marks: Mapping[str, float]) -> float:
        """Return the money behind a position, its own worth left out."""
        position = self.legs[key]
        if self._isolates[position.instrument.symbol]:
            return self.isolated.get(key, 0.0)
        total = self._pool_cash()
        for held in self._pool():
            other = held.instrument.symbol
            if held is not position:
                total += worth(held, marks[other] if other in marks else self.mark(held))
        return total

    def _others_maintenance(self, key: str, marks: Mapping[str, float]) -> float:
        position = self.legs[key]
        if self._isolates[position.instrument.symbol]:
            return 0.0
        total = 0.0
        for held in self._pool():
            other = held.instrument.symbol
            if held is not position:
                total += self.maintenance(held, marks[other] if other in marks else self.mark(held))
        return total


def _price_of(position: Position, notional: float) -> float:
    """Return the price at which a position has that (positive) notional; NaN where none does."""
    if not 0.0 < notional < float("inf"):
        return nan
    instrument = position.instrument
    units = abs(position.size) * instrument.multiplier
    return units / notional if instrument.is_inverse else notional / units
