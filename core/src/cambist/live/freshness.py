"""Whether market data flows: one look-out a subscription; an instrument whose data does not may take no new risk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.live.holds import MARKET_DATA
from cambist.live.seldom import AGAIN
from cambist.model.trading_state import TradingState, scope_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.live.holds import OwnHolds
    from cambist.ports.venue import Subscription

__all__ = ["Freshness", "SubscriptionState"]

_SECOND = 1_000_000_000
_NAMED = 5
_WORDS = {"down": "stream_down", "stale": "data_stale", "gap": "data_gap"}


@attrs.frozen
class SubscriptionState:
    """How a subscription does.

    Attributes
    ----------
    subscription
        Which.
    state
        ``"up"``, ``"down"``, ``"stale"`` or ``"gap"``.
    text
        Why.
    age
        Since something came last, ns.
    """

    subscription: Subscription
    state: str
    text: str
    age: int


class Freshness:
    """Watches the subscriptions of a run.

    Parameters
    ----------
    subscriptions
        In the order of their numbers.
    holds
        Of the run.
    clock
        Answers the engine's time, ns.
    alarm
        Told of what a person should know.
    silences
        For each subscription, after how long without anything it is stale, ns.

    Attributes
    ----------
    heard_at
        When something came last of each, ns; written by whoever takes it.
    troubled
        State and reason of those that do not flow, by number.
    """

    def __init__(
        self,
        subscriptions: Sequence[Subscription],
        holds: OwnHolds,
        clock: Callable[[], int],
        alarm: Callable[[str, str], None],
        silences: Sequence[float],
    ) -> None:
        self._subscriptions, self._holds, self._clock, self._alarm = subscriptions, holds, clock, alarm
        self._silences = silences
        self.heard_at = [clock()] * len(subscriptions)
        self.troubled: dict[int, tuple[str, str]] = {}
        self._untold: dict[tuple[str, str], list[int]] = {}
        self._told_at: dict[tuple[int, str], int] = {}
        self._holding = False
        self._held: set[str] = set()

    def begin(self) -> None:
        """Hold instruments from now on: the run may trade."""
        self._holding = True
        for number in list(self.troubled):
            self._hold(number)

    def trouble(self, number: int, state: str, text: str) -> None:
        """Take that a subscription does not flow as it should."""
        if self.troubled.get(number, ("", ""))[0] == state:
            return
        self.troubled[number] = state, text
        self._untold.setdefault((state, text), []).append(number)
        self._hold(number)

    def flows(self, number: int) -> None:
        """Take that a subscription flows."""
        if self.troubled.pop(number, None) is None:
            return
        symbol = self._symbol(number)
        if symbol in self._held and not any(self._symbol(other) == symbol for other in self.troubled):
            self._held.remove(symbol)
            self._holds.lift(MARKET_DATA, "market data flows again", scope=scope_of("symbol", symbol))

    def check(self) -> None:
        """Look for subscriptions that are silent, and tell of what has changed."""
        now = self._clock()
        for number, silence in enumerate(self._silences):
            silent = now - self.heard_at[number]
            if silent > silence and number not in self.troubled:
                self.trouble(number, "stale", f"nothing has come for more than {silence / _SECOND:g} s")
        self.tell()

    def tell(self) -> None:
        """Tell of what has changed: all of one reason together."""
        now = self._clock()
        untold, self._untold = self._untold, {}
        for (state, text), numbers in untold.items():
            news = [one for one in numbers if now - self._told_at.get((one, state), now - 2 * AGAIN) > AGAIN]
            if news:
                self._told_at |= dict.fromkeys(((one, state) for one in news), now)
                self._alarm(_WORDS.get(state, "stream_down"), self._sentence(news, state, text))

    def states(self) -> list[SubscriptionState]:
        """Return how each subscription does."""
        now = self._clock()
        return [
            SubscriptionState(one, *self.troubled.get(number, ("up", "")), now - self.heard_at[number])
            for number, one in enumerate(self._subscriptions)
        ]

    def _hold(self, number: int) -> None:
        if not self._holding:
            return
        symbol = self._symbol(number)
        self._held.add(symbol)
        state, text = self.troubled[number]
        why = f": {text}" if text else ""
        reason = f"{self._subscriptions[number]}: {state}{why}"
        self._holds.hold(MARKET_DATA, TradingState.REDUCING, reason, scope=scope_of("symbol", symbol))

    def _symbol(self, number: int) -> str:
        return self._subscriptions[number].instrument.symbol

    def _sentence(self, numbers: Sequence[int], state: str, text: str) -> str:
        names = ", ".join(str(self._subscriptions[one]) for one in numbers[:_NAMED])
        more = f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else ""
        said = {"gap": "has a gap" if len(numbers) == 1 else "have gaps"}.get(
            state, f"{'is' if len(numbers) == 1 else 'are'} {state}"
        )
        why = f": {text}" if text else ""
        return f"market data: {names}{more} {said}{why}. Until it flows, nothing new is risked there."
