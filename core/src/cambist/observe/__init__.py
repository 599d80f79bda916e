"""What a running system tells about itself: logs with ids and without secrets, and sinks that never stall it."""

from cambist.observe.context import log_context
from cambist.observe.logs import LEVELS, configure, get_logger
from cambist.observe.redaction import MASK, Redactor, register_secret
from cambist.observe.sinks import FullPolicy, SinkStats, SinkWorker

__all__ = [
    "LEVELS",
    "MASK",
    "FullPolicy",
    "Redactor",
    "SinkStats",
    "SinkWorker",
    "configure",
    "get_logger",
    "log_context",
    "register_secret",
]
