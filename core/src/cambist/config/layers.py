"""A run file with all that lies under and over it, and whose each value is.

From the lowest to the highest: the files that it extends, the file itself, the environment
(``CAMBIST__ACCOUNT__CASH=5000``), and what the command line sets (``--set account.cash=5000``).
"""

from __future__ import annotations

import copy
import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cambist.config.document import Document
from cambist.config.problems import is_secret_name, path_text
from cambist.config.secrets import is_reference
from cambist.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cambist.config.document import Where

__all__ = ["EXTENDS", "PREFIX", "UNSET", "WHOLE", "merges", "parse_way", "read_document", "read_value"]

#: Keys of a run file that say what lies below it.
EXTENDS, UNSET = "extends", "unset"
#: What the name of an environment variable begins with that says a value.
PREFIX = "CAMBIST__"
#: Values that may be written as tables, and are one value all the same.
WHOLE = frozenset(
    {
        ("account", "cash"),
        *(
            ("venue", name)
            for name in ("fees", "slippage", "volume_limit", "path", "latency", "rejection", "market_rules")
        ),
    }
)
_PART = re.compile(
    r"""\s*(?:(?P<bare>[A-Za-z0-9_-]+)|"(?P<double>[^"]*)"|'(?P<single>[^']*)')(?P<of>(?:\[\d+\])*)\s*"""
)
_HOW = 'Write it as messages do, such as account.cash, data[1].source or live.owners."BTC/USDT".'


def read_document(path: Path, assigned: Sequence[str] = (), environ: Mapping[str, str] = os.environ) -> Document:
    """Read a run file and all that belongs to it.

    Parameters
    ----------
    path
        Of the file.
    assigned
        What the command line sets: ``"account.cash=5000"``.
    environ
        The environment.

    Raises
    ------
    ConfigError
        A file cannot be read or is no TOML, files extend each other, or something that is to be set or left out is
        no place in it.
    """
    stack = _Stack()
    files = list(_files(path, ()))
    for document in files:
        stack.lay_file(document)
    variables = [(_way_of_variable(name), name) for name in sorted(environ) if name.startswith(PREFIX)]
    for way, name in sorted(variables, key=_settings_last):
        stack.put(Document(Path(name), {}, {}, kind="environment"), way, read_value(environ[name], way))
    for way, text in sorted(map(_assignment, assigned), key=_settings_last):
        stack.put(Document(Path(f"--set {path_text(way)}"), {}, {}, kind="option"), way, read_value(text, way))
    return Document(path, stack.tables, {}, stack.owners, tuple(stack.sources))


def _settings_last(said: tuple[Where, str]) -> bool:
    """Sort what names a component before its settings, which it would take away."""
    return said[0][-1] != "use"


def _assignment(said: str) -> tuple[Where, str]:
    """Take what the command line sets apart."""
    key, equals, text = said.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"--set {key!r} is not of the form KEY=VALUE, such as account.cash=5000. {_HOW}")
    way = parse_way(key)
    if is_secret_name(str(way[-1])) and not is_reference(text):
        raise ConfigError(
            f"--set {path_text(way)}: everybody on this machine sees a command line. Name the place of the "
            "secret, such as ${env:NAME} or ${file:/path}."
        )
    return way, text


def merges(way: Where, below: Any, above: Any) -> bool:
    """Tell whether a value is laid over another key by key; otherwise it takes its place.

    Tables are, save those that are one value (see `WHOLE`), and those that name another component by ``use``.
    """
    if not (isinstance(below, dict) and isinstance(above, dict)) or way in WHOLE:
        return False
    return "use" not in above or above["use"] == below.get("use")


def parse_way(text: str) -> Where:
    """Return the way that people write: ``data[1].instrument.tick_size``, list entries counted from 1.

    Raises
    ------
    ConfigError
        It cannot be read.
    """
    way: list[str | int] = []
    position = 0
    while True:
        part = _PART.match(text, position)
        if part is None:
            raise ConfigError(f"{text!r} names no place in a run file. {_HOW}")
        way.append(next(one for one in (part["bare"], part["double"], part["single"]) if one is not None))
        numbers = [int(one) for one in re.findall(r"\d+", part["of"])]
        if 0 in numbers:
            raise ConfigError(f"{text!r}: entries of a list are counted from 1.")
        way.extend(number - 1 for number in numbers)
        position = part.end()
        if position == len(text):
            return tuple(way)
        if text[position] != ".":
            raise ConfigError(f"{text!r} names no place in a run file. {_HOW}")
        position += 1


def read_value(text: str, way: Where) -> Any:
    """Return the value that a text says: as TOML reads it, or else the text; what is called like a secret is a text."""
    if way and is_secret_name(str(way[-1])):
        return text
    try:
        found = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return found["value"] if set(found) == {"value"} else text


def _way_of_variable(name: str) -> Where:
    parts = name.removeprefix(PREFIX).lower().split("__")
    if not all(parts) or "0" in parts:
        raise ConfigError(
            f"the environment variable {name} names no place in a run file. Write sections and keys with two "
            f"underscores between them, and count list entries from 1: {PREFIX}ACCOUNT__CASH, {PREFIX}DATA__1__SOURCE."
        )
    return tuple(int(part) - 1 if part.isdecimal() else part for part in parts)


