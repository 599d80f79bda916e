"""The life of a strategy: what is called when, timers, stopping, and what happens when it raises."""

from __future__ import annotations

import datetime as dt
import threading

import pytest

import cambist
from cambist import StopRequest, Strategy, StrategyError, param
from cambist.errors import InputError
from cambist.indicators import SMA
from cambist.model.times import HOUR_NS, MINUTE_NS, format_ns

FLAT = [100.0] * 8
WAYS = pytest.mark.parametrize("way", [{}, {"events": True}], ids=["columns", "events"])


def clock(ns):
    return format_ns(ns)[11:16]


# What is called when.


@WAYS
def test_the_stages_of_an_instant(run, bars, way):
    """Fills with their order events, then each bar in declared order, then the step, then timers."""
    log = []

    def at(name):
        return lambda strategy, *values: log.append((clock(strategy.now), name))

    def bar(strategy, bar):
        log.append((clock(strategy.now), f"bar {bar.symbol}"))
        if strategy.bar == 0:
            strategy.buy(1)
            strategy.buy(1, limit=99.5)
            strategy.sell(2, stop=99.2, data="B")
            strategy.set_timer("t", after=MINUTE_NS)

    def told_of(kind):
        return lambda strategy, record: log.append(
            (clock(strategy.now), f"{kind} {record.instrument.symbol} {getattr(record, 'status', '')}".strip())
        )

    run(
        [bars(FLAT[:2], "A"), bars(FLAT[:2], "B")],
        on_start=at("start"),
        on_bar=bar,
        on_step=at("step"),
        on_timer=at("timer"),
        on_stop=at("stop"),
        on_order=told_of("order"),
        on_fill=told_of("fill"),
        **way,
    )
    assert log == [
        ("10:00", "start"),
        ("10:01", "bar A"),
        ("10:01", "order A accepted"),
        ("10:01", "order A accepted"),
        ("10:01", "order B accepted"),
        ("10:01", "bar B"),
        ("10:01", "step"),
        ("10:01", "order A filled"),  # at the open of the next bar
        ("10:01", "fill A"),
        ("10:02", "order A filled"),
        ("10:02", "fill A"),
        ("10:02", "order B triggered"),
        ("10:02", "order B filled"),
        ("10:02", "fill B"),
        ("10:02", "bar A"),
        ("10:02", "bar B"),
        ("10:02", "step"),
        ("10:02", "timer"),
        ("10:02", "stop"),
    ]


@WAYS
def test_each_instrument_warms_up_by_its_own_indicators_and_steps_wait_for_all(run, bars, way):
    log = []

    def start(strategy):
        SMA(strategy.data["A"].close, 2)
        SMA(SMA(strategy.data["B"].close, 3), 2)

    def at(name):
        return lambda strategy, *bar: log.append((clock(strategy.now), name + (bar[0].symbol if bar else "")))

    run(
        [bars(FLAT[:6], "A"), bars(FLAT[:5], "B")],
        on_start=start,
        on_warmup_bar=at("cold "),
        on_bar=at("warm "),
        on_step=at("step"),
        **way,
    )
    assert [entry for entry in log if entry[1].endswith("A")] == [
        ("10:01", "cold A"),
        *[(f"10:0{minute}", "warm A") for minute in range(2, 7)],
    ]
    assert [entry for entry in log if entry[1].endswith("B")] == [
        *[(f"10:0{minute}", "cold B") for minute in range(1, 4)],
        *[(f"10:0{minute}", "warm B") for minute in range(4, 6)],
    ]
    assert [entry[0] for entry in log if entry[1] == "step"] == ["10:04", "10:05", "10:06"]


@WAYS
def test_a_slow_bar_comes_with_the_fast_one_that_closes_with_it(run, bars, way):
    log = []
    fast = bars([100.0] * 125, "F")
    slow = bars([100.0] * 2, "S", timeframe="1h", every=HOUR_NS)
    run(
        [slow, fast],
        on_bar=lambda strategy, bar: (
            log.append((clock(strategy.now), bar.symbol, bar.ts)) if bar.symbol == "S" else None
        ),
        on_step=lambda strategy: log.append((clock(strategy.now), strategy.data["F"].ts, strategy.data["S"].ts)),
        **way,
    )
    start = fast.ts[0]
    # Steps wait until there is a bar of each.
    assert log[:3] == [
        ("11:00", "S", start),
        ("11:00", start + 59 * MINUTE_NS, start),
        ("11:01", start + 60 * MINUTE_NS, start),
    ]
    assert len(log) == 2 + 125 - 59
    assert log[61:63] == [("12:00", "S", start + HOUR_NS), ("12:00", start + 119 * MINUTE_NS, start + HOUR_NS)]


