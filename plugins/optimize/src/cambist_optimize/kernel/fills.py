"""What a fill does to the account: cash, position, round trip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist_optimize.kernel.compiling import compiled, inlined
from cambist_optimize.kernel.layout import (
    AVERAGE,
    CASH,
    ENTRY_AT_OPEN,
    ENTRY_FEE,
    ENTRY_ROW,
    F_AT_OPEN,
    F_FEE,
    F_IS_MAKER,
    F_PRICE,
    F_ROW,
    F_SIZE,
    FEES,
    FILLS,
    GUARDED,
    IS_CASH,
    MAKER,
    MULTIPLIER,
    SIZE,
    STOP,
    T_ENTRY,
    T_ENTRY_AT_OPEN,
    T_ENTRY_ROW,
    T_EXIT,
    T_EXIT_AT_OPEN,
    T_EXIT_ROW,
    T_FEES,
    T_GROSS,
    T_SIDE,
    T_SIZE,
    TAKE,
    TAKER,
    TRADES,
    TRAIL,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    #: Profit after fees of each trade, the trades, and the fills.
    Records = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]

__all__ = ["Records", "book", "drop_guards", "fee_of"]

_NAN = float("nan")


@inlined
def fee_of(rules: NDArray[np.float64], size: float, price: float, is_maker: bool) -> float:
    """Return the fee of a fill of `size`, positive, in the order in which `PercentFee` multiplies."""
    return size * rules[MULTIPLIER] * price * (rules[MAKER] if is_maker else rules[TAKER])


@compiled
def drop_guards(state: NDArray[np.float64], counts: NDArray[np.int64]) -> None:
    """End the orders that close what is held."""
    state[STOP] = state[TAKE] = _NAN
    state[TRAIL] = 0.0
    counts[GUARDED] = 0


@inlined
def book(
    rules: NDArray[np.float64],
    state: NDArray[np.float64],
    counts: NDArray[np.int64],
    records: Records,
    row: int,
    signed: float,
    price: float,
    how: int,
) -> None:
    """Book a fill that opens a position from flat, or closes one whole; `Portfolio.apply` and `TradeLog.apply`.

    `how` is 1 for a fill at the open, 2 for one of an order that waited, 3 for both. Trades and fills are written down
    where there is room for any.
    """
    nets, trades, fills = records
    at_open, is_maker = how & 1, how & 2
    size = abs(signed)
    fee = fee_of(rules, size, price, is_maker != 0)
    before, multiplier = state[SIZE], rules[MULTIPLIER]
    realized = 0.0
    if before != 0.0:
        realized = before * multiplier * (price - state[AVERAGE])
    if rules[IS_CASH] > 0.0:
        state[CASH] -= signed * multiplier * price + fee
    else:
        state[CASH] += realized - fee
    state[FEES] += fee
    if len(fills):
        fill = fills[counts[FILLS]]
        fill[F_ROW], fill[F_SIZE], fill[F_PRICE], fill[F_FEE] = row, signed, price, fee
        fill[F_IS_MAKER], fill[F_AT_OPEN] = is_maker, at_open
        counts[FILLS] += 1
    if before == 0.0:
        state[SIZE], state[AVERAGE], state[ENTRY_FEE] = signed, price, fee
        counts[ENTRY_ROW], counts[ENTRY_AT_OPEN] = row, at_open
        return
    gross, fees = 0.0 + realized, state[ENTRY_FEE] + fee
    nets[counts[TRADES]] = gross - fees
    if len(trades):
        trade = trades[counts[TRADES]]
        trade[T_SIDE], trade[T_SIZE] = (1.0 if before > 0.0 else -1.0), abs(before)
        trade[T_ENTRY], trade[T_EXIT] = state[AVERAGE], price
        trade[T_GROSS], trade[T_FEES] = gross, fees
        trade[T_ENTRY_ROW], trade[T_EXIT_ROW] = counts[ENTRY_ROW], row
        trade[T_ENTRY_AT_OPEN], trade[T_EXIT_AT_OPEN] = counts[ENTRY_AT_OPEN], at_open
    counts[TRADES] += 1
    state[SIZE], state[AVERAGE] = 0.0, _NAN
