"""What this package offers to Cambist."""

from __future__ import annotations

from cambist.api import StorageSpec, hookimpl

__all__ = ["cambist_storages"]


@hookimpl
def cambist_storages() -> list[StorageSpec]:
    """Offer storage by the schemes of its URLs."""
    return [
        StorageSpec(
            name="parquet",
            factory="cambist_storage.parquet.store:ParquetStorage",
            summary="Bars in Parquet files, month by month, checksummed",
            capabilities=frozenset({"bars", "durable"}),
        )
    ]
