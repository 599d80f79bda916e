"""Data that a strategy has beside its bars: tables it holds or reads, shortened to what was known at a time."""

from __future__ import annotations

import importlib
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.data.columns import TIME_NAMES
from cambist.data.event_bars import EventBars
from cambist.data.sources.frame import read_times, times_of_index
from cambist.data.times import TimeReader
from cambist.errors import DataError
from cambist.model.bars import Bars
from cambist.model.times import DAY_NS
from cambist.strategies import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import CellType

    from numpy.typing import NDArray

__all__ = ["STAMPS", "Knowledge"]

#: What the times in a table outside may mean.
STAMPS = ("open", "close", "ignore")
#: The functions of pandas that read a table.
_READERS = (
    *("read_clipboard", "read_csv", "read_excel", "read_feather", "read_fwf", "read_hdf", "read_json", "read_orc"),
    *("read_parquet", "read_pickle", "read_sql", "read_sql_query", "read_sql_table", "read_table"),
)
_LONGEST = 7 * DAY_NS


@attrs.frozen(eq=False)
class Knowledge:
    """What was known at a time.

    Attributes
    ----------
    at
        The time, ns, UTC.
    stamps
        What the times in tables mean: ``"open"``, a row is known when the time of the next one has come;
        ``"close"``, it is known at its time; ``"ignore"``, tables are left alone.
    rows
        Lengths of arrays that go by the bars, and how many bars are known: an array of such a length is shortened.
    found
        Collects the names of what was shortened.
    """

    at: int
    stamps: str
    rows: Mapping[int, int]
    found: set[str] = attrs.field(factory=set)

    def of(self, value: Any, name: str = "") -> Any:
        """Return what was known of a value: the value itself where that is all of it, or where it has no times."""
        known = self._of(value, 1)
        if name and (known is not value):
            self.found.add(name)
        return known

    def _of(self, value: Any, deep: int) -> Any:
        if self.stamps == "ignore":
            return value
        if isinstance(value, Bars):
            return self._bars(value)
        if isinstance(value, EventBars):
            rows = int(np.searchsorted(value.end, self.at, side="right"))
            return value[:rows] if rows < len(value) else value
        if type(value).__module__.partition(".")[0] == "pandas":
            return self._table(value)
        if isinstance(value, np.ndarray) and value.ndim and len(value) in self.rows:
            return value[: self.rows[len(value)]]
        if deep and type(value) in (list, tuple):
            return self._each(value, type(value))
        if deep and type(value) is dict:
            kept = {key: self._of(one, deep - 1) for key, one in value.items()}
            return kept if any(kept[key] is not one for key, one in value.items()) else value
        return value

    def _each(self, values: Sequence[Any], kind: type) -> Any:
        kept = [self._of(one, 0) for one in values]
        return kind(kept) if any(one is not other for one, other in zip(kept, values, strict=True)) else values

    def _bars(self, bars: Bars) -> Any:
        rows = int(np.searchsorted(bars.close_times, self.at, side="right"))
        return bars[: max(1, rows)] if rows < len(bars) else bars  # there are no bars without one

    def _table(self, table: Any) -> Any:
        import pandas as pd

        if not isinstance(table, pd.DataFrame | pd.Series) or not len(table):
            return table
        ts = _times(table)
        if ts is None:
            return table.iloc[: self.rows[len(table)]] if len(table) in self.rows else table
        known = ts + (_length(ts) if self.stamps == "open" else 0) <= self.at
        return table if known.all() else table[known]

    @contextmanager
    def alone(self, classes: Sequence[type]) -> Iterator[None]:
        """Leave nothing else within reach of some classes of strategies: what they hold and what they read.

        Tables, arrays and bars in attributes of the classes, in the module they are written in and in the functions
        around them are replaced meanwhile, and so is what `pandas.read_csv` and its like, and `cambist.load`, return.
        """
        with ExitStack() as restore:
            if self.stamps != "ignore":
                self._shorten_readers(restore)
                for namespace, label in _namespaces(classes):
                    self._shorten(namespace, label, restore)
                for cell, name in _cells(classes):
                    self._shorten_cell(cell, name, restore)
            yield

    def _shorten(self, namespace: Any, label: str, restore: ExitStack) -> None:
        for name, value in list(vars(namespace).items() if isinstance(namespace, type) else namespace.items()):
            if name.startswith("__"):
                continue
            known = self.of(value, f"{label}{name}")
            if known is value:
                continue
            if isinstance(namespace, type):
                setattr(namespace, name, known)
                restore.callback(setattr, namespace, name, value)
            else:
                namespace[name] = known
                restore.callback(namespace.__setitem__, name, value)

    def _shorten_cell(self, cell: CellType, name: str, restore: ExitStack) -> None:
        try:
            value = cell.cell_contents
        except ValueError:
            return  # a name that has no value yet
        known = self.of(value, name)
        if known is not value:
            cell.cell_contents = known
            restore.callback(setattr, cell, "cell_contents", value)

    def _shorten_readers(self, restore: ExitStack) -> None:
        import pandas as pd

        import cambist
        import cambist.data.load  # the module, of which `cambist.load` is a function

        home = importlib.import_module("cambist.data.load")
        readers = [(pd, name) for name in _READERS if hasattr(pd, name)] + [(home, "load"), (cambist, "load")]
        reading: list[str] = []
        # All are looked up before the first is replaced: `cambist.load` finds its home when it is asked for.
        for module, name, read in [(module, name, getattr(module, name)) for module, name in readers]:
            setattr(module, name, self._reader(read, name, reading))
            restore.callback(setattr, module, name, read)

    def _reader(self, read: Callable[..., Any], name: str, reading: list[str]) -> Callable[..., Any]:
        def known(*args: Any, **options: Any) -> Any:
            if reading:  # by another reader, which has to see all of it to make sense of it
                return read(*args, **options)
            reading.append(name)
            try:
                value = read(*args, **options)
            finally:
                reading.pop()
            return self.of(value, f"{name}({args[0] if args else ''})")

        return known


