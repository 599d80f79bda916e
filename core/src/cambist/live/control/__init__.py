"""Operating a live run from outside: commands, the socket they come by, the kill switch, the watch over the loop."""

from cambist.live.control.client import ControlClient, find_run, running
from cambist.live.control.companion import Control, ControlSettings
from cambist.live.control.exclusive import AccountLock, fingerprint
from cambist.live.control.places import ControlFolder, RunCard

__all__ = [
    "AccountLock",
    "Control",
    "ControlClient",
    "ControlFolder",
    "ControlSettings",
    "RunCard",
    "find_run",
    "fingerprint",
    "running",
]
