"""What a run knows against what its venue says: the differences, and what becomes of each."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs

from cambist.model.orders import PositionSide, Side
from cambist.portfolio.exact import exact, held_asset

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cambist.model.instrument import Instrument
    from cambist.model.portfolio import Position
    from cambist.model.reports import AccountReport, OrderReport
    from cambist.portfolio.exact import ExactLedger

__all__ = [
    "Difference",
    "DifferenceKind",
    "Policy",
    "balance_differences",
    "foreign_orders",
    "position_differences",
]

_ZERO = Decimal(0)
#: Venues round the average prices that they tell; as a fraction.
_ROUNDING = Decimal("1e-5")
_EXACTLY: Mapping[str, float] = MappingProxyType({})


class Policy(StrEnum):
    """What becomes of a difference."""

    #: The venue is right: the run takes the position, or the order, as its own.
    ADOPT = "adopt"
    #: It is somebody else's business; the run leaves it alone and trades beside it.
    IGNORE = "ignore"
    #: The run ends it: cancels the order, closes the position.
    CLOSE = "close"
    #: A person decides; nothing is traded until then.
    ASK = "ask"


class DifferenceKind(StrEnum):
    """What differs."""

    #: The venue holds another position than the run.
    POSITION = "position"
    #: The venue holds the same position at another average price.
    AVERAGE = "average"
    #: The venue has more or less of an asset.
    BALANCE = "balance"
    #: The venue works an order that the run did not send.
    ORDER = "order"


@attrs.frozen
class Difference:
    """Something of which the run and its venue tell different things.

    Attributes
    ----------
    symbol, position_side
        Of what; `position_side` is ``"long"`` or ``"short"`` in a hedged account, else ``""``. The symbol of a balance
        is its asset.
    ours, theirs
        Signed sizes, in the instrument's units; of an order what is left to trade; average prices; balances.
    entry_price
        What the venue says the position cost; None where it does not say.
    held
        Signed size of a position whose average differs.
    order
        The order.
    """

    kind: DifferenceKind
    symbol: str
    ours: Decimal
    theirs: Decimal
    position_side: str = ""
    entry_price: Decimal | None = None
    order: OrderReport | None = None
    held: Decimal = _ZERO

    @property
    def side(self) -> Side:
        """Which way the run has to trade, or to pretend that it traded, to get from ours to theirs."""
        return Side.BUY if self.theirs > self.ours else Side.SELL

    @property
    def moved(self) -> Decimal:
        """By how much (signed) what is held differs; a position at another average has come to the same."""
        return _ZERO if self.kind is DifferenceKind.AVERAGE else self.theirs - self.ours

    @property
    def size(self) -> Decimal:
        """How much that is."""
        return abs(self.theirs - self.ours)

    def describe(self) -> str:
        """Return a line for people."""
        if self.order is not None:
            one = self.order
            at = "" if one.limit_price is None else f" at {one.limit_price}"
            return (
                f"{self.symbol}: the venue works an order that this run did not send: {one.side} {one.size}{at} "
                f"({one.filled} filled), {one.client_id or one.venue_id}"
            )
        leg = f" ({self.position_side})" if self.position_side else ""
        if self.kind is DifferenceKind.BALANCE:
            return f"{self.symbol}: this run has {self.ours}, the venue {self.theirs}"
        if self.kind is DifferenceKind.AVERAGE:
            return (
                f"{self.symbol}{leg}: this run holds {self.held} at {self.ours} on average, the venue at {self.theirs}"
            )
        return f"{self.symbol}{leg}: this run holds {self.ours}, the venue {self.theirs}"


def position_differences(
    instruments: Iterable[Instrument],
    positions: Mapping[str, Position],
    ledger: ExactLedger,
    account: AccountReport,
) -> list[Difference]:
    """Return the instruments of which the venue holds another amount than the run.

    What is paid in full is compared to the last digit, as balances of its base asset; what is less than a step of the
    instrument is dust, and no difference. The others are compared as contracts.

    Parameters
    ----------
    positions
        Of the run, by symbol, as strategies see them; legs of a hedged account by their key.
    ledger
        Of the run.
    account
        What the venue says, complete.
    """
    found: list[Difference] = []
    balances = {one.asset: one.total for one in account.balances}
    held: dict[str, list[tuple[str, Decimal, Decimal]]] = {}
    for report in account.positions:
        held.setdefault(report.symbol, []).append((report.position_side, report.size, report.entry_price))
    for instrument in instruments:
        symbol = instrument.symbol
        if instrument.is_cash:
            asset = held_asset(instrument)
            ours, theirs = ledger.balance(asset), balances.get(asset, _ZERO)
            if abs(ours - theirs) >= instrument.step_size:
                found.append(Difference(DifferenceKind.POSITION, symbol, ours, theirs))
            continue
        legs = {side: (size, price) for side, size, price in held.get(symbol, ())}
        netted = "" in legs or (not legs and symbol in positions)
        for side in {"": None} if netted else dict.fromkeys(PositionSide):
            theirs, price = legs.get(str(side) if side else "", (_ZERO, None))
            position = positions.get(f"{symbol} {side}" if side else symbol)
            ours = _ZERO if position is None else exact(position.size)
            if ours != theirs:
                found.append(Difference(DifferenceKind.POSITION, symbol, ours, theirs, str(side or ""), price))
            elif position is not None and ours and price and _is_off(position, price):
                average = exact(position.average_price)
                found.append(
                    Difference(DifferenceKind.AVERAGE, symbol, average, price, str(side or ""), price, held=ours)
                )
    return found


def _is_off(position: Position, theirs: Decimal) -> bool:
    """Whether an average price differs by more than rounding does."""
    ours = position.average_price
    if ours != ours:  # noqa: PLR0124 - NaN: none is known
        return False
    return abs(exact(ours) - theirs) > max(position.instrument.tick_size or _ZERO, _ROUNDING * theirs)


def balance_differences(
    instruments: Iterable[Instrument],
    ledger: ExactLedger,
    account: AccountReport,
    tolerances: Mapping[str, float] = _EXACTLY,
) -> list[Difference]:
    """Return the assets of which the venue has another amount than the run, positions left out.

    What instruments that are paid in full hold is a position. Of assets that never moved nothing is known, and nothing
    differs.

    Parameters
    ----------
    tolerances
        By asset, what may be more or less of it.
    """
    held = {held_asset(one) for one in instruments if one.is_cash}
    theirs = {one.asset: one.total for one in account.balances}
    return [
        Difference(DifferenceKind.BALANCE, asset, ours, there)
        for asset, ours in ledger.balances.items()
        if asset not in held and abs((there := theirs.get(asset, _ZERO)) - ours) > exact(tolerances.get(asset, 0.0))
    ]


def foreign_orders(orders: Sequence[OrderReport], ours: Iterable[str]) -> list[Difference]:
    """Return the open orders of the venue whose client ids are none of `ours`."""
    known = frozenset(ours)
    return [
        Difference(
            DifferenceKind.ORDER,
            one.symbol,
            _ZERO,
            (one.size - one.filled) * one.side.sign,
            one.position_side,
            order=one,
        )
        for one in orders
        if one.client_id not in known
    ]
