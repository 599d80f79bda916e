"""What this package offers to Cambist."""

from __future__ import annotations

from cambist.api import FeedSpec, StorageSpec, hookimpl

__all__ = ["cambist_feeds", "cambist_storages"]


@hookimpl
def cambist_feeds() -> list[FeedSpec]:
    """Offer bars from a query."""
    return [
        FeedSpec(
            name="sql",
            factory="cambist_storage.sql.query:open_query",
            summary="Bars from a query to a database of SQLite or PostgreSQL",
            conformance="cambist_storage.conformance",
            capabilities=frozenset({"history", "blocks"}),
        )
    ]


@hookimpl
def cambist_storages() -> list[StorageSpec]:
    """Offer storage by the schemes of its URLs."""
    return [
        StorageSpec(
            name="parquet",
            factory="cambist_storage.parquet.store:ParquetStorage",
            summary="Bars in Parquet files, month by month, checksummed",
            conformance="cambist_storage.conformance",
            capabilities=frozenset({"bars", "durable", "path"}),
        ),
        StorageSpec(
            name="sqlite",
            factory="cambist_storage.sql.storage:SqlStorage",
            summary="Runs, state and bars in a file of SQLite",
            conformance="cambist_storage.conformance",
            capabilities=frozenset({"bars", "durable", "path", "runs", "state", "versioned"}),
        ),
        StorageSpec(
            name="postgresql",
            factory="cambist_storage.sql.storage:SqlStorage",
            summary="Runs, state and bars in a database of PostgreSQL",
            conformance="cambist_storage.conformance",
            capabilities=frozenset({"bars", "durable", "runs", "state", "versioned"}),
        ),
    ]
