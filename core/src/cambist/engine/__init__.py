"""The kernel: events in, effects out, no I/O."""

from cambist.engine.market import MarketKernel
from cambist.engine.step import Kernel

__all__ = ["Kernel", "MarketKernel"]
