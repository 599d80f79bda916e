"""The whole state of an exchange as bytes, so that a venue can be stopped and go on as if it had not been."""

from __future__ import annotations

import io
import pickle
from typing import TYPE_CHECKING, Any

from cambist.api import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["dump", "load", "replace_state"]

_HEADER = b"cambist-exchange 1\n"
_OWN = ("cambist_simulator.exchange.", "cambist.model.", "cambist.simulation.")
_OTHERS = frozenset(
    {
        ("builtins", "set"),
        ("builtins", "frozenset"),
        ("collections", "OrderedDict"),
        ("collections", "deque"),
        ("decimal", "Decimal"),
    }
)


class _Loader(pickle.Unpickler):
    """Makes nothing but the records of an exchange, so that bytes from elsewhere can do no harm."""

    def find_class(self, module: str, name: str) -> Any:
        """Return a class that a state may hold."""
        if "." not in name and (module.startswith(_OWN) or (module, name) in _OTHERS):
            found = super().find_class(module, name)
            if isinstance(found, type):
                return found
        if name == "rebuild" and module in {"msgspec._core", "msgspec._utils"}:
            return super().find_class(module, name)  # makes a record of its class and fields
        raise pickle.UnpicklingError(f"it names {module}.{name}, which is none of its records")


def dump(state: Mapping[str, Any]) -> bytes:
    """Return a state as bytes."""
    return _HEADER + pickle.dumps(dict(state), protocol=5)


def load(data: bytes) -> dict[str, Any]:
    """Return the state that `dump` made bytes of.

    Raises
    ------
    InputError
        If that is not what the bytes are.
    """
    if not data.startswith(_HEADER):
        raise InputError("this is no saved state of an exchange, or one of another version of it.")
    try:
        found = _Loader(io.BytesIO(data[len(_HEADER) :])).load()
    except (pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, TypeError, ValueError) as error:
        raise InputError(f"the saved state of an exchange is damaged: {error}") from None
    if not isinstance(found, dict):
        raise InputError("the saved state of an exchange is damaged.")
    return found


def replace_state(part: object, saved: object) -> None:
    """Give an object that others hold the state of its saved self."""
    part.__dict__.clear()
    part.__dict__.update(saved.__dict__)
