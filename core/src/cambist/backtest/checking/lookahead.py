"""Whether a strategy knows the future: a run over all bars against runs over the bars up to a cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.backtest.checking.cuts import choose_cuts, rows_of_decisions
from cambist.backtest.checking.played import agree, check_tolerance
from cambist.model.times import format_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from cambist.backtest.checking.played import Decision, Played
    from cambist.backtest.checking.subject import Subject

__all__ = ["Coverage", "Finding", "LookaheadReport", "find_lookahead"]

_NOTHING = "nothing"


@attrs.frozen(kw_only=True)
class Finding:
    """A line or a kind of decision that changes with what comes after it.

    Attributes
    ----------
    kind
        ``"line"``, ``"order"``, ``"cancel"``, ``"change"``, ``"signal"``, ``"money"``, ``"stop"``; ``"error"`` where
        the strategy fails without the bars that follow; ``"refused"`` where the run itself refuses to look ahead; and
        ``"chance"`` where two runs over the same bars differ, so that nothing can be told.
    strategy, name, symbol
        Whose; what the line or the signal is called, or the symbol of the order; and the instrument.
    time
        The first one seen: of a line the close time of the bar, ns, UTC.
    whole, known
        What it is with all bars, and with those alone that had closed at the cut.
    cut
        The last bar of the shorter run closes then, ns, UTC.
    cuts
        At how many cuts it differs.
    ahead
        How many bars before a cut it differs at most: 1 for what needs the next bar.
    """

    kind: str
    strategy: str
    name: str
    symbol: str
    time: int
    whole: str
    known: str
    cut: int
    cuts: int = 1
    ahead: int = 0

    def document(self) -> dict[str, Any]:
        """Return it for JSON; times in ISO 8601."""
        return attrs.asdict(self) | {"time": format_ns(self.time), "cut": format_ns(self.cut)}

    def __str__(self) -> str:
        what = f"{self.strategy}: {self.kind} {self.name}" if self.name else f"{self.strategy}: {self.kind}"
        about = f" of {self.symbol}" if self.symbol and self.symbol != self.name else ""
        if self.kind == "refused":
            return f"{self.strategy}: {self.whole}"
        if self.kind == "chance":
            return (
                f"{self.strategy}: two runs over the same bars differ: {self.name}{about} at {format_ns(self.time)} is "
                f"{self.whole} in one and {self.known} in the other. Take random numbers from self.chance, and set in "
                "on_start what is kept from bar to bar; until then nothing can be told."
            )
        bars = "1 bar" if self.ahead == 1 else f"{self.ahead} bars"
        return (
            f"{what}{about} at {format_ns(self.time)}: {self.whole} with all bars, {self.known} with those up to "
            f"{format_ns(self.cut)}; differs at {self.cuts} cut{'s' if self.cuts > 1 else ''}, up to {bars} before it"
        )


@attrs.frozen(kw_only=True)
class Coverage:
    """What a check looked at, and what it left out.

    Attributes
    ----------
    bars, instants
        Bars there are, and times at which one or several of them close.
    first, last
        Of the cuts, ns, UTC; 0 where there was none.
    cuts, every, seed
        How many were made, whether at every bar, and what chose them.
    decided, decided_cut
        Bars with a decision in the whole run, and how many of these were cut right there.
    lines
        Names of the lines, each with its strategy.
    values, decisions
        How many values and decisions were compared.
    outside
        Tables beside the bars that were shortened for each cut, too.
    """

    bars: int
    instants: int
    first: int = 0
    last: int = 0
    cuts: int = 0
    every: bool = False
    seed: int = 0
    decided: int = 0
    decided_cut: int = 0
    lines: tuple[str, ...] = ()
    values: int = 0
    decisions: int = 0
    outside: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return it for JSON; times in ISO 8601, None where there is none."""
        times = {name: format_ns(ts) if ts else None for name, ts in (("first", self.first), ("last", self.last))}
        return attrs.asdict(self) | times

    def __str__(self) -> str:
        where = "every bar" if self.every else f"{self.cuts} of {self.instants - 1:,} places (seed {self.seed})"
        span = f", {format_ns(self.first)} to {format_ns(self.last)}" if self.cuts else ""
        outside = ", ".join(self.outside) or "none"
        return (
            f"cut at {where}{span}\n"
            f"bars with decisions: {self.decided:,}, of which cut right there: {self.decided_cut:,}\n"
            f"compared: {self.values:,} values of {len(self.lines)} lines, {self.decisions:,} decisions\n"
            f"tables outside the bars, shortened too: {outside}"
        )


