"""A session whose market is told by a test, and whose history is what the market was."""

from __future__ import annotations

import time
from decimal import Decimal

import numpy as np
from venue_in_process import Loopback, make_exchange

from cambist.errors import VenueError
from cambist.live.run import LiveRun
from cambist.live.settings import LiveSettings
from cambist.model import COLUMNS, Bar, Bars, BookUpdate, Quote, Side, Tick, Timeframe
from cambist.ports.venue import BarReport, StreamReport, Subscription
from cambist.storage.journal import Journal

MINUTE = Timeframe.parse("1m")
#: The bar that is open now is number 0; those before have numbers below.
NOW = time.time_ns() // MINUTE.ns * MINUTE.ns


def bar(number: int, close: float = 100.0) -> Bar:
    return Bar(NOW + number * MINUTE.ns, 100.0, max(close, 101.0), min(close, 99.0), close, 1.0)


def bars_of(rows: list[Bar], instrument, timeframe) -> Bars:
    columns = {name: np.array([getattr(one, name) for one in rows]) for name in COLUMNS}
    return Bars(instrument=instrument, timeframe=timeframe, ts=np.array([one.ts for one in rows], np.int64), **columns)


class TellingVenue(Loopback):
    """Trades, quotes and a book begin with one each, at 100.

    Attributes
    ----------
    known, asked
        The bars that history has, by open time; and what of it was asked for.
    silent
        Kinds that begin with nothing.
    """

    def __init__(self, exchange, user) -> None:
        super().__init__(exchange, user)
        self.known: dict[int, Bar] = {}
        self.asked: list[tuple[int, int]] = []
        self.subscribed: list[Subscription] = []
        self.silent: set[str] = set()

    def market(self, subscriptions):
        self.subscribed = list(subscriptions)
        first = {
            "ticks": lambda: self.tell_tick(100.0),
            "quotes": lambda: self.tell_quote(99.0, 101.0),
            "book": lambda: self.tell_book((1, 99.0, 1.0), (-1, 101.0, 1.0), snapshot=True),
        }
        for one in subscriptions:
            if one.kind in first and one.kind not in self.silent:
                first[one.kind]()
        return super().market(subscriptions)

    async def history(self, instrument, timeframe, start, end):
        self.asked.append((start, end))
        rows = [one for ts, one in sorted(self.known.items()) if start <= ts < end]
        if not rows:
            raise VenueError("there are no bars of that time", code="no_bars")
        return bars_of(rows, instrument, timeframe)

    def tell(self, one) -> None:
        self.market_events.put_nowait(one)

    def tell_bar(self, one: Bar, *, final: bool = True) -> None:
        if final:
            self.known[one.ts] = one
        self.tell(BarReport(self.instrument, MINUTE, one, final))

    def tell_quote(self, bid: float, ask: float) -> None:
        self.tell(Quote(self.instrument, time.time_ns(), bid, ask, 1.0, 2.0))

    def tell_tick(self, price: float, size: float = 1.0) -> None:
        self.tell(Tick(self.instrument, time.time_ns(), price, size, Side.BUY))

    def tell_book(self, *levels, snapshot: bool = False) -> None:
        self.tell(BookUpdate(self.instrument, time.time_ns(), snapshot, levels))

    def tell_state(self, kind: str, state: str, text: str = "") -> None:
        one = next(one for one in self.subscribed if one.kind == kind)
        self.tell(StreamReport(stream=str(one), state=state, text=text, subscription=one))


def make_venue(cash: int = 1000) -> TellingVenue:
    exchange = make_exchange()
    user = exchange.users.add("trader")
    exchange.deposit(user, "USDT", Decimal(cash))
    venue = TellingVenue(exchange, user)
    venue.quote("99.99", "100.01")
    return venue


def make_run(folder, venue, strategy, listens, **settings) -> LiveRun:
    """Make a run that keeps its alarms in `alarms`, on a journal in a folder."""
    journal = Journal(folder / "journal")
    alarms: list[tuple[str, str]] = []
    run = LiveRun(
        [strategy],
        [(venue.instrument.symbol, what) for what in listens],
        venue,
        journal,
        LiveSettings(**{"on_stop": "keep"} | settings),
        alarm=lambda word, text: alarms.append((word, text)),
    )
    run.alarms = alarms
    return run
