"""What an audit makes of differences: those that pass, those that last, and those that it made itself by looking."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from cambist.errors import ConfigError, VenueError
from cambist.live.auditing import Audit
from cambist.live.differences import Difference, DifferenceKind
from cambist.model import TradingState

POSITION = Difference(DifferenceKind.POSITION, "B", Decimal(1), Decimal(2))
BALANCE = Difference(DifferenceKind.BALANCE, "USDT", Decimal(100), Decimal(99))


class Desk:
    """All that an audit talks to: what it finds at each look, and what it does about it."""

    account = "account"

    def __init__(self, *looks, settles=True, busy=0, flows=0) -> None:
        self.looks, self.settles, self.busy = list(looks), settles, busy
        self.activity, self.fetched, self.seldom, self.asked, self.flows = 0, 0, 0, 0, flows
        self.settled, self.alarms, self.heard = [], [], []
        self.orders = self.comparison = self
        self.held = {}

    async def call_roll(self):
        self.asked += 1

    async def fetch(self):
        self.fetched += 1
        found, self.flows = self.flows, 0
        return found

    async def fetch_seldom(self):
        self.seldom += 1

    async def differences(self):
        if self.busy:
            self.busy -= 1
            self.activity += 1
        found = self.looks.pop(0) if self.looks else []
        if isinstance(found, Exception):
            raise found
        return found

    async def settle(self, difference, *, running):
        assert running
        self.settled.append(difference)
        if isinstance(self.settles, Exception):
            raise self.settles
        return self.settles

    def hold(self, rule, state, reason, *, scope):
        self.held[rule, scope] = (state, reason)

    def lift(self, rule, reason, *, scope):
        del self.held[rule, scope]

    def once(self):
        def alarm(word, text):
            self.alarms.append((word, text))

        if not hasattr(self, "auditor"):
            self.auditor = Audit(
                self, self, self, 0.001, alarm, self, call_roll=self.call_roll, listeners=[self.heard.append]
            )
        asyncio.run(self.auditor.once())
        return self


def test_orders_are_asked_about_and_what_moved_money_is_fetched_where_balances_alone_differ():
    desk = Desk().once()
    assert (desk.asked, desk.seldom, desk.fetched, desk.heard) == (1, 1, 0, ["account"])
    desk = Desk([BALANCE], flows=1).once()
    assert (desk.fetched, desk.settled, desk.heard) == (1, [], ["account"] * 2)
    assert Desk([BALANCE, POSITION], [POSITION]).once().fetched == 0


def test_what_differs_once_was_on_its_way():
    desk = Desk([POSITION], [BALANCE]).once()
    assert desk.settled == desk.alarms == []
    assert desk.asked == 2


def test_what_lasts_is_settled_within_one_audit():
    desk = Desk([POSITION], [POSITION]).once()
    assert (desk.settled, desk.alarms) == ([POSITION], [])


def test_or_told_where_the_policy_leaves_it():
    desk = Desk([POSITION], [POSITION], settles=False).once()
    assert desk.alarms == [("out_of_step", "B: this run holds 1, the venue 2")]
    assert desk.held == {("out_of_step", "symbol:B"): (TradingState.REDUCING, "B: this run holds 1, the venue 2")}
    assert desk.once().held == {}


def test_another_average_or_balance_is_told_and_keeps_nothing_from_trading():
    average = Difference(DifferenceKind.AVERAGE, "B", Decimal(100), Decimal(101), held=Decimal(1))
    desk = Desk([average], [average], [BALANCE], [BALANCE], settles=False).once().once()
    assert [text for _, text in desk.alarms] == [
        "B: this run holds 1 at 100 on average, the venue at 101",
        "USDT: this run has 100, the venue 99",
    ]
    assert desk.held == {}


def test_money_is_looked_at_again_once_positions_are_settled():
    both = [BALANCE, POSITION]
    assert Desk(both, both).once().settled == [POSITION]
    assert Desk([BALANCE], [BALANCE]).once().settled == [BALANCE]


def test_what_happens_while_the_venue_answers_makes_no_difference():
    desk = Desk([POSITION], [], busy=1).once()
    assert (desk.settled, desk.alarms, desk.looks) == ([], [], [])


def test_where_something_always_happens_nothing_is_concluded():
    desk = Desk(*[[POSITION]] * 9, busy=9).once()
    assert (desk.settled, desk.alarms) == ([], [])


@pytest.mark.parametrize("where", ["looking", "settling"])
@pytest.mark.parametrize("error", [VenueError("no answer"), ConfigError("no price is known")])
def test_what_goes_wrong_is_told_and_ends_nothing(where, error):
    desk = Desk(error) if where == "looking" else Desk([POSITION], [POSITION], settles=error)
    assert desk.once().alarms == [("audit_failed", str(error))]
