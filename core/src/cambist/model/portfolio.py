"""What is held: positions, round trips, the account."""

from __future__ import annotations

from decimal import Decimal  # noqa: TC003 - records of flows are read by their annotations
from math import nan
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.model.instrument import Instrument
    from cambist.model.orders import PositionSide

__all__ = ["Account", "CashFlow", "HedgedPosition", "MarginChange", "Position", "StockSplit", "Trade"]


def _unpriced() -> float:
    return nan


@attrs.define(eq=False, slots=True)
class Position:
    """The net holding of one instrument; the portfolio writes it, everybody else reads.

    Attributes
    ----------
    size
        Positive long, negative short, 0 flat; on the instrument's size grid.
    average_price
        Average entry price of what is open; NaN when flat.
    last_fill_price
        Price of the last fill; NaN before the first.
    price_source
        Answers the close of the last bar, NaN before the first.
    realized
        Profit of everything closed so far, before fees, in the settlement asset.
    fees
        Fees paid so far.
    """

    instrument: Instrument
    size: float = 0.0
    average_price: float = nan
    last_fill_price: float = nan
    price_source: Callable[[], float] = _unpriced
    realized: float = 0.0
    fees: float = 0.0

    @property
    def last_price(self) -> float:
        """Close of the last bar; before the first bar closes, the last fill's price."""
        price = self.price_source()
        return price if price == price else self.last_fill_price  # noqa: PLR0124 - NaN is the one that differs

    @property
    def is_long(self) -> bool:
        """Whether more than nothing is held."""
        return self.size > 0

    @property
    def is_short(self) -> bool:
        """Whether less than nothing is held."""
        return self.size < 0

    @property
    def is_flat(self) -> bool:
        """Whether nothing is held."""
        return self.size == 0

    @property
    def unrealized(self) -> float:
        """Profit of what is open at `last_price`, in the settlement asset."""
        if self.size == 0:
            return 0.0
        return self.instrument.profit(self.size, self.average_price, self.last_price)

    @property
    def notional(self) -> float:
        """Signed value of what is open at `last_price`, in the settlement asset."""
        return self.instrument.notional(self.size, self.last_price) if self.size else 0.0

    @property
    def is_hedged(self) -> bool:
        """Whether it stands for a long and a short position that are both open."""
        return False

    def __bool__(self) -> bool:
        return self.size != 0


class HedgedPosition(Position):
    """The long and the short position of a hedged account in one instrument, as their sum; it is read only.

    `size` and `notional` are net, what is `realized`, `unrealized` and paid as `fees` is that of both. There is an
    `average_price` while one side alone is open.

    Attributes
    ----------
    long, short
        The two sides.
    """

    __slots__ = ("long", "short")

    def __init__(self, long: Position, short: Position) -> None:
        self.instrument = long.instrument
        self.long = long
        self.short = short

    @property
    def size(self) -> float:  # type: ignore[override]
        """Net size: what is long less what is short."""
        return self.instrument.size_grid.nearest(self.long.size + self.short.size)

    @property
    def average_price(self) -> float:  # type: ignore[override]
        """Average entry price of the side that is open; NaN where none or both are."""
        if self.is_hedged:
            return nan
        return self.short.average_price if self.long.size == 0 else self.long.average_price

    @property
    def last_fill_price(self) -> float:  # type: ignore[override]
        """Price of the last fill of either side; NaN before the first."""
        price = self.long.last_fill_price
        return price if price == price else self.short.last_fill_price  # noqa: PLR0124 - NaN: there was none

    @property
    def price_source(self) -> Callable[[], float]:
        """Answers the close of the last bar, NaN before the first."""
        return self.long.price_source

    @price_source.setter
    def price_source(self, source: Callable[[], float]) -> None:
        self.long.price_source = self.short.price_source = source

    @property
    def realized(self) -> float:  # type: ignore[override]
        """Profit of everything closed so far on both sides, before fees."""
        return self.long.realized + self.short.realized

    @property
    def fees(self) -> float:  # type: ignore[override]
        """Fees paid so far on both sides."""
        return self.long.fees + self.short.fees

    @property
    def unrealized(self) -> float:
        """Profit of what is open on both sides at `last_price`."""
        return self.long.unrealized + self.short.unrealized

    @property
    def is_hedged(self) -> bool:
        """Whether both sides are open."""
        return self.long.size != 0 and self.short.size != 0


