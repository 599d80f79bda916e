"""A session that asks its venue and sends nothing: what a start would do is found out by starting with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cambist.ports.venue import Answered, CashHistory, Declined

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from decimal import Decimal

    from cambist.model.bars import Bars
    from cambist.model.instrument import Instrument
    from cambist.model.reports import AccountReport, CashReport, FillReport, OrderReport
    from cambist.model.timeframe import Timeframe
    from cambist.ports.venue import OrderKey, OrderRequest, Outcome, Subscription, VenueSession, VenueTerms

__all__ = ["RehearsalSession", "Withheld"]


@attrs.frozen
class Withheld:
    """A request that was not sent.

    Attributes
    ----------
    what
        ``"submit"``, ``"cancel"``, ``"amend"`` or ``"cancel_all"``.
    symbol, client_id
        Of which instrument and order.
    side, type, size, limit_price, stop_price
        Of an order or its new terms; ``""`` and None for a cancel.
    """

    what: str
    symbol: str
    client_id: str = ""
    side: str = ""
    type: str = ""
    size: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None

    def describe(self) -> str:
        """Return a line for people."""
        prices = "".join(
            f" {word} {price}"
            for word, price in (("at", self.limit_price), ("beyond", self.stop_price))
            if price is not None
        )
        terms = f": {self.side} {self.size} {self.type}{prices}" if self.side else ""
        return f"{self.what.replace('_', ' ')} {self.client_id or 'all orders'} in {self.symbol}{terms}"


class RehearsalSession:
    """Passes questions on to a session, and keeps back whatever would change something.

    Parameters
    ----------
    session
        The account, not yet open.

    Attributes
    ----------
    withheld
        What was not sent, in order, each request once.
    seen
        What the venue said of orders that it was asked about, by client id; None for "no such order".
    """

    def __init__(self, session: VenueSession) -> None:
        self._session = session
        self.withheld: list[Withheld] = []
        self.seen: dict[str, OrderReport | None] = {}

    @property
    def name(self) -> str:
        """Of the venue."""
        return self._session.name

    @property
    def terms(self) -> VenueTerms:
        """As the session's."""
        return self._session.terms

    async def open(self) -> None:
        """Open the session."""
        await self._session.open()

    async def close(self) -> None:
        """Close the session."""
        await self._session.close()

    def instruments(self) -> Sequence[Instrument]:
        """Return what can be traded."""
        return self._session.instruments()

    # Kept back.

    async def submit(self, request: OrderRequest) -> Outcome:
        """Note the order, and decline it."""
        return self._withhold(_of_request("submit", request))

    async def amend(self, key: OrderKey, request: OrderRequest) -> Outcome:  # noqa: ARG002 - the request names it
        """Note the new terms, and decline them."""
        return self._withhold(_of_request("amend", request))

    async def cancel(self, key: OrderKey) -> Outcome:
        """Note the cancel, and decline it."""
        return self._withhold(Withheld("cancel", key.symbol, key.client_id or key.venue_id))

    async def cancel_all(self, symbol: str) -> Outcome:
        """Note the cancel, and decline it."""
        return self._withhold(Withheld("cancel_all", symbol))

    def _withhold(self, what: Withheld) -> Declined:
        if what not in self.withheld:
            self.withheld.append(what)
        return Declined("rehearsal", "nothing is sent in a rehearsal")

    # Passed on.

    async def find_order(self, key: OrderKey) -> Outcome:
        """Ask how an order stands."""
        outcome = await self._session.find_order(key)
        if isinstance(outcome, Answered):
            self.seen[key.client_id] = outcome.report
        return outcome

    async def open_orders(self, symbols: Sequence[str] = (), *, urgent: bool = False) -> Sequence[OrderReport]:
        """Ask for open orders."""
        return await self._session.open_orders(symbols, urgent=urgent)

    async def fills(self, symbol: str, since: int, venue_id: str = "") -> Sequence[FillReport]:
        """Ask for executions."""
        return await self._session.fills(symbol, since, venue_id)

    async def account(self) -> AccountReport:
        """Ask for balances and positions."""
        return await self._session.account()

    async def cash_flows(self, since: int) -> Sequence[CashReport]:
        """Ask what moved money; nothing where the venue keeps no list."""
        return await self._session.cash_flows(since) if isinstance(self._session, CashHistory) else ()

    def private(self) -> AsyncIterator[Any]:
        """Listen to the account."""
        return self._session.private()

    def market(self, subscriptions: Sequence[Subscription]) -> AsyncIterator[Any]:
        """Listen to the market."""
        return self._session.market(subscriptions)

    async def history(self, instrument: Instrument, timeframe: Timeframe, start: int, end: int) -> Bars:
        """Ask for bars."""
        return await self._session.history(instrument, timeframe, start, end)


def _of_request(what: str, request: OrderRequest) -> Withheld:
    return Withheld(
        what,
        request.order.instrument.symbol,
        request.client_id,
        str(request.order.side),
        str(request.type),
        request.size,
        request.limit_price,
        request.stop_price,
    )
