"""Carries requests about orders to a venue and its answers back, in order for each order, urgent ones first."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Final

from cambist.errors import VenueError
from cambist.live.account_requests import ask_account
from cambist.live.asking import outcome_of, outcomes_of
from cambist.live.requests import Amend, Cancel, ChangeAccount, FetchFills, Find, Submit, SubmitGroup
from cambist.ports.venue import BatchingSession, Declined, NativeSession, PreparingSession, PromptSession

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from cambist.live.account_requests import AccountRequests
    from cambist.live.answers import Answers
    from cambist.live.requests import Request
    from cambist.ports.venue import OrderKey, Outcome, VenueSession

__all__ = ["FLATTEN", "Dispatcher"]

_log = logging.getLogger("cambist.live")
_BATCHED = (Submit, Cancel)
#: What waits for a change of the account that was asked for before: it was decided with that in mind.
_LATER = (Submit, SubmitGroup, Amend)

#: The tag of orders by which the run itself closes positions.
FLATTEN: Final = "flatten"
_KILLED = Declined("killed", "the kill switch was thrown; cambist resume lets orders leave again")


class Dispatcher:
    """Asks a venue what the order manager wants to know or have done.

    Requests about one order follow one another, so that a cancel never overtakes its submit; those about different
    orders go at the same time. What one step sends, or cancels, of one instrument goes as a batch where the session
    says that this is no slower. A request never raises and never waits for ever: the session's own time limits decide.

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
    account
        Takes what the venue answers to changes of the account. What opens or amends after such a change waits for it.

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
        account: AccountRequests | None = None,
    ) -> None:
        self._in_order, self._account = in_order, account
        self._changes = 0  # of the account, that are not answered
        self._behind: dict[str, list[Request]] = {}  # what waits for that, by line
        self._session, self._answers, self._clock, self._group = session, answers, clock, group
        self._lines: dict[str, deque[Request]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False
        self._fresh: dict[str, Request] = {}  # the first of a line of which nothing has been asked yet
        self._batches = session if isinstance(session, BatchingSession) else None
        self._prepares = session if isinstance(session, PreparingSession) else None
        self._prompt = session if isinstance(session, PromptSession) else None
        self._sent: dict[str, Callable[[], Awaitable[Outcome]]] = {}  # what waits for the answer, by line
        self._taken: dict[str, asyncio.Event] = {}  # by line whose first request goes in the batch of another
        self._done: dict[str, asyncio.Event] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        self.sealed = False

    def prepare(self, request: Submit) -> None:
        """Have the session make ready what `send` is going to be given, while the journal is at its record."""
        if self._prepares is not None and not (self._is_closed or self.sealed):
            self._prepares.prepare(request.terms)

    def send(self, request: Request) -> None:
        """Ask, behind what is already being asked about the same order."""
        if self._is_closed:
            return
        key = "of all" if self._in_order else request.key.client_id or request.key.venue_id
        if isinstance(request, ChangeAccount):
            self._changes += 1
        elif self._changes and not self._in_order and (type(request) in _LATER or key in self._behind):
            self._behind.setdefault(key, []).append(request)
            return
        if isinstance(request, SubmitGroup) and not self._in_order:
            self._reserve(key, request)
        line = self._lines.get(key)
        if line is not None:
            line.append(request)
            return
        answer = self._send_now(request) if type(request) is Submit else None
        if answer is not None:
            self._sent[key] = answer
        elif self._batches is not None and type(request) in _BATCHED:
            self._fresh[key] = request
        self._begin(key, request)

    def _send_now(self, request: Submit) -> Callable[[], Awaitable[Outcome]] | None:
        """Send an order before anything else is done, where the session can; return what waits for the answer.

        It must not overtake a cancel: what that gives free may be what the order needs.
        """
        if self._prompt is None or self._is_killed(request):
            return None
        if any(type(line[0]) is Cancel for line in self._lines.values() if line):
            return None
        return self._prompt.submit_now(request.terms)

    def _is_killed(self, request: Submit) -> bool:
        """Tell whether the kill switch keeps an order: looked at as late as can be, just before it would leave."""
        return self.sealed and request.terms.order.tag != FLATTEN

    def _reserve(self, key: str, request: SubmitGroup) -> None:
        """Have what is asked about one of several orders wait until all have been sent."""
        done = self._done[key] = asyncio.Event()
        for member in request.members[1:]:
            other = member.key.client_id
            if other not in self._lines:
                self._taken[other] = done
                self._begin(other, request)

    def _begin(self, key: str, request: Request) -> None:
        self._lines[key] = deque((request,))
        self._idle.clear()
        work = self._work(key)
        try:
            task = self._group.create_task(work, name=f"order {key}")
        except RuntimeError:  # the run is being ended by an error: a restart asks again
            work.close()
            del self._lines[key]
            self._fresh.pop(key, None)
            self._taken.pop(key, None)
            self._sent.pop(key, None)
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

    def is_asking(self, key: OrderKey) -> bool:
        """Tell whether something is being asked about an order."""
        name = key.client_id or key.venue_id
        return name in self._lines or name in self._behind

    async def idle(self) -> None:
        """Return when nothing is being asked."""
        await self._idle.wait()

    async def _work(self, key: str) -> None:
        line = self._lines[key]
        try:
            first = self._fresh.pop(key, None)
            together = [] if first is None else self._gather(key, first)
            if together:
                await self._ask_together([line[0], *together])
                line.popleft()
            elif first is None and key in self._taken:
                await self._taken[key].wait()  # it is asked for in somebody else's batch
                del self._taken[key]
                line.popleft()
            elif key in self._sent:
                outcome = await outcome_of(self._sent.pop(key)())
                assert isinstance(line[0], Submit)
                self._answers.submitted(line[0], outcome, self._clock())
                line.popleft()
            while line:
                await self._ask(line[0])
                line.popleft()
        finally:
            self._taken.pop(key, None)
            del self._lines[key]
            if not self._lines:
                self._idle.set()

    def _gather(self, key: str, first: Request) -> list[Request]:
        """Take what goes with a request: others of its kind and instrument that came in the same moment."""
        size = 0 if self._batches is None else self._batches.batch
        others = [
            (other, request)
            for other, request in self._fresh.items()
            if type(request) is type(first) and request.key.symbol == first.key.symbol
        ][: max(0, size - 1)]
        if others:
            done = asyncio.Event()
            self._done[key] = done
            for other, _ in others:
                del self._fresh[other]
                self._taken[other] = done
        return [request for _, request in others]

    async def _ask_together(self, requests: Sequence[Request]) -> None:
        """Ask for several orders at once; each has an outcome of its own."""
        assert self._batches is not None
        done = self._done.pop(requests[0].key.client_id or requests[0].key.venue_id)
        try:
            if self.sealed:
                for request in requests:
                    await self._ask(request)
                return
            if isinstance(requests[0], Submit):
                terms = [one.terms for one in requests if isinstance(one, Submit)]
                outcomes = await outcomes_of(self._batches.submit_all(terms), len(requests))
            else:
                outcomes = await outcomes_of(self._batches.cancel_many([one.key for one in requests]), len(requests))
            now = self._clock()
            for request, outcome in zip(requests, outcomes, strict=True):
                if isinstance(request, Submit):
                    self._answers.submitted(request, outcome, now)
                elif isinstance(request, Cancel):
                    self._answers.canceled(request, outcome, now)
        finally:
            done.set()

    async def _ask_group(self, request: SubmitGroup) -> None:
        """Send several orders as one."""
        done = self._done.pop(request.key.client_id, None)
        terms = [one.terms for one in request.members]
        try:
            if self.sealed or not isinstance(self._session, NativeSession):
                outcomes: Sequence[Outcome] = [_KILLED] * len(terms)
            else:
                outcomes = await outcomes_of(self._session.submit_group(terms), len(terms))
            self._answers.group_submitted(request, outcomes, self._clock())
        finally:
            if done is not None:
                done.set()

    async def _change_account(self, request: ChangeAccount) -> None:
        """Change the account, and ask for what waits for that."""
        outcome = await outcome_of(ask_account(self._session, request))
        if self._account is not None:
            self._account.answered(request, outcome, self._clock())
        self._changes -= 1
        if not self._changes:
            waited, self._behind = self._behind, {}
            for one in (each for line in waited.values() for each in line):
                self.send(one)

    async def _ask(self, request: Request) -> None:
        session, answers = self._session, self._answers
        if isinstance(request, Submit):
            if self._is_killed(request):
                answers.submitted(request, _KILLED, self._clock())
            else:
                answers.submitted(request, await outcome_of(session.submit(request.terms)), self._clock())
        elif isinstance(request, SubmitGroup):
            await self._ask_group(request)
        elif isinstance(request, ChangeAccount):
            await self._change_account(request)
        elif isinstance(request, Cancel):
            answers.canceled(request, await outcome_of(session.cancel(request.key)), self._clock())
        elif isinstance(request, Amend):
            answers.amended(request, await outcome_of(session.amend(request.key, request.terms)), self._clock())
        elif isinstance(request, Find):
            answers.found(request, await outcome_of(session.find_order(request.key)), self._clock())
        elif isinstance(request, FetchFills):
            try:
                fills = await session.fills(request.key.symbol, request.since, request.key.venue_id)
            except VenueError as error:
                _log.warning("the executions of order %s could not be fetched: %s", request.order_id, error)
                answers.fetched(request, None, self._clock())
            else:
                answers.fetched(request, fills, self._clock())
