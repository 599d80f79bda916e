"""Live trading: what drives a kernel by a venue's streams, and never loses an order."""

from cambist.live.joining import MissingBars
from cambist.live.reconcile import Difference, DifferenceKind, Policy
from cambist.live.resending import Resend
from cambist.live.run import LiveRun
from cambist.live.settings import LiveSettings, OnStop

__all__ = ["Difference", "DifferenceKind", "LiveRun", "LiveSettings", "MissingBars", "OnStop", "Policy", "Resend"]