def test_the_bar_is_one_view_and_its_copy_stays(run, bars):
    seen, kept = [], []
    run(bars([10, 11, 12]), on_bar=lambda strategy, bar: (seen.append(bar), kept.append(bar.copy())))
    assert len({id(bar) for bar in seen}) == 1
    assert [bar.close for bar in kept] == [10.0, 11.0, 12.0]
    assert seen[0].close == 12.0
    assert (seen[0].high, seen[0].low, seen[0].open, seen[0].volume) == (13.0, 10.0, 11.0, 1_000.0)
    assert seen[0].time == dt.datetime(2024, 3, 1, 10, 2, tzinfo=dt.UTC)
    assert "ACME" in repr(seen[0])


def test_what_a_strategy_sees_of_the_account(run, bars):
    seen = []

    def bar(strategy, bar):
        if strategy.bar == 0:
            strategy.buy(10)
        held = strategy.position
        seen.append((strategy.cash, strategy.equity, held.size, held.unrealized, bool(held), held.is_long))

    run(bars([100, 100, 110]), on_bar=bar, cash=2_000, fees=0.001)
    assert seen == [
        (2_000.0, 2_000.0, 0.0, 0.0, False, False),
        (999.0, 1_999.0, 10.0, 0.0, True, True),
        (999.0, 2_099.0, 10.0, 100.0, True, True),
    ]


def test_several_strategies_share_the_account_and_have_names_of_their_own(bars, told):
    names, equities = [], []
    first = {"on_bar": lambda strategy, bar: strategy.buy(1) if strategy.bar == 0 else None}
    second = {"on_bar": lambda strategy, bar: (names.append(strategy.name), equities.append(strategy.position.size))}

    class Other(Strategy):
        def on_bar(self, bar):
            if self.position.is_long:
                self.close(tag="other")

    result = cambist.backtest([told(told=first), told(told=second), Other], bars(FLAT), benchmark=False)
    assert [record.name for record in result.strategies] == ["Told-1", "Told-2", "Other"]
    assert names[0] == "Told-2"
    assert equities[:3] == [0.0, 1.0, 0.0]
    assert result.orders["strategy"].tolist() == ["Told-1", "Other"]
    assert result.trades["strategy"].tolist() == ["Told-1"]  # of the order that opened it


def test_on_trade_tells_of_each_round_trip(run, bars):
    trades = []

    def bar(strategy, bar):
        strategy.order_target_size([2, -1, 0, 0][min(strategy.bar, 3)])

    run(bars([100, 110, 120, 110, 100]), on_bar=bar, on_trade=lambda strategy, trade: trades.append(trade))
    assert [(trade.is_long, trade.size, trade.gross, trade.bars) for trade in trades] == [
        (True, 2.0, 20.0, 1),
        (False, 1.0, -10.0, 1),
    ]


def test_each_run_works_on_a_fresh_copy(bars, told):
    def bar(strategy, bar):
        strategy.count = getattr(strategy, "count", 0) + 1

    mine = told(told={"on_bar": bar})
    one, two = (cambist.backtest(mine, bars(FLAT), benchmark=False) for _ in range(2))
    assert not hasattr(mine, "count")
    assert one.run_id != two.run_id


# Timers.


@WAYS
@pytest.mark.parametrize("series", [1, 2])
def test_timers_fire_at_the_first_instant_that_is_not_before_them(run, bars, way, series):
    log = []

    def start(strategy):
        strategy.set_timer("early", "2024-03-01 09:00")
        strategy.set_timer("on time", dt.datetime(2024, 3, 1, 10, 3, tzinfo=dt.UTC))
        strategy.set_timer("between", after=dt.timedelta(minutes=3, seconds=30))
        strategy.set_timer("forgotten", after=MINUTE_NS)
        strategy.clear_timer("forgotten")
        strategy.clear_timer("never set")
        strategy.set_timer("moved", after=MINUTE_NS)
        strategy.set_timer("moved", after=5 * MINUTE_NS)
        strategy.set_timer("too late", "2024-03-02")

    run(
        [bars(FLAT, name) for name in "AB"[:series]],
        on_start=start,
        on_timer=lambda strategy, name: log.append((clock(strategy.now), name)),
        **way,
    )
    assert log == [("10:01", "early"), ("10:03", "on time"), ("10:04", "between"), ("10:05", "moved")]


