"""Round trips as columns: where thousands of runs are looked at, nobody makes an object of each of their trades."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from cambist.model.portfolio import Trade

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cambist.model.instrument import Instrument

__all__ = ["TradeColumns"]


class TradeColumns(Sequence[Trade]):
    """The trades of one instrument, oldest first; a sequence of `Trade`, each made when it is asked for.

    Parameters
    ----------
    instrument, strategy
        Of all of them.
    columns
        All other fields of `Trade` up to ``exited``, by name, shape ``(n,)`` each. The trades still open, whose
        ``closed_bar`` is -1, stand last.
    """

    def __init__(self, instrument: Instrument, strategy: str, columns: Mapping[str, NDArray[Any]]) -> None:
        self._instrument = instrument
        self._strategy = strategy
        self._columns = columns

    @cached_property
    def closed_count(self) -> int:
        """How many of them are over."""
        return int(np.count_nonzero(self._columns["closed_bar"] >= 0))

    def column(self, name: str, dtype: type[Any] = np.float64) -> NDArray[Any]:
        """Return a field of each trade that is over, shape ``(closed_count,)``."""
        return self._columns[name][: self.closed_count].astype(dtype, copy=False)

    def __len__(self) -> int:
        return len(self._columns["closed_bar"])

    @overload
    def __getitem__(self, at: int) -> Trade: ...
    @overload
    def __getitem__(self, at: slice) -> list[Trade]: ...
    def __getitem__(self, at: int | slice) -> Trade | list[Trade]:
        if isinstance(at, slice):
            return [self[one] for one in range(len(self))[at]]
        row = range(len(self))[at]
        values = {name: column[row].item() for name, column in self._columns.items()}
        return Trade(instrument=self._instrument, strategy=self._strategy, tag="", **values)
