"""The faults and the phases of the fault matrix, and how a cell of it is played."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import attrs
from stage import SPOT, staged

from cambist.live.differences import Policy

#: The user's own frames.
PRIVATE = ["order", "fill", "balance", "position"]
#: Requests of orders by phase; in the others any request is struck.
LABELS = {
    "submit": "order.place",
    "amend": "order.amend",
    "cancel": "order.cancel",
    "fill": "order.place",
    "list": "order.list",
    "list_cancel": "order.cancel",
}
#: Those of a bracket that is left to the venue.
LIST_PHASES = ("list", "wake", "leg", "list_cancel", "list_restart")
PHASES = ("submit", "working", "partial", "amend", "cancel", "fill", "restart", "idle")


@attrs.frozen
class Harm:
    """A fault as the matrix uses it.

    Attributes
    ----------
    action, arguments
        Of the vocabulary.
    kind
        What it strikes: ``"request"``, ``"frame"``, ``"bars"`` (frames of the market), ``"connection"``,
        ``"opening"``, ``"place"`` and ``"cancel"`` (orders that are placed or canceled), or ``"time"``.
    foreign
        Whether what it does to the account is nothing of the run's: orders are compared, money is not.
    places
        Where it can happen.
    rest
        Whether orders go out by REST: messages of a WebSocket have no status.
    """

    action: str
    arguments: dict = attrs.field(factory=dict)
    kind: str = "request"
    foreign: bool = False
    places: tuple[str, ...] = ("spot", "usdm", "coinm")
    rest: bool = False

    @property
    def name(self) -> str:
        return "-".join([self.action, *map(str, self.arguments.values()), *(["rest"] if self.rest else [])])

    @property
    def phases(self) -> tuple[str, ...]:
        """In which it can strike: what makes an order rest, say, does nothing to one that is canceled."""
        if self.action == "late_visibility":
            return "submit", "fill"
        if self.action == "lost_fill":
            return "partial", "fill"
        return {"place": ("submit",), "cancel": ("cancel",)}.get(self.kind, PHASES)


#: What can happen to answers of REST alone.
OF_REST = ("http_error", "rate_limit", "html")


def harms() -> list[Harm]:
    answers = [
        *(Harm("timeout", {"stage": stage}) for stage in ("before", "after")),
        *(Harm("reset", {"stage": stage}) for stage in ("before", "after")),
        *(Harm("http_error", {"status": s, "stage": when}) for s in (500, 502, 503) for when in ("before", "after")),
        *(Harm("http_error", {"status": s, "body": "no"}) for s in (400, 403, 404, 408)),
        *(Harm("rate_limit", {"status": status, "retry_after": 1}) for status in (429, 418)),
        *(Harm("not_json", {"stage": stage}) for stage in ("before", "after")),
        *(Harm("html", {"stage": stage}) for stage in ("before", "after")),
        *(Harm("delay_answer", {"by": by}) for by in (0.2, 1.2)),
        Harm("truncated"),
        Harm("truncated", {"announced": False}),
        Harm("empty_body"),
    ]
    requests = [attrs.evolve(one, rest=True) for one in answers]
    requests += [one for one in answers if one.action not in OF_REST]
    frames = [
        Harm("drop", kind="frame"),
        Harm("lost_fill", kind="frame"),
        Harm("duplicate", {"times": 2}, kind="frame"),
        Harm("delay", {"by": 0.5}, kind="frame"),
        Harm("reorder", {"span": 2}, kind="frame"),
        Harm("stall", {"for": 0.6}, kind="frame"),
        Harm("corrupt_frame", kind="frame"),
        Harm("cut_mid_frame", kind="frame"),
        Harm("sequence_gap", {"frames": 2}, kind="bars"),
        Harm("stale_book", {"for": 0.5}, kind="bars"),
    ]
    connections = [
        Harm("disconnect", {"code": 1001}, kind="connection"),
        Harm("disconnect", {"code": 1006}, kind="connection"),
        Harm("reset", kind="connection"),
        Harm("half_open", {"for": 1.5}, kind="connection"),
        Harm("silent_subscription", {"for": 1.0}, kind="connection"),
        Harm("slow_consumer", kind="connection"),
        Harm("end_of_life", kind="time"),
        Harm("expire_listen_keys", kind="time", places=("usdm", "coinm")),
        Harm("end_user_streams", kind="time"),
        Harm("announce_shutdown", kind="time"),
        Harm("refuse_connection", {"status": 503}, kind="opening"),
    ]
    orders = [
        Harm("late_visibility", {"for": 0.3}, kind="place"),
        Harm("partial_fills", {"parts": 3}, kind="place"),
        Harm("partial_fills", {"parts": 2, "share": 0.5}, kind="place"),
        Harm("fill_before_ack", kind="place"),
        Harm("fill_before_ack", {"share": 0.5}, kind="place"),
        Harm("fill_during_cancel", kind="cancel"),
        Harm("fill_during_cancel", {"share": 0.3}, kind="cancel"),
        Harm("reject_after_ack", kind="place"),
        Harm("reject_after_ack", {"after": 0.2}, kind="place"),
        Harm("foreign_order", {"size": 20}, kind="time", foreign=True),
        Harm("foreign_cancel", kind="time"),
        Harm("dead_man", kind="time"),
        Harm("liquidation", kind="time", foreign=True, places=("usdm", "coinm")),
    ]
    venue = [
        *(Harm("clock_skew", {"by": by}, kind="time") for by in (10, -10)),
        Harm("clock_drift", {"rate": 0.2, "for": 1.0}, kind="time"),
        Harm("maintenance", {"for": 0.5}, kind="time"),
        Harm("restart", {"down": 0.4}, kind="time"),
        Harm("halt", {"for": 0.5}, kind="time"),
        Harm("halt", {"for": 0.5, "status": "cancel_only"}, kind="time", places=("spot",)),
        Harm("rule_change", {"min_notional": 100}, kind="time"),
        *(Harm("price_jump", {"by": by}, kind="time") for by in (-0.03, 0.03)),
        Harm("crossed_book", {"for": 0.5}, kind="time"),
    ]
    return requests + frames + connections + orders + venue


def arm(stage, harm: Harm, phase: str) -> int:
    """Put a fault to work for the phase that begins."""
    simulator, given = stage.simulator, dict(harm.arguments)
    if harm.kind == "request":
        label = label_of(stage.place, phase)
        count = 2 if label == "*" else 1
        return simulator.add_fault(harm.action, on="request", count=count, label=label, **given)
    if harm.kind == "frame":
        if harm.action != "lost_fill":
            quiet = phase in {"working", "restart", "list_restart", "idle"} or (
                phase == "amend" and stage.place is SPOT
            )
            given["kind"] = "*" if quiet else PRIVATE
        return simulator.add_fault(harm.action, on="frame", count=2, **given)
    if harm.kind == "bars":
        return simulator.add_fault(harm.action, on="frame", count=1, kind="kline", **given)
    if harm.kind == "connection":
        label = label_of(stage.place, phase)
        if label != "*" and harm.action in {"disconnect", "reset", "half_open", "silent_subscription"}:
            return simulator.add_fault(harm.action, on="request", label=label, nth=1, **given)
        given |= {"stream": "*"} if harm.action == "silent_subscription" else {}
        return simulator.add_fault(harm.action, on="time", at=0, **given)
    if harm.kind == "opening":
        simulator.add_fault("disconnect", at=0, code=1001)
        return simulator.add_fault(harm.action, count=3, **given)
    if harm.kind in {"place", "cancel"}:
        return simulator.add_fault(harm.action, count=1, **given)
    needs = harm.action in {"foreign_order", "liquidation", "halt", "rule_change", "price_jump", "crossed_book"}
    if needs:
        given["symbol"] = stage.place.plays if harm.action != "price_jump" else stage.place.theirs
    if harm.action in {"foreign_order", "foreign_cancel", "dead_man", "liquidation"}:
        given["user"] = "trader"
    if harm.action == "foreign_order":
        given |= {"size": Decimal(repr(stage.place.size)), "price": below(stage, 0.1)}
    return simulator.add_fault(harm.action, on="time", at=0, **given)


def label_of(place, phase: str) -> str:
    """Return which requests belong to a phase; an order on spot is amended by none."""
    return "*" if phase == "amend" and place is SPOT else LABELS.get(phase, "*")


def below(stage, by: float) -> Decimal:
    """Return a price that far below the market, on a coarse grid."""
    return Decimal(int(float(stage.simulator.price(stage.place.plays)["last"]) * (1 - by) / 10) * 10)


async def play(stage, harm: Harm, phase: str) -> list:
    """Play the life of orders up to a phase, the phase under the fault, and the end; return what the fault did."""
    size, simulator = stage.place.size, stage.simulator
    await stage.start()
    await stage.order(lambda s: s.buy(2 * size))  # something to hold, and to sell

    def limit(by):
        price = float(below(stage, by))
        return lambda s: s.buy(size, limit=price)

    if phase == "submit":
        number = arm(stage, harm, phase)
        order = await stage.order(limit(0.02))
    elif phase == "fill":
        number = arm(stage, harm, phase)
        order = await stage.order(lambda s: s.sell(size))
    elif phase == "restart":
        order = stage.cue(limit(0.02))
        await asyncio.sleep(0.002 * (len(harm.name) % 5))  # before, at, or after it was sent
        await stage.cut_off()
        number = arm(stage, harm, phase)
        await stage.start(on_position=Policy.ADOPT if harm.foreign else Policy.ASK)
    else:
        order = None if phase == "idle" else await stage.order(limit(0.02))
        number = arm(stage, harm, phase)
        await act(stage, phase, order)
    await stage.agreed()
    await lingering(stage, number)
    await stage.agreed()
    simulator.remove_fault()
    await stage.order(lambda s: s.sell(size))
    return [one for one in simulator.fired() if one.fault == number]


async def act(stage, phase, order) -> None:
    size = stage.place.size
    if phase == "partial":
        fill_half(stage, order)
    elif phase == "amend" and order.is_open:
        price = float(below(stage, 0.03))
        stage.cue(lambda s: s.modify(order, size=1.5 * size, limit=price))
    elif phase == "cancel":
        await cancel(stage, order)


def fill_half(stage, order, parts=2) -> None:
    """Let somebody else trade with half of an order that rests, or with another part of it."""
    there = stage.theirs().get(order.id)
    if there is not None and there.open:
        exchange = stage.simulator.call(lambda venue: venue.exchange_of(stage.place.plays))
        stage.simulator.call(lambda _: exchange.interference.fill(there.ids[0], there.size / parts))
        stage.simulator.call(lambda venue: venue.server.flush())


async def play_list(stage, harm: Harm, phase: str) -> list:
    """Play the life of a bracket that the venue works as a list, one phase of it under a fault."""
    size, simulator = stage.place.size, stage.simulator
    await stage.start()
    stop, limit, target = (float(below(stage, by)) for by in (0.1, 0.01, -0.1))

    def bracket(strategy):
        return strategy.buy_bracket(size, limit=limit, stop_loss=stop, take_profit=target).entry

    number = arm(stage, harm, phase) if phase == "list" else None
    if phase == "list_restart":
        entry = stage.cue(bracket)
        await asyncio.sleep(0.002 * (len(harm.name) % 5))  # before, at, or after it was sent
        await stage.cut_off()
        number = arm(stage, harm, phase)
        await stage.start()
    else:
        entry = await stage.order(bracket)
    legs = [one for one in stage.kernel.book.orders if one.parent == entry.id]
    if phase in {"wake", "leg"}:
        number = arm(stage, harm, phase) if phase == "wake" else None
        fill_half(stage, entry, 1)
        await stage.agreed()
    if phase == "leg":
        number = arm(stage, harm, phase)
        fill_half(stage, legs[1], 1)
    elif phase == "list_cancel":
        number = arm(stage, harm, phase)
        await cancel(stage, legs[0])
    await stage.agreed()
    await lingering(stage, number)
    await stage.agreed()
    simulator.remove_fault()
    await stage.order(lambda s: s.buy(size))
    return [one for one in simulator.fired() if one.fault == number]


async def cancel(stage, order) -> None:
    """Cancel an order, again where the venue could not."""
    for _ in range(8):
        if not order.is_open:
            break
        stage.cue(lambda s: s.cancel(order))
        await stage.agreed()
        if order.is_open:
            await asyncio.sleep(0.3)


async def lingering(stage, number) -> None:
    """Give a fault that has to be met by something that happens by itself the time for it."""
    for _ in range(200):
        if any(one.fault == number for one in stage.simulator.fired()):
            break
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)


async def cell(place, harm: Harm, phase: str, folder) -> list:
    """Play a cell and compare; return how often the fault struck."""
    listed = phase in LIST_PHASES
    async with staged(
        place, folder, transport="rest" if harm.rest else "websocket", native_groups=listed, native_trails=listed
    ) as stage:
        fired = await (play_list if listed else play)(stage, harm, phase)
        await stage.end()
        stage.compare(foreign=harm.foreign)
        return fired
