"""Tells people of fills, beside a live run: read from its journal, a moment after they happened."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from cambist.engine.codec import readable

if TYPE_CHECKING:
    from cambist.live import LiveRun

__all__ = ["tell_fills"]

#: Seconds between looks at the journal.
_EVERY = 1.0


async def tell_fills(run: LiveRun) -> None:
    """Alarm the word ``fill`` for each fill that is journalled from now on."""
    told = run.journal.last
    while True:
        await asyncio.sleep(_EVERY)
        newest = run.journal.last
        if newest <= told:
            continue
        for entry in run.journal.read(told + 1):
            told = entry.sequence
            if entry.kind == "order_filled":
                run.alarm("fill", _sentence(run, readable(entry)))


def _sentence(run: LiveRun, fields: dict[str, Any]) -> str:
    number = fields["order_id"]
    order = next((one for one in reversed(run.kernel.book.orders) if one.id == number), None)
    what = f"order {number}" if order is None else f"{order.side} {order.instrument.symbol}, order {number}"
    return f"{what}: {fields['size']} at {fields['price']} ({fields['liquidity']})"
