"""The kernel: events in, effects out, no I/O."""

from cambist.engine.step import Kernel

__all__ = ["Kernel"]