@attrs.frozen(kw_only=True)
class LookaheadReport:
    """What `check_lookahead` found.

    Attributes
    ----------
    findings
        Everything that knows the future, lines first.
    coverage
        What was looked at.
    """

    findings: tuple[Finding, ...]
    coverage: Coverage

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def raise_if_found(self) -> None:
        """Raise an `AssertionError` with the report, for a test.

        Raises
        ------
        AssertionError
            If anything was found.
        """
        if self.findings:
            raise AssertionError(str(self))

    def document(self) -> dict[str, Any]:
        """Return the report for JSON."""
        return {
            "check": "lookahead",
            "clean": self.clean,
            "findings": [one.document() for one in self.findings],
            "coverage": self.coverage.document(),
        }

    def __str__(self) -> str:
        found = "\n".join(str(one) for one in self.findings)
        head = "no look-ahead found" if self.clean else f"LOOK-AHEAD: {len(self.findings)} found\n{found}"
        return f"{head}\n{self.coverage}"


@attrs.define
class _Tally:
    """What was compared so far, and the findings by what they are about."""

    tolerance: float
    findings: dict[tuple[str, str, str, str], Finding] = attrs.field(factory=dict)
    values: int = 0
    decisions: int = 0

    def add(self, found: Iterable[Finding]) -> None:
        """Take the findings of one cut."""
        for one in found:
            key = one.strategy, one.kind, one.name, one.symbol
            before = self.findings.get(key)
            if before is None:
                self.findings[key] = one
            else:
                self.findings[key] = attrs.evolve(before, cuts=before.cuts + 1, ahead=max(before.ahead, one.ahead))


def find_lookahead(
    subject: Subject,
    *,
    cuts: int = 20,
    every: bool = False,
    seed: int = 0,
    tolerance: float = 1e-9,
    progress: Callable[[int, int | None], None] | None = None,
) -> LookaheadReport:
    """Compare a run over all bars with runs over the bars up to each of several cuts.

    Parameters
    ----------
    subject
        What to run.
    cuts, every, seed
        How many cuts, see `choose_cuts`.
    tolerance
        By which fraction values may differ: sums over longer columns end in other last digits.
    progress
        Called with the cuts made and the cuts there are.

    Raises
    ------
    ParameterError
        For a number that cannot be.
    InputError
        If the run cannot be set up.
    StrategyError
        If the strategy fails over all bars.
    """
    check_tolerance(tolerance)
    instants = subject.instants
    whole = subject.whole()
    if whole.foresight is not None:
        return LookaheadReport(findings=(_refused(whole, int(instants[-1])),), coverage=_uncut(subject, whole))
    if whole.error is not None:
        raise whole.error
    tally = _Tally(tolerance)
    tally.add(_by_chance(whole, subject.whole(), int(instants[-1])))
    if tally.findings:
        return LookaheadReport(findings=tuple(tally.findings.values()), coverage=_uncut(subject, whole))
    decided = rows_of_decisions(instants, whole.decisions)
    rows = choose_cuts(instants, decided, cuts, seed, every=every)
    for number, row in enumerate(rows, 1):
        _compare_at(subject, whole, row, tally)
        if progress is not None:
            progress(number, len(rows))
    coverage = _covered(_uncut(subject, whole), subject, tally, decided, rows)
    coverage = attrs.evolve(coverage, seed=seed)
    ordered = sorted(tally.findings.values(), key=lambda one: (one.kind != "line", one.strategy, one.time))
    return LookaheadReport(findings=tuple(ordered), coverage=coverage)


def _covered(uncut: Coverage, subject: Subject, tally: _Tally, decided: Sequence[int], rows: Sequence[int]) -> Coverage:
    instants = subject.instants
    return attrs.evolve(
        uncut,
        first=int(instants[rows[0]]),
        last=int(instants[rows[-1]]),
        cuts=len(rows),
        every=len(rows) == len(instants) - 1,
        decided=len(decided),
        decided_cut=len(set(decided) & set(rows)),
        values=tally.values,
        decisions=tally.decisions,
        outside=tuple(sorted(subject.outside)),
    )


def _uncut(subject: Subject, whole: Played) -> Coverage:
    lines = tuple(f"{line.strategy}.{line.name}" for line in whole.lines.values())
    return Coverage(bars=subject.n_bars, instants=len(subject.instants), lines=lines)


