"""How a live run behaves."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs

from cambist.data.given_calendars import check_calendar
from cambist.errors import ConfigError, ParameterError, did_you_mean
from cambist.indicators.lines import HISTORY
from cambist.live.bar_handling import BarHandling
from cambist.live.differences import DifferenceKind, Policy
from cambist.live.joining import MissingBars
from cambist.live.quarantine import OnFailure
from cambist.live.screening import check_bar_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cambist.data.given_calendars import Given
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


def _not_negative(_instance: object, attribute: attrs.Attribute[Any], value: float) -> None:
    if not 0.0 <= value < float("inf"):
        raise ParameterError(f"{attribute.name} is {value!r}; it is a number of seconds from 0 on.")


def _some(_instance: object, attribute: attrs.Attribute[Any], value: int) -> None:
    if value < 1:
        raise ParameterError(f"{attribute.name} is {value!r}; it is a number from 1 on.")


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
        Of instruments paid in full; that of futures is set at the venue.
    on_position, on_order
        What becomes of a position that the venue holds and the run does not, or the other way round, and of an open
        order that the run did not send, when the run begins; see `Policy`.
    owners
        By symbol, the name of the strategy to which positions belong that are taken over while no strategy trades them;
        the first where none is named.
    on_balance
        What becomes of money that the venue has more or less of, and tells no reason for: ``"adopt"``, ``"ignore"`` or
        ``"ask"``.
    tolerances
        By asset, what may be more or less of it without being told; nothing by default.
    liquidation_warnings
        Distances to the liquidation price, as fractions of the price, at each of which a person is told.
    on_stop
        See `OnStop`.
    on_failure
        What becomes of orders and position of a strategy that raises; see `OnFailure`. The other strategies trade on.
    step_timeout
        How long the other bars of an instant are waited for after its first.
    ready_within
        How long connecting may take, and how long reconciling may; a venue whose limits are used up is waited for.
    drain_within
        How long a stop may take: until what `on_stop` says is done. What the venue has not confirmed by then is told.
    close_within
        How long the connections, and the journal, may take after that.
    audit_every
        Between audits of orders, positions and balances.
    journal_slow_after
        How long a record may wait for the disk before somebody is told; what follows from it waits as long.
    snapshot_every, snapshot_records
        A snapshot of the run is kept whenever so much time has passed, or so many records were journalled: a restart
        reads only what came after it.
    keep_orders
        How many orders that have ended stay in memory, with their fills, and how many closed trades, signals and
        movements of cash; up to twice as many do. All of them are in the journal.
    keep_bars
        How many bars back the lines of each series reach, at most 65,536; up to twice as many take memory, about 200
        bytes each for a strategy, and 32 more for each of its indicators.
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
    strategy_bars
        By the name of a strategy, what it wants otherwise of `missing_bars`, `check_bars` and `bar_policy`. Where two
        strategies see different bars, the account is worth what the first strategy's say.
    anchor_bars
        How many bars, of all series together, a start goes back for at most, so that lines are what they were before.
    calendar
        By whose sessions timers go, day orders end and orders for the close leave, as in a backtest: a name, a
        `Calendar`, or one of them by symbol. None: the calendar that an instrument names, else days of UTC.
    rules_every
        Between looks at what the venue trades, and by which rules; while something is not traded there are more.
    resend
        Whether an order that certainly did not arrive is sent again, by kind (``"entry"``, ``"reduce"``, ``"stop"``);
        see `Resend`.
    unprotected_within
        How long a stop that is being replaced may be away before somebody is told.
    native_groups, native_trails
        Leave orders that hang together, and trailing stops, to the venue where it has such orders in the same terms:
        they work on when the run does not. What the run holds itself works as in a backtest.
    practice_every
        How often the way of an order is gone with one that never leaves, so that the processor's caches know it when
        one does; 0 for never, and never with a session that cannot (`cambist.api.PracticingSession`). See
        `cambist.live.practice`.
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
    owners: Mapping[str, str] = attrs.field(factory=dict)
    on_balance: Policy = attrs.field(default=Policy.ADOPT, converter=Policy)
    tolerances: Mapping[str, float] = attrs.field(factory=dict)
    liquidation_warnings: Sequence[float] = attrs.field(default=(0.1, 0.05, 0.02))
    on_stop: OnStop = attrs.field(default=OnStop.CANCEL, converter=OnStop)
    on_failure: OnFailure = attrs.field(default=OnFailure.CANCEL_OPENING, converter=OnFailure)
    step_timeout: float = attrs.field(default=5.0, validator=_positive)
    ready_within: float = attrs.field(default=90.0, validator=_positive)
    drain_within: float = attrs.field(default=15.0, validator=_positive)
    close_within: float = attrs.field(default=10.0, validator=_positive)
    audit_every: float = attrs.field(default=60.0, validator=_positive)
    journal_slow_after: float = attrs.field(default=2.0, validator=_positive)
    snapshot_every: float = attrs.field(default=900.0, validator=_positive)
    snapshot_records: int = attrs.field(default=20_000, validator=_some)
    keep_orders: int = attrs.field(default=10_000, validator=_some)
    keep_bars: int = attrs.field(default=HISTORY, validator=[_some, attrs.validators.le(HISTORY)])
    slow_hook: float = attrs.field(default=0.25, validator=_positive)
    stale_after: float = attrs.field(default=60.0, validator=_positive)
    late_bars_after: float = attrs.field(default=10.0, validator=_positive)
    missing_bars: MissingBars = attrs.field(default=MissingBars.SKIP, converter=MissingBars)
    check_bars: bool = False
    bar_policy: Mapping[str, str] = attrs.field(default=_NOTHING, validator=_followed)
    strategy_bars: Mapping[str, BarHandling] = attrs.field(factory=dict)
    calendar: Given = attrs.field(default=None, validator=lambda _settings, _field, given: check_calendar(given))
    anchor_bars: int = attrs.field(default=100_000, validator=attrs.validators.ge(1))
    rules_every: float = attrs.field(default=300.0, validator=_positive)
    resend: Mapping[str, Resend] = attrs.field(factory=dict)
    unprotected_within: float = attrs.field(default=2.0, validator=_positive)
    native_groups: bool = False
    native_trails: bool = False
    practice_every: float = attrs.field(default=0.005, validator=_not_negative)

    def bars_for(self, strategies: Iterable[str]) -> dict[str, BarHandling]:
        """Return what becomes of bars that are missing or look wrong, by the name of a strategy.

        Raises
        ------
        ConfigError
            If `strategy_bars` names a strategy that there is not.
        """
        run = BarHandling(missing_bars=self.missing_bars, check_bars=self.check_bars, bar_policy=self.bar_policy)
        found = dict.fromkeys(strategies, run)
        for name, wanted in self.strategy_bars.items():
            if name not in found:
                raise ConfigError(f"strategy_bars names {name!r}.{did_you_mean(name, found)}")
            found[name] = wanted.over(run)
        return found

    def policy_for(self, kind: DifferenceKind) -> Policy:
        """Return what becomes of a difference of some kind."""
        if kind is DifferenceKind.ORDER:
            return self.on_order
        return self.on_balance if kind is DifferenceKind.BALANCE else self.on_position

    @on_balance.validator
    def _check_balance(self, _attribute: attrs.Attribute[Any], value: Policy) -> None:
        if value is Policy.CLOSE:
            raise ParameterError("on_balance is 'close', and money cannot be closed; say adopt, ignore or ask.")

    @liquidation_warnings.validator
    def _check_warnings(self, _attribute: attrs.Attribute[Any], value: Sequence[float]) -> None:
        if not all(0.0 < one < 1.0 for one in value):
            raise ParameterError(
                f"liquidation_warnings are {list(value)}; they are fractions of the price: 0.1 is 10 %."
            )

    @tolerances.validator
    def _check_tolerances(self, _attribute: attrs.Attribute[Any], value: Mapping[str, float]) -> None:
        for asset, amount in value.items():
            if not 0.0 <= amount < float("inf"):
                raise ParameterError(f"the tolerance of {asset} is {amount!r}; it is an amount of that asset.")
