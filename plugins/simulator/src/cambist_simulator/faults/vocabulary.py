"""The vocabulary: every fault that there is, as data; checks, lists and docs are made from it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["ACTIONS", "MATCHING", "SELECTORS", "Action", "Argument", "Trigger", "table"]

#: What may set a fault off.
Trigger = str
#: A REST request (or a message of a WebSocket that is one); a frame for a client; a new WebSocket; a time of a clock.
REQUEST, FRAME, OPENING, TIME = "request", "frame", "opening", "time"


class Argument(msgspec.Struct, frozen=True):
    """A setting of an action.

    Attributes
    ----------
    kind
        ``"duration"`` (seconds, or ``"250ms"``, ``"5s"``, ``"2m"``, ``"1h"``, ``"1d"``), ``"share"`` (0 to 1),
        ``"number"``, ``"integer"``, ``"text"``, ``"flag"``, or the words to choose from, separated by ``|``.
    default
        None where there is none: it is not set, or it comes from what set the fault off.
    needed
        Whether a fault without it is refused.
    """

    name: str
    kind: str
    meaning: str
    default: Any = None
    needed: bool = False


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can go wrong.

    Attributes
    ----------
    stage
        Where it strikes, for the order of the list.
    triggers
        What may set it off, the usual one first.
    selects
        Selectors that it has where a fault names no others; patterns, separated by ``|``.
    """

    name: str
    stage: str
    triggers: tuple[Trigger, ...]
    meaning: str
    arguments: tuple[Argument, ...] = ()
    selects: Mapping[str, str] = MappingProxyType({})


#: What a fault may choose its occasions by; texts with ``*`` and ``?``, or a list of them.
SELECTORS: Mapping[str, str] = MappingProxyType(
    {
        "label": "of a request, such as `order.place`; `cambist simulate VENUE --list-faults` shows those of a venue",
        "path": "of a request or a WebSocket",
        "method": "of a REST request",
        "user": "name or id of the account",
        "symbol": "as the venue writes it; for an action at a time also with its segment: `BTCUSDT:linear`",
        "client_id": "of the order in a request",
        "kind": "of a frame: `answer`, `depth`, `trade`, `kline`, `ticker`, `mark`, `order`, `fill`, `balance`, "
        "`position`, `control`",
        "stream": "path and query of the WebSocket",
        "connection": "number of the WebSocket",
        "dialect": "where one server has several",
    }
)

#: Which of the chosen occasions count.
MATCHING: Mapping[str, str] = MappingProxyType(
    {
        "on": "`request`, `frame`, `opening` or `time`, where an action can be set off by several",
        "nth": "the n-th occasion alone, from 1",
        "every": "each n-th occasion",
        "count": "at most so often; 1 after `nth` and at a time, no end otherwise",
        "probability": "of each occasion, drawn with the seed",
        "at": "when, or from when on: since the start, or a time such as `2024-03-01T12:00:00Z`",
        "until": "until when",
        "repeat": "at a time: again after so long",
        "clock": "of `at`, `until` and `repeat`: `market` or `server`",
        "name": "for the log",
    }
)

_STAGE = Argument("stage", "before|after", "whether the venue has done what was asked", "before")
_FOR = Argument("for", "duration", "how long; without it, to the end")


def _action(
    name: str,
    stage: str,
    triggers: str,
    meaning: str,
    *arguments: Argument,
    **selects: str,
) -> Action:
    return Action(
        name=name,
        stage=stage,
        triggers=tuple(triggers.split()),
        meaning=meaning,
        arguments=arguments,
        selects=MappingProxyType(selects),
    )


def _named(actions: Iterable[Action]) -> Mapping[str, Action]:
    return MappingProxyType({action.name: action for action in actions})