@WAYS
def test_a_timer_may_set_move_and_forget_timers(run, bars, way):
    log = []

    def timer(strategy, name):
        log.append((clock(strategy.now), name))
        if name == "a":
            strategy.clear_timer("b")
            strategy.set_timer("c", after=2 * MINUTE_NS)
            strategy.set_timer("again", after=0)
        elif name == "again" and len(log) < 4:
            strategy.set_timer("again", after=0)

    def start(strategy):
        for name in "abc":
            strategy.set_timer(name, after=MINUTE_NS)

    run(bars(FLAT), on_start=start, on_timer=timer, **way)
    # What is set while timers fire waits for the next instant, or a timer that sets itself would never end.
    assert log == [("10:01", "a"), ("10:02", "again"), ("10:03", "again"), ("10:03", "c"), ("10:04", "again")]


@WAYS
def test_orders_may_be_sent_from_a_timer(run, bars, way):
    for fill, prices in (("next_open", [101.0]), ("this_close", [101.0])):
        result = run(
            bars([100, 101, 102, 103]),
            on_start=lambda strategy: strategy.set_timer("t", after=2 * MINUTE_NS),
            on_timer=lambda strategy, name: strategy.buy(1),
            market_fill=fill,
            **way,
        )
        assert [record.price for record in result.fill_records] == prices
        assert result.fill_records[0].ts == result.order_records[0].created_at


def test_timers_of_two_strategies_do_not_meet(bars, told):
    log = []

    def told_of(number):
        return {
            "on_start": lambda strategy: strategy.set_timer("t", after=number * MINUTE_NS),
            "on_timer": lambda strategy, name: log.append((clock(strategy.now), strategy.name, name)),
        }

    cambist.backtest([told(told=told_of(1)), told(told=told_of(2))], bars(FLAT), benchmark=False)
    assert log == [("10:01", "Told-1", "t"), ("10:02", "Told-2", "t")]


def test_a_timer_needs_one_time(run, bars):
    def start(strategy):
        for terms in ({}, {"at": "2024-03-01", "after": 5}):
            with pytest.raises(InputError, match=r"timer 't': give either a time \(at=...\) or a delay \(after=...\)"):
                strategy.set_timer("t", **terms)
        with pytest.raises(InputError, match="is no ISO 8601 time"):
            strategy.set_timer("t", "tomorrow")

    run(bars(FLAT), on_start=start)


# Stopping.


@WAYS
@pytest.mark.parametrize("where", ["on_bar", "on_step", "on_fill", "on_order", "on_timer"])
@pytest.mark.parametrize("series", [1, 2])
def test_stop_ends_the_run_after_the_instant(run, bars, way, where, series):
    """Whatever calls it, the rest of the instant is played, and nothing after it."""
    log = []

    def bar(strategy, bar):
        log.append(clock(strategy.now))
        if clock(strategy.now) == "10:02" and not strategy.open_orders:
            strategy.buy(1, limit=99.5, data="A")
            strategy.set_timer("t", after=MINUTE_NS)

    def stop(strategy, *values):
        if clock(strategy.now) == "10:03":
            strategy.stop("enough")
            strategy.stop("more than enough")

    def both(strategy, *values):
        bar(strategy, *values)
        stop(strategy)

    hooks = {"on_bar": bar, "on_step": lambda strategy: None} | {where: both if where == "on_bar" else stop}
    result = run([bars(FLAT, name) for name in "AB"[:series]], **hooks, **way)
    assert sorted(set(log)) == ["10:01", "10:02", "10:03"]
    assert len(log) == 3 * series
    assert (result.stopped, result.n_bars) == ("enough", 3 * series)
    assert clock(result.ended) == "10:03"
    assert len(result.equity) == 3


@WAYS
def test_stop_in_on_start_plays_nothing(run, bars, way):
    seen = []
    result = run(
        bars(FLAT),
        on_start=lambda strategy: strategy.stop("no thanks"),
        on_bar=lambda strategy, bar: seen.append(bar),
        on_stop=lambda strategy: seen.append("stop"),
        **way,
    )
    assert (seen, result.stopped, result.n_bars) == (["stop"], "no thanks", 0)
    assert result.summary["final_equity"] == 100_000.0


@WAYS
def test_a_run_is_stopped_from_another_thread(bars, told, way):
    stop = StopRequest()
    reached = threading.Event()

    def bar(strategy, bar):
        if strategy.bar == 10:
            reached.set()
            helper.join(10.0)

    def ask():
        assert reached.wait(10.0)
        stop("the user is tired")

    helper = threading.Thread(target=ask)
    helper.start()
    result = cambist.backtest(told(told={"on_bar": bar}), bars([100.0] * 1_000), stop=stop, benchmark=False, **way)
    helper.join()
    assert (result.stopped, result.n_bars) == ("the user is tired", 11)


