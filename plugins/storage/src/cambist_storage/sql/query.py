"""Bars from a query to a database, whosever it is; nothing is ever written to it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import ResourceClosedError

from cambist.api import DataError, TableHistory, choose_instrument, rows_as_table
from cambist.model import Timeframe
from cambist_storage.sql.engine import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.model import Instrument

__all__ = ["open_query"]


def open_query(
    source: str,
    *,
    query: str,
    symbol: str | None = None,
    instrument: Instrument | None = None,
    timeframe: str | Timeframe | None = None,
) -> TableHistory:
    """Return a source of the bars that a query gives.

    Parameters
    ----------
    source
        ``sqlite:///relative.db``, ``sqlite:////absolute.db`` or ``postgresql://user:password@host/database``; it is
        opened to be read only.
    query
        A SELECT whose columns have the names that `cambist.load` knows, in the order of time. Times may be timestamps,
        dates, ISO 8601 texts or numbers; prices numbers, decimals or texts.
    symbol, instrument, timeframe
        As for `cambist.load`; without a symbol it is ``"ASSET"``.

    Raises
    ------
    ConfigError
        The URL cannot be read.
    MissingDependencyError
        The driver is not installed.

    Notes
    -----
    Rows are fetched while they are read: memory does not grow with the answer. The source raises `StorageError` where
    the database or the query fails, and `DataError` where a row is no bar.
    """
    database = Database(source, read_only=True)
    return TableHistory(
        f"a query to {database.name}",
        choose_instrument(symbol, instrument),
        partial(_tables, database, query),
        None if timeframe is None else Timeframe.parse(timeframe),
    )


def _tables(database: Database, query: str, size: int) -> Iterator[dict[str, Any]]:
    with database.reading() as connection:
        result = connection.execution_options(stream_results=True).exec_driver_sql(query)
        try:
            labels = list(result.keys())
            if len(set(labels)) < len(labels):
                raise DataError(f"the query gives two columns of one name: {', '.join(labels)}. Name them with AS.")
            while rows := result.fetchmany(size):
                yield rows_as_table(labels, [tuple(row) for row in rows])
        except ResourceClosedError:
            raise DataError("the query gives no rows at all. Write a SELECT.") from None
        finally:
            result.close()
