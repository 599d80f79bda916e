"""Where things leave a live engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.model.reports import FillReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.engine.shield import Failure
    from cambist.errors import JournalError
    from cambist.live.requests import Request, Submit
    from cambist.live.run import LiveRun
    from cambist.model.reports import OrderReport
    from cambist.model.trading_state import TradingChange

__all__ = ["Doors", "doors_of"]


@attrs.frozen(eq=False, kw_only=True)
class Doors:
    """Who is told what follows from what happened.

    Attributes
    ----------
    send
        Takes requests to the venue; their records are safe.
    prepare
        Takes orders whose records are on their way to the disk, to make ready what `send` is going to be given.
    give_way
        Lets the journal begin with what was appended.
    alarm
        Told of what a person should know: a stable word, and a sentence.
    foreign
        Told of reports of orders that are not ours.
    stop
        Told why the run is to end.
    failed
        Told of a strategy that raised.
    changed
        Told of each change of what may be traded, before the strategies are.
    lost
        Told that the journal takes no more: nothing is done from then on.
    """

    send: Callable[[Request], None]
    prepare: Callable[[Submit], None] = lambda _request: None
    give_way: Callable[[], None] = lambda: None
    alarm: Callable[[str, str], None]
    foreign: Callable[[OrderReport | FillReport], None]
    stop: Callable[[str], None]
    failed: Callable[[Failure], None]
    changed: Callable[[TradingChange], None]
    lost: Callable[[JournalError], None]


def doors_of(run: LiveRun) -> Doors:
    """Return the doors to the parts of a run, some of which are made after its engine."""

    def foreign(report: OrderReport | FillReport) -> None:
        if not run.account.ready:
            return  # before the run is in step, comparing finds all there is
        if isinstance(report, FillReport) and report.system:
            run.account.book_system(report)
        elif not report.system:
            run.strangers.seen(report)

    def send(request: Request) -> None:
        run.dispatcher.send(request)

    def prepare(request: Submit) -> None:
        run.dispatcher.prepare(request)

    def failed(failure: Failure) -> None:
        run.quarantine.failed(failure)

    def changed(change: TradingChange) -> None:
        run.quarantine.changed(change)

    return Doors(
        send=send,
        prepare=prepare,
        give_way=run.journal.give_way,
        alarm=run.alarm,
        foreign=foreign,
        stop=run.stop,
        failed=failed,
        changed=changed,
        lost=run.fail,
    )
