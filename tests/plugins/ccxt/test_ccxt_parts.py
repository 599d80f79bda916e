"""The parts that plugins of venues share, each by itself."""

from __future__ import annotations

import asyncio
import random

import pytest

from cambist.api import Declined, ParameterError, Unanswered, VenueError
from cambist.model import Instrument
from cambist_ccxt.apart import apart
from cambist_ccxt.backoff import Backoff
from cambist_ccxt.budget import Budget, Priority, Window
from cambist_ccxt.channel import Channel
from cambist_ccxt.clock import VenueClock, watch_clock
from cambist_ccxt.credentials import Credentials
from cambist_ccxt.errors import BusyError, NoAnswerError, NotSentError, RefusedError, failure_of
from cambist_ccxt.outcomes import outcome_of
from cambist_ccxt.plugin import cambist_sessions
from cambist_ccxt.symbols import Symbols

SECOND = 1_000_000_000

S = 1_000_000_000


class Hands:
    """A clock that is set by hand."""

    def __init__(self, now=0):
        self.now = now

    def __call__(self):
        return self.now


# Credentials.


def test_credentials_never_show_themselves():
    given = Credentials("the-key", "the-secret", "the-password")
    assert all(word not in f"{given} {given!r} {[given]}" for word in ("the-key", "the-secret", "the-password"))
    assert given
    assert not Credentials()


@pytest.mark.parametrize(("key", "secret"), [("QQQ", ""), ("", "QQQ"), ("QQQ ", "QQQ"), ("QQQ", "\nQQQ")])
def test_credentials_that_cannot_be_are_refused_without_showing_them(key, secret):
    with pytest.raises(ParameterError) as raised:
        Credentials(key, secret)
    assert "QQQ" not in str(raised.value)


# The clock.


