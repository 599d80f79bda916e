"""What is settled when a run and its venue differ, and what has settled itself by then."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from types import SimpleNamespace

import pytest

from cambist.live.differences import Difference, DifferenceKind, Policy
from cambist.live.explanation import Trades
from cambist.live.reconciler import Reconciler
from cambist.live.settings import LiveSettings
from cambist.model import Instrument

COIN = Instrument(symbol="BTC/USDT", base="BTC", quote="USDT", step_size="0.00001")
SOLD = Difference(DifferenceKind.POSITION, COIN.symbol, Decimal("0.14"), Decimal("0.12"))


class Desk:
    """All that a reconciler talks to; nothing explains what differs."""

    def __init__(self, *differs) -> None:
        self.differs, self.decided, self.taken = list(differs), [], []
        position = SimpleNamespace(instrument=COIN)
        self.kernel = SimpleNamespace(portfolio=SimpleNamespace(positions={COIN.symbol: position}))
        self.reconciler = Reconciler(
            self, self, LiveSettings(), self, comparison=self, explainer=self, takeover=self, decisions=self
        )

    async def unbooked(self, _symbol):
        return Trades([], [])

    async def positions(self, instruments):
        assert instruments == [COIN]
        return self.differs

    async def of(self, difference, _policy, _limit):
        self.decided.append(difference)
        return Policy.ADOPT

    async def take(self, difference, foreign, *, running):
        self.taken.append((difference, foreign, running))


@pytest.mark.parametrize("running", [False, True])
def test_what_the_stream_has_brought_meanwhile_is_nobodys_decision(running):
    desk = Desk()
    desk.reconciler._limit = None
    assert asyncio.run(desk.reconciler.settle(SOLD, running=running))
    assert desk.decided == desk.taken == []


def test_what_lasts_is_decided_by_the_policy():
    desk = Desk(SOLD)
    desk.reconciler._limit = None
    assert asyncio.run(desk.reconciler.settle(SOLD))
    assert desk.decided == [SOLD]
    assert desk.taken == [(SOLD, [], False)]
