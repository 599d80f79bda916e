"""A stage for proofs: an exchange on loopback, a run at it that can be cut off and gone on with, and a director."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from decimal import Decimal
from math import isnan

import attrs
import msgspec

from cambist import Strategy
from cambist.engine.codec import CODEC
from cambist.engine.rebuild import rebuild
from cambist.errors import CambistError, VenueError
from cambist.indicators import SMA
from cambist.live import LiveRun, LiveSettings
from cambist.model import OrderStatus, Timeframe
from cambist.model.events import TimerFired
from cambist.model.orders import TRIGGERED
from cambist.model.reports import FillReport
from cambist.orders.ids import order_number
from cambist.portfolio.exact import exact
from cambist.storage.journal import Journal, JournalFolder, JournalOptions
from cambist.testing.faults import CrashingFiles
from cambist_binance.config import BinanceSettings
from cambist_binance.hosts import Market
from cambist_binance.session import BinanceSession
from cambist_ccxt.link import LinkSettings
from cambist_simulator import ExchangeSimulator

MINUTE = Timeframe.parse("1m")
MS = 1_000_000
#: Tag of what a run books to take a position over; the venue knows no such order.
#: Tags of executions that no order of the run made: those of others, and made-up ones that take over an average.
TAKEN_OVER = frozenset({"adopted", "synthetic"})
#: How long anything may take to come right on a machine that does other things, too; seconds.
PATIENCE = 90.0


@attrs.frozen
class Place:
    """A market to trade at: what the simulator plays, our symbol, sizes that fit, and where its truth stands."""

    market: Market
    plays: str
    symbol: str
    currency: str
    size: float
    exchange: str

    @property
    def theirs(self) -> str:
        return self.plays.partition(":")[0]


SPOT = Place(Market.SPOT, "BTCUSDT", "BTC/USDT", "USDT", 0.02, "binance-spot")
USDM = Place(Market.USDM, "BTCUSDT:linear", "BTC/USDT:USDT", "USDT", 0.02, "binance-usdm")
COINM = Place(Market.COINM, "BTCUSD_PERP:inverse", "BTC/USD:BTC", "BTC", 20.0, "binance-coinm")
PLACES = {"spot": SPOT, "usdm": USDM, "coinm": COINM}


class QuickSession(BinanceSession):
    """The session itself, with waits that suit a machine that talks to itself."""

    def __init__(self, market, settings) -> None:
        super().__init__(market, settings)
        self._links = LinkSettings(open_timeout=2.0, heartbeat=0.5, first_wait=0.02, most_wait=0.2)

    @property
    def terms(self):
        return msgspec.structs.replace(
            super().terms, settling=400 * MS, confirm_within=300 * MS, fills_within=5_000 * MS
        )


class Acting(Strategy):
    """Does what its director wants, when it is cued."""

    director = None

    def on_start(self):
        self.average = SMA(self.data.close, 2)  # so that a price is known from the start

    def on_timer(self, name):
        todo, self.director.todo = self.director.todo, None
        if todo is not None:
            self.director.done = todo(self)


@attrs.define
class Director:
    """Hands the strategy one thing to do, and keeps what it gave back."""

    todo: object = None
    done: object = None


class Stage:
    """An exchange, and one run after another at it.

    Parameters
    ----------
    place
        Where.
    folder
        Of the journal.
    simulator
        That runs; it plays what the place says.
    """

    def __init__(self, place, folder, simulator, **settings) -> None:
        self.place, self.folder, self.simulator = place, folder, simulator
        self.alarms: list[tuple[str, str]] = []
        self.director = Director()
        self.starts = 0
        self.options = settings.pop("options", JournalOptions())
        self.venue = {"timeout": settings.pop("timeout", 0.7), "transport": settings.pop("transport", "websocket")}
        # An audit of a futures account asks for much: the venue's limits leave room for some thirty a minute.
        audits = 0.6 if ":" not in place.plays else 2.0
        self.settings = {"currency": place.currency, "audit_every": audits, "drain_within": PATIENCE} | settings
        self.run = self.task = self.journal = None

    # One run after another.

    def session(self):
        key = self.simulator.credentials()
        settings = BinanceSettings(
            url=self.simulator.url, key=key.key, secret=key.secret, shared_limits=False, **self.venue
        )
        return QuickSession(self.place.market, settings)

    def begin(self, strategy=None, files=None, **settings) -> None:
        """Start a run without waiting for it."""
        self.starts += 1
        self.files = files or CrashingFiles()
        self.run = self.task = self.journal = None
        self.journal = Journal(self.folder, self.options, files=self.files)
        acting = strategy or type("Acting", (Acting,), {"director": self.director})()
        self.run = LiveRun(
            [acting],
            [(self.place.symbol, MINUTE)],
            self.session(),
            self.journal,
            LiveSettings(**(self.settings | settings)),
            alarm=lambda word, text: self.alarms.append((word, text)),
        )
        self.task = asyncio.create_task(self.run.run(), name="run")

    async def start(self, strategy=None, files=None, **settings) -> None:
        """Start a run, again where the venue cannot be reached, and wait until it trades."""
        end = time.monotonic() + PATIENCE
        while True:
            self.begin(strategy, files, **settings)
            try:
                await self.until(lambda: self.run.phase == "run", "the run to begin")
            except VenueError:
                self.journal.close()
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(0.1)
            else:
                return

    async def cut_off(self) -> None:
        """Let go of everything at once: what is not on the disk is lost."""
        self.files.is_dead = True
        if self.task is not None:
            self.task.cancel()
            with contextlib.suppress(asyncio.CancelledError, CambistError, OSError):
                await self.task
        if self.journal is None:
            return
        with contextlib.suppress(CambistError, OSError):
            self.journal.close()

    async def end(self) -> None:
        """Stop the run as an operator does."""
        self.run.stop("the play is over")
        async with asyncio.timeout(PATIENCE):
            await self.task
        self.journal.close()

    async def until(self, condition, what) -> None:
        """Wait for a condition; a run that ends meanwhile says why."""
        end = time.monotonic() + PATIENCE
        while not condition():
            if self.task.done():
                await self.task
                raise AssertionError(f"the run ended by itself while {what} was waited for; alarms: {self.alarms}")
            assert time.monotonic() < end, f"waited in vain for {what}: {self.differences()}; alarms: {self.alarms}"
            await asyncio.sleep(0.01)

    # What the strategy is to do.

    def cue(self, todo):
        """Let the strategy do something now; return what it gave back."""
        self.director.todo, self.director.done = todo, None
        now = self.run.now()
        self.run.take(TimerFired(now, f"{self.kernel.seats[0].strategy.name}/act", now))
        return self.director.done

    async def order(self, how, tries=8):
        """Let the strategy send an order, again while it is refused; return it once everybody agrees on it."""
        for _ in range(tries):
            order = self.cue(how)
            if order is None:  # the journal is lost, and nothing is taken any more: how the run ends says so
                await self.until(self.task.done, "the end of the run")
                await self.task
            await self.agreed()
            if order.status is not OrderStatus.REJECTED:
                return order
            await asyncio.sleep(0.3)
        return order

    # Truth.

    @property
    def kernel(self):
        return self.run.kernel

    def theirs(self):
        """Return the venue's orders that are ours, by their numbers."""
        return truth(self.simulator, self.kernel.book.token)[0]

    def differences(self) -> list[str]:
        """Return of which orders the run and the venue tell different things."""
        if self.run.phase not in {"run", "drain"}:
            return [f"the run is in phase {self.run.phase}; not settled: {self.unsettled()}"]
        theirs, found = self.theirs(), []
        for order in self.kernel.book.orders:
            if order.tag in TAKEN_OVER:
                continue
            there = theirs.pop(order.id, None)
            book = self.kernel.book
            found += differences_of(order, there, whole=self.whole(book, order), tied=is_tied(order, book))
        return found + [f"order {number} is at the venue and not in the run" for number in theirs]

    def unsettled(self) -> list[str]:
        """Return what the run does not know yet of its orders, for whoever has to find out why."""
        engine = getattr(self.run, "engine", None)
        if engine is None:
            return []
        states = ("asking", "in_doubt", "absences", "ended", "replacement", "check_at", "cancels", "number", "sent_at")
        return [
            f"order {one.order.id} ({one.order.status}): "
            + ", ".join(f"{name} {getattr(one, name)}" for name in states if getattr(one, name))
            for one in engine.orders.register
        ]

    def whole(self, book, order) -> float:
        """Return how large an order may be at the venue: a child grows with its parent, unless the venue sees to it."""
        if order.id in book.entrusted:
            return order.size
        parent = book.find(order.parent) if order.parent else None
        return order.size if parent is None else min(order.size, parent.filled)

    async def agreed(self) -> None:
        """Wait until nothing is under way and both tell the same."""

        def settled() -> bool:
            run = self.run
            return (
                run.phase == "run"
                and not run.engine.waiting
                and not run.engine.orders.unsettled
                and not self.differences()
            )

        await self.until(settled, "run and venue to agree")

    def compare(self, *, foreign=False) -> None:
        """Hold what the journal says against what happened at the venue."""
        checked = list(JournalFolder(self.folder).check())
        assert [one.error for one in checked if one.error] == []
        with Journal(self.folder) as journal:
            state = rebuild(journal)
            resent = [CODEC.decode(entry) for entry in journal.read() if entry.kind == "order_resent"]
        book = state.book
        theirs, strangers = truth(self.simulator, book.token)
        for order in book.orders:
            if order.tag not in TAKEN_OVER:
                there = theirs.pop(order.id, None)
                assert differences_of(order, there, tied=is_tied(order, book), ended=True) == []
        assert not theirs, f"orders at the venue that are not in the journal: {theirs}"
        assert foreign or not strangers, strangers
        assert not book.anomalies
        self._compare_fills(state, {one.id for one in strangers})
        again = Counter(one.order_id for one in resent if one.reason.startswith("attempt"))
        self._compare_requests(book.token, again)
        if not foreign:
            self._compare_account(state)

    def _compare_fills(self, state, strangers) -> None:
        by_order = [(fill.id, state.book.get(fill.order_id)) for fill in state.fills]
        ours = Counter(number for number, one in by_order if one.tag not in TAKEN_OVER and not one.by_venue)
        theirs = Counter(one.trade_id for one in self.simulator.fills() if one.order_id not in strangers)
        assert ours == theirs

    def _compare_requests(self, token, again) -> None:
        """Let an order be sent as often as the journal says that the venue certainly had not taken it."""
        sent = Counter(
            str(entry.facts.get("client_id"))
            for entry in self.simulator.requests()
            if entry.label in {"order.place", "algo.place"}
        )
        numbers = {name: order_number(name, token) for name in sent}
        twice = [name for name, count in sent.items() if numbers[name] and count > 1 + again[numbers[name][0]]]
        assert not twice, f"orders were sent twice: {twice}"

    def _compare_account(self, state) -> None:
        balances = self.simulator.balances()[self.place.exchange]
        if self.place.market is Market.SPOT:
            for asset, there in balances.items():
                assert state.ledger.balance(asset) == there.free + there.locked, asset
            return
        if "profit" in FillReport.__struct_fields__:
            # What an execution realized is the venue's word; by averages of ours it depends on the order they came in.
            ours, there = state.ledger.balance(self.place.currency), balances[self.place.currency].wallet
            assert ours == there, f"{self.place.currency}: {ours} here, {there} there"
        sizes = {one.symbol: one.size for one in self.simulator.positions()[self.place.exchange]}
        held = state.portfolio.positions[self.place.symbol].size
        assert exact(held) == sizes.get(self.place.theirs, Decimal(0))


