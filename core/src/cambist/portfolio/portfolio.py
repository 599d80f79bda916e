"""The account of a run: cash, netting positions, round trips."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from cambist.errors import InputError
from cambist.model.orders import Side
from cambist.model.portfolio import Account, CashFlow, Position
from cambist.portfolio.ledger import Ledger
from cambist.portfolio.one_asset import FUNDS_TOLERANCE, OneAsset
from cambist.portfolio.trades import SplitResult, TradeLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist.model.instrument import Instrument
    from cambist.model.orders import Fill, Order
    from cambist.model.portfolio import Trade

__all__ = ["Portfolio", "worth"]

_BUY = Side.BUY
_EXTERNAL = frozenset({"deposit", "withdrawal"})
#: From one account of a run to another.
_MOVED = "transfer"
#: From one asset of an account to another: at a rate, or to pay a fee.
_EXCHANGED = frozenset({"conversion", "fee"})


class Portfolio(OneAsset):
    """Cash and one netting position for each instrument, moved by fills alone.

    Parameters
    ----------
    instruments
        What can be held. All settle in one asset, the account's currency.
    cash
        Money at the start, in the settlement asset.
    leverage
        How many times its equity the account may hold of instruments that are otherwise paid in full.

    Attributes
    ----------
    cash
        Buying an instrument paid in full takes its value from cash; a margined one takes nothing but moves
        cash by realized profit. Fees come off either way.
    positions, legs
        What is held, by symbol; and as it is kept apart, which in a hedged account is by symbol and side (see
        `cambist.model.legs`) and otherwise the same.
    ledger
        What every fill changed, by the keys of `legs`; see `Ledger`.
    cash_flows, refused_flows
        Money that moved without a fill, and what was refused, in that order.
    transfers, moved
        Deposits and withdrawals not yet valued, and money from and to other accounts of the run: instant of the run and
        amount.
    flows, carry
        See `Account`.
    exchanged
        What came from other assets of the account, less what went to them.

    Raises
    ------
    InputError
        For instruments of different settlement assets, equal symbols, or no cash.
    """

    def __init__(self, instruments: Iterable[Instrument], cash: float, leverage: float = 1.0) -> None:
        listed = tuple(instruments)
        if not cash > 0 or cash == float("inf"):
            raise InputError(f"cash is {cash!r}; a run starts with a positive amount of money.")
        if not leverage > 0 or leverage == float("inf"):
            raise InputError(f"leverage is {leverage!r}; 1 means no borrowing, 5 five times the equity.")
        assets = sorted({instrument.settle for instrument in listed})
        if len(assets) > 1:
            raise InputError(
                f"the instruments settle in {', '.join(assets)}; one account holds one asset unless it is "
                f"given several: cash={{{', '.join(f'{asset!r}: ...' for asset in assets)}}}."
            )
        self.currency = assets[0] if assets else ""
        self.initial_cash = float(cash)
        self.cash = float(cash)
        self.leverage = float(leverage)
        self.fees = 0.0
        self.positions = {instrument.symbol: Position(instrument) for instrument in listed}
        if len(self.positions) < len(listed):
            symbols = sorted(instrument.symbol for instrument in listed)
            raise InputError(f"two series share a symbol among {', '.join(symbols)}; give each its own.")
        self.legs = self.positions
        self.trades = TradeLog()
        self.ledger = Ledger(self.positions)
        self.cash_flows: list[CashFlow] = []
        self.refused_flows: list[CashFlow] = []
        self.transfers: list[tuple[int, float]] = []
        self.moved: list[tuple[int, float]] = []
        self.flows = 0.0
        self.carry = 0.0
        self.exchanged = 0.0
        # Whether money can only be short in the simplest way: everything held is long and paid in full.
        self._simple = leverage == 1.0 and all(instrument.is_cash for instrument in listed)
        self._shorts = 0

    def set_price_source(self, symbol: str, source: Callable[[], float]) -> None:
        """Say where the last close of `symbol` is read."""
        self.positions[symbol].price_source = source

    def go_by(self, instruments: Iterable[Instrument]) -> None:
        """Hold positions by these terms of their instruments from now on."""
        for instrument in instruments:
            self.positions[instrument.symbol].instrument = instrument
            for held in self.legs.values():
                if held.instrument.symbol == instrument.symbol:
                    held.instrument = instrument

    def count_shorts(self) -> None:
        """Take note of positions that were set from outside, as after a restart."""
        self._shorts = sum(position.size < 0.0 for position in self.positions.values())

    def apply(self, fill: Fill, order: Order, instant: int, key: str = "") -> Trade | None:
        """Book one fill of `order`, in the run's instant number `instant`.

        Parameters
        ----------
        key
            Of the position in `legs`; the instrument's symbol where none is given.

        Returns
        -------
        Trade or None
            The round trip that this fill closed, if it closed one.
        """
        instrument = fill.instrument
        key = key or instrument.symbol
        position = self.legs[key]
        price, fee = fill.price, fill.fee
        signed = fill.size if fill.side is _BUY else -fill.size
        before = position.size
        realized = 0.0
        if before == 0.0:
            after = signed
            average = price
        else:
            after = before + signed
            average = position.average_price
            if after != 0.0:
                after = instrument.size_grid.nearest(after)
            if (before > 0.0) == (signed > 0.0):
                average = _average(instrument, before, average, signed, price)
            else:
                closed = -before if abs(signed) > abs(before) else signed
                realized = instrument.profit(-closed, average, price)
                position.realized += realized
                if after == 0.0:
                    average = nan
                elif (after > 0.0) != (before > 0.0):
                    average = price
        if instrument.is_cash:
            self.cash = cash = self.cash - (signed * instrument.multiplier * price + fee)
        else:
            self.cash = cash = self.cash + (realized - fee)
        position.size = after
        position.average_price = average
        position.last_fill_price = price
        position.fees += fee
        self.fees += fee
        if after < 0.0 or before < 0.0:
            self._shorts += (after < 0.0) - (before < 0.0)
        ledger = self.ledger
        ledger.cash_at.append(instant)
        ledger.cash.append(cash)
        held = ledger.held[key]
        held.at.append(instant)
        held.sizes.append(after)
        held.average_prices.append(average)
        return self.trades.apply(fill, order, before, after, realized, instant, key)

    def move_cash(self, flow: CashFlow, instant: int) -> None:
        """Book money that moves without a fill, in the run's instant number `instant`."""
        amount = flow.amount
        self.cash += amount
        if flow.kind in _EXTERNAL:
            self.flows += amount
            self.transfers.append((instant, amount))
        elif flow.kind == _MOVED:
            self.flows += amount
            self.moved.append((instant, amount))
        elif flow.kind in _EXCHANGED:
            self.exchanged += amount
        elif flow.kind != "fraction":  # that is a sale: its profit is realized
            self.carry += amount
        self.cash_flows.append(flow)
        self.ledger.cash_at.append(instant)
        self.ledger.cash.append(self.cash)

    def pay_dividend(self, ts: int, symbol: str, amount: float, instant: int) -> None:
        """Pay `amount` for each unit held, or charge it for each unit short, in the run's instant number `instant`."""
        position = self.positions[symbol]
        if position.size:
            instrument = position.instrument
            paid = instrument.notional(position.size, amount)
            self.move_cash(CashFlow(ts, "dividend", symbol, instrument.settle, paid), instant)

    def split(
        self, ts: int, symbol: str, ratio: float, instant: int, kept: float | None = None, price: float | None = None
    ) -> None:
        """Make each unit of `symbol` that is held `ratio` units; what is below a step is paid out at the last price.

        Parameters
        ----------
        kept, price
            What is left, in new units, and the price of the rest, in new terms, where they are not for this account to
            say.
        """
        position = self.positions[symbol]
        if not position.size:
            return
        instrument = position.instrument
        exact = position.size * ratio
        if kept is None:
            kept = instrument.round_size(abs(exact)) * (1.0 if exact > 0.0 else -1.0)
        if price is None:
            price = position.last_price / ratio
        average = position.average_price / ratio
        fraction = exact - kept
        profit = instrument.profit(fraction, average, price)
        position.realized += profit
        position.size = kept or 0.0
        position.average_price = average if kept else nan
        position.last_fill_price /= ratio
        self._shorts -= exact < 0.0 and not kept
        self.trades.split(symbol, SplitResult(ratio, kept, abs(fraction), price, profit), ts, instant)
        if fraction:
            paid = instrument.notional(fraction, price)
            self.move_cash(CashFlow(ts, "fraction", symbol, instrument.settle, paid), instant)
        self.ledger.cash_at.append(instant)  # no step of a position is without one of cash
        self.ledger.cash.append(self.cash)
        held = self.ledger.held[symbol]
        held.at.append(instant)
        held.sizes.append(position.size)
        held.average_prices.append(position.average_price)

    def missing_funds(
        self, instrument: Instrument, signed: float, price: float, fee: float, tolerance: float = FUNDS_TOLERANCE
    ) -> float:
        """Return the money that would be missing after a fill, or 0.0 where there is enough.

        A fill that only shrinks a position always has enough. Otherwise the margin of everything held
        afterwards must not exceed the equity afterwards; an instrument paid in full needs its whole value,
        divided by the account's leverage.

        Parameters
        ----------
        signed
            Size of the fill, negative when sold.
        price, fee
            Of the fill; the instrument is valued at `price`.
        tolerance
            What may be missing, as a fraction of what is needed, before it counts.
        """
        position = self.positions[instrument.symbol]
        before = position.size
        after = before + signed
        if self._simple and self._shorts == 0 and after >= 0.0:
            if signed <= 0.0:
                return 0.0
            missing = signed * instrument.multiplier * price + fee - self.cash
            return missing if missing > tolerance * abs(self.cash) else 0.0
        if abs(after) <= abs(before) and after * before >= 0.0:
            return 0.0
        equity, margin = self.cash - fee, self.margin_of(instrument, after, price)
        for held in self.positions.values():
            if held.size != 0.0:
                at = price if held is position else held.last_price
                equity += worth(held, at)
                if held is not position:
                    margin += self.margin_of(held.instrument, held.size, at)
        missing = margin - equity
        return missing if missing > tolerance * margin else 0.0

    def free_notional(self, instrument: Instrument) -> float:
        """Return the value of `instrument` that could still be opened at last prices, in the account's currency."""
        rate = 1.0 / self.leverage if instrument.is_cash else instrument.margin_rate
        return max(0.0, self.equity - self.margin) / rate

    def margin_of(self, instrument: Instrument, size: float, price: float) -> float:
        """Return the initial margin of a position of `size` at `price`; its value where it is paid in full."""
        rate = 1.0 / self.leverage if instrument.is_cash else instrument.margin_rate
        return abs(instrument.notional(size, price)) * rate

    @property
    def equity(self) -> float:
        """Cash plus the worth of everything held, at last prices, in the account's currency."""
        total = self.cash
        for position in self.positions.values():
            if position.size != 0.0:
                total += worth(position, position.last_price)
        return total

    @property
    def margin(self) -> float:
        """Initial margin that open positions need."""
        return sum(
            self.margin_of(position.instrument, position.size, position.last_price)
            for position in self.positions.values()
            if position.size != 0.0
        )

    @property
    def free_cash(self) -> float:
        """Money that could be taken out: the equity that no position needs as margin."""
        return self.equity - self.margin

    def account(self) -> Account:
        """Return a snapshot of the account at last prices."""
        held = self.positions.values()
        return Account(
            currency=self.currency,
            cash=self.cash,
            equity=self.equity,
            margin=self.margin,
            fees=self.fees,
            realized=sum(position.realized for position in held),
            unrealized=sum(position.unrealized for position in held),
            flows=self.flows,
            carry=self.carry,
            exchange=self.exchanged,
        )


def _average(instrument: Instrument, size: float, average: float, added: float, price: float) -> float:
    """Return the entry price of `size` at `average` joined by `added` at `price`, of one sign."""
    if instrument.is_inverse:  # value counts in 1/price, so the mean is harmonic
        return (size + added) / (size / average + added / price)
    return (size * average + added * price) / (size + added)


def worth(position: Position, price: float) -> float:
    """Return what a position adds to equity: its value when paid in full, its open profit when margined."""
    instrument = position.instrument
    if instrument.is_cash:
        return position.size * instrument.multiplier * price
    return instrument.profit(position.size, position.average_price, price)
