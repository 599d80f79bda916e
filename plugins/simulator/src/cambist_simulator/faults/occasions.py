"""What a fault is handed when it strikes: the request, the frame, or the venue around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import attrs

from cambist_simulator.server.tampering import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cambist_simulator.clock import VenueClock
    from cambist_simulator.exchange.exchange import Exchange
    from cambist_simulator.faults.on_frames import Holds
    from cambist_simulator.faults.rules import Rule
    from cambist_simulator.server.connection import SocketConnection
    from cambist_simulator.server.server import Server
    from cambist_simulator.server.timers import Timers
    from cambist_simulator.server.wire import Dialect, Request, Response

__all__ = ["Frame", "Ground", "Occasion"]


class Ground(Protocol):
    """What faults may lay hands on: the venue."""

    clock: VenueClock
    server: Server

    @property
    def exchanges(self) -> Mapping[str, Exchange]:
        """By name."""

    def user_id(self, name: str) -> str | None:
        """Return the id of a user by name or id; None for nobody."""

    def user_names(self, user_id: str) -> tuple[str, ...]:
        """Return the id and the name of a user."""

    def timers(self, clock: str) -> Timers:
        """Return the calls that are due by a clock, ``"market"`` or ``"server"``."""

    def restart(self, down: int) -> None:
        """End the venue and start it again with all that it knew, in `down` ns of the server's clock."""

    def jump(self, symbol: str, by: float) -> None:
        """Move the price of a symbol by a share of it."""


@attrs.define(kw_only=True)
class Occasion:
    """A request of a client, over REST or in a message; or nothing but a time.

    Attributes
    ----------
    rule
        Of the fault that strikes.
    request
        Of REST.
    connection
        Of a message.
    label, facts
        What the request is about, as far as known.
    order
        (exchange, order id) that the request has just made.
    response
        Of REST, once the venue has answered.
    spoil
        What becomes of a REST request.
    swallow
        Whether a message never reaches the venue.
    frames
        That answer a message.
    then
        Called when the answer has left.
    note
        For the log.
    """

    rule: Rule
    dialect: Dialect | None = None
    request: Request | None = None
    connection: SocketConnection | None = None
    label: str = ""
    facts: Mapping[str, Any] = attrs.field(factory=dict)
    order: tuple[str, int] | None = None
    response: Response | None = None
    spoil: Verdict = attrs.field(factory=lambda: Verdict(then=[], faults=[]))
    swallow: bool = False
    frames: list[bytes] = attrs.field(factory=list)
    then: list[Callable[[], None]] = attrs.field(factory=list)
    note: str = ""

    @property
    def target(self) -> str:
        """What it is, for the log."""
        if self.request is not None:
            return f"request {self.request.number} {self.label or self.request.path}"
        if self.connection is not None:
            return f"connection {self.connection.id} {self.label}".rstrip()
        return str(self.facts.get("symbol", "") or self.facts.get("user", ""))


@attrs.define(kw_only=True)
class Frame:
    """A frame on its way to a client; `holds` keeps those that are to wait."""

    rule: Rule
    holds: Holds
    connection: SocketConnection
    data: bytes
    kind: str
    symbol: str
