"""Signals may be texts, snapshots say what is free and what was held, and each day has its performance."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_EXACT = sa.Numeric().with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Change what is there, then make what is new."""
    op.add_column("account_snapshots", sa.Column("free", _EXACT, nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        _remake_signals()
    else:
        op.alter_column("signals", "value", existing_type=sa.Double(), nullable=True)
        op.add_column("signals", sa.Column("text", sa.Text(), nullable=False, server_default=""))
        op.alter_column("signals", "text", server_default=None)
    _make_position_snapshots()
    _make_daily_performance()


def _remake_signals() -> None:
    """Make the table anew: SQLite cannot let a column be NULL that could not be.

    In the order of https://www.sqlite.org/lang_altertable.html, so that views of users who read the table stay theirs.
    """
    op.create_table(
        "signals_0002",
        sa.Column("run", _NUMBER, nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.number"], name=op.f("fk_signals_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "strategy", "name", "symbol", "ts", name=op.f("pk_signals")),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO signals_0002 (run, strategy, name, symbol, ts, value, text) "
        "SELECT run, strategy, name, symbol, ts, value, '' FROM signals"
    )
    op.drop_table("signals")
    op.execute("PRAGMA legacy_alter_table = ON")
    op.rename_table("signals_0002", "signals")
    op.execute("PRAGMA legacy_alter_table = OFF")


def _make_position_snapshots() -> None:
    op.create_table(
        "position_snapshots",
        sa.Column("run", _NUMBER, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("size", _EXACT, nullable=False),
        sa.Column("average_price", _EXACT, nullable=True),
        sa.Column("price", _EXACT, nullable=True),
        sa.Column("unrealized", _EXACT, nullable=True),
        sa.ForeignKeyConstraint(["run"], ["runs.number"], name=op.f("fk_position_snapshots_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "account", "symbol", "side", "ts", name=op.f("pk_position_snapshots")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_position_snapshots_run_ts"), "position_snapshots", ["run", "ts"], unique=False)


def _make_daily_performance() -> None:
    op.create_table(
        "daily_performance",
        sa.Column("run", _NUMBER, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("equity", _EXACT, nullable=False),
        sa.Column("daily_return", sa.Double(), nullable=True),
        sa.Column("sharpe", sa.Double(), nullable=True),
        sa.Column("drawdown", sa.Double(), nullable=True),
        sa.Column("max_drawdown", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["run"], ["runs.number"], name=op.f("fk_daily_performance_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "account", "day", name=op.f("pk_daily_performance")),
        sqlite_with_rowid=False,
    )
