"""An exchange on loopback: real wire protocols, a deterministic market, faults on purpose.

`ExchangeSimulator` runs one in a test or a program, `Fault` says what is to go wrong, `SimulatorClient` looks into one
that runs elsewhere.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cambist_simulator.control.client import SimulatorClient
    from cambist_simulator.faults.fault import Fault
    from cambist_simulator.faults.script import load_script
    from cambist_simulator.spoiling import spoil_order
    from cambist_simulator.venue.simulator import Credentials, ExchangeSimulator

__all__ = ["Credentials", "ExchangeSimulator", "Fault", "SimulatorClient", "load_script", "spoil_order"]

# The plugin's record lives in this package, and a list of all plugins must not import a web server.
_WHERE = {
    "Credentials": "cambist_simulator.venue.simulator",
    "ExchangeSimulator": "cambist_simulator.venue.simulator",
    "Fault": "cambist_simulator.faults.fault",
    "SimulatorClient": "cambist_simulator.control.client",
    "load_script": "cambist_simulator.faults.script",
    "spoil_order": "cambist_simulator.spoiling",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
