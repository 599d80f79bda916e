"""The ids that every log record carries: of the run, of the order, of whatever is being worked on."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["current_context", "log_context"]

_CONTEXT: ContextVar[Mapping[str, object]] = ContextVar("cambist_log_context", default=MappingProxyType({}))


@contextmanager
def log_context(**ids: object) -> Iterator[None]:
    """Put ids on every record that is logged inside the ``with`` block, whoever logs it.

    They hold for the current thread or asynchronous task, and for the tasks it starts. Blocks nest; the inner one wins
    where both name an id.

    Parameters
    ----------
    **ids
        Such as ``run="3f9a0c1d2e4b"`` and ``order=42``.

    Examples
    --------
    >>> import logging
    >>> from cambist.observe import log_context
    >>> with log_context(run="3f9a0c1d2e4b", order=42):
    ...     logging.getLogger("mine").info("the fill is here")
    """
    token = _CONTEXT.set({**_CONTEXT.get(), **ids})
    try:
        yield
    finally:
        _CONTEXT.reset(token)


def current_context() -> Mapping[str, object]:
    """Return the ids that a record logged now would carry."""
    return _CONTEXT.get()
