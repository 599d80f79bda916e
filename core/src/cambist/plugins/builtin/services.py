"""The core's storage and its notification channel."""

from __future__ import annotations

from cambist.plugins.hookspecs import hookimpl
from cambist.plugins.specs import NotifierSpec, StorageSpec

__all__ = ["cambist_notifiers", "cambist_storages"]


@hookimpl
def cambist_storages() -> list[StorageSpec]:
    """Offer storage in memory, and state in files."""
    return [
        StorageSpec(
            name="files",
            factory="cambist.storage.state_files:FileStorage",
            summary="State in files of a folder, one for each name, checksummed",
            capabilities=frozenset({"durable", "path", "state"}),
        ),
        StorageSpec(
            name="memory",
            factory="cambist.storage.memory:MemoryStorage",
            summary="Runs, state and bars in memory, gone with the process",
            capabilities=frozenset({"bars", "runs", "state"}),
        ),
    ]


@hookimpl
def cambist_notifiers() -> list[NotifierSpec]:
    """Offer the log."""
    return [
        NotifierSpec(
            name="log",
            factory="cambist.notify.log:LogNotifier",
            summary="Writes each notice to the log",
            capabilities=frozenset({"local"}),
        )
    ]
