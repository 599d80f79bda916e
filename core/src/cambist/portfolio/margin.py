"""An account on margin: what backs a position, when that is too little, and at what price nothing is left."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

import attrs

from cambist.model.portfolio import CashFlow
from cambist.portfolio.liquidations import Liquidation, insured, size_to_close
from cambist.portfolio.portfolio import Portfolio, worth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cambist.model.instrument import Instrument
    from cambist.model.margin import MaintenanceTable, Margin
    from cambist.model.orders import Fill, Order
    from cambist.model.portfolio import Account, MarginChange, Position, Trade

__all__ = ["MarginPortfolio"]

_FUNDS_TOLERANCE = 1e-9
_NO_MARKS: Mapping[str, float] = {}


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
    leverages
        Of each margined instrument, by symbol.
    isolated
        Money set aside for each isolated position, by the keys of `legs`.
    liquidations
        Positions that the venue closed, in that order.
    margin_changes, refused_changes
        Margin moved and leverages changed while it ran, and what was refused, in that order.

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
        self.margin_changes: list[MarginChange] = []
        self.refused_changes: list[MarginChange] = []
        self._closing = self._closing_for = ""
        self._rates = {
            symbol: 1.0 / (self.leverage if one.is_cash else self.leverages[symbol]) for symbol, one in listed.items()
        }
        self._isolates = {symbol: margin.is_isolated and not one.is_cash for symbol, one in listed.items()}
        self._marks: dict[str, Callable[[], float]] = {}

    def set_mark_source(self, symbol: str, source: Callable[[], float]) -> None:
        """Say where the mark price of `symbol` is read; without, it is the last close."""
        self._marks[symbol] = source

    def set_leverage(self, symbol: str, leverage: float) -> None:
        """Trade a margined instrument at another leverage from now on."""
        self.leverages[symbol] = leverage
        self._rates[symbol] = 1.0 / leverage

    def mark(self, position: Position) -> float:
        """Return the mark price of a position."""
        source = self._marks.get(position.instrument.symbol)
        price = nan if source is None else source()
        return price if price == price else position.last_price  # noqa: PLR0124 - NaN: none is known yet

    # Fills.

    def apply(self, fill: Fill, order: Order, instant: int, key: str = "") -> Trade | None:
        """Book one fill, and set aside or release the margin of an isolated position; see `Portfolio.apply`."""
        instrument = fill.instrument
        symbol = instrument.symbol
        key = key or symbol
        position = self.legs[key]
        before, realized = position.size, position.realized
        trade = super().apply(fill, order, instant, key)
        if self._isolates[symbol]:
            if self._closing == key and self._closing_for == "liquidation" and position.size != 0.0:
                self.isolated[key] += position.realized - realized - fill.fee  # what is left stays behind the rest
            else:
                self._set_aside(key, before, position.size, fill.price)
        if self._closing == key:
            if trade is not None:
                trade.reason = self._closing_for
            if self._closing_for == "liquidation":
                self._claim(fill.ts, symbol, instant)
            self._closing = self._closing_for = ""
        return trade

    def _claim(self, ts: int, symbol: str, instant: int) -> None:
        """Have the insurance fund pay what a liquidation left below zero."""
        paid = insured(self)
        if paid:
            self.move_cash(CashFlow(ts, "insurance", symbol, self.currency, paid), instant)

    def _set_aside(self, key: str, before: float, after: float, price: float) -> None:
        instrument = self.legs[key].instrument
        held = self.isolated.pop(key, 0.0)
        if after == 0.0:
            return
        if before * after <= 0.0:
            held, opened = 0.0, after
        else:
            opened = after - before if abs(after) > abs(before) else 0.0
            if opened == 0.0:
                held *= after / before
        self.isolated[key] = held + abs(instrument.notional(opened, price)) * self._rates[instrument.symbol]

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
            self.isolated = {key: held * share for key, held in self.isolated.items()}

    # Money.

    def missing_funds(
        self, instrument: Instrument, signed: float, price: float, fee: float, tolerance: float = _FUNDS_TOLERANCE
    ) -> float:
        """Return the money that would be missing after a fill, or 0.0 where there is enough.

        A fill that only shrinks a position always has enough. Otherwise the initial margin of everything held
        afterwards must not exceed what backs it; see `Portfolio.missing_funds`.
        """
        return self._missing(instrument.symbol, signed, price, fee, tolerance)

    def _missing(self, key: str, signed: float, price: float, fee: float, tolerance: float) -> float:
        """`missing_funds` for a fill of the position `key`."""
        position = self.legs[key]
        instrument, before = position.instrument, position.size
        after = before + signed
        if abs(after) <= abs(before) and after * before >= 0.0:
            return 0.0
        if self._isolates[instrument.symbol]:
            turned = before * after < 0.0
            opened = after if turned else after - before
            needed = abs(instrument.notional(opened, price)) * self._rates[instrument.symbol]
            free = self._free()
            if turned:  # what backed the old position comes back, with what it made
                free += self.isolated.get(key, 0.0) + instrument.profit(before, position.average_price, price)
            missing = needed + fee - free
            return missing if missing > tolerance * needed else 0.0
        pool, margin = self._pool_cash() - fee, self._initial(instrument, after, price)
        for held in self._pool():
            at = price if held.instrument is instrument else self.mark(held)
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
        total = self.cash
        for held in self.legs.values():  # one after the other, as the equity curve does
            if held.size != 0.0:
                total += worth(held, self.mark(held))
        return total

    @property
    def margin(self) -> float:
        """Initial margin that open positions need; what is set aside for isolated ones."""
        cross = sum(self._initial(held.instrument, held.size, self.mark(held)) for held in self._pool())
        return cross + sum(self.isolated.values())

    def account(self) -> Account:
        """Return a snapshot of the account at mark prices."""
        unrealized = sum(
            held.instrument.profit(held.size, held.average_price, self.mark(held))
            for held in self.legs.values()
            if held.size != 0.0
        )
        return attrs.evolve(super().account(), unrealized=unrealized)

    def _initial(self, instrument: Instrument, size: float, price: float) -> float:
        return abs(instrument.notional(size, price)) * self._rates[instrument.symbol]

    def _pool(self) -> list[Position]:
        isolates = self._isolates
        return [held for held in self.legs.values() if held.size != 0.0 and not isolates[held.instrument.symbol]]

    def _pool_cash(self) -> float:
        return self.cash - sum(self.isolated.values()) if self.isolated else self.cash

    def _free(self) -> float:
        free = self._pool_cash()
        for held in self._pool():
            mark = self.mark(held)
            free += worth(held, mark) - self._initial(held.instrument, held.size, mark)
        return free

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

    def size_to_close(self, key: str, price: float, fill: float, marks: Mapping[str, float] = _NO_MARKS) -> float:
        """Return how much of a position brings it into a tier where there is margin enough; 0.0 where none does.

        Parameters
        ----------
        price, fill
            The mark price, and the price that the closing gets.
        """
        surplus = self.left(key, price, marks) - self._others_maintenance(key, marks)
        return size_to_close(self, self.legs[key], surplus, price, fill)

    def note_liquidation(self, key: str, size: float, ts: int, fill: float, fee: float, mark: float) -> None:
        """Learn that the next fill of the position `key` closes `size` of it because its margin is used up.

        Parameters
        ----------
        fill, fee
            Price and fee of that fill.
        mark
            The mark price at which it happens.
        """
        self.note_closing(key, "liquidation")
        position = self.legs[key]
        instrument = position.instrument
        signed = size if position.size > 0.0 else -size
        kept = abs(instrument.size_grid.nearest(position.size - signed))
        fund = fee + instrument.profit(signed, fill, mark)
        self.liquidations.append(Liquidation(instrument.symbol, signed, ts, fill, fee, kept, fund, mark))

    def note_closing(self, key: str, reason: str) -> None:
        """Learn that the next fill of the position `key` is the venue's doing; the trade it ends bears `reason`."""
        self._closing, self._closing_for = key, reason

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
