"""Several orders in one request, where the venue takes that: futures, over REST alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cambist.api import Answered
from cambist_binance.wire import futures
from cambist_binance.wire.answers import decode_error
from cambist_ccxt.budget import Priority
from cambist_ccxt.errors import NoAnswerError
from cambist_ccxt.outcomes import outcome_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cambist.api import Outcome
    from cambist.model import OrderReport
    from cambist_binance.transport import Transport
    from cambist_ccxt.symbols import Symbols

__all__ = ["MOST", "Batches"]

#: Orders in a batch; of cancels the venue would take ten.
MOST = 5
_rows = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Batches:
    """Sends and cancels several orders at once.

    Parameters
    ----------
    transport, symbols
        Of the session.
    """

    def __init__(self, transport: Transport, symbols: Symbols) -> None:
        self._transport, self._symbols = transport, symbols

    async def place(self, orders: Sequence[Mapping[str, Any]], priority: Priority) -> list[Outcome]:
        """Send orders; return what became of each."""
        # ccxt writes lists the way each of these requests wants them.
        asked = {"batchOrders": [dict(one) for one in orders]}
        return await self._each("batch_place", asked, priority, len(orders))

    async def cancel(self, name: str, client_ids: Sequence[str]) -> list[Outcome]:
        """Cancel orders of a symbol by our names; return what became of each."""
        asked = {"symbol": name, "origClientOrderIdList": list(client_ids)}
        return await self._each("batch_cancel", asked, Priority.CANCEL, len(client_ids))

    async def _each(self, call: str, params: Mapping[str, Any], priority: Priority, count: int) -> list[Outcome]:
        rows: list[msgspec.Raw] = []

        async def ask() -> None:
            body = await self._transport.call(call, params, priority, times=count)
            try:
                rows.extend(_rows(body))
            except msgspec.MsgspecError as error:
                raise NoAnswerError(f"{call}: an answer that makes no sense: {error}") from error
            if len(rows) != count:
                raise NoAnswerError(f"{call}: {len(rows)} answers to {count} orders")

        whole = await outcome_of(ask())
        if not isinstance(whole, Answered):
            return [whole] * count
        return [await outcome_of(self._one(row)) for row in rows]

    async def _one(self, row: msgspec.Raw) -> OrderReport:
        """Read what became of one order."""
        try:
            return futures.order_of(futures.decode_order(row), self._symbols)
        except msgspec.MsgspecError:
            pass
        try:
            error = decode_error(row)
        except msgspec.MsgspecError:
            raise NoAnswerError(f"an answer that makes no sense: {bytes(row)[:80]!r}") from None
        raise self._transport.refusal(400, error)
