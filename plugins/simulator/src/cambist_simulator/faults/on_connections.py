"""Faults of whole connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cambist_simulator.faults.occasions import Ground
    from cambist_simulator.server.connection import SocketConnection

__all__ = ["CONNECTION_ACTIONS", "facts_of"]


def facts_of(ground: Ground, connection: SocketConnection) -> dict[str, Any]:
    """Return what a fault may choose a connection by."""
    stream = f"{connection.path}?{connection.query}" if connection.query else connection.path
    return {
        "connection": connection.id,
        "path": connection.path,
        "stream": stream,
        "user": ground.user_names(connection.user) if connection.user else (),
        "dialect": connection.dialect.name,
        "label": connection.label,
    }


def _disconnect(_: Ground, connections: Sequence[SocketConnection], arguments: Mapping[str, Any]) -> None:
    for one in connections:
        one.close(arguments["code"], arguments["reason"])


def _reset(_: Ground, connections: Sequence[SocketConnection], arguments: Mapping[str, Any]) -> None:  # noqa: ARG001
    for one in connections:
        one.reset()


def _half_open(ground: Ground, connections: Sequence[SocketConnection], arguments: Mapping[str, Any]) -> None:
    for one in connections:
        one.flush()
        one.mute = one.deaf = True

    def again() -> None:
        for one in connections:
            one.mute = one.deaf = False

    if arguments["for"] is not None:
        ground.timers("server").after(arguments["for"], again)


def _silent(ground: Ground, connections: Sequence[SocketConnection], arguments: Mapping[str, Any]) -> None:
    for one in connections:
        one.quiet = frozenset({"*"})

    def again() -> None:
        for one in connections:
            one.quiet = frozenset()

    if arguments["for"] is not None:
        ground.timers("server").after(arguments["for"], again)


def _slow(_: Ground, connections: Sequence[SocketConnection], arguments: Mapping[str, Any]) -> None:  # noqa: ARG001
    for one in connections:
        one.kick()


def _end_of_life(ground: Ground, connections: Sequence[SocketConnection], arguments: Mapping[str, Any]) -> None:  # noqa: ARG001
    for one in connections:
        ground.server.count("expired")
        one.close(1001, "connection lifetime")


#: What happens to the chosen connections.
CONNECTION_ACTIONS: Mapping[str, Callable[[Ground, Sequence[SocketConnection], Mapping[str, Any]], None]] = {
    "disconnect": _disconnect,
    "reset": _reset,
    "half_open": _half_open,
    "silent_subscription": _silent,
    "slow_consumer": _slow,
    "end_of_life": _end_of_life,
}
