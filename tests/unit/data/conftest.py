from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def frame() -> pd.DataFrame:
    """Five hourly bars that are in order."""
    index = pd.date_range("2024-03-01 09:00", periods=5, freq="1h", tz="UTC")
    return pd.DataFrame(
        {
            "open": [10.0, 11.0, 12.0, 13.0, 14.0],
            "high": [11.5, 12.5, 13.5, 14.5, 15.5],
            "low": [9.5, 10.5, 11.5, 12.5, 13.5],
            "close": [11.0, 12.0, 13.0, 14.0, 15.0],
            "volume": np.arange(5) * 100.0,
        },
        index=index,
    )


@pytest.fixture
def csv_lines() -> list[str]:
    """The lines of a CSV file with four minute bars."""
    return [
        "ts,open,high,low,close,volume",
        "2024-03-01 09:30:00,10,11,9,10.5,100",
        "2024-03-01 09:31:00,10.5,12,10,11.5,200",
        "2024-03-01 09:32:00,11.5,12,11,11.25,300",
        "2024-03-01 09:33:00,11.25,11.5,10,10.1,400",
    ]


def random_bars(count=300, timeframe="1h", start="2024-01-01", seed=3):
    """Return a random walk with volume, on prices around 100."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.004, count)))
    open_ = np.concatenate([[100.0], close[:-1]])
    index = pd.date_range(start, periods=count, freq=timeframe, tz="UTC", name="time")
    return pd.DataFrame(
        {
            "open": open_,
            "high": np.maximum(open_, close) * 1.001,
            "low": np.minimum(open_, close) * 0.999,
            "close": close,
            "volume": rng.integers(100, 1_000, count).astype(float),
        },
        index=index,
    )


@pytest.fixture
def series():
    """Return what makes bars that are right, to be spoiled: ``series(count, timeframe, start, seed)``."""
    return random_bars