@attrs.define
class There:
    """An order as the venue has it: all that has stood for it, one after the other."""

    ids: list[int]
    filled: Decimal
    size: Decimal
    price: Decimal | None
    open: bool
    status: str
    waited: bool  # one of them, for a stop


def truth(simulator, token: str) -> tuple[dict[int, There], list]:
    """Return the orders that the venue has of a run, by their numbers, and those of others."""
    orders = {one.id: one for one in simulator.orders()}
    found: dict[int, There] = {}
    strangers = []
    for order in orders.values():
        if order.parent_id:
            continue  # it trades in place of a conditional one
        number = order_number(order.client_id, token)
        if number is None:
            strangers.append(order)
            continue
        works = orders.get(order.child_id, order)
        before = found.get(number[0])
        filled = Decimal(0) if before is None else before.filled
        assert before is None or not before.open, f"two orders at the venue stand for order {number[0]}"
        ids = [order.id, works.id] + ([] if before is None else before.ids)
        size = works.size + filled
        waited = order.conditional or order.stop_price is not None or (before is not None and before.waited)
        found[number[0]] = There(ids, works.filled + filled, size, works.price, works.open, str(works.status), waited)
    return found, strangers


def is_tied(order, book) -> bool:
    """Tell whether an order hangs together with others: the first of a group does not say so itself."""
    return bool(order.parent or order.oco) or any(one.oco == order.id for one in book.orders)


