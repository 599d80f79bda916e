"""The kill switch of a run whose process is gone, or deaf: acts at the venue by a session of its own."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import msgspec

from cambist.engine.rebuild import rebuild
from cambist.errors import JournalError
from cambist.live.control import ControlFolder
from cambist.live.control.clearing import Cleared
from cambist.live.control.kill import Killed, Open, clear_account, write_kill_file, write_report
from cambist.orders.ids import ALPHABET
from cambist.storage.journal import JournalFolder

if TYPE_CHECKING:
    from cambist.app.live_file import LivePlan
    from cambist.ports.venue import VenueSession

__all__ = ["kill_directly"]


def kill_directly(plan: LivePlan, *, by: str, flatten: bool) -> Killed:
    """Cancel everything of a run's account and close what the run holds, without the run; it stays halted when started.

    What the run holds is what its journal says, read without a lock: a process that is there, and does not answer, goes
    on having it.
    """
    folder = ControlFolder(plan.journal).make()
    killed = Killed(at=time.time_ns(), by=by, via="command", flatten=flatten, acted="session")
    write_kill_file(folder, {"by": by, "via": killed.via, "at": killed.at, "flatten": flatten})
    session = plan.session()
    what, problem = _open(plan, session)
    done = asyncio.run(clear_account(session, what, flatten=flatten, within=plan.control.clear_within))
    for field in msgspec.structs.fields(Cleared):
        setattr(killed, field.name, getattr(done, field.name))
    if problem:
        killed.problems.append(problem)
        killed.verified = killed.verified and not flatten
    write_report(folder, killed)
    return killed


def _open(plan: LivePlan, session: VenueSession) -> tuple[Open, str]:
    """Return what the journal says is open, and why that may not be all."""
    symbols = list(dict.fromkeys(symbol for symbol, _ in plan.series))
    if not plan.journal.is_dir() or not any(plan.journal.iterdir()):
        return Open(symbols, {}, {}), ""
    try:
        state = rebuild(JournalFolder(plan.journal))
    except JournalError as error:
        return Open(symbols, {}, {}), f"what the run holds is not known, for its journal cannot be read: {error}"
    books: Any = state.portfolio
    held = {} if books is None else {symbol: one.size for symbol, one in books.positions.items()}
    terms = session.terms
    known = {
        state.book.client_id(one, alphabet=terms.id_alphabet or ALPHABET, max_length=terms.id_length): one.id
        for one in state.book.open.values()
        if state.token
    }
    return Open(symbols, held, known), ""
