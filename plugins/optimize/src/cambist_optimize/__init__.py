"""Parameter sweeps for Cambist: at compiled speed, on all cores or a cluster, by grid, chance or Optuna."""

from __future__ import annotations

from cambist_optimize.evaluation import Job, Row
from cambist_optimize.optimizing import Progress, SweepOptions, optimize
from cambist_optimize.reruns import rerun
from cambist_optimize.sweep import Sweep

__all__ = ["Job", "Progress", "Row", "Sweep", "SweepOptions", "optimize", "rerun"]
