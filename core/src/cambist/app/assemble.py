"""From a plan to a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from cambist.app.histories import open_history
from cambist.app.plan import RunPlan, SeriesPlan, StrategyPlan
from cambist.app.sources import feed_name, is_market, open_finer, open_series
from cambist.app.strategies import load_strategy, make_strategy, parse_parameters, source_folder
from cambist.backtest import BacktestSettings
from cambist.errors import ConfigError, StrategyError
from cambist.model.timeframe import Timeframe
from cambist.plugins.source_files import importable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cambist.app.plan import Overrides
    from cambist.backtest import Result, StopRequest
    from cambist.plugins.registry import Registry
    from cambist.ports.history import HistorySource
    from cambist.strategies import Strategy

__all__ = ["Assembly", "assemble", "make_plan"]


def make_plan(
    registry: Registry, overrides: Overrides, run_file: Path | None = None, *, needs_data: bool = True
) -> RunPlan:
    """Return the plan that a run file and the command line make together.

    Parameters
    ----------
    registry
        Knows the components.
    overrides
        What the command line says.
    run_file
        A run file, or None.
    needs_data
        Whether there must be series to run on.

    Raises
    ------
    ConfigError
        The run file has mistakes, the two do not go together, or strategy or data are missing.
    StrategyFileError, ParameterError, PluginError
        The strategy of the command line cannot be used.
    """
    plan = RunPlan()
    if run_file is not None:
        # pydantic is imported here, and only here.
        from cambist.app.runfile import read_run_file

        plan = read_run_file(run_file, registry, overrides, needs_data=needs_data)
    made: dict[str, Any] = {}
    tables: dict[str, Any] = {}
    if overrides.said:
        from cambist.app.runfile import read_settings

        made, tables = read_settings(overrides.said, registry)
    settings = {**plan.settings, **overrides.settings, **made}
    kept = {name: table for name, table in plan.tables.items() if name not in {**overrides.settings, **made}}
    histories = overrides.histories or plan.histories
    return attrs.evolve(
        plan,
        strategies=_strategies(plan, registry, overrides, needed=not histories),
        histories=histories,
        series=_series(plan, overrides, needed=needs_data),
        settings=settings,
        tables={**kept, **tables},
        output=overrides.output or plan.output,
        format=overrides.format or plan.format,
        storage=overrides.storage or plan.storage,
    )


@attrs.frozen(kw_only=True)
class Assembly:
    """A backtest, ready to run.

    Attributes
    ----------
    plan
        What it was made of.
    strategies, sources, settings, magnify
        What `cambist.backtest.run.run_backtest` takes.
    """

    plan: RunPlan
    strategies: list[Strategy]
    sources: list[HistorySource]
    settings: BacktestSettings
    magnify: Mapping[int, HistorySource] = attrs.field(factory=dict)

    def run(
        self,
        *,
        progress: Callable[[int, int | None], None] | None = None,
        stop: StopRequest | None = None,
    ) -> Result:
        """Run it; parameters and errors are those of `cambist.backtest`.

        The ``settings`` of the result name everything that the plan does: strategies, data, fees, rules.
        """
        play = self._on_market if any(map(is_market, self.sources)) else self._on_bars
        folders = [folder for folder in map(source_folder, map(type, self.strategies)) if folder is not None]
        try:
            with importable(folders):
                result = play(progress=progress, stop=stop)
        except StrategyError as error:
            if error.result is not None:
                self._finish(error.result)
            raise
        self._finish(result)
        return result

    def _finish(self, result: Result) -> None:
        """Add to a result what the plan knows, and the measures that it names."""
        result.settings.update(self.plan.describe())
        if self.plan.analyzers:
            from cambist.app.named_parts import measure_result

            measure_result(result, self.plan.analyzers)

    def _on_bars(self, **more: Any) -> Result:
        from cambist.backtest.run import run_backtest

        return run_backtest(self.strategies, self.sources, self.settings, magnify=self.magnify, **more)

    def _on_market(self, **more: Any) -> Result:
        from cambist.backtest.market import run_market_backtest

        if self.magnify:
            raise ConfigError("finer bars (magnify) are for bars: orders meet the trades and quotes of this run.")
        market: list[Any] = [one for one in self.sources if is_market(one)]
        bars = [one for one in self.sources if not is_market(one)]
        made = {one.timeframe for one, source in zip(self.plan.series, self.sources, strict=True) if is_market(source)}
        if len(made) > 1:
            lengths = " and ".join(sorted(map(str, made)))
            raise ConfigError(f"bars of {lengths} cannot be made at once. Give all trades and quotes one timeframe.")
        (said,) = made
        timeframe = None if said is None else Timeframe.parse(said)
        return run_market_backtest(self.strategies, market, self.settings, bars=bars, timeframe=timeframe, **more)


def assemble(plan: RunPlan, registry: Registry) -> Assembly:
    """Make the strategies, open the sources, check the settings.

    Raises
    ------
    InputError
        Something cannot be used.
    PluginError
        A feed is not there, or broken.
    """
    settings = BacktestSettings.of(**plan.settings)
    settings.venue_rules()  # checks what only the venue knows, before data is read
    strategies = [make_strategy(one.cls, dict(one.parameters), one.name) for one in plan.strategies]
    return Assembly(
        plan=plan,
        strategies=[*strategies, *map(open_history, plan.histories)],
        sources=open_series(plan.series, registry),
        settings=settings,
        magnify=open_finer(plan.series, registry),
    )


def _strategies(plan: RunPlan, registry: Registry, overrides: Overrides, *, needed: bool) -> tuple[StrategyPlan, ...]:
    strategies = plan.strategies
    if overrides.strategy:
        strategies = (StrategyPlan(use=overrides.strategy, cls=load_strategy(overrides.strategy, registry)),)
    if not strategies and (needed or overrides.parameters):
        raise ConfigError(
            f"there is no strategy. Name one, such as my_file.py:SmaCross{_or_table(plan, '[strategy]')}."
        )
    if not overrides.parameters:
        return strategies
    if len(strategies) > 1:
        names = ", ".join(strategy.use for strategy in strategies)
        raise ConfigError(f"--param cannot tell which of {len(strategies)} strategies it is for: {names}.")
    (strategy,) = strategies
    given: dict[str, Any] = parse_parameters(strategy.cls, dict(overrides.parameters))
    return (attrs.evolve(strategy, parameters={**strategy.parameters, **given}),)


def _series(plan: RunPlan, overrides: Overrides, *, needed: bool) -> tuple[SeriesPlan, ...]:
    series = plan.series
    if overrides.data:
        series = tuple(SeriesPlan(source=source) for source in overrides.data)
    if not series and needed:
        raise ConfigError(f"there is no data. Give --data FILE or --data samples:AAPL{_or_table(plan, '[[data]]')}.")
    if overrides.symbols:
        if len(overrides.symbols) != len(series):
            raise ConfigError(
                f"--symbol was given {len(overrides.symbols)} times for {len(series)} series. "
                "Give one for each, in their order."
            )
        series = tuple(map(_renamed, series, overrides.symbols))
    if overrides.magnify:
        series = _magnified(series, overrides.magnify)
    if overrides.timeframe:
        series = tuple(attrs.evolve(one, timeframe=overrides.timeframe) for one in series)
    return series


def _magnified(series: tuple[SeriesPlan, ...], magnify: tuple[str, ...]) -> tuple[SeriesPlan, ...]:
    if len(magnify) != len(series):
        raise ConfigError(
            f"--magnify was given {len(magnify)} times for {len(series)} series. Give one for each, in their order; "
            "none stands for no finer bars."
        )
    return tuple(
        attrs.evolve(one, magnify=_from_here(source, one)) for one, source in zip(series, magnify, strict=True)
    )


def _from_here(source: str, series: SeriesPlan) -> str | None:
    """Return a source of the working directory as one beside a series, which may be of the folder of a run file."""
    if series.folder is None or not source or feed_name(source) is not None:
        return source or None
    return str(Path(source).expanduser().absolute())


def _renamed(series: SeriesPlan, symbol: str) -> SeriesPlan:
    if series.instrument is None:
        return attrs.evolve(series, symbol=symbol)
    return attrs.evolve(series, instrument=attrs.evolve(series.instrument, symbol=symbol))


def _or_table(plan: RunPlan, table: str) -> str:
    return f", or add {table} to {plan.run_file}" if plan.run_file else ""
