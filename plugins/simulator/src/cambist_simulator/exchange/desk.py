"""What the fronts of an exchange have in common: its parts, and the beginning of every request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist_simulator.exchange.amending import Amending
from cambist_simulator.exchange.conditional import Conditional
from cambist_simulator.exchange.errors import RefusedError, Why
from cambist_simulator.exchange.funding import Funding
from cambist_simulator.exchange.futures_accounts import FuturesAccounts
from cambist_simulator.exchange.futures_settings import FuturesSettings
from cambist_simulator.exchange.intake import Intake
from cambist_simulator.exchange.liquidation import Liquidation
from cambist_simulator.exchange.listing import Segment
from cambist_simulator.exchange.lists import Lists
from cambist_simulator.exchange.matching import Matching
from cambist_simulator.exchange.outside import Outside
from cambist_simulator.exchange.spot_accounts import SpotAccounts

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist_simulator.exchange.floor import Floor
    from cambist_simulator.exchange.interference import Interference
    from cambist_simulator.exchange.users import User

__all__ = ["Desk", "user_id"]


class Desk:
    """The parts of an exchange, put together.

    Attributes
    ----------
    interference
        What only whoever runs the venue may do.
    """

    interference: Interference

    def __init__(self, floor: Floor, names: Callable[[str, int], str]) -> None:
        self._floor, self._names = floor, names
        self._matching = Matching(floor)
        self._intake = Intake(floor, self._matching, names)
        self._lists = Lists(floor, self._intake, self._matching, lambda number: names("list", number))
        self._conditional = Conditional(floor, self._matching, self._lists, self._intake)
        self._amending = Amending(floor, self._matching)
        self._outside = Outside(floor, self._matching)
        self._timers = floor.timers
        self._is_spot = floor.segment is Segment.SPOT
        if self._is_spot:
            self._spot_accounts = floor.accounts = SpotAccounts(floor)
            return
        self._futures_accounts = futures = FuturesAccounts(floor, self._matching)
        floor.accounts = futures
        self._settings = FuturesSettings(floor, futures)
        self._liquidation = Liquidation(floor, futures, self._intake, self._matching)
        self._funding = Funding(floor, futures, self._intake, self._matching)
        self._conditional.after_trades = self._check_traders

    @property
    def _spot(self) -> SpotAccounts:
        if not self._is_spot:
            raise RefusedError(Why.UNSUPPORTED, "futures have wallets and positions")
        return self._spot_accounts

    @property
    def _futures(self) -> FuturesAccounts:
        if self._is_spot:
            raise RefusedError(Why.UNSUPPORTED, "there are no positions on spot")
        return self._futures_accounts

    def _check_traders(self) -> None:
        traded = self._futures_accounts.traded
        while traded:
            self._futures_accounts.traded = {}
            self._liquidation.check(traded)
            traded = self._futures_accounts.traded

    def _open(self, now: int | None = None) -> None:
        """Begin a request or a step."""
        self._floor.at = self._floor.clock.market.now() if now is None else now


def user_id(user: User | str) -> str:
    """Return the id of a user."""
    return user if isinstance(user, str) else user.id
