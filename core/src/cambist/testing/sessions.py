"""What every live venue has to hold: subclass `SessionTests` in a test module and pytest runs all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.model.orders import OrderType
from cambist.testing.venue_feeds import FeedTests
from cambist.testing.venue_margin import MarginTests
from cambist.testing.venue_orders import BrokerTests

if TYPE_CHECKING:
    import pytest

    from cambist.testing.venue_desk import Desk

__all__ = ["SessionTests"]

_T = OrderType


class SessionTests(BrokerTests, FeedTests, MarginTests):
    """Tests of a `VenueSession`, against a venue at which the account may trade and has money for what `size` asks.

    A subclass gives `make_session`, and says by `symbol` and `size` what is traded. `FeedTests` alone is for
    sessions without an account (``trades = False``). What a venue cannot be brought to do is skipped: `spoil` and
    `cut_private` are for venues that can be made to fail, such as a simulator.

    Examples
    --------
    ::

        class TestAcme(SessionTests):
            symbol = "BTC/USDT"
            size = 0.01

            def make_session(self):
                return open_acme(key=..., secret=..., url="https://testnet.acme.example")
    """

    prefix = "SES"

    def test_it_opens_and_closes(self, caplog: pytest.LogCaptureFixture) -> None:
        """It says what it trades and on what terms; a second close does nothing; no secret shows."""

        async def test(desk: Desk) -> None:
            session = desk.session
            assert session.name
            assert session.terms.id_length >= 16
            assert {_T.MARKET, _T.LIMIT} <= session.terms.native
            assert min(session.terms.settling, session.terms.confirm_within, session.terms.fills_within) > 0
            symbols = [one.symbol for one in session.instruments()]
            assert len(symbols) == len(set(symbols))
            await session.close()
            await session.close()
            if self.secret:
                assert self.secret not in repr(session) + str(vars(session)) + caplog.text

        self.at_work(test)
