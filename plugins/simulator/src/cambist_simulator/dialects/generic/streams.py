"""Streams of the generic protocol: channels of the market, the private channel, orders over the WebSocket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cambist.api import CambistError
from cambist_simulator.dialects.generic import encode
from cambist_simulator.dialects.generic.errors import FailedError, error_body, refused
from cambist_simulator.dialects.generic.terms import AmendRequest, Lookup, OrderRequest
from cambist_simulator.exchange.events import (
    BalanceChanged,
    BookChanged,
    MarkChanged,
    OrderChanged,
    PositionChanged,
    StatusChanged,
    Traded,
)
from cambist_simulator.market.data import CandleClosed
from cambist_simulator.server.wire import text_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cambist_simulator.dialects.generic.auth import Auth
    from cambist_simulator.dialects.generic.floor import TradingFloor
    from cambist_simulator.exchange.events import ExchangeEvent
    from cambist_simulator.exchange.exchange import Exchange
    from cambist_simulator.exchange.users import ApiKey, User
    from cambist_simulator.market.data import MarketEvent
    from cambist_simulator.server.wire import Connection

__all__ = ["OPERATIONS", "GenericSession", "Hub"]

#: Operation -> label.
OPERATIONS = {
    "ping": "ping",
    "login": "login",
    "subscribe": "subscribe",
    "unsubscribe": "unsubscribe",
    "place": "order.place",
    "amend": "order.amend",
    "cancel": "order.cancel",
}
_KINDS = {
    "trades": "trade",
    "depth": "depth",
    "klines": "kline",
    "ticker": "ticker",
    "mark": "mark",
    "status": "control",
}
_MOST = 200


class _Message(msgspec.Struct):
    op: str
    id: int | str | None = None
    channels: list[str] = []
    key: str = ""
    time: int = 0
    sign: str = ""
    order: msgspec.Raw = msgspec.Raw(b"{}")


class Hub:
    """Tells followers what happens; a frame is made once for all who follow the same.

    Parameters
    ----------
    floor
        The venue.
    """

    def __init__(self, floor: TradingFloor) -> None:
        self.floor = floor
        self._followers: dict[str, dict[GenericSession, None]] = {}
        self._private: dict[str, dict[GenericSession, None]] = {}
        self._heard_data: set[str] = set()
        self._told_at = (0, 0)
        self._tops: dict[str, tuple[Any, Any]] = {}
        self._forming: dict[str, tuple[int, int, Any]] = {}
        for exchange in floor.exchanges.values():
            exchange.listen(self._listener(exchange))

    def follow(self, session: GenericSession, channel: str) -> None:
        """Let a session follow a channel; a book begins with the whole of it."""
        name, _, rest = channel.partition(":")
        symbol, _, interval = rest.partition(":")
        if name == "klines":
            data = self.floor.data(symbol)
            data.candles(interval or "1m")
            if symbol not in self._heard_data:
                self._heard_data.add(symbol)
                data.listen(self._heard_candle)
        elif name in _KINDS and not interval:
            self.floor.exchange(symbol)
        else:
            raise FailedError(400, "unknown_channel", f"There is no channel {channel[:60]!r}.", known=", ".join(_KINDS))
        if name == "depth":
            # It tells what changed before to those who follow already; to this one it is part of the snapshot.
            snapshot = self.floor.depth(symbol, 1_000)
            session.connection.send_frame(_frame(channel, snapshot, type="snapshot"), kind="depth", symbol=symbol)
        self._followers.setdefault(channel, {})[session] = None

    def follow_private(self, session: GenericSession, user: str) -> None:
        """Let a session follow what happens to a user."""
        self._private.setdefault(user, {})[session] = None

    def leave_private(self, session: GenericSession, user: str) -> None:
        """Let a session follow what happens to a user no longer."""
        followers = self._private.get(user, {})
        followers.pop(session, None)
        if not followers:
            self._private.pop(user, None)

    def leave(self, session: GenericSession, channel: str) -> None:
        """Let a session follow a channel no longer."""
        followers = self._followers.get(channel, {})
        followers.pop(session, None)
        if not followers:
            self._followers.pop(channel, None)

    def forget(self, session: GenericSession) -> None:
        """Forget a session."""
        for channel in session.channels:
            self.leave(session, channel)
        for user in list(self._private):
            self.leave_private(session, user)

    def on_timer(self) -> None:
        """Tell what changed in books and in the candles that form; nothing while both clocks stand still.

        So what a client hears follows from the clocks and from what was asked, and not from how busy the machine is.
        """
        now = (self.floor.clock.server.now(), self.floor.clock.market.now())
        if now == self._told_at:
            return
        self._told_at = now
        for exchange in self.floor.exchanges.values():
            exchange.flush()
        for channel in [one for one in self._followers if one.startswith("klines:")]:
            _, _, rest = channel.partition(":")
            symbol, _, interval = rest.partition(":")
            forming = self.floor.data(symbol).candles(interval or "1m").forming
            if forming is not None:
                state = (forming.opens, forming.trades, forming.volume)
                if self._forming.get(channel) != state:
                    self._forming[channel] = state
                    self._tell(channel, symbol, encode.candle(forming, final=False))

    def _listener(self, exchange: Exchange) -> Callable[[ExchangeEvent], None]:
        """Return what an exchange calls: one table of what to do with which event."""
        table: Mapping[type, Callable[[Any], None]] = {
            Traded: self._traded,
            BookChanged: lambda event: self._book(exchange, event),
            MarkChanged: self._mark,
            StatusChanged: lambda event: self._tell(f"status:{event.symbol}", event.symbol, {"status": event.status}),
            OrderChanged: self._order,
            BalanceChanged: lambda event: self._balance(exchange, event),
            PositionChanged: self._position,
        }

        def heard(event: ExchangeEvent) -> None:
            what = table.get(type(event))
            if what is not None:
                what(event)

        return heard

    def _tell(self, channel: str, symbol: str, data: dict[str, Any], **more: Any) -> None:
        followers = self._followers.get(channel)
        if followers:
            frame = _frame(channel, data, **more)
            kind = _KINDS[channel.partition(":")[0]]
            for session in tuple(followers):
                session.connection.send_frame(frame, kind=kind, symbol=symbol)

    def _traded(self, event: Traded) -> None:
        channel = f"trades:{event.symbol}"
        if channel in self._followers:
            self._tell(channel, event.symbol, encode.trade(event))

    def _book(self, exchange: Exchange, event: BookChanged) -> None:
        channel = f"depth:{event.symbol}"
        if channel in self._followers:
            self._tell(channel, event.symbol, encode.book(event), type="update")
        channel = f"ticker:{event.symbol}"
        if channel in self._followers:
            book = exchange.book(event.symbol)
            top = (book.best_bid, book.best_ask)
            if self._tops.get(event.symbol) != top:
                self._tops[event.symbol] = top
                self._tell(channel, event.symbol, self.floor.ticker(event.symbol))

    def _mark(self, event: MarkChanged) -> None:
        channel = f"mark:{event.symbol}"
        if channel in self._followers:
            self._tell(channel, event.symbol, encode.mark(event))

    def _heard_candle(self, event: MarketEvent) -> None:
        if isinstance(event, CandleClosed):
            channel = f"klines:{event.symbol}:{event.interval.name}"
            for one in (channel, f"klines:{event.symbol}") if event.interval.name == "1m" else (channel,):
                self._tell(one, event.symbol, encode.candle(event.candle, final=True))

    def _order(self, event: OrderChanged) -> None:
        if event.order.user not in self._private:
            return
        data = {"what": str(event.what), "order": encode.order(event.order), "time": event.at // 1_000_000}
        fill = event.execution
        if fill is not None:
            data["fill"] = encode.execution(fill)
        self._tell_user(
            event.order.user, "fill" if fill is not None else "order", "order", event.order.terms.symbol, data
        )

    def _position(self, event: PositionChanged) -> None:
        if event.user in self._private:
            self._tell_user(event.user, "position", "position", event.symbol, encode.position_event(event))

    def _balance(self, exchange: Exchange, event: BalanceChanged) -> None:
        if event.user not in self._private:
            return
        data = {
            "account": exchange.name,
            "reason": event.reason,
            "balances": {
                asset: {"free": encode.number(free), "locked": encode.number(locked)}
                for asset, (free, locked) in event.balances.items()
            },
            "changes": {asset: encode.number(change) for asset, change in event.changes.items()},
            "time": event.at // 1_000_000,
        }
        self._tell_user(event.user, "balance", "balance", "", data)

    def _tell_user(self, user: str, kind: str, type: str, symbol: str, data: dict[str, Any]) -> None:  # noqa: A002
        for session in tuple(self._private.get(user, ())):
            session.told += 1
            frame = _frame("private", data, type=type, seq=session.told)
            session.connection.send_frame(frame, kind=kind, symbol=symbol)


class GenericSession:
    """A client on a WebSocket; see `cambist_simulator.server.wire.Session`.

    Attributes
    ----------
    channels
        That it follows.
    told
        Counts the messages of its private channel: a client that misses a number has lost one.
    """

    def __init__(self, hub: Hub, auth: Auth, connection: Connection) -> None:
        self._hub, self._auth = hub, auth
        self.connection = connection
        self.channels: dict[str, None] = {}
        self.told = 0
        self._who: tuple[User, ApiKey] | None = None

    def describe(self, text: str) -> tuple[str, dict[str, Any]]:
        """Return label and facts of a message."""
        try:
            message = _decoder.decode(text)
            order = msgspec.json.decode(bytes(message.order), type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return "", {}
        facts = {name: order[name] for name in ("symbol", "client_id") if isinstance(order.get(name), str)}
        if isinstance(order.get("id"), int):
            facts["order_id"] = order["id"]
        if self._who is not None:
            facts["user"] = self._who[0].id
        return OPERATIONS.get(message.op, ""), facts

    def received(self, text: str) -> None:
        """Answer a message."""
        number: int | str | None = None
        try:
            try:
                message = _decoder.decode(text)
            except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
                raise FailedError(400, "bad_request", f"The message cannot be read: {error}") from error
            number = message.id
            answer: dict[str, Any] = {"id": number, "ok": True, "result": self._do(message)}
        except FailedError as error:
            answer = {"id": number, "ok": False, **error_body(error)}
        except CambistError as error:
            answer = {"id": number, "ok": False, **error_body(refused(error))}
        self.connection.send(msgspec.json.encode(answer), kind="answer")

    def closed(self) -> None:
        """Forget it."""
        self._hub.forget(self)

    def _do(self, message: _Message) -> Any:
        floor = self._hub.floor
        if message.op == "ping":
            return floor.time()
        if message.op == "login":
            return self._login(message)
        if message.op in {"subscribe", "unsubscribe"}:
            return self._subscribe(message)
        if message.op not in OPERATIONS:
            known = ", ".join(OPERATIONS)
            raise FailedError(400, "bad_request", f"There is no operation {message.op[:40]!r}.", known=known)
        if self._who is None:
            raise FailedError(401, "not_logged_in", "Log in first.")
        user, key = self._who
        if message.op == "place":
            return floor.place(user, key, _order(message, OrderRequest))
        if message.op == "amend":
            return floor.amend(user, key, _order(message, AmendRequest))
        return floor.cancel(user, key, _order(message, Lookup))

    def _login(self, message: _Message) -> dict[str, Any]:
        signed = ("GET", self.connection.path, b"")
        who = self._auth.of(message.key, str(message.time), message.sign, signed, self.connection.ip)
        if self._who is not None and self._who[0] is not who[0]:
            raise FailedError(400, "logged_in", "Somebody else is logged in on this connection.")
        self._who = who
        self.connection.user = who[0].id
        return {"user": who[0].name}

    def _subscribe(self, message: _Message) -> dict[str, Any]:
        if len(self.channels) + len(message.channels) > _MOST:
            raise FailedError(400, "too_many_channels", f"A connection follows up to {_MOST} channels.")
        if message.op == "unsubscribe":
            for channel in message.channels:
                if channel not in self.channels:
                    raise FailedError(400, "not_subscribed", f"{channel[:60]!r} is not followed.")
            for channel in dict.fromkeys(message.channels):
                self._leave(channel)
        else:
            self._subscribe_all([one for one in dict.fromkeys(message.channels) if one not in self.channels])
        return {"channels": list(self.channels)}

    def _subscribe_all(self, channels: list[str]) -> None:
        """Follow all of them, or none where one of them cannot be."""
        done = []
        try:
            for channel in channels:
                self._follow(channel)
                self.channels[channel] = None
                done.append(channel)
        except (FailedError, CambistError):
            for channel in done:
                self._leave(channel)
            raise

    def _leave(self, channel: str) -> None:
        del self.channels[channel]
        if channel == "private" and self._who is not None:
            self._hub.leave_private(self, self._who[0].id)
        else:
            self._hub.leave(self, channel)

    def _follow(self, channel: str) -> None:
        if channel != "private":
            self._hub.follow(self, channel)
            return
        if self._who is None:
            raise FailedError(401, "not_logged_in", "Log in first.")
        self._hub.follow_private(self, self._who[0].id)


_decoder = msgspec.json.Decoder(_Message)


def _frame(channel: str, data: dict[str, Any], **more: Any) -> bytes:
    return text_frame(msgspec.json.encode({"channel": channel, **more, "data": data}))


def _order(message: _Message, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(bytes(message.order), type=kind)
    except msgspec.DecodeError as error:
        raise FailedError(400, "bad_request", f"order: {error}") from error
