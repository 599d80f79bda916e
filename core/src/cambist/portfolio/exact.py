"""The exact account: a balance for each asset, to the last digit, and what of it cannot be sold."""

from __future__ import annotations

from decimal import Context, Decimal
from typing import TYPE_CHECKING

from cambist.model.orders import Side

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from cambist.model.instrument import Instrument

__all__ = ["ExactLedger", "exact", "held_asset"]

#: Sums and products of what venues send have far fewer digits, and so are exact; a profit of a margined position is
#: right to as many.
_CONTEXT = Context(prec=60)
_ZERO = Decimal(0)


def exact(value: float) -> Decimal:
    """Return the decimal that a float prints as: the one it was read from, up to 15 digits."""
    return Decimal(repr(float(value)))


def held_asset(instrument: Instrument) -> str:
    """Return the asset that is held of an instrument paid in full: its base, or itself where it has none."""
    return instrument.base or instrument.symbol


class ExactLedger:
    """Balances by asset.

    An instrument that is paid in full moves its base and its quote. A margined one moves contracts, and money when some
    are closed.

    Attributes
    ----------
    balances
        Of each asset that ever moved.
    contracts, costs
        Of each margined instrument by symbol, in a hedged account by symbol and side: signed size, and the sum of size
        times price (size over price for an inverse one) of what is open.
    """

    def __init__(self) -> None:
        self.balances: dict[str, Decimal] = {}
        self.contracts: dict[str, Decimal] = {}
        self.costs: dict[str, Decimal] = {}

    @classmethod
    def together(cls, ledgers: Iterable[ExactLedger]) -> ExactLedger:
        """Return the sums of several."""
        total = cls()
        for ledger in ledgers:
            for name in ("balances", "contracts", "costs"):
                sums = getattr(total, name)
                for key, amount in getattr(ledger, name).items():
                    sums[key] = _CONTEXT.add(sums.get(key, _ZERO), amount)
        return total

    def balance(self, asset: str) -> Decimal:
        """Return the balance of an asset; 0 where it never moved."""
        return self.balances.get(asset, _ZERO)

    def move(self, asset: str, amount: Decimal) -> None:
        """Add a (signed) amount to an asset."""
        self.balances[asset] = _CONTEXT.add(self.balances.get(asset, _ZERO), amount)

    def fill(
        self,
        instrument: Instrument,
        side: Side,
        size: Decimal,
        price: Decimal,
        fee: Decimal,
        fee_asset: str,
        key: str = "",
        profit: Decimal | None = None,
    ) -> None:
        """Book an execution; `size` is positive, and so is a `fee` that was paid.

        Parameters
        ----------
        key
            Of the position, where a margined instrument has two; its symbol where none is given.
        profit
            What the venue booked as realized, before fees, of a margined instrument; None where it is to be reckoned.
        """
        signed = size if side is Side.BUY else size.copy_negate()  # a minus sign rounds to 28 digits
        if instrument.is_cash:
            self.move(held_asset(instrument), signed)
            value = _CONTEXT.multiply(_CONTEXT.multiply(signed, price), exact(instrument.multiplier))
            self.move(instrument.settle, value.copy_negate())
        else:
            made = self._trade_contracts(instrument, signed, price, key or instrument.symbol)
            booked = made if profit is None else profit
            if booked:
                self.move(instrument.settle, booked)
        if fee:
            self.move(fee_asset, fee.copy_negate())

    def _trade_contracts(self, instrument: Instrument, signed: Decimal, price: Decimal, key: str) -> Decimal:
        """Change a position, and return what that realized."""
        realized = _ZERO
        held, cost = self.contracts.get(key, _ZERO), self.costs.get(key, _ZERO)
        worth = _CONTEXT.divide(signed, price) if instrument.is_inverse else _CONTEXT.multiply(signed, price)
        if held and held.is_signed() != signed.is_signed():
            closed = min(signed.copy_abs(), held.copy_abs())
            share = _CONTEXT.divide(closed, held.copy_abs())
            released = cost if closed == held.copy_abs() else _CONTEXT.multiply(cost, share)
            whole = closed == signed.copy_abs()
            part = worth if whole else _CONTEXT.multiply(worth, _CONTEXT.divide(closed, signed.copy_abs()))
            # Both are signed, and opposite: bought at 100 and sold at 110, released is 100 and part -110.
            made = _CONTEXT.add(released, part)
            profit = made if instrument.is_inverse else made.copy_negate()
            realized = _CONTEXT.multiply(profit, exact(instrument.multiplier))
            cost = _CONTEXT.add(_CONTEXT.subtract(cost, released), _CONTEXT.subtract(worth, part))
        else:
            cost = _CONTEXT.add(cost, worth)
        self.contracts[key] = _CONTEXT.add(held, signed)
        self.costs[key] = cost
        return realized

    def split(
        self, instrument: Instrument, ratio: Decimal, before: Decimal, kept: Decimal, shared: Container[str] = ()
    ) -> None:
        """Make each unit `ratio` units; of the position `before` there is `kept`, and the fraction was paid out.

        Parameters
        ----------
        shared
            Assets of which there is money too, or of which another instrument holds some: no unit of that becomes more.
        """
        asset = held_asset(instrument)
        if asset in shared:
            self.move(asset, _CONTEXT.subtract(kept, before))
            return
        fraction = _CONTEXT.subtract(_CONTEXT.multiply(before, ratio), kept)
        self.balances[asset] = _CONTEXT.subtract(_CONTEXT.multiply(self.balance(asset), ratio), fraction)

    def sellable(self, instrument: Instrument) -> Decimal:
        """Return how much of what is held an order could sell: whole steps of its size."""
        held = self.balance(held_asset(instrument))
        return _CONTEXT.multiply(_CONTEXT.divide_int(held, instrument.step_size), instrument.step_size)

    def dust(self, instrument: Instrument) -> Decimal:
        """Return what of it no order can sell."""
        return _CONTEXT.subtract(self.balance(held_asset(instrument)), self.sellable(instrument))
