"""What a strategy keeps over a restart, as bytes and back."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from cambist.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["decode_state", "encode_state"]

_encoder = msgspec.msgpack.Encoder()
#: The key that tells a value of a type that the bytes do not know from a dict.
_TAG = "$"
_PLAIN = (bool, float, str, bytes)
_INTEGERS = range(-(2**63), 2**64)


def encode_state(strategy: str, state: Mapping[str, Any]) -> bytes:
    """Return the state of a strategy as bytes; dicts keep their order, and sets have one.

    Raises
    ------
    ParameterError
        If something in it cannot be kept; the message says where.
    """
    return _encoder.encode({name: _pack(value, f"{strategy}: {name}") for name, value in state.items()})


def decode_state(data: bytes) -> dict[str, Any]:
    """Return what `encode_state` was given."""
    packed: dict[str, Any] = msgspec.msgpack.decode(data)
    return {name: _unpack(value) for name, value in packed.items()}


def _pack(value: Any, where: str) -> Any:
    if value is None or type(value) in _PLAIN or (type(value) is int and value in _INTEGERS):
        return value
    if isinstance(value, list):
        return [_pack(one, f"{where}[{number}]") for number, one in enumerate(value)]
    if isinstance(value, dict):
        if all(type(key) is str for key in value) and _TAG not in value:
            return {key: _pack(one, f"{where}[{key!r}]") for key, one in value.items()}
        pairs = [[_pack(key, f"{where}: a key"), _pack(one, f"{where}[{key!r}]")] for key, one in value.items()]
        return {_TAG: "dict", "value": pairs}
    if isinstance(value, tuple):
        return {_TAG: "tuple", "value": [_pack(one, f"{where}[{number}]") for number, one in enumerate(value)]}
    if isinstance(value, set | frozenset):
        kept = sorted((_pack(one, f"{where}: an element") for one in value), key=_encoder.encode)
        return {_TAG: type(value).__name__, "value": kept}
    for kind in (Decimal, int, datetime, date):
        if isinstance(value, kind):
            text = value.isoformat() if isinstance(value, date) else str(value)
            return {_TAG: kind.__name__, "value": text}
    if isinstance(value, timedelta):
        return {_TAG: "timedelta", "value": [value.days, value.seconds, value.microseconds]}
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:  # a NumPy scalar
        return _pack(value.item(), where)
    raise ParameterError(
        f"{where} is a {type(value).__name__}, which a journal cannot keep. Keep numbers, texts, decimals, dates, or "
        "lists and dicts of them; override save_state and load_state to say how."
    )


_MAKERS: dict[str, Callable[[Any], Any]] = {
    "tuple": lambda value: tuple(map(_unpack, value)),
    "set": lambda value: set(map(_unpack, value)),
    "frozenset": lambda value: frozenset(map(_unpack, value)),
    "dict": lambda value: {_unpack(key): _unpack(one) for key, one in value},
    "Decimal": Decimal,
    "int": int,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "timedelta": lambda value: timedelta(*value),
}


def _unpack(value: Any) -> Any:
    if isinstance(value, list):
        return [_unpack(one) for one in value]
    if isinstance(value, dict):
        if _TAG in value:
            return _MAKERS[value[_TAG]](value["value"])
        return {key: _unpack(one) for key, one in value.items()}
    return value
