"""The markets of a venue: everything that plays, in the order of time, and what is kept of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.api import ParameterError
from cambist_simulator.exchange.listing import Segment
from cambist_simulator.market.data import MarketData

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist_simulator.clock import VenueClock
    from cambist_simulator.exchange.events import ExchangeEvent
    from cambist_simulator.exchange.exchange import Exchange
    from cambist_simulator.market.data import Keep
    from cambist_simulator.market.script import Script

__all__ = ["Markets"]

_SECOND = 1_000_000_000


class Markets:
    """Plays scripts against exchanges, and keeps what comes of it.

    Parameters
    ----------
    clock
        Of the venue. While a step is done its market clock shows when the step was due, whatever the pace; where a
        request came between, what it showed to that.
    exchanges
        Those whose symbols are played; what is listed later is kept as well.
    keep
        How much is remembered of each symbol.

    Notes
    -----
    Steps of one time are done in the order in which their scripts were added. So the same scripts and the same
    requests between the same steps give the same events, byte for byte.
    """

    def __init__(self, clock: VenueClock, exchanges: Iterable[Exchange], *, keep: Keep | None = None) -> None:
        self.clock = clock
        self.exchanges = {one.name: one for one in exchanges}
        self._keep = keep
        self._scripts: list[Script] = []
        self._data: dict[str, dict[str, MarketData]] = {name: {} for name in self.exchanges}
        self._minded = -1
        self.steps = 0
        self._loops = False
        self._shift = 0
        self._recorded: list[Script] = []
        for exchange in self.exchanges.values():
            exchange.listen(self._recorder(exchange))

    def data(self, exchange: str, symbol: str) -> MarketData:
        """Return what is kept of a symbol.

        Raises
        ------
        ParameterError
            If the exchange does not list it.
        """
        kept = self._data[exchange]
        found = kept.get(symbol)
        if found is None:
            where = self.exchanges[exchange]
            listing = where.listings.get(symbol)
            if listing is None:
                raise ParameterError(f"{exchange} does not list {symbol!r}; it lists {', '.join(where.listings)}.")
            found = kept[symbol] = MarketData(listing, inverse=where.segment is Segment.INVERSE, keep=self._keep)
        return found

    def _recorder(self, exchange: Exchange) -> Callable[[ExchangeEvent], None]:
        kept, name = self._data[exchange.name], exchange.name

        def heard(event: ExchangeEvent) -> None:
            symbol = getattr(event, "symbol", "")
            if symbol:
                (kept.get(symbol) or self.data(name, symbol)).heard(event)

        return heard

    # Playing.

    def add(self, *scripts: Script) -> None:
        """Let scripts take part."""
        self._scripts.extend(scripts)

    def begin(self, *, start: int | None = None, loop: bool = False) -> None:
        """Put every script before its first step.

        Parameters
        ----------
        start
            When the earliest record is to be played, ns; the others keep their distance to it. None leaves recorded
            times as they are and sets the market clock to the earliest. What has no times of its own begins then, or
            now where nothing is recorded.
        loop
            Whether records that have come to their end begin again, as if they followed on themselves.
        """
        self._loops = loop
        self._recorded = [one for one in self._scripts if one.first is not None]
        firsts = [one.first for one in self._scripts if one.first is not None]
        first = min(firsts, default=None)
        self._shift = 0 if start is None or first is None else start - first
        begins = first if start is None else start
        if begins is None:
            begins = self.clock.market.now()
        elif start is None:
            self.clock.market.step_to(begins)
        for script in self._scripts:
            script.begin(begins if script.first is None else self._shift)

    def next_due(self) -> int | None:
        """Return when the next step is due, ns, market time; None when nothing is left to do."""
        if self._loops:
            self._loop()
        return min((one.next_due for one in self._scripts if one.next_due is not None), default=None)

    def step(self) -> int | None:
        """Do the step that is due next; return its time, or None where there is none."""
        if self._loops:
            self._loop()
        due: int | None = None
        chosen: Script | None = None
        for script in self._scripts:
            at = script.next_due
            if at is not None and (due is None or at < due):
                due, chosen = at, script
        if chosen is None or due is None:
            return None
        self.clock.market.hold(self._time_of(due))
        try:
            self._mind(due)
            chosen.step()
        finally:
            self.clock.market.release()
        self.steps += 1
        return due

    def _time_of(self, due: int) -> int:
        """Return the time that a step shows: when it was due, but not before what has happened already.

        A clock that runs may have been read by a request before a step was done that was due a little earlier, and the
        events of an exchange are in the order of their times.
        """
        market = self.clock.market
        if not market.speed:
            return due
        last = max((one.at for one in self.exchanges.values()), default=due)
        return last if due < last <= market.now() else due

    def advance(self, now: int, most: int | None = None) -> int:
        """Do all steps that are due at `now` (ns), `most` of them at most; return how many.

        When all of them are done, candles that are over are closed, and the exchanges do what is due by time.
        """
        done = 0
        while most is None or done < most:
            due = self.next_due()
            if due is None or due > now:
                self._mind(now)
                break
            self.step()
            done += 1
        return done

    def _mind(self, now: int) -> None:
        """Do what time alone sets off, once a second of the market."""
        second = now // _SECOND
        if second == self._minded:
            return
        self._minded = second
        for exchange in self.exchanges.values():
            exchange.advance(now)
        for kept in self._data.values():
            for data in kept.values():
                data.roll(now)

    def _loop(self) -> None:
        """Begin records anew, right after their end, when all of them are over."""
        recorded = self._recorded
        if not recorded or any(one.next_due is not None for one in recorded):
            return
        begins = [one.first for one in recorded if one.first is not None]
        ends = [one.last for one in recorded if one.last is not None]
        self._shift += max(max(ends, default=0) - min(begins), _SECOND)
        for script in recorded:
            script.begin(self._shift)
