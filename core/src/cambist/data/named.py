"""Bars by a name instead of a path: ``FEED:SERIES``, ``VENUE:SYMBOL:TIMEFRAME``."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cambist.ports.history import HistorySource

__all__ = ["is_named", "open_named"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]+:[^\\].*")
#: Who knows feeds and the cache stands above this room; as the records of plugins do, it is called by its name.
_OPENER = "cambist.app.sources:open_named"


def is_named(source: Any) -> bool:
    """Tell whether a source is a name, and no file."""
    return isinstance(source, str) and _NAME.fullmatch(source) is not None and not Path(source).exists()


def open_named(source: str, **said: Any) -> HistorySource:
    """Open what a name stands for; see `cambist.load` for what may be said of it."""
    module, _, name = _OPENER.partition(":")
    found: HistorySource = getattr(importlib.import_module(module), name)(source, **said)
    return found
