"""What becomes of bars that are missing or look wrong: for a whole run, or for strategies that want it otherwise."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs

from cambist.live.joining import Deliver, Fetch, Joint, MissingBars, Tell
from cambist.live.screening import BarScreen, check_bar_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cambist.live.joining import Found
    from cambist.model.bars import Bar
    from cambist.model.timeframe import Timeframe

__all__ = ["BarHandling", "Joints", "make_joint"]

#: A policy that names no rule.
_NOTHING: Mapping[str, str] = MappingProxyType({})


def _followed(_handling: object, _field: object, policy: Mapping[str, str] | None) -> None:
    check_bar_policy(policy or {})


@attrs.frozen(kw_only=True)
class BarHandling:
    """What becomes of bars for one strategy; None is what the run's settings say.

    Attributes
    ----------
    missing_bars, check_bars, bar_policy
        See `cambist.live.LiveSettings`. To hold is to let the strategy only reduce, in all of its instruments.
    """

    missing_bars: MissingBars | None = attrs.field(default=None, converter=attrs.converters.optional(MissingBars))
    check_bars: bool | None = None
    bar_policy: Mapping[str, str] | None = attrs.field(default=None, validator=_followed)

    def over(self, run: BarHandling) -> BarHandling:
        """Return it with what `run` says where it says nothing."""
        said: dict[str, Any] = {name: value for name, value in attrs.asdict(self).items() if value is not None}
        return attrs.evolve(run, **said)

    @property
    def key(self) -> tuple[Any, ...]:
        """What is equal for those that see the same bars."""
        policy = self.bar_policy or _NOTHING
        return self.missing_bars, bool(self.check_bars or policy), tuple(sorted(policy.items()))


class Joints:
    """The bars of one series for groups of strategies, each of which has them joined in its own way.

    It is used as a `Joint` is. What all groups are to be shown is said once, for all.

    Parameters
    ----------
    groups
        Names of strategies, and how their bars are joined.
    """

    def __init__(self, groups: Sequence[tuple[tuple[str, ...], Joint]]) -> None:
        self._groups = groups

    @property
    def next(self) -> int:
        """Open time of the bar that must come next; of the group that is furthest behind."""
        return min(joint.next for _, joint in self._groups)

    @property
    def waits(self) -> bool:
        """Whether bars are being fetched."""
        return any(joint.waits for _, joint in self._groups)

    def warmed(self, bars: Iterable[Bar]) -> None:
        """See `Joint`."""
        bars = list(bars)
        for _, joint in self._groups:
            joint.warmed(bars)

    def take(self, bar: Bar, now: int) -> list[Found]:
        """See `Joint`."""
        return self._merged([(names, joint.take(bar, now)) for names, joint in self._groups])

    def overdue(self, now: int) -> list[Found]:
        """See `Joint`."""
        return self._merged([(names, joint.overdue(now)) for names, joint in self._groups])

    def answered(self, asked: Fetch, bars: Iterable[Bar] | None, now: int) -> list[Found]:
        """See `Joint`."""
        bars = None if bars is None else list(bars)
        return self._merged([(names, joint.answered(asked, bars, now)) for names, joint in self._groups])

    def _merged(self, told: Sequence[tuple[tuple[str, ...], list[Found]]]) -> list[Found]:
        """Return what is to be done for all groups: what is told and fetched first, then bars by their time."""
        fetches: dict[Fetch, None] = {}
        tells: dict[tuple[str, str], tuple[str, ...]] = {}
        bars: dict[int, dict[Bar, tuple[str, ...]]] = {}
        for names, found in told:
            for one in found:
                if isinstance(one, Fetch):
                    fetches[one] = None
                elif isinstance(one, Tell):
                    held = names if one.holds else ()
                    tells[one.word, one.text] = tells.get((one.word, one.text), ()) + held
                else:
                    same = bars.setdefault(one.bar.ts, {})
                    same[one.bar] = same.get(one.bar, ()) + names
        merged: list[Found] = [*fetches]
        merged += [Tell(*said, bool(held), held) for said, held in tells.items()]
        count = sum(len(names) for names, _ in self._groups)
        for _, same in sorted(bars.items()):
            *before, last = [Deliver(bar, () if len(names) == count else names) for bar, names in same.items()]
            merged += [attrs.evolve(one, more=True) for one in before] + [last]
        return merged


def make_joint(name: str, timeframe: Timeframe, patience: int, handlings: Mapping[str, BarHandling]) -> Joint | Joints:
    """Return how the bars of a series are joined.

    Parameters
    ----------
    name
        Of the series, for messages.
    patience
        How long after its close a bar may come before it is asked for, ns.
    handlings
        Of each strategy, by name; nothing left to the run.
    """
    groups: dict[tuple[Any, ...], list[str]] = {}
    for strategy, handling in handlings.items():
        groups.setdefault(handling.key, []).append(strategy)
    made = [(tuple(names), _joint(name, timeframe, patience, handlings[names[0]])) for names in groups.values()]
    return made[0][1] if len(made) == 1 else Joints(made)


def _joint(name: str, timeframe: Timeframe, patience: int, handling: BarHandling) -> Joint:
    policy = handling.bar_policy or _NOTHING
    screen = BarScreen(name, timeframe, policy) if handling.check_bars or policy else None
    return Joint(name, timeframe.ns, handling.missing_bars or MissingBars.SKIP, patience, screen)