def _compare_at(subject: Subject, whole: Played, row: int, tally: _Tally) -> None:
    """Compare at one cut; in a run that is shown opens also with no more than the open of what closes there."""
    instants = subject.instants
    cut = int(instants[row])
    known = subject.until(cut)

    def until_cut(one: Decision) -> bool:
        # At the cut the next bar may open, and orders trade; what is decided there the shorter run cannot have.
        return one.ts < cut if one.opening or one.reacting or known.error else one.ts <= cut

    tally.add(_differences(whole, known, cut, tally, until_cut))
    if not subject.settings.cheat_on_open or not row:
        return
    opened, opening = subject.opened(cut), cut - subject.series[0].timeframe.ns
    closed = int(instants[row - 1])
    if opened.error is not None and not opened.failed_opening:
        # It failed in the rest of that bar, which was made up. What it decided at the open stands.
        opened = attrs.evolve(opened, error=None)

    def until_open(one: Decision) -> bool:
        if one.opening:
            return one.ts < opening if opened.error else one.ts <= opening
        return one.ts < closed if one.reacting else one.ts <= closed

    tally.add(_differences(whole, opened, closed, tally, until_open))


def _by_chance(one: Played, other: Played, end: int) -> Iterator[Finding]:
    """Yield where two runs over the same bars differ."""
    found = list(_differences(one, other, end, _Tally(0.0), lambda _: True))
    for first in found[:1]:
        yield attrs.evolve(first, kind="chance", name=first.name or first.kind)


def _refused(whole: Played, end: int) -> Finding:
    return Finding(
        kind="refused",
        strategy="the run",
        name="",
        symbol="",
        time=end,
        whole=str(whole.foresight),
        known="",
        cut=end,
    )


def _differences(
    whole: Played, known: Played, cut: int, tally: _Tally, counts: Callable[[Decision], bool]
) -> Iterator[Finding]:
    """Yield what differs at or before a cut, the first of each line and each kind of decision."""
    if known.error is not None:
        text = str(known.error).partition("\n")[0]
        yield Finding(
            kind="error",
            strategy="the run",
            name="",
            symbol="",
            time=cut,
            whole="no failure",
            known=text,
            cut=cut,
            ahead=1,
        )
    yield from _line_differences(whole, known, cut, tally)
    mine, theirs = (list(filter(counts, run.decisions)) for run in (whole, known))
    yield from _decision_differences(mine, theirs, cut, tally, whole)


def _line_differences(whole: Played, known: Played, cut: int, tally: _Tally) -> Iterator[Finding]:
    for key, line in whole.lines.items():
        rows = int(np.searchsorted(line.closes, cut, side="right"))
        other = known.lines.get(key)
        named: dict[str, Any] = {
            "kind": "line",
            "strategy": line.strategy,
            "name": line.name,
            "symbol": line.symbol,
            "cut": cut,
        }
        if other is None:
            if known.error is None:
                yield Finding(**named, time=cut, whole="there", known="no such line", ahead=1)
            continue
        tally.values += rows
        same = agree(line.values[:rows], other.values[:rows], tally.tolerance)
        if not same.all():
            row = int(same.argmin())
            yield Finding(
                **named,
                time=int(line.closes[row]),
                whole=f"{line.values[row]:.10g}",
                known=f"{other.values[row]:.10g}",
                ahead=rows - row,
            )


def _decision_differences(
    whole: Sequence[Decision], known: Sequence[Decision], cut: int, tally: _Tally, run: Played
) -> Iterator[Finding]:
    one, other = _by_place(whole), _by_place(known)
    tally.decisions += len(whole)
    told = set()
    for ts, subject in sorted(one.keys() | other.keys()):
        first, second = one.get((ts, subject), ()), other.get((ts, subject), ())
        same = len(first) == len(second) and all(
            mine.equals(theirs, tally.tolerance) for mine, theirs in zip(first, second, strict=True)
        )
        if same or subject in told:
            continue
        told.add(subject)
        strategy, kind, name, symbol = subject
        yield Finding(
            kind=kind,
            strategy=strategy,
            name=name,
            symbol=symbol,
            time=ts,
            whole=_told(first),
            known=_told(second),
            cut=cut,
            ahead=_bars_between(run, ts, cut),
        )


def _by_place(decisions: Sequence[Decision]) -> dict[tuple[int, tuple[str, str, str, str]], list[Decision]]:
    """Return decisions by time and subject."""
    found: dict[tuple[int, tuple[str, str, str, str]], list[Decision]] = {}
    for one in decisions:
        found.setdefault((one.ts, one.subject), []).append(one)
    return found


def _told(decisions: Sequence[Decision]) -> str:
    return ", then ".join(one.describe() for one in decisions) or _NOTHING


def _bars_between(run: Played, ts: int, cut: int) -> int:
    return 1 if ts >= cut else 1 + int(np.searchsorted(run.instants, cut) - np.searchsorted(run.instants, ts))
