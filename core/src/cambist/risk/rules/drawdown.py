"""An account does not fall too far from its highest equity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cambist.model.trading_state import scope_of
from cambist.risk.trips import Trip, read_bound
from cambist.risk.watching import AccountWatch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist.ports.risk import AccountMoment, TradingRequest

__all__ = ["MaxDrawdownRule"]


@attrs.define(slots=True)
class _Peak:
    """The highest equity of an account, the last one, and whether the rule has tripped."""

    highest: float
    last: float
    tripped: bool = False


class MaxDrawdownRule(AccountWatch):
    """Halts trading, or restricts it to reducing, once an account has fallen too far from its highest equity.

    The equity is that at the close of every bar, open positions at last prices. The peak rises and falls with money
    that is brought in or taken out. An operator alone resumes trading, and the drawdown is counted from the equity at
    that time on.

    Parameters
    ----------
    amount
        Largest drawdown, in the account's currency; or
    share
        as a fraction of the highest equity.
    then
        ``"halt"``, or ``"reduce"``: only orders that make a position smaller pass.
    orders
        What becomes of the orders at work, see `cambist.model.WorkingOrders`.
    """

    name = "max-drawdown"

    def __init__(
        self,
        amount: float | None = None,
        share: float | None = None,
        then: str = "halt",
        orders: str = "cancel_opening",
    ) -> None:
        self._settings = (amount, share, then, orders)
        self._bound = read_bound(self.name, amount, share)
        self._trip = Trip.read(self.name, then, orders)
        self._peaks: dict[str, _Peak] = {}

    def on_equity(self, moment: AccountMoment) -> TradingRequest | None:
        """Compare the equity with the highest so far."""
        peak, before = self._peaks.get(moment.account), moment.equity - moment.moved
        if peak is None:
            peak = self._peaks[moment.account] = _Peak(before, before)
        peak.highest = max(peak.highest + moment.moved, moment.equity)
        peak.last = moment.equity
        breach = "" if peak.tripped else self._bound.breach(peak.highest - peak.last, peak.highest)
        if not breach:
            return None
        peak.tripped = True
        return self._trip.request(scope_of("account", moment.account), f"the drawdown is {breach}")

    def on_resume(self, scope: str) -> None:
        """Count from the last equity on."""
        for account, peak in self._peaks.items():
            if scope == scope_of("account", account):
                peak.highest, peak.tripped = peak.last, False

    def save_state(self) -> dict[str, Any]:
        """Return the peak of each account."""
        return {"peaks": {account: list(attrs.astuple(peak)) for account, peak in self._peaks.items()}}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `save_state` returned."""
        self._peaks = {account: _Peak(*peak) for account, peak in state["peaks"].items()}
