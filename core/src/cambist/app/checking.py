"""From a plan to what a check runs many times: strategy files are executed anew for each run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from cambist.app.histories import open_history
from cambist.app.sources import open_finer, open_series
from cambist.app.strategies import load_strategy, make_strategy, source_folder
from cambist.backtest.checking import Subject
from cambist.backtest.settings import BacktestSettings
from cambist.plugins.source_files import importable

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from cambist.app.plan import RunPlan
    from cambist.plugins.registry import Registry
    from cambist.strategies import Strategy

__all__ = ["beside", "subject_of"]


def subject_of(plan: RunPlan, registry: Registry, *, stamps: str = "open") -> Subject:
    """Read the bars of a plan, and say how its strategies are made.

    A strategy that is a file is executed anew for each run, so that tables it reads when it is imported are those
    that were known.

    Parameters
    ----------
    plan
        Strategies, series and settings.
    registry
        Knows the components.
    stamps
        What times mean in tables that a strategy reads; see `cambist.testing.check_lookahead`.

    Raises
    ------
    InputError
        Something cannot be used.
    PluginError
        A feed is not there, or broken.
    """
    histories = [open_history(one) for one in plan.histories]

    def make(_: Any) -> list[Any]:
        made = [make_strategy(_executed(one.cls, registry), dict(one.parameters), one.name) for one in plan.strategies]
        return [*made, *histories]

    return Subject.of(
        make,
        None,
        open_series(plan.series, registry),
        BacktestSettings.of(**plan.settings),
        finer=open_finer(plan.series, registry),
        stamps=stamps,
    )


def _executed(cls: type[Strategy], registry: Registry) -> type[Strategy]:
    """Return a class anew from its file; the class itself where it is of no file that was named."""
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    if source_folder(cls) is None or file is None or not hasattr(sys.modules[cls.__module__], cls.__name__):
        return cls
    return load_strategy(f"{file}:{cls.__name__}", registry)


def beside(plan: RunPlan) -> AbstractContextManager[None]:
    """Let the modules beside strategy files be imported, as in a backtest."""
    folders = (source_folder(one.cls) for one in plan.strategies)
    return importable([folder for folder in folders if folder is not None])
