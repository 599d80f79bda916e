"""What people name, found among everything that is installed: for plugins with commands and functions of their own."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from cambist.ports.history import HistorySource
    from cambist.ports.storage import Storage
    from cambist.strategies import Strategy

__all__ = ["BacktestInFile", "backtest_in_file", "open_storage", "strategy_named"]

#: Settings that are about one run, and not about how it is played.
_OF_ONE_RUN = frozenset({"journal", "record", "record_lines", "snapshots", "sinks", "events"})


@attrs.frozen
class BacktestInFile:
    """The backtest of a run file, ready to be played with other parameters.

    Attributes
    ----------
    strategy
        With the parameters that the file sets.
    sources
        Of bars, one for each instrument.
    settings
        Keywords of `cambist.backtest`; those that keep something of one run, such as its journal, are left out.
    """

    strategy: Strategy
    sources: tuple[HistorySource, ...]
    settings: Mapping[str, Any]


def backtest_in_file(run_file: Path, assigned: Sequence[str] = (), *, local: bool = True) -> BacktestInFile:
    """Read the one strategy, the bars and the settings of a run file.

    Parameters
    ----------
    run_file
        Its path; what it extends, the environment and the plugin beside it count as in `cambist backtest`.
    assigned
        Keys that are set: ``"account.cash=5000"``.
    local
        Whether the plugin beside it may be run.

    Raises
    ------
    InputError, PluginError
        As `cambist backtest` tells; or the file has several strategies, recorded histories, or no bars.
    """
    from cambist.app.assemble import assemble, make_plan
    from cambist.app.plan import Overrides
    from cambist.app.sources import is_market
    from cambist.plugins.registry import Registry

    registry = Registry.discover(beside=run_file, local=local)
    made = assemble(make_plan(registry, Overrides(assigned=tuple(assigned)), run_file), registry)
    if len(made.strategies) != 1 or made.plan.histories:
        raise ConfigError(f"{run_file} has to have one strategy and nothing beside it; it has {len(made.strategies)}.")
    if any(map(is_market, made.sources)) or made.magnify:
        raise ConfigError(f"{run_file} has trades, quotes or finer bars; bars alone can be tried many times.")
    settings = {name: value for name, value in made.plan.settings.items() if name not in _OF_ONE_RUN}
    return BacktestInFile(made.strategies[0], tuple(made.sources), settings)


def strategy_named(use: str) -> type[Strategy]:
    """Return the class that ``my_file.py:SmaCross``, ``package.module:Class`` or a registered name means.

    Raises
    ------
    StrategyFileError, PluginError
        There is no such strategy, or its file does not import.
    """
    from cambist.app.strategies import load_strategy
    from cambist.plugins.registry import Registry

    return load_strategy(use, Registry.discover())


@contextmanager
def open_storage(url: str, needs: str = "") -> Iterator[Storage]:
    """Open the storage behind a URL, and let go of it.

    Parameters
    ----------
    url
        Such as ``sqlite:///runs.db``.
    needs
        What it has to keep: ``"runs"``, ``"state"`` or ``"bars"``.

    Raises
    ------
    ConfigError, PluginError, StorageError
        The URL cannot be read, nobody offers its scheme, or it cannot be opened.
    """
    from cambist.app.storage import opened_storage
    from cambist.plugins.registry import Registry

    with opened_storage(url, Registry.discover(), needs) as storage:
        yield storage
