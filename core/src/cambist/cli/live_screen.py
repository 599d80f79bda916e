"""What a live run shows: a line for each phase and alarm, or JSON; and what it asks on a terminal."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs
import click

from cambist.cli.exits import code_of
from cambist.live import DifferenceKind, Policy
from cambist.observe.redaction import REDACTOR

if TYPE_CHECKING:
    from cambist.app.live_file import LivePlan
    from cambist.app.live_run import Ended
    from cambist.live import Difference, LiveRun
    from cambist.live.deciding import Ask
    from cambist.ports.notifier import NoticeLevel

__all__ = ["LiveScreen", "asking"]


class LiveScreen:
    """Shows how a run does, on stdout."""

    def __init__(self, plan: LivePlan, *, as_json: bool) -> None:
        self._plan, self._as_json = plan, as_json

    def entered(self, run: LiveRun) -> None:
        """Show a phase; to people the last word is how it ended."""
        if run.phase == "closed" and not self._as_json:
            return
        self._show("phase", self._sentence(run), phase=run.phase)

    def heard(self, word: str, level: NoticeLevel, text: str) -> None:
        """Show an alarm; on a terminal the log has it."""
        if self._as_json:
            self._show("alarm", text, word=word, level=str(level))

    def ended(self, ended: Ended) -> None:
        """Show how it ended."""
        how = "cut off" if ended.cut_off else ended.reason
        self._show("ended", f"ended: {how}; {ended.orders} orders, {ended.fills} fills", **attrs.asdict(ended))

    def failed(self, error: Exception) -> None:
        """Show, in JSON, why it failed; people read it on stderr."""
        if self._as_json:
            self._show("failed", str(error).partition("\n\n")[0], code=code_of(error))

    def _sentence(self, run: LiveRun) -> str:
        plan = self._plan
        if run.phase == "connect":
            state = "a new run" if run.journal.last == 0 else "its run goes on"
            return f"connecting to {plan.venue} ({plan.environment}); journal {plan.journal}: {state}"
        if run.phase == "reconcile":
            return f"connected; comparing with {run.session.name} before anything is sent"
        if run.phase == "run":
            settled = len(run.reconciler.settled)
            series = ", ".join(f"{symbol} {timeframe}" for symbol, timeframe in plan.series)
            return f"trading {series}; {settled or 'no'} difference{'' if settled == 1 else 's'} settled"
        if run.phase == "drain":
            return f"stopping ({run.reason}): {_POLICY[str(plan.live.on_stop)]}"
        return "closed"

    def _show(self, event: str, text: str, **facts: Any) -> None:
        if self._as_json:
            time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            click.echo(json.dumps(REDACTOR.value({"event": event, "time": time, **facts, "text": text})))
        else:
            click.echo(REDACTOR.text(text))
        sys.stdout.flush()


_POLICY = {"cancel": "orders are canceled", "keep": "orders stay", "flatten": "orders are canceled, positions closed"}


def asking(*, yes: bool) -> Ask | None:
    """Return what answers where the policy is to ask: nobody, a person on a terminal, or what ``--yes`` stands for."""
    if yes:
        return lambda difference: Policy.IGNORE if difference.kind is DifferenceKind.ORDER else Policy.ADOPT
    return _ask if sys.stdin is not None and sys.stdin.isatty() else None


async def _ask(difference: Difference) -> Policy:
    """Ask the person at the terminal; the run's loop goes on meanwhile."""
    known = [Policy.IGNORE, Policy.CLOSE]
    if difference.kind is DifferenceKind.POSITION:
        known.insert(0, Policy.ADOPT)
    words = ", ".join(known)
    while True:
        click.echo(f"{difference.describe()}\nWhat becomes of it ({words})? ", err=True, nl=False)
        line = await _line()
        if not line:  # the terminal is gone
            return Policy.ASK
        answer = line.strip().lower()
        found = [policy for policy in known if answer and policy.startswith(answer)]
        if len(found) == 1:
            return found[0]
        click.echo(f"{answer!r} is none of: {words}.", err=True)


async def _line() -> str:
    """Read a line from the terminal without a thread, which would keep the process from ending."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(sys.stdin.fileno())
    return sys.stdin.readline()
