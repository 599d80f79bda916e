"""From what people have (a frame, a file, a feed) to checked bars, at once or block by block."""

from cambist.data.blocks import BLOCK_ROWS, checked_blocks, concatenate
from cambist.data.load import load, open_source
from cambist.data.repair import RepairReport, tidy

__all__ = [
    "BLOCK_ROWS",
    "RepairReport",
    "checked_blocks",
    "concatenate",
    "load",
    "open_source",
    "tidy",
]
