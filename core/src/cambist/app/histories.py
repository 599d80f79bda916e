"""From what a user calls his records to histories of fills and orders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cambist.backtest.records.histories import FillHistory, OrderHistory

if TYPE_CHECKING:
    from cambist.app.plan import HistoryPlan
    from cambist.backtest.records.histories import History

__all__ = ["open_history"]

_KINDS = {"fills": FillHistory, "orders": OrderHistory}


def open_history(plan: HistoryPlan) -> History:
    """Read the records that a plan names.

    Raises
    ------
    DataError, ResultError
        They cannot be read, or a row is none; see `cambist.FillHistory`.
    """
    path = (plan.folder or Path()) / Path(plan.source).expanduser()
    return _KINDS[plan.kind](path, strategy=plan.strategy or None, name=plan.name or None)
