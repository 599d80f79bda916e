"""Round trips: how fills pair up from flat to flat."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

import attrs

from cambist.model.portfolio import Trade

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cambist.model.orders import Fill, Order

__all__ = ["SplitResult", "TradeLog"]


@attrs.frozen(slots=True)
class SplitResult:
    """What a split did to a position: new for each old unit, what is kept, and the fraction that was paid out.

    Attributes
    ----------
    ratio, kept, fraction
        `kept` is signed, `fraction` positive; both in new units.
    price, profit
        At which the fraction was paid out, and what that realized.
    """

    ratio: float
    kept: float
    fraction: float
    price: float
    profit: float


class TradeLog:
    """Keeps the round trips of an account; a reversal closes one and opens the next.

    Attributes
    ----------
    closed
        Finished trades, in the order in which they closed.
    open
        The unfinished trade of each position that is held, by the keys of `cambist.portfolio.Portfolio.legs`.
    """

    def __init__(self) -> None:
        self.closed: list[Trade] = []
        self.open: dict[str, Trade] = {}
        self._count = 0
        self._own: dict[str, list[Trade]] = {}
        self._sorted = 0

    def closed_by(self, strategy: str) -> Sequence[Trade]:
        """Return the closed trades that a strategy opened, oldest first; sorted out when asked for, each once."""
        own, closed = self._own, self.closed
        for trade in closed[self._sorted :]:
            own.setdefault(trade.strategy, []).append(trade)
        self._sorted = len(closed)
        return own.get(strategy, ())

    @property
    def count(self) -> int:
        """How many trades were opened so far: the id of the newest."""
        return self._count

    def restore(self, closed: Sequence[Trade], opened: Mapping[str, Trade], count: int) -> None:
        """Go on with the trades of before a restart, the open ones by the key of their position."""
        self.closed, self._own, self._sorted = list(closed), {}, 0
        self.open = dict(opened)
        self._count = count

    def apply(
        self, fill: Fill, order: Order, before: float, after: float, realized: float, instant: int, key: str
    ) -> Trade | None:
        """Book a fill that moved the position `key` from `before` to `after` and realized `realized`.

        Returns
        -------
        Trade or None
            The trade that the fill closed.
        """
        if before == 0.0:
            self._open(fill, order, after, fill.fee, instant, key)
            return None
        trade = self.open[key]
        if (after > 0.0) == (before > 0.0) and abs(after) > abs(before):
            _enter(trade, fill.size, fill.price)
            trade.fees += fill.fee
            trade.size = max(trade.size, abs(after))
            return None
        closing = abs(before) if before * after <= 0.0 else fill.size
        fee = fill.fee if closing == fill.size else fill.fee * (closing / fill.size)
        exited = trade.exited
        if exited == 0.0:
            trade.exit_price, trade.exited = fill.price, closing
        else:
            trade.exited = exited + closing
            trade.exit_price = (trade.exit_price * exited + fill.price * closing) / trade.exited
        trade.gross += realized
        trade.fees += fee
        if before * after > 0.0:
            return None
        trade.closed_at = fill.ts
        trade.closed_bar = instant
        self.closed.append(trade)
        del self.open[key]
        if after != 0.0:
            self._open(fill, order, after, fill.fee - fee, instant, key)
        return trade

    def split(self, symbol: str, result: SplitResult, ts: int, instant: int) -> None:
        """Count an open trade in new units, and book the fraction that was paid out as an exit."""
        trade = self.open[symbol]
        ratio, fraction = result.ratio, result.fraction
        trade.size *= ratio
        trade.entered *= ratio
        trade.exited *= ratio
        trade.entry_price /= ratio
        trade.exit_price /= ratio
        if fraction:
            exited = trade.exited + fraction
            worth = trade.exit_price * trade.exited if trade.exited else 0.0
            trade.exit_price = (worth + result.price * fraction) / exited
            trade.exited = exited
            trade.gross += result.profit
        if not result.kept:
            trade.closed_at, trade.closed_bar, trade.reason = ts, instant, "split"
            self.closed.append(trade)
            del self.open[symbol]

    def _open(self, fill: Fill, order: Order, after: float, fee: float, instant: int, key: str) -> None:
        self._count += 1
        size = abs(after)
        # Positional, in the order of the fields: keywords would cost as much as the rest of this function.
        self.open[key] = Trade(
            self._count,
            fill.instrument,
            after > 0.0,
            size,
            fill.price,
            nan,
            fill.ts,
            0,
            instant,
            -1,
            0.0,
            fee,
            size,
            0.0,
            order.strategy,
            order.tag,
        )


def _enter(trade: Trade, size: float, price: float) -> None:
    total = trade.entered + size
    trade.entry_price = (trade.entry_price * trade.entered + price * size) / total
    trade.entered = total
