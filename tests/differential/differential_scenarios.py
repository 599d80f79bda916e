"""What is played in both engines: bars, an account, and a script of orders, all drawn from a seed."""

from __future__ import annotations

from random import Random
from typing import Any

import attrs

MARKET, LIMIT, STOP, STOP_LIMIT = "market", "limit", "stop", "stop_limit"
TYPES = (MARKET, LIMIT, STOP, STOP_LIMIT)
TICK = 0.05


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

    ``last_bar`` is the number of the last bar in which it may trade, or ``"day"`` for a day order.
    """

    buys: bool
    type: str
    size: float
    limit: float | None = None
    stop: float | None = None
    last_bar: int | str | None = None
    market: int = 0


@attrs.frozen
class Cancel:
    """Withdraw an order: the last that was sent, or the one ``back`` orders before it."""

    back: int = 0


@attrs.frozen
class Close:
    """Close the position of the first market, by the call that both engines have for it."""


Action = Ask | Cancel | Close


@attrs.frozen(kw_only=True)
class Scenario:
    """An account, its markets, and a script.

    Attributes
    ----------
    bars
        Of the first market; ``others`` are those of further ones, as many.
    script
        What is asked for at the close of each bar.
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
    """

    bars: list[Bar]
    script: dict[int, list[Action]]
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

    @property
    def markets(self) -> tuple[list[Bar], ...]:
        """The bars of every market."""
        return (self.bars, *self.others)


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
    """

    types: tuple[str, ...] = TYPES
    buys: bool | None = None
    validity: tuple[str, ...] = ("gtc", "gtd", "day")
    cancels: bool = True
    reactions: bool = True
    patient: bool = False
    limit_beyond_stop: bool = False


def on_tick(price: float) -> float:
    """Return the price on the grid nearest to `price`, as the double nearest to its decimal."""
    return round(round(price / TICK) * TICK, 2)


def random_bars(chance: Random, count: int, *, reach: int = 0) -> list[Bar]:
    """Draw bars of a few ticks each, so that prices meet often; some gap, some stand still, some trade nothing.

    Each goes at least `reach` ticks beyond open and close.
    """
    bars = []
    close = 100.0
    for _ in range(count):
        gap = chance.choice((0, 0, 0, 1, -1, 2, -2, 12, -12))
        open_ = on_tick(max(20.0, close + gap * TICK))
        close = on_tick(max(20.0, open_ + chance.randint(-6, 6) * TICK))
        high = on_tick(max(open_, close) + (reach + chance.choice((0, 0, 1, 2, 5))) * TICK)
        low = on_tick(min(open_, close) - (reach + chance.choice((0, 0, 1, 2, 5))) * TICK)
        bars.append(Bar(open_, high, low, close, float(chance.choice((0, 10, 30, 60, 70, 100, 400)))))
    return bars


def _price(chance: Random, bars: list[Bar], number: int) -> float:
    """Draw a price near those of the coming bars; half the time exactly one of them."""
    coming = bars[min(number + chance.randint(1, 3), len(bars) - 1)]
    if chance.random() < 0.5:
        return chance.choice((coming.open, coming.high, coming.low, coming.close))
    return on_tick(bars[number].close + chance.randint(-12, 12) * TICK)


def _ask(chance: Random, markets: tuple[list[Bar], ...], number: int, habits: Habits) -> Ask:
    market = chance.randrange(len(markets))
    kind = chance.choice(habits.types)
    buys = chance.random() < 0.5 if habits.buys is None else habits.buys is (chance.random() < 0.75)
    limit = _price(chance, markets[market], number) if kind in (LIMIT, STOP_LIMIT) else None
    stop = _price(chance, markets[market], number) if kind in (STOP, STOP_LIMIT) else None
    if habits.limit_beyond_stop and limit is not None and stop is not None:
        limit = max(limit, stop) if buys else min(limit, stop)
    lives = chance.choice(("gtc", *habits.validity))
    last = {"gtc": None, "day": "day", "gtd": number + chance.choice((1, 2, 5))}[lives]
    size = chance.choice((1.0, 2.0, 3.0, 0.5, 7.0, 10.0, 20.0))
    return Ask(buys, kind, size, limit, stop, last, market)


def random_scenario(
    seed: int, habits: Habits | None = None, *, count: int = 70, markets: int = 1, reach: int = 0, **options: Any
) -> Scenario:
    """Draw a scenario; `options` are fields of `Scenario`."""
    chance = Random(seed)
    habits = habits or Habits()
    bars = tuple(random_bars(chance, count, reach=reach) for _ in range(markets))
    script: dict[int, list[Action]] = {}
    reactions: dict[int, list[Action]] = {}
    for number in range(count):
        actions: list[Action] = []
        for _ in range(1 if habits.patient else chance.choice((0, 0, 1, 1, 1, 2, 3))):
            if habits.cancels and chance.random() < 0.25:
                actions.append(Cancel(0 if habits.patient else chance.randint(0, 5)))
            actions.append(_ask(chance, bars, number, habits))
        if actions:
            script[number] = actions
        if habits.reactions and chance.random() < 0.2:
            follow: Action = _ask(chance, bars, number, habits)
            reactions[number] = [Cancel(chance.randint(0, 3)) if habits.cancels and chance.random() < 0.5 else follow]
    return Scenario(
        bars=bars[0], others=bars[1:], script=script, reactions=reactions, patient=habits.patient, **options
    )
