"""Orders: the state machine every order lives by, the book that keeps them, and the ids a venue sees."""

from cambist.orders.book import Anomaly, OrderBook
from cambist.orders.ids import client_id, parse_client_id
from cambist.orders.machine import apply_event, not_found, reject, request_amend, request_cancel, submit
from cambist.orders.state import TABLE, TERMINAL, Marker, OrderInput, next_status

__all__ = [
    "TABLE",
    "TERMINAL",
    "Anomaly",
    "Marker",
    "OrderBook",
    "OrderInput",
    "apply_event",
    "client_id",
    "next_status",
    "not_found",
    "parse_client_id",
    "reject",
    "request_amend",
    "request_cancel",
    "submit",
]
