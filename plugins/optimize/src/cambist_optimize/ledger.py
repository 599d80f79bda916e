"""The file by which a sweep goes on after a stop: what was asked, and every row when it was finished, as JSON lines."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.api import ConfigError, ResultError
from cambist_optimize.evaluation import Job, Row

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cambist_optimize.space import Space

__all__ = ["Ledger", "fingerprint"]


def fingerprint(job: Job, space: Space, search: Mapping[str, Any]) -> dict[str, Any]:
    """Return what must be the same for a sweep to go on: strategy, ranges, data, settings, measures, search."""
    data = hashlib.sha256()
    for bars in job.bars:
        data.update(repr((bars.instrument, str(bars.timeframe))).encode())
        for column in (bars.ts, *bars.columns.values()):
            data.update(np.ascontiguousarray(column).tobytes())
    return {
        "strategy": f"{job.strategy.__name__}",
        "ranges": {axis.name: [_plain(one) for one in axis.values] or [axis.low, axis.high] for axis in space.axes},
        "fixed": {name: _plain(value) for name, value in space.fixed.items()},
        "constraints": [one.text for one in space.constraints],
        "data": data.hexdigest(),
        "settings": {name: repr(value) for name, value in sorted(job.options.items())},
        "measures": list(job.measures),
        "objectives": [f"{one.name}:{'max' if one.maximize else 'min'}" for one in job.objectives],
        "returns": job.keeps_returns,
        "folds": [list(attrs.astuple(one)) for one in job.parts],
        "search": dict(search),
    }


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float | bool) else repr(value)


class Ledger:
    """Rows that are finished, kept on the disk.

    Parameters
    ----------
    path
        The file; made where there is none.
    about
        Of the sweep, see `fingerprint`.

    Attributes
    ----------
    known
        Rows of before, by number of the combination and fold.

    Raises
    ------
    ConfigError
        The file is of another sweep; names what differs.
    ResultError
        It cannot be read or written.
    """

    def __init__(self, path: Path, about: Mapping[str, Any]) -> None:
        self.known: dict[tuple[int, int], Row] = {}
        try:
            whole = self._read(path, about) if path.exists() else 0
            self._file = path.open("ab")
            self._file.truncate(whole)  # a line that a crash cut short is asked for again
            if not whole:
                self._write({"sweep": dict(about)})
                self._file.flush()
        except OSError as error:
            raise ResultError(f"{path}: the sweep cannot be kept there: {error}. Name another file.") from error

    def _read(self, path: Path, about: Mapping[str, Any]) -> int:
        """Take the rows of a file, and return how much of it is whole."""
        whole = 0
        for number, line in enumerate(path.read_bytes().splitlines(keepends=True)):
            if not line.endswith(b"\n"):
                break
            try:
                read = json.loads(line)
                if number == 0:
                    _compare(path, read["sweep"], about)
                else:
                    returns = read.pop("returns", None)
                    row = Row(**read, returns=None if returns is None else np.array(returns))
                    self.known[row.number, row.fold] = row
            except ConfigError:
                raise
            except (ValueError, KeyError, TypeError) as error:
                raise ResultError(
                    f"{path}, line {number + 1}: this is no file of a sweep ({error}). Name another one, or delete it."
                ) from error
            whole += len(line)
        return whole

    def add(self, rows: list[Row]) -> None:
        """Keep rows."""
        for row in rows:
            self._write(
                {
                    "number": row.number,
                    "fold": row.fold,
                    "parameters": {name: _plain(value) for name, value in row.parameters.items()},
                    "measures": row.measures,
                    "error": row.error,
                    "path": row.path,
                    "seconds": row.seconds,
                    "why": row.why,
                    "returns": None if row.returns is None else row.returns.tolist(),
                }
            )
        self._file.flush()

    def _write(self, line: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(line, default=float).encode() + b"\n")

    def close(self) -> None:
        """Make durable what was kept."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()


def _compare(path: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    same = json.loads(json.dumps(now, default=float))
    for name, value in same.items():
        if before.get(name) != value:
            told = "the bars are others" if name == "data" else f"{name} was {before.get(name)} and is {value}"
            raise ConfigError(f"{path} is of another sweep: {told}. Name another file, or delete it.")
