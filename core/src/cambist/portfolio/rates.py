"""What one asset is worth in another, now and over a whole run."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.errors import DataError, InputError
from cambist.model.times import format_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["Pair", "RateTable", "rate_key"]

Column = "NDArray[np.float64]"


def rate_key(asset: str) -> str:
    """Return the key of an asset's rates among the prices by symbol at which a run is valued."""
    return f"rate of {asset}"


@attrs.define(eq=False)
class Pair:
    """Two assets of which one has a price in the other.

    Attributes
    ----------
    base, quote
        A unit of `base` is worth so much of `quote`.
    symbol
        Of the instrument whose last close is the price; ``""`` where it was given as a series or a number.
    now
        Answers the price as of now, NaN where there is none yet.
    times, prices
        Of a series: when each price was known, int64 ns UTC, and the prices, shape ``(n,)``.
    """

    base: str
    quote: str
    symbol: str = ""
    now: Callable[[], float] = attrs.field(default=lambda: float("nan"))
    times: NDArray[np.int64] = attrs.field(factory=lambda: np.empty(0, np.int64))
    prices: NDArray[np.float64] = attrs.field(factory=lambda: np.empty(0))

    def at(self, times: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the price of a series at some times (ns, shape ``(k,)``): the last one known, NaN before the first."""
        return np.concatenate(([np.nan], self.prices))[np.searchsorted(self.times, times, side="right")]

    def at_time(self, ts: int) -> float:
        """Return the price of a series at a time, ns."""
        return float(self.at(np.array([ts]))[0])


class RateTable:
    """Finds the way from one asset to another over the pairs that there are, the shortest first.

    Parameters
    ----------
    currency
        In which a run is reported.
    pairs
        Of two that connect the same assets the first counts.

    Notes
    -----
    A way goes along a pair (times its price) or against it (divided by it), over as many pairs as it takes. The last
    price stands until there is a newer one.
    """

    def __init__(self, currency: str, pairs: Sequence[Pair]) -> None:
        self.currency = currency
        self.pairs = tuple(pairs)
        self._ways: dict[tuple[str, str], tuple[tuple[Pair, bool], ...]] = {}

    def way(self, source: str, target: str) -> tuple[tuple[Pair, bool], ...]:
        """Return the pairs from `source` to `target`, and whether each is gone along or against.

        Raises
        ------
        InputError
            If there is no way.
        """
        found = self._ways.get((source, target))
        if found is None:
            found = self._ways[source, target] = self._search(source, target)
        return found

    def _search(self, source: str, target: str) -> tuple[tuple[Pair, bool], ...]:
        reached: dict[str, tuple[tuple[Pair, bool], ...]] = {source: ()}
        waiting = deque([source])
        while waiting and target not in reached:
            asset = waiting.popleft()
            for pair in self.pairs:
                for start, end, along in ((pair.base, pair.quote, True), (pair.quote, pair.base, False)):
                    if start == asset and end not in reached:
                        reached[end] = (*reached[asset], (pair, along))
                        waiting.append(end)
        if target not in reached:
            known = ", ".join(f"{pair.base}/{pair.quote}" for pair in self.pairs) or "none"
            raise InputError(
                f"nothing tells what {source} is worth in {target} (pairs: {known}). Trade an instrument with that "
                f"base and quote, or give the rate: rates={{'{source}/{target}': series}}."
            )
        return reached[target]

    def now(self, source: str, target: str = "") -> float:
        """Return what a unit of `source` is worth in `target`, the currency by default; NaN where nobody knows yet."""
        rate = 1.0
        for pair, along in self.way(source, target or self.currency):
            rate = rate * pair.now() if along else rate / pair.now()
        return rate

    def known(self, source: str, target: str = "") -> float:
        """Return `now`.

        Raises
        ------
        DataError
            If nobody knows yet.
        """
        rate = self.now(source, target)
        if rate != rate:  # noqa: PLR0124 - NaN
            raise self.missing(source, target)
        return rate

    def over(self, asset: str, price_of: Callable[[Pair], NDArray[np.float64]], count: int) -> NDArray[np.float64]:
        """Return what a unit of `asset` is worth in the currency at each of `count` instants, shape ``(count,)``.

        Parameters
        ----------
        price_of
            Answers the prices of a pair at them.
        """
        rates = np.ones(count)
        for pair, along in self.way(asset, self.currency):
            rates = rates * price_of(pair) if along else rates / price_of(pair)
        return rates

    def converted(
        self, asset: str, amounts: NDArray[np.float64], rates: NDArray[np.float64], times: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return amounts of an asset in the currency; where there is none of it, no rate is asked for.

        Raises
        ------
        DataError
            If there is something of which nobody knows the worth; names the time.
        """
        missing = np.flatnonzero(np.isnan(rates) & (amounts != 0.0))
        if len(missing):
            raise self.missing(asset, when=int(times[missing[0]]))
        return np.where(amounts == 0.0, 0.0, amounts * rates)

    def missing(self, asset: str, target: str = "", when: int | None = None) -> DataError:
        """Return the error that nobody knows a rate (at `when`, ns)."""
        known, at = target or self.currency, "" if when is None else f" at {format_ns(when)}"
        return DataError(
            f"nobody knows what {asset} is worth in {known}{at}: no price of it is known by then. Begin the run where "
            f"its data begins, or give rates={{'{asset}/{known}': series}} that reach back far enough."
        )
