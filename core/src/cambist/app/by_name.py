"""What people name, found among everything that is installed: for plugins with commands and functions of their own."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.ports.storage import Storage
    from cambist.strategies import Strategy

__all__ = ["open_storage", "strategy_named"]


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
