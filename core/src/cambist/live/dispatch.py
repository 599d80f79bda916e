"""Carries requests about orders to a venue and its answers back, in order for each order, urgent ones first."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Final

from cambist.errors import VenueError
from cambist.live.requests import Amend, Cancel, FetchFills, Find, Submit
from cambist.ports.venue import Declined, Unanswered

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.live.evidence import Answers
    from cambist.live.requests import Request
    from cambist.ports.venue import Outcome, VenueSession

__all__ = ["FLATTEN", "Dispatcher"]

_log = logging.getLogger("cambist.live")

#: The tag of orders by which the run itself closes positions.
FLATTEN: Final = "flatten"
_KILLED = Declined("killed", "the kill switch was thrown; cambist resume lets orders leave again")


class Dispatcher:
    """Asks a venue what the order manager wants to know or have done.

    Requests about one order follow one another, so that a cancel never overtakes its submit; those about different
    orders go at the same time. A request never raises and never waits for ever: the session's own time limits decide.

    Parameters
    ----------
    session
        The venue.
    answers
        Takes what it answers.
    clock
        Answers the engine's time, ns.
    group
        In which requests run.
    in_order
        Whether all requests follow one another, whatever they are about, as a venue without a wire would have them.

    Attributes
    ----------
    sealed
        While it is True no new order leaves: those that want to are refused as ``"killed"``, save what closes positions
        (tagged `FLATTEN`). Any thread may set it.
    """

    def __init__(
        self,
        session: VenueSession,
        answers: Answers,
        clock: Callable[[], int],
        group: asyncio.TaskGroup,
        *,
        in_order: bool = False,
    ) -> None:
        self._in_order = in_order
        self._session, self._answers, self._clock, self._group = session, answers, clock, group
        self._lines: dict[str, deque[Request]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False
        self._idle = asyncio.Event()
        self._idle.set()
        self.sealed = False

    def send(self, request: Request) -> None:
        """Ask, behind what is already being asked about the same order."""
        if self._is_closed:
            return
        key = "of all" if self._in_order else request.key.client_id or request.key.venue_id
        line = self._lines.get(key)
        if line is not None:
            line.append(request)
            return
        self._lines[key] = deque((request,))
        self._idle.clear()
        work = self._work(key)
        try:
            task = self._group.create_task(work, name=f"order {key}")
        except RuntimeError:  # the run is being ended by an error: a restart asks again
            work.close()
            del self._lines[key]
        else:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Ask no more, and wait for no answer; whatever it would have been, the next start finds out."""
        self._is_closed = True
        for task in list(self._tasks):
            task.cancel()

    @property
    def busy(self) -> int:
        """Orders about which something is being asked."""
        return len(self._lines)

    async def idle(self) -> None:
        """Return when nothing is being asked."""
        await self._idle.wait()

    async def _work(self, key: str) -> None:
        line = self._lines[key]
        try:
            while line:
                await self._ask(line[0])
                line.popleft()
        finally:
            del self._lines[key]
            if not self._lines:
                self._idle.set()

    async def _ask(self, request: Request) -> None:
        session, answers = self._session, self._answers
        if isinstance(request, Submit):
            # Looked at as late as can be: the kill switch may have been thrown while the order waited in line.
            if self.sealed and request.terms.order.tag != FLATTEN:
                answers.submitted(request, _KILLED, self._clock())
            else:
                answers.submitted(request, await self._outcome(session.submit(request.terms)), self._clock())
        elif isinstance(request, Cancel):
            answers.canceled(request, await self._outcome(session.cancel(request.key)), self._clock())
        elif isinstance(request, Amend):
            answers.amended(request, await self._outcome(session.amend(request.key, request.terms)), self._clock())
        elif isinstance(request, Find):
            answers.found(request, await self._outcome(session.find_order(request.key)), self._clock())
        elif isinstance(request, FetchFills):
            try:
                fills = await session.fills(request.key.symbol, request.since, request.key.venue_id)
            except VenueError as error:
                _log.warning("the executions of order %s could not be fetched: %s", request.order_id, error)
                answers.fetched(request, None, self._clock())
            else:
                answers.fetched(request, fills, self._clock())

    async def _outcome(self, asked: object) -> Outcome:
        try:
            return await asked  # type: ignore[misc, no-any-return]
        except VenueError as error:
            return Unanswered(str(error))
