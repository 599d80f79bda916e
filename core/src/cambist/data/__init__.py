"""From what people have (a frame, a file, a feed) to checked bars, trades and quotes, at once or block by block."""

from cambist.data.blocks import BLOCK_ROWS, checked_blocks, concatenate
from cambist.data.calendars import load_calendar, weekly_calendar
from cambist.data.chain import ChainedHistory, Contract, Roll, RolledHistory, chain, roll
from cambist.data.generators import RandomBars, random_bars
from cambist.data.load import load, open_source
from cambist.data.market import checked_history, open_book, open_quotes, open_ticks
from cambist.data.repair import RepairReport, tidy
from cambist.data.sources.dialect import open_csv, open_csv_quotes, open_csv_ticks
from cambist.data.sources.dialects import CsvDialect
from cambist.data.sources.tables import MarketTableHistory, TableHistory
from cambist.data.tick_bars import TickBars, tick_bars

__all__ = [
    "BLOCK_ROWS",
    "ChainedHistory",
    "Contract",
    "CsvDialect",
    "MarketTableHistory",
    "RandomBars",
    "RepairReport",
    "Roll",
    "RolledHistory",
    "TableHistory",
    "TickBars",
    "chain",
    "checked_blocks",
    "checked_history",
    "concatenate",
    "load",
    "load_calendar",
    "open_book",
    "open_csv",
    "open_csv_quotes",
    "open_csv_ticks",
    "open_quotes",
    "open_source",
    "open_ticks",
    "random_bars",
    "roll",
    "tick_bars",
    "tidy",
    "weekly_calendar",
]
