"""Works orders in step with a run: after each thing that becomes of an order, the run answers first.

The simulated venue walks through a bar without ever giving way, and what a strategy sends in answer to a fill is to
join what remains of that bar. A live run answers by way of its journal and its event loop. So the walk takes place in a
thread of its own, which stops at each event until the run is done with it. Only one of the two ever works on orders.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cambist.live.paper.account import PaperAccount
    from cambist.model.events import OrderEvent
    from cambist.model.reports import FillReport, OrderReport

__all__ = ["Matcher"]

#: Between looks at whether the run is done, seconds.
_LOOK = 0.001


class Matcher:
    """Takes what becomes of orders to the account and to the run.

    Parameters
    ----------
    account
        Of the run.
    report
        Takes what is to be reported to the run.
    is_busy
        Answers whether the run has still something to do about what it was told.
    """

    def __init__(
        self,
        account: PaperAccount,
        report: Callable[[OrderReport | FillReport], None],
        is_busy: Callable[[], bool],
    ) -> None:
        self._account, self._report, self._is_busy = account, report, is_busy
        self._turn = threading.Lock()  # whose it is works on orders
        self._thread: int | None = None
        self._executor: ThreadPoolExecutor | None = None
        self._loop: asyncio.AbstractEventLoop
        self._waits: set[asyncio.Task[None]] = set()
        self._pauses: set[threading.Event] = set()
        self._closed = False

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Work on orders, or look at them, while no walk does."""
        with self._turn:
            yield

    async def run(self, walk: Callable[[], None]) -> None:
        """Walk through something that may make orders trade, and return when the run is done with it all."""
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, "paper venue")
            self._loop = asyncio.get_running_loop()
        await self._loop.run_in_executor(self._executor, self._walk, walk)

    def _walk(self, walk: Callable[[], None]) -> None:
        self._thread = threading.get_ident()
        try:
            with self._turn:
                walk()
        finally:
            self._thread = None

    def deliver(self, event: OrderEvent) -> None:
        """Take what became of an order; in the midst of a walk return when the run has answered."""
        reports = self._account.happened(event)
        if self._thread == threading.get_ident():
            if reports and not self._closed:
                self._pause(reports)
        else:
            for report in reports:
                self._report(report)

    def _pause(self, reports: list[OrderReport | FillReport]) -> None:
        """Stop the walk until the run has answered."""
        answered = threading.Event()
        self._pauses.add(answered)
        if self._closed:
            return
        self._turn.release()
        try:
            self._loop.call_soon_threadsafe(self._tell, reports, answered)
            answered.wait()
        finally:
            self._turn.acquire()
            self._pauses.discard(answered)

    def _tell(self, reports: list[OrderReport | FillReport], answered: threading.Event) -> None:
        for report in reports:
            self._report(report)
        task = self._loop.create_task(self._answer(answered))
        self._waits.add(task)
        task.add_done_callback(self._waits.discard)

    async def _answer(self, answered: threading.Event) -> None:
        try:
            while self._is_busy():  # noqa: ASYNC110 - many things of the run would have to tell
                await asyncio.sleep(_LOOK)
        finally:
            answered.set()

    def close(self) -> None:
        """Let a walk go on to its end without asking anybody."""
        self._closed = True
        for task in list(self._waits):
            task.cancel()
        for answered in list(self._pauses):
            answered.set()
        if self._executor is not None:
            self._executor.shutdown(wait=False)
