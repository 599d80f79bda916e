"""Which engines there are; each is imported only in the process that measures it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.job import Engine

__all__ = ["engine"]


def engine(name: str, workload: str) -> Engine:
    """Return an engine set up for a workload.

    Raises
    ------
    ValueError
        For a name or a workload that it does not have.
    """
    family, _, way = name.partition("-")
    if workload in ("trades", "quotes", "trades-file"):
        return _on_market(family, way, workload)
    if family == "floor":
        from benchmarks.engines.floor import FloorCross, FloorReplace

        return {"w1": FloorCross, "w4": FloorReplace}[workload]()
    if family == "backtrader":
        from benchmarks.engines.with_backtrader import Backtrader

        return Backtrader(workload, direct=way == "direct")
    if family == "backtesting":
        from benchmarks.engines.with_backtesting import BacktestingCross

        return BacktestingCross(tuned=way == "tuned")
    if family == "cambist":
        return _ours(way, workload)
    raise ValueError(f"there is no engine {name!r}")


def _on_market(family: str, way: str, workload: str) -> Engine:
    from benchmarks.market import CambistMarket, CambistTickFile, FloorMoves

    if family == "floor":
        return FloorMoves(workload)
    if workload == "trades-file":
        return CambistTickFile(options={"blocks": True})
    return CambistMarket(workload, {"events": True} if way == "events" else {})


def _ours(way: str, workload: str) -> Engine:
    from benchmarks.engines.ours import Cambist, GeneratedCambist

    if way == "generated":
        return GeneratedCambist()
    options = {"": {}, "columns": {}, "events": {"events": True}, "blocks": {"blocks": True}}[way]
    return Cambist(workload, options, columns=way == "columns")
