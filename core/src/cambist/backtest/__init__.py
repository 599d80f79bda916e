"""Backtests: a kernel and a simulated venue, moved through recorded bars, trades or quotes."""

from __future__ import annotations

import sys
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any, Unpack

from cambist.backtest.driver import StopRequest
from cambist.backtest.result import Result
from cambist.backtest.settings import BacktestOptions, BacktestSettings
from cambist.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.model.instrument import Instrument
    from cambist.model.timeframe import Timeframe
    from cambist.ports.history import HistorySource, MarketSource
    from cambist.strategies import Strategy

__all__ = ["BacktestOptions", "BacktestSettings", "Result", "StopRequest", "backtest"]


def backtest(
    strategy: Strategy | type[Strategy] | list[Strategy | type[Strategy]],
    bars: Any,
    *,
    instrument: Instrument | None = None,
    timeframe: str | Timeframe | None = None,
    magnify: Any = None,
    progress: Callable[[int, int | None], None] | None = None,
    stop: StopRequest | None = None,
    **options: Unpack[BacktestOptions],
) -> Result:
    """Run a strategy, or several in one account, over bars, or over trades, quotes and order books.

    Parameters
    ----------
    strategy
        An instance, a class (run with its defaults), or a list of them. The run works on fresh copies.
    bars
        `Bars`, a DataFrame, the path of a CSV or Parquet file, or anything with ``blocks()``. A list of them, or
        a dict by symbol, runs on several instruments. Or `Ticks`, `Quotes`, `BookUpdates` and what `open_ticks`,
        `open_quotes` and `open_book` return, several of them too, with bars beside them: strategies then trade in
        `on_tick`, `on_quote`, `on_book` and `on_bar`, and orders meet trades, quotes and books.
    instrument, timeframe
        Of a DataFrame or file: what was traded and how long a bar is. Default: an instrument without tick
        size and with a step of 1e-8, and the commonest spacing of the bars. With trades or quotes `timeframe` is that
        of bars to be made of them.
    magnify
        Finer bars by which orders are matched inside each bar, in the form that `bars` has; None in a list for none.
    progress
        Called now and then with the bars played and the bars there are.
    stop
        Call it, from another thread or a signal handler, to end the run early with a result.
    **options
        Everything in `BacktestSettings`, such as ``cash=100_000, fees=0.001``.

    Returns
    -------
    Result
        Summary, equity, trades, orders and fills.

    Raises
    ------
    DataError
        For bars that no strategy should see: names the row, its time and the value.
    ParameterError
        For an option that is unknown or out of range.
    StrategyError
        If the strategy raises: names strategy, bar time and line. ``error.result`` holds what was done.

    Examples
    --------
    >>> import cambist
    >>> from cambist.strategies.examples.sma_cross import SmaCross
    >>> result = cambist.backtest(SmaCross(fast=5), bars, cash=100_000, fees=0.001)
    >>> trades = result.summary["trades"]
    """
    strategies = list(strategy) if isinstance(strategy, list | tuple) else [strategy]
    settings = BacktestSettings.of(**options)
    run, sources = _opened(bars, instrument, timeframe, {} if magnify is None else {"magnify": magnify})
    return run(strategies, sources, settings, progress=progress, stop=stop)


def _opened(
    data: Any, instrument: Instrument | None, timeframe: str | Timeframe | None, of_bars: dict[str, Any]
) -> tuple[Callable[..., Result], Sequence[Any]]:
    """Return what runs on this kind of data, and its sources."""
    market, bars = _parted(data)
    if market:
        from cambist.backtest.market import run_market_backtest
        from cambist.model.timeframe import Timeframe

        _refuse_for_market(
            {"instrument": instrument, **of_bars, "a name for each": data if isinstance(data, dict) else None}
        )
        made = None if timeframe is None else Timeframe.parse(timeframe)
        return partial(run_market_backtest, bars=_sources(bars, None, None), timeframe=made), market
    from cambist.backtest.run import run_backtest

    sources = _sources(data, instrument, timeframe)
    if not of_bars:
        return run_backtest, sources
    return partial(run_backtest, magnify=_finer_sources(of_bars["magnify"], data, len(sources))), sources


_MARKET = ("ticks", "quotes", "book")


def _parted(data: Any) -> tuple[list[MarketSource], list[Any]]:
    """Return the sources of trades and quotes, and all others."""
    given = list(data.values()) if isinstance(data, dict) else list(data) if isinstance(data, list | tuple) else [data]
    # A DataFrame has the attribute too where it has such a column.
    market = [one for one in given if isinstance(kind := getattr(one, "kind", None), str) and kind in _MARKET]
    return market, [one for one in given if not any(one is other for other in market)]


def _refuse_for_market(options: dict[str, Any]) -> None:
    for name, value in options.items():
        if value is not None:
            raise InputError(f"trades and quotes say themselves what they are of; leave out {name}, and give a list.")


def _sources(bars: Any, instrument: Instrument | None, timeframe: str | Timeframe | None) -> list[HistorySource]:
    from cambist.data.load import open_source

    if isinstance(bars, dict):
        return [open_source(one, symbol=_symbol_for(name, one), timeframe=timeframe) for name, one in bars.items()]
    if isinstance(bars, list | tuple):
        return [open_source(one, timeframe=timeframe) for one in bars]
    return [open_source(bars, instrument=instrument, timeframe=timeframe)]


def _finer_sources(magnify: Any, bars: Any, count: int) -> dict[int, HistorySource]:
    """Return the sources of finer bars by the number of the series they are for."""
    from cambist.data.load import open_source

    if isinstance(bars, dict) and isinstance(magnify, dict):
        names = list(bars)
        for name in magnify:
            if name not in names:
                raise InputError(f"magnify has bars for {name!r}, which is not traded.{did_you_mean(str(name), names)}")
        chosen = {names.index(name): one for name, one in magnify.items()}
    else:
        listed = list(magnify) if isinstance(magnify, list | tuple) else [magnify]
        if isinstance(magnify, dict) or len(listed) != count:
            raise InputError(
                f"magnify is a {type(magnify).__name__} for {count} series; give finer bars in the form that bars has: "
                "a dict by symbol, or a list with None where there are none."
            )
        chosen = dict(enumerate(listed))
    return {number: open_source(one) for number, one in chosen.items() if one is not None}


class _CallableModule(ModuleType):
    """The type of this module: calling it is calling `backtest`.

    ``cambist.backtest`` is a function to the user and a package to the import system, which sets the attribute
    to the package whenever anything in it is imported first. So that both are right, the package can be called.
    """

    __call__ = staticmethod(backtest)


sys.modules[__name__].__class__ = _CallableModule


def _symbol_for(name: str, source: Any) -> str | None:
    """Return the symbol for a source that has no instrument of its own, or whose own must be that one."""
    from cambist.model.bars import Bars

    return name if isinstance(source, Bars) or not hasattr(source, "blocks") else None
