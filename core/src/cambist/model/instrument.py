"""What can be traded, its grid of prices and sizes, and the money a position in it makes."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from math import floor, isfinite, nan

import attrs

from cambist.errors import InstrumentError, did_you_mean

__all__ = ["Instrument", "InstrumentKind"]


class InstrumentKind(StrEnum):
    """How an instrument settles."""

    SPOT = "spot"
    EQUITY = "equity"
    FX = "fx"
    FUTURE = "future"
    LINEAR_PERPETUAL = "linear_perpetual"
    INVERSE_PERPETUAL = "inverse_perpetual"


#: What a venue may change of an instrument from one day to the next.
_RULES = ("tick_size", "step_size", "min_size", "max_size", "min_notional")
_CASH_KINDS = frozenset({InstrumentKind.SPOT, InstrumentKind.EQUITY, InstrumentKind.FX})

#: A float this near to the grid (in steps) is taken to be on it: it came from float arithmetic.
_GRID_TOLERANCE = 1e-6
#: The same for large counts of steps, as a fraction of the count: four units in the last place of a double.
_FLOAT_NOISE = 2.0**-50
#: From this count of steps on, a product of doubles can miss by half a step, and integers do the work.
_MANY = 2.0**49
#: From here on neighboring doubles lie further apart than steps do: each is as near to the grid as a double gets.
_FINER_THAN_DOUBLES = 2.0**53


def _exact(value: Decimal | str | float) -> Decimal:
    """Take what a person wrote: ``0.1`` means the decimal 0.1, not the double nearest to it."""
    if isinstance(value, Decimal):
        return value
    try:
        return Decimal(str(value).strip())
    except ArithmeticError:
        raise _not_a_number(value) from None


def _decimal(value: Decimal | str | float | None) -> Decimal | None:
    """`_exact` for a field that may have no value."""
    return None if value is None else _exact(value)


def _float(value: Decimal | str | float) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise _not_a_number(value) from None


def _not_a_number(value: object) -> InstrumentError:
    return InstrumentError(f"an instrument has no use for {value!r} where a number belongs. Write it like 0.01.")


def _kind(value: InstrumentKind | str) -> InstrumentKind:
    try:
        return InstrumentKind(value)
    except ValueError:
        known = [str(kind) for kind in InstrumentKind]
        raise InstrumentError(f"{value!r} is no kind of instrument.{did_you_mean(str(value), known)}") from None


@attrs.frozen(slots=True)
class Grid:
    """The multiples of a decimal step, with conversions that are exact both ways.

    A grid value is held as the double nearest to its decimal. ``k * step`` in floats is often a neighbour of
    that double (``3 * 0.1``), so a value is made as ``k * numerator / denominator`` with both integers exact:
    one division, correctly rounded.
    """

    step: Decimal
    numerator: int = attrs.field(init=False, repr=False, eq=False)
    denominator: int = attrs.field(init=False, repr=False, eq=False)
    places: int = attrs.field(init=False, repr=False, eq=False)
    # The value that was put on the grid last: it comes again when the gate looks at what the desk rounded, and with
    # every order of one size. A cell, since the record itself is frozen.
    _latest: list[float] = attrs.field(factory=lambda: [nan], init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        exponent = self.step.normalize().as_tuple().exponent
        places = max(0, -int(exponent))
        denominator = 10**places
        object.__setattr__(self, "places", places)
        object.__setattr__(self, "denominator", denominator)
        object.__setattr__(self, "numerator", int(self.step * denominator))

    def nearest(self, value: float) -> float:
        """Return the grid value nearest to `value`."""
        latest = self._latest[0]
        if value == latest:
            return latest  # and not `value`, which may be an int
        steps = value * self.denominator / self.numerator
        if not -_MANY < steps < _MANY:
            return self._nearest_of_many(value, steps)
        return round(steps) * self.numerator / self.denominator

    def below(self, value: float) -> float:
        """Return the largest grid value not above `value`, taking float noise for the grid value it meant."""
        latest = self._latest
        if value == latest[0]:
            return latest[0]
        steps = value * self.denominator / self.numerator
        if not -_MANY < steps < _MANY:
            return self._nearest_of_many(value, steps)
        whole = round(steps)
        if abs(steps - whole) > _GRID_TOLERANCE + abs(steps) * _FLOAT_NOISE:
            whole = floor(steps)
        latest[0] = on_grid = whole * self.numerator / self.denominator
        return on_grid

    def above(self, value: float) -> float:
        """Return the smallest grid value not below `value`, taking float noise for the grid value it meant."""
        return -self.below(-value)

    def holds(self, value: float) -> bool:
        """Tell whether `value` is on the grid, up to float noise."""
        if value == self._latest[0]:
            return True
        steps = value * self.denominator / self.numerator
        return isfinite(steps) and abs(steps - round(steps)) <= _GRID_TOLERANCE + abs(steps) * _FLOAT_NOISE

    def exact(self, value: float) -> Decimal:
        """Return the decimal that the grid value `value` stands for.

        Raises
        ------
        InstrumentError
            If `value` is not on the grid.
        """
        if not self.holds(value):
            raise InstrumentError(f"{value!r} is not a multiple of {self.step}. Round it to the grid first.")
        return Decimal(self._count(value) * self.numerator).scaleb(-self.places)

    def _count(self, value: float) -> int:
        """Return the number of steps nearest to `value`, computed in integers."""
        top, bottom = value.as_integer_ratio()
        top, bottom = top * self.denominator, bottom * self.numerator
        return (2 * top + bottom) // (2 * bottom)

    def _nearest_of_many(self, value: float, steps: float) -> float:
        """`nearest` where doubles are about as coarse as steps, so that below and nearest are one."""
        if not isfinite(steps):
            raise InstrumentError(f"{value!r} cannot be put on a grid of {self.step}: it must be a finite number.")
        if abs(steps) >= _FINER_THAN_DOUBLES:
            return float(value)
        return self._count(value) * self.numerator / self.denominator


def _positive(_instance: object, attribute: attrs.Attribute[Decimal], value: Decimal | None) -> None:
    if value is not None and not (value.is_finite() and value > 0):
        raise InstrumentError(f"{attribute.name} is {value}; it must be a positive number.")


@attrs.frozen(kw_only=True, slots=True)
class Instrument:
    """A tradable thing: its grid of prices and sizes, limits, fees and settlement.

    Attributes
    ----------
    symbol
        Name within the venue, such as ``"BTC/USDT"`` or ``"AAPL"``.
    kind
        How it settles: see `InstrumentKind`. Spot, equity and FX are paid for in full; the others post margin.
    venue
        Name of the exchange or broker, or ``""``.
    base, quote
        What is bought, and what the price counts.
    settle
        Asset in which profit and fees are paid. Default: `quote`, and `base` for an inverse perpetual.
    tick_size
        Smallest step of a price, or None where prices are not rounded.
    step_size
        Smallest step of a size.
    min_size, max_size
        Bounds of one order's size, or None.
    min_notional
        Least value of one order, in the settlement asset, or None.
    multiplier
        Units of `base` in one contract; for an inverse perpetual the value of one contract in `quote`.
    margin_rate
        Initial margin as a fraction of notional: 0.1 is a leverage of ten. 1 for instruments paid in full.
    maker_fee, taker_fee
        Default fees as fractions of notional.
    calendar
        Name of the calendar by which it trades, such as ``"XNYS"`` or ``"24/7"``, or ``""``; see `load_calendar`.

    Notes
    -----
    Numbers may be given as text, int, float (the decimal it prints as) or `Decimal`.
    """

    symbol: str = attrs.field(validator=attrs.validators.min_len(1))
    kind: InstrumentKind = attrs.field(default=InstrumentKind.SPOT, converter=_kind)
    venue: str = ""
    base: str = ""
    quote: str = "USD"
    settle: str = attrs.field()
    tick_size: Decimal | None = attrs.field(default=None, converter=_decimal, validator=_positive)
    step_size: Decimal = attrs.field(default=Decimal("1e-8"), converter=_exact, validator=_positive)
    min_size: Decimal | None = attrs.field(default=None, converter=_decimal, validator=_positive)
    max_size: Decimal | None = attrs.field(default=None, converter=_decimal, validator=_positive)
    min_notional: Decimal | None = attrs.field(default=None, converter=_decimal, validator=_positive)
    multiplier: float = attrs.field(default=1.0, converter=_float)
    margin_rate: float = attrs.field(default=1.0, converter=_float)
    maker_fee: float = attrs.field(default=0.0, converter=_float)
    taker_fee: float = attrs.field(default=0.0, converter=_float)
    calendar: str = ""
    price_grid: Grid | None = attrs.field(init=False, repr=False, eq=False)
    size_grid: Grid = attrs.field(init=False, repr=False, eq=False)
    #: Paid for in full when bought, as opposed to margined.
    is_cash: bool = attrs.field(init=False, repr=False, eq=False)
    is_inverse: bool = attrs.field(init=False, repr=False, eq=False)

    @settle.default
    def _settle_default(self) -> str:
        return self.base if self.kind is InstrumentKind.INVERSE_PERPETUAL else self.quote

    def take_rules(self, today: Instrument) -> bool:
        """Go by today's grid and bounds of the same instrument from now on; return whether they are others.

        It is the one change that an instrument knows: a venue changed its rules while a run holds it in many places.
        """
        if all(getattr(self, name) == getattr(today, name) for name in _RULES):
            return False
        for name in (*_RULES, "price_grid", "size_grid"):
            object.__setattr__(self, name, getattr(today, name))
        return True

    def __attrs_post_init__(self) -> None:
        for name in ("multiplier", "margin_rate"):
            value = getattr(self, name)
            if not (isfinite(value) and value > 0):
                raise InstrumentError(f"{self.symbol}: {name} is {value!r}; it must be a positive number.")
        for name in ("maker_fee", "taker_fee"):
            rate = getattr(self, name)
            if not -1.0 < rate < 1.0:
                raise InstrumentError(
                    f"{self.symbol}: {name} is {rate!r}; it is a fraction of the value traded: 0.001 is 0.1 %."
                )
        if self.kind in _CASH_KINDS and self.margin_rate != 1.0:
            raise InstrumentError(
                f"{self.symbol}: a {self.kind} instrument is paid in full, so margin_rate must be 1. "
                "Give the account a leverage instead."
            )
        if self.min_size is not None and self.max_size is not None and self.min_size > self.max_size:
            raise InstrumentError(f"{self.symbol}: min_size {self.min_size} is above max_size {self.max_size}.")
        price_grid = Grid(self.tick_size) if self.tick_size is not None else None
        object.__setattr__(self, "price_grid", price_grid)
        object.__setattr__(self, "size_grid", Grid(self.step_size))
        object.__setattr__(self, "is_cash", self.kind in _CASH_KINDS)
        object.__setattr__(self, "is_inverse", self.kind is InstrumentKind.INVERSE_PERPETUAL)

    def to_fields(self) -> dict[str, str | float | None]:
        """Return the arguments that make it, in JSON's own types; exact decimals become text."""
        values = {field.name: getattr(self, field.name) for field in attrs.fields(type(self)) if field.init}
        return {name: str(value) if isinstance(value, Decimal | str) else value for name, value in values.items()}

    def round_price(self, price: float) -> float:
        """Return the price on the grid nearest to `price`; without a tick size, `price` itself."""
        return price if self.price_grid is None else self.price_grid.nearest(price)

    def round_size(self, size: float) -> float:
        """Return the largest size on the grid that is not above `size`."""
        return self.size_grid.below(size)

    def price_to_decimal(self, price: float) -> Decimal:
        """Return the exact decimal of a price on the grid; without a tick size, the decimal it prints as.

        Raises
        ------
        InstrumentError
            If `price` is not on the grid.
        """
        if self.price_grid is None:
            return Decimal(repr(float(price)))
        return self.price_grid.exact(price)

    def size_to_decimal(self, size: float) -> Decimal:
        """Return the exact decimal of a size on the grid.

        Raises
        ------
        InstrumentError
            If `size` is not on the grid.
        """
        return self.size_grid.exact(size)

    def notional(self, size: float, price: float) -> float:
        """Return the value of `size` at `price`, in the settlement asset; the sign follows `size`."""
        if self.is_inverse:
            return size * self.multiplier / price
        return size * self.multiplier * price

    def profit(self, size: float, entry: float, exit: float) -> float:  # noqa: A002 - the field's word
        """Return what a position of signed `size` makes from price `entry` to `exit`, in the settlement asset."""
        if self.is_inverse:
            return size * self.multiplier * (1.0 / entry - 1.0 / exit)
        return size * self.multiplier * (exit - entry)
