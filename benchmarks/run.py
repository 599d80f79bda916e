"""Run the benchmarks by path: ``python benchmarks/run.py`` is ``python -m benchmarks``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks.__main__ import main  # noqa: E402 - the folder above must be on the path first

sys.exit(main())
