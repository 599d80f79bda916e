"""Snapshots of an account as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.backtest.tables import Kind, Table
from cambist.engine.valued import AccountSnapshot, HeldAt

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["HOLDINGS", "NO_SNAPSHOTS", "SNAPSHOTS", "SnapshotTables"]

#: Columns of the two tables.
SNAPSHOTS = {
    "ts": Kind.TIME,
    "account": Kind.TEXT,
    "asset": Kind.TEXT,
    "currency": Kind.TEXT,
    **dict.fromkeys(("equity", "cash", "margin", "free", "drawdown"), Kind.FLOAT),
}
HOLDINGS = {
    "ts": Kind.TIME,
    "account": Kind.TEXT,
    "instrument": Kind.TEXT,
    "side": Kind.TEXT,
    **dict.fromkeys(("size", "average_price", "price", "unrealized"), Kind.FLOAT),
}


@attrs.frozen(eq=False, slots=True)
class SnapshotTables:
    """The snapshots of a run.

    Attributes
    ----------
    accounts, holdings
        See `SNAPSHOTS` and `HOLDINGS`.
    """

    accounts: Table
    holdings: Table

    @classmethod
    def of(cls, snapshots: Sequence[AccountSnapshot]) -> SnapshotTables:
        """Return snapshots as tables, in their order."""
        held = [(one, position) for one in snapshots for position in one.held]
        accounts: dict[str, list[object]] = {name: [getattr(one, name) for one in snapshots] for name in SNAPSHOTS}
        holdings: dict[str, list[object]] = {
            "ts": [one.ts for one, _ in held],
            "account": [one.account for one, _ in held],
            "instrument": [position.symbol for _, position in held],
            **{
                name: [getattr(position, name) for _, position in held]
                for name in ("side", "size", "average_price", "price", "unrealized")
            },
        }
        return cls(_table(SNAPSHOTS, accounts), _table(HOLDINGS, holdings))

    def __iter__(self) -> Iterator[AccountSnapshot]:
        held: dict[tuple[int, str], list[HeldAt]] = {}
        for ts, account, *position in _rows(self.holdings):
            held.setdefault((ts, account), []).append(HeldAt(*position))
        for row in _rows(self.accounts):
            one = AccountSnapshot(*row)
            yield one if one.asset else attrs.evolve(one, held=tuple(held.get(row[:2], ())))

    def of_account(self, name: str) -> SnapshotTables:
        """Return the snapshots of one account of several, as its own."""
        return SnapshotTables.of([attrs.evolve(one, account="") for one in self if one.account == name])


def _table(kinds: dict[str, Kind], columns: dict[str, list[object]]) -> Table:
    dtypes = {Kind.TIME: np.int64, Kind.FLOAT: np.float64}
    return Table(
        kinds,
        {
            name: columns[name] if kind is Kind.TEXT else np.array(columns[name], dtypes[kind])
            for name, kind in kinds.items()
        },
    )


def _rows(table: Table) -> Iterator[tuple[Any, ...]]:
    columns = (column if isinstance(column, list) else column.tolist() for column in table.columns.values())
    return zip(*columns, strict=True)


#: Of a run that took none.
NO_SNAPSHOTS = SnapshotTables.of(())