def _times(table: Any) -> NDArray[np.int64] | None:
    """Return the times of the rows of a table; None where it has none that can be read."""
    try:
        ts = times_of_index(table.index)
        if ts is not None or not hasattr(table, "columns"):
            return ts
        for place, label in enumerate(table.columns):
            if str(label).strip().lower() in TIME_NAMES:
                return read_times(table.iloc[:, place], TimeReader())
    except DataError:
        return None
    return None


def _length(ts: NDArray[np.int64]) -> int:
    """Return how long a row's period is, ns: the spacing that most rows have, 0 where there is none of a week or less.

    What comes at no fixed spacing, such as earnings, or by the month, is known at its time.
    """
    spacings, counts = np.unique(np.diff(np.unique(ts)), return_counts=True)
    if not len(spacings):
        return 0
    commonest = int(counts.argmax())
    regular = 2 * int(counts[commonest]) >= int(counts.sum()) and int(spacings[commonest]) <= _LONGEST
    return int(spacings[commonest]) if regular else 0


def _own(classes: Sequence[type]) -> list[type]:
    """Return classes and those they derive from, as far as users wrote them."""
    every = {one: None for cls in classes for one in cls.__mro__ if issubclass(one, Strategy)}
    return [one for one in every if not one.__module__.startswith("cambist.")]


def _functions(classes: Sequence[type]) -> Iterator[FunctionType]:
    for cls in _own(classes):
        for value in vars(cls).values():
            for part in (value, getattr(value, "__func__", None), getattr(value, "fget", None)):
                if isinstance(part, FunctionType):
                    yield part


def _namespaces(classes: Sequence[type]) -> Iterator[tuple[Any, str]]:
    """Yield classes, the modules of their functions, and those beside them, each with what to write before a name."""
    for cls in _own(classes):
        yield cls, f"{cls.__name__}."
    spaces = {id(function.__globals__): (function.__globals__, "") for function in _functions(classes)}
    for space, _ in list(spaces.values()):
        for module in [value for value in space.values() if isinstance(value, ModuleType)]:
            if _folder(space) is not None and _folder(vars(module)) == _folder(space):
                spaces.setdefault(id(vars(module)), (vars(module), f"{module.__name__}."))
    yield from spaces.values()


def _folder(namespace: Mapping[str, Any]) -> str | None:
    """Return the folder of a module's file; None where it has none."""
    file = namespace.get("__file__")
    return str(Path(file).absolute().parent) if isinstance(file, str) else None


def _cells(classes: Sequence[type]) -> Iterator[tuple[CellType, str]]:
    """Yield the variables of functions around a class that its own functions use."""
    for function in _functions(classes):
        yield from zip(function.__closure__ or (), function.__code__.co_freevars, strict=True)
