"""Views: what people ask a database of trades, ready for any SQL tool.

They reckon in floats, for people; exact figures are in the tables. They belong to no version: a store makes those that
are missing or differ.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import sqlalchemy as sa

from cambist_storage.sql.schema import METADATA

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

__all__ = ["VIEWS", "create_views", "drop_views"]

#: Name -> query; ``number(x)`` is x as a float, ``day(t)`` the UTC day of a time as text, ``time(t)`` all of it in ISO
#: 8601, ``field(d, name)`` a field of a JSON document as text, and ``counted(d, name)`` one as a whole number.
VIEWS = {
    "pnl_by_day": """
        SELECT runs.id AS run_id, day(trades.closed_at) AS day, count(*) AS trades,
               sum(number(trades.gross)) AS gross, sum(number(trades.fees)) AS fees, sum(number(trades.net)) AS net
        FROM trades JOIN runs ON runs.number = trades.run
        WHERE trades.closed_at IS NOT NULL
        GROUP BY runs.id, day(trades.closed_at)""",
    "pnl_by_strategy": """
        SELECT runs.id AS run_id, trades.strategy, count(*) AS trades,
               sum(CASE WHEN number(trades.net) > 0 THEN 1 ELSE 0 END) AS winners,
               sum(number(trades.gross)) AS gross, sum(number(trades.fees)) AS fees, sum(number(trades.net)) AS net
        FROM trades JOIN runs ON runs.number = trades.run
        WHERE trades.closed_at IS NOT NULL
        GROUP BY runs.id, trades.strategy""",
    "pnl_by_symbol": """
        SELECT runs.id AS run_id, trades.symbol, count(*) AS trades,
               sum(CASE WHEN number(trades.net) > 0 THEN 1 ELSE 0 END) AS winners,
               sum(number(trades.gross)) AS gross, sum(number(trades.fees)) AS fees, sum(number(trades.net)) AS net
        FROM trades JOIN runs ON runs.number = trades.run
        WHERE trades.closed_at IS NOT NULL
        GROUP BY runs.id, trades.symbol""",
    "fees_by_day": """
        SELECT runs.id AS run_id, day(fills.ts) AS day, fills.symbol, fills.fee_asset, fills.liquidity,
               count(*) AS fills, sum(number(fills.fee)) AS fees
        FROM fills JOIN runs ON runs.number = fills.run
        GROUP BY runs.id, day(fills.ts), fills.symbol, fills.fee_asset, fills.liquidity""",
    "slippage": """
        SELECT runs.id AS run_id, orders.id AS order_id, orders.strategy, orders.symbol, orders.side,
               number(orders.filled) AS filled, number(orders.decision_price) AS decision_price,
               number(orders.average_price) AS average_price,
               (number(orders.average_price) - number(orders.decision_price))
                   * CASE WHEN orders.side = 'buy' THEN 1 ELSE -1 END AS paid_more,
               (number(orders.average_price) / number(orders.decision_price) - 1)
                   * CASE WHEN orders.side = 'buy' THEN 10000 ELSE -10000 END AS basis_points
        FROM orders JOIN runs ON runs.number = orders.run
        WHERE orders.decision_price IS NOT NULL AND orders.average_price IS NOT NULL""",
    "order_latency": """
        SELECT runs.id AS run_id, orders.id AS order_id, orders.strategy, orders.symbol, orders.type,
               (min(CASE WHEN order_events.kind = 'OrderAccepted' THEN order_events.ts END) - orders.created_at)
                   / 1e6 AS accepted_ms,
               (min(CASE WHEN order_events.kind = 'OrderFilled' THEN order_events.ts END) - orders.created_at)
                   / 1e6 AS first_fill_ms
        FROM orders
        JOIN runs ON runs.number = orders.run
        JOIN order_events ON order_events.run = orders.run AND order_events.order_id = orders.id
        GROUP BY runs.id, orders.run, orders.id, orders.strategy, orders.symbol, orders.type, orders.created_at""",
    "risk_events": """
        SELECT runs.id AS run_id, events.number, time(events.ts) AS time, events.level, events.source,
               field(events.detail, scope) AS scope, field(events.detail, state) AS state,
               field(events.detail, reason) AS reason, events.message
        FROM events JOIN runs ON runs.number = events.run
        WHERE events.kind = 'risk'""",
    "alerts": """
        SELECT runs.id AS run_id, events.number, time(events.ts) AS time, events.level AS severity,
               field(events.detail, code) AS code, field(events.detail, scope) AS scope, events.source,
               events.message AS text
        FROM events JOIN runs ON runs.number = events.run
        WHERE events.kind = 'alert'""",
    "notifications": """
        SELECT runs.id AS run_id, events.number, time(events.ts) AS time, events.source AS channel,
               field(events.detail, outcome) AS outcome, counted(events.detail, attempts) AS attempts,
               counted(events.detail, alert) AS alert, field(events.detail, error) AS error, events.message AS text
        FROM events JOIN runs ON runs.number = events.run
        WHERE events.kind = 'notification'""",
    "audit": """
        SELECT runs.id AS run_id, events.number, time(events.ts) AS time, events.source AS who,
               events.message AS what, field(events.detail, arguments) AS arguments,
               field(events.detail, outcome) AS outcome
        FROM events JOIN runs ON runs.number = events.run
        WHERE events.kind = 'audit'""",
}

_FUNCTIONS = {
    "sqlite": {
        "number": "CAST({} AS REAL)",
        "day": "strftime('%Y-%m-%d', {} / 1000000000, 'unixepoch')",
        # The fraction is cut from the integer: a double has no room for nanoseconds of today.
        "field": "json_extract({0}, '$.{1}')",
        "counted": "CAST(json_extract({0}, '$.{1}') AS INTEGER)",
        "time": "strftime('%Y-%m-%dT%H:%M:%S', {0} / 1000000000, 'unixepoch') || printf('.%09dZ', {0} % 1000000000)",
    },
    "postgresql": {
        "number": "CAST({} AS double precision)",
        "field": "(CAST({0} AS json) ->> '{1}')",
        "counted": "CAST(CAST({0} AS json) ->> '{1}' AS bigint)",
        "day": "to_char(to_timestamp({} / 1000000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
        "time": (
            "to_char(to_timestamp({0} / 1000000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS')"
            " || '.' || lpad(({0} % 1000000000)::text, 9, '0') || 'Z'"
        ),
    },
}


def create_views(connection: Connection) -> None:
    """Make every view anew: those above, and for each table with times one that shows them readably."""
    dialect = connection.dialect.name
    queries = {name: _translated(query, dialect) for name, query in VIEWS.items()}
    for table in METADATA.sorted_tables:
        times = [column.name for column in table.columns if _is_time(column.name)]
        if times:
            queries[f"{table.name}_readable"] = _readable(table, times, dialect)
    for name, query in queries.items():
        connection.execute(sa.text(f'DROP VIEW IF EXISTS "{name}"'))
        connection.exec_driver_sql(
            f'CREATE VIEW "{name}" AS {query}'.replace("%", "%%" if dialect != "sqlite" else "%")
        )


def drop_views(connection: Connection) -> None:
    """Drop every view of ours that is there; others are left alone."""
    ours = {*VIEWS, *(f"{table.name}_readable" for table in METADATA.sorted_tables)}
    for name in sorted(ours & set(sa.inspect(connection).get_view_names())):
        connection.execute(sa.text(f'DROP VIEW "{name}"'))


def _is_time(name: str) -> bool:
    return name == "ts" or name.endswith("_at")


def _readable(table: Table, times: list[str], dialect: str) -> str:
    """Return a query of all columns, times as ISO 8601 in UTC."""
    template = _FUNCTIONS[dialect]["time"]
    columns = [
        f'{template.format(_quoted(column.name))} AS "{column.name}"' if column.name in times else _quoted(column.name)
        for column in table.columns
    ]
    return f"SELECT {', '.join(columns)} FROM {_quoted(table.name)}"  # noqa: S608 - names of our own tables


def _quoted(name: str) -> str:
    return f'"{name}"'


def _translated(query: str, dialect: str) -> str:
    """Put the database's own words for ``number(...)`` and its like."""
    for name, template in _FUNCTIONS[dialect].items():
        call = re.compile(rf"\b{name}\(([a-z_.]+)(?:, ([a-z_]+))?\)")
        query = call.sub(lambda match: template.format(*match.groups()), query)  # noqa: B023
    return query