_ANSWERS = (
    _action(
        "http_error",
        "answer",
        "request",
        "An HTTP error instead of the answer, before or after the order was accepted",
        Argument("status", "integer", "of HTTP", 503),
        _STAGE,
        Argument("body", "text", "instead of the venue's own"),
        Argument("content_type", "text", "of the body"),
    ),
    _action(
        "rate_limit",
        "answer",
        "request",
        "Too many requests (429) or banned (418), with Retry-After; the request is not done",
        Argument("status", "integer", "429 or 418", 429),
        Argument("retry_after", "duration", "what the header says", 1),
    ),
    _action(
        "timeout",
        "answer",
        "request",
        "No answer at all; the connection stays open",
        _STAGE,
    ),
    _action("delay_answer", "answer", "request", "The answer comes late", Argument("by", "duration", "how late", 1)),
    _action(
        "truncated",
        "answer",
        "request",
        "The body of the answer ends in its middle; the order was accepted",
        Argument("keep", "share", "of the body", 0.5),
        Argument("announced", "flag", "whether Content-Length tells of the whole body", True),
    ),
    _action(
        "not_json",
        "answer",
        "request",
        "A body that is no JSON; the order was accepted, or not",
        Argument("body", "text", "what is sent", "upstream connect error or disconnect/reset before headers"),
        Argument("status", "integer", "of HTTP", 200),
        _STAGE,
    ),
    _action(
        "html",
        "answer",
        "request",
        "A page for people, with status 200",
        Argument("status", "integer", "of HTTP", 200),
        _STAGE,
    ),
    _action("empty_body", "answer", "request", "Status 200 and nothing else; the order was accepted"),
)

_FRAMES = (
    _action("drop", "frame", "frame", "The frame never leaves"),
    _action(
        "duplicate",
        "frame",
        "frame",
        "The frame leaves more than once",
        Argument("times", "integer", "how often more", 1),
    ),
    _action(
        "delay",
        "frame",
        "frame",
        "The frame leaves late; others overtake it",
        Argument("by", "duration", "how late", 1),
    ),
    _action(
        "reorder",
        "frame",
        "frame",
        "The frame leaves after frames that came later",
        Argument("span", "integer", "how many overtake it", 1),
    ),
    _action(
        "stall",
        "frame",
        "frame",
        "From this frame on nothing leaves on its WebSocket; then everything at once, in order",
        Argument("for", "duration", "how long", 1),
    ),
    _action(
        "sequence_gap",
        "frame",
        "frame",
        "Updates of the book are missing",
        Argument("frames", "integer", "how many in a row", 1),
        kind="depth",
    ),
    _action(
        "stale_book",
        "frame",
        "frame",
        "The book stands still while everything else goes on; what was held back comes later, in order",
        Argument("for", "duration", "how long", 5),
        kind="depth",
    ),
    _action("lost_fill", "frame", "frame", "The message of a fill never comes", kind="fill"),
    _action(
        "corrupt_frame",
        "frame",
        "frame",
        "The text of the frame ends in its middle; the frame itself is sound",
        Argument("keep", "share", "of the text", 0.5),
    ),
    _action(
        "cut_mid_frame",
        "frame",
        "frame",
        "The connection ends in the middle of the frame",
        Argument("keep", "share", "of the frame", 0.5),
    ),
)

_CONNECTIONS = (
    _action(
        "disconnect",
        "connection",
        "time request frame",
        "WebSockets are closed as they should be, with a code",
        Argument("code", "integer", "of the close frame", 1001),
        Argument("reason", "text", "in the close frame", ""),
    ),
    _action(
        "reset",
        "connection",
        "time request frame",
        "The connection is cut without a word (TCP RST); of a request, before or after it was done",
        _STAGE,
    ),
    _action(
        "half_open",
        "connection",
        "time request frame",
        "The WebSocket stays open, and nothing is sent or listened to, not even a ping",
        _FOR,
    ),
    _action(
        "silent_subscription",
        "connection",
        "request time frame",
        "A subscription is acknowledged, and then its streams say nothing; requests are still answered",
        _FOR,
        label="subscribe|*.subscribe",
    ),
    _action(
        "refuse_connection",
        "connection",
        "opening",
        "A new WebSocket is refused with an HTTP error",
        Argument("status", "integer", "of HTTP", 503),
    ),
    _action("slow_consumer", "connection", "time frame", "The WebSocket is cut off as if its client read too slowly"),
    _action(
        "end_of_life",
        "connection",
        "time",
        "WebSockets are closed as when they have reached the age that the venue allows (24 hours)",
    ),
    _action("expire_listen_keys", "connection", "time", "Keys of user streams expire at once"),
    _action(
        "end_user_streams",
        "connection",
        "time",
        "The venue ends streams of user data and says so; their connections stay open",
    ),
    _action("announce_shutdown", "connection", "time", "Streams are told that their server is about to go"),
)

