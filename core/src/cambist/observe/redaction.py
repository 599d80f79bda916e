"""Takes secrets out of what is about to be written: by the name of a field, and by their very values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import pairwise
from threading import Lock
from typing import Any
from urllib.parse import quote, quote_plus

from cambist.errors import InputError

__all__ = ["MASK", "Redactor", "register_secret"]

#: What stands in a secret's place.
MASK = "***"

_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_SECRET_WORDS = frozenset(
    {
        "apikey", "authorization", "cookie", "credential", "credentials", "passphrase", "passwd", "password", "pwd",
        "secret", "secrets", "signature", "token", "tokens",
    }
)  # fmt: skip
_SECRET_PAIRS = frozenset({("api", "key"), ("access", "key"), ("private", "key"), ("signing", "key")})

_NAMES = r"(?:api|access|private|secret|signing)[_-]?key|secret|token|password|passwd|passphrase|signature"
#: ``password=hunter2`` and ``"secret": "hunter2"`` in a text, such as a URL or the body of an answer.
_ASSIGNED = re.compile(rf"(?i)(?<![a-z0-9])((?:{_NAMES})(?:=|[\"']\s*:\s*)[\"']?)[^\s&,;\"')}}\]]+")
#: ``scheme://user:password@host``.
_USER_INFO = re.compile(r"(://[^\s:/@]*:)[^\s/@]+(?=@)")

#: Shorter values stand in too many innocent words to be looked for inside texts.
_SHORTEST_INSIDE = 4
_DEEPEST = 12


class Redactor:
    """Replaces secrets by `MASK`, at any depth of what it is given.

    Three things are secret: the value of a field whose name says so (``api_key``, ``apiSecret``, ``password``), a
    registered value wherever it stands, also inside a longer text and as a URL or JSON would write it, and what a text
    itself calls a password (``password=...``, ``scheme://user:password@host``).
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._values: frozenset[str] = frozenset()
        self._inside: re.Pattern[str] | None = None

    def register(self, value: str) -> None:
        """Mask this value from now on. One of fewer than four characters is masked only where it stands alone.

        Raises
        ------
        InputError
            It is empty.
        """
        if not value:
            raise InputError("a secret to be masked is empty; is the setting it comes from filled in?")
        with self._lock:
            self._values |= {value, *_spellings(value)}
            inside = sorted((one for one in self._values if len(one) >= _SHORTEST_INSIDE), key=len, reverse=True)
            self._inside = re.compile("|".join(map(re.escape, inside))) if inside else None

    def text(self, text: str) -> str:
        """Return a text without the secrets in it."""
        if text in self._values:
            return MASK
        if self._inside is not None:
            text = self._inside.sub(MASK, text)
        return _USER_INFO.sub(rf"\1{MASK}", _ASSIGNED.sub(rf"\1{MASK}", text))

    def value(self, value: Any) -> Any:
        """Return a value without the secrets in it.

        Mappings and sequences are copied; what is neither of these, nor a number, nor a text, becomes the text that it
        prints as, since nobody knows what is in it.
        """
        return self._clean(value, 0)

    def fields(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return named values without the secrets in them; those whose names say so are masked whole."""
        return self._mapping(fields, 0)

    def _clean(self, value: Any, depth: int) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self.text(str(value))
        if isinstance(value, int | float):
            return MASK if str(value) in self._values else value
        if depth < _DEEPEST:
            if isinstance(value, Mapping):
                return self._mapping(value, depth)
            if isinstance(value, list | tuple | set | frozenset):
                return [self._clean(item, depth + 1) for item in value]
        return self.text(str(value))

    def _mapping(self, mapping: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        return {
            self.text(str(name)): MASK if _is_secret(str(name)) and value is not None else self._clean(value, depth + 1)
            for name, value in mapping.items()
        }


def _spellings(value: str) -> set[str]:
    """Return how a URL, JSON and Python would write a value."""
    in_json = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    return {quote(value, safe=""), quote_plus(value), repr(value)[1:-1], *in_json}


def _is_secret(name: str) -> bool:
    """Say whether a field of this name holds a secret: ``api_key``, ``apiKey``, ``X-API-KEY``, ``db_password``."""
    words = [word.lower() for word in _WORD.findall(name)]
    return not _SECRET_WORDS.isdisjoint(words) or any(pair in _SECRET_PAIRS for pair in pairwise(words))


#: The process's own: what `cambist.observe.configure` writes goes through it.
REDACTOR = Redactor()


def register_secret(value: str) -> None:
    """Mask a value in every log record from now on; see `Redactor.register`."""
    REDACTOR.register(value)
