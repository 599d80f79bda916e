"""From a journal and a venue's account to a kernel that is ready to start, or to go on."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs

from cambist.engine.journaled import JournaledKernel, JournaledMarketKernel, Journaling, Recorder
from cambist.engine.rebuild import rebuild
from cambist.engine.resume import go_live, resume
from cambist.engine.step import no_calendar
from cambist.errors import ConfigError, JournalError
from cambist.model.events import RunStarted
from cambist.orders.ids import make_token
from cambist.portfolio import InKindPortfolio, Portfolio
from cambist.risk import RiskGate, fresh_rules
from cambist.simulation import InstrumentFees

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.engine.fold import RunState
    from cambist.live.settings import LiveSettings
    from cambist.live.subscriptions import Listening
    from cambist.model.effects import Effect
    from cambist.model.instrument import Instrument
    from cambist.model.reports import AccountReport
    from cambist.storage.journal import Journal
    from cambist.strategies import Strategy

__all__ = ["Prepared", "prepare", "read_state"]

_ZERO = Decimal(0)


@attrs.frozen(eq=False)
class Prepared:
    """A kernel, and how it is to be started.

    Attributes
    ----------
    state
        Of the run that goes on; None where it begins.
    token
        Of the run.
    """

    kernel: Journaling
    state: RunState | None
    token: str
    seed: int

    def start(self, ts: int) -> list[Effect]:
        """Start the kernel, or let it go on; return what it wants done."""
        if self.state is None:
            return self.kernel.step(RunStarted(ts, self.token, self.seed))
        return resume(self.kernel, self.state, ts)


def read_state(journal: Journal) -> RunState | None:
    """Return the state of the run that a journal holds; None where it is empty.

    Raises
    ------
    JournalError
        If it cannot be read.
    """
    if journal.last == 0:
        return None
    journal.wait()
    state = rebuild(journal)
    return state if state.token else None


def prepare(
    strategies: Sequence[Strategy],
    listening: Listening,
    journal: Journal,
    state: RunState | None,
    account: AccountReport,
    settings: LiveSettings,
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
    account
        What the venue says; a run that begins takes its cash from there.
    expected_fee
        Answers the fee to reckon with before an order leaves; None for each instrument's own rates.

    Raises
    ------
    ConfigError
        If the run does not fit the journal, or the venue has no account in that currency.
    """
    instruments = listening.instruments
    if state is None:
        portfolio = _open(instruments, account, settings)
    else:
        portfolio = _go_on(state, instruments, strategies, journal)
    fee = expected_fee or InstrumentFees().fee
    gate = RiskGate(fresh_rules(settings.risk))
    kernel: Journaling
    if listening.streams:
        kernel = JournaledMarketKernel(
            strategies, listening.streams, portfolio, gate, fee, bars=listening.bars, calendars=no_calendar
        )
    else:
        kernel = JournaledKernel(strategies, listening.bars, portfolio, gate, fee, no_calendar)
    go_live(kernel)
    kernel.recorder = Recorder(kernel, journal.append)
    if state is None:
        return Prepared(kernel, None, make_token(time.time()), settings.seed)
    return Prepared(kernel, state, state.token, state.seed)


def _open(instruments: Sequence[Instrument], account: AccountReport, settings: LiveSettings) -> Portfolio:
    """Open the account of a run that begins, with the cash that the venue says is there."""
    balances = {one.asset: one.total for one in account.balances}
    currency = settings.currency
    foreign = [one for one in instruments if one.settle != currency]
    if foreign:
        raise ConfigError(
            f"{foreign[0].symbol} settles in {foreign[0].settle}, and the account of this run is kept in {currency}. "
            f"Trade it in a run of its own, with currency = {foreign[0].settle!r}."
        )
    if currency not in balances:
        have = ", ".join(sorted(balances)) or "nothing"
        raise ConfigError(
            f"the account at the venue has no {currency}; it has {have}. Fund it, or set currency.", code="no_funds"
        )
    kind = InKindPortfolio if all(one.is_cash for one in instruments) else Portfolio
    return kind(instruments, float(balances[currency]), settings.leverage)


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
    for instrument in instruments:
        portfolio.positions[instrument.symbol].instrument = instrument
    return portfolio
