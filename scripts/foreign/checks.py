"""What every foreign client is asked to show, and what it saw; imported by the scripts beside it."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

__all__ = ["VENUE", "Shown"]

#: Where the venue is, and who asks: ``http``, ``ws``, ``key``, ``secret``.
VENUE: dict[str, str] = json.loads(os.environ["CAMBIST_FOREIGN_VENUE"])


class Shown:
    """Collects what was shown.

    Parameters
    ----------
    client
        Name and version, for the report.
    """

    def __init__(self, client: str) -> None:
        self.client = client
        self.count = 0
        self.failed: list[str] = []

    def that(self, what: str, holds: Any, seen: Any = "") -> None:
        """Note a claim, and whether it holds."""
        self.count += 1
        if not holds:
            self.failed.append(f"{what} (saw {seen!r})")
        print(f"  {'ok  ' if holds else 'FAIL'}  {what}" + ("" if holds else f": saw {seen!r}"), flush=True)

    def end(self) -> None:
        """Say how it went, and end the process."""
        print(f"{self.client}: {self.count - len(self.failed)} of {self.count} shown", flush=True)
        sys.exit(1 if self.failed else 0)
