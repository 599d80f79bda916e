"""Order lists on spot: what is told of several orders at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cambist_binance.wire.spot import SpotOrder, order_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cambist.model import OrderReport
    from cambist_ccxt.symbols import Symbols

__all__ = ["decode_canceled", "decode_list", "report_of_canceled", "reports_of"]


class _List(msgspec.Struct, rename="camel", gc=False):
    """A list in answer to its request; the order that waits first, then those that wait for it."""

    order_list_id: int
    order_reports: list[SpotOrder]


class _Canceled(SpotOrder, rename="camel", gc=False):
    """An order in answer to its cancel, or the list that was canceled with it."""

    order_id: int = 0
    order_reports: list[SpotOrder] = msgspec.field(default_factory=list)


decode_list = msgspec.json.Decoder(_List, strict=False).decode
decode_canceled = msgspec.json.Decoder(_Canceled, strict=False).decode


def reports_of(answer: _List, symbols: Symbols) -> dict[str, OrderReport]:
    """Say how the orders of a list stand, by client id."""
    return _by_client_id(answer.order_reports, symbols)


def report_of_canceled(answer: _Canceled, symbols: Symbols, client_id: str, venue_id: str) -> OrderReport | None:
    """Say how an order stands that was to be canceled.

    The answer for one of a list tells of those that were open: None where it is not among them, since it ended before.
    """
    if not answer.order_reports:
        return order_of(answer, symbols) if answer.order_id else None
    found = _by_client_id(answer.order_reports, symbols)
    if client_id:
        return found.get(client_id)
    return next((one for one in found.values() if one.venue_id == venue_id), None)


def _by_client_id(orders: Iterable[SpotOrder], symbols: Symbols) -> dict[str, OrderReport]:
    reports = (order_of(one, symbols) for one in orders)
    return {one.client_id: one for one in reports}
