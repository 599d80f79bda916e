"""Explains positions that differ by what was traded at the venue without this run knowing."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from cambist.orders.ids import order_number
from cambist.ports.venue import OrderKey

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from cambist.live.differences import Difference
    from cambist.live.engine import LiveEngine
    from cambist.live.past_executions import PastExecutions
    from cambist.live.truth import Truth
    from cambist.model.reports import FillReport, OrderReport

__all__ = ["Explainer", "Trades", "explains"]

_ZERO = Decimal(0)
_SECOND = 1_000_000_000
#: Executions are asked for from a little before the last one that is known, ns.
_OVERLAP = 60 * _SECOND
#: And from so long before, one after the other, where those do not explain what differs: it weighs more, the longer.
_FURTHER = (3_600 * _SECOND, 86_400 * _SECOND, 7 * 86_400 * _SECOND)
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
    whose
        By trade id, the strategy whose order it was, of own ones whose orders are not kept any more.
    """

    own: list[FillReport]
    foreign: list[FillReport]
    whose: dict[str, str] = {}


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
    past
        Looks executions of an instrument up that the run may have forgotten.
    """

    def __init__(
        self,
        truth: Truth,
        engine: LiveEngine,
        token: str,
        since: int,
        past: Callable[[str, Sequence[FillReport]], Awaitable[PastExecutions]],
    ) -> None:
        self._truth, self._engine, self._token, self._since, self._past = truth, engine, token, since, past

    async def unbooked(self, symbol: str) -> Trades:
        """Return what was traded of an instrument since the last execution that is booked, or about then.

        Raises
        ------
        VenueError
            If the venue cannot be asked.
        """
        return await self._unbooked(symbol, self._begin(symbol, _OVERLAP))

    async def further_back(self, symbol: str) -> AsyncIterator[Trades]:
        """Iterate over what was traded since longer and longer ago, up to a week, as far as the run goes back.

        What was traded before something was made up to make the difference up is in that.

        Raises
        ------
        VenueError
            If the venue cannot be asked.
        """
        before = self._begin(symbol, _OVERLAP)
        end = self._engine.positions.made_up_until(symbol)
        for back in _FURTHER:
            since = max(self._begin(symbol, back), end)
            if since < before:
                yield await self._unbooked(symbol, since, end)
                before = since

    def _begin(self, symbol: str, back: int) -> int:
        """Return from when on executions are asked for, ns, UTC."""
        last = self._engine.positions.last_fill_of(symbol)
        return max(self._since, min(last, self._engine.now()) - back) if last else self._since

    async def _unbooked(self, symbol: str, since: int, after: int = -1) -> Trades:
        """Return what was traded since a time, and behind another, and is not booked."""
        positions = self._engine.positions
        listed = await self._truth.fills(symbol, since)
        reports = [one for one in listed if one.ts > after and not positions.is_booked(one)]
        past = await self._past(symbol, reports) if reports and positions.has_forgotten else None
        if past is not None:
            reports = past.unbooked(reports)
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
            number = order_number(one.client_id, self._token)
            (trades.foreign if number is None else trades.own).append(one)
            if past is not None and number is not None and not positions.is_kept(number[0]):
                trades.whose[one.trade_id] = past.strategies.get(number[0], "")
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
