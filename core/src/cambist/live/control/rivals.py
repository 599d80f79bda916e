"""Notices by the orders of an account that another run trades it, perhaps on another machine.

The token in a client id says when its run was begun (see `cambist.orders.ids`). So each of two runs that see orders of
the other comes to the same result about which of them is the younger, whoever sees whom first, and without asking
anybody: the younger one stops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.errors import OrderError
from cambist.live.settings import OnStop
from cambist.model.reports import OrderReport
from cambist.orders.ids import parse_client_id, token_time

if TYPE_CHECKING:
    from cambist.live.run import LiveRun
    from cambist.model.reports import FillReport

__all__ = ["Rivals"]

#: How much earlier than this run's start an order may seem to have been sent, ns: clocks differ.
_SLACK = 2_000_000_000


class Rivals:
    """Looks at the orders of the account that are none of the run's.

    An order counts whose client id has the form of ours and that was sent while this run runs: those of runs before it
    are left alone. One with the very token of this run, and a number that it never gave, comes from a copy of its
    journal; nobody can say which of the two is the younger, so this one stops, and leaves its orders as they are,
    since they are the other's, too.

    Parameters
    ----------
    run
        Which is told to stop, where it is the younger one.
    """

    def __init__(self, run: LiveRun) -> None:
        self._run = run
        self._since = run.now() - _SLACK
        self._told: set[str] = set()

    def seen(self, report: OrderReport | FillReport) -> None:
        """Take a report of an order that is none of the run's."""
        if not isinstance(report, OrderReport) or (report.created_at or report.ts) < self._since:
            return
        if report.created_at == 0 and (report.filled or report.status.ended):
            return  # nobody says when it was sent
        try:
            token, _ = parse_client_id(report.client_id)
        except OrderError:
            return
        run = self._run
        ours = run.kernel.book.token
        if token in self._told or token_time(token) is None or token_time(ours) is None:
            return
        self._told.add(token)
        order = f"order {report.client_id} in {report.symbol}"
        if token == ours:
            run.alarm(
                "second_instance",
                f"{order} has the token of this run, which never sent it: a copy of the journal is being traded "
                "elsewhere. This run stops, and leaves its orders as they are.",
            )
            run.stop("a copy of this run trades the account", OnStop.KEEP)
        elif token < ours:
            run.alarm(
                "second_instance",
                f"{order} is of another run, which was begun before this one and trades the same account. This run "
                "stops, and cancels its orders.",
            )
            run.stop("an older run trades the account", OnStop.CANCEL)
        else:
            run.alarm(
                "second_instance",
                f"{order} is of another run, which was begun after this one and trades the same account. It has to "
                "stop; see that it does.",
            )
