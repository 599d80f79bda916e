"""Reports of Cambist's runs: one HTML file that works offline, and figures as PNG, SVG and PDF.

``result.report("out.html")`` and ``result.plot("equity", "equity.png")`` come here; so does ``cambist report``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cambist_report.comparison import write_comparison
    from cambist_report.figures import FIGURES, draw
    from cambist_report.page import write_page
    from cambist_report.sweeps import write_sweep

__version__ = "0.1.0"

_HOMES = {
    "FIGURES": "cambist_report.figures",
    "draw": "cambist_report.figures",
    "write_comparison": "cambist_report.comparison",
    "write_page": "cambist_report.page",
    "write_sweep": "cambist_report.sweeps",
}

__all__ = ["FIGURES", "__version__", "draw", "write_comparison", "write_page", "write_sweep"]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'cambist_report' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
