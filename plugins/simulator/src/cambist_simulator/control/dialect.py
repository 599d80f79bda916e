"""The control port as a dialect of its own, below ``/_sim``."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec

from cambist.api import CambistError, ParameterError, did_you_mean
from cambist.model import OrderType, Side
from cambist_simulator.exchange.listing import SymbolStatus
from cambist_simulator.exchange.orders import OrderTerms
from cambist_simulator.faults.fault import Fault, duration
from cambist_simulator.faults.script import parse_script
from cambist_simulator.faults.vocabulary import table
from cambist_simulator.server.wire import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cambist_simulator.control.desk import Desk
    from cambist_simulator.server.wire import Connection, Request, Session

__all__ = ["ControlDialect"]


class ControlDialect:
    """Answers ``/_sim/...`` with JSON; faults do not strike here, and nothing of it is a venue's.

    Parameters
    ----------
    desk
        The venue.
    """

    name = "_sim"
    gzip_from = 0

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        look, act = _Looks(desk), _Actions(desk)
        self._routes: dict[tuple[str, str], Callable[[dict[str, str], Any], Any]] = {
            ("GET", "/state"): lambda *_: desk.summary(),
            ("GET", "/keys"): lambda *_: desk.credentials(),
            ("GET", "/clock"): lambda *_: desk.times(),
            ("GET", "/requests"): look.requests,
            ("GET", "/orders"): look.orders,
            ("GET", "/fills"): look.fills,
            ("GET", "/balances"): lambda query, _: desk.balances(query.get("user")),
            ("GET", "/positions"): lambda query, _: desk.positions(query.get("user")),
            ("GET", "/connections"): lambda *_: [one.as_dict() for one in desk.server.connections.values()],
            ("GET", "/faults"): lambda *_: [one.as_dict() for one in desk.faults.rules()],
            ("GET", "/faults/fired"): look.fired,
            ("GET", "/faults/vocabulary"): look.vocabulary,
            ("POST", "/faults"): act.add_faults,
            ("DELETE", "/faults"): act.remove_fault,
            ("POST", "/connections/close"): act.close,
            ("POST", "/clock"): act.set_clock,
            ("POST", "/symbols"): act.change_symbol,
            ("POST", "/prices"): act.jump,
            ("POST", "/trades"): act.trade,
            ("POST", "/orders"): act.place,
            ("POST", "/deposits"): act.deposit,
            ("POST", "/users"): act.add_user,
            ("POST", "/restart"): act.restart,
        }

    def describe(self, request: Request) -> tuple[str, Mapping[str, Any]]:
        """Return nothing: faults do not strike here."""
        del request
        return "", {}

    def failure(self, status: int) -> Response:
        """Return an error."""
        return _answer({"error": f"status {status}"}, status)

    def handle(self, request: Request) -> Response:
        """Answer a request."""
        route = self._routes.get((request.method, request.path.rstrip("/")))
        if route is None:
            known = [f"{method} /_sim{path}" for method, path in self._routes]
            asked = f"{request.method} /_sim{request.path}"
            return _answer({"error": f"there is no {asked[:100]!r}.{did_you_mean(asked, known)}"}, 404)
        try:
            query = dict(parse_qsl(request.query, keep_blank_values=True))
            body = msgspec.json.decode(request.body) if request.body else {}
            found = route(query, body)
        except CambistError as error:
            return _answer({"error": str(error)}, 400)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            return _answer({"error": f"the body cannot be read: {error}"}, 400)
        return _answer(found)

    def connect(self, connection: Connection) -> Session | Response:
        """Take no WebSocket."""
        del connection
        return self.failure(404)

    def labels(self) -> Iterable[str]:
        """Return nothing."""
        return ()

    def endpoints(self, http: str, ws: str) -> dict[str, str]:
        """Return nothing: `Server.endpoints` leaves it out."""
        del ws
        return {"control": http}

    def on_timer(self) -> None:
        """Do nothing."""

    def apply(self, action: str, arguments: Mapping[str, Any]) -> bool:
        """Do nothing."""
        del action, arguments
        return False


class _Looks:
    """What only looks."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def requests(self, query: dict[str, str], _: Any) -> Any:
        wanted = {name: value for name, value in query.items() if name in _WANTED}
        entries = self._desk.server.log.entries(
            after=_whole(query, "after", 0), limit=_whole(query, "limit", 1_000), **wanted
        )
        return [one.as_dict() for one in entries if one.dialect != ControlDialect.name]

    def orders(self, query: dict[str, str], _: Any) -> Any:
        return self._desk.orders(query.get("user"), query.get("symbol"), open_only=query.get("open") == "true")

    def fills(self, query: dict[str, str], _: Any) -> Any:
        return self._desk.fills(query.get("user"), query.get("symbol"))

    def fired(self, query: dict[str, str], _: Any) -> Any:
        after = _whole(query, "after", 0)
        return [one for one in self._desk.faults.fired if one.number > after]

    @staticmethod
    def vocabulary(query: dict[str, str], _: Any) -> Any:
        del query
        names = ("name", "stage", "on", "arguments", "meaning")
        return [dict(zip(names, row, strict=True)) for row in table()]


