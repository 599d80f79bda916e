"""The venues that can be simulated: what each lists, and what speaks its protocol."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import attrs

from cambist.api import ParameterError, did_you_mean
from cambist_simulator.exchange.listing import Segment
from cambist_simulator.venue.symbols import made_listing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cambist_simulator.clock import VenueClock
    from cambist_simulator.exchange.exchange import Exchange
    from cambist_simulator.exchange.listing import Listing
    from cambist_simulator.exchange.users import Users
    from cambist_simulator.market.markets import Markets
    from cambist_simulator.server.wire import Dialect

__all__ = ["KINDS", "Parts", "VenueKind", "kind_of"]


@attrs.frozen(kw_only=True)
class Parts:
    """What a dialect is made of.

    Attributes
    ----------
    limits
        Whether a client that asks too much is refused.
    """

    exchanges: Mapping[str, Exchange]
    users: Users
    markets: Markets
    clock: VenueClock
    seed: int
    limits: bool = True


@attrs.frozen(kw_only=True)
class VenueKind:
    """A venue that can be simulated.

    Attributes
    ----------
    segments
        Name of the exchange of each segment that it has.
    listings
        What it lists in a segment when nobody says otherwise.
    symbols
        What it plays when nobody says otherwise, as `parse_symbol` reads it.
    dialect
        Makes what speaks its protocol.
    """

    name: str
    segments: Mapping[Segment, str]
    listings: Callable[[Segment], list[Listing]]
    symbols: tuple[str, ...]
    dialect: Callable[[Parts], Dialect]


def _generic_listings(segment: Segment) -> list[Listing]:
    return [made_listing(symbol, Segment.SPOT) for symbol in ("BTCUSDT", "ETHUSDT")] if segment is Segment.SPOT else []


def _generic(parts: Parts) -> Dialect:
    from cambist_simulator.dialects.generic.dialect import GenericDialect

    return GenericDialect(parts.exchanges, parts.users, parts.markets, parts.clock)


def _binance_listings(segment: Segment) -> list[Listing]:
    from cambist_simulator.dialects.binance import default_listings

    return default_listings(segment)


def _binance(parts: Parts) -> Dialect:
    from cambist_simulator.dialects.binance import BinanceDialect

    return BinanceDialect(
        [(one, partial(parts.markets.data, name)) for name, one in parts.exchanges.items()],
        parts.users,
        parts.clock,
        seed=parts.seed,
        enforced=parts.limits,
    )


_BINANCE = {Segment.SPOT: "binance-spot", Segment.LINEAR: "binance-usdm", Segment.INVERSE: "binance-coinm"}

#: By name.
KINDS: Mapping[str, VenueKind] = {
    "generic": VenueKind(
        name="generic",
        segments={Segment.SPOT: "spot", Segment.LINEAR: "linear", Segment.INVERSE: "inverse"},
        listings=_generic_listings,
        symbols=("BTCUSDT", "ETHUSDT"),
        dialect=_generic,
    ),
    "binance": VenueKind(
        name="binance",
        segments=_BINANCE,
        listings=_binance_listings,
        symbols=(
            "BTCUSDT",
            "ETHUSDT",
            "BNBUSDT",
            "BTCUSDT:linear",
            "ETHUSDT:linear",
            "BTCUSD_PERP:inverse",
            "ETHUSD_PERP:inverse",
        ),
        dialect=_binance,
    ),
}


def kind_of(name: str) -> VenueKind:
    """Return a venue by its name.

    Raises
    ------
    ParameterError
        There is none of that name.
    """
    found = KINDS.get(name)
    if found is None:
        raise ParameterError(f"there is no simulated venue called {name!r}.{did_you_mean(name, KINDS)}")
    return found
