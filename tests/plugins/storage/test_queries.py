"""Bars from a query, to a real SQLite file and a real PostgreSQL server; neither is changed by it."""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest

from cambist import Instrument
from cambist.errors import CambistError, ConfigError, DataError, StorageError
from cambist.model import to_ns
from cambist_storage.sql.query import open_query

HOUR = 3_600 * 10**9
QUERY = "SELECT stamp AS time, o AS open, h AS high, l AS low, c AS close, v AS volume FROM prices ORDER BY stamp"


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "my prices %1?.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE prices (stamp TEXT, o REAL, h REAL, l REAL, c REAL, v INTEGER)")
        rows = [(f"2024-03-01 {hour:02}:00:00", hour + 1, hour + 2, hour + 0.5, hour + 1.5, hour) for hour in range(24)]
        connection.executemany("INSERT INTO prices VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.close()
    return path


def test_a_query_gives_bars_at_once_and_block_by_block(database):
    before = database.read_bytes()
    source = open_query(f"sqlite:///{str(database).replace('?', '%3F')}", query=QUERY, symbol="SPY")
    bars = source.load()
    assert (bars.instrument.symbol, str(bars.timeframe), len(bars)) == ("SPY", "1h", 24)
    assert bars.ts.tolist() == [to_ns("2024-03-01") + row * HOUR for row in range(24)]
    assert bars.close.tolist() == [hour + 1.5 for hour in range(24)]
    blocks = list(source.blocks(5))
    assert [len(block) for block in blocks] == [5, 5, 5, 5, 4]
    assert np.array_equal(np.concatenate([block.high for block in blocks]), bars.high)
    assert database.read_bytes() == before
    assert [path.name for path in database.parent.iterdir()] == [database.name]


@pytest.mark.parametrize(
    ("query", "error", "message"),
    [
        ("DELETE FROM prices", CambistError, "readonly|no rows at all"),
        ("SELECT x FROM nowhere", StorageError, "no such table"),
        ("SELECT stamp AS time FROM prices", DataError, "no column for open, high, low, close"),
        (QUERY.replace("h AS high", "'x' AS high"), DataError, "row 0: high is 'x'"),
        (QUERY.replace("h AS high", "h - 1.5 AS high"), DataError, r"row 0 \(2024-03-01 00:00:00.*high 0.5 is"),
        (QUERY.replace("ORDER BY stamp", "ORDER BY stamp DESC"), DataError, "timeframe cannot be told|comes before"),
        (QUERY.replace("ORDER", "WHERE 1 = 0 ORDER"), DataError, "0 bars"),
        (QUERY.replace("v AS volume", "v AS open"), DataError, "two columns of one name"),
    ],
)
def test_a_query_with_a_mistake(database, query, error, message):
    with pytest.raises(error, match=message):
        open_query(f"sqlite:///{str(database).replace('?', '%3F')}", query=query).load()
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM prices").fetchone() == (24,)
    connection.close()


def test_a_database_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(StorageError, match="Does the folder exist"):
        open_query(f"sqlite:///{tmp_path}/none.db", query=QUERY).load()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigError, match="none of"):
        open_query("mysql://host/db", query=QUERY)
    with pytest.raises(DataError, match="Give one"):
        open_query("sqlite:///a.db", query=QUERY, symbol="A", instrument=Instrument(symbol="B"))


def test_timestamps_and_decimals_of_postgresql(postgres):
    import psycopg

    url = postgres.new_database("queries")
    with psycopg.connect(url) as connection:
        columns = "stamp timestamptz, o numeric, h numeric, l numeric, c numeric, v bigint"
        connection.execute(f"CREATE TABLE prices ({columns})")
        connection.execute("CREATE SEQUENCE seen")
        connection.execute(
            "INSERT INTO prices SELECT timestamptz '2024-03-01 00:00+01' + n * interval '1 hour', "
            "n + 1.1, n + 2.2, n + 0.5, n + 1.5, n FROM generate_series(0, 99) AS n"
        )
    source = open_query(url, query=QUERY)
    bars = source.load()
    assert bars.ts[0] == to_ns("2024-03-01T00:00+01:00")
    assert bars.open.tolist() == [float(f"{row + 1}.1") for row in range(100)]
    assert sum(map(len, source.blocks(7))) == 100
    # Rows come by a cursor, which takes nothing but a SELECT, in a transaction that takes no change.
    for query, said in (("DELETE FROM prices", "syntax error"), ("SELECT nextval('seen') AS time", "read-only")):
        with pytest.raises(StorageError, match=said):
            open_query(url, query=query).load()
    assert "p@ss" not in source.name
