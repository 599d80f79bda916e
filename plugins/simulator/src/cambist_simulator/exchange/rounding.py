"""How exact money is: payments have 8 decimals, values of contracts in coin 16."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_UP, Decimal

__all__ = ["FINE", "PAYMENT", "cut", "fine", "nearest", "raised"]

PAYMENT = Decimal("1e-8")
FINE = Decimal("1e-16")


def cut(amount: Decimal) -> Decimal:
    """Return an amount as a payment, rounded toward zero."""
    return amount.quantize(PAYMENT, ROUND_DOWN)


def raised(amount: Decimal) -> Decimal:
    """Return an amount as a payment, rounded away from zero."""
    return amount.quantize(PAYMENT, ROUND_UP)


def nearest(amount: Decimal) -> Decimal:
    """Return an amount as the nearest payment."""
    return amount.quantize(PAYMENT, ROUND_HALF_EVEN)


def fine(value: Decimal) -> Decimal:
    """Return the value of contracts settled in coin as it is kept."""
    return value.quantize(FINE, ROUND_HALF_EVEN)
