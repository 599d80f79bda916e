"""The core's feeds: files, data frames, and what was fetched before."""

from __future__ import annotations

from cambist.plugins.hookspecs import hookimpl
from cambist.plugins.specs import FeedSpec

__all__ = ["cambist_feeds"]

_OPEN = "cambist.data.load:open_source"
_FILE = frozenset({"history", "blocks", "path", "offline"})
#: Files of the programs and vendors that write CSV in a way of their own.
_DIALECTS = {
    "backtrader-csv": ("open_backtrader", "Bars from a CSV file of backtrader's own form"),
    "binance-csv": ("open_binance", "Bars from a kline file of Binance's archive, zipped or not"),
    "mt4": ("open_mt4", "Bars from a CSV file that MetaTrader 4 exported"),
    "mt5": ("open_mt5", "Bars from a CSV file that MetaTrader 5 exported"),
    "sierra": ("open_sierra", "Bars from a text file that Sierra Chart exported"),
    "tradingview": ("open_tradingview", "Bars from a CSV file that TradingView exported"),
    "yahoo-csv": ("open_yahoo", "Bars from a CSV file saved from Yahoo Finance"),
}
#: Files of trades and quotes.
_MARKET = {
    "ticks": ("market:open_ticks", "Trades from a CSV, Parquet, Arrow or JSON lines file"),
    "quotes": ("market:open_quotes", "Quotes from a CSV, Parquet, Arrow or JSON lines file"),
    "book": ("market:open_book", "A recorded order book from a CSV, Parquet, Arrow or JSON lines file"),
    "csv-ticks": ("sources.dialect:open_csv_ticks", "Trades from a CSV file of a dialect, or with settings of its own"),
    "csv-quotes": ("sources.dialect:open_csv_quotes", "Quotes from a CSV file of a dialect, or with settings"),
    "mt5-ticks": ("sources.dialect:open_mt5_ticks", "Trades from a file of ticks that MetaTrader 5 exported"),
    "mt5-quotes": ("sources.dialect:open_mt5_quotes", "Quotes from a file of ticks that MetaTrader 5 exported"),
    "binance-trades": ("sources.dialect:open_binance_trades", "Trades from a file of Binance's archive, zipped or not"),
}


@hookimpl
def cambist_feeds() -> list[FeedSpec]:
    """Offer what reads bars from files and frames, told apart by what they are given, and from the cache."""
    return [
        FeedSpec(
            name="csv",
            factory="cambist.data.sources.dialect:open_csv",
            summary="Bars from a CSV file, with settings for columns, time format, zone and more",
            capabilities=_FILE,
        ),
        *(
            FeedSpec(name=name, factory=f"cambist.data.sources.dialect:{opener}", summary=told, capabilities=_FILE)
            for name, (opener, told) in _DIALECTS.items()
        ),
        *(
            FeedSpec(name=name, factory=f"cambist.data.{opener}", summary=told, capabilities=_FILE | {"market"})
            for name, (opener, told) in _MARKET.items()
        ),
        FeedSpec(name="jsonl", factory=_OPEN, summary="Bars from a file of JSON lines", capabilities=_FILE),
        FeedSpec(
            name="arrow",
            factory=_OPEN,
            summary="Bars from an Arrow IPC (Feather) file",
            capabilities=_FILE,
            requires=("cambist[parquet]",),
        ),
        FeedSpec(
            name="random",
            factory="cambist.data.generators:open_random",
            summary="Bars drawn with a seed: geometric Brownian motion, jumps, GARCH, a walk",
            capabilities=frozenset({"history", "blocks", "offline"}),
        ),
        FeedSpec(
            name="parquet",
            factory=_OPEN,
            summary="Bars from a Parquet file",
            capabilities=_FILE,
            requires=("cambist[parquet]",),
        ),
        FeedSpec(
            name="frame",
            factory=_OPEN,
            summary="Bars from a pandas data frame",
            capabilities=frozenset({"history", "blocks", "offline"}),
        ),
        FeedSpec(
            name="cache",
            factory="cambist.app.caching:open_cached",
            summary="Bars that were fetched before, by VENUE:SYMBOL:TIMEFRAME",
            capabilities=frozenset({"history", "blocks", "offline"}),
        ),
    ]
