"""Explains positions that differ by what was traded at the venue without this run knowing."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from cambist.errors import OrderError
from cambist.orders.ids import parse_client_id
from cambist.ports.venue import OrderKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.live.differences import Difference
    from cambist.live.engine import LiveEngine
    from cambist.live.truth import Truth
    from cambist.model.reports import FillReport, OrderReport

__all__ = ["Explainer", "Trades", "explains"]

_ZERO = Decimal(0)
#: Executions are asked for from a little before the last one that is known, ns.
_OVERLAP = 60 * 1_000_000_000
_SECOND = 1_000_000_000
#: How long orders of executions are looked for that the venue does not show: in its settling times, and at most, s.
_SETTLINGS, _MOST = 30, 30.0


class Trades(msgspec.Struct, frozen=True):
    """Executions at the venue that are not booked, oldest first.

    Attributes
    ----------
    own
        Of orders of this run: their reports were lost.
    foreign
        Of others, and of the venue itself, for which `system` says so.
    """

    own: list[FillReport]
    foreign: list[FillReport]


class Explainer:
    """Looks through the trade history of a venue.

    Parameters
    ----------
    truth, engine
        Of the run.
    token
        Of the run: its client ids begin with it.
    since
        Before which nothing is asked for, by the venue's clock, ns, UTC.
    """

    def __init__(self, truth: Truth, engine: LiveEngine, token: str, since: int) -> None:
        self._truth, self._engine, self._token, self._since = truth, engine, token, since

    async def unbooked(self, symbol: str) -> Trades:
        """Return what was traded of an instrument since the last execution that is booked, or about then.

        Raises
        ------
        VenueError
            If the venue cannot be asked.
        """
        last = self._engine.positions.last_fill_of(symbol)
        since = max(self._since, min(last, self._engine.now()) - _OVERLAP) if last else self._since
        reports = [one for one in await self._truth.fills(symbol, since) if not self._engine.positions.is_booked(one)]
        trades = Trades([], [])
        orders: dict[str, OrderReport | None] = {}
        settling = self._truth.session.terms.settling / _SECOND
        until = asyncio.get_running_loop().time() + min(_SETTLINGS * settling, _MOST)
        for one in reports:
            if one.venue_id not in orders:
                orders[one.venue_id] = await self._order(OrderKey(symbol, "", one.venue_id), until)
            order = orders[one.venue_id]
            if order is not None:
                one = msgspec.structs.replace(one, client_id=order.client_id, system=one.system or order.system)  # noqa: PLW2901
            (trades.own if self._is_own(one.client_id) else trades.foreign).append(one)
        return trades

    async def _order(self, key: OrderKey, until: float) -> OrderReport | None:
        """Return the order of an execution; None where the venue has none, asked until a time of the loop's.

        What has traded is there, and whose it is says the order alone: one that is not shown yet is waited for.
        """
        while True:
            found = await self._truth.order(key)
            if found is not None or asyncio.get_running_loop().time() >= until:
                return found
            await asyncio.sleep(self._truth.session.terms.settling / _SECOND)

    def _is_own(self, client_id: str) -> bool:
        try:
            return bool(client_id) and parse_client_id(client_id)[0] == self._token
        except OrderError:
            return False


def explains(difference: Difference, trades: Sequence[FillReport], asset: str = "") -> list[FillReport]:
    """Return the trades of the position that differs, if they are the difference; else none.

    Parameters
    ----------
    asset
        That is held, of what is paid in full: fees in it make a position smaller.
    """
    own = [one for one in trades if one.position_side == difference.position_side]
    moved = sum((one.size * one.side.sign for one in own), _ZERO)
    if asset:
        moved -= sum((one.fee for one in own if one.fee_asset == asset), _ZERO)
    return own if own and moved == difference.moved else []
