"""From what people have (a frame, a file, a feed) to checked bars, at once or block by block."""

from cambist.data.blocks import BLOCK_ROWS, checked_blocks, concatenate
from cambist.data.calendars import load_calendar, weekly_calendar
from cambist.data.load import load, open_source
from cambist.data.repair import RepairReport, tidy

__all__ = [
    "BLOCK_ROWS",
    "RepairReport",
    "checked_blocks",
    "concatenate",
    "load",
    "load_calendar",
    "open_source",
    "tidy",
    "weekly_calendar",
]
