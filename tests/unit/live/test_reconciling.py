"""What is settled when a run and its venue differ, and what has settled itself by then."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from types import SimpleNamespace

import pytest

from cambist.live.differences import Difference, DifferenceKind, Policy
from cambist.live.explanation import Explainer, Trades
from cambist.live.reconciler import Reconciler
from cambist.live.settings import LiveSettings
from cambist.model import Instrument, Liquidity, OrderType, Side
from cambist.model.reports import FillReport, OrderReport, ReportedStatus
from cambist.ports.venue import VenueTerms

COIN = Instrument(symbol="BTC/USDT", base="BTC", quote="USDT", step_size="0.00001")
SOLD = Difference(DifferenceKind.POSITION, COIN.symbol, Decimal("0.14"), Decimal("0.12"))


class Desk:
    """All that a reconciler talks to; nothing explains what differs."""

    def __init__(self, *differs) -> None:
        self.differs, self.decided, self.taken = list(differs), [], []
        self.then, self.asked_anew = None, False
        self.listed, self.booked, self.activity = [], [], 0
        self.orders = SimpleNamespace(evidence=self)
        position = SimpleNamespace(instrument=COIN)
        self.kernel = SimpleNamespace(portfolio=SimpleNamespace(positions={COIN.symbol: position}))
        settings = LiveSettings(audit_every=0.001)
        self.reconciler = Reconciler(
            self, self, settings, self, comparison=self, explainer=self, takeover=self, decisions=self
        )

    def now(self):
        return 0

    async def unbooked(self, _symbol):
        return self.listed.pop(0) if self.listed else Trades([], [])

    def executed(self, report, _now):
        self.booked.append(report)

    async def positions(self, instruments):
        assert instruments == [COIN]
        return self.differs

    async def differences(self):
        self.asked_anew = True
        return self.differs if self.then is None else self.then

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


def test_an_execution_whose_order_is_not_shown_yet_is_waited_for_and_is_our_own():
    asked = []

    class Venue:
        terms = VenueTerms(settling=50_000_000)

        async def fills(self, _symbol, _since):
            return [fill]

        async def order(self, key):
            asked.append(key.venue_id)
            return None if len(asked) < 3 else report

    side = {"symbol": "BTC/USDT", "venue_id": "77", "side": Side.BUY, "size": Decimal(1)}
    money = {"price": Decimal(100), "fee": Decimal(0), "fee_asset": "USDT", "liquidity": Liquidity.MAKER}
    fill = FillReport(ts=5, client_id="", trade_id="9", **money, **side)
    report = OrderReport(
        ts=5, client_id="run7-3", status=ReportedStatus.FILLED, type=OrderType.LIMIT, filled=Decimal(1), **side
    )
    never = {"last_fill_of": lambda _symbol: 0, "is_booked": lambda _report: False}
    positions = SimpleNamespace(**never, has_forgotten=False, is_kept=lambda _number: True)
    truth = Venue()
    truth.session = truth
    explainer = Explainer(truth, SimpleNamespace(positions=positions), "run7", 0, None)
    trades = asyncio.run(explainer.unbooked("BTC/USDT"))
    assert ([one.client_id for one in trades.own], trades.foreign, asked) == (["run7-3"], [], ["77"] * 3)


def test_what_has_traded_since_the_venue_was_asked_is_no_difference():
    desk = Desk(SOLD)
    desk.then = []  # asked again, the venue holds what the run does
    assert asyncio.run(desk.reconciler.settle(SOLD))
    assert (desk.asked_anew, desk.decided, desk.taken) == (True, [], [])


@pytest.mark.parametrize("late", ["lists", "books"])
def test_nobody_is_asked_before_account_and_executions_tell_of_the_same(late):
    desk = Desk(SOLD)
    desk.reconciler._limit, desk.reconciler._began = None, True
    if late == "lists":  # what the account has had by then, the venue lists a moment later
        desk.listed = [Trades([], []), Trades(["ours"], [])]
    else:  # and what it has not, the private stream has brought while it was asked
        asked = desk.differences

        async def differences():
            desk.activity += 1
            return await asked()

        desk.differences = differences
    assert asyncio.run(desk.reconciler.settle(SOLD))
    assert desk.booked == (["ours"] if late == "lists" else [])
    assert desk.decided == desk.taken == []
