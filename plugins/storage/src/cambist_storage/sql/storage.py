"""The storage of ``sqlite:`` and ``postgresql:`` URLs."""

from __future__ import annotations

from cambist.api import StorageError
from cambist_storage.sql.bars import SqlBarStore
from cambist_storage.sql.engine import Database
from cambist_storage.sql.migrate import HEAD, prepare, refuse_newer, upgrade, version_of
from cambist_storage.sql.runs import SqlRunStore
from cambist_storage.sql.state import SqlStateStore

__all__ = ["SqlStorage"]


class SqlStorage:
    """Runs, state and bars in one database.

    Parameters
    ----------
    url
        ``sqlite:///relative.db``, ``sqlite:////absolute.db`` or ``postgresql://user:password@host/database``. The
        tables are made when they are missing.

    Raises
    ------
    ConfigError
        The URL cannot be used.
    MissingDependencyError
        The driver is not installed.
    StorageError
        The database cannot be reached, is not of Cambist, or is of another version.
    """

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        try:
            prepare(self.database)
        except BaseException:
            self.database.close()
            raise
        self.runs = SqlRunStore(self.database)
        self.state = SqlStateStore(self.database)
        self.bars = SqlBarStore(self.database)

    @staticmethod
    def upgrade(url: str) -> str:
        """Bring a database's tables to the newest version, and say what was done.

        Raises
        ------
        StorageError
            It holds nothing of Cambist, or a migration failed; then nothing was changed.
        """
        database = Database(url)
        try:
            before = version_of(database)
            if before is None:
                raise StorageError(f"{database.name}: there is nothing of Cambist to upgrade.")
            if before == HEAD:
                return f"{database.name} is of version {HEAD}, which is the newest"
            refuse_newer(database, before)
            upgrade(database)
            return f"{database.name} was of version {before} and is of {HEAD} now"
        finally:
            database.close()

    def close(self) -> None:
        """Let go of every connection; a second call does nothing."""
        self.database.close()