_ORDERS = (
    _action(
        "late_visibility",
        "order",
        "request",
        "A new order works, and queries do not find it yet",
        Argument("for", "duration", "how long", 2),
        label="order.place",
    ),
    _action(
        "partial_fills",
        "order",
        "request",
        "A new order that rests is filled in small parts right after the answer",
        Argument("parts", "integer", "how many", 3),
        Argument("share", "share", "of the order that they fill together", 1.0),
        label="order.place",
    ),
    _action(
        "fill_before_ack",
        "order",
        "request",
        "A new order that rests is filled, and the user stream tells so before the answer comes",
        Argument("share", "share", "of the order", 1.0),
        label="order.place",
    ),
    _action(
        "fill_during_cancel",
        "order",
        "request",
        "The order is filled when its cancel arrives, and before it is done",
        Argument("share", "share", "of the order", 1.0),
        label="order.cancel",
    ),
    _action(
        "reject_after_ack",
        "order",
        "request",
        "A new order is acknowledged, and then ended by the venue",
        Argument("after", "duration", "how long after the answer", 0),
        Argument("reason", "text", "a word for the log", "venue"),
        label="order.place",
    ),
    _action(
        "foreign_order",
        "order",
        "time request",
        "Another client of the same account places an order",
        Argument("side", "buy|sell", "of the order", "buy"),
        Argument("size", "number", "base units, or contracts", needed=True),
        Argument("price", "number", "limit; without it, a market order"),
        Argument("client_id", "text", "its name"),
        Argument("reduce_only", "flag", "of futures", False),
    ),
    _action(
        "foreign_cancel",
        "order",
        "time request",
        "Another client of the same account cancels its open orders",
    ),
    _action("liquidation", "order", "time request", "The venue liquidates the position of a user"),
    _action(
        "dead_man",
        "order",
        "time request",
        "The dead man's switch of a user goes off: all open orders are canceled by the venue",
    ),
)

_VENUE = (
    _action(
        "clock_skew",
        "venue",
        "time request",
        "The clock of the venue's servers jumps",
        Argument("by", "duration", "ahead; negative for back", needed=True),
    ),
    _action(
        "clock_drift",
        "venue",
        "time request",
        "The clock of the venue's servers goes too fast or too slow from now on",
        Argument("rate", "number", "seconds that it gains in a second; negative for too slow", needed=True),
        _FOR,
    ),
    _action(
        "maintenance",
        "venue",
        "time",
        "The venue is away: WebSockets are closed and refused, requests are answered with an HTTP error",
        Argument("for", "duration", "how long", 60),
        Argument("status", "integer", "of HTTP", 503),
    ),
    _action(
        "restart",
        "venue",
        "time request",
        "The venue ends and starts again with all that it knew: connections are cut, for a while nobody listens",
        Argument("down", "duration", "how long nobody listens", 1),
    ),
    _action(
        "halt",
        "venue",
        "time request",
        "A symbol stops trading",
        _FOR,
        Argument("status", "halt|cancel_only|break", "what it is then", "halt"),
    ),
    _action(
        "rule_change",
        "venue",
        "time request",
        "A symbol has new rules from now on",
        Argument("tick_size", "number", "of prices, a multiple of the first one"),
        Argument("step_size", "number", "of sizes, a multiple of the first one"),
        Argument("min_size", "number", "of an order"),
        Argument("min_notional", "number", "price times size of an order, in quote money"),
    ),
    _action(
        "price_jump",
        "venue",
        "time request",
        "The price of a symbol is another from now on",
        Argument("by", "number", "share of the price: -0.1 falls by a tenth", needed=True),
    ),
    _action(
        "crossed_book",
        "venue",
        "time request",
        "The book that is shown has a bid above its best offer for a while",
        Argument("for", "duration", "how long", 1),
        Argument("ticks", "integer", "how far above", 1),
    ),
)

#: By name, in the order of the list.
ACTIONS: Mapping[str, Action] = _named((*_ANSWERS, *_FRAMES, *_CONNECTIONS, *_ORDERS, *_VENUE))


def table() -> list[tuple[str, str, str, str, str]]:
    """Return the rows of the reference table: name, where it strikes, what sets it off, arguments, meaning."""
    return [
        (
            action.name,
            action.stage,
            ", ".join(action.triggers),
            ", ".join(_shown(argument) for argument in action.arguments),
            action.meaning + _selected(action),
        )
        for action in ACTIONS.values()
    ]


def _shown(argument: Argument) -> str:
    if argument.needed:
        return f"{argument.name} (needed)"
    if argument.default is None:
        return argument.name
    default = str(argument.default).lower() if isinstance(argument.default, bool) else argument.default
    return f"{argument.name} = {default!r}" if default == "" else f"{argument.name} = {default}"


def _selected(action: Action) -> str:
    chosen = ", ".join(f"{name} {value.replace('|', ' or ')}" for name, value in action.selects.items())
    return f" ({chosen} where nothing else is chosen)" if chosen else ""
