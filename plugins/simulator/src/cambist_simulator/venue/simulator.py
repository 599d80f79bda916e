"""The door: a simulated venue that runs in a thread of its own, or in the loop that is running."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self, TypeVar

import attrs

from cambist.api import ParameterError, did_you_mean
from cambist.model import OrderType, Side
from cambist_simulator.exchange.orders import OrderTerms
from cambist_simulator.faults.fault import Fault, duration, moment
from cambist_simulator.faults.script import load_script
from cambist_simulator.venue.settings import VenueSettings
from cambist_simulator.venue.venue import SimulatedVenue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType

    from cambist_simulator.exchange.orders import Execution, VenueOrder
    from cambist_simulator.faults.rules import Fired
    from cambist_simulator.server.log import Entry

__all__ = ["Credentials", "ExchangeSimulator"]

T = TypeVar("T")


@attrs.frozen
class Credentials:
    """A key of a user, as its client needs it.

    Attributes
    ----------
    secret
        Of an HMAC key; the private key as PEM of the others.
    """

    user: str
    key: str
    secret: str
    kind: str = "hmac"


class ExchangeSimulator:
    """An exchange on loopback.

    Parameters
    ----------
    venue
        ``"generic"`` or another that is simulated; several answer below their names: ``/generic/...``.
    symbols
        What is played, such as ``["BTCUSDT", "ETHUSDT:linear"]``; None for what the venue plays by itself.
    data
        Recorded bars, trades, quotes or a raw book by symbol; of one symbol, without its name. A random market where
        there is none.
    faults
        What is to go wrong: `Fault` objects, or the path of a script.
    start
        When the market begins: a time, or ns.
    **settings
        As `VenueSettings` has them: ``seed``, ``speed``, ``frozen``, ``cash``, ``users``, ``port``, ``history`` ...

    Raises
    ------
    ParameterError, ConfigError, DataError
        A setting, a script or the data cannot be used.

    Examples
    --------
    In a test, with a market that stands still until it is told to go on::

        with ExchangeSimulator("generic", speed=0, seed=7) as simulator:
            client = Client(simulator.endpoints["rest"], simulator.credentials())
            client.buy("BTCUSDT", 0.1)
            simulator.step("1m")
            assert simulator.orders()[0].filled == Decimal("0.1")

    In a loop that is running::

        async with ExchangeSimulator("generic") as simulator:
            ...

    Notes
    -----
    All methods may be called from any thread. What they return are copies.
    """

    def __init__(
        self,
        venue: str | Iterable[str] = "generic",
        *,
        symbols: Iterable[str] | None = None,
        data: Any = None,
        faults: Iterable[Fault] | Path | str = (),
        start: int | str | datetime | None = None,
        **settings: Any,
    ) -> None:
        self._settings = _settings(venue, symbols, data, faults, start, settings)
        self._venue = SimulatedVenue(self._settings)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopping: asyncio.Event | None = None
        self._player: asyncio.Task[int] | None = None

    # --- life ------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await self._begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    def start(self) -> None:
        """Run it in a thread of its own.

        Raises
        ------
        ParameterError
            The port is taken, or it runs already.
        """
        if self._loop is not None:
            raise ParameterError("the simulator runs already.")
        started: Future[None] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._live(started)), name="cambist-simulator", daemon=True
        )
        self._thread.start()
        try:
            started.result()
        except BaseException:
            self._thread.join()
            self._loop = self._thread = None
            raise

    def stop(self) -> None:
        """Close all connections and end the thread; does nothing when it does not run."""
        loop, thread, stopping = self._loop, self._thread, self._stopping
        if loop is None or thread is None or stopping is None:
            return
        loop.call_soon_threadsafe(stopping.set)
        thread.join()
        self._thread = None

    async def _live(self, started: Future[None]) -> None:
        self._stopping = asyncio.Event()
        try:
            await self._begin()
        except BaseException as error:  # noqa: BLE001 -- it belongs to whoever called start
            started.set_exception(error)
            return
        started.set_result(None)
        try:
            await self._stopping.wait()
        finally:
            await self._end()

    async def _begin(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._venue.server.start()
        if self._settings.speed is None:
            self._player = self._loop.create_task(self._venue.pacer.run())

    async def _end(self) -> None:
        if self._player is not None:
            self._player.cancel()
            await asyncio.gather(self._player, return_exceptions=True)
        await self._venue.server.stop()
        self._loop = None

    def call(self, what: Callable[[SimulatedVenue], T]) -> T:
        """Do something with the venue where it runs, and return what comes of it."""
        loop = self._loop
        if loop is None or loop is _running():
            return what(self._venue)
        done: Future[T] = Future()

        def work() -> None:
            try:
                done.set_result(what(self._venue))
            except BaseException as error:  # noqa: BLE001 -- it belongs to the caller
                done.set_exception(error)

        loop.call_soon_threadsafe(work)
        return done.result()

    # --- where it is -----------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Base address of the server, which the control port answers below."""
        return self._venue.server.http

    @property
    def endpoints(self) -> dict[str, str]:
        """Base addresses that clients need, by name."""
        return self._venue.server.endpoints()

    def credentials(self, user: str | None = None) -> Credentials:
        """Return the first key of a user; of the first user, where none is named."""

        def find(venue: SimulatedVenue) -> Credentials:
            found = venue.users.get(venue.user(user))
            key = next(iter(found.keys.values()))
            return Credentials(found.name, key.key, key.private.decode(), key.kind)

        return self.call(find)

    def keys(self) -> list[dict[str, Any]]:
        """Return the keys of all users, secrets included."""
        return self.call(lambda venue: venue.credentials())

    def labels(self) -> list[str]:
        """Return what faults can choose requests by."""
        return self.call(lambda venue: [one for dialect in venue.server.dialects for one in dialect.labels()])

    # --- what happened ---------------------------------------------------------------------------------------------

    def requests(self, *, after: int = 0, limit: int | None = None, **wanted: Any) -> list[Entry]:
        """Return what came in, oldest first, with raw bytes; `wanted` as in `RequestLog.entries`."""
        return self.call(lambda venue: venue.server.log.entries(after=after, limit=limit, **wanted))

    def orders(
        self,
        user: str | None = None,
        symbol: str | None = None,
        *,
        open_only: bool = False,
        latest: int | None = None,
    ) -> list[VenueOrder]:
        """Return orders as the venue has them, whatever its queries say; of each exchange the `latest`, or all."""
        return self.call(lambda venue: venue.orders(user, symbol, open_only=open_only, latest=latest))

    def fills(self, user: str | None = None, symbol: str | None = None) -> list[Execution]:
        """Return executions, in the order of their times."""
        return self.call(lambda venue: venue.fills(user, symbol))

    def balances(self, user: str | None = None) -> dict[str, dict[str, Any]]:
        """Return what a user has, by exchange and asset."""
        return self.call(lambda venue: venue.balances(user))

    def positions(self, user: str | None = None) -> dict[str, list[Any]]:
        """Return a user's positions, by exchange."""
        return self.call(lambda venue: venue.positions(user))

    def connections(self) -> list[dict[str, Any]]:
        """Return open WebSockets."""
        return self.call(lambda venue: [one.as_dict() for one in venue.server.connections.values()])

    def fired(self, after: int = 0) -> list[Fired]:
        """Return faults that struck, oldest first."""
        return self.call(lambda venue: [one for one in venue.faults.fired if one.number > after])

    def state(self) -> dict[str, Any]:
        """Return where everything stands."""
        return self.call(lambda venue: venue.summary())

    def price(self, symbol: str) -> dict[str, Any]:
        """Return ``bid``, ``ask`` and ``last`` of a symbol."""
        return self.call(lambda venue: venue.top(symbol))

    # --- what to do ------------------------------------------------------------------------------------------------

    def add_fault(self, fault: Fault | str, **settings: Any) -> int:
        """Put a fault to work, or one made of its action and settings; return its number."""
        made = fault if isinstance(fault, Fault) else Fault(fault, **settings)
        return self.call(lambda venue: venue.faults.add(made))

    def remove_fault(self, number: int | None = None) -> None:
        """Take one fault away, or all."""
        self.call(lambda venue: venue.faults.clear() if number is None else venue.faults.remove(number))

    def step(self, by: float | str) -> None:
        """Let the market go on: seconds, or a text such as ``"1m"``."""
        span = duration(by, "the step")
        self.call(lambda venue: venue.step(span))

    def shift(self, by: float | str) -> None:
        """Let the clock of the venue's servers jump."""
        span = duration(by, "the shift")
        self.call(lambda venue: venue.clock.server.shift(span))

    def set_speed(self, speed: float) -> None:
        """Let the market go at another pace; 0 freezes it."""
        self.call(lambda venue: venue.set_speed(speed))

    def time(self) -> dict[str, Any]:
        """Return both clocks, ns."""
        return self.call(lambda venue: venue.times())

    def jump(self, symbol: str, by: float) -> None:
        """Move a price by a share of it, with no trade between."""
        self.call(lambda venue: venue.jump(symbol, by))

    def trade(self, symbol: str, side: str, size: Any, price: Any) -> None:
        """Let somebody from outside trade; users' orders that he reaches are filled."""
        taker = _side(side)
        self.call(lambda venue: venue.trade(symbol, taker, Decimal(str(size)), Decimal(str(price))))

    def place(
        self, symbol: str, side: str, size: Any, price: Any = None, *, user: str | None = None, client_id: str = ""
    ) -> VenueOrder:
        """Place an order as another client of the account would; without a price at the market."""
        terms = OrderTerms(
            symbol=symbol,
            side=_side(side),
            type=OrderType.MARKET if price is None else OrderType.LIMIT,
            size=Decimal(str(size)),
            price=None if price is None else Decimal(str(price)),
            client_id=client_id,
        )
        return self.call(lambda venue: venue.place(terms, user))

    def deposit(self, asset: str, amount: Any, *, user: str | None = None, exchange: str | None = None) -> None:
        """Give a user money, or take it away with a negative amount."""
        self.call(lambda venue: venue.deposit(user, asset, Decimal(str(amount)), exchange))

    def add_user(self, name: str, kind: str = "hmac") -> Credentials:
        """Add a user without money; return his key."""
        self.call(lambda venue: venue.users.add(name, kind=kind))
        return self.credentials(name)

    def restart(self, down: float | str = 0) -> None:
        """End the venue and start it again with all that it knew, after a while in which nobody listens."""
        span = duration(down, "the time down")
        self.call(lambda venue: venue.restart(span))


