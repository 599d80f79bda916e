"""What is played in both engines: bars, an account, and a script of orders, all drawn from a seed."""

from __future__ import annotations

from random import Random
from typing import Any

import attrs

MARKET, LIMIT, STOP, STOP_LIMIT = "market", "limit", "stop", "stop_limit"
ON_CLOSE, TRAIL, TRAIL_LIMIT = "on_close", "trail", "trail_limit"
TYPES = (MARKET, LIMIT, STOP, STOP_LIMIT)
ALL_TYPES = (*TYPES, ON_CLOSE, TRAIL, TRAIL_LIMIT)
TICK = 0.05
#: A tick with which sums of prices are exact: the two engines add up a trailing limit in different orders.
EXACT_TICK = 0.0625


@attrs.frozen
class Bar:
    """One bar."""

    open: float
    high: float
    low: float
    close: float
    volume: float = 1_000.0


@attrs.frozen
class Ask:
    """One order, as a strategy asks for it.

    Attributes
    ----------
    last_bar
        Number of the last bar in which it may trade, or ``"day"`` for a day order.
    market
        Number of the market it is for.
    trail, trail_percent, behind, start
        Of a trailing order: distance of its stop as an amount or as a fraction, that of its limit from the stop, and
        the price from which it begins to follow, where that is not the last close.
    oco, parent
        The order that it cancels or is canceled by, the one for which it waits: the last that was sent, or the one so
        many before it.
    """

    buys: bool
    type: str
    size: float
    limit: float | None = None
    stop: float | None = None
    last_bar: int | str | None = None
    market: int = 0
    trail: float | None = None
    trail_percent: float | None = None
    behind: float | None = None
    start: float | None = None
    oco: int | None = None
    parent: int | None = None


@attrs.frozen
class Family:
    """An order, and those that wait for it to trade."""

    parent: Ask
    children: tuple[Ask, ...]


@attrs.frozen
class Bracket:
    """An entry and what closes it, sent by the call that both engines have for it; a side may be left out."""

    entry: Ask
    stop: Ask | None
    target: Ask | None


@attrs.frozen
class Cancel:
    """Withdraw an order: the last that was sent, or the one ``back`` orders before it."""

    back: int = 0


@attrs.frozen
class Close:
    """Close the position of the first market, by the call that both engines have for it."""


Action = Ask | Family | Bracket | Cancel | Close


@attrs.frozen(kw_only=True)
class Scenario:
    """An account, its markets, and a script.

    Attributes
    ----------
    bars
        Of the first market; ``others`` are those of further ones, as many.
    script, openings
        What is asked for at the close of each bar, and at its open.
    reactions
        What is asked for when a strategy hears that an order is filled, by the order's number.
    patient
        Whether orders of the script are passed over while another one works.
    percent_fee, percent_slippage
        Fractions of the price.
    unit_fee, fixed_slippage
        Money for each unit.
    switches
        ``slip_open`` and the like, where they are not those of the setters.
    filler
        Its kind and settings: ``("fixed", size)``, ``("range", step, share)``; a share of the volume is `volume_limit`.
    every
        Spacing of the bars where they are not daily: ``"min"`` or ``"4h"``.
    """

    bars: list[Bar]
    script: dict[int, list[Action]]
    openings: dict[int, list[Action]] = attrs.field(factory=dict)
    reactions: dict[int, list[Action]] = attrs.field(factory=dict)
    others: tuple[list[Bar], ...] = ()
    patient: bool = False
    cash: float = 1_000_000.0
    percent_fee: float = 0.0
    unit_fee: float = 0.0
    percent_slippage: float = 0.0
    fixed_slippage: float = 0.0
    switches: dict[str, bool] = attrs.field(factory=dict)
    volume_limit: float | None = None
    filler: tuple[Any, ...] | None = None
    this_close: bool = False
    daily: bool = False
    every: str = "min"

    @property
    def markets(self) -> tuple[list[Bar], ...]:
        """The bars of every market."""
        return (self.bars, *self.others)

    @property
    def spacing(self) -> str:
        """Spacing of the bars as pandas names it."""
        return "D" if self.daily else self.every


