"""A run file as it was written: its tables, and where each key stands."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["Document", "Origin", "Where"]

#: The way to a value through tables and lists: ``("data", 0, "instrument", "tick_size")``.
Where = tuple[str | int, ...]

_NAME = r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'"""
_DOTTED = rf"(?:{_NAME})(?:\s*\.\s*(?:{_NAME}))*"
_HEADER = re.compile(rf"\s*(?P<open>\[\[?)\s*(?P<names>{_DOTTED})\s*\]\]?\s*(?:#.*)?")
_LONG_QUOTES = ('"""', "'''")
_KEY = re.compile(rf"\s*(?P<names>{_DOTTED})\s*=")


@attrs.frozen
class Origin:
    """Where a value is from.

    Attributes
    ----------
    kind
        ``"file"``, ``"environment"``, ``"option"`` of the command line, or ``"default"``.
    place
        The file's path, the variable's name, or what the option said; ``""`` of a default.
    line
        In a file, of the key or of the nearest table around it; counted from 1.
    """

    kind: str
    place: str = ""
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.place}:{self.line}" if self.line else self.place or self.kind


@attrs.frozen(eq=False)
class Document:
    """A TOML file, or what several of them and other sources say together; see `cambist.config.layers`.

    Attributes
    ----------
    path
        Of the file that was named; paths in a file are relative to its folder.
    tables
        What it says.
    """

    path: Path
    tables: dict[str, Any]
    _lines: Mapping[Where, int] = attrs.field(repr=False)
    #: Whose each key is that another source has said: what says it, by the way to it.
    _owners: Mapping[Where, Document] = attrs.field(factory=dict, repr=False)
    _sources: tuple[Document, ...] = attrs.field(default=(), repr=False)
    kind: str = "file"

    @classmethod
    def read(cls, path: Path) -> Document:
        """Read a file.

        Raises
        ------
        ConfigError
            It cannot be read, or is no TOML.
        """
        text = _text_of(path)
        try:
            tables = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(
                f"{path} is not TOML: {error}. A text stands in quotes, a table's name in brackets: [account]."
            ) from error
        return cls(path, tables, dict(_locate(text, tables)))

    @property
    def folder(self) -> Path:
        """What relative paths in the file start from."""
        return self.path.parent

    @property
    def sources(self) -> tuple[Document, ...]:
        """What it was made of, the lowest first."""
        return self._sources or (self,)

    def owner_of(self, where: Where) -> Document:
        """Return what says the value at `where`, or else the nearest table around it."""
        for length in range(len(where), 0, -1):
            if where[:length] in self._owners:
                return self._owners[where[:length]]
        return self

    def folder_of(self, where: Where) -> Path:
        """Return what a relative path starts from that stands at `where`: the folder of the file that says it."""
        owner = self.owner_of(where)
        return owner.folder if owner.kind == "file" else self.folder

    def origin_of(self, where: Where) -> Origin:
        """Return where a value is from."""
        owner = self.owner_of(where)
        return Origin(owner.kind, str(owner.path), owner.line_of(where))

    def line_of(self, where: Where) -> int | None:
        """Return the line of a key, or of the nearest table around it that has one, counted from 1."""
        for length in range(len(where), 0, -1):
            if where[:length] in self._lines:
                return self._lines[where[:length]]
        return None


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    except FileNotFoundError:
        siblings = [one.name for one in path.parent.glob("*.toml")] if path.parent.is_dir() else []
        near = did_you_mean(path.name, siblings)
        raise ConfigError(f"{path}: there is no such run file. Check the path.{near}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not a text in UTF-8 (byte {error.start}). Save it as UTF-8.") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}.") from error


def _locate(text: str, tables: dict[str, Any]) -> Iterator[tuple[Where, int]]:
    """Yield where keys and tables stand.

    tomllib does not tell. This looks at headers and at the beginnings of lines, passes over texts of several lines, and
    keeps only what is really there.
    """
    found: set[Where] = set()
    counts: dict[Where, int] = {}
    table: Where = ()
    quotes = ""
    for number, line in enumerate(text.split("\n"), 1):
        if quotes:
            quotes = "" if quotes in line else quotes
            continue
        quotes = next((one for one in _LONG_QUOTES if line.count(one) % 2), "")
        header = _HEADER.fullmatch(line)
        if header:
            names = tuple(_names(header["names"]))
            if header["open"] == "[[":
                outer = _resolve(names[:-1], counts)
                counts[(*outer, names[-1])] = counts.get((*outer, names[-1]), -1) + 1
            where = _resolve(names, counts)
            if not _exists(where, tables):
                continue
            table = where
        else:
            key = _KEY.match(line)
            if not key:
                continue
            where = (*table, *_names(key["names"]))
        for length in range(len(table) + 1 if not header else 1, len(where) + 1):
            if where[:length] not in found and _exists(where[:length], tables):
                found.add(where[:length])
                yield where[:length], number


def _names(dotted: str) -> list[str]:
    return [name.strip("\"'") for name in re.findall(_NAME, dotted)]


def _resolve(names: tuple[str, ...], counts: dict[Where, int]) -> Where:
    """Add to the names of a header the numbers of the list entries that they mean: the latest of each list."""
    where: Where = ()
    for name in names:
        where = (*where, name)
        if where in counts:
            where = (*where, counts[where])
    return where


def _exists(where: Where, tables: Any) -> bool:
    node = tables
    for part in where:
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True
