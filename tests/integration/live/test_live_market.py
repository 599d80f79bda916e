"""Live runs on trades, quotes, books and bars: what is shown, what is held back, and what is told."""

from __future__ import annotations

import asyncio
import time
from math import isnan

import pytest
from going import running, strategy_of, until
from market_in_process import bar, make_run, make_venue
from venue_in_process import SYMBOL

from cambist import Strategy
from cambist.errors import ConfigError
from cambist.model import OrderStatus, TradingState
from cambist.ports.venue import StreamReport

SCOPE = f"symbol:{SYMBOL}"


class Listener(Strategy):
    """Keeps what it is shown."""

    def on_start(self):
        self.heard = []

    def on_bar(self, bar):
        self.heard.append(("bar", bar.close))

    def on_tick(self, tick):
        self.heard.append(("tick", tick.price, tick.size))

    def on_quote(self, quote):
        self.heard.append(("quote", quote.bid, quote.ask))

    def on_book(self, book):
        self.heard.append(("book", book.bid, book.ask, book.is_valid))

    def on_trading_state(self, change):
        self.heard.append((str(change.state), change.scope))


def held(run) -> dict[str, str]:
    return {hold.scope: hold.reason for hold in run.kernel.trading.holds}


@pytest.fixture
def venue():
    return make_venue()


def play(tmp_path, venue, strategy, listens, then, **settings):
    """Run, let `then` act on the run, stop; return the run."""

    async def go():
        run = make_run(tmp_path, venue, strategy, listens, **settings)
        async with running(run, close=True):
            await then(run)
        return run

    return asyncio.run(go())


def test_a_strategy_is_shown_trades_quotes_books_and_bars(venue, tmp_path):
    async def then(run):
        heard = strategy_of(run).heard
        await until(lambda: len(heard) == 3)  # what the venue began with
        venue.tell_tick(100.5, 2.0)
        venue.tell_quote(100.0, 100.5)
        venue.tell_book((1, 99.5, 3.0))
        venue.tell_bar(bar(-1, 100.25))
        await until(lambda: len(heard) == 7)

    run = play(tmp_path, venue, Listener(), ["1m", "ticks", "quotes", "book"], then)
    assert strategy_of(run).heard == [
        ("tick", 100.0, 1.0),
        ("quote", 99.0, 101.0),
        ("book", 99.0, 101.0, True),
        ("tick", 100.5, 2.0),
        ("quote", 100.0, 100.5),
        ("book", 99.5, 101.0, True),
        ("bar", 100.25),
    ]
    assert run.alarms == []
    assert [str(one) for one in venue.subscribed] == [
        f"{SYMBOL} bars 1m",
        f"{SYMBOL} ticks",
        f"{SYMBOL} quotes",
        f"{SYMBOL} book",
    ]


class OnQuotes(Strategy):
    """Buys at the ask, and keeps a stop below."""

    def on_start(self):
        self.done = []

    def on_quote(self, quote):
        if not self.done and quote.ask < 100.5:
            self.buy(0.1)
            self.done.append(quote.ask)

    def on_fill(self, fill):
        if fill.side == "buy":
            self.sell(0.099, stop=95.0)


def test_a_stop_that_is_held_here_goes_by_the_far_side_of_quotes(venue, tmp_path):
    async def then(run):
        venue.tell_quote(99.9, 100.1)
        await until(lambda: len(run.kernel.book.orders) == 2)
        stop = run.kernel.book.orders[1]
        await until(lambda: stop.status is OrderStatus.ACCEPTED)
        venue.tell_quote(95.1, 95.2)  # nobody would get 95 or less for a sale
        venue.tell_quote(95.1, 99.0)
        await until(lambda: run.kernel.market[SYMBOL].quote.ask == 99.0)
        assert stop.status is OrderStatus.ACCEPTED
        venue.quote("94.99", "99.00")
        venue.tell_quote(94.99, 99.0)
        await until(lambda: stop.status is OrderStatus.FILLED)

    run = play(tmp_path, venue, OnQuotes(), ["quotes"], then)
    assert run.kernel.fills[-1].price == 94.99
    assert run.alarms == []


