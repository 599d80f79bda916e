"""Asks how every order stands that is not done with, in as few requests as can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cambist.errors import VenueError
from cambist.live.requests import Find
from cambist.ports.venue import Answered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.live.dispatch import Dispatcher
    from cambist.live.engine import LiveEngine
    from cambist.live.watched import Watched
    from cambist.model.reports import OrderReport
    from cambist.ports.venue import VenueSession

__all__ = ["call_roll"]

#: From how many orders of an instrument on the venue's list of open ones is asked for: it has conditional orders beside
#: the others, and takes two requests.
_LISTED: Final = 3


async def call_roll(session: VenueSession, engine: LiveEngine, dispatcher: Dispatcher) -> None:
    """Ask about every order that has left, and wait until that is answered.

    The list of open orders speaks for those that are on it, and about which nothing else is being asked; about the
    others the venue is asked one by one, for the list proves nothing of what is not there.
    """
    orders = engine.orders
    sent = orders.doubt_all()
    calm: dict[str, list[Watched]] = {}
    for one in sent:
        if not one.asking and one.ended is None and not dispatcher.is_asking(one.key):
            calm.setdefault(one.key.symbol, []).append(one)
    listed = {symbol: some for symbol, some in calm.items() if len(some) >= _LISTED}
    if listed:
        await _take_list(session, engine, [one for some in listed.values() for one in some], sorted(listed))
    for one in sent:
        if one.in_doubt:
            orders.evidence.find(one)
    await dispatcher.idle()


async def _take_list(session: VenueSession, engine: LiveEngine, asked: Sequence[Watched], symbols: list[str]) -> None:
    for one in asked:
        one.asking, one.overtaken = True, False
    reports: Sequence[OrderReport] = ()
    try:
        reports = await session.open_orders(symbols)
    except VenueError:
        pass  # each is asked for by itself
    finally:
        for one in asked:
            one.asking = False
    there = {one.client_id: one for one in reports}
    for one in asked:
        report = there.get(one.client_id)
        if report is not None:
            engine.orders.answers.found(Find(order_id=one.order.id, key=one.key), Answered(report), engine.now())
