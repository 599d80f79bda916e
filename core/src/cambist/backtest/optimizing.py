"""The door to parameter sweeps, which come with a package of their own."""

from __future__ import annotations

import importlib
from typing import Any

from cambist.errors import MissingDependencyError

__all__ = ["optimize"]

_PACKAGE = "cambist-optimize"


def optimize(strategy: Any, data: Any, params: Any = None, **options: Any) -> Any:
    """Try many combinations of a strategy's parameters; comes with cambist-optimize.

    Parameters
    ----------
    strategy
        The class, or an instance whose parameters hold where they do not vary.
    data
        Bars, or anything `cambist.load` takes.
    params
        What is tried of each parameter: ``{"fast": "5:25", "slow": "30:130:5"}``.
    **options
        ``metric``, ``constraints``, ``search``, ``jobs``, ``backend``, ``folds``, ``resume``, ... and all of
        `cambist.backtest`; see ``cambist_optimize.optimize``.

    Returns
    -------
    cambist_optimize.Sweep
        A table of every combination.

    Raises
    ------
    MissingDependencyError
        Where the package is not installed.
    """
    try:
        package = importlib.import_module(_PACKAGE.replace("-", "_"))
    except ModuleNotFoundError as error:
        if error.name != _PACKAGE.replace("-", "_"):
            raise
        raise MissingDependencyError(f"cambist.optimize comes with {_PACKAGE}: pip install {_PACKAGE}.") from None
    return package.optimize(strategy, data, params, **options)
