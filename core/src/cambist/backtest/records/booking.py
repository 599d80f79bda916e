"""The recorded fills and orders of a run: put among its bars, and booked."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any

from cambist.backtest.records.histories import FillHistory, History, OrderHistory
from cambist.backtest.records.schedule import Calendar, DueFill
from cambist.errors import ParameterError
from cambist.portfolio import HedgePortfolio, MarginPortfolio, Portfolio
from cambist.simulation import FillBooker
from cambist.simulation.liquidation import LIQUIDATION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cambist.backtest.account import AccountSetup
    from cambist.backtest.feeds import Feed
    from cambist.engine import Kernel
    from cambist.simulation.bar_venue import BarVenue

__all__ = ["Recorded"]


class Recorded:
    """The histories among the strategies of a run.

    Parameters
    ----------
    histories
        At least one.
    kernel, feeds, account
        Of the run.

    Raises
    ------
    DataError
        A record does not belong to the run's instruments and bars.
    ParameterError
        The settings do not go with it.
    """

    def __init__(
        self, histories: Sequence[History], kernel: Kernel, feeds: Sequence[Feed], account: AccountSetup
    ) -> None:
        settings = account.settings
        if settings.blocks:
            raise ParameterError("recorded fills and orders need all bars in memory, to find theirs. Leave blocks out.")
        self._kernel = kernel
        self._account = account.portfolio
        self._checks_funds = not settings.is_compatible
        self._after_orders = settings.is_compatible
        self._unpaid: list[DueFill] = []
        self._venue: Any = None
        self._bars = Calendar(feeds, opens_first=settings.is_compatible)
        for history in histories:
            if isinstance(history, OrderHistory):
                history.plan = self._bars.steps(history.records)
        self._due = self._in_order([history for history in histories if isinstance(history, FillHistory)])
        if self._due and not isinstance(self._account, Portfolio):
            raise ParameterError(
                "recorded fills are booked in one account in one asset, and the run has several. Leave accounts and "
                "cash by asset out, or run the recorded orders: OrderHistory."
            )
        if self._due and isinstance(self._account, HedgePortfolio):
            raise ParameterError(
                "recorded fills name no side of a position, and this account has two. Run them with "
                "Margin(position_mode='one-way')."
            )
        if self._due and isinstance(self._account, MarginPortfolio):
            if not all(isinstance(seat.strategy, FillHistory) for seat in kernel.seats):
                raise ParameterError(
                    "recorded fills tell of liquidations themselves, and none can be reckoned beside them. Run them "
                    "without other strategies, or without margin, or run the recorded orders: OrderHistory."
                )
            account.liquidates = False

    @classmethod
    def of(cls, kernel: Kernel, feeds: Sequence[Feed], account: AccountSetup) -> Recorded | None:
        """Return the histories of a run; None where there are none."""
        histories = [seat.strategy for seat in kernel.seats if isinstance(seat.strategy, History)]
        return cls(histories, kernel, feeds, account) if histories else None

    def _in_order(self, histories: Sequence[FillHistory]) -> list[DueFill]:
        """Return all recorded fills in the order in which to book them.

        With one bar the first history comes first; histories of the strategies of one run are one.
        """
        groups: dict[Any, int] = {}
        due: list[tuple[int, int, DueFill]] = []
        for number, history in enumerate(histories):
            group = groups.setdefault(history.origin or number, number)
            due += [(one.due, group, one) for one in self._bars.fills(history.records, history.name)]
        return [one for *_, one in sorted(due, key=lambda entry: (*entry[:2], entry[2].fill.place))]

    def before(self, venue: BarVenue) -> BarVenue:
        """Return what is to stand in the place of a venue, so that recorded fills are booked beside its own."""
        self._venue = venue
        return FillBooker(venue, self._due, self._book, after_orders=self._after_orders) if self._due else venue

    def _book(self, one: Any) -> None:
        fill, instrument, account = one.fill, one.instrument, self._account
        signed = fill.size * fill.side.sign
        assert isinstance(account, Portfolio)  # as was seen to
        if self._checks_funds and account.missing_funds(instrument, signed, fill.price, 0.0) > 0.0:
            self._unpaid.append(one)
        order = self._kernel.adopt(
            instrument, fill.side, fill.size, fill.tag, fill.ts, one.owner, reduce_only=fill.tag == LIQUIDATION
        )
        fee = None if isnan(fill.fee) else fill.fee
        if fill.tag == LIQUIDATION and isinstance(account, MarginPortfolio):
            # Where the mark price stood the record does not tell.
            account.note_liquidation(instrument.symbol, fill.size, fill.ts, fill.price, fee or 0.0, fill.price)
        known = one.due if self._after_orders else fill.ts
        self._venue.record(order, fill.price, fee, fill.liquidity, fill.ts, known)

    def warnings(self) -> Iterator[str]:
        """Yield what the user should know of the records."""
        for symbol, records in self._bars.off_tick.items():
            tick = self._account.positions[symbol].instrument.tick_size
            yield (
                f"{len(records)} recorded fills of {symbol} have prices off its tick of {tick} and were booked as they "
                f"are. The first is {records[0].where}: {records[0].price:g}."
            )
        if self._unpaid:
            yield (
                f"{len(self._unpaid)} recorded fills were booked that the account could not have paid for. The first "
                f"is {self._unpaid[0].fill.where}. Give it the cash or the leverage that the recorded account had."
            )
