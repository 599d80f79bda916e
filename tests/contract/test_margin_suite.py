"""The suite of margin finds what it is there to find: sessions that are wrong on purpose fail it."""

from __future__ import annotations

import attrs
import pytest
from wrong_sessions import Wrong

from cambist.api import Answered, Declined, Unanswered
from cambist_binance import conformance
from cambist_simulator import ExchangeSimulator


class SaysDoneAndDoesNothing(Wrong):
    async def change_margin(self, change):
        return Answered(None)


class KnowsNoRefusal(Wrong):
    async def change_margin(self, change):
        outcome = await self._right.change_margin(change)
        return Unanswered(outcome.text) if isinstance(outcome, Declined) else outcome


class GivesNoReason(Wrong):
    async def change_margin(self, change):
        outcome = await self._right.change_margin(change)
        return Declined("", "") if isinstance(outcome, Declined) else outcome


class TakesOutWhatIsAdded(Wrong):
    async def change_margin(self, change):
        return await self._right.change_margin(attrs.evolve(change, amount=-change.amount))


@pytest.mark.parametrize(
    ("wrong", "test"),
    [
        (SaysDoneAndDoesNothing, "test_a_leverage_is_set"),
        (SaysDoneAndDoesNothing, "test_margin_of_what_is_not_held_is_declined"),
        (KnowsNoRefusal, "test_a_leverage_that_nobody_gives_is_declined"),
        (GivesNoReason, "test_margin_moves_where_a_position_has_some_of_its_own"),
        (TakesOutWhatIsAdded, "test_margin_moves_where_a_position_has_some_of_its_own"),
    ],
)
def test_a_wrong_session_fails(wrong, test):
    class Suite(conformance.TestUsdMIsolated):
        def make_session(self):
            return wrong(super().make_session())

    suite = Suite()
    with ExchangeSimulator("binance", symbols=[suite.plays], seed=7, history=60, cash=20_000) as suite.simulator:
        suite.key = suite.simulator.credentials()
        suite.secret = suite.key.secret
        with pytest.raises(AssertionError):
            getattr(suite, test)()
