"""What live venues have to hold that can be asked for another leverage, and for margin of a position."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, ClassVar

import pytest

from cambist.model.orders import OrderType, Side
from cambist.model.portfolio import MarginChange
from cambist.model.reports import ReportedStatus
from cambist.ports.venue import Answered, Declined, MarginSession
from cambist.testing.venue_desk import VenueTests, is_order, total_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from decimal import Decimal

    from cambist.model.reports import MarginReport
    from cambist.ports.venue import Outcome
    from cambist.testing.venue_desk import Desk

__all__ = ["MarginTests"]


class MarginTests(VenueTests):
    """Tests of a `MarginSession`: leverage, and margin of a position, as the account tells of them.

    A session without that port, and one of what is paid in full, is skipped.

    Attributes
    ----------
    added
        How much margin is added to a position, in the settlement asset: little enough to be there, and so much that
        half of it may be taken out although the market has gone against the position.
    """

    prefix = "MRG"
    added: ClassVar[float] = 50.0

    def test_a_leverage_is_set(self) -> None:
        """The account tells of it, and of the one before once that is set again."""

        async def test(desk: Desk) -> None:
            before = (await _terms(desk)).leverage
            for leverage in (5.0 if before == 3 else 3.0, float(before)):
                assert isinstance(await _ask(desk, leverage=leverage), Answered)
                assert (await _terms(desk)).leverage == leverage

        self._on_margin(test)

    def test_a_leverage_that_nobody_gives_is_declined(self) -> None:
        """With the venue's reason, and the account stays at the one it has."""

        async def test(desk: Desk) -> None:
            before = await _terms(desk)
            _says_no(await _ask(desk, leverage=1_000_000.0))
            assert (await _terms(desk)).leverage == before.leverage

        self._on_margin(test)

    def test_margin_of_what_is_not_held_is_declined(self) -> None:
        """Nothing moves where there is no position."""

        async def test(desk: Desk) -> None:
            before = await _money(desk)
            _says_no(await _ask(desk, amount=self.added))
            assert await _money(desk) == before

        self._on_margin(test)

    def test_margin_moves_where_a_position_has_some_of_its_own(self) -> None:
        """It is added and some taken out, no more than there is, and the money is the account's all the while.

        A position that the whole account backs has none of its own, and each of it is declined.
        """

        async def test(desk: Desk) -> None:
            await _trade(desk, "opens1", Side.BUY, self.within)
            before, isolated = await _money(desk), (await _terms(desk)).isolated
            for amount in (self.added, -self.added / 2.0):
                outcome = await _ask(desk, amount=amount)
                if isolated:
                    assert isinstance(outcome, Answered), outcome
                else:
                    _says_no(outcome)
            for amount in (1e12, -1e12):
                _says_no(await _ask(desk, amount=amount))
            assert await _money(desk) == before
            await _trade(desk, "closes1", Side.SELL, self.within)

        self._on_margin(test)

    def _on_margin(self, test: Callable[[Desk], Awaitable[None]]) -> None:
        """Run a test where there is margin."""

        async def run(desk: Desk) -> None:
            told = (await desk.session.account()).margins
            if desk.instrument.is_cash or not isinstance(desk.session, MarginSession) or not told:
                pytest.skip("this venue is not asked for margin")
            await test(desk)

        self.at_work(run)


async def _ask(desk: Desk, *, amount: float = 0.0, leverage: float = nan) -> Outcome:
    assert isinstance(desk.session, MarginSession)
    change = MarginChange(0, desk.instrument.symbol, amount=amount, leverage=leverage)
    return await desk.session.change_margin(change)


async def _terms(desk: Desk) -> MarginReport:
    told = [one for one in (await desk.session.account()).margins if one.symbol == desk.instrument.symbol]
    assert len(told) == 1, f"the account tells {told} of the margin of {desk.instrument.symbol}"
    return told[0]


async def _money(desk: Desk) -> Decimal:
    return total_of(await desk.session.account(), desk.instrument.settle)


async def _trade(desk: Desk, client_id: str, side: Side, within: float) -> None:
    outcome = await desk.session.submit(desk.request(client_id, side, OrderType.MARKET))
    assert isinstance(outcome, Answered), outcome
    await desk.heard.wait(is_order(client_id, ReportedStatus.FILLED), within)


def _says_no(outcome: Outcome) -> None:
    assert isinstance(outcome, Declined), outcome
    assert outcome.reason
    assert outcome.text
