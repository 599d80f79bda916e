"""What an operator can have a live run do. It all happens in the run's own task, between two events."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from cambist.engine.records import OperatorCommand as CommandRecord
from cambist.errors import ControlError, InputError, OrderError, VenueError, did_you_mean
from cambist.live.control.clearing import TOO_LITTLE, CanceledOrder, Clearing, ClosedPosition
from cambist.live.control.snapshot import (
    balances_at,
    holds_of,
    order_at,
    order_of,
    positions_at,
    positions_of,
    status_of,
)
from cambist.live.dispatch import FLATTEN
from cambist.live.settings import OnStop
from cambist.model.events import OperatorCommand
from cambist.model.trading_state import TradingState, scope_of
from cambist.orders.ids import parse_client_id
from cambist.portfolio.exact import exact

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from cambist.live.control.protocol import Request
    from cambist.live.run import LiveRun
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.model.reports import OrderReport

__all__ = ["Operator"]

#: Between two looks at an order that is to end, s.
_LOOK_EVERY = 0.02
_READS = frozenset({"status", "orders", "positions"})


class Operator:
    """Does what requests say, and answers when it is done with what happened.

    Whatever changes something is journalled with who asked for it, goes through the engine, and is verified at the
    venue.

    Parameters
    ----------
    run
        Which has an engine.
    within
        How long canceling may take, and closing again as long, s.
    resumed
        Called when an operator has let all trading go on.
    """

    def __init__(self, run: LiveRun, within: float = 20.0, resumed: Callable[[], None] = lambda: None) -> None:
        self._run, self._within, self._resumed = run, within, resumed
        self._do: dict[str, Callable[[Request], Awaitable[Any]]] = {
            "status": self._status,
            "orders": self._orders,
            "positions": self._positions,
            "cancel": self._cancel,
            "flatten": self._flatten,
            "halt": self._trading,
            "reduce": self._trading,
            "resume": self._trading,
            "stop": self._stop,
        }

    async def do(self, request: Request) -> Any:
        """Do what a request says; return what happened.

        Raises
        ------
        ControlError
            If it is refused, and why.
        """
        if request.do not in _READS and request.do != "stop":
            self._be_ready()
        try:
            return await self._do[request.do](request)
        except InputError as error:
            raise ControlError(str(error), code="refused") from error
        except VenueError as error:
            raise ControlError(str(error), code="venue") from error

    def _be_ready(self) -> None:
        if self._run.phase != "run":
            raise ControlError(
                f"the run is in the phase {self._run.phase!r}, and takes commands in the phase 'run'. Ask again later; "
                "cambist kill acts at once.",
                code="not_ready",
            )

    # What it shows.

    async def _status(self, _request: Request) -> dict[str, Any]:
        return status_of(self._run)

    async def _orders(self, request: Request) -> dict[str, Any]:
        run = self._run
        ids = {order.id: name for name, order in run.engine.orders.client_ids().items()}
        shown: dict[str, Any] = {
            "orders": [order_of(one, ids.get(one.id, "")) for one in run.kernel.book.open.values()],
        }
        if request.arguments.get("venue"):
            known = self._known()
            shown["venue"] = [order_at(one, known) for one in await run.session.open_orders()]
        return shown

    async def _positions(self, request: Request) -> dict[str, Any]:
        shown: dict[str, Any] = {"positions": positions_of(self._run)}
        if request.arguments.get("venue"):
            account = await self._run.session.account()
            shown["venue"] = positions_at(account)
            shown["balances"] = balances_at(account)
        return shown

    # What it does.

    async def _trading(self, request: Request) -> dict[str, Any]:
        given = {name: str(value) for name, value in request.arguments.items() if value not in (None, "")}
        self._take(request.do, given, request.by)
        if request.do == "resume" and not given.get("scope"):
            self._run.dispatcher.sealed = False
            self._resumed()
        return {"holds": holds_of(self._run)}

    async def _cancel(self, request: Request) -> dict[str, Any]:
        name, symbol = str(request.arguments.get("order") or ""), str(request.arguments.get("symbol") or "")
        if name:
            return await self._cancel_one(name, request.by)
        if symbol:
            self._instrument(symbol)
        return await self.cancel_all([symbol] if symbol else [], scope_of("symbol", symbol), request.by)

    async def cancel_all(
        self, symbols: Sequence[str], scope: str, by: str, *, whole: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Cancel all orders of some symbols, or of the account; also those that the run does not know.

        What the run sends meanwhile is not meant.

        Parameters
        ----------
        whole
            See `Clearing.cancel`.
        """
        run = self._run
        newest = max((one.id for one in run.kernel.book.orders[-1:]), default=0)
        own = [one for one in run.kernel.book.open.values() if not symbols or one.instrument.symbol in symbols]
        known = self._known()
        names = {number: name for name, number in known.items()}
        self._take("cancel_orders", {"scope": scope, "orders": "cancel"}, by)
        await self._until(lambda: not any(one.is_open for one in own), self._within / 2)
        clearing = Clearing(run.session, self._within / 2, known)

        def wanted(one: OrderReport) -> bool:
            return (not symbols or one.symbol in symbols) and not self._is_later(one.client_id, newest)

        clear = await clearing.cancel(wanted, whole=whole)
        await self._until(lambda: not any(one.is_open for one in own), self._within / 4)
        theirs = [one for one in clearing.done.orders if one.order not in {order.id for order in own}]
        return {
            "orders": [_ended(one, names.get(one.id, "")) for one in own] + theirs,
            "verified": clear and not any(one.is_open for one in own),
            "problems": clearing.done.problems,
        }

    async def _cancel_one(self, name: str, by: str) -> dict[str, Any]:
        run = self._run
        known = self._known()
        number = int(name) if name.isdecimal() and len(name) < 19 else 0
        order = next((one for one in run.kernel.book.open.values() if one.id == (known.get(name) or number)), None)
        if order is not None:
            self._take("cancel_orders", {"order": str(order.id)}, by)
            done = await self._until(lambda: not order.is_open, self._within)
            item = _ended(order, next((one for one, at in known.items() if at == order.id), ""))
            return {"orders": [item], "verified": done, "problems": []}
        clearing = Clearing(run.session, self._within, known)
        self._note("cancel", {"order": name}, by)
        clear = await clearing.cancel(lambda one: name in (one.client_id, one.venue_id))
        if not clearing.done.orders:
            raise ControlError(
                f"neither the run nor the venue has an open order {name!r}; cambist orders --venue lists them.",
                code="refused",
            )
        return {"orders": clearing.done.orders, "verified": clear, "problems": clearing.done.problems}

    async def _flatten(self, request: Request) -> dict[str, Any]:
        symbol = str(request.arguments.get("symbol") or "")
        instruments = [self._instrument(symbol)] if symbol else self._run.instruments
        self._note("flatten", {"symbol": symbol, "reason": str(request.arguments.get("reason") or "")}, request.by)
        scope = scope_of("symbol", symbol)
        own = [one for one in self._run.kernel.book.open.values() if one.instrument in instruments]
        self._take("cancel_orders", {"scope": scope, "orders": "cancel"}, request.by)
        ended = await self._until(lambda: not any(one.is_open for one in own), self._within)
        positions, closed = await self.close(instruments)
        names = {number: name for name, number in self._known().items()}
        return {
            "orders": [_ended(one, names.get(one.id, "")) for one in own],
            "positions": positions,
            "verified": ended and closed,
            "problems": [],
        }

    async def close(self, instruments: Sequence[Instrument]) -> tuple[list[ClosedPosition], bool]:
        """Close what the run holds at the market, and see at the venue whether it is."""
        run = self._run
        items = []
        for instrument in instruments:
            held = self._held(instrument)
            if held:
                items.append(ClosedPosition(symbol=instrument.symbol, before=exact(held), after=exact(held)))
                run.engine.positions.close(instrument)
        await self._until(lambda: not any(one.tag == FLATTEN for one in run.kernel.book.open.values()), self._within)
        sides = await self._margined(instruments)
        for item in items:
            instrument = self._instrument(item.symbol)
            held = self._held(instrument)
            item.after = exact(held)
            if instrument.round_size(abs(held)) > 0.0:
                last = next(
                    one
                    for one in reversed(run.kernel.book.orders)
                    if one.tag == FLATTEN and one.instrument.symbol == item.symbol
                )
                item.outcome, item.text = "dust" if last.reason.startswith(TOO_LITTLE) else "open", last.reason
            elif item.symbol in sides:
                item.outcome, item.text = "open", f"the venue holds {sides[item.symbol]}, which is not of this run"
            else:
                item.outcome = "dust" if held else "closed"
        return items, all(one.outcome != "open" for one in items)

    async def _margined(self, instruments: Sequence[Instrument]) -> dict[str, str]:
        """Return the positions that the venue holds of instruments that are not paid in full."""
        margined = {one.symbol for one in instruments if not one.is_cash}
        if not margined:
            return {}
        account = await self._run.session.account()
        return {one.symbol: str(one.size) for one in account.positions if one.symbol in margined and one.size}

    async def _stop(self, request: Request) -> dict[str, Any]:
        run = self._run
        asked = request.arguments.get("policy") or run.settings.on_stop
        try:
            policy = OnStop(asked)
        except ValueError:
            raise InputError(f"policy is {asked!r}.{did_you_mean(str(asked), list(OnStop))}") from None
        reason = str(request.arguments.get("reason") or f"stopped by {request.by or 'an operator'}")
        self._note("stop", {"policy": str(policy), "reason": reason}, request.by)
        run.stop(reason, policy)
        return {"stopping": True, "policy": str(policy), "reason": reason}

    # The kill switch, where the run can still do it by itself.

    def seal(self) -> None:
        """Let no order leave any more; any thread may say so."""
        self._run.dispatcher.sealed = True

    def halt(self, by: str, reason: str) -> None:
        """Have trading halted until somebody resumes it, where it is not."""
        self.seal()
        hold = self._run.kernel.trading.holds.find("", "")
        if hold is None or hold.state is not TradingState.HALTED:
            self._take("halt", {"reason": reason, "orders": "cancel"}, by)

    async def halt_for_kill(self, by: str, reason: str) -> None:
        """Have trading halted, where there is a run to halt already."""
        if self._run.phase in {"run", "drain"}:
            self.halt(by, reason)

    async def clear(self, by: str, *, flatten: bool) -> dict[str, Any]:
        """Cancel everything, and close positions where that is wanted."""
        self._be_ready()
        done = await self.cancel_all([], "", by, whole=[one.symbol for one in self._run.instruments])
        if flatten:
            run = self._run
            positions, closed = await self.close(run.instruments)
            # What a margined account holds beyond that is closed, too: nothing may be open.
            rest = Clearing(run.session, self._within, self._known())
            margined = [one for one in run.instruments if not one.is_cash]
            closed = await rest.close(margined, {}) and all(
                one.outcome != "open" or one.symbol in {item.symbol for item in margined} for one in positions
            )
            done["positions"] = positions + rest.done.positions
            done["problems"] += rest.done.problems
            done["verified"] = done["verified"] and closed
        return done

    # Within.

    def _take(self, name: str, arguments: dict[str, Any], by: str) -> None:
        run = self._run
        run.take(OperatorCommand(run.now(), name, arguments, by))

    def _note(self, name: str, arguments: dict[str, Any], by: str) -> None:
        """Journal a command that the kernel does not know."""
        run = self._run
        run.kernel.recorder.commanded(run.now(), CommandRecord(name, arguments, by, "done"))

    def _known(self) -> dict[str, int]:
        return {name: order.id for name, order in self._run.engine.orders.client_ids().items()}

    def _is_later(self, client_id: str, newest: int) -> bool:
        """Tell whether an order is the run's and newer than that number."""
        try:
            token, number = parse_client_id(client_id)
        except OrderError:
            return False
        return token == self._run.kernel.book.token and number > newest

    def _instrument(self, symbol: str) -> Instrument:
        found = {one.symbol: one for one in self._run.instruments}
        if symbol not in found:
            raise InputError(f"the run does not trade {symbol!r}.{did_you_mean(symbol, found)}")
        return found[symbol]

    def _held(self, instrument: Instrument) -> float:
        books: Any = self._run.kernel.portfolio
        size: float = books.positions[instrument.symbol].size
        return size

    async def _until(self, come: Callable[[], bool], within: float) -> bool:
        """Wait until something has come about, and return whether it has in time."""
        deadline = asyncio.get_running_loop().time() + within
        while not come():
            if asyncio.get_running_loop().time() >= deadline:
                return False
            await asyncio.sleep(_LOOK_EVERY)
            self._run.engine.time_passed()
        return True


def _ended(order: Order, client_id: str) -> CanceledOrder:
    """Return what became of an order of the run."""
    return CanceledOrder(
        symbol=order.instrument.symbol,
        order=order.id,
        client_id=client_id,
        venue_id="",
        side=str(order.side),
        size=exact(order.size),
        filled=exact(order.filled),
        outcome="open" if order.is_open else str(order.status),
        text=order.reason,
    )
