"""What the control port asks of a venue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist.model import Side
    from cambist_simulator.clock import VenueClock
    from cambist_simulator.exchange.exchange import Exchange
    from cambist_simulator.exchange.orders import OrderTerms, VenueOrder
    from cambist_simulator.exchange.users import Users
    from cambist_simulator.faults.engine import FaultEngine
    from cambist_simulator.server.server import Server

__all__ = ["Desk"]


class Desk(Protocol):
    """See `cambist_simulator.venue.venue.SimulatedVenue`."""

    clock: VenueClock
    server: Server
    users: Users
    faults: FaultEngine

    @property
    def exchanges(self) -> Mapping[str, Exchange]:
        """By name."""

    def summary(self) -> dict[str, Any]:
        """Return where everything stands."""

    def times(self) -> dict[str, Any]:
        """Return both clocks."""

    def credentials(self) -> list[dict[str, Any]]:
        """Return the keys of all users."""

    def user(self, name: str | None = None) -> str:
        """Return the id of a user."""

    def exchange_of(self, symbol: str) -> Exchange:
        """Return the exchange that lists a symbol."""

    def orders(self, user: str | None = None, symbol: str | None = None, *, open_only: bool = False) -> list[Any]:
        """Return copies of orders."""

    def fills(self, user: str | None = None, symbol: str | None = None) -> list[Any]:
        """Return executions."""

    def balances(self, user: str | None = None) -> dict[str, dict[str, Any]]:
        """Return what a user has."""

    def positions(self, user: str | None = None) -> dict[str, list[Any]]:
        """Return a user's positions."""

    def place(self, terms: OrderTerms, user: str | None = None) -> VenueOrder:
        """Place an order as another client of the account would."""

    def deposit(self, user: str | None, asset: str, amount: Any, exchange: str | None = None) -> None:
        """Give a user money, or take it away."""

    def trade(self, symbol: str, side: Side, size: Any, price: Any) -> None:
        """Let somebody from outside trade."""

    def step(self, by: int) -> None:
        """Let time go on."""

    def set_speed(self, speed: float) -> None:
        """Let the market clock go at another pace."""

    def jump(self, symbol: str, by: float) -> None:
        """Move the price of a symbol."""

    def restart(self, down: int) -> None:
        """End the venue and start it again."""
