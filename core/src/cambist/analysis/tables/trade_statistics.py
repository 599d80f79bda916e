"""Statistics of trades as a tree: counts, streaks, profits and lengths, of all, won, lost, long and short ones."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.analysis.measures.streaks import streak_lengths

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from cambist.model import Trade

__all__ = ["TradeStatistics", "trade_statistics"]


@attrs.frozen(slots=True)
class Counts:
    """How many trades there are, how many are still open, and how many are closed."""

    total: int
    open: int
    closed: int


@attrs.frozen(slots=True)
class Streak:
    """Trades of one outcome in a row: up to the last closed trade, and at most."""

    current: int
    longest: int


@attrs.frozen(slots=True)
class Streaks:
    """Streaks of won and of lost trades."""

    won: Streak
    lost: Streak


@attrs.frozen(slots=True)
class Sums:
    """Profit in all and on average, in the account's currency."""

    total: float
    average: float


@attrs.frozen(slots=True)
class Profits:
    """Profit before fees and after them."""

    gross: Sums
    net: Sums


@attrs.frozen(slots=True)
class Amounts(Sums):
    """Profit after fees: in all, on average, and the largest, which for lost trades is the largest loss."""

    max: float


@attrs.frozen(slots=True)
class Outcome:
    """The trades of one outcome: how many, and what they made."""

    total: int
    pnl: Amounts


@attrs.frozen(slots=True)
class DirectionAmounts(Sums):
    """Profit after fees of one direction: in all, on average, and that of its won and lost trades."""

    won: Amounts
    lost: Amounts


@attrs.frozen(slots=True)
class Direction:
    """The trades of one direction: how many, what they made, and how many won and lost."""

    total: int
    pnl: DirectionAmounts
    won: int
    lost: int


@attrs.frozen(slots=True)
class Lengths:
    """Lengths of trades in bars: in all, on average, the longest and the shortest."""

    total: int
    average: float
    max: float
    min: float


@attrs.frozen(slots=True)
class DirectionLengths(Lengths):
    """Lengths of the trades of one direction in bars, and of those that won and lost."""

    won: Lengths
    lost: Lengths


@attrs.frozen(slots=True)
class AllLengths(DirectionLengths):
    """Lengths of all trades in bars, and of those of each outcome and each direction."""

    long: DirectionLengths
    short: DirectionLengths


@attrs.frozen(slots=True)
class TradeStatistics:
    """Statistics of trades, every branch there whether a trade is in it or not.

    A trade is won when it made more than nothing after fees, lost when less. Counts, sums and streaks of no trades are
    0; averages and extremes are NaN. All but ``total.total`` and ``total.open`` look at closed trades alone.

    Attributes
    ----------
    total
        ``total.total``, ``total.open``, ``total.closed``.
    streak
        ``streak.won.current``, ``streak.won.longest``, and of ``lost``, in the order in which trades were closed.
    pnl
        ``pnl.gross.total``, ``pnl.gross.average``, and of ``net``.
    won, lost
        ``won.total``, ``won.pnl.total``, ``won.pnl.average``, ``won.pnl.max``.
    even
        Trades that made exactly nothing.
    long, short
        ``long.total``, ``long.won``, ``long.lost``, ``long.pnl.total``, ``long.pnl.average``, and ``long.pnl.won`` and
        ``long.pnl.lost`` as those above.
    bars
        Lengths in bars: ``bars.total``, ``.average``, ``.max``, ``.min``, the same of ``bars.won``, ``bars.lost``,
        ``bars.long``, ``bars.short``, and of ``bars.long.won`` and so on.
    """

    total: Counts
    streak: Streaks
    pnl: Profits
    won: Outcome
    lost: Outcome
    even: int
    long: Direction
    short: Direction
    bars: AllLengths

    def to_dict(self) -> dict[str, Any]:
        """Return the tree as nested dictionaries."""
        return attrs.asdict(self)

    def flat(self) -> dict[str, float]:
        """Return every number by its path: ``{"total.total": 12, "won.pnl.average": 34.5, ...}``."""
        return dict(_leaves(self.to_dict(), ""))

    def __str__(self) -> str:
        numbers = self.flat()
        width = max(map(len, numbers))
        return "\n".join(f"{path:<{width}}  {_text(value):>14}" for path, value in numbers.items())


def trade_statistics(trades: Sequence[Trade]) -> TradeStatistics:
    """Return the statistics of some trades, such as those of a run, a strategy or an instrument.

    Parameters
    ----------
    trades
        Closed and open ones, in any order.
    """
    closed = sorted((trade for trade in trades if not trade.is_open), key=attrgetter("closed_bar", "closed_at", "id"))
    count = len(closed)
    net = np.fromiter(map(attrgetter("net"), closed), np.float64, count)
    gross = np.fromiter(map(attrgetter("gross"), closed), np.float64, count)
    bars = np.fromiter(map(attrgetter("bars"), closed), np.int64, count)
    long = np.fromiter(map(attrgetter("is_long"), closed), np.bool_, count)
    won, lost = net > 0.0, net < 0.0
    return TradeStatistics(
        total=Counts(len(trades), len(trades) - count, count),
        streak=Streaks(_streak(won), _streak(lost)),
        pnl=Profits(_sums(gross), _sums(net)),
        won=Outcome(int(won.sum()), _amounts(net[won])),
        lost=Outcome(int(lost.sum()), _amounts(net[lost])),
        even=int(np.count_nonzero(net == 0.0)),
        long=_direction(net[long]),
        short=_direction(net[~long]),
        bars=AllLengths(
            *_lengths(bars),
            won=Lengths(*_lengths(bars[won])),
            lost=Lengths(*_lengths(bars[lost])),
            long=_direction_lengths(bars[long], net[long]),
            short=_direction_lengths(bars[~long], net[~long]),
        ),
    )


def _streak(hits: NDArray[np.bool_]) -> Streak:
    lengths = streak_lengths(hits)
    return Streak(int(lengths[-1]) if len(lengths) else 0, int(lengths.max(initial=0)))


def _sums(values: NDArray[np.float64]) -> Sums:
    return Sums(float(values.sum()), float(values.mean()) if len(values) else np.nan)


def _amounts(values: NDArray[np.float64]) -> Amounts:
    if not len(values):
        return Amounts(0.0, np.nan, np.nan)
    return Amounts(float(values.sum()), float(values.mean()), float(values[np.abs(values).argmax()]))


def _direction(net: NDArray[np.float64]) -> Direction:
    won, lost = net[net > 0.0], net[net < 0.0]
    sums = _sums(net)
    pnl = DirectionAmounts(sums.total, sums.average, _amounts(won), _amounts(lost))
    return Direction(len(net), pnl, len(won), len(lost))


def _lengths(bars: NDArray[np.int64]) -> tuple[int, float, float, float]:
    if not len(bars):
        return 0, np.nan, np.nan, np.nan
    return int(bars.sum()), float(bars.mean()), int(bars.max()), int(bars.min())


def _direction_lengths(bars: NDArray[np.int64], net: NDArray[np.float64]) -> DirectionLengths:
    won, lost = Lengths(*_lengths(bars[net > 0.0])), Lengths(*_lengths(bars[net < 0.0]))
    return DirectionLengths(*_lengths(bars), won=won, lost=lost)


def _leaves(branch: dict[str, Any], path: str) -> Iterator[tuple[str, float]]:
    for name, value in branch.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value


def _text(value: float) -> str:
    if np.isnan(value):
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
