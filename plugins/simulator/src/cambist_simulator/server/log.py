"""What came in: a ring of the latest requests with their raw bytes, and counts of all."""

from __future__ import annotations

from collections import Counter, deque
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgspec

from cambist.api import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Entry", "RequestLog"]


class Entry(msgspec.Struct, kw_only=True):
    """A REST request, a new WebSocket, or a message on one.

    Attributes
    ----------
    kind
        ``"rest"``, ``"open"`` or ``"message"``.
    at, market_at
        ns, server and market time.
    head
        Header lines as they came: (name, value).
    connection
        Of a message, the number of its WebSocket; 0 otherwise.
    answer
        Its body, of REST; at most `RequestLog.answer_bytes` of it.
    """

    number: int
    kind: str
    dialect: str
    at: int
    market_at: int
    ip: str
    method: str = ""
    path: str = ""
    query: str = ""
    head: Sequence[tuple[bytes, bytes]] = ()
    body: bytes = b""
    connection: int = 0
    status: int = 0
    answer: bytes = b""
    label: str = ""
    facts: dict[str, Any] = {}
    faults: list[str] = []

    @property
    def raw(self) -> bytes:
        """The request as it came over the wire: request line, headers, body; the text of a message."""
        if self.kind == "message":
            return self.body
        target = f"{self.path}?{self.query}" if self.query else self.path
        lines = [f"{self.method} {target} HTTP/1.1".encode("utf-8", "surrogateescape")]
        lines += [name + b": " + value for name, value in self.head]
        return b"\r\n".join(lines) + b"\r\n\r\n" + self.body

    @property
    def size(self) -> int:
        """Bytes of memory that it takes, about."""
        return 700 + len(self.body) + len(self.answer) + len(self.query) + 120 * len(self.head)

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON; bytes are text, what is no UTF-8 in them escaped."""
        return {
            "number": self.number,
            "kind": self.kind,
            "dialect": self.dialect,
            "at": self.at,
            "market_at": self.market_at,
            "ip": self.ip,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "connection": self.connection,
            "status": self.status,
            "label": self.label,
            "facts": {name: str(value) for name, value in self.facts.items()},
            "faults": self.faults,
            "raw": self.raw.decode("utf-8", "backslashreplace"),
            "answer": self.answer.decode("utf-8", "backslashreplace"),
        }


class RequestLog:
    """Keeps the latest requests and counts all.

    Parameters
    ----------
    entries, memory
        How many are kept, and how many bytes they may take together; the oldest leave first.
    answer_bytes
        Of an answer.
    path
        A file that gets every entry, one JSON object a line; None for none.

    Attributes
    ----------
    counts
        By ``"rest"``, ``"open"``, ``"message"``, and by ``"LABEL STATUS"`` of REST requests.
    """

    def __init__(
        self,
        *,
        entries: int = 20_000,
        memory: int = 64 << 20,
        answer_bytes: int = 16 << 10,
        path: Path | str | None = None,
    ) -> None:
        self._entries: deque[Entry] = deque()
        self._most, self._memory, self._size = entries, memory, 0
        self.answer_bytes = answer_bytes
        self.counts: Counter[str] = Counter()
        self._file: IO[bytes] | None = None
        if path is not None:
            try:
                self._file = Path(path).open("ab")  # noqa: SIM115 -- lives as long as the log
            except OSError as error:
                raise ParameterError(f"the log file {str(path)!r} cannot be written: {error.strerror}.") from error

    def add(self, entry: Entry) -> None:
        """Keep an entry; an answer that is too long is cut."""
        if len(entry.answer) > self.answer_bytes:
            entry.answer = entry.answer[: self.answer_bytes]
        self.counts[entry.kind] += 1
        if entry.kind == "rest":
            self.counts[f"{entry.label or entry.path[:60]} {entry.status}"] += 1
            if len(self.counts) > 10_000:  # somebody asks for ever new paths
                self._forget_rare()
        self._entries.append(entry)
        self._size += entry.size
        while len(self._entries) > self._most or (self._size > self._memory and len(self._entries) > 1):
            self._size -= self._entries.popleft().size
        if self._file is not None:
            self._file.write(msgspec.json.encode(entry.as_dict()) + b"\n")

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def entries(self, *, after: int = 0, limit: int | None = None, **wanted: Any) -> list[Entry]:
        """Return those that are kept, oldest first.

        Parameters
        ----------
        after
            Only those with a higher number.
        limit
            The latest so many.
        **wanted
            Values of attributes of `Entry`, such as ``label="order.place"`` or ``kind="message"``.
        """
        found = [
            entry
            for entry in self._entries
            if entry.number > after and all(getattr(entry, name) == value for name, value in wanted.items())
        ]
        return found if limit is None else found[-limit:] if limit else []

    def clear(self) -> None:
        """Forget what is kept; the counts go on."""
        self._entries.clear()
        self._size = 0

    def flush(self) -> None:
        """Write what is buffered to the file."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _forget_rare(self) -> None:
        self.counts = Counter(dict(self.counts.most_common(1_000)))
