"""The live engine: everything that happens comes in here, one thing after another, and goes through the kernel.

What the kernel wants done leaves once its records are safe, in order. It does no I/O: a driver tells it what happened
and what the journal has made durable, and carries out requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from cambist.engine.fold import KEEP
from cambist.engine.outbox import Outbox
from cambist.engine.timers import NEVER, Timers
from cambist.errors import JournalError, OrderStateError
from cambist.live.account_requests import AccountRequests
from cambist.live.groups import Native
from cambist.live.market_inputs import MarketInputs
from cambist.live.memory import Memory
from cambist.live.orders import LiveOrders
from cambist.live.positions import Positions
from cambist.live.requests import Amend, Submit, SubmitGroup
from cambist.live.resending import RESENDS
from cambist.live.session_ends import SessionEnds
from cambist.live.watched import Outlets
from cambist.model.effects import (
    AmendOrder,
    CancelOrder,
    ChangeMargin,
    MoveCash,
    ReportRefusal,
    ReportTradingState,
    SetTimer,
    StopRun,
)
from cambist.model.events import (
    OrderCanceled,
    OrderRefused,
    TimerFired,
    TradingStateChanged,
)
from cambist.model.orders import ApprovedOrder, Order
from cambist.orders.families import families

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cambist.engine.shield import Shielded
    from cambist.live.doors import Doors
    from cambist.live.requests import Request
    from cambist.live.resending import Resend
    from cambist.live.subscriptions import Listening
    from cambist.model.effects import Effect
    from cambist.model.events import Event
    from cambist.model.instrument import Instrument
    from cambist.orders.families import Family
    from cambist.ports.venue import VenueTerms

    Wanted: TypeAlias = "Effect | Request | SendAdopted | SubmitFamily"

__all__ = ["LiveEngine", "Tactics"]


@attrs.frozen(eq=False)
class SubmitFamily:
    """Send orders that hang together, which were approved in the same step."""

    family: Family
    approved: Sequence[ApprovedOrder]


@attrs.frozen(eq=False)
class SendAdopted:
    """Send an order that the run itself made, beside its strategies."""

    order: Order


#: What makes or changes orders at the venue, or changes the account.
_ORDERS = frozenset(
    {
        *(ApprovedOrder, CancelOrder, AmendOrder, SendAdopted, Submit, SubmitFamily, SubmitGroup, Amend),
        *(MoveCash, ChangeMargin),
    }
)


@attrs.frozen(kw_only=True)
class Tactics:
    """What the order manager may decide by itself; see `LiveOrders`."""

    resend: Mapping[str, Resend] = RESENDS
    unprotected: int = 2_000_000_000
    native: Native = Native()


class LiveEngine:
    """A kernel at one venue.

    Parameters
    ----------
    kernel
        With its recorder and its shield.
    listening
        What the run listens to.
    terms
        Of the venue.
    clock
        Answers the engine's time, ns, UTC, which never goes back.
    doors
        Where things leave.
    step_timeout
        See `Instants`.
    keep
        See `Memory`.
    tactics
        Of the order manager.

    Attributes
    ----------
    kernel, orders
        The kernel, and the order manager.
    account
        What has the venue change the account beside orders.
    market, positions, sessions
        Where the market comes in, what takes over and closes positions, and what ends sessions.
    trades
        Whether orders leave; not before the run is in step with its venue, see `begin_trading`.
    is_lost
        Whether the journal takes no more, and so nothing is done any more.
    stirred
        Whether something was done that may have made something else due; whoever looks sets it back.
    """

    def __init__(
        self,
        kernel: Shielded,
        listening: Listening,
        terms: VenueTerms,
        clock: Callable[[], int],
        doors: Doors,
        *,
        step_timeout: int = 5_000_000_000,
        keep: int = KEEP,
        tactics: Tactics = Tactics(),
    ) -> None:
        self.kernel = kernel
        self._clock, self._doors, self._shield = clock, doors, kernel.shield
        self.trades, self.is_lost, self._resumed = False, False, False
        self._early: list[Wanted] = []
        self._outbox: Outbox[Wanted] = Outbox()
        self._durable = 0
        self._memory = Memory(kernel, keep)
        self.stirred = False
        self._timers = Timers()
        self._unsent: set[int] = set()
        self._withdrawn: set[int] = set()
        self.positions = Positions(self)
        notes = (self._noted(note) for note in (kernel.recorder.resent, kernel.recorder.entrusted))
        out = Outlets(self.take, self._request, doors.alarm, doors.foreign, *notes)
        self._groups = tactics.native.no_group is not None
        self.orders = LiveOrders(
            kernel.book,
            terms,
            out,
            self.positions.value_of,
            resend=tactics.resend,
            unprotected=tactics.unprotected,
            native=tactics.native,
            reducible=lambda order: kernel.view_of(order.strategy).reducible_size(order),
        )
        self.sessions = SessionEnds(self.orders)
        self.market = MarketInputs(self, clock, listening, step_timeout)
        self.account = AccountRequests(self.take, doors.send, doors.alarm)
        self._actions: dict[type, Callable[[Any], None]] = {
            ApprovedOrder: self._submit,
            SubmitFamily: self._submit_family,
            CancelOrder: self._cancel,
            AmendOrder: lambda one: self.orders.amend(one, self._clock()),
            ReportRefusal: lambda one: self.take(OrderRefused(self._clock(), one.order_id, one.reason)),
            SetTimer: lambda one: self._timers.set(one.name, one.due),
            SendAdopted: lambda one: self.orders.submit(one.order, self._clock()),
            ReportTradingState: self._tell_trading,
            StopRun: lambda one: doors.stop(one.reason),
            MoveCash: self.account.ask,
            ChangeMargin: self.account.ask,
        }

    def now(self) -> int:
        """Return the engine's time, ns, UTC."""
        return self._clock()

    # What happens.

    def take(self, event: Event) -> None:
        """Take an event; what follows from it leaves once it is journalled.

        Once the journal takes no more, nothing is taken: what cannot be journalled must not be traded.
        """
        if self.is_lost:
            return
        kernel = self.kernel
        try:
            effects = kernel.step(event)
        except OrderStateError as error:
            self._doors.alarm("anomaly", str(error))
            effects = kernel.collect()
        except JournalError as error:
            self.lose(error)
            return
        failures = self._shield.take_failures()
        if failures:
            self._drop_orders({failure.strategy for failure in failures}, effects)
        self.put(effects)
        for failure in failures:
            self._doors.failed(failure)

    def _noted(self, note: Callable[..., None]) -> Callable[..., None]:
        """Return what journals something beside a step; where that fails, nothing that hangs on it leaves."""

        def noted(*told: Any) -> None:
            try:
                note(*told)
            except JournalError as error:
                self.lose(error)

        return noted

    def lose(self, error: JournalError) -> None:
        """Do nothing any more: the journal takes no more."""
        self.is_lost = True
        self._doors.lost(error)

    def _drop_orders(self, strategies: set[str], effects: Sequence[Effect]) -> None:
        """Keep what a strategy ordered just before it raised from leaving: it may be half of what it meant."""
        for effect in effects:
            if type(effect) is ApprovedOrder and effect.order.strategy in strategies:
                self._withdrawn.add(effect.order.id)

    def begin_trading(self) -> None:
        """Let orders leave; until this is called they wait, whoever wants them, and no timer fires."""
        self.trades = True
        early, self._early = self._early, []
        for one in early:
            self.orders.leaves(one, self._clock())
            self._act(one)
        self.orders.cut(self._clock())

    def put(self, effects: Sequence[Effect]) -> None:
        """Take what the kernel wants done; it is done once its records are safe."""
        if not effects:
            return
        self.stirred = True
        orders = [effect for effect in effects if type(effect) is ApprovedOrder]
        self._unsent.update([approved.order.id for approved in orders])
        if len(orders) == len(effects) and self._can_make_ready(orders):
            self._doors.give_way()
            for approved in orders:
                self._submit(approved)
        else:
            self._outbox.put(self.kernel.recorder.sequence, _together(effects) if self._groups else effects)
            self._release()

    def _can_make_ready(self, orders: Sequence[ApprovedOrder]) -> bool:
        """Tell whether all that leads to the requests of orders is to be done while the disk is at their records.

        The requests wait for those. What happened before must not wait any more, so that all is done in the order in
        which it would be done later; and an order that is held here must not meet the price on which it was made. Nor
        is what hangs together or trails, in whose terms a venue may have it: who works it is a record of its own.
        """
        waits = self.kernel.recorder.sequence > self._durable
        if not (waits and self.trades) or self._outbox:
            return False
        return not any(self.orders.emulator.native.lacks(approved.order) for approved in orders)

    def send(self, orders: Sequence[Order]) -> None:
        """Send orders that the run itself made, beside its strategies, once their records are safe."""
        self._outbox.put(self.kernel.recorder.sequence, [SendAdopted(order) for order in orders])
        self._release()

    @property
    def activity(self) -> tuple[int, int, int]:
        """What changes with each execution, each movement of money and each order: nothing happened while it stays."""
        kernel = self.kernel
        newest = kernel.book.orders[-1].id if kernel.book.orders else 0
        return len(kernel.fills), len(kernel.portfolio.cash_flows), newest

    def redefine(self, today: Instrument) -> bool:
        """Let an instrument of the run go by today's rules; return whether they are others than before."""
        kernel: Any = self.kernel
        known: Instrument = kernel.portfolio.positions[today.symbol].instrument
        if not known.take_rules(today):
            return False
        kernel.gate.forget_instruments()
        kernel.recorder.redefined(self._clock(), known)
        return True

    def time_passed(self) -> None:
        """Do what is due by now."""
        now = self._clock()
        self.market.time_passed(now)
        self.sessions.passed(now, now)
        for due, name in self._timers.due(now) if self.trades else ():
            if self._timers.take(due, name):
                self.take(TimerFired(now, name, due))
        self.orders.on_time(now)
        self._memory.tidy()

    def next_due(self) -> int | None:
        """Return when `time_passed` has something to do next, ns; None for not before something happens."""
        timer = None if self._timers.next_due == NEVER or not self.trades else self._timers.next_due
        due = [one for one in (self.market.next_due(), timer, self.orders.evidence.next_due()) if one is not None]
        return min([*due, self.sessions.due]) if self.sessions.due < NEVER else min(due, default=None)

    def durable(self, sequence: int) -> None:
        """Take word that records up to `sequence` are safe."""
        self._durable = max(self._durable, sequence)
        self._release()

    @property
    def waiting(self) -> int:
        """Steps whose effects wait for the journal."""
        return len(self._outbox) + len(self._early)

    def resume_orders(self) -> None:
        """Take the open orders of a run that goes on, once; the venue is asked about each that may have left."""
        if self._resumed:
            return
        self._resumed = True
        self.orders.resume(list(self.kernel.book.open.values()), self._clock())

    def set_timers(self, timers: dict[str, int]) -> None:
        """Take the timers of a run that goes on."""
        for name, due in timers.items():
            self._timers.set(name, due)

    # What is to be done.

    def _release(self) -> None:
        if self.is_lost:
            return
        for one in self._outbox.release(self._durable):
            if type(one) in _ORDERS and not self.trades:
                self._early.append(one)
                self.orders.leaves(one, None)
            else:
                self._act(one)

    def _act(self, one: Wanted) -> None:
        action = self._actions.get(type(one))
        if action is None:
            self._doors.send(one)  # type: ignore[arg-type]  # what is no effect is a request
        else:
            action(one)

    def _tell_trading(self, report: ReportTradingState) -> None:
        self._doors.changed(report.change)
        self.take(TradingStateChanged(self._clock(), report.change))

    def _request(self, request: Request) -> None:
        """Send a request once everything that led to it is safe."""
        if self.is_lost:
            return
        self.stirred = True
        if self.kernel.recorder.sequence <= self._durable and (self.trades or type(request) not in _ORDERS):
            self._doors.send(request)
        else:
            self._outbox.put(self.kernel.recorder.sequence, [request])
            if type(request) is Submit:
                self._doors.prepare(request)
            self._release()

    def _submit(self, approved: ApprovedOrder) -> None:
        order = approved.order
        self._unsent.discard(order.id)
        if order.id in self._withdrawn:
            self._withdrawn.remove(order.id)
            self.take(OrderCanceled(self._clock(), order.id, "canceled before it was sent"))
        else:
            self.orders.submit(order, self._clock())

    def _submit_family(self, one: SubmitFamily) -> None:
        numbers = {order.id for order in one.family.orders}
        if numbers & self._withdrawn or not self.orders.submit_family(one.family, self._clock()):
            for approved in one.approved:
                self._submit(approved)
        self._unsent -= numbers

    def _cancel(self, effect: CancelOrder) -> None:
        if effect.order_id in self._unsent:
            self._withdrawn.add(effect.order_id)  # it is canceled when its turn to be sent comes
        elif effect.order_id in self.kernel.book.open:  # else it has ended meanwhile
            self.orders.cancel(effect.order_id, self._clock())


def _together(effects: Sequence[Effect]) -> list[Wanted]:
    """Return effects with the orders of a family as one, in the place of the oldest of them."""
    approved = {one.order.id: one for one in effects if type(one) is ApprovedOrder}
    found = families([one.order for one in approved.values()])
    first = {one.orders[0].id: one for one in found}
    others = {order.id for one in found for order in one.orders[1:]}
    wanted: list[Wanted] = []
    for effect in effects:
        if type(effect) is not ApprovedOrder:
            wanted.append(effect)
        elif effect.order.id in first:
            family = first[effect.order.id]
            wanted.append(SubmitFamily(family, [approved[order.id] for order in family.orders]))
        elif effect.order.id not in others:
            wanted.append(effect)
    return wanted
