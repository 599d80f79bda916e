"""Columns of pandas as plain arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["floats", "ns_of"]


def floats(values: Any) -> NDArray[np.float64]:
    """Return numbers as float64, without a copy where they are."""
    return np.asarray(values, np.float64)


def ns_of(index: Any) -> NDArray[np.int64]:
    """Return times of pandas, ns, UTC."""
    return pd.DatetimeIndex(index).as_unit("ns").asi8
