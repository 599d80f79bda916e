"""What the simulator offers to Cambist."""

from __future__ import annotations

from cambist.api import CommandSpec, hookimpl

__all__ = ["cambist_commands"]


@hookimpl
def cambist_commands() -> list[CommandSpec]:
    """Offer the command ``simulate``."""
    return [
        CommandSpec(
            name="simulate",
            factory="cambist_simulator.cli:simulate",
            summary="Run an exchange on loopback that fails on purpose.",
            conformance="cambist_simulator.conformance",
            requires=("cambist-simulator",),
        )
    ]