@attrs.frozen(kw_only=True)
class Habits:
    """How a script is drawn.

    Attributes
    ----------
    types
        Order types to choose from.
    buys
        The side of most orders; None for either. So that there is something to close, a quarter is of the other side.
    validity
        How long orders live, to choose from: ``"gtc"``, ``"gtd"``, ``"day"``.
    cancels, reactions
        Whether some are withdrawn, and whether some follow on a fill.
    patient
        Whether an order is sent only while no other works, and withdrawn only after the bar at which it was sent.
    limit_beyond_stop
        Whether the limit of a stop-limit lies where the order trades as soon as it triggers.
    oco, families, brackets
        How many of what is sent is tied to an order before it, has children, is a bracket: fractions.
    legs_oco
        How many legs of brackets are tied to an order that was sent before the bracket: a fraction.
    at_open
        How much of what is asked for is asked for at the open of the next bar, not at the close before: a fraction.
    tick
        What prices are multiples of.
    """

    types: tuple[str, ...] = TYPES
    buys: bool | None = None
    validity: tuple[str, ...] = ("gtc", "gtd", "day")
    cancels: bool = True
    reactions: bool = True
    patient: bool = False
    limit_beyond_stop: bool = False
    oco: float = 0.0
    families: float = 0.0
    brackets: float = 0.0
    legs_oco: float = 0.0
    at_open: float = 0.0
    tick: float = TICK


def on_tick(price: float, tick: float = TICK) -> float:
    """Return the price on the grid nearest to `price`, as the double nearest to its decimal."""
    return round(round(price / tick) * tick, 4)


def random_bars(chance: Random, count: int, *, reach: int = 0, tick: float = TICK) -> list[Bar]:
    """Draw bars of a few ticks each, so that prices meet often; some gap, some stand still, some trade nothing.

    Each goes at least `reach` ticks beyond open and close.
    """
    bars = []
    close = 100.0
    for _ in range(count):
        gap = chance.choice((0, 0, 0, 1, -1, 2, -2, 12, -12))
        open_ = on_tick(max(20.0, close + gap * tick), tick)
        close = on_tick(max(20.0, open_ + chance.randint(-6, 6) * tick), tick)
        high = on_tick(max(open_, close) + (reach + chance.choice((0, 0, 1, 2, 5))) * tick, tick)
        low = on_tick(min(open_, close) - (reach + chance.choice((0, 0, 1, 2, 5))) * tick, tick)
        bars.append(Bar(open_, high, low, close, float(chance.choice((0, 10, 30, 60, 70, 100, 400)))))
    return bars


