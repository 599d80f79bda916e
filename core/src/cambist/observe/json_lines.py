"""Events of a run as lines of JSON in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from cambist.ports.sink import RunEvent

__all__ = ["JsonLinesSink"]


class JsonLinesSink:
    """Appends each event to a file: ``{"sequence": 7, "ts": ..., "kind": "order_filled", "fields": {...}}``.

    Each line is handed to the operating system before the next event, so that whoever follows the file sees it.

    Parameters
    ----------
    path
        Of the file; it and its folder are made at the first event.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._file: TextIO | None = None

    def take(self, event: RunEvent) -> None:
        """Append an event.

        Raises
        ------
        OSError
            It cannot be written.
        """
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a", encoding="utf-8")
        line = {"sequence": event.sequence, "ts": event.ts, "kind": event.kind, "fields": dict(event.fields)}
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        file, self._file = self._file, None
        if file is not None:
            file.close()
