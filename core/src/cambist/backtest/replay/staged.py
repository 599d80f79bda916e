"""What a replay needs around a kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.engine.journaled import Journaling
    from cambist.model.events import Event
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Fill
    from cambist.simulation.market_rules import RuledMarkets

__all__ = ["Staged"]


class Staged(Protocol):
    """A kernel, and beside it what the run had around its own and has a say in what strategies and gate see."""

    @property
    def kernel(self) -> Journaling:
        """The kernel, with its recorder."""

    @property
    def streams(self) -> Sequence[Instrument]:
        """The instruments of the series of trades, quotes and books."""

    @property
    def markets(self) -> RuledMarkets | None:
        """What is remembered to keep the rules of the markets; None where none have any."""

    @property
    def is_live(self) -> bool:
        """Whether it was a live run, which goes on after a strategy has raised, and asks a venue for changes of margin.

        What it asks for is journalled; the venue may change some by itself.
        """

    def started(self) -> None:
        """Take note that the kernel was started."""

    def taking(self, event: Event) -> None:
        """Take note of an event that the kernel is about to take."""

    def raised(self) -> str:
        """Return what a strategy raised in the last step and the kernel kept; ``""`` where none did."""

    def traded(self, strategy: str, fill: Fill) -> None:
        """Take note of a fill that is about to be booked, where fees or the rules of its market hang on it."""

    def split(self, symbol: str, ratio: float) -> None:
        """Have the last price told in new units from here on to the next bar."""
