"""Numbers as Binance writes them: eight decimals on spot, the symbol's precision on futures; never an exponent."""

from __future__ import annotations

from decimal import Decimal

__all__ = ["eight", "percent", "places", "plain", "to_places", "trimmed"]

_ZERO = Decimal(0)


def eight(value: Decimal | None) -> str:
    """Return `value` with eight decimals; none counts as zero."""
    return "0.00000000" if not value else f"{value:.8f}"


def to_places(value: Decimal | None, decimals: int) -> str:
    """Return `value` with that many decimals; none counts as zero."""
    return f"{value or _ZERO:.{decimals}f}"


def plain(value: Decimal | None) -> str:
    """Return all digits of `value` as it stands, and ``"0"`` for none."""
    return "0" if not value else f"{value:f}"


def trimmed(value: Decimal | None) -> str:
    """Return `value` without the zeros at its end."""
    if not value:
        return "0"
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(change: Decimal, base: Decimal) -> Decimal:
    """Return `change` in percent of `base`; zero where there is none."""
    return change * 100 / base if base else _ZERO


def places(step: Decimal) -> int:
    """Return the decimals of `step` as it is written: 2 of 0.10, since the venue counts those."""
    # Not cached: 0.10 and 0.1 are the same key.
    exponent = step.as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)
