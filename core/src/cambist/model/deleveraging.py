"""Auto-deleveraging: when a venue closes a position in profit because a bankrupt one has to be paid for."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import ParameterError
from cambist.model.times import to_ns

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Deleveraging"]


def _events(given: Sequence[Any]) -> tuple[tuple[int, str, float, float | None], ...]:
    """Return events as ``(ns, symbol, share, price or None)``, in the order of time."""
    read = []
    for event in given:
        if not isinstance(event, list | tuple) or len(event) not in (3, 4):
            raise ParameterError(
                f"Deleveraging: an event is {event!r}; give (time, symbol, share) or (time, symbol, share, price)."
            )
        when, symbol, share, price = event if len(event) == 4 else (*event, None)
        if not 0.0 < share <= 1.0:
            raise ParameterError(
                f"Deleveraging: the share of {symbol} at {when} is {share!r}; it is a fraction above 0: 0.5 is half."
            )
        if price is not None and not (price > 0.0 and isfinite(price)):
            raise ParameterError(f"Deleveraging: the price of {symbol} at {when} is {price!r}; it is a number above 0.")
        read.append((to_ns(when), str(symbol), float(share), None if price is None else float(price)))
    return tuple(sorted(read, key=lambda one: one[0]))


@attrs.frozen(kw_only=True)
class Deleveraging:
    """When margined positions in profit are closed by the venue, and at what price: as data, by chance, or both.

    Venues do this when their insurance fund cannot pay for a bankrupt position: they close opposite positions in
    profit at the bankruptcy price of that one ("Auto-Deleveraging (ADL) Mechanism" at Bybit, "Counterparty
    Liquidation" at Binance). How often that happens to a position, and at what price, no data of bars tells: give what
    is known of a day as `events`, or a chance.

    Attributes
    ----------
    events
        ``(time, symbol, share)`` or ``(time, symbol, share, price)``: in the bar that is open at `time`, or closes
        then, this share of what is held in profit is closed at its close. The price is the bankruptcy price of the
        other side; without one, see `distance`.
    probability
        That a position in profit is met in a bar that moved at least `move` in its favor; drawn from the run's seed.
    move
        Least distance from the open to the close of such a bar, as a fraction of the open.
    share
        How much of it is closed then, a fraction.
    distance
        How far the price of a closing lies from the mark price, against the position, where none is given: a
        fraction, as a bankrupt position is one whose price the market has passed.
    """

    events: Sequence[tuple[int, str, float, float | None]] = attrs.field(default=(), converter=_events)
    probability: float = 0.0
    move: float = 0.05
    share: float = 1.0
    distance: float = 0.0

    def __attrs_post_init__(self) -> None:
        for name, least, most in (("probability", 0.0, 1.0), ("move", 0.0, 1.0), ("distance", 0.0, 1.0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
                raise ParameterError(f"Deleveraging: {name} is {value!r}; it is a fraction: 0.01 is 1 %.")
        if not 0.0 < self.share <= 1.0:
            raise ParameterError(f"Deleveraging: share is {self.share!r}; it is a fraction above 0: 0.5 is half.")

    @property
    def symbols(self) -> list[str]:
        """Instruments that events name."""
        return list(dict.fromkeys(event[1] for event in self.events))