class StopOnBars(Strategy):
    """Buys at the first bar, with a stop far below."""

    def on_bar(self, bar):
        if not self.position and not self.open_orders:
            self.buy(0.1)

    def on_fill(self, fill):
        if fill.side == "buy":
            self.sell(0.099, stop=95.0)


def test_a_stop_of_a_run_on_bars_is_set_off_within_a_bar(venue, tmp_path):
    async def then(run):
        venue.tell_bar(bar(-1))
        await until(lambda: len(run.kernel.book.orders) == 2)
        stop = run.kernel.book.orders[1]
        await until(lambda: stop.status is OrderStatus.ACCEPTED)
        venue.tell_bar(bar(0, 96.0), final=False)
        venue.tell_bar(bar(0, 94.0), final=False)
        await until(lambda: stop.status is OrderStatus.FILLED)

    play(tmp_path, venue, StopOnBars(), ["1m"], then)


def test_what_cannot_be_is_left_out_and_told(venue, tmp_path):
    async def then(run):
        heard = strategy_of(run).heard
        await until(lambda: len(heard) == 3)
        venue.tell_quote(101.0, 100.0)
        venue.tell_quote(float("nan"), 100.0)
        venue.tell_tick(-1.0)
        venue.tell_book((1, 99.5, -3.0))
        venue.tell_book((1, 99.4, 3.0))  # on what is not known any more
        venue.tell_tick(100.0)
        await until(lambda: heard.count(("tick", 100.0, 1.0)) == 2)
        book = strategy_of(run).data[0].book
        assert not book.is_valid
        assert isnan(book.bid)
        await until(lambda: ("reducing", SCOPE) in heard)  # a hold is told once it is journalled
        venue.tell_book((1, 98.0, 1.0), (-1, 99.0, 1.0), snapshot=True)
        await until(lambda: book.is_valid)

    run = play(tmp_path, venue, Listener(), ["ticks", "quotes", "book"], then)
    heard = [one for one in strategy_of(run).heard[3:] if one[0] != "tick"]
    assert sorted(heard) == sorted([("reducing", SCOPE), ("book", 98.0, 99.0, True), ("active", SCOPE)])
    assert heard[0] == ("reducing", SCOPE)
    words = [word for word, _ in run.alarms]
    assert words[:3] == ["quote_invalid", "trade_invalid", "book_invalid"]  # the second quote is not told by itself
    assert run.market.refused == 4


class BuysOnce(OnQuotes):
    """Buys at the ask, once."""

    def on_fill(self, fill):
        pass


@pytest.mark.parametrize("state", ["down", "gap", "stale"])
def test_an_instrument_whose_data_does_not_flow_takes_no_new_risk_until_it_does(venue, tmp_path, state):
    async def then(run):
        venue.tell_quote(99.9, 100.1)
        await until(lambda: len(run.kernel.fills) == 1)
        venue.tell_state("quotes", state, "a test")
        await until(lambda: SCOPE in held(run))
        assert held(run)[SCOPE] == f"{SYMBOL} quotes: {state}: a test"
        strategy = strategy_of(run)
        assert strategy.buy(0.1).status is OrderStatus.REJECTED
        run.engine.put(run.kernel.collect())
        assert strategy.sell(0.05).status is OrderStatus.SUBMITTED
        run.engine.put(run.kernel.collect())
        await until(lambda: run.kernel.fills[-1].size == 0.05)
        venue.tell_state("quotes", "up")
        venue.tell_quote(99.9, 100.2)
        await until(lambda: not held(run))
        assert strategy.buy(0.1).status is OrderStatus.SUBMITTED
        run.engine.put(run.kernel.collect())
        await until(lambda: run.kernel.fills[-1].size == 0.1 and run.alarms)

    run = play(tmp_path, venue, BuysOnce(), ["quotes"], then)
    word = {"down": "stream_down", "gap": "data_gap", "stale": "data_stale"}[state]
    assert [one for one, _ in run.alarms] == [word]


def test_silence_is_found_here_too_and_told_once(venue, tmp_path):
    async def then(run):
        await until(lambda: SCOPE in held(run))
        venue.tell_quote(99.0, 101.0)
        await until(lambda: not held(run))
        await until(lambda: SCOPE in held(run))

    run = play(tmp_path, venue, Listener(), ["quotes"], then, stale_after=0.6)
    assert [word for word, _ in run.alarms] == ["data_stale"]
    assert "nothing has come for more than 0.6 s" in run.alarms[0][1]


