"""A pytest plugin: the fixture `exchange_simulator`, an exchange for a test.

It is there wherever ``cambist-simulator`` is installed. Nothing of the simulator is imported before a test asks for it.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cambist_simulator.venue.simulator import ExchangeSimulator

__all__ = ["exchange_simulator"]


@pytest.fixture
def exchange_simulator() -> Iterator[Callable[..., ExchangeSimulator]]:
    """Start exchanges on loopback that end with the test.

    Yields
    ------
    Callable
        Takes what `cambist_simulator.ExchangeSimulator` takes, and returns one that runs. A market stands still
        (``speed=0``) unless the test says otherwise, and begins at the same time in every run.

    Examples
    --------
    ::

        def test_my_plugin_survives_a_disconnect(exchange_simulator):
            simulator = exchange_simulator("generic", symbols=["BTCUSDT"])
            simulator.add_fault("disconnect", at="0s")
            ...

    Notes
    -----
    A test in which a dialect raised what it should not have fails at its end.
    """
    from cambist_simulator.venue.simulator import ExchangeSimulator

    started: list[ExchangeSimulator] = []
    with ExitStack() as stack:

        def start(venue: str = "generic", **settings: Any) -> ExchangeSimulator:
            given: dict[str, Any] = {"speed": 0, "start": "2024-01-01T00:00:00Z"}
            if "data" in settings:
                del given["start"]
            simulator = ExchangeSimulator(venue, **(given | settings))
            started.append(stack.enter_context(simulator))
            return simulator

        yield start
        errors = [one.state()["counts"].get("errors", 0) for one in started]
    if any(errors):
        pytest.fail(f"the simulated exchange itself failed {sum(errors)} times; its log has the tracebacks")
