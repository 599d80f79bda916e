"""How much history it takes until values settle: runs that begin later and later against the one that begins first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.backtest.checking.cuts import choose_starts
from cambist.backtest.checking.played import agree, check_count, check_tolerance
from cambist.errors import InputError
from cambist.model.times import format_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cambist.backtest.checking.played import Decision, KeptLine, Played
    from cambist.backtest.checking.subject import Subject

__all__ = ["Settling", "WarmupReport", "find_settling"]


@attrs.frozen(kw_only=True)
class Settling:
    """How much history one line, or the decisions of one strategy, take.

    Attributes
    ----------
    strategy, name, symbol
        Whose; what the line is called, ``"decisions"`` for decisions; and the instrument.
    lookback
        Bars before a line is known at all; 0 for decisions.
    bars
        The most bars it took, over all starts, before it agreed with the run that began first, and went on to: within
        the tolerance, or of decisions the same ones at the same times. None where it never did.
    exact
        The same to the last bit; of decisions with the same sizes and prices.
    """

    strategy: str
    name: str
    symbol: str
    lookback: int
    bars: int | None
    exact: int | None

    @property
    def kind(self) -> str:
        """``"window"`` settles when it is known, ``"recursive"`` later, ``"endless"`` not within the data.

        Decisions are ``"decisions"``, or ``"endless"``.
        """
        if self.bars is None:
            return "endless"
        if self.name == "decisions":
            return self.name
        return "window" if self.bars <= self.lookback else "recursive"

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        return attrs.asdict(self) | {"kind": self.kind}


@attrs.frozen(kw_only=True)
class WarmupReport:
    """What `check_warmup` found.

    Attributes
    ----------
    settlings
        Of every line, then of the decisions of every strategy that made any.
    starts
        Close times of the bars after which later runs began, ns, UTC.
    followed
        Bars that followed the last of these starts: nobody can tell of more.
    tolerance
        By which fraction values may differ.
    within
        How many bars there will be; None where nobody said.
    """

    settlings: tuple[Settling, ...]
    starts: tuple[int, ...]
    followed: int
    tolerance: float
    within: int | None = None

    @property
    def recommended(self) -> int:
        """Bars of history before the first one to trade on, so that every line that settles has.

        Decisions go by positions too, which no history brings back; they count where there is no line.
        """
        lines = [one for one in self.settlings if one.name != "decisions"]
        return max((one.bars for one in lines or self.settlings if one.bars is not None), default=0)

    @property
    def endless(self) -> tuple[Settling, ...]:
        """What did not settle within the data."""
        return tuple(one for one in self.settlings if one.bars is None)

    @property
    def clean(self) -> bool:
        """Whether everything settles, and within the bars that there will be where that was said."""
        return not self.endless and (self.within is None or self.recommended <= self.within)

    def document(self) -> dict[str, Any]:
        """Return the report for JSON; times in ISO 8601."""
        return {
            "check": "warmup",
            "clean": self.clean,
            "recommended": self.recommended,
            "within": self.within,
            "tolerance": self.tolerance,
            "starts": [format_ns(ts) for ts in self.starts],
            "followed": self.followed,
            "settlings": [one.document() for one in self.settlings],
        }

    def __str__(self) -> str:
        rows = [("", "known after", f"within {self.tolerance:g}", "exactly", "")]
        rows += [
            (
                f"{one.strategy}: {one.name}" + (f" of {one.symbol}" if one.symbol else ""),
                str(one.lookback) if one.name != "decisions" else "",
                _bars(one.bars),
                _bars(one.exact),
                one.kind,
            )
            for one in self.settlings
        ]
        widths = [max(len(row[place]) for row in rows) for place in range(5)]
        table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([*table, *self._ends()])

    def _ends(self) -> list[str]:
        starts = f"{len(self.starts)} later starts, each followed by {self.followed:,} bars or more"
        lines = [
            f"{starts}; numbers are bars of history before the first right one",
            f"recommended warm-up: {self.recommended:,} bars",
        ]
        if self.endless:
            names = ", ".join(f"{one.strategy}: {one.name}" for one in self.endless)
            lines.append(
                f"NOT SETTLED within {self.followed:,} bars: {names}. It depends on where the run begins: always begin "
                "at the same bar, or check over more bars"
            )
        if self.within is not None and self.recommended > self.within:
            lines.append(f"TOO LITTLE: there will be {self.within:,} bars, and {self.recommended:,} are needed")
        return lines


def _bars(count: int | None) -> str:
    return "never" if count is None else f"{count:,}"


def find_settling(
    subject: Subject,
    *,
    starts: int = 5,
    seed: int = 0,
    tolerance: float = 1e-6,
    within: int | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> WarmupReport:
    """Compare the run that begins with the first bar with runs that begin later.

    Parameters
    ----------
    subject
        What to run.
    starts, seed
        How many later starts, all in the first half of the bars, and what chooses them.
    tolerance
        By which fraction values may differ.
    within
        How many bars of history there will be, for `WarmupReport.clean`.
    progress
        Called with the starts made and the starts there are.

    Raises
    ------
    ParameterError
        For a number that cannot be.
    InputError
        If the run cannot be set up, or the strategy decides by chance.
    StrategyError
        If the strategy fails.
    """
    check_tolerance(tolerance)
    if within is not None:
        check_count("within", within, least=0)
    instants = subject.instants
    rows = choose_starts(instants, starts, seed)
    whole = _sound(subject.whole())
    _require_repeatable(whole, _sound(subject.whole()))
    found: dict[tuple[str, str, str], list[Settling]] = {}
    for number, row in enumerate(rows, 1):
        start = int(instants[row])
        later = _sound(subject.since(start))
        for one in [*_lines(whole, later, tolerance), *_decisions(whole, later, start)]:
            found.setdefault((one.strategy, one.name, one.symbol), []).append(one)
        if progress is not None:
            progress(number, len(rows))
    return WarmupReport(
        settlings=tuple(sorted(map(_worst, found.values()), key=lambda one: one.name == "decisions")),
        starts=tuple(int(instants[row]) for row in rows),
        followed=len(instants) - 1 - rows[-1],
        tolerance=tolerance,
        within=within,
    )


def _sound(played: Played) -> Played:
    if played.error is not None:
        raise played.error
    return played


def _require_repeatable(one: Played, other: Played) -> None:
    same = len(one.decisions) == len(other.decisions) and all(
        mine.subject == theirs.subject and mine.ts == theirs.ts and mine.equals(theirs, 0.0)
        for mine, theirs in zip(one.decisions, other.decisions, strict=True)
    )
    if not same:
        raise InputError(
            "two runs over the same bars decide differently. Take random numbers from self.chance, and set in on_start "
            "what is kept from bar to bar; until then nothing can be told."
        )


def _worst(settlings: Sequence[Settling]) -> Settling:
    """Return the most that any start took."""
    return attrs.evolve(
        settlings[0],
        lookback=max(one.lookback for one in settlings),
        bars=_most(one.bars for one in settlings),
        exact=_most(one.exact for one in settlings),
    )


def _most(counts: Iterable[int | None]) -> int | None:
    """Return the largest; None, for never, is larger than any."""
    known = list(counts)
    return None if None in known else max(count for count in known if count is not None)


def _lines(whole: Played, later: Played, tolerance: float) -> list[Settling]:
    return [
        Settling(
            strategy=line.strategy,
            name=line.name,
            symbol=line.symbol,
            lookback=line.lookback,
            bars=_settled(whole.lines[key], line, tolerance),
            exact=_settled(whole.lines[key], line, 0.0),
        )
        for key, line in later.lines.items()
        if key in whole.lines
    ]


def _settled(first: KeptLine, later: KeptLine, tolerance: float) -> int | None:
    """Return how many bars a line took to agree with what it is where more came before; None where it never did."""
    rows = len(later.values)
    differ = np.flatnonzero(~agree(first.values[len(first.values) - rows :], later.values, tolerance))
    bars = int(differ[-1]) + 1 if len(differ) else 0
    return bars if bars < rows else None


def _decisions(whole: Played, later: Played, start: int) -> list[Settling]:
    """Return how long decisions differ, strategy by strategy."""
    after = [one for one in whole.decisions if one.ts > start]
    names = dict.fromkeys(one.strategy for one in [*after, *later.decisions])
    return [_agreeing(name, after, later) for name in names]


def _agreeing(name: str, after: Sequence[Decision], later: Played) -> Settling:
    mine = [one for one in after if one.strategy == name]
    theirs = [one for one in later.decisions if one.strategy == name]
    bars = [_bars_until_equal(mine, theirs, later, key) for key in (_coarse, _fine)]
    return Settling(strategy=name, name="decisions", symbol="", lookback=0, bars=bars[0], exact=bars[1])


def _coarse(one: Decision) -> Any:
    # Sizes go by equity, which a run that begins later has made other trades for.
    numbers = one.numbers if one.kind == "signal" else ()
    return one.ts, one.subject, one.words, tuple(float(f"{number:.6g}") for number in numbers)


def _fine(one: Decision) -> Any:
    return one.ts, one.subject, one.words, tuple(map(repr, one.numbers))


def _bars_until_equal(
    mine: Sequence[Decision], theirs: Sequence[Decision], later: Played, key: Callable[[Decision], Any]
) -> int | None:
    """Return the bars until two series of decisions are equal from there on; None where no equal ones follow."""
    one, other = {key(each) for each in mine}, {key(each) for each in theirs}
    differing = [times[0] for times in one ^ other]
    if not differing:
        return 0
    last = max(differing)
    if not any(times[0] > last for times in one & other):
        return None
    return int(np.searchsorted(later.instants, last, side="right"))
