"""What a venue makes of what strategies ask of their account, and what is told where nobody knows."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from cambist.engine.document import decode_run, encode_run
from cambist.engine.fold import RunState
from cambist.engine.records import MarginEntry, RunBegan
from cambist.live.account_requests import AccountRequests
from cambist.model import CashFlow, MarginChange
from cambist.model.effects import ChangeMargin, MoveCash
from cambist.ports.venue import Answered, Declined, Unanswered

ADDED = MarginChange(5, "BTC/USDT:USDT", amount=-7.5)
MOVED = CashFlow(5, "deposit", "", "USDT", 3.0)


def told(wish, outcome):
    """Return what the kernel takes, and the words of alarms."""
    taken, sent, alarms = [], [], []
    requests = AccountRequests(taken.append, sent.append, lambda word, text: alarms.append((word, text)))
    requests.ask(wish)
    requests.answered(sent[0], outcome, 9)
    return taken, alarms


def test_what_was_done_is_booked_and_what_was_refused_is_noted_with_its_reason():
    (event,), alarms = told(ChangeMargin(ADDED), Answered(None))
    assert (event.ts, event.change, alarms) == (9, ADDED, [])
    (event,), alarms = told(ChangeMargin(ADDED), Declined("margin_in_use", "there is less"))
    assert event.change.reason == "margin_in_use: there is less"
    assert [word for word, _ in alarms] == ["margin_refused"]
    assert "7.5 were taken out of the margin of BTC/USDT:USDT" in alarms[0][1]
    (event,), alarms = told(MoveCash(MOVED), Answered(None))
    assert (event.flow, alarms) == (MOVED, [])


@pytest.mark.parametrize(
    ("wish", "outcome", "word"),
    [
        (ChangeMargin(ADDED), Unanswered("cut"), "margin_unknown"),
        (MoveCash(MOVED), Declined("closed", "no bank"), "cash_refused"),
        (MoveCash(MOVED), Unanswered("cut"), "cash_refused"),
    ],
)
def test_what_nobody_knows_is_booked_by_nobody_and_told(wish, outcome, word):
    taken, alarms = told(wish, outcome)
    assert [one.change.reason for one in taken] == (["unknown: cut"] if word == "margin_unknown" else [])
    assert [one for one, _ in alarms] == [word]


def test_what_was_asked_for_when_a_run_was_cut_off_is_told_by_the_next_and_once():
    state, alarms = RunState(), []
    asked = MarginEntry("BTC/USDT:USDT", 5, amount=Decimal("-7.5"))
    state.margin_requested(5, asked)
    state.margin_requested(6, msgspec.structs.replace(asked, amount=Decimal(0), leverage=Decimal(3), asked_at=6))
    state = decode_run(encode_run(state))  # as a snapshot keeps it
    assert state.asked_margin[0] == asked
    taken = []
    requests = AccountRequests(taken.append, None, lambda word, text: alarms.append((word, text)))
    requests.resume(state.asked_margin, 7)
    assert [(one.ts, one.change.reason) for one in taken] == [
        (7, "unknown: the run was cut off before the answer came.")
    ] * 2
    assert [word for word, _ in alarms] == ["margin_unknown"] * 2
    assert "at a leverage of 3" in alarms[1][1]
    state.run_started(7, RunBegan("token", 0, [], True))
    assert state.asked_margin == []
