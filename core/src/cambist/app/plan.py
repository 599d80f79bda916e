"""What is to be run: named and checked, not yet opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cambist.analysis import MeasureSpec
    from cambist.model.instrument import Instrument
    from cambist.strategies import Strategy

__all__ = ["HistoryPlan", "Overrides", "RunPlan", "SeriesPlan", "StrategyPlan"]


@attrs.frozen(kw_only=True)
class StrategyPlan:
    """A strategy to run.

    Attributes
    ----------
    use
        What the user called it.
    cls
        What that is.
    parameters
        Values for what the class declares; what is not among them takes its default.
    name
        Within the run; ``""`` for that of the class.
    """

    use: str
    cls: type[Strategy]
    parameters: Mapping[str, Any] = attrs.field(factory=dict)
    name: str = ""

    def describe(self) -> dict[str, Any]:
        """Return the table of a run file that says the same."""
        table: dict[str, Any] = {"use": self.use, "parameters": dict(self.parameters)}
        return {**table, "name": self.name} if self.name else table


@attrs.frozen(kw_only=True)
class HistoryPlan:
    """Recorded fills or orders to run.

    Attributes
    ----------
    kind
        ``"fills"`` or ``"orders"``.
    source
        A CSV or Parquet file, or the folder of a saved result.
    folder
        What a relative path starts from; None for the working directory.
    strategy, name
        As for `cambist.FillHistory`; ``""`` for none.
    """

    kind: str
    source: str
    folder: Path | None = None
    strategy: str = ""
    name: str = ""

    def describe(self) -> dict[str, Any]:
        """Return the table of a run file that says the same."""
        named = {"strategy": self.strategy, "name": self.name}
        return {self.kind: self.source, **{key: text for key, text in named.items() if text}}


@attrs.frozen(kw_only=True)
class SeriesPlan:
    """A series of bars to run on.

    Attributes
    ----------
    source
        A file, or ``FEED:SERIES``.
    folder
        What a relative path starts from; None for the working directory.
    symbol, timeframe, instrument
        As for `cambist.load`; None where the source knows.
    settings
        For the feed, where one opens it.
    magnify
        Finer bars to match by, as `source`; None for none.
    repair
        What is done about defects, rule by rule; see `cambist.data.repair`.
    """

    source: str
    folder: Path | None = None
    symbol: str | None = None
    timeframe: str | None = None
    instrument: Instrument | None = None
    settings: Mapping[str, Any] = attrs.field(factory=dict)
    magnify: str | None = None
    repair: Mapping[str, str] = attrs.field(factory=dict)

    def describe(self) -> dict[str, Any]:
        """Return the table of a run file that says the same; the instrument is told elsewhere in a result."""
        named = {"symbol": self.symbol, "timeframe": self.timeframe, "magnify": self.magnify}
        table = {"source": self.source, **{key: text for key, text in named.items() if text}, **self.settings}
        return {**table, "repair": dict(self.repair)} if self.repair else table


@attrs.frozen(kw_only=True)
class RunPlan:
    """Everything a backtest needs.

    Attributes
    ----------
    strategies, histories, series
        What runs on what.
    settings
        Keywords of `cambist.BacktestSettings`.
    tables
        What a run file would say for the settings that are objects (``fees``, ``slippage``, ``sizer``, ``risk``), for
        the result: so it names everything it was made with.
    output, format
        Where the result goes, or None, and how its tables are kept; see `cambist.Result.save`.
    storage
        URL of the storage that keeps the result, or ``""``; it may hold a password.
    run_file
        Where the plan is from, or None.
    analyzers
        Measures beside those of the core.
    """

    strategies: tuple[StrategyPlan, ...] = ()
    histories: tuple[HistoryPlan, ...] = ()
    series: tuple[SeriesPlan, ...] = ()
    settings: Mapping[str, Any] = attrs.field(factory=dict)
    tables: Mapping[str, Any] = attrs.field(factory=dict)
    output: Path | None = None
    format: str = "csv"
    storage: str = attrs.field(default="", repr=False)
    run_file: Path | None = None
    analyzers: tuple[MeasureSpec, ...] = ()

    def describe(self) -> dict[str, Any]:
        """Return what a result's ``settings`` say beyond `cambist.BacktestSettings`."""
        return {
            "run_file": None if self.run_file is None else str(self.run_file),
            "strategy": [strategy.describe() for strategy in self.strategies],
            "data": [series.describe() for series in self.series],
            **({"history": [history.describe() for history in self.histories]} if self.histories else {}),
            **self.tables,
        }


@attrs.frozen(kw_only=True)
class Overrides:
    """What the command line says; it wins over a run file.

    Attributes
    ----------
    strategy
        As in `StrategyPlan.use`; takes the place of every strategy of the run file. ``""`` for none.
    parameters
        Texts by name, for the one strategy there is.
    data
        Sources; take the place of every series of the run file. Empty for none.
    symbols
        For the sources, in their order; empty to leave them as they are.
    timeframe
        Of every series; ``""`` to leave it.
    magnify
        Finer bars for the sources, in their order, ``""`` for none; empty to leave them as they are.
    histories
        Take the place of every history of the run file. Empty for none.
    settings
        Keywords of `cambist.BacktestSettings`; those that were not given are not there.
    said
        What a run file would say under the same names: ``sizer``, ``calendar``, ``latency``, ``rejection``.
    output, format
        Where the result goes, or None, and how its tables are kept, or ``""``.
    storage
        URL of the storage that keeps the result, or ``""``.
    assigned
        Values for any key of the run file: ``"account.cash=5000"``.
    """

    strategy: str = ""
    parameters: Mapping[str, str] = attrs.field(factory=dict)
    data: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    timeframe: str = ""
    magnify: tuple[str, ...] = ()
    histories: tuple[HistoryPlan, ...] = ()
    settings: Mapping[str, Any] = attrs.field(factory=dict)
    said: Mapping[str, Any] = attrs.field(factory=dict)
    output: Path | None = None
    format: str = ""
    storage: str = attrs.field(default="", repr=False)
    assigned: tuple[str, ...] = ()
