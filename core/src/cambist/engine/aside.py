"""What a recorder notes beside the steps of its kernel; each is a commit of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from cambist.engine import conversions as to
from cambist.engine import records as record
from cambist.portfolio.exact import exact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.model.instrument import Instrument

__all__ = ["AsideRecords"]


class AsideRecords(ABC):
    """The part of `cambist.engine.journaled.Recorder` that no kernel has a say in."""

    sequence: int

    @abstractmethod
    def write(self, kind: str, ts: int, fields: Any) -> None:
        """Add a record to the commit."""

    @abstractmethod
    def commit(self) -> None:
        """Append what was added, if anything was."""

    def valued(self, ts: int, accounts: Sequence[record.AccountValued]) -> None:
        """Note what the account is worth, or the accounts are."""
        for one in accounts:
            self.write("account_valued", ts, one)
        self.commit()

    def alert(self, ts: int, alert: record.AlertRaised) -> int:
        """Note something that people should know of; return the number of the record, for `notified`."""
        self._aside("alert_raised", ts, alert)
        return self.sequence

    def notified(self, ts: int, sent: record.NotificationSent) -> None:
        """Note that people were told, or could not be."""
        self._aside("notification_sent", ts, sent)

    def commanded(self, ts: int, command: record.OperatorCommand) -> None:
        """Note that somebody told the run to do something."""
        self._aside("operator_command", ts, command)

    def redefined(self, ts: int, instrument: Instrument) -> None:
        """Note that an instrument has other rules by now."""
        self._aside("instrument_defined", ts, to.instrument_record(instrument))

    def resent(self, ts: int, order_id: int, number: int, carried: float, reason: str) -> None:
        """Note that an order is about to be sent once more."""
        self._aside("order_resent", ts, record.OrderResent(order_id, number, exact(carried), reason))

    def entrusted(self, ts: int, order_ids: Sequence[int], group: int, state: str) -> None:
        """Note who works orders from here on."""
        self._aside("orders_entrusted", ts, record.OrdersEntrusted(list(order_ids), group, state))

    def _aside(self, kind: str, ts: int, fields: Any) -> None:
        self.write(kind, ts, fields)
        self.commit()
