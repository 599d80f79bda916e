"""Parameter sweeps for Cambist: at compiled speed, on all cores or a cluster, by grid, chance or Optuna."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cambist_optimize.evaluation import Job, Row
    from cambist_optimize.optimizing import Progress, SweepOptions, optimize
    from cambist_optimize.reruns import rerun
    from cambist_optimize.sweep import Sweep

__all__ = ["Job", "Progress", "Row", "Sweep", "SweepOptions", "optimize", "rerun"]

# The plugin's record lives in this package, and a list of all plugins must not import what makes a backtest.
_WHERE = {
    "Job": "cambist_optimize.evaluation",
    "Progress": "cambist_optimize.optimizing",
    "Row": "cambist_optimize.evaluation",
    "Sweep": "cambist_optimize.sweep",
    "SweepOptions": "cambist_optimize.optimizing",
    "optimize": "cambist_optimize.optimizing",
    "rerun": "cambist_optimize.reruns",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
