"""Snapshots of the account at the end of each period, such as an hour or a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.backtest.account_records import AccountRecords
from cambist.engine.valued import record_of, snapshots_of
from cambist.model.times import DAY_NS, duration_ns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.backtest.account_records import FundRecorder
    from cambist.backtest.run import Run
    from cambist.engine.records import AccountValued
    from cambist.engine.valued import AccountSnapshot

__all__ = ["Snapshots"]


class Snapshots:
    """Takes snapshots of a run's account: as it stands at the last close of each period, and at the end.

    No window of the run reaches over the end of a period, nor over that of a UTC day, so that no bar asks whether one
    is over.

    Parameters
    ----------
    run
        Whose account.
    length
        Of a period, ns; they are counted from 1970, so that hours and days are those of UTC. One ends with a bar that
        closes just then.
    keep
        Whether the result is to have them; a journal has them anyhow.
    """

    def __init__(self, run: Run, length: int, *, keep: bool) -> None:
        self._run, self._length, self._keep = run, length, keep
        self._waiting: list[AccountSnapshot] = []
        self.taken: list[AccountSnapshot] = []

    @classmethod
    def of(cls, run: Run) -> Snapshots | None:
        """Return those that the settings of a run ask for, or its records; None where neither does."""
        asked = run.settings.snapshots
        if asked is None and not run.settings.keeps_records:
            return None
        return cls(run, DAY_NS if asked is None else duration_ns(asked), keep=asked is not None)

    def horizon(self, horizon: int) -> int:
        """Return how far the next window may go, at most to `horizon`, ns."""
        first = min(int(one.closes[one.at]) for one in self._run.driver.series if one.rows_left)
        return min(horizon, self._end(first, self._length), self._end(first, DAY_NS))

    @staticmethod
    def _end(ts: int, length: int) -> int:
        return ((ts - 1) // length + 1) * length

    def seen(self, ts: int) -> None:
        """Learn that the run was played up to `ts`, ns, UTC."""
        run = self._run
        run.kernel.own_clock.now = ts
        books = run.portfolio
        self._waiting = snapshots_of(books, ts)
        if isinstance(run.valuation, AccountRecords):
            for name, one in run.valuation.accounts.items():
                self._waiting += snapshots_of(one.books, ts, name)

    def turn(self, first: int) -> None:
        """Learn that the next bar or event comes at `first`, ns, UTC: whether a period is over shows now."""
        if self._waiting:
            ts = self._waiting[0].ts
            if any(self._end(ts, length) < first for length in (self._length, DAY_NS)):
                self._run.settle(first)
                self._take()

    def finish(self) -> None:
        """Take the last one: the run is over."""
        if self._waiting:
            self._run.settle(None)
            self._take()

    def _take(self) -> None:
        run = self._run
        taken = [attrs.evolve(one, drawdown=self._drawdown(one)) for one in self._waiting if not one.asset]
        assets = [one for one in self._waiting if one.asset]
        self._waiting = []
        if self._keep:
            for one in taken:
                self.taken += [one, *(own for own in assets if own.account == one.account)]
        if run.journal is not None:
            run.journal.valued(taken[0].ts, list(self._records(taken, assets)))

    def _records(self, taken: list[AccountSnapshot], assets: list[AccountSnapshot]) -> Iterator[AccountValued]:
        """Yield the records of snapshots, and of the assets of their accounts."""
        per_year = self._run.settings.periods_per_year
        for one in taken:
            curves = self._curves(one.account)
            fund = None if curves.fund is None else curves.fund[1]
            own = [asset for asset in assets if asset.account == one.account]
            yield record_of(one, own, curves.recorder, fund, per_year)

    def _drawdown(self, snapshot: AccountSnapshot) -> float:
        peak = self._curves(snapshot.account).recorder.standing().peak
        return snapshot.equity / max(peak, snapshot.equity) - 1.0

    def _curves(self, account: str) -> FundRecorder:
        """Return what records an account of several, or the whole."""
        run = self._run
        if account and isinstance(run.valuation, AccountRecords):
            return run.valuation.accounts[account].curves
        return run.curves
