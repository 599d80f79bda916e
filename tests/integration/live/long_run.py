"""A live engine at a venue that answers at once: many orders in little time, through a journal on the disk."""

from __future__ import annotations

import gc
import resource
import sys
from collections import deque
from decimal import Decimal
from pathlib import Path

from cambist import Strategy
from cambist.live.doors import Doors
from cambist.live.engine import LiveEngine
from cambist.live.opening import Opening
from cambist.live.requests import Cancel, Submit
from cambist.live.settings import LiveSettings
from cambist.live.setup import prepare, read_state
from cambist.live.subscriptions import Listening
from cambist.model import Bar, Instrument, Liquidity, OrderType, Timeframe
from cambist.model.reports import AccountReport, BalanceReport, FillReport, OrderReport, ReportedStatus
from cambist.ports.venue import Answered, VenueTerms
from cambist.storage.journal import Files, Journal, JournalOptions

MINUTE = Timeframe.parse("1m")
COIN = Instrument(
    symbol="BTC/USDT", base="BTC", quote="USDT", tick_size="0.01", step_size="0.00001", min_notional=5, taker_fee=0.001
)
START = 1_700_000_040_000_000_000


class Unsynced(Files):
    """Files that are not made safe: how many orders fit into memory does not depend on the disk."""

    def sync(self, descriptor: int) -> None:
        pass


class Busy(Strategy):
    """Buys and sells in turn, leaves a limit or a stop behind that is canceled on the next bar, and notes a signal.

    The venue does not know stops: they are held here.
    """

    persistent = ("bars",)

    def on_start(self):
        self.bars = 0
        self.resting = None

    def on_bar(self, bar):
        self.bars += 1
        if self.resting is not None:
            self.cancel(self.resting)
        if self.position.size > 0.001:
            self.close()
        else:
            self.buy(0.1)
        self.resting = self.buy(0.1, limit=60.0) if self.bars % 2 else self.buy(0.1, stop=150.0)
        self.record_signal("bars", self.bars)


class InstantVenue:
    """Fills market orders and keeps limit orders until they are canceled."""

    terms = VenueTerms(native=frozenset({OrderType.MARKET, OrderType.LIMIT}))

    def __init__(self) -> None:
        self.waiting: deque = deque()
        self.trades = 0

    def answer(self, engine: LiveEngine, now: int) -> None:
        """Answer everything that was asked so far."""
        while self.waiting:
            request = self.waiting.popleft()
            if isinstance(request, Submit):
                self._submitted(engine, request, now)
            elif isinstance(request, Cancel):
                order = engine.kernel.book.get(request.order_id)
                report = self._report(order, request.key.client_id, ReportedStatus.CANCELED, Decimal(0), now)
                engine.orders.evidence.reported(report, now)

    def _submitted(self, engine, request, now) -> None:
        order, name = request.terms.order, request.terms.client_id
        done = request.terms.type is OrderType.MARKET
        status, size = (ReportedStatus.FILLED, request.terms.size) if done else (ReportedStatus.OPEN, Decimal(0))
        report = self._report(order, name, status, size, now)
        if done:
            for part in (size * Decimal("0.5"), size - size * Decimal("0.5")):
                self.trades += 1
                engine.orders.evidence.executed(
                    FillReport(
                        ts=now,
                        symbol=COIN.symbol,
                        client_id=name,
                        venue_id=f"v{order.id}",
                        trade_id=str(self.trades),
                        side=order.side,
                        size=part,
                        price=Decimal(100),
                        fee=part * Decimal("0.1"),
                        fee_asset="USDT",
                        liquidity=Liquidity.TAKER,
                    ),
                    now,
                )
        engine.orders.answers.submitted(request, Answered(report), now)

    def _report(self, order, name, status, filled, now) -> OrderReport:
        return OrderReport(
            ts=now,
            symbol=COIN.symbol,
            client_id=name,
            venue_id=f"v{order.id}",
            status=status,
            side=order.side,
            type=order.type,
            size=COIN.size_to_decimal(order.size),
            filled=filled,
            limit_price=None if order.type is OrderType.MARKET else COIN.price_to_decimal(order.limit_price),
        )


class LongRun:
    """A run of `Busy`, bar after bar."""

    def __init__(self, folder: Path, *, keep: int = 10_000, journal: JournalOptions | None = None) -> None:
        self.settings = LiveSettings(keep_orders=keep, keep_bars=1_000)
        self.journal = Journal(folder, journal, files=Unsynced())
        self.venue = InstantVenue()
        self.now = START
        self.alarms: list = []
        self.stops: list = []
        self.state = read_state(self.journal, keep)
        opening = Opening(AccountReport(ts=0, balances=(BalanceReport(ts=0, asset="USDT", total=Decimal(10**6)),)))
        listening = Listening(((COIN, MINUTE),))
        self.prepared = prepare(
            [Busy()],
            listening,
            self.journal,
            self.state,
            opening,
            self.settings,
            lambda *told: self.alarms.append(told),
        )
        doors = Doors(
            send=self.venue.waiting.append,
            alarm=lambda word, text: self.alarms.append((word, text)),
            foreign=self.alarms.append,
            stop=self.stops.append,
            failed=self.alarms.append,
            changed=lambda _change: None,
            lost=self.alarms.append,
        )
        kernel = self.prepared.kernel
        self.engine = LiveEngine(kernel, listening, self.venue.terms, lambda: self.now, doors, keep=keep)
        effects = self.prepared.start(self.now)
        self.prepared.shield.armed = True
        self.engine.put(effects)
        self.engine.begin_trading()
        self.bars = 0

    @property
    def orders(self) -> int:
        """How many there were so far."""
        orders = self.prepared.kernel.book.orders
        return orders[-1].id if orders else 0

    def play(self, orders: int) -> None:
        """Go on until there were so many orders."""
        engine = self.engine
        while self.orders < orders:
            ts = START + self.bars * MINUTE.ns
            self.now = max(self.now, ts + MINUTE.ns)
            engine.market.bar(0, Bar(ts, 100.0, 101.0, 99.0, 100.0, 1.0))
            self.bars += 1
            self.settle()

    def settle(self) -> None:
        """Let everything come to rest that was asked."""
        while True:
            self.journal.wait()
            self.engine.durable(self.journal.durable)
            if not self.venue.waiting and not self.engine.waiting:
                break
            self.now += 1_000
            self.venue.answer(self.engine, self.now)
        self.engine.time_passed()

    def close(self) -> None:
        self.journal.close()


def objects() -> int:
    """Return how many objects there are that can hold others."""
    gc.collect()
    return len(gc.get_objects())


def memory() -> float:
    """Return the memory of this process now, MB; its peak where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (1024.0**2 if sys.platform == "darwin" else 1024.0)
    return pages * resource.getpagesize() / 1024.0**2
