"""What a stock market demands of orders: lots, settlement, price limits, sessions, short selling; data alone."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from math import floor, inf
from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import ParameterError, did_you_mean
from cambist.model.dated import Dated, dated, read_date

if TYPE_CHECKING:
    from datetime import date

__all__ = ["MarketRules"]

#: A size this near to a whole number of lots came from float arithmetic.
_NOISE = 1e-9
_FREE = (inf, inf)


def _limit(value: Any) -> tuple[float, float]:
    """Read how far the price may fall and rise in a day: one fraction, a pair of them, None or inf for no limit."""
    if value is None or value == inf:
        return _FREE
    pair = tuple(value) if isinstance(value, list | tuple) else (value, value)
    plain = len(pair) == 2 and all(isinstance(one, int | float) and not isinstance(one, bool) for one in pair)
    if not (plain and 0.0 < pair[0] < 1.0 and 0.0 < pair[1] < inf):
        raise ParameterError(
            f"MarketRules: price_limit holds {value!r}; it is a fraction of the previous close, 0.1 for 10 %, a pair "
            "(down, up), or None for no limit."
        )
    return float(pair[0]), float(pair[1])


def _days(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 30:
        raise ParameterError(
            f"MarketRules: sell_after or cash_after is {value!r}; it is a number of trading days, from 0 to 30."
        )
    return value


def _dated_days(value: Any) -> Dated[int]:
    return dated("MarketRules: cash_after", value, _days)


def _dated_limits(value: Any) -> Dated[tuple[float, float]]:
    return dated("MarketRules: price_limit", value, _limit)


def _limits(values: Any) -> tuple[tuple[float, float], ...]:
    if not isinstance(values, list | tuple):
        raise ParameterError(f"MarketRules: first_days is {values!r}; give a list of limits, one for each day.")
    return tuple(map(_limit, values))


def _ticks(value: Any) -> tuple[tuple[float, Decimal], ...]:
    """Read a tick size, or tick sizes by the price from which they count."""
    if value is None or isinstance(value, tuple):
        return value or ()
    table = value if isinstance(value, Mapping) else {0: value}
    try:
        read = tuple(sorted((float(least), Decimal(str(tick))) for least, tick in table.items()))
    except (ArithmeticError, TypeError, ValueError):
        read = ()
    if not read or not all(least >= 0.0 and tick.is_finite() and tick > 0 for least, tick in read):
        raise ParameterError(
            f"MarketRules: ticks is {value!r}; give a tick size such as '0.01', or sizes by the price from which they "
            "count: {0: '0.0001', 1: '0.01'}."
        )
    return read


def _one_of(*known: str) -> Any:
    def check(_rules: MarketRules, attribute: attrs.Attribute[str], value: object) -> None:
        if value not in known:
            raise ParameterError(f"MarketRules: {attribute.name} is {value!r}.{did_you_mean(str(value), known)}")

    return check


def _size(_rules: MarketRules, attribute: attrs.Attribute[float], value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value < inf:
        raise ParameterError(f"MarketRules: {attribute.name} is {value!r}; it is a number of shares, 0 for any.")


@attrs.frozen(kw_only=True)
class MarketRules:
    """The rules of a stock market for one instrument, or for all that are alike.

    Attributes
    ----------
    name
        For messages, such as ``"SSE main board"``.
    lot
        Orders to buy are for multiples of so many shares; 0 for any size.
    least
        Least size of an order to buy. Default: one lot.
    odd_lots
        What may be sold that is no multiple of the lot, or less than `least`: ``"any"``; ``"rest"``, the part of the
        holding that is less than a lot, in one order, alone or together with whole lots; ``"none"``.
    sell_after
        Trading days after which shares may be sold that were bought: 1 is T+1, 0 at once.
    cash_after
        Trading days after which the proceeds of a sale may pay for shares; a number, or numbers by the date from which
        they count.
    short
        Whether more may be sold than is held.
    price_limit
        How far a price may lie from the previous close on one day, as a fraction: 0.1; a pair ``(down, up)``; None for
        no limit; or these by the date from which they count: ``{"2000-01-01": 0.1, "2024-05-06": 0.05}``. Before the
        first date its value holds too.
    listed
        Date of the first trading day, for `first_days`.
    first_days
        Price limits of the first trading days after the listing, one for each: ``[None] * 5`` for five days without.
    at_limit
        Whether a buy order trades at the upper limit, and a sell order at the lower one, where the other side is
        missing: ``"never"``, or in bars that do not stand at it throughout, ``"unlocked"``.
    ticks
        Tick size, or tick sizes by the price from which they count: ``{0: "0.0001", 1: "0.01"}``. Prices of orders off
        it are refused, and price limits are rounded to it. None: the instrument's own.
    sessions
        Orders outside the sessions of the instrument's calendar: ``"any"``, nobody looks; ``"hold"``, they wait for the
        next session and trade in no bar outside of one; ``"reject"``, they are refused.
    previous_close
        The reference price of each day where it is not the last close of the bars before: a pandas Series by date, or a
        tuple ``(dates, prices)``.

    Raises
    ------
    ParameterError
        For a value that is out of range; names it.
    """

    name: str = ""
    lot: float = attrs.field(default=0.0, validator=_size)
    least: float = attrs.field(validator=_size)
    odd_lots: str = attrs.field(default="any", validator=_one_of("any", "rest", "none"))
    sell_after: int = attrs.field(default=0, converter=_days)
    cash_after: Dated[int] = attrs.field(default=0, converter=_dated_days)
    short: bool = True
    price_limit: Dated[tuple[float, float]] = attrs.field(default=None, converter=_dated_limits)
    listed: date | None = attrs.field(default=None, converter=attrs.converters.optional(read_date))
    first_days: tuple[tuple[float, float], ...] = attrs.field(default=(), converter=_limits)
    at_limit: str = attrs.field(default="never", validator=_one_of("never", "unlocked"))
    ticks: tuple[tuple[float, Decimal], ...] = attrs.field(default=None, converter=_ticks)
    sessions: str = attrs.field(default="any", validator=_one_of("any", "hold", "reject"))
    previous_close: Any = attrs.field(default=None, repr=False, eq=False)

    @least.default
    def _least_default(self) -> float:
        return self.lot

    def __attrs_post_init__(self) -> None:
        if self.first_days and self.listed is None:
            raise ParameterError("MarketRules: first_days is given without listed, the date of the first trading day.")

    # Sizes.

    @property
    def has_lots(self) -> bool:
        """Whether there are sizes that may not be ordered."""
        return bool(self.lot or self.least)

    def buy_size(self, size: float) -> float:
        """Return the largest size up to `size` that may be bought; 0 where there is none."""
        whole = floor(size / self.lot + _NOISE) * self.lot if self.lot else size
        return whole if whole >= self.least else 0.0

    def sell_size(self, size: float, held: float) -> float:
        """Return the largest size up to `size` that may be sold of `held` shares; 0 where there is none."""
        size = min(size, held)
        if not self.has_lots or self.odd_lots == "any":
            return size
        whole = self.buy_size(size)
        if self.odd_lots == "none":
            return whole
        if size == held:
            return held
        rest = self._rest(held)
        with_rest = rest + self.buy_size(size - rest) if rest and size >= rest * (1.0 - _NOISE) else 0.0
        return max(whole, with_rest)

    def may_buy(self, size: float) -> bool:
        """Tell whether so many shares may be bought in one order."""
        return abs(self.buy_size(size) - size) <= _NOISE * size

    def may_sell(self, size: float, held: float) -> bool:
        """Tell whether so many of `held` shares may be sold in one order."""
        return abs(self.sell_size(size, held) - size) <= _NOISE * size

    def _rest(self, held: float) -> float:
        """Return what of `held` shares makes no whole lot."""
        rest = held - floor(held / self.lot + _NOISE) * self.lot if self.lot else 0.0
        return rest if rest > _NOISE * held else 0.0

    # Prices.

    @property
    def has_limits(self) -> bool:
        """Whether there is a day with a price limit."""
        return any(one != _FREE for one in (*self.price_limit.values, *self.first_days))

    def tick(self, price: float, default: Decimal | None) -> Decimal | None:
        """Return the tick size at a price; `default` where the rules have none of their own."""
        found = default
        for least, tick in self.ticks:
            if price >= least:
                found = tick
        return found

    def limit_rates(self, day: date, trading_day: int | None) -> tuple[float, float]:
        """Return how far the price may fall and rise on a day, as fractions of the previous close; inf for no limit.

        Parameters
        ----------
        trading_day
            Which one since the listing it is, 0 the first; None where there is no date of listing.
        """
        if trading_day is not None and 0 <= trading_day < len(self.first_days):
            return self.first_days[trading_day]
        return self.price_limit.on(day)

    def price_limits(self, reference: float, rates: tuple[float, float], tick: Decimal | None) -> tuple[float, float]:
        """Return the lowest and the highest price of a day.

        Notes
        -----
        Each is ``reference * (1 -+ rate)``, reckoned in decimals and rounded half up to the tick; it lies at least one
        tick from the reference, and the lower one is at least one tick (Shanghai Stock Exchange, Trading Rules, section
        on price limits; Shenzhen and Beijing have the same formula).
        """
        exact = Decimal(repr(float(reference)))
        low, high = (_moved(exact, rate, sign, tick) for rate, sign in zip(rates, (-1, 1), strict=True))
        return low, high


def _moved(reference: Decimal, rate: float, sign: int, tick: Decimal | None) -> float:
    if rate == inf:
        return sign * inf
    price = reference * (1 + sign * Decimal(repr(rate)))
    if tick is None:
        return float(price)
    price = (price / tick).to_integral_value(ROUND_HALF_UP) * tick
    if abs(price - reference) < tick:
        price = reference + sign * tick
    return float(max(price, tick))
