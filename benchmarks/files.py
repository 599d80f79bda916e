"""Writes the small files that whole processes read: ``python -m benchmarks.files FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.data import random_walk

BARS = 1_000


def main() -> None:
    """Write ``bars.parquet`` and ``bars.csv``."""
    folder = Path(sys.argv[1])
    frame = random_walk(BARS).frame().reset_index()
    frame.to_parquet(folder / "bars.parquet", index=False)
    frame.to_csv(folder / "bars.csv", index=False)


if __name__ == "__main__":
    main()
