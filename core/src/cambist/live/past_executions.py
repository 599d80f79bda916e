"""Executions that a run has forgotten, looked up in its journal."""

from __future__ import annotations

import asyncio
import time
from itertools import islice
from typing import TYPE_CHECKING

import attrs

from cambist.engine.codec import CODEC
from cambist.live.fills import fill_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cambist.model.reports import FillReport
    from cambist.storage.journal import Journal

__all__ = ["PastExecutions", "look_up"]

#: Records that are read before the event loop gets a turn for certain, and how long that is, s.
_BATCH, _BREATH = 200, 0.0002
_MADE = frozenset({"order_submitted", "order_adopted"})


@attrs.frozen
class PastExecutions:
    """What the journal tells of the executions of an instrument.

    Attributes
    ----------
    booked
        Side and number of those that were asked about and are booked.
    strategies
        Whose the orders of the instrument were, by number.
    since
        From when on the journal is there, ns, UTC; 0 where all of it is. Of what traded before nobody can tell.
    """

    booked: frozenset[tuple[str, int]]
    strategies: dict[int, str]
    since: int = 0

    def unbooked(self, reports: Iterable[FillReport]) -> list[FillReport]:
        """Return the executions that certainly are not booked."""
        return [one for one in reports if one.ts >= self.since and _key(one) not in self.booked]


def _key(report: FillReport) -> tuple[str, int]:
    return str(report.side), fill_number(report.trade_id)


async def look_up(journal: Journal, symbol: str, reports: Sequence[FillReport]) -> PastExecutions:
    """Look in a journal for executions of an instrument; in a thread, since it reads all of it.

    Raises
    ------
    JournalError
        If it cannot be read.
    """
    await journal.wait_async()
    return await asyncio.to_thread(_look_up, journal, symbol, frozenset(map(_key, reports)))


def _look_up(journal: Journal, symbol: str, wanted: frozenset[tuple[str, int]]) -> PastExecutions:
    first, since = journal.first, 0
    orders: dict[int, tuple[str, str]] = {}
    shared: dict[tuple[str, str], tuple[str, str]] = {}  # most orders have the side and the strategy of others
    booked: set[tuple[str, int]] = set()
    entries = journal.reader().read(first)
    while batch := list(islice(entries, _BATCH)):
        if first > 1 and not since:
            since = batch[0].ts
        for entry in batch:
            if entry.kind in _MADE:
                terms = CODEC.decode(entry)
                if terms.symbol == symbol:
                    about = terms.side, terms.strategy
                    orders[terms.id] = shared.setdefault(about, about)
            elif entry.kind == "order_filled":
                fill = CODEC.decode(entry)
                order = orders.get(fill.order_id)
                if order is not None and (order[0], fill.id) in wanted:
                    booked.add((order[0], fill.id))
        time.sleep(_BREATH)
    return PastExecutions(frozenset(booked), {number: whose for number, (_, whose) in orders.items()}, since)
