"""How a live run behaves."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import ParameterError
from cambist.live.joining import MissingBars
from cambist.live.reconcile import Policy
from cambist.live.screening import check_bar_policy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cambist.live.resending import Resend
    from cambist.ports.risk import RiskRule

__all__ = ["LiveSettings", "OnStop"]


class OnStop(StrEnum):
    """What becomes of open orders and positions when a run is told to stop."""

    #: Orders stay at the venue, positions as they are.
    KEEP = "keep"
    #: Open orders are canceled.
    CANCEL = "cancel"
    #: And positions are closed.
    FLATTEN = "flatten"


def _positive(_instance: object, attribute: attrs.Attribute[Any], value: float) -> None:
    if not value > 0.0:
        raise ParameterError(f"{attribute.name} is {value!r}; it is a number of seconds above 0.")


#: A policy that names no rule.
_NOTHING: Mapping[str, str] = MappingProxyType({})


def _followed(_settings: object, _field: object, policy: Mapping[str, str]) -> None:
    check_bar_policy(policy)


@attrs.frozen(kw_only=True)
class LiveSettings:
    """How a live run behaves; times in seconds.

    Attributes
    ----------
    currency
        Asset in which the account is kept; of a spot account the quote of its instruments.
    seed
        Of the run's only source of chance.
    risk
        Rules beside those that every run has; see `cambist.risk`.
    leverage
        Of an account on margin.
    on_position, on_order
        What becomes of a position that the venue holds and the run does not, or the other way round, and of an open
        order that the run did not send, when the run begins; see `Policy`.
    on_stop
        See `OnStop`.
    step_timeout
        How long the other bars of an instant are waited for after its first.
    ready_within
        How long connecting and reconciling may take.
    drain_within
        How long a stop may take.
    audit_every
        Between audits of orders, positions and balances.
    slow_hook
        A hook of a strategy that takes longer is told of: it holds up all the others, and the orders of each.
    stale_after
        How long a subscription may be silent (one to bars: beyond the length of a bar) before its instrument may take
        no new risk; infinite for no limit.
    late_bars_after
        How long after its close a bar may come before the venue is asked for it.
    missing_bars
        What becomes of bars that neither the stream brings nor history has; see `MissingBars`.
    check_bars
        Hold every bar against the rules of `cambist.data.check` that need no later ones, and tell what is wrong.
    bar_policy
        What is done about that, rule by rule; see `cambist.live.screening.BarScreen`. One that is not empty is reason
        enough to look.
    slow_after
        How long the strategies may take over one event of the market before somebody is told.
    anchor_bars
        How many bars, of all series together, a start goes back for at most, so that lines are what they were before.
    rules_every
        Between looks at what the venue trades, and by which rules.
    resend
        Whether an order that certainly did not arrive is sent again, by kind (``"entry"``, ``"reduce"``, ``"stop"``);
        see `Resend`.
    unprotected_within
        How long a stop that is being replaced may be away before somebody is told.
    record
        Keep, beside the journal, what the market did as well, so that `cambist.replay` can repeat the run.
    """

    currency: str = "USDT"
    seed: int = 0
    record: bool = False
    risk: Sequence[RiskRule] = ()
    leverage: float = 1.0
    on_position: Policy = attrs.field(default=Policy.ASK, converter=Policy)
    on_order: Policy = attrs.field(default=Policy.IGNORE, converter=Policy)
    on_stop: OnStop = attrs.field(default=OnStop.CANCEL, converter=OnStop)
    step_timeout: float = attrs.field(default=5.0, validator=_positive)
    ready_within: float = attrs.field(default=60.0, validator=_positive)
    drain_within: float = attrs.field(default=15.0, validator=_positive)
    audit_every: float = attrs.field(default=60.0, validator=_positive)
    slow_hook: float = attrs.field(default=0.25, validator=_positive)
    stale_after: float = attrs.field(default=60.0, validator=_positive)
    late_bars_after: float = attrs.field(default=10.0, validator=_positive)
    missing_bars: MissingBars = attrs.field(default=MissingBars.SKIP, converter=MissingBars)
    check_bars: bool = False
    bar_policy: Mapping[str, str] = attrs.field(default=_NOTHING, validator=_followed)
    slow_after: float = attrs.field(default=0.25, validator=_positive)
    anchor_bars: int = attrs.field(default=100_000, validator=attrs.validators.ge(1))
    rules_every: float = attrs.field(default=300.0, validator=_positive)
    resend: Mapping[str, Resend] = attrs.field(factory=dict)
    unprotected_within: float = attrs.field(default=2.0, validator=_positive)