def differences_of(order, there, *, whole=0.0, tied=False, ended=False) -> list[str]:
    """Return what an order of the run and the venue's have different."""
    if there is None and order.by_venue:
        return []  # the venue closed a position by itself
    if there is None:
        held = order.trail is not None or tied  # what the venue lacks waits here
        never = order.status is OrderStatus.REJECTED or (order.status is OrderStatus.CANCELED and not order.accepted)
        gone = never or (held and not (ended and order.is_open))
        return [] if gone and order.filled == 0.0 else [f"order {order.id} ({order.status}) is not at the venue"]
    found = []
    if Decimal(repr(order.filled)) != there.filled:
        found.append(f"order {order.id}: {order.filled} filled here, {there.filled} there")
    if there.filled and order.type in TRIGGERED and not (order.triggered or there.waited):
        found.append(f"order {order.id}, a {order.type}, traded although nobody saw its stop reached")
    if order.is_open != there.open:
        found.append(f"order {order.id} is {order.status} here and {there.status} there")
    price = None if isnan(order.limit_price) else Decimal(repr(order.limit_price))
    if not ended and there.open and (Decimal(repr(whole)), price) != (there.size, there.price):
        found.append(f"order {order.id}: {whole} at {price} here, {there.size} at {there.price} there")
    if ended and there.open:
        found.append(f"order {order.id} was left open")
    return found


@contextlib.asynccontextmanager
async def staged(place, folder, *, seed=7, speed=30, **settings):
    """Yield a stage; the exchange runs in the loop of the test."""
    async with ExchangeSimulator(
        "binance", symbols=[place.plays], seed=seed, history=60, cash=1_000_000, speed=speed
    ) as simulator:
        stage = Stage(place, folder, simulator, **settings)
        try:
            yield stage
        finally:
            if stage.task is not None and not stage.task.done():
                await stage.cut_off()
