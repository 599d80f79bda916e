"""What takes orders to a market."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from cambist.model.events import OrderEvent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cambist.model.bars import Bar
    from cambist.model.instrument import Instrument
    from cambist.model.orders import ApprovedOrder
    from cambist.model.portfolio import Position

__all__ = ["BarBroker", "Broker", "BrokerAccount", "BrokerFactory", "Deliver"]

#: Hands one order event to the engine. Events of one order are delivered in the order in which they happened.
Deliver = Callable[[OrderEvent], None]


class Broker(Protocol):
    """A broker that answers in the same thread: the simulated venue, or a stand-in for tests.

    It never raises for an order it does not want: every answer, good or bad, is an `OrderEvent` given to the callable
    it was made with, during the call or at any later time. Event times are ns, UTC, and never go back.

    A broker that matches against bars is a `BarBroker`, too.
    """

    def submit(self, approved: ApprovedOrder) -> None:
        """Take an order.

        The answer is `OrderAccepted` or `OrderRejected`; after acceptance any number of `OrderFilled`, then at most one
        of `OrderCanceled` and `OrderExpired`. The broker reads ``approved.order`` and never writes to it. Handing over
        the same order id twice must not place two orders.
        """

    def cancel(self, order_id: int) -> None:
        """Withdraw what remains of an order; the answer is `OrderCanceled` or `CancelRejected`."""

    def amend(self, order_id: int, size: float, limit_price: float, stop_price: float) -> None:
        """Give an order new terms; the answer is `OrderAmended` or `AmendRejected`.

        Parameters
        ----------
        order_id
            Of an order that was submitted.
        size
            New total size in the instrument's units, what is filled already included.
        limit_price, stop_price
            New prices in the quote currency; NaN keeps one that the order's type does not have.
        """


@runtime_checkable
class BarBroker(Protocol):
    """What a `Broker` has besides that works orders against bars: a backtest shows it each of them."""

    def see(self, instrument: Instrument, bar: Bar, closed: int) -> None:
        """Take a bar that is over, before strategies see it, and work the orders that were sent before.

        The clock stands at `closed`, and so does the time of what is delivered from here. An execution may have taken
        place in the bar: `Fill.ts` tells when.

        Parameters
        ----------
        instrument
            Of what.
        bar
            With its open time, prices and volume.
        closed
            When it was over, ns, UTC.
        """


class BrokerAccount(Protocol):
    """What a simulated broker may ask about the account that trades, as of now."""

    @property
    def positions(self) -> Mapping[str, Position]:
        """Positions by symbol."""

    def missing_funds(self, instrument: Instrument, signed: float, price: float, fee: float) -> float:
        """Return the money that would be missing after a fill, in the account's currency; 0 where there is enough.

        Parameters
        ----------
        instrument
            What would trade.
        signed
            Size in the instrument's units, positive bought, negative sold.
        price
            In the quote currency.
        fee
            In the settlement asset, positive when paid.
        """


class BrokerFactory(Protocol):
    """What the factory of a `BrokerSpec` looks like."""

    def __call__(
        self,
        instruments: Iterable[Instrument],
        account: BrokerAccount,
        deliver: Deliver,
        clock: Callable[[], int],
        **settings: Any,
    ) -> Broker:
        """Make a broker; nothing is sent before the first `Broker.submit`.

        Parameters
        ----------
        instruments
            What may be traded.
        account
            The account that trades; only a simulation needs to ask it.
        deliver
            Takes each event.
        clock
            Engine time, ns, UTC.
        settings
            By keyword, as the broker's documentation says.
        """
