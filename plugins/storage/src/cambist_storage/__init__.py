"""Storage for Cambist: bars in Parquet files; runs, orders and bars in SQLite or PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cambist_storage.parquet.store import ParquetStorage
    from cambist_storage.sql.storage import SqlStorage

__all__ = ["open_storage"]


def open_storage(url: str) -> SqlStorage | ParquetStorage:
    """Open the storage of a URL.

    Parameters
    ----------
    url
        ``sqlite:///runs.db``, ``postgresql://user:password@host/database`` or ``parquet:///folder``.

    Raises
    ------
    ConfigError
        The URL cannot be used.
    MissingDependencyError
        The driver is not installed.
    StorageError
        It cannot be opened.
    """
    # The entry point lives in this package, and registration must stay light.
    if url.startswith("parquet:"):
        from cambist_storage.parquet.store import ParquetStorage

        return ParquetStorage(url)
    from cambist_storage.sql.storage import SqlStorage

    return SqlStorage(url)
