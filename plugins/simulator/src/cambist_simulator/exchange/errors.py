"""Why an exchange refuses a request; dialects translate the word into their venue's code and text."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from cambist.api import CambistError

__all__ = ["RefusedError", "Why"]


class Why(StrEnum):
    """A stable word for each reason."""

    UNKNOWN_SYMBOL = "unknown_symbol"
    MARKET_CLOSED = "market_closed"
    CANCEL_ONLY = "cancel_only"
    UNKNOWN_ORDER = "unknown_order"
    DUPLICATE_CLIENT_ID = "duplicate_client_id"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    INSUFFICIENT_MARGIN = "insufficient_margin"
    WOULD_TAKE = "would_take"
    WOULD_TRIGGER = "would_trigger"
    FOK_UNFILLABLE = "fok_unfillable"
    NO_LIQUIDITY = "no_liquidity"
    REDUCE_ONLY = "reduce_only"
    POSITION_SIDE = "position_side"
    #: `details["filter"]` names it, see `cambist_simulator.exchange.filters`.
    FILTER = "filter"
    TOO_MANY_ORDERS = "too_many_orders"
    BAD_LIST = "bad_list"
    NOTHING_TO_CHANGE = "nothing_to_change"
    CANNOT_AMEND = "cannot_amend"
    LEVERAGE = "leverage"
    HAS_POSITION = "has_position"
    HAS_ORDERS = "has_orders"
    MAX_POSITION = "max_position"
    #: The exchange has no such thing: a market order of quote money on futures, a list on futures ...
    UNSUPPORTED = "unsupported"
    #: `details["field"]` names a number or a combination that no order can have.
    BAD_TERMS = "bad_terms"


class RefusedError(CambistError):
    """The exchange refuses a request, and nothing changed.

    Parameters
    ----------
    why
        The reason.
    text
        For people.
    details
        What the reason is about, such as ``filter`` and ``value``.
    """

    def __init__(self, why: Why, text: str = "", **details: Any) -> None:
        super().__init__(text or str(why))
        self.why = why
        self.details = details
