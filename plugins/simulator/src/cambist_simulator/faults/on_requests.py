"""Faults of answers: what a client hears instead of what the venue said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cambist_simulator.server.wire import Response, frame_text, text_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cambist_simulator.faults.occasions import Ground, Occasion

__all__ = ["OF_MESSAGES", "REQUEST_ACTIONS", "strikes_before"]

_SECOND = 1_000_000_000
_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Service Unavailable</title></head>\n"
    b"<body><h1>We are sorry</h1><p>The request could not be satisfied. Please try again later.</p></body></html>\n"
)


def strikes_before(action: str, arguments: Mapping[str, Any]) -> bool:
    """Whether an action of this module strikes before the venue has seen the request."""
    return action == "rate_limit" or arguments.get("stage") == "before"


def _usual(occasion: Occasion, status: int) -> Response:
    """Return what the venue says with a status, under the label of the request."""
    assert occasion.dialect is not None
    usual = occasion.dialect.failure(status)
    return msgspec.structs.replace(usual, status=status, label=occasion.label, facts=dict(occasion.facts))


def _http_error(_: Ground, occasion: Occasion) -> None:
    arguments = occasion.rule.fault.arguments
    answer = _usual(occasion, arguments["status"])
    if arguments["body"] is not None:
        answer.body = arguments["body"].encode()
    if arguments["content_type"] is not None:
        answer.content_type = arguments["content_type"]
    occasion.spoil.answer = answer


def _rate_limit(_: Ground, occasion: Occasion) -> None:
    arguments = occasion.rule.fault.arguments
    answer = _usual(occasion, arguments["status"])
    answer.headers = {**answer.headers, "Retry-After": str(-(-arguments["retry_after"] // _SECOND))}
    occasion.spoil.answer = answer


def _timeout(_: Ground, occasion: Occasion) -> None:
    occasion.swallow = True
    occasion.frames = []
    occasion.spoil.silent = True


def _reset(_: Ground, occasion: Occasion) -> None:
    occasion.swallow = True
    occasion.frames = []
    occasion.spoil.reset = True
    if occasion.connection is not None:
        occasion.connection.reset()


def _delay_answer(ground: Ground, occasion: Occasion) -> None:
    by = occasion.rule.fault.arguments["by"]
    occasion.spoil.delay += by
    connection, frames = occasion.connection, occasion.frames
    if connection is not None:
        occasion.frames = []
        ground.timers("server").after(by, lambda: connection.write_all(frames))


def _truncated(_: Ground, occasion: Occasion) -> None:
    arguments = occasion.rule.fault.arguments
    occasion.spoil.keep, occasion.spoil.announced = arguments["keep"], arguments["announced"]
    occasion.frames = [text_frame(_part(frame_text(one), arguments["keep"])) for one in occasion.frames]


def _part(text: bytes, keep: float) -> bytes:
    # A frame whose text is no UTF-8 would be another fault than this one.
    return text[: int(len(text) * keep)].decode("utf-8", "ignore").encode()


def _not_json(_: Ground, occasion: Occasion) -> None:
    arguments = occasion.rule.fault.arguments
    body = arguments["body"].encode()
    occasion.spoil.answer = Response(
        status=arguments["status"],
        body=body,
        content_type="text/plain",
        label=occasion.label,
        facts=dict(occasion.facts),
    )
    occasion.swallow = True
    occasion.frames = [text_frame(body)]


def _html(_: Ground, occasion: Occasion) -> None:
    occasion.spoil.answer = Response(
        status=occasion.rule.fault.arguments["status"],
        body=_PAGE,
        content_type="text/html; charset=utf-8",
        label=occasion.label,
        facts=dict(occasion.facts),
    )


def _empty_body(_: Ground, occasion: Occasion) -> None:
    occasion.spoil.answer = Response(status=200, label=occasion.label, facts=dict(occasion.facts))
    occasion.frames = [text_frame(b"")]


REQUEST_ACTIONS: Mapping[str, Callable[[Ground, Occasion], None]] = {
    "http_error": _http_error,
    "rate_limit": _rate_limit,
    "timeout": _timeout,
    "reset": _reset,
    "delay_answer": _delay_answer,
    "truncated": _truncated,
    "not_json": _not_json,
    "html": _html,
    "empty_body": _empty_body,
}

#: Those that a message of a WebSocket can suffer as well: it has no status and no headers.
OF_MESSAGES = frozenset({"timeout", "reset", "delay_answer", "truncated", "not_json", "empty_body"})
