"""The way of an order is gone over and over with one that never leaves: caches that know it are fast when one does.

Between two orders the processor's caches forget most of what an order takes, since other programs and market data go
through them. Trading firms call what is done about that cache warming. What is done here can send nothing: a record is
made and thrown away, the journal's thread is woken for nothing, and the session makes a request that it forgets, under
a client id that no run gives to an order. It holds these three functions alone, and none that sends.
"""

from __future__ import annotations

import asyncio
import logging
from itertools import cycle
from math import nan
from typing import TYPE_CHECKING

from cambist.model.orders import Order, OrderType, Side, TimeInForce
from cambist.ports.venue import OrderRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.model.instrument import Instrument
    from cambist.ports.journal import Draft

__all__ = ["PRACTICE", "Practice", "keep_in_practice"]

_log = logging.getLogger("cambist.live")
#: The client id under which requests are made ready that never leave; it has no number, as ours do.
PRACTICE = "practice"


class Practice:
    """Goes the way of an order, as far as it can be gone without one.

    Parameters
    ----------
    record
        Makes the record of an order that is to leave, as `Recorder.submission` does.
    keep
        Takes records that are not kept, as `Journal.practice` does.
    request
        Takes a request that is not sent, as a `PracticingSession` does.
    strategy
        Name of the strategy that could have sent it.
    instruments
        Of the run; it takes one after the other.
    clock
        Answers the engine's time, ns.
    """

    def __init__(
        self,
        record: Callable[[int, Order], Draft],
        keep: Callable[[Sequence[Draft]], None],
        request: Callable[[OrderRequest], None],
        strategy: str,
        instruments: Sequence[Instrument],
        clock: Callable[[], int],
    ) -> None:
        self._record, self._keep, self._request, self._clock = record, keep, request, clock
        self._strategy, self._instruments = strategy, cycle(instruments)

    def once(self) -> None:
        """Do it for one instrument."""
        now, instrument = self._clock(), next(self._instruments)
        size = instrument.min_size or instrument.step_size
        order = Order(
            id=1,
            instrument=instrument,
            side=Side.BUY,
            type=OrderType.MARKET,
            size=float(size),
            limit_price=nan,
            stop_price=nan,
            time_in_force=TimeInForce.GTC,
            expires_at=0,
            reduce_only=False,
            strategy=self._strategy,
            tag="",
            created_at=now,
        )
        self._keep([self._record(now, order)])
        self._request(OrderRequest(order=order, client_id=PRACTICE, type=order.type, size=size))


async def keep_in_practice(practice: Practice | None, every: float, is_busy: Callable[[], bool]) -> None:
    """Practice every so many seconds, unless there is something to do; never where that is 0, or nothing can be.

    An error is logged and ends it, and nothing else: a run can do without.
    """
    try:
        while every and practice is not None:
            await asyncio.sleep(every)
            if not is_busy():
                practice.once()
    except Exception:  # noqa: BLE001 - whatever a session raises here, it costs no order
        _log.exception("the way of an order is practiced no more; orders go it all the same, a little slower")
