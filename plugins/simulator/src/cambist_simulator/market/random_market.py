"""A market of chance: other traders, a book, and a price that wanders."""

from __future__ import annotations

import math
import random
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from cambist.api import ParameterError
from cambist.model import Side
from cambist_simulator.market.candles import Candle
from cambist_simulator.market.intervals import MINUTE
from cambist_simulator.market.script import Script

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist_simulator.market.data import MarketData
    from cambist_simulator.market.hand import Hand

__all__ = ["RandomMarket", "RandomShape"]

_BUY, _SELL = Side.BUY, Side.SELL
_SECOND = 1_000_000_000
_DAY_SECONDS = 86_400.0
#: The pace up to which a market has all that its shape says.
_BUSIEST = 10.0


class RandomShape(msgspec.Struct, frozen=True, kw_only=True):
    """What a random market is like.

    Attributes
    ----------
    volatility
        Standard deviation of the day's change of the price, a share.
    drift
        Mean change of a day, a share.
    jumps
        Of the price, in a day, on average; they come at random.
    jump
        Standard deviation of a jump, a share.
    every
        ns between two moves of the market.
    spread
        Mean ticks from the best bid to the best ask.
    levels
        Prices on each side at which others wait, at least.
    gap
        Mean ticks between two of them; None for as much as the price usually moves at a time, divided by two.
    level_size
        Mean base units or contracts that wait at one.
    takers
        Orders of others that take, in a second, on average.
    taker_size
        Mean base units or contracts of one.
    changes
        Changes of levels by others, in a second, on average, beside those that follow from the price.
    history
        Minutes of candles before the beginning.

    Raises
    ------
    ParameterError
        If a number makes no market.
    """

    volatility: float = 0.03
    drift: float = 0.0
    jumps: float = 0.0
    jump: float = 0.02
    every: int = 100_000_000
    spread: float = 2.0
    levels: int = 20
    gap: float | None = None
    level_size: Decimal = Decimal(1)
    takers: float = 4.0
    taker_size: Decimal = Decimal("0.1")
    changes: float = 40.0
    history: int = 0

    def __post_init__(self) -> None:
        for name in ("every", "levels", "level_size", "taker_size"):
            if not getattr(self, name) > 0:
                raise ParameterError(f"the {name} of a random market is {getattr(self, name)}; give more than 0.")
        for name in ("volatility", "jumps", "jump", "takers", "changes", "history"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ParameterError(f"the {name} of a random market is {getattr(self, name)}; give 0 or more.")
        if self.gap is not None and not 1.0 <= self.gap < math.inf:
            raise ParameterError(f"the gap of a random market is {self.gap}; give at least one tick.")
        if not 1.0 <= self.spread < math.inf:
            raise ParameterError(f"the spread of a random market is {self.spread}; it has at least one tick.")

    def at_pace(self, speed: float | None) -> RandomShape:
        """Return a shape for a clock of that speed: above ten times, what happens in a second of the clock thins out.

        So a second of those who watch has no more in it than at ten times the pace.
        """
        if speed is None or speed <= _BUSIEST:
            return self
        share = speed / _BUSIEST
        return msgspec.structs.replace(
            self, every=round(self.every * share), takers=self.takers / share, changes=self.changes / share
        )


class RandomMarket(Script):
    """One symbol, traded by others at random; all of it follows from the seed and from what users do.

    Parameters
    ----------
    hand
        Of the symbol.
    data
        What is kept of it.
    price
        At the beginning.
    shape
        What it is like.
    seed
        Of its chance; symbols of one seed differ.

    Notes
    -----
    A fair price follows a geometric Brownian motion, with jumps where asked for. Others want to buy below it and to
    sell above it; as it moves, takers trade through what is in the way of it, users' orders among that. Takers of
    either side come besides, as a Poisson process, with exponentially distributed sizes, and walk the book like any
    market order. What waits at a price is exponentially distributed, too.
    """

    def __init__(
        self, hand: Hand, data: MarketData, *, price: Decimal, shape: RandomShape | None = None, seed: int = 0
    ) -> None:
        super().__init__()
        if price <= 0:
            raise ParameterError(f"{hand.symbol}: the price of a random market is {price}; give one above zero.")
        self._hand, self._data = hand, data
        self.shape = shape or RandomShape()
        self._chance = random.Random(f"{seed} {hand.exchange.name} {hand.symbol}")  # noqa: S311 - a market, no secret
        self._fair = float(price / hand.grid.tick)
        self._level = max(1.0, float(self.shape.level_size / hand.grid.step))
        self._taker = max(1.0, float(self.shape.taker_size / hand.grid.step))
        usual = self._fair * self.shape.volatility * math.sqrt(self.shape.every / _SECOND / _DAY_SECONDS)
        self._gap = max(1.0, usual / 2.0) if self.shape.gap is None else self.shape.gap
        self._pull = 0.0
        self._pull_left = 0

    @property
    def fair(self) -> Decimal:
        """The price around which others trade."""
        return self._hand.grid.price(round(self._fair))

    def move(self, share: float, over: int = 0) -> None:
        """Let the price go up by a `share` (down where it is negative) within `over` ns, by trades.

        Raises
        ------
        ParameterError
            If nothing of the price would be left.
        """
        _check_share(share)
        steps = max(1, over // self.shape.every)
        self._pull, self._pull_left = math.log1p(share) / steps, steps

    def jump(self, share: float) -> None:
        """Let the book be elsewhere at once, with no trade between."""
        _check_share(share)
        self._fair *= 1.0 + share
        self._hand.clear()

    def play(self, shift: int) -> Iterator[int]:
        """Yield the time of each move; without an end."""
        if self.shape.history:
            self._data.preload(MINUTE, self._candles(shift))
        at = shift
        yield at
        self._requote(1.0)
        while True:
            at += self.shape.every
            yield at
            self._move()

    # One move.

    def _move(self) -> None:
        shape, chance = self.shape, self._chance
        seconds = shape.every / _SECOND
        days = seconds / _DAY_SECONDS
        change = shape.drift * days + shape.volatility * math.sqrt(days) * chance.gauss(0.0, 1.0)
        if shape.jumps and chance.random() < shape.jumps * days:
            change += chance.gauss(0.0, shape.jump)
        if self._pull_left:
            change += self._pull
            self._pull_left -= 1
        self._fair = max(self._fair * math.exp(change), 2.0 * shape.levels * self._gap + shape.spread)
        if not self._hand.trades:
            return
        bid, ask = self._touch()
        self._hand.sweep(_BUY, bid)
        self._hand.sweep(_SELL, ask)
        for _ in range(self._poisson(shape.takers * seconds)):
            side = _BUY if chance.random() < 0.5 else _SELL
            self._hand.take(side, 1 + int(chance.expovariate(1.0 / self._taker)))
        self._requote(seconds, bid, ask)

    def _touch(self) -> tuple[int, int]:
        """Return the best prices that others want to have."""
        spread = 1 + self._poisson(self.shape.spread - 1.0)
        bid = math.floor(self._fair - spread / 2.0 + self._chance.random() * 0.5)
        return bid, bid + spread

    def _requote(self, seconds: float, bid: int | None = None, ask: int | None = None) -> None:
        """Let others come and go."""
        if bid is None or ask is None:
            bid, ask = self._touch()
        changes: list[tuple[Side, int, int]] = []
        for side, best in ((_BUY, bid), (_SELL, ask)):
            changes.extend(self._line_up(side, best, seconds))
        self._hand.show(changes)

    def _line_up(self, side: Side, best: int, seconds: float) -> Iterator[tuple[Side, int, int]]:
        """Yield what others change on one side: too far away they leave, and new ones come where there are too few."""
        chance, sign = self._chance, -side.sign
        reach = max(self.shape.levels, round(self.shape.levels * self._gap))
        farthest, most = 2 * reach, 2 * self.shape.levels
        there: list[int] = []
        for ticks in self._hand.own(side):
            if 0 <= (ticks - best) * sign < farthest and len(there) < most:
                there.append(ticks)
            else:
                yield side, ticks, 0
        if best not in there:
            there.append(best)
            yield side, best, self._size()
        while len(there) < self.shape.levels:
            ticks = best + sign * chance.randrange(1, reach + 1)
            if ticks not in there:
                there.append(ticks)
                yield side, ticks, self._size()
        for _ in range(self._poisson(self.shape.changes * seconds / 2.0)):
            yield side, there[chance.randrange(len(there))], self._size()

    def _size(self) -> int:
        return 1 + int(self._chance.expovariate(1.0 / self._level))

    def _poisson(self, mean: float) -> int:
        """Return a number with that mean: products of uniform numbers (Knuth 1969), in parts that do not underflow."""
        count = 0
        while mean > 0.0:
            part = min(mean, 30.0)
            mean -= part
            limit, product = math.exp(-part), self._chance.random()
            while product > limit:
                count += 1
                product *= self._chance.random()
        return count

    # What was before.

    def _candles(self, start: int) -> Iterator[Candle]:
        """Yield candles of the minutes before `start`, which end near the first price."""
        shape, chance = self.shape, self._chance
        grid, contract = self._hand.grid, self._data.contract
        deviation = shape.volatility * math.sqrt(60.0 / _DAY_SECONDS)
        steps = [chance.gauss(0.0, deviation / 4.0) for _ in range(4 * shape.history)]
        price = math.log(self._fair) - sum(steps)
        first = MINUTE.floor(start) - shape.history * MINUTE.ns
        trades = max(1, round(shape.takers * 60.0))
        before = round(math.exp(price))
        for number in range(shape.history):
            walk = [before]
            for step in steps[4 * number : 4 * number + 4]:
                price += step
                walk.append(round(math.exp(price)))
            before = walk[-1]
            lots = trades + int(trades * self._taker * (0.5 + chance.random()))
            volume, bought = grid.size(lots), grid.size(lots // 2)
            mean = grid.price(sum(walk)) / len(walk)
            opens = first + number * MINUTE.ns
            yield Candle(
                opens=opens,
                closes=opens + MINUTE.ns,
                open=grid.price(walk[0]),
                high=grid.price(max(walk)),
                low=grid.price(min(walk)),
                close=grid.price(before),
                volume=volume,
                quote_volume=contract.value(mean, volume),
                buy_volume=bought,
                buy_quote_volume=contract.value(mean, bought),
                trades=trades,
                first_id=number * trades,
                last_id=(number + 1) * trades - 1,
            )


def _check_share(share: float) -> None:
    if not -1.0 < share < math.inf:
        raise ParameterError(f"a move by {share} leaves no price; give a share above -1, such as -0.05 for 5 % down.")
