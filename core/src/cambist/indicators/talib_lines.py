# ruff: noqa: ANN001, ANN202
"""TA-Lib's functions, by its own names, as calls that give lines; the signatures are in the stub beside this file.

Each is made when it is first asked for.
"""

from cambist.indicators.talib_functions import described, make_call, names

__all__ = sorted(names())  # noqa: PLE0605 - a list, which a table has


def __getattr__(name):  # type: ignore[no-untyped-def]  # the stub is what tools read
    if name not in names():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = globals()[name] = make_call(described()[name], __name__)
    return made


def __dir__():  # type: ignore[no-untyped-def]
    return __all__
