"""The journal: append-only segment files on a local disk, written by one process and read by any."""

from cambist.storage.journal.files import Files
from cambist.storage.journal.folder import JournalFolder
from cambist.storage.journal.journal import Journal, JournalOptions
from cambist.storage.journal.recovery import OnDamage, Recovery
from cambist.storage.journal.snapshots import Snapshot, Snapshots
from cambist.storage.journal.writer import Health

__all__ = [
    "Files",
    "Health",
    "Journal",
    "JournalFolder",
    "JournalOptions",
    "OnDamage",
    "Recovery",
    "Snapshot",
    "Snapshots",
]