class _Actions:
    """What changes something."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def add_faults(self, _: dict[str, str], body: Any) -> Any:
        """Take one fault, a list of them, or a script as ``{"toml": "..."}``."""
        given = _table(body) if not isinstance(body, list) else body
        if isinstance(given, dict) and isinstance(given.get("toml"), str):
            faults = parse_script(given["toml"])
        else:
            every = given if isinstance(given, list) else [given]
            faults = [Fault.from_dict(_table(one)) for one in every]
        return {"ids": [self._desk.faults.add(one) for one in faults]}

    def remove_fault(self, query: dict[str, str], _: Any) -> Any:
        """Take away one, or all without an id."""
        if "id" in query:
            self._desk.faults.remove(_whole(query, "id", 0))
        else:
            self._desk.faults.clear()
        return {"faults": len(self._desk.faults.rules())}

    def close(self, _: dict[str, str], body: Any) -> Any:
        """Close WebSockets, one or all: with ``code``, or cut with ``reset``."""
        given = _table(body)
        closed = []
        for one in list(self._desk.server.connections.values()):
            if given.get("id") in {None, one.id}:
                closed.append(one.id)
                if given.get("reset"):
                    one.reset()
                else:
                    one.close(int(given.get("code", 1001)), str(given.get("reason", "")))
        return {"closed": closed}

    def set_clock(self, _: dict[str, str], body: Any) -> Any:
        """Shift the server's clock, step time, freeze or speed up the market."""
        given = _table(body)
        known = {"shift", "step", "speed"}
        for name in given:
            if name not in known:
                raise ParameterError(f"a clock has no {name!r}.{did_you_mean(name, known)}")
        if "speed" in given:
            speed = given["speed"]
            if isinstance(speed, bool) or not isinstance(speed, int | float):
                raise ParameterError(f"'speed' is {speed!r}; give a number.")
            self._desk.set_speed(float(speed))
        if "shift" in given:
            self._desk.clock.server.shift(duration(given["shift"], "'shift'"))
        if "step" in given:
            self._desk.step(duration(given["step"], "'step'"))
        return self._desk.times()

    def change_symbol(self, _: dict[str, str], body: Any) -> Any:
        """Halt or resume a symbol (``status``), or give it other rules."""
        given = _table(body)
        symbol = _text(given, "symbol")
        exchange, name = self._desk.exchange_of(symbol), symbol.partition(":")[0]
        if "status" in given:
            words = [str(one) for one in SymbolStatus]
            if given["status"] not in words:
                raise ParameterError(f"'status' is {given['status']!r}; give one of: {', '.join(words)}.")
            exchange.set_status(name, SymbolStatus(given["status"]))
        rules = {rule: _decimal(given, rule) for rule in _RULES if rule in given}
        if rules:
            exchange.change_rules(name, **rules)
        return exchange.listing(name)

    def jump(self, _: dict[str, str], body: Any) -> Any:
        """Move a price by a share of it."""
        given = _table(body)
        symbol = _text(given, "symbol")
        self._desk.jump(symbol, float(_decimal(given, "by")))
        return {"symbol": symbol}

    def trade(self, _: dict[str, str], body: Any) -> Any:
        """Let somebody from outside trade."""
        given = _table(body)
        symbol = _text(given, "symbol")
        self._desk.trade(symbol, _side(given), _decimal(given, "size"), _decimal(given, "price"))
        return {"symbol": symbol}

    def place(self, _: dict[str, str], body: Any) -> Any:
        """Place an order as another client of the account would."""
        given = _table(body)
        price = _decimal(given, "price") if given.get("price") is not None else None
        terms = OrderTerms(
            symbol=_text(given, "symbol"),
            side=_side(given),
            type=OrderType.MARKET if price is None else OrderType.LIMIT,
            size=_decimal(given, "size"),
            price=price,
            client_id=str(given.get("client_id", "")),
            reduce_only=given.get("reduce_only") is True,
        )
        return self._desk.place(terms, given.get("user"))

    def deposit(self, _: dict[str, str], body: Any) -> Any:
        """Give a user money; a negative amount takes it away."""
        given = _table(body)
        self._desk.deposit(given.get("user"), _text(given, "asset"), _decimal(given, "amount"), given.get("exchange"))
        return self._desk.balances(given.get("user"))

    def add_user(self, _: dict[str, str], body: Any) -> Any:
        """Add a user with a key."""
        given = _table(body)
        user = self._desk.users.add(_text(given, "name"), kind=str(given.get("kind", "hmac")))
        return [one for one in self._desk.credentials() if one["user"] == user.name]

    def restart(self, _: dict[str, str], body: Any) -> Any:
        """End the venue and start it again."""
        down = duration(_table(body).get("down", 0), "'down'")
        # The answer leaves first.
        self._desk.server.timers.after(20_000_000, lambda: self._desk.restart(down))
        return {"down": down}


_WANTED = ("label", "kind", "path", "method", "dialect")
_RULES = ("tick_size", "step_size", "min_size", "max_size", "min_notional", "maker_fee", "taker_fee")


def _answer(found: Any, status: int = 200) -> Response:
    return Response(status=status, body=msgspec.json.encode(found, enc_hook=str))


def _table(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise ParameterError("the body is no JSON object.")
    return body


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise ParameterError(f"{name!r} is {value!r}; give a text.")
    return value


def _decimal(given: dict[str, Any], name: str) -> Decimal:
    value = given.get(name)
    try:
        found = Decimal(str(value))
    except ArithmeticError:
        found = Decimal("NaN")
    if isinstance(value, bool) or not found.is_finite() or abs(found.adjusted()) > 24:
        raise ParameterError(f"{name!r} is {value!r}; give a number.")
    return found


def _side(given: dict[str, Any]) -> Side:
    sides = {"buy": Side.BUY, "sell": Side.SELL}
    value = given.get("side")
    if value not in sides:
        raise ParameterError(f"'side' is {value!r}; give 'buy' or 'sell'.")
    return sides[value]


def _whole(query: dict[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise ParameterError(f"{name!r} is {text[:40]!r}; give a whole number from 0.")
    return int(text)
