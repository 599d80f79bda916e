"""Connections: one engine for a URL, set up so that readers and a writer do not get into each other's way."""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from cambist.api import ConfigError, MissingDependencyError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL, Connection, Engine

__all__ = ["Database"]

_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}
#: "CAMB": what tells a file of ours from other SQLite files.
_APPLICATION_ID = 0x43414D42
#: How long a writer waits for another, ms.
_BUSY_MS = 60_000


class Database:
    """An engine, and what is said when it fails.

    Parameters
    ----------
    url
        ``sqlite:///relative.db``, ``sqlite:////absolute.db`` or ``postgresql://user:password@host/database``.
    read_only
        The database refuses whatever would change it, and how its file is kept is left as it is.

    Raises
    ------
    ConfigError
        The URL cannot be read, or names no database.
    MissingDependencyError
        The driver is not installed.

    Notes
    -----
    SQLite runs in WAL mode: any number may read while one writes, and writers queue for a minute. What is stored can be
    rebuilt from the journal, so a commit waits for the operating system and not for the disk.
    """

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self.url = _parse(url)
        self.read_only = read_only
        #: For messages; without the password.
        self.name = self.url.render_as_string(hide_password=True)
        try:
            self.engine: Engine = sa.create_engine(
                self.url.set(drivername=_DRIVERS[self.url.drivername]), **_options(self.url, read_only=read_only)
            )
        except (ModuleNotFoundError, NoSuchModuleError) as error:
            raise MissingDependencyError(
                f"{self.name}: PostgreSQL needs psycopg, which is not installed. "
                "Install it with: pip install 'cambist-storage[postgres]'"
            ) from error
        if self.is_sqlite and not read_only:
            sa.event.listen(self.engine, "connect", _set_up_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of SQLite."""
        return self.url.drivername == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a connection that sees one state of the database from its first query on."""
        with self._explained("read"), self.engine.connect() as connection:
            if self.is_sqlite:
                yield connection
            else:
                yield connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=self.read_only
                )

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that is committed at the end, and taken back if anything fails."""
        with self._explained("written to"), self.engine.connect() as connection:
            writer = connection.execution_options(cambist_writes=True)
            with writer.begin():
                yield writer

    def mark(self, connection: Connection) -> None:
        """Write into a SQLite file that it is ours."""
        if self.is_sqlite:
            connection.exec_driver_sql(f"PRAGMA application_id = {_APPLICATION_ID}")

    def is_marked(self, connection: Connection) -> bool:
        """Tell whether a SQLite file says that it is ours; a PostgreSQL database says nothing."""
        return not self.is_sqlite or connection.exec_driver_sql("PRAGMA application_id").scalar() == _APPLICATION_ID

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()

    @contextmanager
    def _explained(self, verb: str) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise StorageError(f"{self.name} cannot be {verb}: {_reason(error)}.{_remedy(error)}") from None
        except SQLAlchemyError as error:
            raise StorageError(f"{self.name} cannot be {verb}: {error}") from None


def _parse(url: str) -> URL:
    try:
        parsed = sa.make_url(url)
    except ArgumentError:
        raise ConfigError(
            "the storage URL cannot be read. Write sqlite:///runs.db or postgresql://user:password@host/database."
        ) from None
    if parsed.drivername not in _DRIVERS:
        raise ConfigError(f"the scheme {parsed.drivername!r} is none of {', '.join(_DRIVERS)}.")
    if not parsed.database or parsed.database == ":memory:":
        raise ConfigError(
            f"the storage URL {parsed.render_as_string()!r} names no database. Write sqlite:///runs.db, "
            "postgresql://user@host/database, or memory:// for what need not be kept."
        )
    return parsed


def _options(url: URL, *, read_only: bool) -> dict[str, Any]:
    if read_only:
        # Whoever reads now and then keeps no connection open meanwhile.
        return {"poolclass": sa.NullPool, **_read_only_options(url)}
    if url.drivername == "sqlite":
        return {"connect_args": {"timeout": _BUSY_MS / 1000}}
    # A connection that the server has closed meanwhile is noticed before it is used, not by a failed query.
    return {"pool_pre_ping": True, "connect_args": {"connect_timeout": 10}}


def _read_only_options(url: URL) -> dict[str, Any]:
    if url.drivername == "sqlite":
        place = f"file:{quote(str(Path(url.database or '').absolute()))}?mode=ro"
        return {"creator": partial(sqlite3.connect, place, uri=True, timeout=_BUSY_MS / 1000, check_same_thread=False)}
    return {"connect_args": {"connect_timeout": 10}}


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    # The driver would begin transactions by itself, and only before it writes: too late to queue for the lock.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}").close()
    _switch_to_wal(connection)
    for pragma in ("synchronous = NORMAL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _switch_to_wal(connection: Any) -> None:
    """Have a file keep a log of what is written.

    Of two that switch a new file at once, each reads it and wants it for itself: SQLite refuses one of them at once,
    whatever it would wait for a lock, since the other waits for it. The next attempt finds it done.
    """
    end = time.monotonic() + _BUSY_MS / 1e3
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.005)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("cambist_writes", False)
    # A reader that turned into a writer could not wait for the lock, since its view would be out of date by then.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _reason(error: DBAPIError) -> str:
    """Return the first line of what the driver says; drivers do not print passwords."""
    return str(error.orig).strip().partition("\n")[0].rstrip(".")


def _remedy(error: DBAPIError) -> str:
    text = str(error.orig).lower()
    for sign, remedy in _REMEDIES.items():
        if sign in text:
            return f" {remedy}"
    return ""


_REMEDIES = {
    "password authentication failed": "Check user and password in the URL.",
    "no password supplied": "Put a password into the URL, or into the file ~/.pgpass.",
    "does not exist": "Create it first, or check the URL.",
    "connection refused": "Is the server running, and do host and port match?",
    "could not translate host name": "Check the host in the URL.",
    "unable to open database file": "Does the folder exist, and may it be written to?",
    "file is not a database": "Give the path of another file: this one is no database of SQLite.",
    "readonly database": "Grant the permission to write the file and its folder.",
    "disk is full": "Make room; nothing of this write was kept.",
    "database is locked": "Another program has held it for a minute; end it, or wait.",
}
