"""Ends what is open at a venue, whoever sent it, and makes sure that it has ended."""

from __future__ import annotations

import asyncio
import math
import secrets
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec

from cambist.errors import VenueError
from cambist.live.asking import outcome_of
from cambist.live.dispatch import FLATTEN
from cambist.model.orders import Instructions, Order, OrderType, PositionSide, Side, TimeInForce
from cambist.orders.ids import ALPHABET, client_id
from cambist.portfolio.exact import exact
from cambist.ports.venue import Answered, Declined, OrderKey, OrderRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from cambist.model.instrument import Instrument
    from cambist.model.reports import OrderReport, PositionReport
    from cambist.ports.venue import VenueSession

__all__ = ["TOO_LITTLE", "CanceledOrder", "Cleared", "Clearing", "ClosedPosition"]

#: Why a venue refuses to sell what is worth next to nothing.
TOO_LITTLE: Final = "min_notional"
_ZERO = Decimal(0)
#: Between two looks at the venue, s.
_LOOK_EVERY = 0.3
#: For how long nothing has to be open, s: an order that was on its way shows a little later.
_QUIET = 1.0


class CanceledOrder(msgspec.Struct, kw_only=True):
    """What became of an order.

    Attributes
    ----------
    order
        Its number in the run; 0 for one that the run did not send.
    outcome
        ``"canceled"``, ``"filled"``, ``"expired"``, ``"rejected"``, ``"gone"`` (the venue no longer finds it), or
        ``"open"``: it could not be canceled.
    size, filled
        In the instrument's units.
    text
        The venue's words, where it said something.
    """

    symbol: str
    order: int
    client_id: str
    venue_id: str
    side: str
    size: Decimal
    filled: Decimal
    outcome: str = "open"
    text: str = ""


class ClosedPosition(msgspec.Struct, kw_only=True):
    """What became of a position.

    Attributes
    ----------
    before, after
        Signed sizes.
    outcome
        ``"closed"``, ``"dust"`` (what is left is less than can be traded), or ``"open"``.
    """

    symbol: str
    position_side: str = ""
    before: Decimal
    after: Decimal
    outcome: str = "open"
    text: str = ""


class Cleared(msgspec.Struct, kw_only=True):
    """What was done, item by item.

    Attributes
    ----------
    verified
        Whether the venue, asked afterwards, says that nothing of what was meant is open.
    problems
        What went wrong on the way.
    """

    orders: list[CanceledOrder] = []
    positions: list[ClosedPosition] = []
    verified: bool = False
    problems: list[str] = []


