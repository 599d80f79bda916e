"""How a simulated venue is to be."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs

from cambist.api import ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cambist_simulator.exchange.listing import Listing
    from cambist_simulator.faults.fault import Fault
    from cambist_simulator.market.random_market import RandomShape

__all__ = ["VenueSettings"]

_SECOND = 1_000_000_000


def _at_least_one(_: Any, field: attrs.Attribute[Any], value: Sequence[str]) -> None:
    if not value:
        raise ParameterError(f"{field.name} is empty; give at least one.")


@attrs.frozen(kw_only=True)
class VenueSettings:
    """Settings of `cambist_simulator.ExchangeSimulator`.

    Attributes
    ----------
    venues
        Names, such as ``("generic",)``; with several, each answers below its own name: ``/generic/...``.
    symbols
        What is played, such as ``"BTCUSDT"`` or ``"BTCUSDT:linear"``; empty for what the venue plays by itself.
    listings
        Rules of symbols that the venue does not list by itself, or lists otherwise.
    data
        Recorded bars, trades, quotes or a raw book by symbol; a random market where there is none.
    shape
        Of random markets.
    history
        Minutes of candles before a market begins: made up for a random one, else the first of the recorded bars.
    speed
        Of the market clock: seconds in a second; 0 stands still until it is stepped, None plays as fast as clients
        read.
    frozen
        Whether the server's clock stands still as well until it is stepped.
    start
        When the market begins, ns; None for when the recording began, or for now.
    loop
        Whether recorded data begin again at their end.
    users
        Names; each has a key that follows from the seed.
    cash
        Dollars that each user is given on each exchange, of everything that symbols are settled in; coins at what they
        cost in 2025.
    balances
        What he is given instead, or besides, by asset.
    seed
        Of keys, random markets and faults.
    limits
        Whether the venue refuses a client that asks more than it allows: requests, orders, connections.
    log_file, log_entries
        A file that gets every request, one JSON object a line; how many requests are kept for those who ask.
    kept_orders
        How many ended orders each exchange keeps, and how many executions of a user in a symbol.
    """

    venues: tuple[str, ...] = attrs.field(default=("generic",), validator=_at_least_one)
    symbols: tuple[str, ...] = ()
    listings: Sequence[Listing] = ()
    data: Mapping[str, Any] = attrs.field(factory=dict)
    shape: RandomShape | None = None
    history: int = 0
    speed: float | None = 1.0
    frozen: bool = False
    start: int | None = None
    loop: bool = False
    users: tuple[str, ...] = attrs.field(default=("trader",), validator=_at_least_one)
    cash: Decimal = Decimal(100_000)
    balances: Mapping[str, Decimal] = attrs.field(factory=dict)
    seed: int = 0
    faults: Sequence[Fault] = ()
    host: str = "127.0.0.1"
    port: int = 0
    limits: bool = True
    log_file: Path | str | None = None
    log_entries: int = 20_000
    kept_orders: int = 100_000
