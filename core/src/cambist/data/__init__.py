"""From what people have (a frame, a file, a feed) to checked bars, trades and quotes, at once or block by block."""

from cambist.data.blocks import BLOCK_ROWS, checked_blocks, concatenate
from cambist.data.calendars import load_calendar, weekly_calendar
from cambist.data.chain import ChainedHistory, Contract, Roll, RolledHistory, chain, roll
from cambist.data.checks.check import check
from cambist.data.checks.overlap import Overlap, compare_sources, switch_source
from cambist.data.checks.policy import Action, Change
from cambist.data.checks.raw import RawBars, read_raw
from cambist.data.checks.repairing import Repaired, repair
from cambist.data.checks.report import CheckReport, Defect
from cambist.data.checks.stream import BarStream
from cambist.data.event_bars import EventBars, event_bars, range_bars, renko
from cambist.data.generators import RandomBars, random_bars
from cambist.data.load import load, open_source
from cambist.data.market import checked_history, open_book, open_quotes, open_ticks
from cambist.data.resample import ResampledBars, resample
from cambist.data.reshape import fill_sessions, filter_sessions, heikin_ashi
from cambist.data.sources.dialect import open_csv, open_csv_quotes, open_csv_ticks
from cambist.data.sources.dialects import CsvDialect
from cambist.data.sources.tables import MarketTableHistory, TableHistory
from cambist.data.tick_bars import TickBars, tick_bars
from cambist.data.tidying import RepairReport, tidy

__all__ = [
    "BLOCK_ROWS",
    "Action",
    "BarStream",
    "ChainedHistory",
    "Change",
    "CheckReport",
    "Contract",
    "CsvDialect",
    "Defect",
    "EventBars",
    "MarketTableHistory",
    "Overlap",
    "RandomBars",
    "RawBars",
    "RepairReport",
    "Repaired",
    "ResampledBars",
    "Roll",
    "RolledHistory",
    "TableHistory",
    "TickBars",
    "chain",
    "check",
    "checked_blocks",
    "checked_history",
    "compare_sources",
    "concatenate",
    "event_bars",
    "fill_sessions",
    "filter_sessions",
    "heikin_ashi",
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
    "range_bars",
    "read_raw",
    "renko",
    "repair",
    "resample",
    "roll",
    "switch_source",
    "tick_bars",
    "tidy",
    "weekly_calendar",
]
