"""Sums over the last so many minutes, kept up to date minute by minute."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from cambist_simulator.market.candles import Candle

__all__ = ["RollingWindow", "Statistics"]

_ZERO = Decimal(0)


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """What was traded in a stretch of time.

    Attributes
    ----------
    opens, closes
        ns.
    previous
        The last price before it; the first one in it where there was none.
    open, high, low, last
        Prices; zero where nothing was ever traded.
    volume, quote_volume
        Base units or contracts; sum of price x size.
    trades
        How many.
    first_id, last_id
        Of its trades; -1 where there are none.
    """

    opens: int
    closes: int
    previous: Decimal
    open: Decimal
    high: Decimal
    low: Decimal
    last: Decimal
    volume: Decimal
    quote_volume: Decimal
    trades: int
    first_id: int
    last_id: int

    @property
    def change(self) -> Decimal:
        """From the first to the last price."""
        return self.last - self.open

    @property
    def average(self) -> Decimal:
        """Price, weighted by size; the last one where nothing was traded."""
        return self.quote_volume / self.volume if self.volume else self.last


class RollingWindow:
    """The last `length` ns, in steps of whole candles.

    Parameters
    ----------
    length
        ns; a multiple of the length of the candles that are put in.
    """

    def __init__(self, length: int) -> None:
        self.length = length
        self._candles: deque[Candle] = deque()
        # Candidates for the extremes: each is beyond all that came after it.
        self._highs: deque[Candle] = deque()
        self._lows: deque[Candle] = deque()
        self._volume = self._quote_volume = _ZERO
        self._trades = 0
        self._previous: Decimal | None = None

    @property
    def used(self) -> bool:
        """Whether it holds anything."""
        return bool(self._candles)

    def push(self, candle: Candle) -> None:
        """Take a closed candle, later than those before."""
        self.expire(candle.closes)
        if not candle.trades:
            return
        self._candles.append(candle)
        self._volume += candle.volume
        self._quote_volume += candle.quote_volume
        self._trades += candle.trades
        while self._highs and self._highs[-1].high <= candle.high:
            self._highs.pop()
        self._highs.append(candle)
        while self._lows and self._lows[-1].low >= candle.low:
            self._lows.pop()
        self._lows.append(candle)

    def expire(self, now: int) -> None:
        """Forget what is over at `now` (ns)."""
        start = now - self.length
        while self._candles and self._candles[0].opens < start:
            gone = self._candles.popleft()
            self._volume -= gone.volume
            self._quote_volume -= gone.quote_volume
            self._trades -= gone.trades
            self._previous = gone.close
            for extremes in (self._highs, self._lows):
                if extremes and extremes[0] is gone:
                    extremes.popleft()

    def statistics(self, forming: Candle | None, now: int) -> Statistics:
        """Return the sums, with the candle that forms."""
        self.expire(now)
        candles = self._candles
        live = forming if forming is not None and forming.trades else None
        known = candles[-1].close if candles else self._previous
        last = live.close if live else known if known is not None else forming.close if forming else _ZERO
        first = candles[0] if candles else live
        highs = [*((self._highs[0].high,) if candles else ()), *((live.high,) if live else ())]
        lows = [*((self._lows[0].low,) if candles else ()), *((live.low,) if live else ())]
        newest = live or (candles[-1] if candles else None)
        opened = first.open if first else last
        return Statistics(
            opens=now - self.length,
            closes=now,
            previous=opened if self._previous is None else self._previous,
            open=opened,
            high=max(highs, default=last),
            low=min(lows, default=last),
            last=last,
            volume=self._volume + (live.volume if live else _ZERO),
            quote_volume=self._quote_volume + (live.quote_volume if live else _ZERO),
            trades=self._trades + (live.trades if live else 0),
            first_id=first.first_id if first else -1,
            last_id=newest.last_id if newest else -1,
        )
