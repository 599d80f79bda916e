"""What a strategy wants remembered: its signals, and values of its lines."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Signal"]


class Signal(NamedTuple):
    """A value that a strategy noted.

    Attributes
    ----------
    ts
        When, ns, UTC.
    strategy, name
        Who noted it, and what it is called there.
    symbol
        Of the instrument that it is about; ``""`` where it is about none.
    value
        A finite number, or a text.
    """

    ts: int
    strategy: str
    name: str
    symbol: str
    value: float | str