def test_bars_that_a_connection_missed_come_in_order_and_under_a_hold(venue, tmp_path):
    class Buyer(Listener):
        def on_bar(self, bar):
            super().on_bar(bar)
            order = self.buy(0.1)
            self.heard.append((bar.close, order.status))

    async def then(run):
        strategy = strategy_of(run)
        venue.tell_bar(bar(-6, 100.1))
        await until(lambda: len(strategy.heard) == 2)
        venue.tell_state("bars", "down", "cut")
        await until(lambda: SCOPE in held(run))
        venue.known |= {one.ts: one for one in (bar(-5, 100.2), bar(-4, 100.3), bar(-3, 100.4))}
        venue.tell_state("bars", "up")
        venue.tell_bar(bar(-2, 100.5))
        await until(lambda: ("bar", 100.5) in strategy.heard)
        venue.tell_bar(bar(-1, 100.6), final=False)
        await until(lambda: not held(run))
        venue.tell_bar(bar(-1, 100.7))
        await until(lambda: ("bar", 100.7) in strategy.heard)

    run = play(tmp_path, venue, Buyer(), ["1m"], then)
    heard = strategy_of(run).heard
    assert [one[1] for one in heard if one[0] == "bar"] == [100.1, 100.2, 100.3, 100.4, 100.5, 100.7]
    statuses = dict(one for one in heard if isinstance(one[0], float))
    assert statuses[100.1] is statuses[100.7] is OrderStatus.SUBMITTED
    assert {statuses[close] for close in (100.2, 100.3, 100.4)} == {OrderStatus.REJECTED}
    assert "bars_missing" not in [word for word, _ in run.alarms]


def test_missing_bars_hold_an_instrument_until_an_operator_resumes_it(venue, tmp_path):
    async def then(run):
        venue.tell_bar(bar(-5))
        venue.tell_bar(bar(-1))
        await until(lambda: any("are missing" in reason for reason in held(run).values()))

    run = play(tmp_path, venue, Listener(), ["1m"], then, missing_bars="hold")
    assert run.kernel.trading.state_for("Listener", venue.instrument) is not TradingState.ACTIVE
    assert "bars_missing" in [word for word, _ in run.alarms]


def test_a_bar_is_mended_before_a_strategy_sees_it_and_people_are_told(venue, tmp_path):
    async def then(run):
        for minutes, close in enumerate((100.1, 100.2, 100.1, 10_020.0, 100.3), start=-7):
            venue.tell_bar(bar(minutes, close))
        await until(lambda: ("bar", 100.3) in strategy_of(run).heard)

    run = play(tmp_path, venue, Listener(), ["1m"], then, bar_policy={"unit": "rescale"})
    assert [one[1] for one in strategy_of(run).heard] == pytest.approx([100.1, 100.2, 100.1, 100.2, 100.3])
    (text,) = [text for word, text in run.alarms if word == "bar_repaired"]
    assert text.endswith("(unit: rescale).")


def test_a_bar_that_breaks_a_rule_can_hold_its_instrument(venue, tmp_path):
    async def then(run):
        for minutes, close in enumerate((100.1, 100.2, 100.1, 10_020.0, 100.3), start=-7):
            venue.tell_bar(bar(minutes, close))
        await until(lambda: ("bar", 100.3) in strategy_of(run).heard)
        assert SCOPE in held(run)

    run = play(tmp_path, venue, Listener(), ["1m"], then, bar_policy={"unit": "hold"})
    assert [one[1] for one in strategy_of(run).heard if one[0] == "bar"] == [100.1, 100.2, 100.1, 100.3]
    assert "bar_suspect" in [word for word, _ in run.alarms]


