"""How the venue lets a run trade on margin, and what becomes of it when somebody changes that meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cambist.live.opening import reckoned_leverage
from cambist.model.events import MarginChanged
from cambist.model.portfolio import MarginChange
from cambist.model.trading_state import TradingState, scope_of
from cambist.portfolio import HedgePortfolio, MarginPortfolio

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.engine.journaled import Journaling
    from cambist.live.holds import OwnHolds
    from cambist.model.events import Event
    from cambist.model.reports import AccountReport, MarginReport

__all__ = ["MARGIN_MODE", "POSITION_MODE", "MarginSettings"]

#: The account has other positions than the run reckons with: nothing fits any more.
POSITION_MODE: Final = "position_mode"
#: Another amount of money backs a position than the run reckons with.
MARGIN_MODE: Final = "margin_mode"


class MarginSettings:
    """Compares leverage, margin mode and position mode of an account with those of the run.

    Another leverage is taken over. In another position mode nothing is traded, in another margin mode nothing that
    opens a position of that instrument, until it is set back or the run begins anew.

    Parameters
    ----------
    kernel, holds
        Of the run.
    take
        Takes an event for the kernel.
    clock
        Answers the engine's time, ns.
    alarm
        Told of what a person should know.
    most
        The leverage that the run may make use of.
    """

    def __init__(
        self,
        kernel: Journaling,
        holds: OwnHolds,
        take: Callable[[Event], None],
        clock: Callable[[], int],
        alarm: Callable[[str, str], None],
        most: float,
    ) -> None:
        portfolio = kernel.portfolio
        self._books = portfolio if isinstance(portfolio, MarginPortfolio) else None
        self._holds, self._take, self._clock, self._alarm = holds, take, clock, alarm
        self._most = most
        self._isolated: dict[str, bool] = {}
        self._held: set[str] = set()

    def told(self, account: AccountReport) -> None:
        """Take what the venue says."""
        books = self._books
        if books is None:
            return
        if account.hedged is not None:
            self._check_mode(is_hedged=isinstance(books, HedgePortfolio), hedged=account.hedged)
        for one in account.margins:
            if one.symbol in books.leverages:
                self._check_leverage(books, one)
                self._check_margin(one)

    def _check_mode(self, *, is_hedged: bool, hedged: bool) -> None:
        if hedged is is_hedged:
            self._lift(POSITION_MODE, "")
            return
        now = "hedge" if hedged else "one-way"
        text = f"the account is in {now} mode now, and the run is not: no order of it fits. Set it back at the venue."
        self._hold(POSITION_MODE, "", TradingState.HALTED, "position_mode_changed", text)

    def _check_leverage(self, books: MarginPortfolio, told: MarginReport) -> None:
        instrument = books.positions[told.symbol].instrument
        leverage = reckoned_leverage(instrument, float(told.leverage), self._most)
        if leverage == books.leverages[told.symbol]:
            return
        self._alarm(
            "leverage_changed",
            f"{told.symbol} is traded at a leverage of {told.leverage} at the venue, and was at "
            f"{books.leverages[told.symbol]:g}; the run reckons with {leverage:g}.",
        )
        now = self._clock()
        self._take(MarginChanged(now, MarginChange(now, told.symbol, leverage=leverage)))

    def _check_margin(self, told: MarginReport) -> None:
        before = self._isolated.setdefault(told.symbol, told.isolated)
        scope = scope_of("symbol", told.symbol)
        if before is told.isolated:
            self._lift(MARGIN_MODE, scope)
            return
        now = "isolated" if told.isolated else "cross"
        text = f"the margin of {told.symbol} is {now} now, and was not when the run began: it opens no position there."
        self._hold(MARGIN_MODE, scope, TradingState.REDUCING, "margin_mode_changed", text)

    def _hold(self, rule: str, scope: str, state: TradingState, word: str, text: str) -> None:
        if rule + scope not in self._held:
            self._held.add(rule + scope)
            self._alarm(word, text)
            self._holds.hold(rule, state, text, scope=scope)

    def _lift(self, rule: str, scope: str) -> None:
        self._held.discard(rule + scope)
        self._holds.lift(rule, "it was set back at the venue", scope=scope)
