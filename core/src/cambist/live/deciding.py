"""Says what becomes of a difference between a run and its venue, and keeps what was said."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from cambist.errors import ConfigError
from cambist.live.differences import Policy

if TYPE_CHECKING:
    from cambist.live.differences import Difference
    from cambist.live.patience import Patience

__all__ = ["Ask", "Decisions"]

#: Answers what becomes of a difference: at once, or by something that is waited for, such as a person.
Ask = Callable[["Difference"], "Policy | Awaitable[Policy]"]


class Decisions:
    """What was decided before the run trades.

    Parameters
    ----------
    ask
        Answers what becomes of a difference where the policy is to ask; None refuses to start.
    alarm
        Told of each difference, and what becomes of it.

    Attributes
    ----------
    settled
        What differed at the start.
    """

    def __init__(self, ask: Ask | None, alarm: Callable[[str, str], None]) -> None:
        self._ask, self._alarm = ask, alarm
        self.settled: list[Difference] = []

    async def of(self, difference: Difference, policy: Policy, limit: Patience) -> Policy:
        """Return what becomes of a difference.

        Parameters
        ----------
        policy
            What the settings say.
        limit
            On the time that it takes; a person who is asked is waited for without one.

        Raises
        ------
        ConfigError
            If nobody says what becomes of it.
        """
        if policy is Policy.ASK and self._ask is not None:
            answer = self._ask(difference)
            if inspect.isawaitable(answer):
                limit.pause()
                answer = await answer
                limit.go_on()
            policy = answer
        if policy is Policy.ASK:
            raise ConfigError(
                f"{difference.describe()}. Say what becomes of it: adopt, ignore or close, by on_position and "
                "on_order; of a balance adopt or ignore, by on_balance.",
                code="undecided",
            )
        self.settled.append(difference)
        self._alarm("reconciled", f"{difference.describe()}: {policy}")
        return policy
