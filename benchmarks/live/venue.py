"""A session with the streams of Binance from some address, and an account in this process that fills at once."""

from __future__ import annotations

import asyncio
import itertools
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cambist.api import Answered, StreamReport, VenueTerms
from cambist.model import Instrument, Liquidity, OrderType
from cambist.model.reports import AccountReport, BalanceReport, FillReport, OrderReport, ReportedStatus
from cambist_binance.hosts import Market
from cambist_binance.streams import MarketStreams
from cambist_binance.wire.market import DepthSnapshot
from cambist_ccxt.clock import VenueClock
from cambist_ccxt.link import LinkSettings
from cambist_ccxt.symbols import Symbols

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from cambist.api import OrderRequest, Subscription

__all__ = ["InstantVenue", "instrument_of"]


def instrument_of(name: str) -> Instrument:
    """Return the instrument that the venue calls ``NAMEUSDT``."""
    return Instrument(symbol=f"{name}/USDT", base=name, quote="USDT", tick_size="0.01", step_size="0.00001")


class _Answers:
    """What streams ask the venue for."""

    async def depth(self, _symbol: str) -> DepthSnapshot:
        sides = [[(60_000.0 + sign * (1 + level), 1.0) for level in range(20)] for sign in (-1, 1)]
        return DepthSnapshot(last=1, bids=sides[0], asks=sides[1], at=1)

    async def history(self, *_asked: object) -> Any:
        raise NotImplementedError


class InstantVenue:
    """Fills every order at once, at 60,000, without a fee.

    Parameters
    ----------
    names
        Base assets of the instruments.
    address
        Of the streams; ``""`` for none.
    """

    name = "instant"
    terms = VenueTerms(native=frozenset({OrderType.MARKET, OrderType.LIMIT}))

    def __init__(self, names: Sequence[str], address: str = "") -> None:
        self._instruments = [instrument_of(name) for name in names]
        self._address = address
        self._trades = itertools.count(1)
        self._balances = {"USDT": Decimal(1_000_000_000), **dict.fromkeys(names, Decimal(0))}
        self.streams: MarketStreams | None = None
        self.written = 0

    async def open(self) -> None:
        """Connect."""
        self._private: asyncio.Queue[Any] = asyncio.Queue()
        self._private.put_nowait(StreamReport(stream="private", state="up"))
        if self._address:
            theirs = [(one.symbol.replace("/", ""), one) for one in self._instruments]
            answers: Any = _Answers()
            self.streams = MarketStreams(
                Market.SPOT, self._address, answers, Symbols(theirs), VenueClock(), LinkSettings(), 60.0
            )

    async def close(self) -> None:
        """Disconnect."""
        if self.streams is not None:
            await self.streams.close()

    def instruments(self) -> list[Instrument]:
        """Return what can be traded."""
        return self._instruments

    async def submit(self, request: OrderRequest) -> Answered:
        """Fill an order."""
        order, now = request.order, time.time_ns()
        number, base = str(next(self._trades)), order.instrument.base
        price, sign = Decimal(60_000), order.side.sign
        self._balances[base] += sign * request.size
        self._balances["USDT"] -= sign * request.size * price
        report = OrderReport(
            ts=now,
            symbol=order.instrument.symbol,
            client_id=request.client_id,
            venue_id=number,
            status=ReportedStatus.FILLED,
            side=order.side,
            type=request.type,
            size=request.size,
            filled=request.size,
        )
        fill = FillReport(
            ts=now,
            symbol=order.instrument.symbol,
            client_id=request.client_id,
            venue_id=number,
            trade_id=number,
            side=order.side,
            size=request.size,
            price=price,
            fee=Decimal(0),
            fee_asset="USDT",
            liquidity=Liquidity.TAKER,
        )
        self._private.put_nowait(fill)
        self._private.put_nowait(report)
        return Answered(report)

    async def cancel(self, _key: object) -> Answered:
        """Nothing is ever open."""
        return Answered(None)

    amend = cancel_all = find_order = cancel

    async def open_orders(self, *_asked: object) -> list[Any]:
        """Nothing is ever open."""
        return []

    async def fills(self, *_asked: object) -> list[Any]:
        """Everything was told."""
        return []

    async def account(self) -> AccountReport:
        """Return balances."""
        kept = [BalanceReport(ts=0, asset=asset, total=total, free=total) for asset, total in self._balances.items()]
        return AccountReport(ts=0, balances=tuple(kept))

    async def private(self) -> AsyncIterator[Any]:
        """Iterate over what the account does."""
        while True:
            yield await self._private.get()

    async def market(self, subscriptions: Sequence[Subscription]) -> AsyncIterator[Any]:
        """Iterate over the streams."""
        if self.streams is None:
            await asyncio.Event().wait()
        else:
            async for one in self.streams.open(subscriptions):
                yield one

    async def history(self, *_asked: object) -> Any:
        """Nothing is asked for."""
        raise NotImplementedError
