"""The trades of a symbol, singly and joined by taker."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from typing import TYPE_CHECKING

import msgspec

from cambist.model import Side

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from cambist_simulator.exchange.events import Traded

__all__ = ["AggregateTrade", "Tape"]


class AggregateTrade(msgspec.Struct, frozen=True, kw_only=True):
    """What one taker traded at one price.

    Attributes
    ----------
    id
        Counts them.
    first_id, last_id
        Of the trades in it.
    side
        Of the taker.
    at
        ns, of its last trade.
    """

    id: int
    price: Decimal
    size: Decimal
    first_id: int
    last_id: int
    side: Side
    at: int


class Tape:
    """The newest trades of a symbol.

    Parameters
    ----------
    keep
        Trades, and joined trades, that are remembered.
    """

    def __init__(self, keep: int = 5_000) -> None:
        self.trades: deque[Traded] = deque(maxlen=keep)
        self.aggregates: deque[AggregateTrade] = deque(maxlen=keep)
        self._open: AggregateTrade | None = None
        self._taker = 0
        self._next = 1

    def add(self, trade: Traded) -> AggregateTrade | None:
        """Take a trade; return the joined one that it shows to be complete."""
        self.trades.append(trade)
        taker = trade.buy_order_id if trade.side is Side.BUY else trade.sell_order_id
        last = self._open
        if (
            last is not None
            and last.price == trade.price
            and last.at == trade.at
            and last.side is trade.side
            and taker == self._taker
        ):
            self._open = msgspec.structs.replace(last, size=last.size + trade.size, last_id=trade.id)
            return None
        done = self.flush()
        self._taker = taker
        self._open = AggregateTrade(
            id=self._next,
            price=trade.price,
            size=trade.size,
            first_id=trade.id,
            last_id=trade.id,
            side=trade.side,
            at=trade.at,
        )
        self._next += 1
        return done

    def flush(self) -> AggregateTrade | None:
        """Return the joined trade that was still open, now that nothing can join it any more."""
        done = self._open
        if done is not None:
            self._open = None
            self.aggregates.append(done)
        return done

    def recent(self, limit: int, from_id: int | None = None) -> list[Traded]:
        """Return trades, oldest first: the newest `limit`, or those from an id on."""
        return _page(self.trades, limit, from_id)

    def recent_aggregates(
        self, limit: int, from_id: int | None = None, *, start: int | None = None, end: int | None = None
    ) -> list[AggregateTrade]:
        """Return joined trades, oldest first: the newest `limit`, those from an id on, or those of a time (ns)."""
        if start is None and end is None:
            return _page(self.aggregates, limit, from_id)
        found = [
            one for one in self.aggregates if (start is None or one.at >= start) and (end is None or one.at <= end)
        ]
        return found[:limit] if start is not None else found[-limit:]


def _page(rows: deque[Traded] | deque[AggregateTrade], limit: int, from_id: int | None) -> list:  # type: ignore[type-arg]
    listed: Sequence[Traded | AggregateTrade] = list(rows)
    if from_id is None:
        return list(listed[-limit:]) if limit > 0 else []
    first = bisect_left([one.id for one in listed], from_id)
    return list(listed[first : first + limit])
