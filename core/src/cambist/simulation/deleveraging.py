"""Which positions a venue closes to pay for others, and at what price."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.model.deleveraging import Deleveraging

__all__ = ["Deleverager"]


class Deleverager:
    """Answers, bar by bar, what of the positions in profit is closed.

    Parameters
    ----------
    model
        What was asked for.
    seed
        Of its chance; nothing else draws from it.
    """

    def __init__(self, model: Deleveraging, seed: int) -> None:
        self._model = model
        self._chance = random.Random(f"deleveraging {seed}")  # noqa: S311 - simulation, not secrets
        self._events: dict[str, list[tuple[int, float, float | None]]] = {}
        for when, symbol, share, price in model.events:
            self._events.setdefault(symbol, []).append((when, share, price))

    def events(self, symbol: str, opened: int, closed: int) -> Sequence[tuple[float, float | None]]:
        """Return share and price of what the data say of the bar that is open in ``(opened, closed]``, ns."""
        waiting = self._events.get(symbol)
        if not waiting:
            return ()
        due = [(share, price) for when, share, price in waiting if opened < when <= closed]
        while waiting and waiting[0][0] <= closed:
            waiting.pop(0)
        return due

    def by_chance(self, held: float, open_: float, close: float) -> Sequence[tuple[float, float | None]]:
        """Return what chance says of a position of signed size `held` in a bar."""
        model = self._model
        moved = (close - open_) / open_
        if not model.probability or (moved if held > 0.0 else -moved) < model.move:
            return ()
        return ((model.share, None),) if self._chance.random() < model.probability else ()

    def price(self, held: float, mark: float) -> float:
        """Return the price of a closing for which none is known: off the mark, against the position."""
        distance = self._model.distance
        return mark * (1.0 - distance if held > 0.0 else 1.0 + distance)
