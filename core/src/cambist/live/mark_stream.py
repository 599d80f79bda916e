"""Mark prices of a live run: its account is valued by them as the venue's is, as long as they flow."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from cambist.portfolio import MarginPortfolio
from cambist.ports.venue import Subscription

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist.engine.step import Kernel
    from cambist.model.instrument import Instrument
    from cambist.model.reports import MarkReport
    from cambist.ports.venue import StreamReport, VenueTerms

__all__ = ["MarkStream"]


class MarkStream:
    """Takes mark prices of the instruments that are held on margin, where the venue streams them.

    They are watched by nobody: while they do not flow, positions are valued at last prices.

    Parameters
    ----------
    terms
        Of the venue.
    kernel, instruments
        Of the run.
    tell
        Takes an instrument's symbol and its mark price, NaN where it is not known any more.

    Attributes
    ----------
    subscriptions
        What a session is asked for.
    """

    def __init__(
        self,
        terms: VenueTerms,
        kernel: Kernel,
        instruments: Iterable[Instrument],
        tell: Callable[[str, float], None],
    ) -> None:
        on_margin = terms.marks and isinstance(kernel.portfolio, MarginPortfolio)
        self.subscriptions = [Subscription(one, "marks") for one in instruments if on_margin and not one.is_cash]
        self._tell = tell
        self._kept: dict[str, float] | None = {}

    def begin(self) -> None:
        """Tell of what has come until now; from now on, what comes is told at once."""
        kept, self._kept = self._kept or {}, None
        for symbol, price in kept.items():
            self._tell(symbol, price)

    def take(self, report: MarkReport) -> None:
        """Take a mark price."""
        self._say(report.symbol, report.price)

    def reported(self, report: StreamReport) -> bool:
        """Take how a subscription does, and return True, if it is one to mark prices."""
        if report.subscription not in self.subscriptions:
            return False
        if report.state in {"down", "stale"}:
            self._say(report.subscription.instrument.symbol, nan)
        return True

    def _say(self, symbol: str, price: float) -> None:
        if self._kept is None:
            self._tell(symbol, price)
        else:
            self._kept[symbol] = price
