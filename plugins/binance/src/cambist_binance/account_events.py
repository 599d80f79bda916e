"""The account's own events: what its private stream says, as reports."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from cambist.api import StreamReport, VenueError
from cambist.model import ReportedStatus
from cambist_binance.hosts import Market
from cambist_binance.orders import ALGO_PREFIX
from cambist_binance.wire import futures, money, spot
from cambist_binance.wire.answers import decode_head, decode_listen_key
from cambist_ccxt.channel import Channel
from cambist_ccxt.errors import RefusedError
from cambist_ccxt.link import Link

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cambist.model import AccountReport, CashReport, FillReport, NoticeReport, OrderReport
    from cambist_binance.transport import Transport
    from cambist_ccxt.link import Connection, LinkSettings
    from cambist_ccxt.symbols import Symbols

__all__ = ["AccountEvents", "Children", "ListenKeyStream"]

_log = logging.getLogger("cambist.binance")
#: A listen key is good for an hour; it is extended in time for several attempts, seconds.
_EXTEND_EVERY = 1_200.0
_REMEMBERED = 10_000


class Children:
    """Which orders work in place of triggered conditional ones, and are reported under their names."""

    def __init__(self) -> None:
        self._parents: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._children: dict[str, str] = {}

    def note(self, child: str, client_id: str, venue_id: str) -> None:
        """Remember the order of a conditional one; ``""`` and ``"0"`` are none."""
        if child in {"", "0"} or child in self._parents:
            return
        self._parents[child] = client_id, venue_id
        self._children[client_id] = child
        if len(self._parents) > _REMEMBERED:
            _, (old, _) = self._parents.popitem(last=False)
            self._children.pop(old, None)

    def child_of(self, client_id: str) -> str:
        """Return the order in place of a conditional one; ``""`` for none."""
        return self._children.get(client_id, "")

    def order(self, report: OrderReport) -> OrderReport:
        """Return a report under the name of the conditional order, where it is of a child."""
        parent = self._parents.get(report.venue_id)
        if parent is None:
            return report
        return msgspec.structs.replace(report, client_id=parent[0], venue_id=parent[1])

    def fill(self, report: FillReport) -> FillReport:
        """Return an execution under the name of the conditional order, where it is of a child."""
        parent = self._parents.get(report.venue_id)
        if parent is None:
            return report
        return msgspec.structs.replace(report, client_id=parent[0], venue_id=parent[1])


class AccountEvents:
    """Makes reports of events, and hands them to whoever iterates; nothing is ever dropped.

    Parameters
    ----------
    symbols
        Names of instruments.
    children
        Shared with the queries.
    leverage, margin
        What was set at the start, by symbol.
    resettled
        Told that leverage, margin types or the position mode may have changed.

    Attributes
    ----------
    changed
        By symbol: how what was set has been changed by somebody else since, as a stable word and a sentence.
    """

    def __init__(
        self,
        symbols: Symbols,
        children: Children,
        *,
        leverage: Mapping[str, int] = MappingProxyType({}),
        margin: Mapping[str, str] = MappingProxyType({}),
        resettled: Callable[[], None] = lambda: None,
    ) -> None:
        self._symbols, self._children = symbols, children
        self._leverage, self._margin, self._resettled = leverage, margin, resettled
        self.changed: dict[str, tuple[str, str]] = {}
        self.channel: Channel[OrderReport | FillReport | CashReport | AccountReport | NoticeReport | StreamReport] = (
            Channel()
        )
        self._up = self._heard = False

    def take(self, data: bytes | msgspec.Raw) -> None:
        """Take an event; one that makes no sense raises, and so ends its connection."""
        put = self.channel.put
        for report in self._reports(data):
            put(report)

    def state(self, state: str, text: str) -> None:
        """Take how the stream does; the same again is not news."""
        if (state == "up") != self._up:
            self._up = state == "up"
            if self._heard:
                self._resettled()  # of what was changed meanwhile nobody was told
            self._heard = True
            self.channel.put(StreamReport(stream="private", state=state, text=text))

    def clock(self, state: str, text: str) -> None:
        """Take whether this machine's clock is near enough to the venue's."""
        self.channel.put(StreamReport(stream="clock", state=state, text=text))

    def _reports(
        self, data: bytes | msgspec.Raw
    ) -> Iterator[OrderReport | FillReport | CashReport | AccountReport | NoticeReport]:
        kind = decode_head(data)
        if kind == "executionReport":
            fill, order = spot.execution_of(data, self._symbols)
            if fill is not None:
                yield fill
            yield order
        elif kind == "ORDER_TRADE_UPDATE":
            fill, order = futures.trade_update_of(data, self._symbols)
            if fill is not None:
                yield self._children.fill(fill)
            yield self._as_parent(self._children.order(order))
        elif kind == "ALGO_UPDATE":
            order, child = futures.algo_update_of(data, self._symbols)
            self._children.note(child, order.client_id, order.venue_id)
            yield order
        elif kind == "outboundAccountPosition":
            yield spot.position_of(data)
        elif kind == "balanceUpdate":
            yield money.balance_update_of(data)
        elif kind == "ACCOUNT_UPDATE":
            yield self._noted(futures.account_update_of(data, self._symbols))
        elif kind == "ACCOUNT_CONFIG_UPDATE":
            self._resettled()
            self._note_leverage(futures.leverage_of(data))
            told = money.leverage_change_of(data, self._symbols)
            if told is not None:
                yield told
        elif kind in {"listenKeyExpired", "eventStreamTerminated"}:
            raise VenueError(f"the venue ended the private stream: {kind}")
        elif kind == "MARGIN_CALL":
            yield money.margin_call_of(data, self._symbols)

    def expect_leverage(self, symbol: str, leverage: int) -> None:
        """Learn of a leverage that is being set on this side."""
        self._leverage = {**self._leverage, symbol: leverage}
        self.changed.pop(symbol, None)

    def _note_leverage(self, found: tuple[str, int] | None) -> None:
        if found is not None:
            symbol, now = self._symbols.ours(found[0]), found[1]
            self._note(symbol, "leverage", str(self._leverage.get(symbol, now)), str(now))

    def _noted(self, account: AccountReport) -> AccountReport:
        if account.reason == "margin_type_change":
            self._resettled()
        for position in account.positions:
            if position.isolated is not None:
                now = "isolated" if position.isolated else "cross"
                self._note(position.symbol, "margin", self._margin.get(position.symbol, now), now)
        return account

    def _note(self, symbol: str, what: str, wanted: str, now: str) -> None:
        """Take note of what a setting is now: what opens a position is refused while it is not what was set."""
        word = f"{what}_changed"
        if wanted != now:
            self.changed[symbol] = word, f"the {what} of {symbol} was set to {wanted}, and is {now} by now"
            _log.warning("%s: %s", word, self.changed[symbol][1])
        elif self.changed.get(symbol, ("",))[0] == word:
            del self.changed[symbol]

    def _as_parent(self, report: OrderReport) -> OrderReport:
        """Say of an order that works in place of a conditional one that it was triggered, while it is open."""
        if report.venue_id.startswith(ALGO_PREFIX) and report.status is ReportedStatus.OPEN:
            return msgspec.structs.replace(report, status=ReportedStatus.TRIGGERED)
        return report


class ListenKeyStream:
    """The private stream of a futures market: a listen key, kept alive, and a connection that goes by it.

    Parameters
    ----------
    streams
        Base address.
    events
        Takes what comes.
    """

    def __init__(
        self, market: Market, streams: str, transport: Transport, events: AccountEvents, settings: LinkSettings
    ) -> None:
        self._market, self._streams, self._transport, self._events = market, streams, transport, events
        self.link = Link("private", self, settings)
        self._extending: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Connect, and stay connected."""
        self.link.start()
        self._extending = asyncio.get_running_loop().create_task(self._extend(), name="listen key")

    async def close(self) -> None:
        """Close; the key is left to run out, since another session of the account may use it."""
        if self._extending is not None:
            self._extending.cancel()
            await asyncio.gather(self._extending, return_exceptions=True)
        await self.link.close()

    async def _extend(self) -> None:
        while True:
            await asyncio.sleep(_EXTEND_EVERY)
            try:
                await self._transport.ask("listen_on", {})
            except RefusedError as error:
                self.link.drop(f"the listen key is gone: {error}")
            except VenueError as error:
                _log.warning("the listen key could not be extended: %s", error)

    async def address(self) -> str:
        """Return where to connect, with a key that is good for an hour; the same key while there is one."""
        key = decode_listen_key(await self._transport.ask("listen", {}, attempts=1))
        if self._market is Market.COINM:
            return f"{self._streams}/ws/{key}"
        return f"{self._streams}/private/ws?listenKey={key}"

    async def opened(self, _connection: Connection) -> None:
        """Say nothing: the key in the address says it all."""

    def frame(self, _connection: Connection, data: bytes) -> None:
        """Take an event."""
        self._events.take(data)

    def lost(self, _connection: Connection) -> None:
        """Nothing hangs on a single connection."""

    def state(self, state: str, text: str) -> None:
        """Pass on how the link does."""
        self._events.state(state, text)
