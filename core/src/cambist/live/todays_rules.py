"""Keeps a run in step with what its venue trades, and by which rules, while both change."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from cambist.errors import VenueError
from cambist.live.holds import NOT_TRADED
from cambist.model.trading_state import TradingState, scope_of
from cambist.ports.venue import ReloadingSession

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.live.engine import LiveEngine
    from cambist.live.holds import OwnHolds
    from cambist.model.instrument import Instrument
    from cambist.ports.venue import VenueSession

__all__ = ["TodaysRules"]

#: Refusals that make sense where the rules are others than the run knows.
_TELLING: Final = frozenset(
    {"filter", "precision", "size", "price", "min_notional", "symbol_halted", "unknown_symbol", "closed"}
)
#: Between two looks that a refusal asked for, seconds.
_LEAST: Final = 5.0
#: Between two looks while something is not traded, seconds: it is not to be halted here for longer than there.
_HALTED: Final = 15.0


class TodaysRules:
    """Asks for the rules now and then, and soon after an order was refused by one that the run does not know.

    What is not traded any more is halted for the run: its orders are refused with the code ``halted``, and strategies
    are told. It is lifted once the venue trades it again.

    Parameters
    ----------
    session, engine, holds, instruments
        Of the run.
    every
        Seconds between looks; while something is not traded there are more.
    alarm
        Told of what a person should know.
    """

    def __init__(
        self,
        session: VenueSession,
        engine: LiveEngine,
        holds: OwnHolds,
        instruments: Sequence[Instrument],
        every: float,
        alarm: Callable[[str, str], None],
    ) -> None:
        self._session, self._engine, self._holds = session, engine, holds
        self._instruments, self._every, self._alarm = instruments, every, alarm
        self._asked = asyncio.Event()
        self._halted: set[str] = set()
        engine.orders.answers.refused = self._refused

    def _refused(self, reason: str) -> None:
        if reason in _TELLING:
            self._asked.set()

    async def keep_on(self) -> None:
        """Look until canceled; a session that cannot is left alone."""
        if not isinstance(self._session, ReloadingSession):
            return
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(self._every, _HALTED) if self._halted else self._every):
                    await self._asked.wait()
            await self.once(self._session)
            await asyncio.sleep(min(_LEAST, self._every))
            self._asked.clear()

    async def once(self, session: ReloadingSession) -> None:
        """Look now."""
        try:
            await session.reload()
        except VenueError as error:
            self._alarm("rules_unknown", f"the rules of {self._session.name} could not be asked for: {error}")
            return
        today = {one.symbol: one for one in self._session.instruments()}
        for known in self._instruments:
            self._compare(known, today.get(known.symbol))

    def _compare(self, known: Instrument, today: Instrument | None) -> None:
        symbol, scope = known.symbol, scope_of("symbol", known.symbol)
        if today is None:
            if symbol not in self._halted:
                self._halted.add(symbol)
                text = f"{self._session.name} does not trade {symbol} now"
                self._alarm("symbol_halted", f"{text}; its orders are refused until it does.")
                self._holds.hold(NOT_TRADED, TradingState.HALTED, text, scope=scope)
            return
        if symbol in self._halted:
            self._halted.remove(symbol)
            self._holds.lift(NOT_TRADED, f"{self._session.name} trades {symbol} again", scope=scope)
        if self._engine.redefine(today):
            self._alarm(
                "rules_changed",
                f"{symbol} has a tick of {today.tick_size}, a step of {today.step_size}, sizes from {today.min_size} "
                f"to {today.max_size} and a least value of {today.min_notional} now; orders go by that.",
            )
