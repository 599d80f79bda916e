"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_EXACT = sa.Numeric().with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Make them; tables that others point to come first."""
    _make_bar_series()
    _make_runs()
    _make_account_snapshots()
    _make_bars()
    _make_cash_flows()
    _make_events()
    _make_fills()
    _make_measures()
    _make_order_events()
    _make_orders()
    _make_positions()
    _make_signals()
    _make_states()
    _make_strategy_states()
    _make_trades()


def _make_bar_series() -> None:
    op.create_table(
        "bar_series",
        sa.Column("number", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("venue", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("timeframe", sa.BigInteger(), nullable=False, comment="length of a bar, ns"),
        sa.Column("instrument", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_bar_series")),
    )
    op.create_index(
        op.f("ix_bar_series_venue_symbol_timeframe"), "bar_series", ["venue", "symbol", "timeframe"], unique=True
    )


def _make_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("number", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("stored_at", sa.BigInteger(), nullable=False),
        sa.Column("strategies", sa.Text(), nullable=False),
        sa.Column("instruments", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("initial_cash", _EXACT, nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("stopped", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("cursor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_runs")),
        sa.UniqueConstraint("id", name=op.f("uq_runs_id")),
    )


def _make_account_snapshots() -> None:
    op.create_table(
        "account_snapshots",
        sa.Column("run", _NUMBER, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("equity", _EXACT, nullable=False),
        sa.Column("cash", _EXACT, nullable=True),
        sa.Column("margin", _EXACT, nullable=True),
        sa.Column("drawdown", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["run"], ["runs.number"], name=op.f("fk_account_snapshots_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "account", "ts", name=op.f("pk_account_snapshots")),
        sqlite_with_rowid=False,
    )


def _make_bars() -> None:
    op.create_table(
        "bars",
        sa.Column("series", _NUMBER, nullable=False),
        sa.Column(
            "ts", sa.BigInteger(), autoincrement=False, nullable=False, comment="open time, ns since the epoch, UTC"
        ),
        sa.Column("open", sa.Double(), nullable=False),
        sa.Column("high", sa.Double(), nullable=False),
        sa.Column("low", sa.Double(), nullable=False),
        sa.Column("close", sa.Double(), nullable=False),
        sa.Column("volume", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["series"], ["bar_series.number"], name=op.f("fk_bars_series"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("series", "ts", name=op.f("pk_bars")),
        sqlite_with_rowid=False,
    )


def _make_cash_flows() -> None:
    op.create_table(
        "cash_flows",
        sa.Column("run", _NUMBER, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("amount", _EXACT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.number"], name=op.f("fk_cash_flows_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "number", name=op.f("pk_cash_flows")),
        sqlite_with_rowid=False,
    )


def _make_events() -> None:
    op.create_table(
        "events",
        sa.Column("run", _NUMBER, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.number"], name=op.f("fk_events_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "number", name=op.f("pk_events")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_events_run_kind"), "events", ["run", "kind"], unique=False)
    op.create_index(op.f("ix_events_run_ts"), "events", ["run", "ts"], unique=False)


def _make_fills() -> None:
    op.create_table(
        "fills",
        sa.Column("run", _NUMBER, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("size", _EXACT, nullable=False),
        sa.Column("price", _EXACT, nullable=False),
        sa.Column("fee", _EXACT, nullable=False),
        sa.Column("fee_asset", sa.Text(), nullable=False),
        sa.Column("liquidity", sa.Text(), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.number"], name=op.f("fk_fills_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "symbol", "id", name=op.f("pk_fills")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_fills_run_order_id"), "fills", ["run", "order_id"], unique=False)
    op.create_index(op.f("ix_fills_run_ts"), "fills", ["run", "ts"], unique=False)


def _make_measures() -> None:
    op.create_table(
        "measures",
        sa.Column("run", _NUMBER, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.number"], name=op.f("fk_measures_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "name", name=op.f("pk_measures")),
        sqlite_with_rowid=False,
    )


def _make_order_events() -> None:
    op.create_table(
        "order_events",
        sa.Column("run", _NUMBER, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.number"], name=op.f("fk_order_events_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "sequence", name=op.f("pk_order_events")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_order_events_run_order_id"), "order_events", ["run", "order_id"], unique=False)
    op.create_index(op.f("ix_order_events_run_ts"), "order_events", ["run", "ts"], unique=False)


def _make_orders() -> None:
    op.create_table(
        "orders",
        sa.Column("run", _NUMBER, nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("venue", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("size", _EXACT, nullable=False),
        sa.Column("limit_price", _EXACT, nullable=True),
        sa.Column("stop_price", _EXACT, nullable=True),
        sa.Column("time_in_force", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("reduce_only", sa.Boolean(), nullable=False),
        sa.Column("filled", _EXACT, nullable=False),
        sa.Column("average_price", _EXACT, nullable=True),
        sa.Column("fees", _EXACT, nullable=False),
        sa.Column("decision_price", _EXACT, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("parent", sa.BigInteger(), nullable=False),
        sa.Column("oco", sa.BigInteger(), nullable=False),
        sa.Column("info", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.number"], name=op.f("fk_orders_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "id", name=op.f("pk_orders")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_orders_client_id"), "orders", ["client_id"], unique=False)
    op.create_index(op.f("ix_orders_run_created_at"), "orders", ["run", "created_at"], unique=False)
    op.create_index(op.f("ix_orders_run_strategy"), "orders", ["run", "strategy"], unique=False)
    op.create_index(op.f("ix_orders_run_symbol"), "orders", ["run", "symbol"], unique=False)


def _make_positions() -> None:
    op.create_table(
        "positions",
        sa.Column("run", _NUMBER, nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("size", _EXACT, nullable=False),
        sa.Column("average_price", _EXACT, nullable=True),
        sa.ForeignKeyConstraint(["run"], ["runs.number"], name=op.f("fk_positions_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "symbol", "ts", name=op.f("pk_positions")),
        sqlite_with_rowid=False,
    )


def _make_signals() -> None:
    op.create_table(
        "signals",
        sa.Column("run", _NUMBER, nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.number"], name=op.f("fk_signals_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "strategy", "name", "symbol", "ts", name=op.f("pk_signals")),
        sqlite_with_rowid=False,
    )


def _make_states() -> None:
    op.create_table(
        "states",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_states")),
    )


def _make_strategy_states() -> None:
    op.create_table(
        "strategy_states",
        sa.Column("run", _NUMBER, nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.number"], name=op.f("fk_strategy_states_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "strategy", "sequence", name=op.f("pk_strategy_states")),
        sqlite_with_rowid=False,
    )


def _make_trades() -> None:
    op.create_table(
        "trades",
        sa.Column("run", _NUMBER, nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("size", _EXACT, nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("entry_price", _EXACT, nullable=False),
        sa.Column("exit_price", _EXACT, nullable=True),
        sa.Column("gross", _EXACT, nullable=False),
        sa.Column("fees", _EXACT, nullable=False),
        sa.Column("net", _EXACT, nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.number"], name=op.f("fk_trades_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "id", name=op.f("pk_trades")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_trades_run_closed_at"), "trades", ["run", "closed_at"], unique=False)
    op.create_index(op.f("ix_trades_run_strategy"), "trades", ["run", "strategy"], unique=False)
