"""What is measured: the jobs of each section, and how large they are."""

from __future__ import annotations

import attrs

from benchmarks.job import Job

__all__ = ["INSTRUMENTS", "ON_REQUEST", "SECTIONS", "Sizes", "jobs"]

#: In the order in which they are shown.
SECTIONS = (
    *("w1", "w2", "w4", "brackets", "ticks", "paths", "memory", "startup", "indicators", "journal", "storage"),
    *("data", "resampling", "sweeps", "simulator"),
)
#: Those that must be asked for, since they take minutes or much disk.
ON_REQUEST = ("ticks-file",)
#: Of the portfolio of W2.
INSTRUMENTS = 50


@attrs.frozen
class Sizes:
    """How much of each workload is played.

    Parameters
    ----------
    part
        1 for all of it, 10 for a tenth.
    """

    part: int = 1

    @property
    def w1(self) -> int:
        """Bars on which every engine runs."""
        return 100_000 // self.part

    @property
    def w1_long(self) -> int:
        """Bars on which the fast ones run."""
        return 1_000_000 // self.part

    @property
    def w2(self) -> int:
        """Bars of each instrument."""
        return 20_000 // self.part

    @property
    def w2_peer(self) -> int:
        """Bars of each instrument where backtrader takes part."""
        return 1_000 // self.part

    @property
    def w4(self) -> tuple[int, int, int]:
        """Orders, of which backtrader gets the fewest."""
        return 20_000 // self.part, 100_000 // self.part, 200_000 // self.part

    @property
    def generated(self) -> tuple[int, int]:
        """Bars of runs whose memory is compared."""
        return 1_000_000 // self.part, 5_000_000 // self.part

    @property
    def ticks(self) -> tuple[int, int]:
        """Trades or quotes in memory, and played as events."""
        return 1_000_000 // self.part, 100_000 // self.part

    @property
    def ticks_file(self) -> int:
        """Trades in a file."""
        return 10_000_000 // self.part


def jobs(section: str, sizes: Sizes) -> list[Job]:
    """Return the jobs of a section, in the order in which they take turns; a job may belong to several sections."""
    short, long = sizes.w1, sizes.w1_long
    if section == "w1":
        everybody = ("floor", "cambist", "backtesting", "backtesting-tuned", "backtrader-direct", "backtrader-pandas")
        return [
            *(Job(name, "w1", short, short) for name in everybody),
            *(Job(name, "w1", long, long) for name in ("floor", "cambist")),
        ]
    if section == "w2":
        whole, some = sizes.w2, sizes.w2_peer
        return [
            Job("cambist", "w2", whole, whole * INSTRUMENTS),
            *(Job(name, "w2", some, some * INSTRUMENTS) for name in ("cambist", "backtrader-direct")),
        ]
    if section == "w4":
        few = sizes.w4[0]
        return [
            *(Job(name, "w4", size, size) for size in sizes.w4 for name in ("floor", "cambist")),
            Job("backtrader-direct", "w4", few, few),
        ]
    if section == "brackets":
        return [Job("cambist", "brackets", size, size) for size in (short, long)]
    if section == "ticks":
        many, few = sizes.ticks
        return [
            *(Job(name, kind, many, many) for kind in ("trades", "quotes") for name in ("floor", "cambist")),
            *(Job(name, "trades", few, few) for name in ("floor", "cambist-events")),
        ]
    if section == "ticks-file":
        return [Job("cambist", "trades-file", sizes.ticks_file, sizes.ticks_file, rounds=1)]
    if section == "paths":
        ways = ("cambist", "cambist-columns", "cambist-blocks", "cambist-events")
        return [Job(name, "w1", short, short) for name in ways]
    if section == "memory":
        return [
            *(Job(name, "w1", long, long) for name in ("cambist", "cambist-columns")),
            *(Job("cambist-generated", "generated", size, size, rounds=1) for size in sizes.generated),
        ]
    return []