def _files(path: Path, above: tuple[Path, ...]) -> Iterator[Document]:
    """Yield what a file extends, the lowest first, then the file."""
    seen = path.resolve()
    if seen in above:
        chain = " -> ".join(one.name for one in (*above, seen))
        raise ConfigError(f"{path} extends itself in the end: {chain}. Take one of them out of {EXTENDS}.")
    document = Document.read(path)
    said = document.tables.get(EXTENDS, [])
    names = [said] if isinstance(said, str) else said
    if not isinstance(names, list) or not all(isinstance(one, str) and one for one in names):
        where = f"{path}, line {document.line_of((EXTENDS,))}, {EXTENDS}"
        raise ConfigError(f'{where}: it takes a file, such as {EXTENDS} = "base.toml", or a list of files.')
    for name in names:
        below = Path(os.path.normpath(document.folder / Path(name).expanduser()))
        if not below.is_file():
            near = did_you_mean(below.name, [one.name for one in below.parent.glob("*.toml")])
            raise ConfigError(
                f"{path}, line {document.line_of((EXTENDS,))}, {EXTENDS}: there is no file {below}.{near}"
            )
        yield from _files(below, (*above, seen))
    yield document


class _Stack:
    """What was laid on each other so far, and whose each key is."""

    def __init__(self) -> None:
        self.tables: dict[str, Any] = {}
        self.owners: dict[Where, Document] = {}
        self.sources: list[Document] = []

    def lay_file(self, document: Document) -> None:
        """Take out what a file leaves out of what lies below it, and lay it over the rest."""
        self.sources.append(document)
        said = document.tables.get(UNSET, [])
        if not isinstance(said, list) or not all(isinstance(one, str) for one in said):
            where = f"{document.path}, line {document.line_of((UNSET,))}, {UNSET}"
            raise ConfigError(f'{where}: it takes a list of keys, such as {UNSET} = ["venue.volume_limit"].')
        for text in said:
            way = self.found(parse_way(text))
            if way is None:
                raise ConfigError(
                    f"{document.path}, line {document.line_of((UNSET,))}, {UNSET}: nothing below says {text!r}. "
                    "Correct the name, or leave it out."
                )
            self.drop(way)
        own = {key: value for key, value in document.tables.items() if key not in {EXTENDS, UNSET}}
        self.lay(document, self.tables, own, ())

    def lay(self, owner: Document, below: dict[str, Any], above: dict[str, Any], where: Where) -> None:
        """Lay tables over tables."""
        for key, value in above.items():
            way = (*where, key)
            if merges(way, below.get(key), value):
                self.owners[way] = owner
                self.lay(owner, below[key], value, way)
            else:
                self.forget(way)
                below[key] = copy.deepcopy(value)
                self.own(owner, value, way)

    def put(self, owner: Document, way: Where, value: Any) -> None:
        """Lay one value over what is there; tables around it are made."""
        self.sources.append(owner)
        node: Any = self.tables
        where: Where = ()
        steps = _fitted(owner, node, where, list(way))
        while len(steps) > 1:
            step = steps[0]
            if not isinstance(node[int(step)] if isinstance(node, list) else node.get(step), dict | list):
                self._put(owner, node, where, step, [] if isinstance(steps[1], int) else {})
            node, where = node[step], (*where, step)
            steps = _fitted(owner, node, where, steps[1:])
        if steps:
            self._put(owner, node, where, steps[0], value)
        elif isinstance(value, dict):
            self.lay(owner, node, value, where)
        else:
            raise ConfigError(f"{owner.path}: {path_text(where)} is a table. Say which of its keys.")

    def _put(self, owner: Document, node: Any, where: Where, step: str | int, value: Any) -> None:
        if isinstance(node, dict):
            above = {str(step): value}
            if where and not merges(where, node, above) and where not in WHOLE:
                node.clear()
                self.forget(where)
                self.owners[where] = owner
            self.lay(owner, node, above, where)
            return
        self.forget((*where, step))
        node[int(step)] = copy.deepcopy(value)
        self.own(owner, value, (*where, step))

    def own(self, owner: Document, value: Any, way: Where) -> None:
        """Note whose a value is, with all that is in it."""
        self.owners[way] = owner
        if isinstance(value, dict):
            for key, inner in value.items():
                self.own(owner, inner, (*way, key))

    def found(self, way: Where) -> Where | None:
        """Return the way to what is there; None where nothing is."""
        node: Any = self.tables
        for part in way:
            try:
                node = node[part]
            except (KeyError, IndexError, TypeError):
                return None
        return way

    def drop(self, way: Where) -> None:
        """Take a value out."""
        node: Any = self.tables
        for part in way[:-1]:
            node = node[part]
        del node[way[-1]]
        self.forget(way)

    def forget(self, way: Where) -> None:
        """Forget whose a value was, with all that was in it."""
        gone: Iterable[Where] = [one for one in self.owners if one[: len(way)] == way]
        for one in gone:
            del self.owners[one]


def _fitted(owner: Document, node: Any, where: Where, steps: list[str | int]) -> list[str | int]:
    """Return the steps from a table or a list on, so that a table that stands alone and a list of one are the same."""
    step = steps[0]
    if isinstance(node, dict) and isinstance(step, int):
        if step:
            raise ConfigError(f"{owner.path}: {path_text(where)} is one table, and has no entry {step + 1}.")
        return steps[1:]
    if isinstance(node, list) and isinstance(step, str):
        if len(node) > 1:
            way = path_text(where)
            raise ConfigError(f"{owner.path}: {way} is a list of {len(node)}. Say which, such as {way}[1].")
        steps, step = [0, *steps], 0
    if isinstance(node, list) and isinstance(step, int):
        if step > len(node):
            raise ConfigError(f"{owner.path}: {path_text(where)} has {len(node)} entries, and no entry {step + 1}.")
        if step == len(node):
            node.append({})
    return steps
