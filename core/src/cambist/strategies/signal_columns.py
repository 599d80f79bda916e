"""The signals of a strategy over whole columns of bars, as codes: what a compiled sweep plays."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import attrs
import numpy as np

from cambist.indicators.arithmetic import Elementwise
from cambist.indicators.crossing import Crossover
from cambist.indicators.lines import Line
from cambist.indicators.series import Series
from cambist.indicators.sharing import batch
from cambist.indicators.soundness import as_sound
from cambist.strategies.data import DataSet
from cambist.strategies.signals import SignalStrategy
from cambist.strategies.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cambist.indicators.series import SeriesCursor
    from cambist.model.bars import Bars
    from cambist.strategies.signal_orders import EntrySignals, Said
    from cambist.strategies.sizers import Sizer

__all__ = ["Comparison", "SignalColumns", "SignalReader", "signal_columns"]


@attrs.frozen(eq=False, slots=True)
class Comparison:
    """A line of true and false that nobody has worked out yet: who plays it may do so in one pass.

    It is true where `first` stands to `second` as `ufunc` says; where it `crosses`, on the row on which `first` comes
    to stand so, by the rule of `cambist.indicators.crossover`. It is never true where one of the two is NaN.

    Attributes
    ----------
    ufunc
        One of numpy's comparisons; ``np.greater`` or ``np.less`` where it crosses.
    first, second
        Columns, float64, shape ``(n,)``; `second` may be a number.
    crosses
        Whether it is about the crossing alone.
    """

    ufunc: np.ufunc
    first: NDArray[np.float64]
    second: NDArray[np.float64] | float
    crosses: bool

    def rows(self) -> NDArray[np.bool_]:
        """Return where it is true, shape ``(n,)``."""
        if not self.crosses:
            holds: NDArray[np.bool_] = self.ufunc(self.first, self.second)
            return holds
        constant = None if isinstance(self.second, np.ndarray) else self.second
        inputs = (self.first,) if constant is not None else (self.first, self.second)
        (crossed,) = Crossover(constant).batch(*inputs)
        turned: NDArray[np.bool_] = self.ufunc(crossed, 0.0)
        return turned


@attrs.frozen(eq=False, slots=True)
class SignalColumns:
    """What a `SignalStrategy` wants at each bar, were nobody to look at the account.

    Attributes
    ----------
    first
        Row of the first bar that it may trade on: all its lines are known there.
    entries, exits
        A column that is above zero where it does, float64, shape ``(n,)``, or a comparison; None for no exits.
    side, size, stop, take, trail
        As `SignalStrategy.trade_on` has them, float64, shape ``(n,)``, ``(1,)`` for a number that stays, ``(0,)`` for
        nothing said.
    sizer
        That the strategy brings, for entries without a size; None for the run's.
    """

    first: int
    entries: NDArray[np.float64] | Comparison
    exits: NDArray[np.float64] | Comparison | None
    side: NDArray[np.float64]
    size: NDArray[np.float64]
    stop: NDArray[np.float64]
    take: NDArray[np.float64]
    trail: NDArray[np.float64]
    sizer: Sizer | None


def signal_columns(strategy: SignalStrategy, bars: Bars) -> SignalColumns | None:
    """Return the signals of a strategy over bars, without a run; see `SignalReader`.

    Parameters
    ----------
    strategy
        Worked on as a copy.
    bars
        Of the one instrument that it trades.
    """
    return SignalReader(bars).read(strategy.fresh())


class SignalReader:
    """Reads the signals of one strategy after the other over the same bars.

    Parameters
    ----------
    bars
        Of the one instrument that they trade.
    among
        The bars of every instrument of the run, at the same times; by default there is no other.
    """

    def __init__(self, bars: Bars, among: Sequence[Bars] = ()) -> None:
        self._bars = bars
        self._among = tuple(among) or (bars,)
        self._columns: dict[str, NDArray[np.float64]] = {}

    def read(self, strategy: Strategy) -> SignalColumns | None:
        """Return the signals of a strategy that was made for this call, and is spent by it; None where a run is needed.

        A run is needed for signals by kind, for hooks beside `on_start`, and for lines of slower series or of
        instruments that are not traded.
        """
        if not isinstance(strategy, SignalStrategy) or not _is_plain(type(strategy)):
            return None
        listed = [Series(bars.instrument, bars.timeframe) for bars in self._among]
        strategy.data = DataSet(listed)
        try:
            strategy.on_start()
            return self._read(strategy, listed)
        except AttributeError as error:
            if error.name == "_desk":  # it asks for the account, or the clock
                return None
            raise
        finally:
            for one in listed:
                one._cursor.let_go()  # noqa: SLF001 - nobody reads the lines any more

    def _read(self, strategy: SignalStrategy, listed: list[Series]) -> SignalColumns | None:
        said = strategy._said  # noqa: SLF001 - the two are one thing
        symbol = self._bars.instrument.symbol
        if said is None or (strategy.symbol or listed[0].symbol) != symbol:
            return None
        cursor = strategy.data[symbol]._cursor  # noqa: SLF001
        if not _stands_alone(cursor, [one._cursor for one in listed], said):  # noqa: SLF001
            return None
        graph = LineGraph(cursor, self)
        return SignalColumns(
            first=cursor.lookback,
            entries=graph.test(said.entries),
            exits=None if said.exits is None else graph.test(said.exits),
            side=graph.column(said.side),
            size=graph.column(said.size),
            stop=graph.column(said.stop),
            take=graph.column(said.take),
            trail=graph.column(said.trail),
            sizer=_own_sizer(strategy),
        )

    def column(self, name: str) -> NDArray[np.float64]:
        """Return a column of the bars, the same array each time."""
        found = self._columns.get(name)
        if found is None:
            found = as_sound(self._bars.ts / 1e9 if name == _TIME else getattr(self._bars, name))
            self._columns[name] = found
        return found


def _stands_alone(cursor: SeriesCursor, among: list[SeriesCursor], said: EntrySignals) -> bool:
    """Tell whether signals are of one series, and no other one makes lines that would have to be known."""
    if any(one.followers or (one is not cursor and one.made_lines()) for one in among):
        return False
    return len(among) == 1 or all(map(cursor.moves, said.lines().values()))


#: The line of open times.
_TIME = "time"


class LineGraph:
    """Works out lines over whole columns, and only those that are asked for.

    Parameters
    ----------
    cursor
        Of the series whose lines they are.
    reader
        Has the columns of the series.
    """

    def __init__(self, cursor: SeriesCursor, reader: SignalReader) -> None:
        self._made_by = cursor.makers()
        self._reader = reader
        self._known: dict[int, NDArray[np.float64]] = {}

    def column(self, value: Said) -> NDArray[np.float64]:
        """Return the values of a line, one for a number, none for nothing."""
        if value is None:
            return _NOTHING
        if isinstance(value, Line):
            return self._values(value)
        return _ONE if value == 1.0 else np.array([float(value)])

    def test(self, line: Line) -> NDArray[np.float64] | Comparison:
        """Return a line of which only the rows above zero count, as a comparison where it is one."""
        maker = self._made_by.get(id(line))
        if maker is None or not isinstance(maker.computation, Elementwise):
            return self._values(line)
        computation, inputs = maker.computation, maker.inputs
        if computation.ufunc not in _COMPARISONS:
            return self._values(line)
        if computation.constant is None:
            return Comparison(computation.ufunc, self._values(inputs[0]), self._values(inputs[1]), False)
        if computation.constant_first:
            return self._values(line)
        before = self._made_by.get(id(inputs[0]))
        turns = computation.constant == 0.0 and computation.ufunc in _STRICT
        if turns and before is not None and isinstance(before.computation, Crossover):
            constant, crossed = before.computation.constant, before.inputs
            if not before.computation.constant_first:
                second = self._values(crossed[1]) if constant is None else constant
                return Comparison(computation.ufunc, self._values(crossed[0]), second, True)
        return Comparison(computation.ufunc, self._values(inputs[0]), computation.constant, False)

    def _values(self, line: Line) -> NDArray[np.float64]:
        known = self._known.get(id(line))
        if known is None:
            made = self._made_by.get(id(line))
            if made is None:  # a column, or the times
                known = self._known[id(line)] = self._reader.column(line.name)
                return known
            results = batch(made.computation, [self._values(one) for one in made.inputs])
            self._known.update(zip(map(id, made.outputs), results, strict=True))
            known = self._known[id(line)]
        return known


_ONE: NDArray[np.float64] = np.ones(1)
_COMPARISONS = frozenset({np.greater, np.greater_equal, np.less, np.less_equal})
_STRICT = frozenset({np.greater, np.less})
_NOTHING: NDArray[np.float64] = np.empty(0)
#: What a subclass may have of its own and still be nothing but its signals.
_OWN = frozenset({"on_start", "sizer", "name", "log", "persistent", "parameters"})


def _is_plain(cls: type[SignalStrategy]) -> bool:
    """Tell whether a class overrides nothing that a run would call; asked once for each class."""
    found = _PLAIN.get(cls)
    if found is None:
        found = _PLAIN[cls] = _looks_plain(cls)
    return found


#: What was found out; a class that nobody uses any more is forgotten.
_PLAIN: WeakKeyDictionary[type, bool] = WeakKeyDictionary()


def _looks_plain(cls: type[SignalStrategy]) -> bool:
    known = set(dir(SignalStrategy)) - _OWN - set(cls.parameters)
    own = cls.__mro__[: cls.__mro__.index(SignalStrategy)]
    return not any(name in known and not name.startswith("__") for base in own for name in vars(base))


def _own_sizer(strategy: SignalStrategy) -> Sizer | None:
    brings = "sizer" in vars(strategy) or type(strategy).sizer is not Strategy.sizer
    return strategy.sizer if brings else None
