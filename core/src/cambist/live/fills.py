"""Executions as a venue reports them, as the fills that the kernel takes."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from cambist.model.orders import ExactFill, Fill

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.model.orders import Order
    from cambist.model.reports import FillReport

__all__ = ["fill_number", "fill_of", "same_size"]


def fill_number(trade_id: str) -> int:
    """Return a venue's trade id as a number: itself where it is one, else 63 bits of its hash, always the same."""
    if trade_id.isascii() and trade_id.isdecimal() and len(trade_id) < 19:
        return int(trade_id)
    return int.from_bytes(blake2b(trade_id.encode(), digest_size=8).digest()) >> 1


def fill_of(order: Order, report: FillReport, value_of: Callable[[str, float], float]) -> Fill:
    """Return the execution that a report tells of.

    Parameters
    ----------
    value_of
        Answers what an amount of a third asset that paid the fee is worth, in the settlement asset.
    """
    instrument = order.instrument
    paid, asset, price = float(report.fee), report.fee_asset, float(report.price)
    elsewhere = bool(asset) and asset != instrument.settle and paid != 0.0
    if not elsewhere:
        value = paid
    elif asset == instrument.base:
        value = paid * price
    else:
        value = value_of(asset, paid)
    fill = Fill(
        fill_number(report.trade_id),
        order.id,
        instrument,
        report.side,
        float(report.size),
        price,
        value,
        report.liquidity,
        report.ts,
    )
    if elsewhere:
        fill.pay_fee_in(asset, paid)
    fee_asset = asset or instrument.settle
    fill.report_as(ExactFill(report.size, report.price, report.fee, fee_asset, report.profit))
    return fill


def same_size(order: Order, one: float, other: float) -> bool:
    """Tell whether two sizes are equal up to half a step."""
    return abs(one - other) < 0.5 * float(order.instrument.step_size)
