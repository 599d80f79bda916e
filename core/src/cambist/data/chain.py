"""Several series as one: end to end, or contracts that are rolled from one into the next."""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, get_args

import attrs
import numpy as np

from cambist.data.blocks import BLOCK_ROWS, check_size, concatenate
from cambist.data.load import open_source
from cambist.errors import DataError, InputError
from cambist.model.bars import COLUMNS, Bars
from cambist.model.instrument import Instrument
from cambist.model.times import format_ns, to_ns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from cambist.ports.history import HistorySource

__all__ = ["ChainedHistory", "Contract", "Roll", "RolledHistory", "chain", "roll"]

#: What decides when to roll.
RollBy = Literal["date", "volume", "open-interest"]
#: What becomes of the bars before a roll.
Adjustment = Literal["none", "difference", "ratio"]
#: From which bar on the next contract counts: the one after that which decided, or that one itself.
Effective = Literal["next", "same"]


def chain(*sources: Any, symbol: str | None = None, instrument: Instrument | None = None) -> ChainedHistory:
    """Return a source of several series one after another.

    Parameters
    ----------
    sources
        What `load` takes, the oldest first. Bars not later than the last of those before them are left out: where two
        series overlap the earlier one counts. The source's notes say how many were.
    symbol, instrument
        What the whole is called; default: the instrument of the first.

    Raises
    ------
    InputError
        No source is given.
    DataError
        A source cannot be opened. That all are of one timeframe is looked at when they are read.
    """
    if not sources:
        raise InputError("there is nothing to chain. Give at least one series.")
    return ChainedHistory(tuple(open_source(one) for one in sources), _named(symbol, instrument))


def _named(symbol: str | None, instrument: Instrument | None) -> Instrument | str | None:
    if symbol is not None and instrument is not None and instrument.symbol != symbol:
        raise DataError(
            f"symbol={symbol!r} and an instrument called {instrument.symbol!r} are given. Give one of them."
        )
    return instrument or symbol


def _whole(named: Instrument | str | None, first: Instrument) -> Instrument:
    if isinstance(named, Instrument):
        return named
    return first if named is None else attrs.evolve(first, symbol=named)


