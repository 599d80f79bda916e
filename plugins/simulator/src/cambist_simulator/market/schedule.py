"""What happens to a market at a given time: halts, moves, gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cambist.api import ParameterError, did_you_mean
from cambist_simulator.exchange.listing import SymbolStatus
from cambist_simulator.market.script import Script

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cambist_simulator.market.hand import Hand
    from cambist_simulator.market.random_market import RandomMarket

__all__ = ["ACTIONS", "Happening", "Schedule"]

ACTIONS = ("halt", "resume", "move", "gap")


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """Something on a schedule.

    Attributes
    ----------
    after
        ns from the beginning.
    action
        ``"halt"`` and ``"resume"`` (no trades of anybody between), ``"move"`` (by `share` within `over` ns, through
        trades) or ``"gap"`` (by `share`, with no trade between).
    share
        Of the price: 0.05 is 5 % up.
    over
        ns.
    every
        ns after which it happens again; 0 for once.
    """

    after: int
    action: str
    share: float = 0.0
    over: int = 0
    every: int = 0


class Schedule(Script):
    """Does to one symbol what is on a list.

    Parameters
    ----------
    hand
        Of the symbol.
    happenings
        In any order; those of one time in the order given.
    market
        The random market of the symbol, for ``"move"`` and ``"gap"``; a recorded price goes where it went.

    Raises
    ------
    ParameterError
        An action is not known, or needs a random market and there is none.
    """

    def __init__(self, hand: Hand, happenings: Iterable[Happening], *, market: RandomMarket | None = None) -> None:
        super().__init__()
        self._hand, self._market = hand, market
        self._happenings = list(happenings)
        for one in self._happenings:
            self._check(one)

    def play(self, shift: int) -> Iterator[int]:
        """Yield the time of each."""
        coming = [(shift + one.after, number, one) for number, one in enumerate(self._happenings)]
        while coming:
            coming.sort(key=lambda entry: entry[:2])
            at, number, one = coming.pop(0)
            yield at
            self._do(one)
            if one.every:
                coming.append((at + one.every, number, one))

    def _check(self, one: Happening) -> None:
        if one.action not in ACTIONS:
            raise ParameterError(
                f"{self._hand.symbol}: nothing is called {one.action!r}.{did_you_mean(one.action, ACTIONS)} "
                f"There are {', '.join(ACTIONS)}."
            )
        if one.action in {"move", "gap"} and self._market is None:
            raise ParameterError(f"{self._hand.symbol}: a {one.action} needs a random market; this one is recorded.")
        if one.after < 0 or one.every < 0 or one.over < 0:
            raise ParameterError(
                f"{self._hand.symbol}: a {one.action} is to come after {one.after} ns, every {one.every}, "
                f"over {one.over}; give 0 or more."
            )

    def _do(self, one: Happening) -> None:
        if one.action == "halt":
            self._hand.status(SymbolStatus.HALT)
        elif one.action == "resume":
            self._hand.status(SymbolStatus.TRADING)
        elif self._market is not None and one.action == "move":
            self._market.move(one.share, one.over)
        elif self._market is not None:
            self._market.jump(one.share)
