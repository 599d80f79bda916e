"""From what people have (a frame, a file, a feed) to checked bars, trades and quotes, at once or block by block."""

from cambist.data.blocks import BLOCK_ROWS, checked_blocks, concatenate
from cambist.data.calendars import load_calendar, weekly_calendar
from cambist.data.event_bars import EventBars, event_bars, range_bars, renko
from cambist.data.load import load, open_source
from cambist.data.market import checked_history, open_book, open_quotes, open_ticks
from cambist.data.repair import RepairReport, tidy
from cambist.data.resample import ResampledBars, resample
from cambist.data.reshape import fill_sessions, filter_sessions, heikin_ashi
from cambist.data.tick_bars import TickBars, tick_bars

__all__ = [
    "BLOCK_ROWS",
    "EventBars",
    "RepairReport",
    "ResampledBars",
    "TickBars",
    "checked_blocks",
    "checked_history",
    "concatenate",
    "event_bars",
    "fill_sessions",
    "filter_sessions",
    "heikin_ashi",
    "load",
    "load_calendar",
    "open_book",
    "open_quotes",
    "open_source",
    "open_ticks",
    "range_bars",
    "renko",
    "resample",
    "tick_bars",
    "tidy",
    "weekly_calendar",
]
