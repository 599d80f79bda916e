"""A venue session whose market data is live and whose orders the simulated venue works."""

from __future__ import annotations

import asyncio
import time
from math import nan
from typing import TYPE_CHECKING, Any

from cambist.data.given_calendars import GivenCalendars
from cambist.errors import VenueError
from cambist.live.paper.account import PaperAccount
from cambist.live.paper.bars import BarFeed
from cambist.live.paper.desks import BarDesk, MarketDesk
from cambist.live.paper.futures import futures_of
from cambist.live.paper.market import PaperMarket, finest
from cambist.live.paper.marks import MarkTeller
from cambist.live.paper.matching import Matcher
from cambist.live.paper.orders import PaperOrders
from cambist.live.setup import read_state
from cambist.model.orders import OrderType
from cambist.model.reports import NoticeReport
from cambist.orders.ids import client_id
from cambist.ports.venue import Answered, StreamReport, Unanswered, VenueTerms

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from cambist.engine.fold import RunState
    from cambist.live.paper.funding import FundingDesk
    from cambist.live.paper.settings import PaperSettings
    from cambist.live.subscriptions import Named
    from cambist.model.bars import Bars
    from cambist.model.books import BookUpdate
    from cambist.model.instrument import Instrument
    from cambist.model.margin import Margin
    from cambist.model.market import Quote, Tick
    from cambist.model.orders import Order
    from cambist.model.reports import AccountReport, CashReport, FillReport, MarkReport, OrderReport
    from cambist.model.timeframe import Timeframe
    from cambist.ports.venue import BarReport, OrderKey, Outcome, Subscription, VenueSession
    from cambist.storage.journal import Journal

    Told = OrderReport | FillReport | CashReport | MarkReport | NoticeReport | StreamReport

__all__ = ["PaperSession"]

_SECOND = 1_000_000_000
#: Between looks at whether the run is done, seconds.
_LOOK = 0.001
#: Between looks at whether a session has ended while nothing happens in the market, seconds.
_QUIET = 1.0


