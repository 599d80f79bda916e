"""The words between a live run and whoever operates it: one JSON document a line, each way.

A client sends requests and gets one answer for each, in order. Whatever mirrors the commands elsewhere, such as a web
page, takes and gives the same documents.
"""

from __future__ import annotations

from typing import Any

import msgspec

from cambist.errors import ControlError

__all__ = ["COMMANDS", "MAX_REQUEST", "VERSION", "Answer", "Request", "decode_answer", "decode_request", "encode"]

#: Of the protocol; a run answers requests of its own version alone.
VERSION = 1
#: The longest request, bytes with its newline.
MAX_REQUEST = 64 * 1024

#: What a run can be asked and told, and the arguments of each.
COMMANDS: dict[str, frozenset[str]] = {
    "status": frozenset(),
    "orders": frozenset({"venue"}),
    "positions": frozenset({"venue"}),
    "cancel": frozenset({"order", "symbol"}),
    "flatten": frozenset({"symbol", "reason"}),
    "halt": frozenset({"scope", "reason", "orders"}),
    "reduce": frozenset({"scope", "reason", "orders"}),
    "resume": frozenset({"scope", "reason"}),
    "stop": frozenset({"policy", "reason"}),
    "kill": frozenset({"flatten", "reason"}),
}


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something a run is asked or told.

    Attributes
    ----------
    do
        One of `COMMANDS`.
    arguments
        Of it.
    by
        Who asks, for the journal: a user and a host.
    id
        The client's own; its answer bears the same.
    v
        Version of the protocol.
    """

    do: str
    arguments: dict[str, Any] = {}
    by: str = ""
    id: int = 0
    v: int = VERSION


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of a request.

    Attributes
    ----------
    ok
        Whether it was done.
    result
        What is asked for, or what was done, item by item.
    code, error
        Why it was not done: a stable word, and a sentence.
    """

    v: int = VERSION
    id: int = 0
    ok: bool = True
    result: Any = None
    code: str = ""
    error: str = ""


_request = msgspec.json.Decoder(Request)
_answer = msgspec.json.Decoder(Answer)


def encode(document: Request | Answer) -> bytes:
    """Return the line of a document, with its newline; exact numbers are texts, NaN is null."""
    return msgspec.json.encode(document, enc_hook=str) + b"\n"


def decode_request(line: bytes) -> Request:
    """Read a request.

    Raises
    ------
    ControlError
        If it is none, of another version, or asks for what there is not.
    """
    try:
        request = _request.decode(line)
    except msgspec.DecodeError as error:
        raise ControlError(
            f'that is no request: {error}. Send a line such as {{"do": "status"}}.', code="bad_request"
        ) from None
    if request.v != VERSION:
        raise ControlError(
            f"the request is of version {request.v} of the protocol, and the run speaks version {VERSION}. "
            "Use the cambist that the run was started with.",
            code="version",
        )
    known = COMMANDS.get(request.do)
    if known is None:
        from cambist.errors import did_you_mean

        raise ControlError(
            f"there is no command {request.do!r}.{did_you_mean(request.do, COMMANDS)}", code="unknown_command"
        )
    for name in request.arguments:
        if name not in known:
            names = ", ".join(sorted(known)) or "none"
            raise ControlError(f"{request.do} has no argument {name!r}; it has {names}.", code="bad_request")
    return request


def decode_answer(line: bytes) -> Answer:
    """Read an answer.

    Raises
    ------
    ControlError
        If it is none.
    """
    try:
        return _answer.decode(line)
    except msgspec.DecodeError as error:
        raise ControlError(f"what answers there is no live run of this version: {error}.", code="version") from None
