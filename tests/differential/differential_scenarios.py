"""What is played in both engines: bars, an account, and a script of orders, all drawn from a seed."""

from __future__ import annotations

from random import Random

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
    volume: float


@attrs.frozen
class Ask:
    """One order as a strategy asks for it; ``last_bar`` is the last bar in which it may trade, ``"day"`` a day order."""

    buys: bool
    type: str
    size: float
    limit: float | None = None
    stop: float | None = None
    last_bar: int | str | None = None


@attrs.frozen
class Cancel:
    """Withdraw the order that was asked for as number ``number``, from 0."""

    number: int


@attrs.frozen(kw_only=True)
class Scenario:
    """An account, a market and a script: what is asked for at the close of each bar.

    ``percent_fee`` and ``percent_slippage`` are fractions, ``unit_fee`` and ``fixed_slippage`` money for each unit.
    """

    bars: list[Bar]
    script: dict[int, list[Ask | Cancel]]
    cash: float = 1_000_000.0
    percent_fee: float = 0.0
    unit_fee: float = 0.0
    percent_slippage: float = 0.0
    fixed_slippage: float = 0.0
    volume_limit: float | None = None
    this_close: bool = False
    daily: bool = False


def on_tick(price: float) -> float:
    """Return the price on the grid nearest to `price`, as the double nearest to its decimal."""
    return round(round(price / TICK) * TICK, 2)


def random_bars(chance: Random, count: int) -> list[Bar]:
    """Draw bars of a few ticks each, so that prices meet often; some gap, some stand still, some trade nothing."""
    bars = []
    close = 100.0
    for _ in range(count):
        gap = chance.choice((0, 0, 0, 1, -1, 2, -2, 12, -12))
        open_ = on_tick(max(20.0, close + gap * TICK))
        close = on_tick(max(20.0, open_ + chance.randint(-6, 6) * TICK))
        high = on_tick(max(open_, close) + chance.choice((0, 0, 1, 2, 5)) * TICK)
        low = on_tick(min(open_, close) - chance.choice((0, 0, 1, 2, 5)) * TICK)
        bars.append(Bar(open_, high, low, close, float(chance.choice((0, 5, 9, 30, 60, 77, 100, 400)))))
    return bars


def random_price(chance: Random, bars: list[Bar], number: int) -> float:
    """Draw a price near those of the coming bars; half the time exactly one of them."""
    coming = bars[min(number + chance.randint(1, 3), len(bars) - 1)]
    if chance.random() < 0.5:
        return chance.choice((coming.open, coming.high, coming.low, coming.close))
    return on_tick(bars[number].close + chance.randint(-12, 12) * TICK)


def random_ask(chance: Random, bars: list[Bar], number: int, *, types: tuple[str, ...], buys: bool | None) -> Ask:
    """Draw an order; `buys` fixes its side."""
    kind = chance.choice(types)
    side = chance.random() < 0.5 if buys is None else buys
    size = chance.choice((1.0, 2.0, 3.0, 0.5, 7.0, 10.0, 20.0))
    last = chance.choice((None, None, None, number + 1, number + 2, number + 5, "day"))
    return Ask(
        side,
        kind,
        size,
        random_price(chance, bars, number) if kind in (LIMIT, STOP_LIMIT) else None,
        random_price(chance, bars, number) if kind in (STOP, STOP_LIMIT) else None,
        last,
    )


def random_scenario(
    seed: int, *, count: int = 90, types: tuple[str, ...] = TYPES, buys: bool | None = None, **options: object
) -> Scenario:
    """Draw a scenario; the options are fields of `Scenario`.

    Most orders are of the types and the side asked for. So that there is something to close, a few are not.
    """
    chance = Random(seed)
    bars = random_bars(chance, count)
    script: dict[int, list[Ask | Cancel]] = {}
    asked = 0
    for number in range(count):
        actions: list[Ask | Cancel] = []
        for _ in range(chance.choice((0, 0, 1, 1, 1, 2, 3))):
            if asked and chance.random() < 0.2:
                actions.append(Cancel(max(0, asked - chance.randint(1, 6))))
            other = chance.random() < 0.25
            side = None if buys is None else buys is not other
            actions.append(random_ask(chance, bars, number, types=types, buys=side))
            asked += 1
        if asked and chance.random() < 0.2:
            actions.append(Cancel(max(0, asked - chance.randint(1, 6))))
        if actions:
            script[number] = actions
    return Scenario(bars=bars, script=script, **options)  # type: ignore[arg-type]
