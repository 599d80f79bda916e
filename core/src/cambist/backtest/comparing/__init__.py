"""Compares two runs, category by category, to tell whether live did what the backtest said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.backtest.comparing.report import CategoryReport, ComparisonReport, Difference

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime
    from os import PathLike

    from cambist.backtest.result import Result

__all__ = ["CategoryReport", "ComparisonReport", "Difference", "compare"]


def compare(
    one: Result | str | PathLike[str],
    other: Result | str | PathLike[str],
    *,
    since: int | str | date | datetime | None = None,
    until: int | str | date | datetime | None = None,
    tolerance: float = 0.0,
    only: Sequence[str] = (),
) -> ComparisonReport:
    """Compare what two runs of the same strategies noted, asked for, got, and earned.

    What was decided is matched in its order, not by the clock: a live run decides a moment after the close of a bar, a
    backtest at it. Where something stands in one run alone, what follows is matched behind it.

    Parameters
    ----------
    one, other
        Each the result of a backtest, the folder of one that was saved, or the folder of a journal.
    since, until
        Leave out what was decided before, or from then on, in both; times as elsewhere (text is UTC).
    tolerance
        By how much prices, fees and profits may differ, as a fraction of the larger one; sizes never may.
    only
        Categories to look at, of ``"signal"``, ``"intent"``, ``"order"``, ``"fill"`` and ``"pnl"``; all of them where
        none is named.

    Returns
    -------
    ComparisonReport
        For each category what is equal, what differs and where; `str` of it is for people.

    Raises
    ------
    JournalError
        If a journal cannot be read.
    ResultError
        If a result cannot be read.
    ParameterError
        If a category is unknown, or a number is out of range.

    Examples
    --------
    >>> import cambist
    >>> from cambist.strategies.examples.sma_cross import SmaCross
    >>> result = cambist.backtest(SmaCross(fast=5), bars)
    >>> again = cambist.backtest(SmaCross(fast=5), bars, events=True, journal="again")
    >>> cambist.compare(result, "again").equal
    True
    """
    from cambist.backtest.comparing.compared import compared
    from cambist.backtest.comparing.told import told_by

    return compared(told_by(one, since, until), told_by(other, since, until), tolerance, only)
