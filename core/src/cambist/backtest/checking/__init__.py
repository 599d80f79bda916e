"""Checks of a strategy by many runs: whether it knows the future, and how much history it takes.

Users have them as ``cambist.testing.check_lookahead`` and ``check_warmup``, and as ``cambist check``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.backtest.checking.lookahead import Coverage, Finding, LookaheadReport, find_lookahead
from cambist.backtest.checking.settling import Settling, WarmupReport, find_settling
from cambist.backtest.checking.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Coverage",
    "Finding",
    "LookaheadReport",
    "Settling",
    "Subject",
    "WarmupReport",
    "check_lookahead",
    "check_warmup",
    "find_lookahead",
    "find_settling",
]


def check_lookahead(
    strategy: Any,
    bars: Any,
    *,
    cuts: int = 20,
    every: bool = False,
    seed: int = 0,
    tolerance: float = 1e-9,
    stamps: str = "open",
    **options: Any,
) -> LookaheadReport:
    """Tell whether a strategy knows the future.

    Every line, signal and order of the run over all bars must be the same in runs over the bars up to each of several
    cuts; with ``cheat_on_open=True`` also with no more of a bar than its open.

    Parameters
    ----------
    strategy
        A strategy as for `cambist.backtest`: class, instance or a list of them; or a function that is given `bars` as
        far as they are known and returns one: so that what it computes of them beforehand is computed anew.
    bars
        As for `cambist.backtest`: DataFrame, `Bars`, file, dict or list of them.
    cuts, every, seed
        How many, half of them where something was decided, the others drawn; or at every bar: certain, and slow.
    tolerance
        By which fraction values may differ.
    stamps
        What times mean in tables that the strategy has beside its bars: ``"open"``, ``"close"`` or ``"ignore"``.
    **options
        As for `cambist.backtest`, ``instrument``, ``timeframe`` and ``magnify`` included. ``journal``, ``record``,
        ``record_lines``, ``snapshots``, ``events`` and ``blocks`` are without effect.

    Returns
    -------
    LookaheadReport
        ``clean``, ``findings``, ``coverage``; ``raise_if_found()`` for a test.

    Raises
    ------
    InputError
        For bars, options or numbers that cannot be used.
    StrategyError
        If the strategy fails over all bars.

    Notes
    -----
    Tables and arrays that the strategy holds, or reads by pandas or `cambist.load`, are shortened for each cut to what
    was known. With ``stamps="open"`` a row is known once its period, the commonest spacing of the table, has passed.

    Examples
    --------
    >>> from cambist.strategies.examples.sma_cross import SmaCross
    >>> from cambist.testing import check_lookahead
    >>> check_lookahead(SmaCross(fast=5), bars).clean
    True
    """
    subject = _subject(strategy, bars, options, stamps)
    return find_lookahead(subject, cuts=cuts, every=every, seed=seed, tolerance=tolerance)


def check_warmup(
    strategy: Any,
    bars: Any,
    *,
    starts: int = 5,
    seed: int = 0,
    tolerance: float = 1e-6,
    within: int | None = None,
    **options: Any,
) -> WarmupReport:
    """Tell how much history a strategy takes until it no longer matters where its run began.

    Runs that begin later are compared with the one that begins with the first bar, line by line and decision by
    decision.

    Parameters
    ----------
    strategy, bars, **options
        As for `check_lookahead`.
    starts
        How many later starts, all in the first half of the bars.
    seed
        Chooses them.
    tolerance
        By which fraction values may differ.
    within
        How many bars of history there will be, such as a live run fetches: more than that is not clean.

    Returns
    -------
    WarmupReport
        ``recommended``, ``settlings``, ``endless``, ``clean``.

    Raises
    ------
    InputError
        For bars, options or numbers that cannot be used, or a strategy that decides by chance.
    StrategyError
        If the strategy fails.

    Examples
    --------
    >>> from cambist.strategies.examples.sma_cross import SmaCross
    >>> from cambist.testing import check_warmup
    >>> check_warmup(SmaCross(fast=5, slow=30), bars).recommended
    30
    """
    subject = _subject(strategy, bars, options, "ignore")
    return find_settling(subject, starts=starts, seed=seed, tolerance=tolerance, within=within)


def _subject(strategy: Any, bars: Any, options: dict[str, Any], stamps: str) -> Subject:
    from cambist.backtest import BacktestSettings, _finer_sources, _sources  # the room's own

    instrument, timeframe, magnify = (options.pop(name, None) for name in ("instrument", "timeframe", "magnify"))
    settings = BacktestSettings.of(**options)
    sources = _sources(bars, instrument, timeframe)
    finer = None if magnify is None else _finer_sources(magnify, bars, len(sources))
    return Subject.of(_maker(strategy), bars, sources, settings, finer=finer, stamps=stamps)


def _maker(strategy: Any) -> Callable[[Any], list[Any]]:
    """Return what makes the strategies of a run."""
    from cambist.strategies import Strategy

    if callable(strategy) and not isinstance(strategy, type | Strategy):
        return lambda known: _listed(strategy(known))
    return lambda _: _listed(strategy)


def _listed(strategy: Any) -> list[Any]:
    return list(strategy) if isinstance(strategy, list | tuple) else [strategy]
