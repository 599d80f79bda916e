"""Funding of a paper run: exchanged when its venue does, at the rates that the venue tells."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import VenueError
from cambist.model.instrument import InstrumentKind
from cambist.model.legs import leg_key, side_in
from cambist.model.orders import Side
from cambist.model.portfolio import CashFlow
from cambist.model.reports import CashReport
from cambist.model.times import format_ns
from cambist.portfolio.exact import exact

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Container, Iterable, Mapping, Sequence

    from cambist.live.paper.account import PaperAccount
    from cambist.model.instrument import Instrument
    from cambist.ports.venue import FundingRate, PerpetualMarket

__all__ = ["PERPETUALS", "FundingDesk"]

PERPETUALS = frozenset({InstrumentKind.LINEAR_PERPETUAL, InstrumentKind.INVERSE_PERPETUAL})
_SECOND = 1_000_000_000
#: How long after the time that a venue names the exchange may be listed to have taken place, ns.
_LATER = 60 * _SECOND
#: How long a rate is asked for that is not told, by the market's time, ns; and how often, seconds.
_GIVEN_UP, _EVERY = 3_600 * _SECOND, 1.0
#: How many movements are remembered.
_KEEP = 10_000
#: Later than any exchange, ns.
_FAR = 2**62


@attrs.define(eq=False)
class _Owed:
    """An exchange whose rate is not told yet: what was held, and at what price it is valued."""

    instrument: Instrument
    due: int
    until: int
    sizes: dict[str, float]
    price: float
    asked: float = 0.0


class FundingDesk:
    """Exchanges funding on what an account holds.

    Parameters
    ----------
    source
        Tells times and rates.
    account
        Of the run.
    instruments
        Of the run, those that pay none among them.
    price_of
        Answers the mark price of an instrument now, where an exchange tells none.
    report, alarm
        Told of what was paid, and of what a person should know.
    calm
        Returns once the run has booked it.

    Attributes
    ----------
    flows
        What was paid and received since the session was opened, oldest first.

    Notes
    -----
    It is booked as in a backtest: when the market's time has passed an exchange, before anything more trades, on what
    is held at that time, at the mark price that the venue tells of it, or else the last one known. Where the rate is
    told later, it is booked later, on what was held then.
    """

    def __init__(
        self,
        source: PerpetualMarket,
        account: PaperAccount,
        instruments: Iterable[Instrument],
        price_of: Callable[[str], float],
        report: Callable[[CashReport], None],
        alarm: Callable[[str, str], None],
        calm: Callable[[], Awaitable[None]],
    ) -> None:
        self._calm = calm
        self._source, self._account, self._price_of = source, account, price_of
        self._report, self._alarm = report, alarm
        self._perpetuals = {one.symbol: one for one in instruments if one.kind in PERPETUALS}
        self._due: dict[str, int] = {}
        self._unknown: dict[str, float] = {}
        self._missed: list[tuple[str, FundingRate]] = []
        self._owed: list[_Owed] = []
        self._booked: Container[str] = frozenset()
        self._own: set[str] = set()
        self.flows: list[CashReport] = []

    async def open(self, booked: Container[str]) -> None:
        """Learn when funding is exchanged next, and what took place while the run was down.

        Parameters
        ----------
        booked
            References of what the run has booked before.
        """
        self._booked = booked
        for symbol in self._perpetuals:
            await self._look_back(symbol)
            if await self._look_ahead(symbol, 0) and not self._due[symbol]:
                self._alarm("no_funding", f"{symbol} pays no funding on paper: its venue tells no rates.")

    async def pass_by(self, now: int) -> None:
        """Exchange what is due by `now`, ns, the market's time."""
        for symbol in [symbol for symbol, asked in self._unknown.items() if time.monotonic() - asked >= _EVERY]:
            if await self._look_ahead(symbol, self._due[symbol]):
                await self._look_back(symbol)
        while self._missed and _second(self._missed[0][1]) <= now:
            key, rate = self._missed.pop(0)
            instrument = self._account.portfolio.legs[key].instrument
            self._book(instrument, key, self._held_at(key, _second(rate)), self._price_of(instrument.symbol), rate)
        for symbol, due in list(self._due.items()):
            if symbol not in self._unknown and 0 < due <= now:
                await self._fall_due(self._perpetuals[symbol], due, now)
        for owed in [one for one in self._owed if time.monotonic() - one.asked >= _EVERY]:
            await self._settle(owed, now)
        await self._calm()

    async def _fall_due(self, instrument: Instrument, due: int, now: int) -> None:
        """Take note of what is held as an exchange passes, and exchange it if its rate is told."""
        legs = self._account.portfolio.legs.items()
        sizes = {key: leg.size for key, leg in legs if leg.instrument.symbol == instrument.symbol and leg.size}
        if sizes:
            self._owed.append(_Owed(instrument, due, now, sizes, self._price_of(instrument.symbol)))
            await self._settle(self._owed[-1], now)
        await self._look_ahead(instrument.symbol, due)

    async def _look_ahead(self, symbol: str, due: int) -> bool:
        """Learn when funding is exchanged next after `due`; return whether that is known."""
        following: int | None = None
        try:
            following = await self._source.next_funding(self._perpetuals[symbol])
        except VenueError as error:
            if symbol not in self._unknown:
                self._alarm("no_funding_time", f"nobody tells when {symbol} pays funding next; asking on: {error}")
        if following is None or 0 < following <= due:
            self._due[symbol], self._unknown[symbol] = due, time.monotonic()
            return False
        self._due[symbol] = following
        self._unknown.pop(symbol, None)
        return True

    async def _look_back(self, symbol: str) -> None:
        """Find what took place since positions were opened, and was not exchanged."""
        for key, since in self._held_since(symbol).items():
            for rate in await self._rates(self._perpetuals[symbol], since + 1, _FAR) or ():
                if _reference(key, rate) not in self._booked:
                    self._missed.append((key, rate))
        self._missed.sort(key=lambda one: one[1].ts)

    async def _settle(self, owed: _Owed, now: int) -> None:
        """Exchange what took place, once the venue tells its rate."""
        owed.asked = time.monotonic()
        told = await self._rates(owed.instrument, owed.due - _SECOND, max(owed.until, owed.due + _LATER))
        rates = [one for one in told or () if _second(one) <= owed.until]
        if rates:
            for rate in rates:
                for key, size in owed.sizes.items():
                    self._book(owed.instrument, key, size, owed.price, rate)
        elif now < owed.due + _GIVEN_UP:
            return
        else:
            self._alarm(
                "no_funding_rate",
                f"nobody tells what {owed.instrument.symbol} paid as funding at {format_ns(owed.due)}; none is booked.",
            )
        self._owed.remove(owed)

    def _book(self, instrument: Instrument, key: str, size: float, price: float, rate: FundingRate) -> None:
        reference = _reference(key, rate)
        if not size or reference in self._own:
            return
        self._own.add(reference)
        marked = rate.mark if rate.mark == rate.mark else price
        paid = instrument.notional(size, marked) * rate.rate
        symbol, side, ts = instrument.symbol, str(side_in(key, instrument.symbol) or ""), _second(rate)
        flow = CashFlow(ts, "funding", symbol, instrument.settle, -paid, position_side=side, reference=reference)
        self._account.move_cash(flow)
        told = CashReport(
            ts=ts,
            symbol=symbol,
            reference=reference,
            kind="funding",
            asset=instrument.settle,
            amount=exact(-paid),
            text=f"{rate.rate:g} of {size:g} at {marked:g}",
            position_side=side,
        )
        self.flows.append(told)
        del self.flows[:-_KEEP]
        self._report(told)

    async def _rates(self, instrument: Instrument, start: int, end: int) -> Sequence[FundingRate] | None:
        """Return what took place; None where nobody can be asked."""
        try:
            return await self._source.funding(instrument, start, end)
        except VenueError:
            return None

    def _held_since(self, symbol: str) -> Mapping[str, int]:
        """Return since when (ns) each open position in an instrument has been open."""
        portfolio: Any = self._account.portfolio
        return {
            key: portfolio.trades.open[key].opened_at
            for key, leg in portfolio.legs.items()
            if leg.instrument.symbol == symbol and leg.size and key in portfolio.trades.open
        }

    def _held_at(self, key: str, ts: int) -> float:
        """Return what of a position was held at `ts`, ns, as far as executions are remembered.

        What traded at that very moment traded after it, as what trades at the open of a bar does.
        """
        leg = self._account.portfolio.legs[key]
        size: float = leg.size
        for fill in self._account.past_fills:
            order = self._account.order(fill.order_id)
            side = None if order is None else order.position_side
            if fill.ts >= ts and leg_key(fill.instrument.symbol, side) == key:
                size -= fill.size if fill.side is Side.BUY else -fill.size
        return float(leg.instrument.size_grid.nearest(size))


def _second(rate: FundingRate) -> int:
    """Return the whole second of an exchange, ns: who held at 08:00 is meant, and 08:00:00.007 is listed."""
    return rate.ts - rate.ts % _SECOND


def _reference(key: str, rate: FundingRate) -> str:
    return f"funding {key} {_second(rate)}"
