"""Which package to install for a component that nobody here offers."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KNOWN"]

#: (kind, name) -> distribution, for what is published.
KNOWN: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("command", "report"): "cambist-report",
        ("command", "simulate"): "cambist-simulator",
        ("feed", "akshare"): "cambist-akshare",
        ("feed", "samples"): "cambist-samples",
        ("feed", "sql"): "cambist-storage",
        ("feed", "yahoo"): "cambist-yahoo",
        ("report", "figure"): "cambist-report",
        ("report", "html"): "cambist-report",
        ("report", "notebook"): "cambist-report",
        ("session", "binance-coinm"): "cambist-binance",
        ("session", "binance-spot"): "cambist-binance",
        ("session", "binance-usdm"): "cambist-binance",
        ("session", "ccxt"): "cambist-ccxt",
        ("storage", "parquet"): "cambist-storage",
        ("storage", "postgresql"): "cambist-storage[postgres]",
        ("storage", "sqlite"): "cambist-storage",
    }
)
