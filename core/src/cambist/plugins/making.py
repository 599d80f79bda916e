"""Calls the factories of components: what one raises by mistake is told with whose it is."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from cambist.errors import CambistError, PluginLoadError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["made"]


def made(factory: Callable[..., Any], /, *given: Any, **settings: Any) -> Any:
    """Return what a factory makes.

    Raises
    ------
    CambistError
        What the factory raises of our own: that something cannot be used, say.
    PluginLoadError
        It raised anything else, which is a fault in it; the original error is the ``__cause__``.
    """
    try:
        return factory(*given, **settings)
    except CambistError:
        raise
    except Exception as error:
        told = " ".join(f"{type(error).__name__}: {error}".split())
        raise PluginLoadError(
            f"{_name(factory)} could not be made, it raised {told}. That is a fault in it: tell whoever wrote it "
            "(--debug shows the traceback)."
        ) from error


def _name(factory: Any) -> str:
    while isinstance(factory, partial):
        factory = factory.func
    name = getattr(factory, "__qualname__", None)
    return repr(factory) if name is None else f"{factory.__module__}:{name}"
