"""The kernel: events in, effects out, no I/O."""

from cambist.engine.market import MarketKernel
from cambist.engine.opening import OpeningKernel
from cambist.engine.step import Kernel

__all__ = ["Kernel", "MarketKernel", "OpeningKernel"]
