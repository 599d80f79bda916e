"""A file of state: how it is called, and how it is told from one that is damaged or somebody else's."""

from __future__ import annotations

import re
from hashlib import blake2b
from struct import Struct
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from cambist.errors import StateUnusableError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["file_name", "is_shortened", "name_of", "pack", "unpack"]

_SUFFIX = ".state"
_FORMAT = 1
_MAGIC = b"CAMBSTAT"
# Magic, format, length of the name in bytes. Name and data follow, then the digest of everything before it.
_HEAD = Struct("<8sHI")
_DIGEST = 16
#: Bytes of an encoded name beyond which a digest stands for the rest. Some file systems allow 143 for all of it.
_LONGEST, _KEPT = 110, 70
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_")
_WHOLE = re.compile(r"_((?:[a-z0-9_-]|%[0-9a-f]{2})*)\.state")
_SHORTENED = re.compile(rf"_[a-z0-9_%-]{{{_KEPT}}}~[0-9a-f]{{{2 * _DIGEST}}}\.state")


def file_name(name: str) -> str:
    """Return the name of the file for a name of a state.

    No two names share one, even where a file system does not tell capitals from small letters or one Unicode form from
    another: everything but small letters, digits, ``-`` and ``_`` is written as ``%`` and two digits for each byte. The
    underscore in front keeps clear of names that some system reserves, such as ``con``.
    """
    raw = _encoded(name)
    text = "".join(chr(byte) if byte in _PLAIN else f"%{byte:02x}" for byte in raw)
    if len(text) > _LONGEST:
        text = f"{text[:_KEPT]}~{_digest(raw).hex()}"
    return f"_{text}{_SUFFIX}"


def name_of(file: str) -> str | None:
    """Return the name of the state whose file is called so; None where none is, or only the content can tell."""
    match = _WHOLE.fullmatch(file)
    if match is None:
        return None
    try:
        name = _decoded(unquote_to_bytes(match[1]))
    except UnicodeDecodeError:
        return None
    return name if file_name(name) == file else None


def is_shortened(file: str) -> bool:
    """Tell whether a file is of a name that is too long for a file, so that only its content tells it."""
    return _SHORTENED.fullmatch(file) is not None


def pack(name: str, data: bytes) -> bytes:
    """Return the content of a file."""
    raw = _encoded(name)
    content = _HEAD.pack(_MAGIC, _FORMAT, len(raw)) + raw + data
    return content + _digest(content)


def unpack(path: Path, content: bytes, name: str | None = None) -> tuple[str, bytes]:
    """Return the name and the data that a file holds.

    Parameters
    ----------
    path
        For messages, and to hold the content to it.
    name
        Of the state that is looked for; None for whichever the file is of.

    Raises
    ------
    StateUnusableError
        It is not what `pack` returned, or not of that name, or of another format.
    """
    if len(content) < _HEAD.size + _DIGEST or not content.startswith(_MAGIC):
        raise _unusable(path, "this is no file of Cambist's state, or its beginning is damaged")
    _, version, length = _HEAD.unpack_from(content)
    if version != _FORMAT:
        raise _unusable(
            path,
            f"this file is of format {version}, this version of Cambist reads format {_FORMAT}",
            "Use the version that wrote it, or a newer one, or remove the file.",
        )
    body, begin = content[:-_DIGEST], _HEAD.size + length
    if _digest(body) != content[-_DIGEST:] or begin > len(body):
        raise _unusable(path, "this file does not have the checksum that was written with it")
    found = _decoded(body[_HEAD.size : begin])
    if file_name(found) != path.name or name not in {None, found}:
        raise _unusable(path, f"this file holds the state {found!r}: somebody renamed or copied it")
    return found, body[begin:]


def _encoded(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")  # any text of Python is a name


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogatepass")


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=_DIGEST).digest()


def _unusable(path: Path, what: str, remedy: str = "Remove it, or let what was kept there be kept anew.") -> Exception:
    return StateUnusableError(f"{path}: {what}. {remedy}")
