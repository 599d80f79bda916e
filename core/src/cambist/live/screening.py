"""Looks at every bar of a live series before it is delivered: what is wrong is told, mended, left out or holds."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from cambist.data.checks.policy import Action
from cambist.data.checks.stream import BarStream
from cambist.errors import DataError, ParameterError, did_you_mean
from cambist.live.joining import Deliver, Tell, fault_of
from cambist.model.times import to_datetime
from cambist.ports.data_rules import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cambist.live.joining import Found
    from cambist.model.bars import Bar
    from cambist.model.timeframe import Timeframe

__all__ = ["SCREENED", "BarScreen", "check_bar_policy"]

#: The rules that bars are held against. That they come once, in order and whole is what `Joint` sees to.
SCREENED = (
    "missing-value",
    "not-positive",
    "high-low",
    "unit",
    "split",
    "level-shift",
    "spike",
    "wick",
    "stuck",
    "volume",
)
#: More bars than any of these rules remembers.
_LOOKED_BACK_ON = 256
#: What a live run calls a refusal: the bar is left out, and the instrument may only reduce.
_HOLD = "hold"


def check_bar_policy(policy: Mapping[str, str]) -> None:
    """Refuse a policy that cannot be followed on live bars.

    Raises
    ------
    ParameterError
        A rule or an action is not known, or the action needs later bars.
    """
    for rule in policy:
        if rule not in SCREENED:
            raise ParameterError(
                f"live bars are not held against a rule {rule!r}.{did_you_mean(rule, SCREENED)} "
                f"The rules are {', '.join(SCREENED)}; of bars that are missing, missing_bars decides."
            )
    BarStream("1m", _refusing(policy), rules=SCREENED)


def _refusing(policy: Mapping[str, str]) -> dict[str, str]:
    return {rule: Action.REFUSE.value if action == _HOLD else action for rule, action in policy.items()}


class BarScreen:
    """The checks of one series.

    Parameters
    ----------
    name
        For messages.
    timeframe
        Length of a bar.
    policy
        What is done about the defects of a rule: ``drop``, ``fill``, ``clip``, ``rescale``, ``keep``, or ``hold``. What
        is not named is told, and delivered if it is a bar.
    """

    def __init__(self, name: str, timeframe: Timeframe, policy: Mapping[str, str]) -> None:
        self._name = name
        self._stream = BarStream(timeframe, _refusing(policy), rules=SCREENED)

    def warmed(self, bars: Iterable[Bar]) -> None:
        """Take the bars of before the stream, which nobody judges any more; the last of them are looked back on."""
        for bar in list(bars)[-_LOOKED_BACK_ON:]:
            self.judge(bar)

    def judge(self, bar: Bar) -> list[Found]:
        """Return what is to be delivered of a bar, and what is to be told."""
        found: list[Found] = []
        refused = False
        try:
            delivered = self._stream.push(bar)
        except DataError:
            delivered, refused = [], True
        defects, changes = self._stream.taken()
        for (rule, ts), some in groupby(defects, key=lambda one: (one.rule, one.ts)):
            serious = [one for one in some if one.severity is not Severity.NOTE]
            if serious:
                done = next((change.action.value for change in changes if change.rule == rule), "")
                holds = refused and rule == defects[-1].rule
                answer = "held" if holds else done or "told alone"
                text = "; ".join(one.text for one in serious)
                word = "bar_repaired" if done else "bar_suspect"
                found.append(Tell(word, f"{self._at(ts)}: {text} ({rule}: {answer}).", holds))
        for mended in delivered:
            fault = fault_of(mended)
            if fault:
                found.append(Tell("bar_invalid", f"{self._at(mended.ts)} {fault}; it is left out."))
            else:
                found.append(Deliver(mended))
        return found

    def _at(self, ts: int) -> str:
        return f"{self._name}: the bar of {to_datetime(ts):%Y-%m-%d %H:%M:%S}"
