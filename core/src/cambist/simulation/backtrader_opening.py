"""The venue of backtrader's rules for a run that cheats on the open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.model.orders import OrderType
from cambist.model.times import DAY_NS
from cambist.simulation.backtrader import BacktraderVenue
from cambist.simulation.working import LONG_AGO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist.model.events import OrderEvent
    from cambist.model.instrument import Instrument
    from cambist.model.orders import ApprovedOrder
    from cambist.simulation.backtrader_orders import CashAccount
    from cambist.simulation.rules import VenueRules

__all__ = ["OpeningBacktraderVenue"]

_MARKET = OrderType.MARKET


class OpeningBacktraderVenue(BacktraderVenue):
    """`BacktraderVenue` as backtrader's broker is under ``set_coo(True)``.

    Parameters
    ----------
    instruments, account, deliver, clock, rules
        See `BacktraderVenue`.
    opened
        Answers when the last bar opened, ns: an order sent at that moment was sent at its open.

    Notes
    -----
    Every new market order is checked for funds at the open of the bar that it meets, those sent at a close too. To
    backtrader an order that is sent at an open is one of the bar that opens, all of which it knows: its day is that
    bar's, and where it asks for no price, a trailing stop begins at that bar's close, by which an order for the close
    is checked for funds as well.
    """

    def __init__(
        self,
        instruments: Iterable[Instrument],
        account: CashAccount,
        deliver: Callable[[OrderEvent], None],
        clock: Callable[[], int],
        rules: VenueRules | None = None,
        *,
        opened: Callable[[], int],
    ) -> None:
        super().__init__(instruments, account, deliver, clock, rules)
        self._opened = opened
        self._sent_at_open: set[int] = set()

    def submit(self, approved: ApprovedOrder) -> None:
        """Take an order, and note whether it was sent at an open."""
        super().submit(approved)
        working = self._new.get(approved.order.id)
        if working is None or working.since != self._opened():
            return
        self._sent_at_open.add(approved.order.id)
        working.session_end = working.since - working.since % DAY_NS + DAY_NS - 1
        if working.expires == LONG_AGO:
            working.expires = working.session_end

    def _check_new(self, ts: int) -> None:
        """Check the new orders at the prices that backtrader takes them for."""
        for number, working in self._new.items():
            bar = self._bars.get(working.order.instrument.symbol)
            if bar is None:
                continue
            if working.order.type is _MARKET:
                working.level = bar.open
            elif number in self._sent_at_open:
                working.level = bar.close
        self._sent_at_open.clear()
        super()._check_new(ts)
