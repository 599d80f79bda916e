"""Libraries that cost tenths of a second to import; a plugin's module names what needs them as text."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["HEAVY", "heavy_now", "weighs"]

HEAVY = frozenset(
    {
        *("aiohttp", "akshare", "apprise", "bokeh", "ccxt", "dask", "httpx", "joblib", "matplotlib", "numba", "optuna"),
        *("pandas", "plotly", "polars", "psycopg", "pyarrow", "ray", "requests", "scipy", "sklearn", "sqlalchemy"),
        *("starlette", "statsmodels", "talib", "tensorflow", "torch", "websockets", "yfinance"),
    }
)


def weighs(names: Iterable[str]) -> str:
    """Return what there is to say of a plugin whose module imports some of them."""
    return (
        f"its module imports {', '.join(names)}, which every command of cambist waits for; name factories as text, and "
        "import it where it is used"
    )


def heavy_now() -> frozenset[str]:
    """Return which of them are imported by now."""
    return HEAVY.intersection(sys.modules)