class PaperSession(PaperOrders):
    """An account at the simulated venue, in the market of another session; a `cambist.ports.venue.VenueSession`.

    Market data and instruments come from `source`, whose account is never asked for: it needs no key. There is no
    second store: what the run's journal says was accepted works on after a restart, positions and balances are those
    that it tells, and what it does not know has never been.

    Parameters
    ----------
    source
        The venue whose market it is, not yet open.
    series
        What the run listens to, as `cambist.live.LiveRun` takes it.
    settings
        Of account and venue.
    journal
        Of the run.

    Notes
    -----
    *Bars.* Orders meet final bars as in a backtest: at the open, then along the path to the close, and what a strategy
    sends in answer to a fill joins what remains of the bar. A market order that follows from a bar trades at the open
    of the next, which is known, and so reported, with the first word of that bar while it forms. Where what happens at
    an open hangs on the rest of the bar (a volume limit, slippage that looks at the bar), it is reported when the bar
    is final. How long run and journal take changes nothing of this: the next market data is taken once the run has
    sent all that follows from the last. An order that follows from no bar (of a timer, or a person) meets the bar
    behind the one that is forming.

    The order by which a stop or a person ends a position does not wait for that: it trades at the first price that is
    heard of.

    *Trades, quotes, books.* Orders meet the first event behind the one at which they were sent; see
    `cambist.simulation.TickVenue` and `cambist.simulation.BookVenue`.

    *After a restart* the bars that went by meanwhile are fetched, and orders that were working meet them too.
    """

    def __init__(
        self, source: VenueSession, series: Sequence[Named], settings: PaperSettings, journal: Journal
    ) -> None:
        self._source, self._series, self._settings, self._journal = source, series, settings, journal
        self._rules = settings.rules()
        self._kinds = settings.kinds(str(what) for _, what in series)
        self._reports: asyncio.Queue[Told | None] = asyncio.Queue()
        self._told = 0
        self._busy: Callable[[], bool] = lambda: False
        self._instruments: list[Instrument] = []
        self._account: PaperAccount
        self._desk: BarDesk | MarketDesk
        self._matcher: Matcher
        self._market: PaperMarket
        self._funding: FundingDesk | None = None
        self._is_open = False
        self._keeper: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """Of the venue whose market it is, and that this is paper."""
        return f"paper on {self._source.name}"

    @property
    def terms(self) -> VenueTerms:
        """What an order manager must know of it: it works every order by itself, and never lags."""
        return VenueTerms(
            native=frozenset(OrderType),
            amends="every",
            ties=True,
            ack_accepts=False,
            settling=_SECOND // 10,
            confirm_within=_SECOND,
            fills_within=10 * _SECOND,
        )

    def queue_ahead(self, order: Order) -> float:
        """Return the size of others that stands before an order in its line; NaN where it stands in none."""
        if not isinstance(self._desk, MarketDesk):
            return nan
        with self._matcher.holding():
            own = self._account.book.find(order.id)
            return nan if own is None or not own.is_open else float(self._desk.venue.queue_ahead(own))

    @property
    def margin(self) -> Margin | None:
        """How the account trades on margin; None where it is not liquidated."""
        return self._settings.margin

    @property
    def fees(self) -> Any:
        """What it charges, as the settings say it."""
        return self._settings.fees

    @property
    def expected_fee(self) -> Callable[..., float]:
        """What answers the fee of an execution beforehand."""
        return self._rules.fees.fee

    def pace(self, is_busy: Callable[[], bool]) -> None:
        """Take what answers whether the run is still working on something that it was shown."""
        self._busy, self._is_paced = is_busy, True

    async def open(self) -> None:
        """Connect the source; take up the account where the journal left it.

        Raises
        ------
        VenueError
            If the source cannot be opened.
        ParameterError
            If the settings do not fit the instruments.
        """
        await self._source.open()
        named = {symbol for symbol, _ in self._series}
        self._instruments = [one for one in self._source.instruments() if one.symbol in named]
        if not self._instruments:
            return  # whoever asks for the instruments says which one there is not
        state, series = read_state(self._journal), [one for one in self._series if one[0] in named]
        self._account = PaperAccount(self._instruments, self._settings, self._rules.fees.fee, state)
        self._matcher = Matcher(self._account, self._report, self._is_busy)
        calendars = GivenCalendars(self._settings.calendar, (one.symbol for one in self._instruments))
        doors = self._report, self._alarm, self._calm
        marks, self._funding = futures_of(self._source, self._account, self._instruments, self._settings, *doors)
        bars, teller = None, MarkTeller(self._report)
        parts = self._account, self._settings, self._rules, self._instruments, self._matcher.deliver, calendars
        if self._kinds == ("bars",):
            desk = self._desk = BarDesk(*parts, {} if marks is None else marks.by_symbol)
            about = self._instruments, finest(series)
            bars = BarFeed(self._source, desk, self._matcher, *about, marks, self._funding, teller)
        else:
            self._desk = MarketDesk(*parts, kinds=self._kinds)
        listened = self._instruments, series, self._kinds
        shown = self._source, self._desk, bars, self._funding, self._matcher
        self._market = PaperMarket(*shown, listened, self._calm, teller)
        if self._funding is not None:
            await self._funding.open({} if state is None else state.references)
        if state is not None:
            await self._go_on(state, bars)
        self._is_open = True
        if isinstance(self._desk, MarketDesk):
            self._keeper = asyncio.create_task(self._keep_sessions(self._desk), name="paper sessions")
        self._reports.put_nowait(StreamReport(stream="private", state="up"))
        for flow in () if self._funding is None else self._funding.flows:  # of while the run was down
            self._report(flow)
        teller.again(self._desk.now)

    async def _go_on(self, state: RunState, bars: BarFeed | None) -> None:
        """Work on where the journal left off."""
        self._account.name_all(lambda order: client_id(state.token, order.id))
        self._rules.remember(self._account.past_fills)
        self._desk.venue.count_fills_from(self._account.last_fill)
        for order in self._account.working:
            self._desk.resume(order)
        if bars is not None:
            await bars.catch_up(state.ts)

    async def close(self) -> None:
        """Let go of all connections; a second call does nothing."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if hasattr(self, "_matcher"):
            self._matcher.close()
        self._reports.put_nowait(None)
        await self._source.close()

    def instruments(self) -> Sequence[Instrument]:
        """Return what can be traded, by today's rules."""
        return self._source.instruments()

    # Truth.

    async def find_order(self, key: OrderKey) -> Outcome:
        """Ask how an order stands; of one that is on its way to the venue nobody can tell yet."""
        with self._matcher.holding():
            order = self._account.find(key.client_id, key.venue_id)
            if order is None:
                return Answered(None)
            if order.is_open and not order.accepted:
                return Unanswered("the order is on its way to the venue")
            return Answered(self._account.report(order, self._desk.now))

    async def open_orders(
        self,
        symbols: Sequence[str] = (),
        *,
        urgent: bool = False,  # noqa: ARG002 - nobody counts requests here
    ) -> Sequence[OrderReport]:
        """Return the open orders of some instruments, or all of them."""
        with self._matcher.holding():
            now = self._desk.now
            reports = [self._account.report(order, now) for order in self._account.working if order.accepted]
        return [one for one in reports if not symbols or one.symbol in symbols]

    async def fills(self, symbol: str, since: int, venue_id: str = "") -> Sequence[FillReport]:  # noqa: ARG002
        """Return the executions of an instrument that are remembered, or those of one order, oldest first."""
        with self._matcher.holding():
            return self._account.fills(symbol, venue_id)

    async def account(self) -> AccountReport:
        """Return balances and positions."""
        if not self._instruments:
            raise VenueError(f"{self.name} has none of the instruments of this run.")
        with self._matcher.holding():
            return self._account.account(self._desk.now)

    async def cash_flows(self, since: int) -> Sequence[CashReport]:
        """Return the funding that was paid and received since a time (ns, UTC), as far as this session goes back."""
        return [] if self._funding is None else [one for one in self._funding.flows if one.ts >= since]

    # Streams.

    async def private(self) -> AsyncIterator[Told]:
        """Iterate over what becomes of orders and money; it ends when the session is closed."""
        while (report := await self._reports.get()) is not None:
            yield report
            if not isinstance(report, StreamReport | NoticeReport):
                self._told -= 1

    def _report(self, report: OrderReport | FillReport | CashReport | MarkReport) -> None:
        if self._is_open:  # before, the run is not there to hear it, and asks when it is
            self._told += 1
            self._reports.put_nowait(report)

    def _alarm(self, word: str, text: str) -> None:
        self._reports.put_nowait(NoticeReport(ts=time.time_ns(), word=word, text=text))

    def _is_busy(self) -> bool:
        """Tell whether the run has still something to do about what it was told or shown."""
        return self._told > 0 or self._busy()

    async def _calm(self) -> None:
        while self._is_busy():  # noqa: ASYNC110 - many things of the run would have to tell
            await asyncio.sleep(_LOOK)

    def market(
        self, subscriptions: Sequence[Subscription]
    ) -> AsyncIterator[BarReport | Tick | Quote | BookUpdate | MarkReport | StreamReport]:
        """Iterate over the market data of the source, which orders meet before the run sees it."""
        return self._market.show(subscriptions)

    async def _keep_sessions(self, desk: MarketDesk) -> None:
        """End sessions though nothing happens in the market."""
        while True:
            await asyncio.sleep(_QUIET)
            if desk.quiet_ends():
                with self._matcher.holding():
                    desk.end_quiet()
                await self._calm()

    async def history(self, instrument: Instrument, timeframe: Timeframe, start: int, end: int) -> Bars:
        """Return the final bars that opened in ``[start, end)``, ns, UTC."""
        return await self._source.history(instrument, timeframe, start, end)
