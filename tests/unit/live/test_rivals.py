"""Of two runs on one account, each comes to the same result about which one has to stop."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.live.control.rivals import Rivals
from cambist.live.settings import OnStop
from cambist.model import OrderType, Side
from cambist.model.reports import OrderReport, ReportedStatus
from cambist.orders.ids import client_id, make_token, parse_client_id, token_time

NOW = 1_700_000_000_000_000_000
SECOND = 1_000_000_000


class Run:
    """What a rival looks at of a run."""

    def __init__(self, token) -> None:
        self.kernel = SimpleNamespace(book=SimpleNamespace(token=token))
        self.alarms, self.stops = [], []

    def now(self):
        return NOW

    def alarm(self, word, text):
        self.alarms.append(word)

    def stop(self, reason, policy):
        self.stops.append(policy)


def report(name, created_at=NOW + SECOND, **changes):
    said = {
        "ts": created_at, "symbol": "BTC/USDT", "client_id": name, "venue_id": "1", "status": ReportedStatus.OPEN,
        "side": Side.BUY, "type": OrderType.LIMIT, "size": Decimal(1), "filled": Decimal(0), "created_at": created_at,
    }  # fmt: skip
    return OrderReport(**(said | changes))


times = st.integers(1_600_000_000, 36**7 - 1)


@given(times)
def test_a_token_tells_when_its_run_was_begun(seconds):
    token = make_token(seconds + 0.5)
    assert token_time(token) == seconds
    assert parse_client_id(client_id(token, 42)) == (token, 42)
    assert parse_client_id(client_id(token, 42, alphabet="abcdefghijklmnopqrstuvwxyz0123456789")) == (token, 42)


@given(times, times)
def test_exactly_one_of_two_runs_stops_and_it_is_the_younger(one, other):
    tokens = make_token(one), make_token(other)
    runs = [Run(token) for token in tokens]
    for run, theirs in zip(runs, reversed(tokens), strict=True):
        rivals = Rivals(run)
        for number in (7, 8):
            rivals.seen(report(client_id(theirs, number)))
        assert run.alarms == ["second_instance"]
    stopped = [run for run in runs if run.stops]
    if tokens[0] != tokens[1]:
        assert [run.kernel.book.token for run in stopped] == [max(tokens)]
        assert stopped[0].stops == [OnStop.CANCEL]
        assert token_time(max(tokens)) == max(one, other)


def test_a_copy_of_the_journal_stops_and_touches_nothing():
    token = make_token(1_700_000_000)
    run = Run(token)
    Rivals(run).seen(report(client_id(token, 9)))
    assert run.stops == [OnStop.KEEP]


@pytest.mark.parametrize(
    "seen",
    [
        report(client_id(make_token(1_650_000_000), 3), created_at=NOW - 60 * SECOND),
        report("web_3f2a9"),
        report("7f3kq9ab-42"),
        report("c1234-42"),
        report(client_id("c0000000abcd", 3)),
        report(client_id(make_token(1_650_000_000), 3), created_at=0, ts=NOW + SECOND, filled=Decimal("0.5")),
    ],
    ids=["sent before", "by hand", "another program", "another program too", "no such time", "of unknown age"],
)
def test_what_proves_nothing_stops_nobody(seen):
    run = Run(make_token(1_700_000_000))
    Rivals(run).seen(seen)
    assert not run.alarms
    assert not run.stops
