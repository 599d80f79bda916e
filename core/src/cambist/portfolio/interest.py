"""Interest: on borrowed instruments, on positions, and on cash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.errors import ParameterError, did_you_mean
from cambist.model.portfolio import CashFlow
from cambist.model.times import DAY_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.model.orders import Fill, Order
    from cambist.model.portfolio import Trade
    from cambist.portfolio.portfolio import Portfolio

__all__ = ["Interest", "InterestCharges"]


@attrs.frozen(kw_only=True)
class Interest:
    """Yearly rates of interest, charged for every midnight (UTC) over which something was held.

    Attributes
    ----------
    short
        On the value of short positions in instruments paid in full: what borrowing them costs. 0.02 is 2 % a year.
    long
        On the value of long ones.
    cash
        Credited on a positive balance of cash; proceeds of short sales are part of it.
    debit
        Charged on a negative one.
    day_count
        Days in a year: 365 or 360.
    value
        ``"market"``: positions count at the last close. ``"entry"``: at their average price, as in backtrader.
    """

    short: float = 0.0
    long: float = 0.0
    cash: float = 0.0
    debit: float = 0.0
    day_count: float = 365.0
    value: str = "market"

    def __attrs_post_init__(self) -> None:
        for name in ("short", "long", "cash", "debit"):
            rate = getattr(self, name)
            if isinstance(rate, bool) or not isinstance(rate, int | float) or not -10.0 < rate < 10.0:
                raise ParameterError(f"Interest: {name} is {rate!r}; it is a fraction a year: 0.02 is 2 %.")
        if not 0.0 < self.day_count < 1_000.0:
            raise ParameterError(f"Interest: day_count is {self.day_count!r}; it is the days in a year, such as 365.")
        if self.value not in ("market", "entry"):
            raise ParameterError(f"Interest: value is {self.value!r}.{did_you_mean(self.value, ('market', 'entry'))}")


@attrs.frozen(slots=True)
class _Holding:
    """What was held from one midnight on: cash, and size and average price by symbol."""

    cash: float
    positions: dict[str, tuple[float, float]]


class InterestCharges:
    """Charges interest at the end of the first instant at or after each midnight.

    Parameters
    ----------
    portfolio
        Its `apply` is replaced by one that first notes what was held at the midnights before a fill, so that a fill in
        the first bar of a day does not change what was held overnight.
    terms
        The rates.
    clock, behind
        As backtrader has it: a midnight passes with the first bar that opens at or after it, before anything of that
        bar trades. `clock` answers the close of the bar in which a fill is booked, and `behind` is how long a bar is,
        ns. Without a clock the time of a fill counts.
    """

    def __init__(
        self, portfolio: Portfolio, terms: Interest, clock: Callable[[], int] | None = None, behind: int = 0
    ) -> None:
        self._portfolio = portfolio
        self._terms = terms
        self._clock = clock
        self._behind = behind
        self._last = 0  # midnight up to which interest is charged
        self._noted: list[tuple[int, _Holding]] = []
        self.next_due = 0
        # Replaced for this account alone: no fill of any other pays for the look at the clock.
        portfolio.apply = self._noting(portfolio.apply)  # type: ignore[assignment,method-assign]

    def start(self, ts: int) -> None:
        """Charge nothing for the time before the run."""
        self._last = ts - ts % DAY_NS
        self.next_due = self._last + DAY_NS + self._behind

    def _noting(self, apply: Callable[[Fill, Order, int], Trade | None]) -> Callable[[Fill, Order, int], Trade | None]:
        clock, behind = self._clock, self._behind

        def note_and_apply(fill: Fill, order: Order, instant: int) -> Trade | None:
            self._note(fill.ts if clock is None else clock() - behind)
            return apply(fill, order, instant)

        return note_and_apply

    def _note(self, ts: int) -> None:
        """Note what is held as that of every midnight up to `ts` that has none yet."""
        midnight = ts - ts % DAY_NS
        if midnight > (self._noted[-1][0] if self._noted else self._last):
            held = {
                symbol: (position.size, position.average_price)
                for symbol, position in self._portfolio.positions.items()
                if position.size != 0.0 and position.instrument.is_cash
            }
            self._noted.append((midnight, _Holding(self._portfolio.cash, held)))

    def book(self, now: int, instant: int) -> None:
        """Charge for every midnight up to `now`."""
        self._note(now - self._behind)
        noted, self._noted = self._noted, []
        for midnight, holding in noted:
            self._charge(midnight, (midnight - self._last) // DAY_NS / self._terms.day_count, holding, instant)
            self._last = midnight
        self.next_due = self._last + DAY_NS + self._behind

    def _charge(self, midnight: int, years: float, holding: _Holding, instant: int) -> None:
        terms, portfolio = self._terms, self._portfolio
        for symbol, (size, average) in holding.positions.items():
            position = portfolio.positions[symbol]
            price = average if terms.value == "entry" else position.last_price
            rate = terms.long if size > 0.0 else terms.short
            charge = abs(position.instrument.notional(size, price)) * rate * years
            if charge:
                settle = position.instrument.settle
                portfolio.move_cash(CashFlow(midnight, "interest", symbol, settle, -charge), instant)
        earned = holding.cash * (terms.cash if holding.cash > 0.0 else terms.debit) * years
        if earned:
            portfolio.move_cash(CashFlow(midnight, "interest", "", portfolio.currency, earned), instant)
