"""What futures accounts earned and paid, as far back as is kept."""

from __future__ import annotations

from collections import deque
from itertools import count
from typing import TYPE_CHECKING, Any

from cambist_simulator.dialects.binance.formats import eight
from cambist_simulator.exchange.events import BalanceChanged, OrderChanged

if TYPE_CHECKING:
    from decimal import Decimal

    from cambist_simulator.dialects.binance.venue import Desk
    from cambist_simulator.exchange.events import ExchangeEvent

__all__ = ["Incomes"]

_MS = 1_000_000
_KINDS = {
    "funding": "FUNDING_FEE",
    "deposit": "TRANSFER",
    "withdrawal": "TRANSFER",
    "transfer": "TRANSFER",
    "insurance": "INSURANCE_CLEAR",
}


class Incomes:
    """Rows of ``income`` by user.

    Parameters
    ----------
    desk
        Its exchange is listened to.
    keep
        Rows that are kept of each user.
    """

    def __init__(self, desk: Desk, keep: int = 10_000) -> None:
        self._desk, self._keep = desk, keep
        self._rows: dict[str, deque[dict[str, Any]]] = {}
        self._numbers = count(1)
        desk.exchange.listen(self._heard)

    def of(self, user: str) -> list[dict[str, Any]]:
        """Return a user's rows, oldest first."""
        return list(self._rows.get(user, ()))

    def _heard(self, event: ExchangeEvent) -> None:
        if type(event) is OrderChanged:
            one = event.execution
            if one is None:
                return
            user = event.order.user
            if one.profit:
                asset = self._desk.listing(one.symbol).settle
                self._add(user, one.symbol, "REALIZED_PNL", one.profit, asset, event.at, str(one.trade_id))
            if one.fee:
                self._add(user, one.symbol, "COMMISSION", -one.fee, one.fee_asset, event.at, str(one.trade_id))
        elif type(event) is BalanceChanged and (kind := _KINDS.get(event.reason)) is not None:
            for asset, change in event.changes.items():
                self._add(event.user, "", kind, change, asset, event.at, "")

    def _add(self, user: str, symbol: str, kind: str, amount: Decimal, asset: str, at: int, trade: str) -> None:
        rows = self._rows.get(user)
        if rows is None:
            rows = self._rows[user] = deque(maxlen=self._keep)
        rows.append(
            {
                "symbol": symbol,
                "incomeType": kind,
                "income": eight(amount),
                "asset": asset,
                "time": at // _MS,
                "info": trade,
                "tranId": next(self._numbers),
                "tradeId": trade,
            }
        )