@attrs.frozen(eq=False)
class ChainedHistory:
    """A `HistorySource` of several series one after another; made by `chain`.

    Attributes
    ----------
    sources
        The series.
    named
        What the whole is called, or None.
    """

    sources: tuple[HistorySource, ...]
    named: Instrument | str | None = None
    _left_out: dict[str, int] = attrs.field(factory=dict, init=False)

    @property
    def name(self) -> str:
        """The names of the series."""
        return " + ".join(source.name for source in self.sources)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out when the series were last read, and what they say themselves."""
        own = [
            f"{name}: left out {count:,} bar{'' if count == 1 else 's'} that the series before it has"
            for name, count in self._left_out.items()
        ]
        return (*own, *(note for source in self.sources for note in getattr(source, "notes", ())))

    def load(self) -> Bars:
        """Return every bar.

        Raises
        ------
        DataError
            A series cannot be read, or is of another timeframe.
        """
        return concatenate(self._blocks(BLOCK_ROWS), self.name)

    def blocks(self, size: int = BLOCK_ROWS) -> Iterator[Bars]:
        """Yield the bars in pieces of at most `size` rows; no more than one piece is in memory.

        Raises
        ------
        DataError
            As `load`.
        """
        return self._blocks(check_size(size))

    def _blocks(self, size: int) -> Iterator[Bars]:
        self._left_out.clear()
        whole: Instrument | None = None
        timeframe, last = None, None
        for source in self.sources:
            for block in source.blocks(size):
                whole = whole or _whole(self.named, block.instrument)
                timeframe = timeframe or block.timeframe
                if block.timeframe != timeframe:
                    raise DataError(
                        f"{source.name} is of {block.timeframe}, the series before it of {timeframe}. Chain series of "
                        "one timeframe."
                    )
                # Not later than the last is what overlaps it as well: a bar is known at its close.
                first = 0 if last is None else int(np.searchsorted(block.ts, last + timeframe.ns))
                if first:
                    self._left_out[source.name] = self._left_out.get(source.name, 0) + first
                if first < len(block):
                    yield attrs.evolve(block[first:], instrument=whole)
                    last = int(block.ts[-1])


def _moment(value: Any) -> int | None:
    return None if value is None else to_ns(value)


@attrs.frozen(kw_only=True, eq=False)
class Contract:
    """One of the series that are rolled.

    Attributes
    ----------
    source
        What `load` takes; its symbol names the contract in the table of rolls.
    until
        To roll by date: the first bar that opens at or after it is of the next contract, where that has one. A date is
        its midnight, UTC.
    not_before
        To roll by volume or open interest: no roll is decided by a bar that opens before it.
    open_interest
        To roll by open interest: contracts open at each bar, shape ``(n,)``.
    """

    source: Any
    until: int | None = attrs.field(default=None, converter=_moment)
    not_before: int | None = attrs.field(default=None, converter=_moment)
    open_interest: NDArray[np.float64] | None = None


@attrs.frozen(kw_only=True)
class Roll:
    """A change from one contract to the next.

    Attributes
    ----------
    ts
        Open time of the first bar of the new contract, ns, UTC.
    old, new
        Symbols.
    reason
        ``"date"``, ``"volume"``, ``"open-interest"``, or ``"end"`` where the old contract has no more bars.
    decided
        Open time of the bar at whose close it was decided and prices compared, ns; None where the contracts have none
        in common before it.
    old_close, new_close
        Closes of both contracts at that bar, as quoted; NaN for none.
    shift, factor
        What was added to, and multiplied into, every price before the roll on its account.
    """

    ts: int
    old: str
    new: str
    reason: str
    decided: int | None
    old_close: float
    new_close: float
    shift: float = 0.0
    factor: float = 1.0


def roll(
    contracts: Sequence[Contract],
    *,
    by: RollBy = "volume",
    adjust: Adjustment = "none",
    effective: Effective = "next",
    symbol: str | None = None,
    instrument: Instrument | None = None,
) -> RolledHistory:
    """Return one series of contracts that follow each other.

    Parameters
    ----------
    contracts
        The nearest first, each a `Contract`.
    by
        When to go on to the next: at its date; when the next one's volume, or open interest, is the greater of the two
        at the close of a bar that both have. A contract that ends is left in any case.
    adjust
        ``"none"`` leaves prices as quoted, with a jump at each roll. ``"difference"`` adds to all prices before a roll
        the new close less the old at the bar that decided it; ``"ratio"`` multiplies them by their ratio, so that
        returns are those of the contract held. The newest contract stays as quoted: earlier prices depend on later
        rolls, as with every adjusted series, and levels (not returns) of the past are known with hindsight.
    effective
        From which bar on the next contract counts: ``"next"``, the one after the bar that decided, which could be
        traded, or ``"same"``, that bar itself. A date decides for its own bar either way.
    symbol, instrument
        What the whole is called. Default: what all symbols begin with.

    Raises
    ------
    InputError
        No contract is given, or a word is not known.
    DataError
        A contract lacks what `by` needs, a series cannot be read, or an adjusted price would not be above zero.

    Examples
    --------
    >>> from cambist.data import Contract, random_bars, roll
    >>> march, june = random_bars(bars=60, seed=1, symbol="ESH"), random_bars(bars=90, seed=2, symbol="ESM")
    >>> contracts = [Contract(source=march, until="2000-02-15"), Contract(source=june)]
    >>> series = roll(contracts, by="date", adjust="ratio")
    >>> [(one.old, one.new, one.reason) for one in series.rolls]
    [('ESH', 'ESM', 'date')]
    """
    for name, word, known in (
        ("by", by, get_args(RollBy)),
        ("adjust", adjust, get_args(Adjustment)),
        ("effective", effective, get_args(Effective)),
    ):
        if word not in known:
            raise InputError(f"{name} is {word!r}: give {', '.join(map(repr, known))}.")
    if not contracts:
        raise InputError("there is nothing to roll. Give at least one contract.")
    return RolledHistory(tuple(contracts), by, adjust, effective, _named(symbol, instrument))


@attrs.frozen
class _Leg:
    """A contract with its bars."""

    contract: Contract
    bars: Bars
    interest: NDArray[np.float64] | None

    @property
    def symbol(self) -> str:
        return self.bars.instrument.symbol


@attrs.define(eq=False, slots=False)
class RolledHistory:
    """A `HistorySource` of contracts that are rolled; made by `roll`, and read once, when it is first asked for.

    Attributes
    ----------
    contracts, by, adjust, effective, named
        As given to `roll`.
    """

    contracts: tuple[Contract, ...]
    by: RollBy
    adjust: Adjustment
    effective: Effective
    named: Instrument | str | None = None

    @property
    def name(self) -> str:
        """The symbol of the whole, and what decides."""
        return f"{self._made[0].instrument.symbol} rolled by {self.by}"

    @property
    def rolls(self) -> tuple[Roll, ...]:
        """The table of rolls, the first one first."""
        return self._made[1]

    def rolls_frame(self) -> pd.DataFrame:
        """Return the table of rolls as a DataFrame, times as UTC timestamps."""
        import pandas as pd

        frame = pd.DataFrame([attrs.asdict(one) for one in self.rolls], columns=[f.name for f in attrs.fields(Roll)])
        for name in ("ts", "decided"):
            frame[name] = pd.to_datetime(frame[name].astype("Int64"), unit="ns", utc=True)
        return frame

    def load(self) -> Bars:
        """Return every bar.

        Raises
        ------
        DataError
            See `roll`.
        """
        return self._made[0]

    def blocks(self, size: int = BLOCK_ROWS) -> Iterator[Bars]:
        """Yield the bars in pieces of at most `size` rows; errors are those of `load`."""
        check_size(size)
        return self.load().blocks(size)

    @cached_property
    def _made(self) -> tuple[Bars, tuple[Roll, ...]]:
        legs = _read_legs(self.contracts, self.by)
        pieces, rolls = _pieces(legs, self.by, self.effective)
        rolls = _with_adjustment(rolls, self.adjust)
        whole = _whole(self.named or _common_name(legs), legs[0].bars.instrument)
        return _joined(pieces, rolls, whole), tuple(rolls)


def _read_legs(contracts: tuple[Contract, ...], by: RollBy) -> list[_Leg]:
    legs: list[_Leg] = []
    for number, contract in enumerate(contracts):
        bars = open_source(contract.source).load()
        leg = _Leg(contract, bars, _interest(contract, bars) if by == "open-interest" else None)
        if legs and bars.timeframe != legs[0].bars.timeframe:
            raise DataError(
                f"{leg.symbol} is of {bars.timeframe}, {legs[0].symbol} of {legs[0].bars.timeframe}. Roll contracts of "
                "one timeframe."
            )
        if legs and bars.ts[-1] <= legs[-1].bars.ts[-1]:
            raise DataError(
                f"{leg.symbol} ends at {format_ns(int(bars.ts[-1]))}, no later than {legs[-1].symbol} before it. Give "
                "contracts in the order in which they end."
            )
        if by == "date" and contract.until is None and number < len(contracts) - 1:
            raise DataError(f"{leg.symbol} has no date to be left at. Give its Contract until=, or roll by volume.")
        legs.append(leg)
    return legs


def _interest(contract: Contract, bars: Bars) -> NDArray[np.float64]:
    symbol = bars.instrument.symbol
    if contract.open_interest is None:
        raise DataError(f"{symbol} has no open interest. Give its Contract open_interest=, or roll by volume.")
    interest = np.asarray(contract.open_interest, np.float64)
    if interest.shape != bars.ts.shape:
        raise DataError(f"the open interest of {symbol} has the shape {interest.shape}, its bars {bars.ts.shape}.")
    return interest


def _pieces(legs: list[_Leg], by: RollBy, effective: Effective) -> tuple[list[Bars], list[Roll]]:
    """Return what is taken of each contract, and the rolls between them."""
    pieces: list[Bars] = []
    rolls: list[Roll] = []
    start = int(legs[0].bars.ts[0])
    for old, new in pairwise(legs):
        at, decided, reason = _next_roll(old, new, start, by, effective)
        pieces.append(_between(old.bars, start, at))
        before = _last_common(old.bars, new.bars, at) if decided is None else decided
        rolls.append(
            Roll(
                ts=at,
                old=old.symbol,
                new=new.symbol,
                reason=reason,
                decided=before,
                old_close=_close_at(old.bars, before),
                new_close=_close_at(new.bars, before),
            )
        )
        start = at
    pieces.append(_between(legs[-1].bars, start, None))
    return pieces, rolls


def _next_roll(old: _Leg, new: _Leg, start: int, by: RollBy, effective: Effective) -> tuple[int, int | None, str]:
    """Return the open time of the first bar of the new contract, that of the bar that decided it, and why."""
    if by == "date":
        until = old.contract.until
        assert until is not None
        later = new.bars.ts[new.bars.ts >= max(until, start)]
        if len(later) and later[0] <= old.bars.ts[-1]:
            return int(later[0]), None, "date"
    else:
        common, mine, theirs = np.intersect1d(old.bars.ts, new.bars.ts, assume_unique=True, return_indices=True)
        ours, others = (old.bars.volume, new.bars.volume) if by == "volume" else (old.interest, new.interest)
        assert ours is not None
        assert others is not None
        passed = (others[theirs] > ours[mine]) & (common >= max(start, old.contract.not_before or start))
        if passed.any():
            decided = int(common[passed.argmax()])
            if effective == "same":
                return decided, decided, by
            return int(new.bars.ts[np.searchsorted(new.bars.ts, decided, side="right")]), decided, by
    # Bars of contracts need not lie on one grid: what overlaps the last of the old one is not taken.
    end = int(old.bars.ts[-1]) + old.bars.timeframe.ns
    place = min(int(np.searchsorted(new.bars.ts, end)), len(new.bars) - 1)
    return int(new.bars.ts[place]), None, "end"


def _between(bars: Bars, start: int, end: int | None) -> Bars:
    first = int(np.searchsorted(bars.ts, start))
    last = len(bars) if end is None else int(np.searchsorted(bars.ts, end))
    return bars[first:last]


def _last_common(old: Bars, new: Bars, before: int) -> int | None:
    common = np.intersect1d(old.ts, new.ts, assume_unique=True)
    common = common[common < before]
    return int(common[-1]) if len(common) else None


def _close_at(bars: Bars, ts: int | None) -> float:
    return float("nan") if ts is None else float(bars.close[np.searchsorted(bars.ts, ts)])


def _with_adjustment(rolls: list[Roll], adjust: Adjustment) -> list[Roll]:
    if adjust == "none":
        return rolls
    for one in rolls:
        if one.decided is None:
            raise DataError(
                f"{one.old} and {one.new} have no bar in common before the roll at {format_ns(one.ts)}, so that there "
                "is nothing to adjust by. Give longer series, or adjust='none'."
            )
    if adjust == "difference":
        return [attrs.evolve(one, shift=one.new_close - one.old_close) for one in rolls]
    return [attrs.evolve(one, factor=one.new_close / one.old_close) for one in rolls]


def _joined(pieces: list[Bars], rolls: list[Roll], whole: Instrument) -> Bars:
    shift, factor = 0.0, 1.0
    adjusted: list[Bars] = []
    for number in range(len(pieces) - 1, -1, -1):
        if number < len(rolls):
            shift, factor = shift + rolls[number].shift, factor * rolls[number].factor
        piece = pieces[number]
        if len(piece) == 0:
            continue
        columns: dict[str, Any] = {}
        if shift != 0.0 or factor != 1.0:
            columns = {name: getattr(piece, name) * factor + shift for name in COLUMNS[:4]}
            lowest = float(columns["low"].min())
            if lowest <= 0:
                raise DataError(
                    f"{piece.instrument.symbol}: adjusted by {shift:g} its low at "
                    f"{format_ns(int(piece.ts[columns['low'].argmin()]))} would be {lowest:g}, and a price must be "
                    "above zero. Use adjust='ratio'."
                )
        adjusted.append(attrs.evolve(piece, instrument=whole, **columns))
    return concatenate(reversed(adjusted), whole.symbol)


def _common_name(legs: list[_Leg]) -> str:
    symbols = [leg.symbol for leg in legs]
    if len(symbols) == 1:
        return symbols[0]
    shortest, longest = min(symbols), max(symbols)
    same = next((n for n, (a, b) in enumerate(zip(shortest, longest, strict=False)) if a != b), len(shortest))
    name = shortest[:same].rstrip("-_. ")
    if not name:
        raise DataError(f"the contracts {', '.join(symbols)} have no beginning in common. Pass symbol=.")
    return name
