"""From a file inside a package to columns.

The files are read as text, by their place: importing the packages would bring pandas and more, for a few thousand
rows.
"""

from __future__ import annotations

import csv
import gzip
from contextlib import contextmanager
from datetime import date, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from math import nan
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from cambist.api import DataError, MissingDependencyError
from cambist.model import COLUMNS, to_ns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cambist_samples.catalog import Sample

__all__ = ["read_columns"]

_TIME_NAMES = ("date", "datetime")


def read_columns(sample: Sample) -> tuple[NDArray[np.int64], dict[str, NDArray[np.float64]]]:
    """Read the rows of a series as they are in the file.

    Returns
    -------
    ts
        Times, ns, UTC, shape ``(n,)``. A day is its midnight, UTC, whatever hour the file gives it.
    columns
        open, high, low, close and volume, float64, shape ``(n,)`` each; an empty field or ``null`` is NaN.

    Raises
    ------
    MissingDependencyError
        The package is not installed.
    DataError
        The file is not there, or not as it is known.
    """
    with _opened(sample) as text:
        rows = csv.reader(text)
        try:
            names = [name.strip().lower() for name in next(rows)]
            time = next(names.index(name) for name in _TIME_NAMES if name in names)
            places = {name: names.index(name) for name in COLUMNS}
            if sample.ticker is not None:
                ticker = names.index("ticker")
                kept = [row for row in rows if row[ticker] == sample.ticker]
            else:
                kept = list(rows)
            ts = np.array([_time(row[time]) for row in kept], dtype=np.int64)
            columns = {name: np.array([_number(row[place]) for row in kept]) for name, place in places.items()}
        except (StopIteration, ValueError, IndexError) as error:
            raise DataError(
                f"the sample {sample.name} cannot be read: {sample.path} of {_version(sample.package)} is not the file "
                f"it was ({error}). Install the version this release of cambist-samples was made for."
            ) from error
    return ts, columns


def _number(text: str) -> float:
    return nan if text in {"", "null"} else float(text)


def _time(text: str) -> int:
    """Read ``2021-09-27 14:45:00+01:00``, ``2020-01-01``, or the hour of the close: ``4/1/2015 16:00:00``."""
    if "/" in text:
        month, day, year = text.partition(" ")[0].split("/")
        return to_ns(date(int(year), int(month), int(day)))
    return to_ns(datetime.fromisoformat(text))


@contextmanager
def _opened(sample: Sample) -> Iterator[IO[str]]:
    path = _locate(sample)
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8", newline="") as text:
            yield text
    else:
        with path.open(encoding="utf-8", newline="") as text:
            yield text


def _locate(sample: Sample) -> Path:
    found = find_spec(sample.package)
    if found is None or found.origin is None:
        raise MissingDependencyError(
            f"the sample {sample.name} lies in the package {sample.package}, which is not installed. "
            "Install it with: pip install --force-reinstall cambist-samples"
        )
    path = Path(found.origin).parent / sample.path
    if not path.is_file():
        raise DataError(
            f"the sample {sample.name} is gone: there is no {sample.path} in {_version(sample.package)}. "
            "Install the version this release of cambist-samples was made for."
        )
    return path


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return package
