"""From a journal and a venue's account to a kernel that is ready to start, or to go on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import attrs

from cambist.data.given_calendars import GivenCalendars
from cambist.engine.fold import KEEP
from cambist.engine.gates import gate_of
from cambist.engine.journaled import Recorder
from cambist.engine.rebuild import rebuild
from cambist.engine.resume import go_live, resume
from cambist.engine.sessions import Sessions
from cambist.engine.shield import Shield, Shielded, ShieldedKernel, ShieldedMarketKernel
from cambist.errors import ConfigError, JournalError
from cambist.live.holds import STOP
from cambist.live.opening import check_mode, open_account, open_simulated
from cambist.live.shielded_rules import shielded_rules
from cambist.model.events import RunStarted
from cambist.orders.ids import make_token
from cambist.portfolio import Portfolio
from cambist.risk import fresh_rules
from cambist.simulation import InstrumentFees

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.engine.fold import RunState
    from cambist.live.opening import Opening
    from cambist.live.settings import LiveSettings
    from cambist.live.subscriptions import Listening
    from cambist.model.effects import Effect
    from cambist.model.instrument import Instrument
    from cambist.risk import RiskGate
    from cambist.storage.journal import Journal
    from cambist.strategies import Strategy

__all__ = ["Prepared", "prepare", "read_state"]


@attrs.frozen(eq=False)
class Prepared:
    """A kernel, and how it is to be started.

    Attributes
    ----------
    state
        Of the run that goes on; None where it begins.
    token
        Of the run.
    shield
        Around its strategies.
    sessions
        When those of its instruments end.
    """

    kernel: Shielded
    state: RunState | None
    token: str
    seed: int
    shield: Shield
    sessions: Sessions

    def start(self, ts: int) -> list[Effect]:
        """Start the kernel, or let it go on; return what it wants done."""
        if self.state is None:
            return self.kernel.step(RunStarted(ts, self.token, self.seed))
        return resume(self.kernel, self.state, ts, over={STOP})


def read_state(journal: Journal, keep: int = KEEP) -> RunState | None:
    """Return the state of the run that a journal holds; None where it is empty.

    Parameters
    ----------
    keep
        See `cambist.engine.fold.RunState`.

    Raises
    ------
    JournalError
        If it cannot be read.
    """
    if journal.last == 0:
        return None
    journal.wait()
    state = rebuild(journal, keep=keep)
    return state if state.token else None


def prepare(
    strategies: Sequence[Strategy],
    listening: Listening,
    journal: Journal,
    state: RunState | None,
    opening: Opening,
    settings: LiveSettings,
    alarm: Callable[[str, str], None],
    expected_fee: Callable[..., float] | None = None,
) -> Prepared:
    """Make the kernel of a live run.

    Parameters
    ----------
    strategies
        Fresh ones, with names of their own.
    listening
        What the run listens to.
    journal
        Where the run is journalled.
    state
        What `read_state` returned.
    opening
        What the venue says; a run that begins takes its cash from there.
    alarm
        Told of risk rules that raise.
    expected_fee
        Answers the fee to reckon with before an order leaves, of a session that makes the executions itself; None for
        each instrument's own rates.

    Raises
    ------
    ConfigError
        If the run does not fit the journal, or the venue has no account in that currency.
    InputError
        If a calendar is not known.
    """
    instruments = listening.instruments
    calendars = _calendars(instruments, settings)
    sessions = Sessions(instruments, calendars)
    if state is None:
        opened = open_account if expected_fee is None else open_simulated
        portfolio: Portfolio = opened(instruments, opening, settings)
    else:
        portfolio = _go_on(state, instruments, strategies, journal)
        check_mode(portfolio, opening.account)
    rules = shielded_rules(fresh_rules(settings.risk), alarm)
    gate = gate_of(portfolio, rules)
    shield = Shield(strategies)  # before there is a kernel, which looks at their hooks
    fee = expected_fee or InstrumentFees().fee
    kernel = _make_kernel(strategies, listening, portfolio, gate, fee, calendars)
    kernel.shield = shield
    shield.guard(kernel)
    for cursor in (one for seat in kernel.seats for one in seat.cursors):
        cursor.history = settings.keep_bars
    go_live(kernel)
    kernel.recorder = Recorder(kernel, journal.append)
    if state is None:
        return Prepared(kernel, None, make_token(time.time()), settings.seed, shield, sessions)
    return Prepared(kernel, state, state.token, state.seed, shield, sessions)


def _calendars(instruments: Sequence[Instrument], settings: LiveSettings) -> GivenCalendars:
    """Return the calendars of a run; one that cannot be had is told before anything is traded."""
    calendars = GivenCalendars(settings.calendar, (one.symbol for one in instruments))
    for one in instruments:
        calendars(one)
    return calendars


def _make_kernel(
    strategies: Sequence[Strategy],
    listening: Listening,
    portfolio: Portfolio,
    gate: RiskGate,
    fee: Callable[..., float],
    calendars: GivenCalendars,
) -> Shielded:
    bars = listening.bars
    if listening.streams:
        return ShieldedMarketKernel(strategies, listening.streams, portfolio, gate, fee, bars=bars, calendars=calendars)
    return ShieldedKernel(strategies, bars, portfolio, gate, fee, calendars)


def _go_on(
    state: RunState, instruments: Sequence[Instrument], strategies: Sequence[Strategy], journal: Journal
) -> Portfolio:
    """Return the account of a run that goes on, with today's rules of its instruments."""
    portfolio = state.portfolio
    if portfolio is None:
        raise JournalError(
            f"the journal {journal.folder} ends before the account was opened",
            code="no_account",
            remedy="Nothing was traded yet: name a new folder.",
        )
    assert isinstance(portfolio, Portfolio)  # a live run opens no other
    known, wanted = set(state.instruments), {one.symbol for one in instruments}
    if known != wanted:
        raise ConfigError(
            f"the journal {journal.folder} is of a run on {', '.join(sorted(known))}, and this one is on "
            f"{', '.join(sorted(wanted))}. Give it the same instruments, or a journal of its own."
        )
    before, now = [one.name for one in state.strategies], [one.name for one in strategies]
    if before != now:
        raise ConfigError(
            f"the journal {journal.folder} is of a run of {', '.join(before)}, and this one runs {', '.join(now)}. "
            "Run the same strategies under the same names, or name a journal of its own."
        )
    portfolio.go_by(instruments)
    return portfolio
