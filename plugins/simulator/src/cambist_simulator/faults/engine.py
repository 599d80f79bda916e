"""The engine of faults: asks its rules at every occasion, and lets those that strike do their harm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.api import CambistError
from cambist_simulator.exchange.events import OrderChanged
from cambist_simulator.exchange.orders import ExecutionType
from cambist_simulator.faults.occasions import Frame, Occasion
from cambist_simulator.faults.on_connections import CONNECTION_ACTIONS, facts_of
from cambist_simulator.faults.on_frames import FRAME_ACTIONS, Holds
from cambist_simulator.faults.on_orders import ORDER_ACTIONS
from cambist_simulator.faults.on_requests import OF_MESSAGES, REQUEST_ACTIONS, strikes_before
from cambist_simulator.faults.on_venue import VENUE_ACTIONS
from cambist_simulator.faults.roster import Roster
from cambist_simulator.server.tampering import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist_simulator.exchange.events import ExchangeEvent
    from cambist_simulator.exchange.exchange import Exchange
    from cambist_simulator.faults.occasions import Ground
    from cambist_simulator.faults.rules import Rule
    from cambist_simulator.server.connection import SocketConnection
    from cambist_simulator.server.wire import Dialect, Request, Response

__all__ = ["FaultEngine"]


class FaultEngine(Roster):
    """Faults at work; see `cambist_simulator.server.tampering.Tampering` for what the server asks of it.

    Parameters
    ----------
    ground
        The venue.
    seed
        Of all draws.
    keep
        How many fired faults are kept for those who ask.

    """

    def __init__(self, ground: Ground, *, seed: int = 0, keep: int = 10_000) -> None:
        super().__init__(ground, seed=seed, keep=keep)
        self._requests: list[Rule] = []
        self._frames: list[Rule] = []
        self._openings: list[Rule] = []
        self._times: list[Rule] = []
        self._holds = Holds(ground)
        self._pending: dict[int, list[Occasion]] = {}
        self._made: tuple[str, int] | None = None
        self._listens = False
        #: Until when the venue is away (ns, server time), and with which status.
        self._away: tuple[int, int] = (0, 0)
        self.on_requests = self.on_messages = self.on_frames = self.on_openings = False

    def _arrange(self) -> None:
        """Sort the rules by what sets them off, and say what is to be asked about."""
        of: dict[str, list[Rule]] = {"request": [], "frame": [], "opening": [], "time": []}
        for rule in self._rules.values():
            of[rule.fault.on].append(rule)
        self._requests, self._frames = of["request"], of["frame"]
        self._openings, self._times = of["opening"], of["time"]
        away = self._away[0] > self._ground.clock.server.now()
        self.on_requests = bool(self._requests) or away
        self.on_messages = bool(self._requests)
        self.on_frames = bool(self._frames) or self._holds.any
        self.on_openings = bool(self._openings) or away
        self._ground.server.retamper()
        if self._requests and not self._listens:
            self._listens = True
            for exchange in self._ground.exchanges.values():
                exchange.listen(self._watcher(exchange))

    def _watcher(self, exchange: Exchange) -> Callable[[ExchangeEvent], None]:
        def heard(event: ExchangeEvent) -> None:
            if type(event) is OrderChanged and event.what is ExecutionType.NEW and not event.order.system:
                self._made = (exchange.name, event.order.id)

        return heard

    # --- time ------------------------------------------------------------------------------------------------------

    def on_timer(self) -> None:
        """Do what is due by a clock."""
        if self._away[0] and self._ground.clock.server.now() >= self._away[0]:
            self._away = (0, 0)
            self._arrange()
        for rule in list(self._times):
            if rule.strikes_now():
                self._at_a_time(rule)
        self._stand_down()

    def _stand_down(self) -> None:
        """Let requests and frames go their straight way again when nothing can strike them any more."""
        if self.on_requests and not self._away[0] and all(rule.over for rule in self._requests):
            self.on_requests = self.on_messages = False
        if self.on_frames and not self._holds.any and all(rule.over and not rule.burst for rule in self._frames):
            self.on_frames = False
            self._ground.server.retamper()

    def _at_a_time(self, rule: Rule) -> None:
        fault = rule.fault
        facts = {name: fault.chosen(name) or "" for name in ("symbol", "user")}
        self._do(Occasion(rule=rule, facts=facts))

    def _do(self, occasion: Occasion) -> None:
        """Do what concerns connections, orders or the venue, and note it; what the venue cannot do is noted as well."""
        try:
            self._act(occasion)
        except CambistError as error:
            occasion.note = f"not possible: {error}"
        self._note(occasion.rule, occasion.target, occasion.note)

    def _act(self, occasion: Occasion) -> None:
        fault = occasion.rule.fault
        name = fault.action.name
        if name in CONNECTION_ACTIONS:
            chosen = self._connections(occasion)
            CONNECTION_ACTIONS[name](self._ground, chosen, fault.arguments)
            occasion.note = f"connections {', '.join(str(one.id) for one in chosen) or 'none'}"
        elif name in ORDER_ACTIONS:
            ORDER_ACTIONS[name](self._ground, occasion)
        elif name == "maintenance":
            self._close_down(fault.arguments)
        else:
            VENUE_ACTIONS[name](self._ground, occasion)

    def _connections(self, occasion: Occasion) -> list[SocketConnection]:
        """Return the WebSockets that a fault strikes: that of the message, those of the user, or all it chooses."""
        if occasion.connection is not None:
            return [occasion.connection]
        every = list(self._ground.server.connections.values())
        if occasion.request is not None:
            user = occasion.facts.get("user", "")
            return [one for one in every if not user or one.user == self._ground.user_id(_first(user))]
        fault = occasion.rule.fault
        return [one for one in every if fault.matches(facts_of(self._ground, one))]

    def _close_down(self, arguments: dict[str, Any]) -> None:
        self._away = (self._ground.clock.server.now() + arguments["for"], arguments["status"])
        for connection in list(self._ground.server.connections.values()):
            connection.close(1001, "maintenance")
        self._arrange()

    # --- requests --------------------------------------------------------------------------------------------------

    def _struck(self, occasion: Callable[[Rule], Occasion], facts: dict[str, Any], *, rest: bool) -> list[Occasion]:
        """Return an occasion for each rule that strikes at a request."""
        return [
            occasion(rule)
            for rule in list(self._requests)
            if (rest or rule.fault.action.name not in REQUEST_ACTIONS or rule.fault.action.name in OF_MESSAGES)
            and rule.strikes(facts)
        ]

    def _facts(self, label: str, facts: Any, **more: Any) -> dict[str, Any]:
        found = {**more, **facts, "label": label}
        user = found.get("user")
        if user:
            found["user"] = self._ground.user_names(str(user))
        return found

    def before(self, dialect: Dialect, request: Request) -> Verdict | None:
        """See `Tampering.before`."""
        if request.path.startswith("/_sim") or dialect.name == "_sim":
            return None
        if self._away[0]:
            usual = dialect.failure(self._away[1])
            usual.status = self._away[1]
            return Verdict(answer=usual, then=[], faults=["maintenance"])
        label, known = dialect.describe(request)
        facts = self._facts(label, known, path=request.path, method=request.method, dialect=dialect.name)
        struck = self._struck(
            lambda rule: Occasion(rule=rule, dialect=dialect, request=request, label=label, facts=facts),
            facts,
            rest=True,
        )
        if not struck:
            return None
        self._made = None
        verdict = Verdict(then=[], faults=[one.rule.name for one in struck])
        later = []
        for occasion in struck:
            occasion.spoil = verdict
            name = occasion.rule.fault.action.name
            if name in REQUEST_ACTIONS and strikes_before(name, occasion.rule.fault.arguments):
                REQUEST_ACTIONS[name](self._ground, occasion)
                self._note(occasion.rule, occasion.target)
            elif name == "fill_during_cancel":
                self._do(occasion)
            else:
                later.append(occasion)
        self._pending[request.number] = later
        if verdict.answer is not None or verdict.silent or verdict.reset:
            # The venue never sees it, so nothing comes after.
            self._pending.pop(request.number)
        return verdict

    def after(self, request: Request, response: Response, verdict: Verdict | None) -> Verdict | None:
        """See `Tampering.after`."""
        for occasion in self._pending.pop(request.number, ()):
            occasion.response, occasion.order = response, self._made
            name = occasion.rule.fault.action.name
            if name in REQUEST_ACTIONS:
                REQUEST_ACTIONS[name](self._ground, occasion)
                self._note(occasion.rule, occasion.target)
            elif name in _AT_ONCE:
                self._do(occasion)
            else:
                occasion.spoil.then.append(self._doing(occasion))
        return verdict

    def _doing(self, occasion: Occasion) -> Callable[[], None]:
        return lambda: self._do(occasion)

    # --- WebSockets ------------------------------------------------------------------------------------------------

    def opening(self, dialect: Dialect, connection: SocketConnection) -> Response | None:
        """See `Tampering.opening`."""
        if dialect.name == "_sim":
            return None
        if self._away[0]:
            return _refusal(dialect, self._away[1])
        facts = facts_of(self._ground, connection)
        for rule in self._openings:
            if rule.strikes(facts):
                self._note(rule, f"connection {connection.id}")
                return _refusal(dialect, rule.fault.arguments["status"])
        return None

    def message(self, connection: SocketConnection, text: str, proceed: Callable[[str], None]) -> list[str]:
        """See `Tampering.message`."""
        assert connection.session is not None
        label, known = connection.session.describe(text)
        around = facts_of(self._ground, connection)
        facts = around | {name: value for name, value in self._facts(label, known).items() if value}
        struck = self._struck(
            lambda rule: Occasion(
                rule=rule, dialect=connection.dialect, connection=connection, label=label, facts=facts
            ),
            facts,
            rest=False,
        )
        if not struck:
            proceed(text)
            return []
        names = [one.rule.name for one in struck]
        self._made = None
        later = []
        for occasion in struck:
            name = occasion.rule.fault.action.name
            if name in REQUEST_ACTIONS and strikes_before(name, occasion.rule.fault.arguments):
                REQUEST_ACTIONS[name](self._ground, occasion)
                self._note(occasion.rule, occasion.target)
                connection.write_all(occasion.frames)
                if occasion.swallow:
                    return names
            elif name == "fill_during_cancel":
                self._do(occasion)
            else:
                later.append(occasion)
        self._answered(connection, lambda: proceed(text), later)
        return names

    def _answered(
        self, connection: SocketConnection, proceed: Callable[[], None], occasions: Iterable[Occasion]
    ) -> None:
        """Let the venue answer a message, and spoil what it says."""
        frames: list[bytes] = []
        connection.captured = frames
        try:
            proceed()
        finally:
            connection.captured = None
        last = []
        for occasion in occasions:
            occasion.order = self._made
            name = occasion.rule.fault.action.name
            if name in REQUEST_ACTIONS:
                occasion.frames = frames
                REQUEST_ACTIONS[name](self._ground, occasion)
                frames = occasion.frames
                self._note(occasion.rule, occasion.target)
            elif name in _AT_ONCE:
                self._do(occasion)
            else:
                last.append(occasion)
        connection.write_all(frames)
        for occasion in last:
            self._do(occasion)

    def frame(self, connection: SocketConnection, frame: bytes, kind: str, symbol: str) -> Iterable[bytes]:
        """See `Tampering.frame`."""
        if connection.dialect.name == "_sim":
            return (frame,)
        if self._holds.any and self._holds.stalls(connection, kind, frame):
            return ()
        facts: dict[str, Any] | None = None
        leaving: Iterable[bytes] = (frame,)
        for rule in self._frames:
            if facts is None:
                facts = facts_of(self._ground, connection) | {"kind": kind, "symbol": symbol}
            if rule.burst and rule.fault.matches(facts):
                rule.burst -= 1
                leaving = ()
                break
            if rule.strikes(facts):
                leaving = self._strike(rule, connection, frame, kind, symbol)
                break
        return self._holds.passed(connection, leaving) if self._holds.any else leaving

    def _strike(
        self, rule: Rule, connection: SocketConnection, frame: bytes, kind: str, symbol: str
    ) -> Iterable[bytes]:
        name = rule.fault.action.name
        self._note(rule, f"connection {connection.id} {kind} {symbol}".rstrip())
        if name in FRAME_ACTIONS:
            struck = Frame(rule=rule, holds=self._holds, connection=connection, data=frame, kind=kind, symbol=symbol)
            return FRAME_ACTIONS[name](self._ground, struck)
        # The frame that set it off is the first that does not leave.
        CONNECTION_ACTIONS[name](self._ground, [connection], rule.fault.arguments)
        return ()

    def gone(self, connection: SocketConnection) -> None:
        """See `Tampering.gone`."""
        self._holds.forget(connection.id)


#: What is done before the answer leaves; the rest comes after it.
_AT_ONCE = frozenset({"fill_before_ack", "late_visibility"})


def _refusal(dialect: Dialect, status: int) -> Response:
    usual = dialect.failure(status)
    usual.status = status
    return usual


def _first(user: Any) -> str:
    return str(user[0]) if isinstance(user, tuple) else str(user)