def test_the_shortest_way_decides_and_steps_of_the_wall_clock_change_nothing():
    monotonic, wall = Hands(1_000 * S), Hands(5_000 * S)
    clock = VenueClock(30 * S, monotonic=monotonic, wall=wall)
    sent = clock.begin()
    monotonic.now += 2 * S  # a slow answer: the venue is 100 s ahead of the wall clock, and this says 99 to 101
    clock.answered(sent, 5_100 * S + 2 * S)
    sent = clock.begin()
    monotonic.now += S // 100
    clock.answered(sent, 5_102 * S + S // 200)
    assert abs(clock.now() - (5_102 * S + S // 100)) <= S // 100
    assert clock.uncertainty == S // 200
    wall.now += 10_000 * S
    assert abs(clock.now() - (5_102 * S + S // 100)) <= S // 100


@pytest.mark.parametrize(("off", "way"), [(40, "ahead of"), (-40, "behind")])
def test_a_clock_that_is_off_by_minutes_signs_nothing(off, way):
    clock = VenueClock(30 * S, monotonic=Hands(S), wall=Hands(1_000 * S))
    clock.answered(clock.begin(), 1_000 * S)
    clock.check()
    clock.forget()
    clock.answered(clock.begin(), (1_000 - off) * S)
    with pytest.raises(NotSentError, match=rf"40.0 s {way} the venue's; set it \(by NTP\)") as raised:
        clock.check()
    assert raised.value.code == "clock_skew"


# Work of others.


@pytest.mark.parametrize("fails", [False, True])
def test_a_cancel_reaches_whoever_waits_though_a_library_makes_an_error_of_it(fails):
    async def stubborn():
        try:
            await asyncio.sleep(30.0)
        except asyncio.CancelledError as error:
            if fails:
                raise NoAnswerError("the request took too long") from error
            return "an answer after all"

    async def test():
        task = asyncio.create_task(apart(stubborn(), 20.0))
        await asyncio.sleep(0.01)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=5.0)
        assert done
        assert task.cancelled()
        with pytest.raises(TimeoutError):
            await apart(stubborn(), 0.01)

    asyncio.run(test())


# The budget.


def budget(limit=100, **options):
    hands = Hands(60 * S)
    return Budget([Window("weight", limit, 60 * S, **options)], hands), hands


def test_shares_of_a_window_by_priority():
    made, _ = budget()
    for priority, most in ((Priority.DATA, 70), (Priority.ENTRY, 90), (Priority.REDUCE, 95), (Priority.CANCEL, 100)):
        while not made.wait({"weight": 1}, priority):
            made.charge({"weight": 1})
        window = made.windows["weight"]
        assert window.used + window.pending == most


def test_what_the_venue_counts_is_what_counts():
    made, hands = budget()
    made.charge({"weight": 10})
    made.charge({"weight": 20})
    made.settle({"weight": 10}, {"weight": 65})  # another process has used some, too
    window = made.windows["weight"]
    assert (window.used, window.pending) == (65, 20)
    assert made.wait({"weight": 1}, Priority.DATA) == 60 * S
    made.settle({"weight": 20}, {})
    assert (window.used, window.pending) == (85, 0)
    hands.now += 61 * S
    assert made.wait({"weight": 1}, Priority.DATA) == 0


def test_a_pause_holds_for_everybody():
    made, hands = budget()
    made.pause(5 * S)
    assert made.wait({}, Priority.CANCEL) == 5 * S
    hands.now += 5 * S
    assert made.wait({}, Priority.CANCEL) == 0


def test_a_pause_that_the_venue_has_named_ends_its_window_whatever_our_clock_says():
    made, hands = budget()
    made.settle({}, {"weight": 100})
    hands.now += 20 * S
    made.pause(5 * S)
    hands.now += 5 * S
    assert made.wait({"weight": 1}, Priority.DATA) == 35 * S
    made.pause(5 * S, renews=True)
    assert made.wait({"weight": 1}, Priority.DATA) == 35 * S
    hands.now += 5 * S
    assert made.wait({"weight": 1}, Priority.DATA) == 0


def test_a_request_too_large_for_its_share_may_go_alone():
    made, _ = budget(limit=10)
    assert made.wait({"weight": 9}, Priority.DATA) == 0


def test_cancels_go_before_what_has_waited_longer():
    async def test():
        loop = asyncio.get_running_loop()
        made = Budget([Window("weight", 10, S // 5)], lambda: round(loop.time() * S))
        made.charge({"weight": 10})
        order = []

        async def ask(name, priority):
            await made.acquire({"weight": 10}, priority, 5.0)
            order.append(name)
            made.settle({"weight": 10}, {})

        first = loop.create_task(ask("data", Priority.DATA))
        await asyncio.sleep(0)
        second = loop.create_task(ask("cancel", Priority.CANCEL))
        await asyncio.sleep(0)
        assert made.waiting == 2
        made.settle({"weight": 10}, {})
        await asyncio.gather(first, second)
        assert order == ["cancel", "data"]
        assert made.windows["weight"].pending == 0

    asyncio.run(test())


def test_a_turn_is_kept_for_a_moment_and_then_goes_to_whoever_waits():
    async def test():
        made, _ = budget(limit=10)
        costs, window = {"weight": 9}, made.windows["weight"]
        turn = made.reserve(costs, Priority.ENTRY, 60.0)
        assert window.pending == 9
        assert made.reserve(costs, Priority.ENTRY, 60.0) is None  # no room for two
        assert turn.take()
        assert not turn.take()  # once
        turn.give_back()
        assert window.pending == 9  # what was taken is settled when there is an answer
        made.settle(costs, {"weight": 0})

        made.reserve(costs, Priority.ENTRY, 0.01)
        await made.acquire(costs, Priority.ENTRY, 60.0)  # long before the minute is over
        assert window.pending == 9
        made.settle(costs, {"weight": 0})

        turn = made.reserve(costs, Priority.ENTRY, 60.0)
        made.pause(S)
        assert not turn.take()
        assert window.pending == 0

    asyncio.run(test())


def test_whoever_would_wait_too_long_is_told_at_once_and_counted_nowhere():
    async def test():
        made, _ = budget()
        made.pause(10 * S)
        with pytest.raises(BusyError) as raised:
            await made.acquire({"weight": 1}, Priority.ENTRY, 2.0)
        assert raised.value.retry_after == 10 * S
        made.pause(0)
        assert made.windows["weight"].pending == 0
        assert made.waiting == 0

    asyncio.run(test())


# Outcomes.


@pytest.mark.parametrize(
    ("error", "reason", "retry_after"),
    [
        (RefusedError("insufficient_funds", "no money", code="-2019"), "insufficient_funds", 0),
        (BusyError("busy", 3 * S), "rate_limit", 3 * S),
        (NotSentError("down", code="unreachable"), "unreachable", 0),
        (VenueError("none", code="unknown_symbol"), "unknown_symbol", 0),
    ],
)
def test_what_certainly_did_nothing_is_declined(error, reason, retry_after):
    async def ask():
        raise error

    outcome = asyncio.run(outcome_of(ask()))
    assert isinstance(outcome, Declined)
    assert (outcome.reason, outcome.retry_after) == (reason, retry_after)


@pytest.mark.parametrize("error", [NoAnswerError("cut"), VenueError("something")])
def test_what_nobody_knows_is_unanswered(error):
    async def ask():
        raise error

    assert isinstance(asyncio.run(outcome_of(ask())), Unanswered)


def test_only_an_error_while_connecting_is_known_to_have_done_nothing():
    import aiohttp
    import ccxt
    from aiohttp.client_reqrep import ConnectionKey

    def wrapped(cause, kind=ccxt.ExchangeNotAvailable):
        error = kind("venue POST address")
        error.__cause__ = cause
        return error

    key = ConnectionKey("host", 1, False, True, None, None, None)
    refused = aiohttp.ClientConnectorError(key, OSError("refused"))
    assert isinstance(failure_of("order", wrapped(refused)), NotSentError)
    for cause in (aiohttp.ServerDisconnectedError(), ConnectionResetError(), TimeoutError()):
        assert isinstance(failure_of("order", wrapped(cause)), NoAnswerError)
    assert isinstance(failure_of("order", wrapped(aiohttp.ClientPayloadError(), ccxt.ExchangeError)), NoAnswerError)
    with pytest.raises(KeyError):
        failure_of("order", KeyError("a mistake of ours"))


# Waits, channels, names.


def test_waits_double_up_to_the_most_and_are_spread():
    backoff = Backoff(0.1, 30.0, random.Random(3))
    waits = [backoff.next() for _ in range(12)]
    for number, wait in enumerate(waits):
        most = min(30.0, 0.1 * 2**number)
        assert most / 2 <= wait <= most
    backoff.reset()
    assert backoff.next() <= 0.1


def test_a_channel_hands_over_in_order_and_ends():
    async def test():
        channel = Channel()
        for number in range(3):
            channel.put(number)
        asyncio.get_running_loop().call_later(0.01, channel.put, 3)
        asyncio.get_running_loop().call_later(0.02, channel.close)
        assert [one async for one in channel] == [0, 1, 2, 3]
        channel.put(4)
        assert len(channel) == 0

    asyncio.run(test())


def test_a_full_channel_takes_only_what_must_not_be_lost():
    channel = Channel(2)
    assert [channel.put(number) for number in range(4)] == [True, True, False, False]
    channel.put_always(9)
    assert (len(channel), channel.dropped) == (3, 2)


def test_both_names_of_an_instrument():
    one = Instrument(symbol="BTC/USDT")
    symbols = Symbols([("BTCUSDT", one)], [("OLDUSDT", "OLD/USDT", "BREAK")])
    assert symbols.instrument("BTC/USDT") is symbols.instrument("BTCUSDT") is one
    assert (symbols.ours("BTCUSDT"), symbols.ours("NEWUSDT")) == ("BTC/USDT", "NEWUSDT")
    with pytest.raises(VenueError, match="Did you mean 'BTC/USDT'") as raised:
        symbols.theirs("BTC/USDC")
    assert raised.value.code == "unknown_symbol"
    with pytest.raises(VenueError, match="the venue says BREAK") as raised:
        symbols.instrument("OLD/USDT")
    assert raised.value.code == "symbol_halted"
    assert symbols.theirs("OLD/USDT") == "OLDUSDT"


def test_the_record_names_what_is_there():
    (spec,) = cambist_sessions()
    assert spec.load().__name__ == "open_ccxt"
    assert spec.load_config().__name__ == "CcxtSettings"


def test_a_clock_that_jumps_is_told_beyond_the_limit_and_changes_no_stamp():
    mono, jump = [0], [0]
    clock = VenueClock(30 * SECOND, monotonic=lambda: mono[0], wall=lambda: mono[0] + jump[0])
    clock.answered(clock.begin(), 0)
    told = []

    async def play():
        task = asyncio.create_task(watch_clock(clock, lambda *said: told.append(said), every=0.001))
        for by in (10, -10, 40, 41, -40, 0):
            jump[0] = by * SECOND
            mono[0] += SECOND
            await asyncio.sleep(0.02)
            assert clock.now() == mono[0]
        task.cancel()

    asyncio.run(play())
    assert [state for state, _ in told] == ["down", "up"]
    assert "40.0 s ahead of" in told[0][1]
