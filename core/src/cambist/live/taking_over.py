"""Has a run hold what its venue says that it holds, by executions that are reported, or else made up."""

from __future__ import annotations

from decimal import Decimal, localcontext
from math import isnan, nan
from typing import TYPE_CHECKING, Any

from cambist.errors import ConfigError, VenueError
from cambist.live.differences import DifferenceKind
from cambist.live.positions import ADOPTED, LATE, SYNTHETIC
from cambist.model.events import CashMoved
from cambist.model.legs import leg_key
from cambist.model.orders import Liquidity, PositionSide, Side
from cambist.model.portfolio import CashFlow
from cambist.model.reports import FillReport
from cambist.model.times import format_ns
from cambist.portfolio.exact import exact

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.live.comparing import Comparison
    from cambist.live.differences import Difference
    from cambist.live.engine import LiveEngine
    from cambist.live.truth import Truth
    from cambist.live.wallet import Wallet
    from cambist.model.instrument import Instrument

__all__ = ["Takeover"]

_ZERO = Decimal(0)
#: How many bars back there has to be a price.
_BARS = 10


class Takeover:
    """Books what a run did not trade.

    Parameters
    ----------
    truth, engine, wallet
        Of the run.
    comparison
        Its account beside the venue's.
    token
        Of the run.
    alarm
        Told of what is booked.
    price_of
        Answers the newest price of an instrument that has come by now, NaN where none has.
    """

    def __init__(
        self,
        truth: Truth,
        engine: LiveEngine,
        wallet: Wallet,
        comparison: Comparison,
        token: str,
        alarm: Callable[[str, str], None],
        price_of: Callable[[str], float],
    ) -> None:
        self._truth, self._engine, self._wallet, self._comparison = truth, engine, wallet, comparison
        self._token, self._alarm, self._price_of = token, alarm, price_of

    async def take(self, difference: Difference, foreign: Sequence[FillReport], *, running: bool) -> None:
        """Have the run hold what the venue holds.

        Parameters
        ----------
        foreign
            The executions that make up the difference; none where they are not known.
        running
            Whether the run trades by now: then it is told.

        Raises
        ------
        ConfigError
            If nothing tells what a position is worth.
        VenueError
            If the venue cannot be asked.
        """
        if not foreign and difference.kind is DifferenceKind.AVERAGE:
            self._adopt_average(difference)
        elif not foreign:
            await self._adopt(difference, await self._price(difference))
        for report in foreign:
            self._engine.positions.adopt(report, report.system or ADOPTED, by_venue=bool(report.system))
        if running:
            self._alarm("position_adopted", f"{difference.describe()}; the run takes the venue's.")

    def take_average(self, difference: Difference) -> None:
        """Have a position of the run cost what it costs at the venue, and tell; its size is the same."""
        self._adopt_average(difference)
        self._alarm("average_adopted", f"{difference.describe()}; the run takes the venue's.")

    def take_balance(self, difference: Difference) -> None:
        """Have the run hold as much of an asset as the venue holds, and tell."""
        self._alarm("balance_adjusted", f"{difference.describe()}, and nothing tells why; the run takes the venue's.")
        self._wallet.adjust(self._comparison.account.ts, difference.symbol, difference.ours, difference.theirs)

    def book_late(self, report: FillReport, strategy: str) -> None:
        """Book an execution of an order of the run that is not kept any more, and tell."""
        if self._engine.positions.adopt(report, LATE, strategy):
            self._alarm(
                "late_execution",
                f"{report.side} {report.size} {report.symbol} at {report.price} of {format_ns(report.ts)}, of order "
                f"{report.client_id}, which ended long ago, had never been told; it is booked now.",
            )

    def tell_unexplained(self, difference: Difference) -> None:
        """Tell that no executions make a difference up that are listed by the venue."""
        self._alarm(
            "unexplained",
            f"{difference.describe()}; no executions of the last week, or since the run began, make that up as far as "
            f"{self._truth.name} lists them.",
        )

    def book_system(self, report: FillReport) -> None:
        """Book an execution by which the venue itself closed a position of the run, and tell."""
        if self._engine.positions.adopt(report, report.system, by_venue=True):
            self._alarm(
                report.system,
                f"the venue closed {report.size} of {report.symbol} at {report.price} ({report.system}); its order "
                f"{report.venue_id} is booked, and the strategy was told.",
            )

    def _instrument(self, difference: Difference) -> Instrument:
        instrument: Instrument = self._engine.kernel.portfolio.positions[difference.symbol].instrument
        return instrument

    def _made_up(self, difference: Difference, side: Side, size: Decimal, price: Decimal) -> FillReport:
        """Return an execution that nobody reported: it costs nothing, and moves no money.

        Its id follows from the run, from what differs and from how many orders the run has made, so that it is the same
        wherever it is reckoned again, and another for every difference.
        """
        number = len(self._engine.kernel.book.orders)
        said = f"{difference.position_side} {difference.ours} {difference.theirs}"
        return FillReport(
            ts=self._comparison.account.ts,
            symbol=difference.symbol,
            client_id="",
            venue_id="",
            trade_id=f"{self._token} {number} {difference.symbol} {said} {side}",
            side=side,
            size=size,
            price=price,
            fee=_ZERO,
            fee_asset="",
            liquidity=Liquidity.TAKER,
            position_side=difference.position_side,
            profit=None if self._instrument(difference).is_cash else _ZERO,
        )

    async def _adopt(self, difference: Difference, price: Decimal) -> None:
        """Take a position of the venue as the run's own, or forget one that it does not hold."""
        instrument = self._instrument(difference)
        held, there = difference.ours, difference.theirs
        if difference.entry_price and held * there > 0 and abs(there) > abs(held):
            # What the venue tells is the price of the whole, not of what came to it.
            average = self._average(difference)
            self._begin_again(difference, (held, average), (there, difference.entry_price))
            return
        report = self._made_up(difference, difference.side, difference.size, price)
        if instrument.is_cash:  # it is there already, and so is what it cost
            self._pay_for(report, instrument)
        self._engine.positions.adopt(report, SYNTHETIC)
        for one in await self._comparison.positions([instrument]):
            if one.kind is DifferenceKind.AVERAGE and one.position_side == difference.position_side:
                self._adopt_average(one)

    def _pay_for(self, report: FillReport, instrument: Instrument) -> None:
        with localcontext(prec=60):
            amount = report.size * report.price * exact(instrument.multiplier) * report.side.sign
        kind = "deposit" if amount > 0 else "withdrawal"
        flow = CashFlow(
            self._engine.now(),
            kind,
            report.symbol,
            instrument.settle,
            float(amount),
            reference=report.trade_id,
            exact=amount,
        )
        self._engine.take(CashMoved(self._engine.now(), flow))

    def _average(self, difference: Difference) -> Decimal:
        """Return at what average price the run holds its position."""
        portfolio: Any = self._engine.kernel.portfolio
        side = PositionSide(difference.position_side) if difference.position_side else None
        return exact(portfolio.legs[leg_key(difference.symbol, side)].average_price)

    def _adopt_average(self, difference: Difference) -> None:
        """Take the venue's average price."""
        self._begin_again(difference, (difference.held, difference.ours), (difference.held, difference.theirs))

    def _begin_again(
        self, difference: Difference, ours: tuple[Decimal, Decimal], theirs: tuple[Decimal, Decimal]
    ) -> None:
        """End a position at the run's own average, which earns nothing, and begin it as the venue has it.

        Each is a signed size and the average price of it.
        """
        opens = Side.BUY if theirs[0] > 0 else Side.SELL
        for side, (size, price) in ((opens.opposite, ours), (opens, theirs)):
            self._engine.positions.adopt(self._made_up(difference, side, abs(size), price), SYNTHETIC)

    async def _price(self, difference: Difference) -> Decimal:
        """Return what a position cost at the venue, or else the last price that the run or the venue has."""
        if difference.entry_price:
            return difference.entry_price
        position: Any = self._engine.kernel.portfolio.positions[difference.symbol]
        last: float = position.price_source()
        if isnan(last):  # no bar yet
            last = self._price_of(difference.symbol)
        if isnan(last):
            last = await self._last_close(difference.symbol)
        if isnan(last):
            last = position.last_fill_price
        if isnan(last):
            raise ConfigError(
                f"{difference.describe()}; it cannot be taken over, since {self._truth.name} has no bar that tells "
                "what it is worth. Close it by hand, or start later.",
                code="no_price",
            )
        return exact(last)

    async def _last_close(self, symbol: str) -> float:
        """Ask for the last bar of an instrument; NaN where there is none."""
        now = self._engine.now()
        for instrument, timeframe in self._engine.kernel.series:
            if instrument.symbol == symbol:
                end = now // timeframe.ns * timeframe.ns
                try:
                    bars = await self._truth.history(instrument, timeframe, end - _BARS * timeframe.ns, end)
                except VenueError as error:
                    if error.code != "no_bars":
                        raise
                    return nan
                return float(bars.close[-1]) if len(bars) else nan
        return nan