def test_a_lost_book_is_empty_for_the_strategy_until_a_snapshot(venue, tmp_path):
    async def then(run):
        strategy = strategy_of(run)
        await until(lambda: len(strategy.heard) == 1)
        book = strategy.data[0].book
        assert (book.intact, book.bid) == (True, 99.0)
        venue.tell_state("book", "gap", "an update is missing")
        await until(lambda: not book.intact)
        assert not book.is_valid
        assert isnan(book.ask)
        venue.tell_book((1, 99.5, 1.0))
        venue.tell_book((1, 98.0, 1.0), (-1, 98.5, 1.0), snapshot=True)
        venue.tell_book((-1, 98.4, 1.0))
        await until(lambda: book.ask == 98.4)
        assert book.bids() == [(98.0, 1.0)]

    run = play(tmp_path, venue, Listener(), ["book"], then)
    assert [one for one in strategy_of(run).heard if one[0] == "book"] == [
        ("book", 99.0, 101.0, True),
        ("book", 98.0, 98.5, True),
        ("book", 98.0, 98.4, True),
    ]


def test_a_position_can_be_taken_over_at_the_first_quote(venue, tmp_path):
    from decimal import Decimal

    venue.exchange.deposit(venue.user, "BTC", Decimal("0.5"))

    async def then(run):
        await asyncio.sleep(0)

    run = play(tmp_path, venue, Listener(), ["quotes"], then, on_position="adopt")
    assert run.kernel.portfolio.positions[SYMBOL].size == 0.5
    venue.silent.add("quotes")
    with pytest.raises(ConfigError, match="no bar that tells what it is worth"):
        play(tmp_path / "other", venue, Listener(), ["quotes"], then, on_position="adopt", step_timeout=0.1)


@pytest.mark.parametrize(
    ("listens", "message"),
    [
        (["quote"], "there is no data called 'quote'. Did you mean 'quotes'"),
        (["1m", "1m"], "bars of BTC/USDT 1m are named twice"),
        (["ticks", "ticks"], "ticks of BTC/USDT are named twice"),
        ([], "a live run listens to something"),
    ],
)
def test_what_a_run_listens_to_is_checked(venue, tmp_path, listens, message):
    async def then(run):
        raise AssertionError("it began")

    with pytest.raises(ConfigError, match=message.replace("?", r"\?")):
        play(tmp_path, venue, Listener(), listens, then)


class Sleeper(Listener):
    """Takes its time over every quote."""

    def on_quote(self, quote):
        time.sleep(0.02)
        super().on_quote(quote)


def test_a_slow_strategy_is_told_of_and_keeps_nothing_else_waiting_for_long(venue, tmp_path):
    async def then(run):
        await until(lambda: strategy_of(run).heard)
        for _ in range(100):
            venue.tell_quote(99.0, 101.0)
        await until(lambda: len(strategy_of(run).heard) > 2)
        turns = 0
        while len(strategy_of(run).heard) < 100:
            await asyncio.sleep(0)
            turns += 1
        assert turns > 50  # whoever else wants a turn has had one after each of the slow ones

    run = play(tmp_path, venue, Sleeper(), ["quotes"], then, slow_hook=0.01)
    assert {word for word, _ in run.alarms} == {"slow_strategy"}


def test_after_a_gap_of_the_private_stream_nothing_new_leaves_before_it_is_fetched(venue, tmp_path):
    async def then(run):
        venue.tell_quote(99.9, 100.1)
        await until(lambda: len(run.kernel.fills) == 1)
        strategy = strategy_of(run)
        resting = strategy.buy(0.1, limit=90.0)
        run.engine.put(run.kernel.collect())
        await until(lambda: resting.status is OrderStatus.ACCEPTED)
        venue.private_events.put_nowait(StreamReport(stream="private", state="down", text="cut"))
        await until(lambda: "" in held(run))
        venue.drop_reports = 100
        venue.quote("89.00", "90.00")  # it trades while nobody is told
        asked = asyncio.Event()
        answer = venue.fills

        async def slow(symbol, since, venue_id=""):
            await asked.wait()
            return await answer(symbol, since, venue_id)

        venue.fills = slow
        venue.private_events.put_nowait(StreamReport(stream="private", state="up"))
        await asyncio.sleep(0.2)
        assert "" in held(run)
        assert strategy.buy(0.1).status is OrderStatus.REJECTED
        run.engine.put(run.kernel.collect())
        asked.set()
        await until(lambda: "" not in held(run))
        assert resting.status is OrderStatus.FILLED

    run = play(tmp_path, venue, OnQuotes(), ["quotes"], then)
    assert [word for word, _ in run.alarms] == ["stream_down", "stream_up"]
