"""`cambist rehearse`: the real start of a live run, on a copy of its journal, with a session that sends nothing."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from cambist.app.live_run import LiveJob
from cambist.live import OnStop, Policy
from cambist.live.rehearsal import RehearsalSession

if TYPE_CHECKING:
    from cambist.app.live_file import LivePlan
    from cambist.live import Difference, LiveRun
    from cambist.live.rehearsal import Withheld
    from cambist.model.reports import OrderReport
    from cambist.ports.notifier import NoticeLevel

__all__ = ["Rehearsed", "Settled", "rehearse"]


@attrs.frozen
class Settled:
    """A difference, and what a start would do about it; ``"ask"`` where it would ask."""

    difference: Difference
    policy: str


@attrs.frozen(kw_only=True)
class Rehearsed:
    """What a start would do.

    Attributes
    ----------
    venue, environment
        Where.
    goes_on
        Whether the journal holds a run.
    open_orders
        Orders of the run that would be at work: a line for people each.
    asked
        What the venue says of orders about which it had to be asked, by client id; None for "no such order".
    differences
        What venue and run tell differently.
    withheld
        What would be sent.
    positions
        What the run would hold, by symbol.
    told
        Alarms: word and text.
    """

    venue: str
    environment: str
    goes_on: bool
    open_orders: tuple[str, ...]
    asked: dict[str, OrderReport | None]
    differences: tuple[Settled, ...]
    withheld: tuple[Withheld, ...]
    positions: dict[str, float]
    told: tuple[tuple[str, str], ...]

    @property
    def starts(self) -> bool:
        """Whether it would start without asking a person."""
        return all(one.policy != Policy.ASK for one in self.differences)

    def document(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return {
            "venue": self.venue,
            "environment": self.environment,
            "goes_on": self.goes_on,
            "starts": self.starts,
            "open_orders": list(self.open_orders),
            "asked": {
                name: None if one is None else {"status": str(one.status), "filled": str(one.filled)}
                for name, one in self.asked.items()
            },
            "differences": [
                {
                    "kind": str(one.difference.kind),
                    "symbol": one.difference.symbol,
                    "ours": str(one.difference.ours),
                    "theirs": str(one.difference.theirs),
                    "text": one.difference.describe(),
                    "policy": one.policy,
                }
                for one in self.differences
            ],
            "would_send": [one.describe() for one in self.withheld],
            "positions": self.positions,
            "alarms": [{"word": word, "text": text} for word, text in self.told],
        }


def rehearse(plan: LivePlan) -> Rehearsed:
    """Find out what a start would do.

    The journal is copied, and the copy goes on; the venue is asked, and nothing is sent there. The strategies are
    started as well: what they send at once is among what is withheld.

    Raises
    ------
    CambistError
        What keeps a start from succeeding, other than a difference that a person has to decide.
    """
    with tempfile.TemporaryDirectory(prefix="cambist-rehearsal-") as folder:
        copy = Path(folder) / "journal"
        goes_on = plan.journal.is_dir() and any(plan.journal.iterdir())
        if goes_on:
            shutil.copytree(plan.journal, copy)
        changes = {"read_only": True} if plan.read_only else {}
        scene = _Scene(RehearsalSession(plan.session(**changes)))
        quiet = attrs.evolve(
            plan,
            journal=copy,
            channels=(),
            storage=None,
            live=attrs.evolve(plan.live, on_stop=OnStop.KEEP, record=False),
            notify_fills=False,
        )
        job = LiveJob(
            quiet,
            session=lambda _journal: scene.session,
            ask=scene.ask,
            controlled=False,
            phase=scene.entered,
            heard=scene.heard,
        )
        scene.job = job
        job.work()
    return Rehearsed(
        venue=plan.venue,
        environment=str(plan.environment),
        goes_on=goes_on,
        open_orders=tuple(scene.open_orders),
        asked=scene.session.seen,
        differences=tuple(scene.differences(plan)),
        withheld=tuple(scene.session.withheld),
        positions=scene.positions,
        told=tuple(scene.told),
    )


class _Scene:
    """Watches a run until it is ready to trade, and ends it there."""

    def __init__(self, session: RehearsalSession) -> None:
        self.session = session
        self.job: LiveJob
        self.asked: list[Difference] = []
        self.settled: list[Difference] = []
        self.told: list[tuple[str, str]] = []
        self.open_orders: list[str] = []
        self.positions: dict[str, float] = {}

    def ask(self, difference: Difference) -> Policy:
        self.asked.append(difference)
        return Policy.IGNORE

    def heard(self, word: str, _level: NoticeLevel, text: str) -> None:
        if word not in {"run_started", "run_ended", "reconciled"}:
            self.told.append((word, text))

    def entered(self, run: LiveRun) -> None:
        if run.phase != "run":
            return
        self.settled = list(run.reconciler.settled)
        for order in run.kernel.book.open.values():
            self.open_orders.append(
                f"{run.kernel.book.client_id(order)}: {order.side} {order.size:g} {order.instrument.symbol} "
                f"{order.type} {order.status}"
            )
        self.positions = {
            symbol: position.size for symbol, position in run.kernel.portfolio.positions.items() if position.size
        }
        self.job.stop("the rehearsal is over")

    def differences(self, plan: LivePlan) -> list[Settled]:
        return [Settled(one, str(plan.live.policy_for(one.kind))) for one in self.settled]
