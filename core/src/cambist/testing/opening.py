"""Storages that a suite opens, and closes at the end of a test."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cambist.ports.storage import Storage

__all__ = ["closed_at_the_end"]


@contextmanager
def closed_at_the_end(open_storage: Callable[[], Storage]) -> Iterator[Callable[[], Storage]]:
    """Return what opens a storage, as often as a test wants; all of them are closed, twice, as each must bear."""
    with ExitStack() as stack:

        def open_one() -> Storage:
            storage = open_storage()
            stack.callback(storage.close)
            stack.callback(storage.close)
            return storage

        yield open_one
