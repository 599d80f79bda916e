"""numba where it is installed; without it the functions stay what they are, and nobody calls them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["IS_COMPILED", "array_at", "cache_folder", "compiled", "first_bit", "inlined"]

F = TypeVar("F", bound="Callable[..., Any]")

numba: Any
try:
    import numba
except ImportError:
    numba = None

#: Whether functions are compiled.
IS_COMPILED = numba is not None


def cache_folder() -> Path:
    """Return where compiled code is kept: below ``NUMBA_CACHE_DIR``, or the user's folder of caches.

    Its name is made of all sources of this package: numba itself would only look at the file of a function, and go on
    with what it compiled before where another that it calls has changed.
    """
    sources = sorted(Path(__file__).parent.glob("*.py"))
    mark = hashlib.sha256(b"".join(file.read_bytes() for file in sources)).hexdigest()[:16]
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    base = Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cambist"
    return base / f"optimize-{mark}"


_FOLDER = str(cache_folder()) if IS_COMPILED else ""


def compiled(function: F) -> F:
    """Compile a function when it is first called, for its arguments, and keep what was made on the disk.

    It runs without the interpreter's lock, so that threads work side by side, and counts no references: its arrays are
    its caller's. Nothing is reordered: the arithmetic of floats is that of the function as Python reads it.
    """
    return _compile(function, inlined=False)


def inlined(function: F) -> F:
    """Compile a function into those that call it; for what is called for each order or each stretch of bars."""
    return _compile(function, inlined=True)


def _compile(function: F, *, inlined: bool) -> F:
    if numba is None:
        return function
    options = {"nogil": True, "error_model": "numpy", "fastmath": False, "_nrt": False, "forceinline": inlined}
    before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, _FOLDER
    try:
        made: F = numba.njit(cache=True, **options)(function)
    finally:
        numba.config.CACHE_DIR = before
    return made


def _intrinsics() -> tuple[Any, Any]:
    """Return what compiled code does that Python has no word for; see below."""
    if numba is None:
        return None, None
    from numba.core import types
    from numba.extending import intrinsic
    from numba.np import arrayobj

    populate: Any = arrayobj.populate_array
    column = types.Array(types.float64, 1, "C")

    @intrinsic
    def array_at(_context: Any, address: Any, rows: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            array = context.make_array(column)(context, builder)
            data, size = builder.inttoptr(arguments[0], array.data.type), context.get_constant(types.intp, _FLOAT)
            populate(array, data=data, shape=(arguments[1],), strides=(size,), itemsize=size, meminfo=None)
            return array._getvalue()  # noqa: SLF001 - numba's own way

        return column(address, rows), generate

    @intrinsic
    def first_bit(_context: Any, word: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return builder.cttz(arguments[0], context.get_constant(types.boolean, True))

        return word(word), generate

    return array_at, first_bit


#: Bytes of a float.
_FLOAT = 8
#: ``array_at(address, rows)`` is the float64 array there; who gives the address holds what lies there. A list of arrays
#: cannot be handed to compiled code without copying something of each. ``first_bit(word)`` is the number of the lowest
#: bit that is set, of an unsigned word that is not zero.
array_at, first_bit = _intrinsics()
