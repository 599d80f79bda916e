"""Single market events finer than a bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Side

__all__ = ["Quote", "Tick"]


@attrs.frozen(slots=True)
class Tick:
    """One trade printed by the market.

    Attributes
    ----------
    ts
        When, ns, UTC.
    price, size
        In quote currency, and in units of the instrument.
    side
        Side of the taker, or None where the venue does not say.
    """

    instrument: Instrument
    ts: int
    price: float
    size: float
    side: Side | None = None


@attrs.frozen(slots=True)
class Quote:
    """Best bid and ask.

    Attributes
    ----------
    ts
        When, ns, UTC.
    bid, ask
        Prices in quote currency.
    bid_size, ask_size
        In units of the instrument.
    """

    instrument: Instrument
    ts: int
    bid: float
    ask: float
    bid_size: float
    ask_size: float
