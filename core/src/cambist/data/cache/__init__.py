"""History that is fetched once: what is missing, what the source revised, and reading it by name."""

from cambist.data.cache.cache import BarCache, CachedSeries
from cambist.data.cache.export import export_bars
from cambist.data.cache.fetch import FetchReport
from cambist.data.cache.history import CachedHistory
from cambist.data.cache.names import SeriesName, is_series_name, nearest_key, nearest_symbol

__all__ = [
    "BarCache",
    "CachedHistory",
    "CachedSeries",
    "FetchReport",
    "SeriesName",
    "export_bars",
    "is_series_name",
    "nearest_key",
    "nearest_symbol",
]
