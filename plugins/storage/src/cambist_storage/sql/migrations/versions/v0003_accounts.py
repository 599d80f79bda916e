"""Positions, money and its movements tell accounts and assets apart."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_EXACT = sa.Numeric().with_variant(sa.Text(), "sqlite")

#: Table -> its columns besides ``run``, the new ones among them, and what tells rows of a run apart.
_TABLES: dict[str, tuple[list[sa.Column[object]], list[str], tuple[str, ...]]] = {
    "positions": (
        [
            sa.Column("account", sa.Text(), nullable=False),
            sa.Column("symbol", sa.Text(), nullable=False),
            sa.Column("ts", sa.BigInteger(), nullable=False),
            sa.Column("size", _EXACT, nullable=False),
            sa.Column("average_price", _EXACT, nullable=True),
        ],
        ["account"],
        ("account", "symbol", "ts"),
    ),
    "account_snapshots": (
        [
            sa.Column("account", sa.Text(), nullable=False),
            sa.Column("asset", sa.Text(), nullable=False),
            sa.Column("ts", sa.BigInteger(), nullable=False),
            sa.Column("currency", sa.Text(), nullable=False),
            sa.Column("equity", _EXACT, nullable=False),
            sa.Column("cash", _EXACT, nullable=True),
            sa.Column("margin", _EXACT, nullable=True),
            sa.Column("free", _EXACT, nullable=True),
            sa.Column("drawdown", sa.Double(), nullable=True),
        ],
        ["asset"],
        ("account", "asset", "ts"),
    ),
    "cash_flows": (
        [
            sa.Column("number", sa.BigInteger(), nullable=False),
            sa.Column("account", sa.Text(), nullable=False),
            sa.Column("ts", sa.BigInteger(), nullable=False),
            sa.Column("kind", sa.Text(), nullable=False),
            sa.Column("symbol", sa.Text(), nullable=False),
            sa.Column("asset", sa.Text(), nullable=False),
            sa.Column("amount", _EXACT, nullable=False),
            sa.Column("reason", sa.Text(), nullable=False),
        ],
        ["account"],
        ("number", "account"),
    ),
}


def upgrade() -> None:
    """Add the columns, empty where a run had one account and one asset, and make them part of the keys."""
    for name in _TABLES:
        if op.get_bind().dialect.name == "sqlite":
            _make_anew(name)
        else:
            _alter(name)


def _alter(name: str) -> None:
    _, new, key = _TABLES[name]
    for column in new:
        op.add_column(name, sa.Column(column, sa.Text(), nullable=False, server_default=""))
        op.alter_column(name, column, server_default=None)
    op.drop_constraint(op.f(f"pk_{name}"), name, type_="primary")
    op.create_primary_key(op.f(f"pk_{name}"), name, ["run", *key])


def _make_anew(name: str) -> None:
    """Make the table anew and fill it: SQLite cannot give one another key.

    In the order of https://www.sqlite.org/lang_altertable.html, so that views of users who read the table stay theirs.
    """
    columns, new, key = _TABLES[name]
    op.create_table(
        f"{name}_0003",
        sa.Column("run", _NUMBER, nullable=False),
        *(sa.Column(one.name, one.type, nullable=one.nullable) for one in columns),
        sa.ForeignKeyConstraint(["run"], ["runs.number"], name=op.f(f"fk_{name}_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", *key, name=op.f(f"pk_{name}")),
        sqlite_with_rowid=False,
    )
    old = ", ".join(f'"{name}"' for name in ["run", *(one.name for one in columns if one.name not in new)])
    names, blanks = ", ".join(f'"{one}"' for one in new), ", ".join("''" for _ in new)
    op.execute(f'INSERT INTO "{name}_0003" ({old}, {names}) SELECT {old}, {blanks} FROM "{name}"')  # noqa: S608
    op.drop_table(name)
    op.execute("PRAGMA legacy_alter_table = ON")
    op.rename_table(f"{name}_0003", name)
    op.execute("PRAGMA legacy_alter_table = OFF")