@attrs.frozen
class _Writer:
    """Draws what a strategy asks for."""

    chance: Random
    markets: tuple[list[Bar], ...]
    habits: Habits

    def price(self, market: int, number: int) -> float:
        """Draw a price near those of the coming bars; half the time exactly one of them."""
        chance, bars, tick = self.chance, self.markets[market], self.habits.tick
        coming = bars[min(number + chance.randint(1, 3), len(bars) - 1)]
        if chance.random() < 0.5:
            return chance.choice((coming.open, coming.high, coming.low, coming.close))
        return on_tick(bars[number].close + chance.randint(-12, 12) * tick, tick)

    def ask(self, number: int, buys: bool | None = None) -> Ask:
        """Draw an order."""
        chance, habits = self.chance, self.habits
        market = chance.randrange(len(self.markets))
        kind = chance.choice(habits.types)
        if buys is None:
            buys = chance.random() < 0.5 if habits.buys is None else habits.buys is (chance.random() < 0.75)
        limit = self.price(market, number) if kind in (LIMIT, STOP_LIMIT) else None
        stop = self.price(market, number) if kind in (STOP, STOP_LIMIT) else None
        if habits.limit_beyond_stop and limit is not None and stop is not None:
            limit = max(limit, stop) if buys else min(limit, stop)
        lives = chance.choice(("gtc", *habits.validity))
        last = {"gtc": None, "day": "day", "gtd": number + chance.choice((1, 2, 5))}[lives]
        size = chance.choice((1.0, 2.0, 3.0, 0.5, 7.0, 10.0, 20.0))
        asked = Ask(buys, kind, size, limit, stop, last, market)
        if kind in (TRAIL, TRAIL_LIMIT):
            start = self.price(market, number) if chance.random() < 0.3 else None
            asked = attrs.evolve(asked, start=start, **self.trail(kind))
        return attrs.evolve(asked, oco=chance.randint(0, 5)) if chance.random() < habits.oco else asked

    def trail(self, kind: str) -> dict[str, float]:
        """Draw how a trailing order follows the price."""
        chance, tick = self.chance, self.habits.tick
        terms = {"trail": chance.choice((1, 2, 4, 8, 16)) * tick}
        if chance.random() < 0.4:
            terms = {"trail_percent": chance.choice((0.001, 0.004, 0.01))}
        if kind == TRAIL_LIMIT:
            terms["behind"] = chance.choice((0, 1, 2, 6)) * tick
        return terms

    def family(self, number: int) -> Family:
        """Draw an order with children, most of which are of the other side."""
        parent = self.ask(number)
        others = (parent.buys is (self.chance.random() < 0.25) for _ in range(self.chance.choice((1, 2, 2, 3))))
        return Family(parent, tuple(self.ask(number, buys) for buys in others))

    def bracket(self, number: int) -> Bracket:
        """Draw a bracket whose prices lie on the right sides of each other."""
        chance, tick = self.chance, self.habits.tick
        entry = attrs.evolve(self.ask(number), start=None)
        away = tick if entry.buys else -tick
        middle = entry.limit or entry.stop or self.markets[entry.market][number].close
        leaves = Ask(not entry.buys, MARKET, entry.size, market=entry.market)
        last = number + 8 if chance.random() < 0.1 else None
        target = attrs.evolve(
            leaves, type=LIMIT, limit=on_tick(middle + chance.randint(1, 8) * away, tick), last_bar=last
        )
        if chance.random() < 0.1:
            target = attrs.evolve(leaves, type=ON_CLOSE)
        kind = chance.choice((STOP, STOP, STOP_LIMIT, TRAIL, TRAIL_LIMIT))
        if kind in (TRAIL, TRAIL_LIMIT):
            loss = attrs.evolve(leaves, type=kind, **self.trail(kind))
        else:
            stop = on_tick(middle - chance.randint(1, 8) * away, tick)
            limit = on_tick(stop - chance.randint(-2, 4) * away, tick) if kind == STOP_LIMIT else None
            loss = attrs.evolve(leaves, type=kind, stop=stop, limit=limit)
        if self.habits.legs_oco:  # no draw where it is not asked for
            loss, target = self.tied(loss), self.tied(target)
        left_out = chance.random()
        return Bracket(entry, None if left_out < 0.1 else loss, None if 0.1 < left_out < 0.2 else target)

    def tied(self, leg: Ask) -> Ask:
        """Tie some of the legs of brackets to an order that was sent before the bracket."""
        chance = self.chance
        return attrs.evolve(leg, oco=chance.randint(0, 5)) if chance.random() < self.habits.legs_oco else leg

    def action(self, number: int) -> Action:
        """Draw an order, by itself or with others."""
        kind = self.chance.random()
        if kind < self.habits.brackets:
            return self.bracket(number)
        if kind < self.habits.brackets + self.habits.families:
            return self.family(number)
        return self.ask(number)


def random_scenario(
    seed: int, habits: Habits | None = None, *, count: int = 70, markets: int = 1, reach: int = 0, **options: Any
) -> Scenario:
    """Draw a scenario; `options` are fields of `Scenario`."""
    chance = Random(seed)
    habits = habits or Habits()
    bars = tuple(random_bars(chance, count, reach=reach, tick=habits.tick) for _ in range(markets))
    writer = _Writer(chance, bars, habits)
    script: dict[int, list[Action]] = {}
    reactions: dict[int, list[Action]] = {}
    for number in range(count):
        actions: list[Action] = []
        for _ in range(1 if habits.patient else chance.choice((0, 0, 1, 1, 1, 2, 3))):
            if habits.cancels and chance.random() < 0.25:
                actions.append(Cancel(0 if habits.patient else chance.randint(0, 5)))
            actions.append(writer.action(number))
        if actions:
            script[number] = actions
        if habits.reactions and chance.random() < 0.2:
            follow = writer.action(number)
            reactions[number] = [Cancel(chance.randint(0, 3)) if habits.cancels and chance.random() < 0.5 else follow]
    script, openings = _split(chance, script, habits.at_open)
    scripts = {"script": script, "openings": openings, "reactions": reactions}
    return Scenario(bars=bars[0], others=bars[1:], **scripts, patient=habits.patient, **options)


def _split(
    chance: Random, script: dict[int, list[Action]], at_open: float
) -> tuple[dict[int, list[Action]], dict[int, list[Action]]]:
    """Take some of what is asked for at closes for the opens after them."""
    closes: dict[int, list[Action]] = {}
    openings: dict[int, list[Action]] = {}
    for number, actions in script.items():
        for action in actions:
            where, bar = (openings, number + 1) if chance.random() < at_open else (closes, number)
            where.setdefault(bar, []).append(action)
    return closes, openings
