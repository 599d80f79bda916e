"""How fast a market is played: by its clock, or as fast as those who watch can read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cambist.api import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist_simulator.market.markets import Markets

__all__ = ["Pacer"]


class Pacer:
    """Plays markets without keeping a server from its other work.

    Parameters
    ----------
    markets
        What is played.
    crowded
        Tells whether some client has so much unread that the market must wait; a server has `Server.crowded` for it.
    after
        Called after each piece, so that what was said leaves.
    piece
        Steps at a time.

    Attributes
    ----------
    paused
        Whether nothing moves for now.
    """

    def __init__(
        self,
        markets: Markets,
        *,
        crowded: Callable[[], bool] | None = None,
        after: Callable[[], None] | None = None,
        piece: int = 64,
    ) -> None:
        if piece < 1:
            raise ParameterError(f"a market is played in pieces of {piece} steps; give at least 1.")
        self._markets, self._piece = markets, piece
        self._crowded = crowded or (lambda: False)
        self._after = after or (lambda: None)
        self.paused = False

    def tick(self) -> int:
        """Do what is due by the market clock, one piece at most; return how many steps that was.

        A server calls it some times a second. A market whose pace is too fast for the machine, or for its clients,
        falls behind its clock: every step is done, later.
        """
        if self.paused or self._crowded():
            return 0
        return self._markets.advance(self._markets.clock.market.now(), self._piece)

    async def run(self, until: int | None = None) -> int:
        """Play as fast as clients read, to the end of what there is; return the number of steps.

        The market clock goes with the steps, so it should stand still by itself (speed 0).

        Parameters
        ----------
        until
            ns, market time; None for no limit.
        """
        markets, done = self._markets, 0
        while True:
            if self.paused or self._crowded():
                await asyncio.sleep(0.001)
                continue
            for _ in range(self._piece):
                due = markets.next_due()
                if due is None or (until is not None and due > until):
                    self._after()
                    return done
                markets.step()
                done += 1
            self._after()
            await asyncio.sleep(0)