class Clearing:
    """Cancels orders and closes positions at a venue by an open session.

    Parameters
    ----------
    session
        Of the account.
    within
        How long each of the two may take, s.
    known
        Numbers of the run's orders by client id, for the report.
    """

    def __init__(self, session: VenueSession, within: float, known: Mapping[str, int] | None = None) -> None:
        self._session, self._within, self._known = session, within, known or {}
        self.done = Cleared()
        self._token = f"k{secrets.token_hex(4)}"
        self._number = 0

    async def cancel(
        self, wanted: Callable[[OrderReport], bool] = lambda _order: True, *, whole: Collection[str] = ()
    ) -> bool:
        """Cancel every open order that is wanted; return whether the venue says that none is open any more.

        Parameters
        ----------
        whole
            Symbols all of whose orders are wanted: the venue is told so in one request for each.
        """
        now = asyncio.get_running_loop().time
        deadline = now() + self._within
        found: dict[str, CanceledOrder] = {}
        left = await self._open(wanted, found, deadline)
        if whole:
            symbols = dict.fromkeys([*whole, *(one.symbol for one in left)])
            await asyncio.gather(*(self._cancel_all(symbol) for symbol in symbols if symbol))
            left = await self._open(wanted, found, deadline)
        since = None  # when it was that nothing was open, and nothing has been since
        while True:
            since = None if left else since or now()
            clear = since is not None and now() - since >= _QUIET
            if clear or now() >= deadline:
                break
            await asyncio.gather(*(self._cancel_one(one, found) for one in left))
            await asyncio.sleep(_LOOK_EVERY)
            left = await self._open(wanted, found, deadline)
        still = {_identity(one) for one in left}
        await asyncio.gather(*(self._learn(item) for name, item in found.items() if name not in still))
        self.done.orders.extend(found.values())
        return clear

    async def close(self, instruments: Iterable[Instrument], held: Mapping[str, float]) -> bool:
        """Close positions at the market; return whether the venue says that they are.

        Of what is paid in full `held` is sold, by symbol, and no more: what else the account has of an asset is not the
        run's. Of what is margined the position is closed as the venue has it.
        """
        closed = True
        for instrument in instruments:
            if instrument.is_cash:
                closed &= await self._sell(instrument, held.get(instrument.symbol, 0.0))
            else:
                closed &= await self._close_margined(instrument)
        return closed

    async def still_held(self, held: Mapping[str, float], closing: Mapping[str, str]) -> dict[str, float]:
        """Return what is held, less what orders have closed that were sent before and are not answered.

        A symbol is left out where the venue does not tell of such an order: nothing is sold twice.
        """
        left = dict(held)
        for symbol, name in closing.items():
            outcome = await outcome_of(self._session.find_order(OrderKey(symbol, name)))
            if not isinstance(outcome, Answered):
                self._problem(f"whether order {name} has closed {symbol} is not known ({outcome.text}); look there")
                left.pop(symbol, None)
            elif outcome.report is not None:
                left[symbol] += float(outcome.report.filled) * outcome.report.side.sign
        return left

    # Orders.

    async def _open(
        self, wanted: Callable[[OrderReport], bool], found: dict[str, CanceledOrder], deadline: float
    ) -> list[OrderReport]:
        """Return what is open and wanted, and take note of it; ask until the venue answers, or time is up."""
        while True:
            try:
                reports = [one for one in await self._session.open_orders(urgent=True) if wanted(one)]
            except VenueError as error:
                if asyncio.get_running_loop().time() >= deadline:
                    raise
                self._problem(f"the open orders could not be read: {error}")
                await asyncio.sleep(_LOOK_EVERY)
                continue
            for one in reports:
                found.setdefault(
                    _identity(one),
                    CanceledOrder(
                        symbol=one.symbol,
                        order=self._known.get(one.client_id, 0),
                        client_id=one.client_id,
                        venue_id=one.venue_id,
                        side=str(one.side),
                        size=one.size,
                        filled=one.filled,
                    ),
                )
            return reports

    async def _cancel_all(self, symbol: str) -> None:
        outcome = await outcome_of(self._session.cancel_all(symbol))
        if not isinstance(outcome, Answered):
            self._problem(f"all orders of {symbol} could not be canceled at once: {outcome.text}")

    async def _cancel_one(self, one: OrderReport, found: dict[str, CanceledOrder]) -> None:
        outcome = await outcome_of(self._session.cancel(OrderKey(one.symbol, one.client_id, one.venue_id)))
        if not isinstance(outcome, Answered):
            found[_identity(one)].text = outcome.text

    async def _learn(self, item: CanceledOrder) -> None:
        """Learn how an order ended."""
        key = OrderKey(item.symbol, item.client_id, item.venue_id)
        outcome = await outcome_of(self._session.find_order(key))
        if isinstance(outcome, Answered) and outcome.report is not None:
            item.outcome, item.filled = str(outcome.report.status), outcome.report.filled
        else:
            item.outcome, item.text = "gone", getattr(outcome, "text", "")

    # Positions.

    async def _sell(self, instrument: Instrument, held: float) -> bool:
        """Sell what the run holds of an instrument that is paid in full."""
        before = exact(held)
        if not held:
            return True
        size = instrument.round_size(min(abs(held), await self._free(instrument, held)))
        item = ClosedPosition(symbol=instrument.symbol, before=before, after=before)
        self.done.positions.append(item)
        if size <= 0.0:
            item.outcome = "dust"
            return True
        filled = await self._trade(instrument, Side.SELL if held > 0.0 else Side.BUY, size, item, None)
        if item.outcome == "dust":
            return True
        item.after = before - filled if held > 0.0 else before + filled
        rest = instrument.round_size(abs(float(item.after)))
        item.outcome = "open" if rest > 0.0 else "dust" if item.after else "closed"
        return rest <= 0.0

    async def _free(self, instrument: Instrument, held: float) -> float:
        """Return how much of an asset can be sold: fees may have been taken out of it."""
        try:
            account = await self._session.account()
        except VenueError as error:
            self._problem(f"the balances could not be read: {error}")
            return abs(held)
        asset = instrument.base or instrument.symbol
        return next((float(one.total) for one in account.balances if one.asset == asset), 0.0)

    async def _close_margined(self, instrument: Instrument) -> bool:
        """Close what the venue holds of a margined instrument, each leg of it."""
        items: dict[str, ClosedPosition] = {}
        deadline = asyncio.get_running_loop().time() + self._within
        sent: set[str] = set()
        while True:
            legs = await self._legs(instrument, deadline)
            for item in items.values():
                item.after = legs[item.position_side].size if item.position_side in legs else _ZERO
                item.outcome = "open" if item.after else "closed"
            if not any(leg.size for leg in legs.values()):
                return True
            if asyncio.get_running_loop().time() >= deadline:
                return False
            for name, leg in legs.items():
                if name not in items:
                    items[name] = ClosedPosition(
                        symbol=instrument.symbol, position_side=name, before=leg.size, after=leg.size
                    )
                    self.done.positions.append(items[name])
                if name not in sent:
                    sent.add(name)
                    side = Side.SELL if leg.size > _ZERO else Side.BUY
                    filled = await self._trade(instrument, side, abs(float(leg.size)), items[name], name)
                    if not filled:
                        sent.discard(name)
            await asyncio.sleep(_LOOK_EVERY)

    async def _legs(self, instrument: Instrument, deadline: float) -> dict[str, PositionReport]:
        while True:
            try:
                account = await self._session.account()
            except VenueError as error:
                if asyncio.get_running_loop().time() >= deadline:
                    raise
                self._problem(f"the positions could not be read: {error}")
                await asyncio.sleep(_LOOK_EVERY)
            else:
                return {
                    one.position_side: one for one in account.positions if one.symbol == instrument.symbol and one.size
                }

    async def _trade(
        self, instrument: Instrument, side: Side, size: float, item: ClosedPosition, leg: str | None
    ) -> Decimal:
        """Send one market order, learn how much of it was filled, and return that.

        It is not sent twice: where no answer came, the venue is asked for it.
        """
        self._number += 1
        request = self._request(instrument, side, size, leg)
        outcome = await outcome_of(self._session.submit(request))
        if isinstance(outcome, Declined):
            item.text = outcome.text
            if outcome.reason == TOO_LITTLE:
                item.outcome = "dust"
            return _ZERO
        deadline = asyncio.get_running_loop().time() + self._within
        key = OrderKey(instrument.symbol, request.client_id)
        while True:
            found = await outcome_of(self._session.find_order(key))
            report = found.report if isinstance(found, Answered) else None
            if report is not None and report.status.ended:
                item.text = report.reason
                return report.filled
            if asyncio.get_running_loop().time() >= deadline:
                item.text = getattr(outcome, "text", "") or f"nothing is known of order {request.client_id}"
                return _ZERO if report is None else report.filled
            await asyncio.sleep(_LOOK_EVERY)

    def _request(self, instrument: Instrument, side: Side, size: float, leg: str | None) -> OrderRequest:
        terms = self._session.terms
        name = client_id(self._token, self._number, alphabet=terms.id_alphabet or ALPHABET, max_length=terms.id_length)
        order = Order(
            self._number, instrument, side, OrderType.MARKET, size, math.nan, math.nan, TimeInForce.GTC, 0,
            not instrument.is_cash, "", FLATTEN, 0,
        )  # fmt: skip
        if leg:
            order.instructions = Instructions(position_side=PositionSide(leg))
        return OrderRequest(order=order, client_id=name, type=OrderType.MARKET, size=instrument.size_to_decimal(size))

    def _problem(self, text: str) -> None:
        if text not in self.done.problems:
            self.done.problems.append(text)


def _identity(report: OrderReport) -> str:
    return f"{report.symbol} {report.venue_id or report.client_id}"