def test_progress_counts_bars(bars, told):
    calls = []
    cambist.backtest(
        told(told={}), [bars(FLAT, "A"), bars(FLAT, "B")], progress=lambda done, total: calls.append((done, total))
    )
    assert calls[-1] == (16, 16)


# Raising.


@WAYS
@pytest.mark.parametrize("series", [1, 2])
def test_a_strategy_that_raises_is_named_with_its_bar_and_line(run, bars, way, series):
    def bar(strategy, bar):
        if strategy.bar == 0:
            strategy.buy(1)
        if strategy.bar == 3 * series:
            raise ZeroDivisionError("by hand")

    with pytest.raises(StrategyError) as caught:
        run([bars([100, 101, 102, 103, 104], name) for name in "AB"[:series]], on_bar=bar, **way)
    text = str(caught.value)
    assert text.startswith(
        "Told raised ZeroDivisionError at the bar of 2024-03-01 10:03:00 UTC (test_strategy_life.py:"
    )
    assert 'in bar: raise ZeroDivisionError("by hand")): by hand' in text
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    result = caught.value.result
    assert (len(result.fill_records), len(result.equity)) == (1, 4)
    assert result.equity["equity"].iloc[-1] == 100_000.0 + 3.0
    assert result.stopped == text
    assert "ZeroDivisionError" in repr(result)


@WAYS
@pytest.mark.parametrize(
    ("where", "bars_played"),
    [
        ("on_start", 0),
        ("on_warmup_bar", 1),
        ("on_step", 3),
        ("on_order", 3),
        ("on_fill", 4),
        ("on_timer", 4),
        ("on_stop", 8),
    ],
)
def test_wherever_it_raises_what_was_done_is_kept(run, bars, way, where, bars_played):
    def start(strategy):
        SMA(strategy.data.close, 3)
        strategy.set_timer("t", after=4 * MINUTE_NS)

    def fail(strategy, *values):
        raise RuntimeError("no")

    hooks = {"on_start": start, "on_bar": lambda strategy, bar: strategy.buy(1)} | {where: fail}
    with pytest.raises(StrategyError, match="Told raised RuntimeError") as caught:
        run(bars(FLAT), **hooks, **way)
    assert caught.value.result.n_bars == bars_played
    where_in_time = "before the first bar" if where == "on_start" else "at the bar of 2024-03-01"
    assert where_in_time in str(caught.value)


class Inherits(Strategy):
    """Raises in a method of its own that another class calls."""

    def on_bar(self, bar):
        self.decide()

    def decide(self):
        raise KeyError("nothing decided")


def test_the_one_that_raised_is_blamed_and_not_its_neighbor(bars, told):
    class Child(Inherits):
        pass

    with pytest.raises(StrategyError) as caught:
        cambist.backtest([told(told={}), Child], bars(FLAT))
    assert str(caught.value).startswith("Child raised KeyError at the bar of 2024-03-01 10:00:00 UTC")
    assert "in decide" in str(caught.value)


def test_a_strategy_made_at_a_prompt_has_lines_too(bars):
    scope = {"Strategy": Strategy, "__name__": "prompt"}
    exec(compile("class Typed(Strategy):\n    def on_bar(self, bar):\n        1 / 0\n", "<prompt>", "exec"), scope)
    with pytest.raises(StrategyError, match=r"Typed raised ZeroDivisionError .* \(<prompt>:3, in on_bar\)"):
        cambist.backtest(scope["Typed"], bars(FLAT))


def test_a_fault_that_is_not_the_strategys_is_not_blamed_on_it(bars, told):
    class Broken:
        def slip(self, instrument, price, size, is_buy):
            raise OSError("the slippage table is gone")

    with pytest.raises(OSError, match="the slippage table is gone"):
        cambist.backtest(told(told={"on_bar": lambda strategy, bar: strategy.buy(1)}), bars(FLAT), slippage=Broken())


def test_an_interrupt_is_no_error_of_the_strategy(run, bars):
    def bar(strategy, bar):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(bars(FLAT), on_bar=bar)


class Declared(Strategy):
    """For what `backtest` refuses as a strategy."""

    size: float = param()


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        (Declared, "Declared: parameter 'size' needs a value: a number"),
        ([], "a run needs at least one strategy"),
        ("sma", "'sma' is no strategy. Give a subclass of cambist.Strategy, or an instance of one."),
        (int, "<class 'int'> is no strategy"),
    ],
)
def test_what_is_no_strategy(bars, strategy, message):
    with pytest.raises(InputError) as caught:
        cambist.backtest(strategy, bars(FLAT))
    assert message in str(caught.value)
