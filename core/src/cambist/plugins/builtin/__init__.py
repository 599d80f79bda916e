"""The core's own parts, offered through the same hooks as anybody's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.plugins.builtin import (
    analyzers,
    commands,
    data,
    data_rules,
    indicators,
    services,
    simulation,
    strategies,
    trading,
)

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["core_modules"]


def core_modules() -> tuple[ModuleType, ...]:
    """Return the modules that hold the core's records."""
    return (data, data_rules, trading, services, strategies, indicators, analyzers, simulation, commands)
