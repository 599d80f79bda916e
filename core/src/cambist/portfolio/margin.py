"""An account on margin: what backs a position, when that is too little, and at what price nothing is left."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

import attrs

from cambist.model.times import format_ns
from cambist.portfolio.portfolio import Portfolio, worth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cambist.model.instrument import Instrument
    from cambist.model.margin import MaintenanceTable, Margin
    from cambist.model.orders import Fill, Order
    from cambist.model.portfolio import Account, CashFlow, Position, Trade

__all__ = ["Liquidation", "MarginPortfolio"]

_FUNDS_TOLERANCE = 1e-9
_NO_MARKS: Mapping[str, float] = {}


@attrs.frozen(slots=True)
class Liquidation:
    """A position that the venue closed.

    Attributes
    ----------
    symbol, size
        What was held, negative when short.
    ts
        When, ns, UTC.
    price, fee
        At which it was closed, and what that cost.
    """

    symbol: str
    size: float
    ts: int
    price: float
    fee: float

    def describe(self, currency: str) -> str:
        """Return a sentence for people."""
        side = "long" if self.size > 0.0 else "short"
        return (
            f"liquidation: the {side} position of {abs(self.size):g} {self.symbol} was closed by the venue at "
            f"{self.price:g}, {format_ns(self.ts)}, for a fee of {self.fee:,.8g} {currency}: its margin was used up. "
            "Trade smaller, at less leverage, or with a stop."
        )


class MarginPortfolio(Portfolio):
    """A portfolio with leverage by instrument, maintenance margin and mark prices.

    Parameters
    ----------
    instruments, cash, leverage
        See `Portfolio`; `leverage` is that of instruments paid in full.
    margin
        Of the others.

    Attributes
    ----------
    isolated
        Money set aside for each isolated position, by symbol.
    liquidations
        Positions that the venue closed, in that order.

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
        self.liquidations: list[Liquidation] = []
        self._liquidating = ""
        self._rates = {
            symbol: 1.0 / (self.leverage if one.is_cash else self.leverages[symbol]) for symbol, one in listed.items()
        }
        self._isolates = {symbol: margin.is_isolated and not one.is_cash for symbol, one in listed.items()}
        self._marks: dict[str, Callable[[], float]] = {}

    def set_mark_source(self, symbol: str, source: Callable[[], float]) -> None:
        """Say where the mark price of `symbol` is read; without, it is the last close."""
        self._marks[symbol] = source

    def mark(self, position: Position) -> float:
        """Return the mark price of a position."""
        source = self._marks.get(position.instrument.symbol)
        price = nan if source is None else source()
        return price if price == price else position.last_price  # noqa: PLR0124 - NaN: none is known yet

    # Fills.

    def apply(self, fill: Fill, order: Order, instant: int) -> Trade | None:
        """Book one fill, and set aside or release the margin of an isolated position; see `Portfolio.apply`."""
        instrument = fill.instrument
        symbol = instrument.symbol
        before = self.positions[symbol].size
        trade = super().apply(fill, order, instant)
        if self._isolates[symbol]:
            self._set_aside(instrument, before, self.positions[symbol].size, fill.price)
        if self._liquidating == symbol:
            self._liquidating = ""
            if trade is not None:
                trade.reason = "liquidation"
        return trade

    def _set_aside(self, instrument: Instrument, before: float, after: float, price: float) -> None:
        symbol = instrument.symbol
        held = self.isolated.pop(symbol, 0.0)
        if after == 0.0:
            return
        if before * after <= 0.0:
            held, opened = 0.0, after
        else:
            opened = after - before if abs(after) > abs(before) else 0.0
            if opened == 0.0:
                held *= after / before
        self.isolated[symbol] = held + abs(instrument.notional(opened, price)) * self._rates[symbol]

    def move_cash(self, flow: CashFlow, instant: int) -> None:
        """Book money that moves without a fill; see `Portfolio.move_cash`.

        What the account cannot pay comes out of the margin of isolated positions, in proportion ("Funding Fee
        Calculation" at Bybit: first the available balance, then the position margin).
        """
        super().move_cash(flow, instant)
        total = sum(self.isolated.values())
        short = total - self.cash
        if short > 0.0 and total > 0.0:
            share = max(0.0, 1.0 - short / total)
            self.isolated = {symbol: held * share for symbol, held in self.isolated.items()}

    # Money.

    def missing_funds(
        self, instrument: Instrument, signed: float, price: float, fee: float, tolerance: float = _FUNDS_TOLERANCE
    ) -> float:
        """Return the money that would be missing after a fill, or 0.0 where there is enough.

        A fill that only shrinks a position always has enough. Otherwise the initial margin of everything held
        afterwards must not exceed what backs it; see `Portfolio.missing_funds`.
        """
        symbol = instrument.symbol
        position = self.positions[symbol]
        before = position.size
        after = before + signed
        if abs(after) <= abs(before) and after * before >= 0.0:
            return 0.0
        if self._isolates[symbol]:
            turned = before * after < 0.0
            opened = after if turned else after - before
            needed = abs(instrument.notional(opened, price)) * self._rates[symbol]
            free = self._free()
            if turned:  # what backed the old position comes back, with what it made
                free += self.isolated.get(symbol, 0.0) + instrument.profit(before, position.average_price, price)
            missing = needed + fee - free
            return missing if missing > tolerance * needed else 0.0
        pool, margin = self._pool_cash() - fee, self._initial(instrument, after, price)
        for held in self._pool():
            at = price if held is position else self.mark(held)
            pool += worth(held, at)
            if held is not position:
                margin += self._initial(held.instrument, held.size, at)
        missing = margin - pool
        return missing if missing > tolerance * margin else 0.0

    def free_notional(self, instrument: Instrument) -> float:
        """Return the value of `instrument` that could still be opened at mark prices, in the account's currency."""
        return max(0.0, self._free()) / self._rates[instrument.symbol]

    @property
    def free_cash(self) -> float:
        """What could be taken out: the equity of the pool less its initial margin."""
        return self._free()

    @property
    def equity(self) -> float:
        """Cash plus the worth of everything held, at mark prices, in the account's currency."""
        return self.cash + sum(worth(held, self.mark(held)) for held in self.positions.values() if held.size != 0.0)

    @property
    def margin(self) -> float:
        """Initial margin that open positions need; what is set aside for isolated ones."""
        cross = sum(self._initial(held.instrument, held.size, self.mark(held)) for held in self._pool())
        return cross + sum(self.isolated.values())

    def account(self) -> Account:
        """Return a snapshot of the account at mark prices."""
        unrealized = sum(
            held.instrument.profit(held.size, held.average_price, self.mark(held))
            for held in self.positions.values()
            if held.size != 0.0
        )
        return attrs.evolve(super().account(), unrealized=unrealized)

    def _initial(self, instrument: Instrument, size: float, price: float) -> float:
        return abs(instrument.notional(size, price)) * self._rates[instrument.symbol]

    def _pool(self) -> list[Position]:
        isolates = self._isolates
        return [held for symbol, held in self.positions.items() if held.size != 0.0 and not isolates[symbol]]

    def _pool_cash(self) -> float:
        return self.cash - sum(self.isolated.values()) if self.isolated else self.cash

    def _free(self) -> float:
        free = self._pool_cash()
        for held in self._pool():
            mark = self.mark(held)
            free += worth(held, mark) - self._initial(held.instrument, held.size, mark)
        return free

    # Liquidation.

    def left(self, symbol: str, price: float, marks: Mapping[str, float] = _NO_MARKS) -> float:
        """Return what backs the position in `symbol` and is left of it at mark price `price`.

        Parameters
        ----------
        marks
            Mark prices by symbol that are newer than those of the account.
        """
        position = self.positions[symbol]
        return self._backing(symbol, marks) + worth(position, price)

    def maintenance(self, position: Position, price: float) -> float:
        """Return the maintenance margin of a position at mark price `price`."""
        at = price if self.terms.maintenance_on == "mark" else position.average_price
        return self.tables[position.instrument.symbol].margin(abs(position.instrument.notional(position.size, at)))

    def liquidation_price(self, symbol: str, marks: Mapping[str, float] = _NO_MARKS) -> float:
        """Return the mark price at which the position in `symbol` is liquidated; NaN where there is none.

        There what backs the position equals the maintenance margin that it needs, everything else staying as it is.
        """
        position = self.positions[symbol]
        if position.size == 0.0:
            return nan
        base, direction = self._line(position, marks)
        base -= self._others_maintenance(symbol, marks)
        if self.terms.maintenance_on == "mark":
            notional = self.tables[symbol].threshold(base, direction)
        else:
            notional = (self.maintenance(position, nan) - base) / direction
        return _price_of(position, notional)

    def bankruptcy_price(self, symbol: str, marks: Mapping[str, float] = _NO_MARKS) -> float:
        """Return the price at which nothing is left of what backs the position in `symbol`; NaN where there is none."""
        position = self.positions[symbol]
        base, direction = self._line(position, marks)
        return _price_of(position, -base / direction)

    def note_liquidation(self, symbol: str, ts: int, price: float, fee: float) -> None:
        """Learn that the next fill of `symbol` closes the whole position because its margin is used up."""
        self._liquidating = symbol
        self.liquidations.append(Liquidation(symbol, self.positions[symbol].size, ts, price, fee))

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

    def _line(self, position: Position, marks: Mapping[str, float]) -> tuple[float, float]:
        """Return what backs a position as ``base + direction * notional``, its notional being positive."""
        instrument, size = position.instrument, position.size
        base = self._backing(instrument.symbol, marks)
        direction = 1.0 if size > 0.0 else -1.0
        if instrument.is_cash:
            return base, direction
        entry = direction * abs(instrument.notional(size, position.average_price))
        # Linear: size * (price - entry price). Inverse: size * (1 / entry price - 1 / price), which falls as the
        # notional in coins grows.
        return (base + entry, -direction) if instrument.is_inverse else (base - entry, direction)

    def _backing(self, symbol: str, marks: Mapping[str, float]) -> float:
        """Return the money behind a position, its own worth left out."""
        if self._isolates[symbol]:
            return self.isolated.get(symbol, 0.0)
        total = self._pool_cash()
        for held in self._pool():
            other = held.instrument.symbol
            if other != symbol:
                total += worth(held, marks[other] if other in marks else self.mark(held))
        return total

    def _others_maintenance(self, symbol: str, marks: Mapping[str, float]) -> float:
        if self._isolates[symbol]:
            return 0.0
        total = 0.0
        for held in self._pool():
            other = held.instrument.symbol
            if other != symbol:
                total += self.maintenance(held, marks[other] if other in marks else self.mark(held))
        return total


def _price_of(position: Position, notional: float) -> float:
    """Return the price at which a position has that (positive) notional; NaN where none does."""
    if not 0.0 < notional < float("inf"):
        return nan
    instrument = position.instrument
    units = abs(position.size) * instrument.multiplier
    return units / notional if instrument.is_inverse else notional / units
