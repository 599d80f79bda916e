"""An account on margin: what its fills set aside and release, what it can pay for, and what the venue closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.model.portfolio import CashFlow
from cambist.portfolio.backing import BackedPortfolio
from cambist.portfolio.liquidations import Liquidation, insured, size_to_close
from cambist.portfolio.portfolio import worth

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cambist.model.instrument import Instrument
    from cambist.model.margin import Margin
    from cambist.model.orders import Fill, Order
    from cambist.model.portfolio import Account, MarginChange, Trade

__all__ = ["LIQUIDATED", "MarginPortfolio"]

#: Why a position is closed whose margin is used up.
LIQUIDATED = "liquidation"
_FUNDS_TOLERANCE = 1e-9
_NO_MARKS: Mapping[str, float] = {}


class MarginPortfolio(BackedPortfolio):
    """A portfolio with leverage by instrument, maintenance margin, mark prices and liquidation.

    The parameters, and what it knows of margin, are those of `BackedPortfolio`.

    Attributes
    ----------
    liquidations
        Positions that the venue closed, in that order.
    margin_changes, refused_changes
        Margin moved and leverages changed while it ran, and what was refused, in that order.
    """

    def __init__(
        self, instruments: Iterable[Instrument], cash: float, leverage: float = 1.0, *, margin: Margin
    ) -> None:
        super().__init__(instruments, cash, leverage, margin=margin)
        self.liquidations: list[Liquidation] = []
        self.margin_changes: list[MarginChange] = []
        self.refused_changes: list[MarginChange] = []
        self._closing = self._closing_for = ""

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
            if self._closing == key and self._closing_for == LIQUIDATED and position.size != 0.0:
                self.isolated[key] += position.realized - realized - fill.fee  # what is left stays behind the rest
            else:
                self._set_aside(key, before, position.size, fill.price)
        if self._closing == key:
            if trade is not None:
                trade.reason = self._closing_for
            if self._closing_for == LIQUIDATED:
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

    def _free(self) -> float:
        free = self._pool_cash()
        for held in self._pool():
            mark = self.mark(held)
            free += worth(held, mark) - self._initial(held.instrument, held.size, mark)
        return free

    # Liquidation.

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
        self.note_closing(key, LIQUIDATED)
        position = self.legs[key]
        instrument = position.instrument
        signed = size if position.size > 0.0 else -size
        kept = abs(instrument.size_grid.nearest(position.size - signed))
        fund = fee + instrument.profit(signed, fill, mark)
        self.liquidations.append(Liquidation(instrument.symbol, signed, ts, fill, fee, kept, fund, mark))

    def closing(self, key: str) -> str:
        """Return why the next fill of the position `key` is the venue's doing, ``""`` where it is not."""
        return self._closing_for if self._closing == key else ""

    def note_closing(self, key: str, reason: str) -> None:
        """Learn that the next fill of the position `key` is the venue's doing; the trade it ends bears `reason`."""
        self._closing, self._closing_for = key, reason
