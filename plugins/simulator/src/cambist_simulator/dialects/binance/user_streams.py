"""From what happens at an exchange to user data streams."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from cambist.model import Side
from cambist_simulator.dialects.binance import futures_encode, spot_encode
from cambist_simulator.dialects.binance.formats import plain, to_places, trimmed
from cambist_simulator.dialects.binance.words import position_side
from cambist_simulator.exchange.events import (
    BalanceChanged,
    ConfigChanged,
    ListChanged,
    MarginCalled,
    OrderChanged,
    PositionChanged,
)
from cambist_simulator.exchange.orders import ExecutionType

if TYPE_CHECKING:
    from cambist_simulator.dialects.binance.venue import Desk
    from cambist_simulator.exchange.events import ExchangeEvent
    from cambist_simulator.exchange.orders import VenueOrder

__all__ = ["UserListener", "UserStreams"]

_MS = 1_000_000
_encode = msgspec.json.Encoder().encode
#: Reasons of a balance that changed from outside of trading.
_MOVES = frozenset({"deposit", "withdrawal", "transfer"})
_FILLS = frozenset({ExecutionType.TRADE, ExecutionType.CALCULATED})


class UserListener(Protocol):
    """A session that user events may be sent to."""

    def user_event(self, key: str, name: str, event: bytes, *, kind: str, symbol: str = "") -> None:
        """Send an event; `key` is what the session joined by."""


class UserStreams:
    """User data of one desk.

    Parameters
    ----------
    desk
        Its exchange is listened to.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._listeners: dict[str, dict[tuple[UserListener, str], None]] = {}
        self._positions: dict[str, list[PositionChanged]] = {}
        self._balances: dict[str, BalanceChanged] = {}
        self._names: dict[int, str] = {}
        self._prevented: dict[int, Any] = {}
        desk.exchange.listen(self._heard_spot if desk.spot else self._heard_futures)

    def join(self, user: str, listener: UserListener, key: str) -> None:
        """Send a user's events to a session."""
        self._listeners.setdefault(user, {})[listener, key] = None

    def leave_key(self, listener: UserListener, key: str) -> None:
        """Send no more what the session joined by `key`."""
        for user, listeners in list(self._listeners.items()):
            if listeners.pop((listener, key), 0) is None and not listeners:
                del self._listeners[user]

    def end(self, user: str, key: str, event: bytes) -> None:
        """Tell those who joined by `key` that it is over, and send them no more."""
        for listener, joined in tuple(self._listeners.get(user, {})):
            if joined == key:
                listener.user_event(key, "listenKeyExpired", event, kind="control")
                self.leave_key(listener, key)

    def tell(self, user: str, name: str, event: bytes, *, kind: str, symbol: str = "") -> None:
        """Send an event to all who listen to a user."""
        for listener, key in tuple(self._listeners.get(user, ())):
            listener.user_event(key, name, event, kind=kind, symbol=symbol)

    # Spot.

    def _heard_spot(self, event: ExchangeEvent) -> None:
        if type(event) is OrderChanged:
            self._spot_order(event)
        elif type(event) is BalanceChanged:
            if event.user in self._listeners:
                self._spot_balances(event)
        elif type(event) is ListChanged and event.list.user in self._listeners:
            names = self._desk.names_of(event.list.user)
            told = spot_encode.list_status(event.list, names, now=event.at // _MS)
            self.tell(event.list.user, "listStatus", _encode(told), kind="order", symbol=event.list.symbol)

    def _spot_order(self, event: OrderChanged) -> None:
        order = event.order
        number = next(self._desk.executions)
        if order.user not in self._listeners:
            if not order.open:
                self._names.pop(order.id, None)
                self._prevented.pop(order.id, None)
            return
        replaced = self._names.pop(order.id, "") if event.what is ExecutionType.REPLACED else ""
        if order.open:
            self._names[order.id] = order.client_id
        else:
            self._names.pop(order.id, None)
        told = spot_encode.execution_report(
            event,
            now=event.at // _MS,
            number=number,
            mode=self._desk.mode,
            replaced=replaced,
            prevented=self._just_prevented(event),
        )
        kind = "fill" if event.execution is not None else "order"
        self.tell(order.user, "executionReport", _encode(told), kind=kind, symbol=order.terms.symbol)

    def rejected(self, event: OrderChanged) -> None:
        """Tell of a new order that was refused after the one that it was to replace was canceled."""
        self._spot_order(event)

    def _just_prevented(self, event: OrderChanged) -> Any:
        order = event.order
        before = self._prevented.pop(order.id, 0)
        if order.prevented and order.open:
            self._prevented[order.id] = order.prevented
        return order.prevented - before if event.what is ExecutionType.TRADE_PREVENTION else None

    def _spot_balances(self, event: BalanceChanged) -> None:
        now = event.at // _MS
        if event.reason in _MOVES:
            for asset, change in event.changes.items():
                told = spot_encode.balance_update(asset, change, now=now, at=event.at)
                self.tell(event.user, "balanceUpdate", _encode(told), kind="balance")
        position = spot_encode.account_position(event.balances, now=now, at=event.at)
        self.tell(event.user, "outboundAccountPosition", _encode(position), kind="balance")

    # Futures.

    def _heard_futures(self, event: ExchangeEvent) -> None:
        kind = type(event)
        if kind is OrderChanged:
            self._account_changed(event.order.user)  # type: ignore[attr-defined]
            self._futures_order(event)  # type: ignore[arg-type]
        elif getattr(event, "user", None) not in self._listeners:
            return
        elif kind is PositionChanged:
            self._positions.setdefault(event.user, []).append(event)  # type: ignore[attr-defined, arg-type]
        elif kind is BalanceChanged:
            # What changed together is told together: positions follow their balance.
            self._account_changed(event.user)  # type: ignore[attr-defined]
            self._balances[event.user] = event  # type: ignore[assignment, attr-defined]
        elif kind is ConfigChanged:
            self._config(event)  # type: ignore[arg-type]
        elif kind is MarginCalled:
            self._margin_call(event)  # type: ignore[arg-type]

    def _account_changed(self, user: str) -> None:
        """Send balances and positions that changed together."""
        balances = self._balances.pop(user, None)
        positions = self._positions.pop(user, [])
        if user not in self._listeners or (balances is None and not positions):
            return
        first = balances or positions[0]
        told = futures_encode.account_update(
            first.reason,
            futures_encode.balance_rows(balances) if balances is not None else [],
            [futures_encode.position_row(one, self._desk.listing(one.symbol)) for one in positions],
            now=first.at // _MS,
            at=first.at,
        )
        self.tell(user, "ACCOUNT_UPDATE", _encode(told), kind="balance")

    def flush(self) -> None:
        """Send what no other event followed on."""
        for user in (*self._balances, *self._positions):
            self._account_changed(user)

    def _futures_order(self, event: OrderChanged) -> None:
        order = event.order
        if order.user not in self._listeners:
            return
        listing = self._desk.listing(order.terms.symbol)
        now = event.at // _MS
        symbol = order.terms.symbol
        if order.conditional:
            child = None
            if order.child_id:
                child = self._desk.order(order.user, order.child_id)
            algo = futures_encode.algo_update(event, listing, now=now, child=child)
            self.tell(order.user, "ALGO_UPDATE", _encode(algo), kind="order", symbol=symbol)
            return
        fill = event.what in _FILLS and event.execution is not None
        if fill and not self._desk.inverse:  # COIN-M has no such event
            lite = futures_encode.trade_lite(event, now=now)
            self.tell(order.user, "TRADE_LITE", _encode(lite), kind="fill", symbol=symbol)
        told = futures_encode.order_trade_update(
            event, listing, self._desk.segment, now=now, notionals=self._notionals(order)
        )
        kind = "fill" if fill else "order"
        self.tell(order.user, "ORDER_TRADE_UPDATE", _encode(told), kind=kind, symbol=symbol)
        if not order.open and order.parent_id:
            self._finish_algo(event)

    def _notionals(self, order: VenueOrder) -> Any:
        sums = {Side.BUY: Decimal(0), Side.SELL: Decimal(0)}
        for one in self._desk.exchange.open_orders(order.user, order.terms.symbol, conditional=False):
            if one.price is not None and not one.terms.reduce_only:
                sums[one.terms.side] += one.price * one.left
        return sums[Side.BUY], sums[Side.SELL]

    def _finish_algo(self, event: OrderChanged) -> None:
        """Tell that a conditional order is done once the order in its place is."""
        child = event.order
        parent = self._desk.order(child.user, child.parent_id)
        if parent is None:
            return
        listing = self._desk.listing(child.terms.symbol)
        done = OrderChanged(at=event.at, order=parent, what=ExecutionType.TRIGGERED)
        told = futures_encode.algo_update(done, listing, now=event.at // _MS, child=child, finished=True)
        self.tell(child.user, "ALGO_UPDATE", _encode(told), kind="order", symbol=child.terms.symbol)

    def _config(self, event: ConfigChanged) -> None:
        told: dict[str, Any] = {"e": "ACCOUNT_CONFIG_UPDATE", "E": event.at // _MS, "T": event.at // _MS}
        if event.leverage is not None:
            told["ac"] = {"s": event.symbol, "l": event.leverage}
        if event.multi_assets is not None:
            told["ai"] = {"j": event.multi_assets}
        self.tell(event.user, "ACCOUNT_CONFIG_UPDATE", _encode(told), kind="position", symbol=event.symbol)

    def _margin_call(self, event: MarginCalled) -> None:
        told = {
            "e": "MARGIN_CALL",
            "E": event.at // _MS,
            "cw": plain(event.wallet),
            "p": [
                {
                    "s": event.symbol,
                    "ps": position_side(event.position_side),
                    "pa": to_places(event.size, self._desk.size_digits(event.symbol)),
                    "mt": "ISOLATED" if event.isolated else "CROSSED",
                    "iw": plain(event.wallet) if event.isolated else "0",
                    "mp": trimmed(event.mark_price),
                    "up": trimmed(event.unrealized),
                    "mm": trimmed(event.maintenance),
                }
            ],
        }
        self.tell(event.user, "MARGIN_CALL", _encode(told), kind="position", symbol=event.symbol)
