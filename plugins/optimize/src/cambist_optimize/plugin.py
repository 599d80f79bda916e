"""What this package offers to Cambist."""

from __future__ import annotations

from cambist.api import CommandSpec, hookimpl

__all__ = ["cambist_commands"]


@hookimpl
def cambist_commands() -> list[CommandSpec]:
    """Offer the command ``optimize``."""
    return [
        CommandSpec(
            name="optimize",
            factory="cambist_optimize.cli:optimize",
            summary="Try many combinations of a strategy's parameters.",
            conformance="cambist_optimize.conformance",
            capabilities=frozenset({"warms"}),
            requires=("cambist-optimize",),
        )
    ]