@attrs.define(eq=False, slots=True)
class Trade:
    """One round trip, from flat (or through a reversal) to flat.

    Attributes
    ----------
    is_long
        Direction.
    size
        Largest size held during the trade, positive.
    entry_price, exit_price
        Size-weighted averages; `exit_price` is NaN while nothing is closed.
    opened_at, closed_at
        Times of the first and the last fill, ns, UTC; `closed_at` is 0 while open.
    opened_bar, closed_bar
        Instants of the run (0 is the first) in which they happened; `closed_bar` is -1 while open.
    gross, fees
        Profit before fees and the fees of both ways, in the settlement asset. The fee of a fill that
        reverses a position is shared by size between the trade it closes and the one it opens.
    entered, exited
        Sizes opened and closed so far.
    strategy, tag
        Of the order that opened it.
    reason
        Why it closed, where no order of a strategy closed it: ``"liquidation"``, ``"adl"`` or ``"split"``.
    """

    id: int
    instrument: Instrument
    is_long: bool
    size: float
    entry_price: float
    exit_price: float
    opened_at: int
    closed_at: int
    opened_bar: int
    closed_bar: int
    gross: float
    fees: float
    entered: float
    exited: float
    strategy: str
    tag: str
    reason: str = ""

    @property
    def net(self) -> float:
        """Profit after fees, in the settlement asset."""
        return self.gross - self.fees

    @property
    def is_open(self) -> bool:
        """Whether some of it is still held."""
        return self.closed_bar < 0

    @property
    def bars(self) -> int:
        """Length in instants of the run; 0 while open."""
        return self.closed_bar - self.opened_bar if self.closed_bar >= 0 else 0


@attrs.frozen(slots=True)
class CashFlow:
    """Money that moved without a fill.

    Attributes
    ----------
    ts
        When it was due, ns, UTC; of a deposit or withdrawal when it was asked for.
    kind
        ``"deposit"``, ``"withdrawal"``, ``"funding"``, ``"interest"``, ``"dividend"``, ``"fraction"`` (what a split
        left over), ``"insurance"`` (what the venue's fund paid for an account that a liquidation left below zero),
        ``"transfer"`` (from one account of the run to another), ``"conversion"`` (from one asset of an account to
        another), ``"fee"`` (what another asset paid of a fill's fee), ``"rebate"``, ``"adjustment"`` (whatever else a
        venue booked, and what it holds without a word of why) or ``"opening"`` (what an asset beside the currency
        began with).
    symbol
        Of the instrument it was for; ``""`` where it was for none.
    asset
        What moved.
    amount
        Positive where the account got it.
    reason
        Why it was refused, code first; ``""`` where it was not.
    position_side
        ``"long"`` or ``"short"`` where it was for one side of a hedged position.
    account
        Name of the account, in a run that has several; else ``""``.
    reference
        What a venue that told of it knows it by: it is booked once. ``""`` where the run itself reckoned it.
    exact
        The amount to the last digit, where a venue told of it.
    """

    ts: int
    kind: str
    symbol: str
    asset: str
    amount: float
    reason: str = ""
    position_side: str = ""
    account: str = ""
    reference: str = ""
    exact: Decimal | None = None


@attrs.frozen(slots=True)
class StockSplit:
    """A split that took effect in a run.

    Attributes
    ----------
    ts
        When, ns, UTC.
    symbol, ratio
        Of what, and new for each old unit.
    price
        At which fractions were paid out, in new terms.
    fills
        How many fills of the run came before it.
    """

    ts: int
    symbol: str
    ratio: float
    price: float
    fills: int


@attrs.frozen(slots=True)
class MarginChange:
    """Margin of an isolated position that was added or taken out, or another leverage.

    Attributes
    ----------
    ts
        When it was asked for, ns, UTC.
    symbol, position_side
        Of the position; `position_side` is None where there is one.
    amount
        Money, negative to take out; 0 where the leverage is changed.
    leverage
        The new one; NaN where margin is moved.
    reason
        Why it was refused, code first; ``""`` where it was not.
    account
        Name of the account, in a run that has several; else ``""``.
    """

    ts: int
    symbol: str
    position_side: PositionSide | None = None
    amount: float = 0.0
    leverage: float = nan
    reason: str = ""
    account: str = ""


@attrs.frozen(slots=True)
class Account:
    """A snapshot of the account.

    Attributes
    ----------
    currency
        Settlement asset of every instrument in the account.
    cash
        Free of what is bought, but margin posted is not taken off.
    equity
        Cash plus the value of what is held (instruments paid in full) plus unrealized profit (margined ones).
    margin
        Initial margin that open positions need.
    fees, realized, unrealized
        Paid so far, made so far before fees, and open.
    flows
        Deposits less withdrawals so far.
    carry
        Funding, interest, dividends and payments of the insurance fund received so far, less those paid.
    exchange
        Of an account that holds several assets: what rates made of it, by balances whose worth changed and by
        conversions. Of one of its assets: what came from the others, less what went to them.
    """

    currency: str
    cash: float
    equity: float
    margin: float
    fees: float
    realized: float
    unrealized: float
    flows: float = 0.0
    carry: float = 0.0
    exchange: float = 0.0

    @property
    def free(self) -> float:
        """Equity that no position needs as margin."""
        return self.equity - self.margin
