"""Names that will go: each says since when, until when, and what takes its place, once at each place that uses it.

What is promised about that is in ``VERSIONING.md``. A test reads every use of the functions below out of the sources:
it keeps the page of deprecations complete, and fails from the version on in which a name was to be gone. So versions
and texts are given as they stand, not computed.
"""

from __future__ import annotations

import functools
import inspect
import sys
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import CodeType

__all__ = ["CambistDeprecationWarning", "deprecated", "deprecated_names", "deprecated_parameter"]

_T = TypeVar("_T", bound="Callable[..., Any]")

#: Places that have been told: a loop over a million bars is told once, and pays for a look into this set.
_told: set[tuple[CodeType, int, str]] = set()


class CambistDeprecationWarning(FutureWarning):
    """Something that is used will be gone in a version to come.

    It is a `FutureWarning`, which Python shows by default wherever it comes from: whoever runs a strategy file is not
    the author of the module in which it stands. ``python -W error::FutureWarning`` makes an error of it.
    """


def deprecated(*, since: str, until: str, instead: str) -> Callable[[_T], _T]:
    """Mark a function, a method or a class as one that will go.

    A function warns when it is called, a class when one of it is made, subclasses included.

    Parameters
    ----------
    since
        Version of cambist that warns first: ``"0.2.0"``.
    until
        Version in which it will be gone.
    instead
        What to use, as code or as a sentence: ``"cambist.load"``.

    Examples
    --------
    >>> from cambist.deprecations import deprecated
    >>> @deprecated(since="0.2.0", until="0.4.0", instead="load")
    ... def read(path): ...
    >>> read.__deprecated__
    'read is deprecated since cambist 0.2.0 and will be gone in 0.4.0; use load instead.'
    """

    def mark(thing: Any) -> Any:
        text = _text(thing.__qualname__, since, until, instead)
        if isinstance(thing, type):
            thing.__init__ = _telling(thing.__init__, text)  # type: ignore[misc]
            thing.__deprecated__ = text  # type: ignore[attr-defined]
            return thing
        return _telling(thing, text)

    return mark


def deprecated_parameter(
    name: str, *, since: str, until: str, instead: str, convert: Callable[[Any], Any] | None = None
) -> Callable[[_T], _T]:
    """Mark a parameter of a function as one that will go; it is taken by keyword until then.

    Parameters
    ----------
    name
        The old name. The function itself no longer has it.
    since, until
        As of `deprecated`.
    instead
        The parameter that takes its place. Where the function has none of that name, what is given is dropped, and
        `instead` is a sentence.
    convert
        Makes the new value of the old one; the same value if None.

    Raises
    ------
    TypeError
        By the function, when it is given both the old name and the new one.
    """

    def mark(function: Any) -> Any:
        new = instead if instead in inspect.signature(function).parameters else ""
        text = _text(f"the parameter {name!r} of {function.__qualname__}", since, until, instead)

        @functools.wraps(function)
        def taking(*args: Any, **kwargs: Any) -> Any:
            if name in kwargs:
                _tell(text)
                value = kwargs.pop(name)
                if new in kwargs:
                    raise TypeError(f"{function.__qualname__}() is given {new!r}, and {name!r}, which is its old name.")
                if new:
                    kwargs[new] = value if convert is None else convert(value)
            return function(*args, **kwargs)

        return taking

    return mark


def deprecated_names(
    module: str,
    names: Mapping[str, str],
    *,
    since: str,
    until: str,
    otherwise: Callable[[str], Any] | None = None,
) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a module some of whose names were renamed or moved.

    Parameters
    ----------
    module
        ``__name__`` of the module.
    names
        By the old name the place of the new one: ``{"Bar0": "cambist.model.Bar"}``.
    since, until
        As of `deprecated`.
    otherwise
        The ``__getattr__`` that the module has had.

    Examples
    --------
    At the end of a module::

        __getattr__ = deprecated_names(__name__, {"Bar0": "cambist.model.Bar"}, since="0.2.0", until="0.4.0")
    """

    def getattr_(name: str) -> Any:
        if name in names:
            home, _, new = names[name].rpartition(".")
            _tell(_text(f"{module}.{name}", since, until, names[name]))
            return getattr(import_module(home), new)
        if otherwise is not None:
            return otherwise(name)
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return getattr_


def _tell(text: str) -> None:
    """Warn at the place outside of this module from which it was come here, unless that was told before."""
    level, frame = 1, sys._getframe(1)  # noqa: SLF001 - there is no other way to ask for a caller cheaply
    while frame.f_globals is globals() and frame.f_back is not None:
        level, frame = level + 1, frame.f_back
    place = (frame.f_code, frame.f_lineno, text)
    if place not in _told:
        warnings.warn(text, CambistDeprecationWarning, stacklevel=level + 1)
        _told.add(place)  # not where a filter has made an error of it: that shall be raised again


def _telling(function: Any, text: str) -> Any:
    @functools.wraps(function)
    def told(*args: Any, **kwargs: Any) -> Any:
        _tell(text)
        return function(*args, **kwargs)

    told.__deprecated__ = text  # type: ignore[attr-defined]
    return told


def _text(what: str, since: str, until: str, instead: str) -> str:
    use = f"use {instead} instead" if " " not in instead else instead.rstrip(".")
    return f"{what} is deprecated since cambist {since} and will be gone in {until}; {use}."
