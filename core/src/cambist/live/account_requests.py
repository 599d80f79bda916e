"""What strategies ask of their account beside orders: money in and out, margin of positions, other leverage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from cambist.engine.conversions import margin_change_of
from cambist.engine.money import CASH, MARGIN
from cambist.live.requests import ChangeAccount
from cambist.model.effects import MoveCash
from cambist.model.events import CashMoved, MarginChanged
from cambist.ports.venue import Answered, CashSession, Declined, MarginSession, OrderKey, Unanswered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist.engine.records import MarginEntry
    from cambist.model.effects import ChangeMargin
    from cambist.model.events import Event
    from cambist.model.portfolio import MarginChange
    from cambist.ports.venue import Outcome, VenueSession

__all__ = ["UNKNOWN", "AccountRequests", "ask_account", "what_is_missing"]

#: The code of a change that may have been made or not.
UNKNOWN: Final = "unknown"


def what_is_missing(session: VenueSession) -> dict[str, str]:
    """Return why a session cannot do what strategies may ask of an account; see `cambist.engine.Kernel.cannot`."""
    cannot = {}
    if not isinstance(session, CashSession):
        cannot[CASH] = (
            f"unsupported: no run moves money into or out of an account of {session.name}. Transfer it at the venue; "
            "it is booked when the venue tells of it."
        )
    if not isinstance(session, MarginSession):
        cannot[MARGIN] = (
            f"unsupported: {session.name} cannot be asked for another leverage or margin by a run. Set it at the "
            "venue; a leverage is taken over."
        )
    return cannot


async def ask_account(session: VenueSession, request: ChangeAccount) -> Outcome:
    """Ask a session for what a strategy wants of its account."""
    wish = request.wish
    if isinstance(wish, MoveCash):
        if isinstance(session, CashSession):
            return await session.move_cash(wish.flow)
    elif isinstance(session, MarginSession):
        return await session.change_margin(wish.change)
    return Declined("unsupported", f"{session.name} cannot do this")


class AccountRequests:
    """Has a venue do what strategies ask of their account, and books what it has done.

    Parameters
    ----------
    take
        Takes an event for the kernel.
    send
        Takes a request to the venue; its record is safe.
    alarm
        Told of what a person should know.
    """

    def __init__(
        self,
        take: Callable[[Event], None],
        send: Callable[[ChangeAccount], None],
        alarm: Callable[[str, str], None],
    ) -> None:
        self._take, self._send, self._alarm = take, send, alarm

    def ask(self, wish: MoveCash | ChangeMargin) -> None:
        """Ask the venue."""
        symbol = "" if isinstance(wish, MoveCash) else wish.change.symbol
        self._send(ChangeAccount(order_id=0, key=OrderKey(symbol, "of the account"), wish=wish))

    def resume(self, asked: Iterable[MarginEntry], now: int) -> None:
        """Tell of what a venue was asked for when the run was cut off, and had not answered by then."""
        for entry in asked:
            self._unknown(margin_change_of(entry), "the run was cut off before the answer came.", now)

    def _unknown(self, change: MarginChange, why: str, now: int) -> None:
        self._alarm(
            "margin_unknown",
            f"nobody knows whether {_named(change)}: {why} Another leverage is taken over when the venue tells of it; "
            "look there what margin the position has.",
        )
        self._take(MarginChanged(now, attrs.evolve(change, reason=f"{UNKNOWN}: {why}")))

    def answered(self, request: ChangeAccount, outcome: Outcome, now: int) -> None:
        """Take what became of it."""
        wish = request.wish
        if isinstance(wish, MoveCash):
            if isinstance(outcome, Answered):
                self._take(CashMoved(now, wish.flow))
            else:
                flow = wish.flow
                self._alarm("cash_refused", f"{flow.amount:,.8g} {flow.asset} were not moved: {_said(outcome)}")
            return
        if isinstance(outcome, Unanswered):
            self._unknown(wish.change, outcome.text, now)
            return
        change = wish.change
        if isinstance(outcome, Declined):
            change = attrs.evolve(change, reason=_said(outcome))
            self._alarm("margin_refused", f"it was refused that {_named(wish.change)}: {change.reason}")
        self._take(MarginChanged(now, change))


def _said(outcome: Outcome) -> str:
    assert not isinstance(outcome, Answered)
    return f"{outcome.reason}: {outcome.text}" if isinstance(outcome, Declined) else outcome.text


def _named(change: MarginChange) -> str:
    if change.leverage == change.leverage:
        return f"{change.symbol} is traded at a leverage of {change.leverage:g}"
    verb = "taken out of" if change.amount < 0.0 else "added to"
    side = f" {change.position_side}" if change.position_side else ""
    return f"{abs(change.amount):,.8g} were {verb} the margin of {change.symbol}{side}"
