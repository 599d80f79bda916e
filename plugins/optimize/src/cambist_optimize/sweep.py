"""What a sweep found: a table with a row for each combination, and one for each of its folds."""

from __future__ import annotations

import json
import secrets
import time
from decimal import Decimal
from math import isfinite, isnan, nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

import cambist
from cambist.analysis import MEASURES
from cambist.api import MeasureRow, MissingDependencyError, ParameterError, ResultError, RunRecord, did_you_mean
from cambist_optimize.evaluation import Job, Row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from cambist import Bars, Result, Strategy
    from cambist.api import RunStore
    from cambist_optimize.objectives import Objective

__all__ = ["Sweep", "sample_times", "write_table"]

_FORMATS = ("parquet", "csv", "json")


@attrs.frozen(eq=False, kw_only=True)
class Sweep:
    """Every combination that was tried, and what came of it.

    Attributes
    ----------
    job
        What was the same for all of them.
    rows
        One for each combination, in the order in which they were asked for; with folds, the mean of them.
    fold_rows
        One for each combination and part of the data; empty where there was one part alone.
    stopped
        Why it ended early; ``""`` where everything asked for was tried.
    seconds
        How long it took.
    notes
        What people should know of how it was played.
    """

    job: Job
    rows: tuple[Row, ...]
    fold_rows: tuple[Row, ...] = ()
    stopped: str = ""
    seconds: float = nan
    notes: tuple[str, ...] = ()

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What it was after."""
        return self.job.objectives

    @property
    def failed(self) -> int:
        """How many combinations raised."""
        return sum(row.is_failed for row in self.rows)

    @property
    def pruned(self) -> int:
        """How many were spared some of the folds, being worse than others."""
        return sum(row.is_pruned for row in self.rows)

    @property
    def table(self) -> pd.DataFrame:
        """A row for each combination, by ``combination``, from 0 in the order of asking.

        Columns: a column for each parameter that varied, one for each measure (NaN where it failed or was not known),
        ``error`` (what was raised, ``""`` for nothing), ``path`` (``"compiled"`` or ``"engine"``)``, seconds``.
        ``table.attrs`` names them: ``parameters``, ``measures``, ``objectives``.
        """
        return self._frame(self.rows, with_folds=False)

    @property
    def folds(self) -> pd.DataFrame:
        """A row for each combination, instrument with an account of its own, and fold.

        Columns: ``instrument``, where there are several, ``fold, start, end`` (UTC), then those of `table`.
        """
        return self._frame(self.fold_rows, with_folds=True)

    def _frame(self, rows: Sequence[Row], *, with_folds: bool) -> pd.DataFrame:
        import pandas as pd

        parameters = list(dict.fromkeys(name for row in rows for name in row.parameters))
        measures = list(dict.fromkeys([*(one.name for one in self.objectives), *self.job.measures]))
        columns: dict[str, Any] = {}
        if with_folds:
            parts = [self.job.parts[row.fold] for row in rows]
            bars = [self.job.bars[one.instrument] for one in parts]
            if len(self.job.bars) > 1:
                columns["instrument"] = [one.instrument.symbol for one in bars]
            columns["fold"] = [one.fold for one in parts]
            starts = [int(one.ts[part.start]) for one, part in zip(bars, parts, strict=True)]
            ends = [int(one.close_times[part.stop - 1]) for one, part in zip(bars, parts, strict=True)]
            columns["start"], columns["end"] = (pd.to_datetime(times, utc=True) for times in (starts, ends))
        columns |= {name: [row.parameters.get(name) for row in rows] for name in parameters}
        columns |= {name: [row.measures.get(name, nan) for row in rows] for name in measures}
        columns |= {name: [getattr(row, name) for row in rows] for name in ("error", "path", "seconds")}
        index = pd.Index([row.number for row in rows], name="combination")
        frame = pd.DataFrame(columns, index=index)
        frame.attrs = {
            "parameters": parameters,
            "measures": measures,
            "objectives": {one.name: "max" if one.maximize else "min" for one in self.objectives},
        }
        return frame

    @property
    def returns(self) -> pd.DataFrame | None:
        """Daily returns: a row for each day, by the close of its last bar (UTC), a column for each combination.

        None where they were not kept. Combinations that failed or lost everything have none.
        """
        import pandas as pd

        if not self.job.keeps_returns:
            return None
        times = sample_times(self.job.bars)
        kept = {row.number: row.returns for row in self.rows if row.returns is not None}
        return pd.DataFrame(
            {number: returns for number, returns in kept.items() if len(returns) == len(times)},
            index=pd.to_datetime(times, utc=True).rename("time"),
        )

    def rerun(self, combination: int | Row | None = None, **changes: Any) -> pd.DataFrame:
        """Run a combination, the best by default, again with dearer and with later fills.

        Parameters
        ----------
        combination
            Which.
        changes
            ``fees``, ``slippage`` (factors), ``delays`` (bars) and ``measures``; see `cambist_optimize.rerun`.

        Returns
        -------
        DataFrame
            A row for each run, that without a change first.
        """
        from cambist_optimize.reruns import rerun

        return rerun(self.strategy(combination), self.job.bars, self.job.options, **changes)

    @property
    def best(self) -> Row:
        """The combination with the best first objective, the first of equals.

        Raises
        ------
        ResultError
            If none came to a number.
        """
        first, *_ = self.objectives
        found: Row | None = None
        for row in self.rows:
            value = row.measures.get(first.name, nan)
            if value == value and (found is None or first.better(value, found.measures[first.name])):  # noqa: PLR0124
                found = row
        if found is None:
            raise ResultError(self._why_none(first.name))
        return found

    def _why_none(self, name: str) -> str:
        failed = [row for row in self.rows if row.is_failed]
        if failed:
            return f"no combination came to a number for {name}; {len(failed)} failed, the first with {failed[0].error}"
        return (
            f"no combination came to a number for {name}: it is NaN for all {len(self.rows)}, as where nothing was "
            "traded. Look at sweep.table, or take another measure."
        )

    @property
    def pareto(self) -> tuple[Row, ...]:
        """The combinations that no other beats in every objective."""
        scored = [(row, self._scores(row)) for row in self.rows]
        numbers = [(row, own) for row, own in scored if not any(map(isnan, own))]
        return tuple(row for row, own in numbers if not any(_dominates(other, own) for _, other in numbers))

    def _scores(self, row: Row) -> tuple[float, ...]:
        """Return the objectives of a row, more being better."""
        return tuple(row.measures.get(one.name, nan) * (1.0 if one.maximize else -1.0) for one in self.objectives)

    def strategy(self, combination: int | Row | None = None) -> Strategy:
        """Return the strategy with the parameters of a combination; of the best by default."""
        row = self.best if combination is None else self._row(combination)
        return self.job.strategy(**{**self.job.fixed, **row.parameters})

    def result(self, combination: int | Row | None = None) -> Result:
        """Run a combination in the event engine and return its whole result; that of the best by default."""
        return cambist.backtest(self.strategy(combination), list(self.job.bars), **self.job.options)

    def _row(self, combination: int | Row) -> Row:
        if isinstance(combination, Row):
            return combination
        for row in self.rows:
            if row.number == combination:
                return row
        raise ResultError(f"there is no combination {combination}; there are {len(self.rows)}, from 0.")

    def save(self, path: str | Path) -> Path:
        """Write the table to a file by its ending: ``.parquet``, ``.csv`` or ``.json``; folds beside it.

        Returns
        -------
        Path
            The file. Beside it are ``NAME.folds.ENDING``, where there were folds, and ``NAME.returns.ENDING``, where
            daily returns were kept.

        Raises
        ------
        ParameterError
            For another ending.
        ResultError
            It cannot be written.
        """
        path = Path(path)
        write_table(self.table, path)
        if self.fold_rows:
            write_table(self.folds, path.with_suffix(f".folds{path.suffix}"))
        if self.returns is not None:
            write_table(self.returns.rename(columns=str), path.with_suffix(f".returns{path.suffix}"))
        return path

    def store(self, store: RunStore) -> str:
        """Keep every combination in a store of runs, as a run of mode ``"sweep"`` with its parameters and measures.

        Returns
        -------
        str
            The id of the sweep, with which the ids of its runs begin.
        """
        sweep = secrets.token_hex(4)
        now = time.time_ns()
        bars = self.job.bars
        for row in self.rows:
            record = RunRecord(
                id=f"{sweep}-{row.number:06d}",
                mode="sweep",
                title=f"{self.job.strategy.__name__} {' '.join(f'{k}={v}' for k, v in row.parameters.items())}",
                started_at=min(int(one.ts[0]) for one in bars),
                ended_at=max(int(one.close_times[-1]) for one in bars),
                stored_at=now,
                strategies=(
                    {
                        "name": self.job.strategy.__name__,
                        "class": self.job.strategy.__name__,
                        "parameters": {
                            name: _plain(value) for name, value in {**self.job.fixed, **row.parameters}.items()
                        },
                    },
                ),
                instruments=tuple(one.instrument.to_fields() for one in bars),
                currency=bars[0].instrument.settle,
                initial_cash=_cash(self.job.options),
                settings={"sweep": sweep, "path": row.path, **{k: _plain(v) for k, v in self.job.options.items()}},
                stopped=row.error,
                version=cambist.__version__,
            )
            store.begin(record)
            store.write(record.id, [_measure(name, value) for name, value in row.measures.items()], 0)
        return sweep

    def __repr__(self) -> str:
        end = f", {self.failed:,} failed" if self.failed else ""
        end += f", {self.pruned:,} pruned" if self.pruned else ""
        end += f", stopped: {self.stopped}" if self.stopped else ""
        return f"<Sweep of {self.job.strategy.__name__}: {len(self.rows):,} combinations{end}>"


def sample_times(bars: Sequence[Bars]) -> NDArray[np.int64]:
    """Return when the last bar of each UTC day closed, ns: the samples of an equity curve."""
    times = bars[0].close_times if len(bars) == 1 else np.unique(np.concatenate([one.close_times for one in bars]))
    days = (times - 1) // _DAY_NS
    ends: NDArray[np.int64] = times[np.flatnonzero(np.append(np.diff(days) != 0, [True]))] if len(times) else times
    return ends


#: A bar that closes at midnight belongs to the day that ends there.
_DAY_NS = 86_400_000_000_000


def _dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a >= b for a, b in zip(one, other, strict=True))


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float | bool) else repr(value)


def _cash(options: Mapping[str, Any]) -> Decimal:
    cash = options.get("cash", 100_000)
    return Decimal(str(cash)) if isinstance(cash, int | float) else Decimal(0)


def _measure(name: str, value: float) -> MeasureRow:
    unit = str(MEASURES[name].unit) if name in MEASURES else ""
    return MeasureRow(name=name, value=value if abs(value) < float("inf") else None, unit=unit)


def _json(value: Any) -> Any:
    """Return a value of a table in JSON's own types: null for what is no number, ISO 8601 for a time."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    return value.isoformat() if hasattr(value, "isoformat") else _plain(value)


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a table by the ending of its file."""
    kind = path.suffix.removeprefix(".").lower()
    if kind not in _FORMATS:
        raise ParameterError(
            f"{path}: a table is not kept as {path.suffix or 'a file without an ending'}; write .parquet, .csv or "
            f".json.{did_you_mean(kind, _FORMATS)}"
        )
    try:
        if kind == "csv":
            frame.to_csv(path)
        elif kind == "json":
            records = [
                {name: _json(value) for name, value in one.items()} for one in frame.reset_index().to_dict("records")
            ]
            path.write_text(json.dumps({**frame.attrs, "rows": records}, indent=1), encoding="utf-8")
        else:
            frame.to_parquet(path)
    except ImportError as error:
        raise MissingDependencyError("Parquet needs pyarrow: pip install 'cambist[parquet]'.") from error
    except OSError as error:
        raise ResultError(f"{path}: the table cannot be written there: {error}") from error