def _settings(
    venue: str | Iterable[str],
    symbols: Iterable[str] | None,
    data: Any,
    faults: Iterable[Fault] | Path | str,
    start: int | str | datetime | None,
    settings: dict[str, Any],
) -> VenueSettings:
    """Return what `ExchangeSimulator` was given as settings of a venue."""
    venues = (venue,) if isinstance(venue, str) else tuple(venue)
    named = () if symbols is None else tuple(symbols)
    known = [field.name for field in attrs.fields(VenueSettings)]
    for name in settings:
        if name not in known:
            raise ParameterError(f"a simulator has no setting {name!r}.{did_you_mean(name, known)}")
    if "cash" in settings:
        settings["cash"] = Decimal(str(settings["cash"]))
    if "balances" in settings:
        settings["balances"] = {name: Decimal(str(value)) for name, value in settings["balances"].items()}
    if "users" in settings:
        settings["users"] = tuple(settings["users"])
    script = list(faults) if not isinstance(faults, str) and hasattr(faults, "__iter__") else load_script(faults)
    return VenueSettings(
        venues=venues,
        symbols=named,
        data=_by_symbol(data, named),
        faults=script,
        start=_start(start),
        **settings,
    )


def _running() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _side(side: str) -> Side:
    if side not in {"buy", "sell"}:
        raise ParameterError(f"the side is {side!r}; give 'buy' or 'sell'.")
    return Side.BUY if side == "buy" else Side.SELL


def _start(start: int | str | datetime | None) -> int | None:
    if start is None or (isinstance(start, int) and not isinstance(start, bool)):
        return start
    found = moment(start, "'start'")
    assert found is not None
    relative, at = found
    if relative:
        raise ParameterError(f"'start' is {start!r}; give a time, such as '2024-03-01T12:00:00Z'.")
    return at


def _by_symbol(data: Any, symbols: tuple[str, ...]) -> Mapping[str, Any]:
    if data is None:
        return {}
    if isinstance(data, dict):
        return data
    if len(symbols) != 1:
        raise ParameterError(
            "data without a symbol needs symbols=[...] of one symbol; or give data={'BTCUSDT': ...}. On the command "
            "line that is --symbols BTCUSDT, or --data BTCUSDT=FILE."
        )
    return {symbols[0].partition(":")[0]: data}
