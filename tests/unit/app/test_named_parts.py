"""A broker, measures and event sinks that a run file names: used, measured, told, and every mistake answered."""

from __future__ import annotations

import json
from types import ModuleType

import pytest

import cambist
from cambist.api import AnalyzerSpec, BrokerSpec, SinkSpec, hookimpl
from cambist.app.assemble import assemble, make_plan
from cambist.app.live_file import read_live_file
from cambist.app.plan import Overrides
from cambist.errors import ConfigError, ParameterError
from cambist.model import Fill, Liquidity
from cambist.model.events import OrderAccepted, OrderFilled
from cambist.plugins.registry import Registry
from cambist.storage.journal import JournalFolder
from cambist.strategies.examples.sma_cross import SmaCross
from cambist.testing.markets import walking_bars

RUN = """
[strategy]
use = "sma-cross"
parameters = { fast = 3, slow = 6 }
[[data]]
source = "bars.csv"
[account]
cash = 10_000
"""


class AtTheClose:
    """Fills each order at the close of the next bar."""

    def __init__(self, instruments, account, deliver, clock, fee=0.0):
        self.deliver, self.clock, self.fee, self.waiting = deliver, clock, fee, []

    def submit(self, approved):
        self.waiting.append(approved.order)
        self.deliver(OrderAccepted(self.clock(), approved.order.id))

    def cancel(self, order_id): ...

    def amend(self, order_id, size, limit_price, stop_price): ...

    def see(self, instrument, bar, closed):
        orders, self.waiting = self.waiting, []
        for order in orders:
            terms = (order.id, order.id, order.instrument, order.side, order.size, bar.close, self.fee)
            self.deliver(OrderFilled(self.clock(), order.id, Fill(*terms, Liquidity.TAKER, closed)))


class Counting:
    def __init__(self, refuses=""):
        self.refuses, self.kinds, self.closed = refuses, [], 0

    def take(self, event):
        if event.kind == self.refuses:
            raise OSError("the other end is gone")
        self.kinds.append(event.kind)

    def close(self):
        self.closed += 1


def days_in_profit(facts, above: float = 0.0):
    equity = facts.curve.equity
    return float((equity > equity[0] + above).mean())


def broken(facts):
    raise ZeroDivisionError("no trades")


MADE = []


def counting(refuses=""):
    MADE.append(Counting(refuses))
    return MADE[-1]


@pytest.fixture
def registry():
    module = ModuleType("acme")
    offers = {
        "cambist_brokers": [BrokerSpec(name="at-close", factory=AtTheClose)],
        "cambist_analyzers": [
            AnalyzerSpec(name="days-in-profit", factory=days_in_profit, unit="share"),
            AnalyzerSpec(name="broken", factory=broken),
        ],
        "cambist_event_sinks": [SinkSpec(name="counting", factory=counting)],
    }
    for hook, records in offers.items():
        setattr(module, hook, hookimpl(lambda records=records: records))
    MADE.clear()
    return Registry.of([module], core=True)


@pytest.fixture
def run(folder, registry):
    walking_bars(120).to_frame().to_csv(folder.path / "bars.csv")

    def run(more):
        file = folder.write("run.toml", RUN + more)
        return assemble(make_plan(registry, Overrides(), file), registry).run()

    return run


def test_a_broker_takes_the_orders_with_its_settings_on_both_paths(run):
    slow, fast = (run(f'[broker]\nuse = "at-close"\nfee = 2.5\n[run]\nevents = {one}\n') for one in ("true", "false"))
    closes = {int(ts.value): close for ts, close in walking_bars(120).to_frame()["close"].items()}
    assert len(fast.fill_records) > 3
    for fill in fast.fill_records:
        assert fill.fee == 2.5
        assert fill.price == closes[fill.ts - 86_400_000_000_000]
    assert [(one.ts, one.price, one.size) for one in slow.fill_records] == [
        (one.ts, one.price, one.size) for one in fast.fill_records
    ]
    assert fast.account == slow.account
    assert fast.settings["broker"] == {"use": "at-close", "fee": 2.5}


def test_the_simulated_venue_may_be_named_too(run):
    assert run('[broker]\nuse = "simulated"\n').account == run("").account


def test_measures_stand_in_the_summary_and_come_back(run, tmp_path):
    named = """
[[analyzer]]
use = "days-in-profit"
above = 1.0
[[analyzer]]
use = "sharpe"
risk_free = 0.05
[[analyzer]]
use = "broken"
"""
    result = run(named)
    assert result.summary["days_in_profit"] == days_in_profit(result.facts, above=1.0)
    assert result.summary["sharpe"] == result.analysis.measure("sharpe", risk_free=0.05)
    assert result.summary["broken"] != result.summary["broken"]
    assert any(
        "the measure broken could not be computed: ZeroDivisionError: no trades" in one for one in result.warnings
    )
    assert "Days in profit" in str(result.summary)
    again = cambist.load_result(result.save(tmp_path / "kept"))
    assert again.summary.to_dict() == result.summary.to_dict()
    assert again.summary.benchmark_to_dict() == result.summary.benchmark_to_dict()


def test_sinks_are_told_what_a_journal_holds_and_one_that_fails_disturbs_nobody(run, folder):
    sinks = """
[[sink]]
use = "counting"
name = "deaf"
refuses = "order_filled"
[[sink]]
use = "json-lines"
path = "told/run.jsonl"
[[sink]]
use = "counting"
only = ["order_filled"]
[run]
journal = "journal"
events = true
"""
    plain, told = run(""), run(sinks)
    assert told.account == plain.account
    lines = [json.loads(line) for line in (folder.path / "told" / "run.jsonl").read_text().splitlines()]
    entries = list(JournalFolder(folder.path / "journal").read())
    assert [(one["sequence"], one["ts"], one["kind"]) for one in lines] == [
        (one.sequence, one.ts, one.kind) for one in entries
    ]
    fills = [one["fields"] for one in lines if one["kind"] == "order_filled"]
    assert [float(one["price"]) for one in fills] == [one.price for one in plain.fill_records]
    deaf, only = MADE
    assert only.kinds == ["order_filled"] * len(fills)
    assert (deaf.closed, only.closed) == (1, 1)
    (warning,) = [one for one in told.warnings if "sink" in one]
    assert f"the sink 'deaf' raised for {len(fills)} of {len(lines)} events" in warning
    assert "OSError: the other end is gone" in warning
    assert told.settings["sinks"] == ["deaf", "json-lines", "counting"]


def test_mistakes_are_told_with_their_lines(run):
    with pytest.raises(ConfigError) as caught:
        run(
            '[broker]\nuse = "at-clse"\n[[analyzer]]\nuse = "days-in-profit"\nabove = "much"\n'
            '[[sink]]\nuse = "counting"\nonly = ["order_fild"]\n[[sink]]\nuse = "counting"\n[run]\nevents = false\n'
        )
    told = str(caught.value)
    for part in (
        "no plugin offers the broker 'at-clse'. Did you mean 'at-close'?",
        "above: it is 'much'; it takes a number",
        "there is no event 'order_fild'. Did you mean 'order_filled'?",
        "several sinks are called 'counting'",
        "it is false, and sinks are told of events",
    ):
        assert part in told


@pytest.mark.parametrize(("option", "value"), [("slippage", 0.001), ("latency", "5ms"), ("market_fill", "this_close")])
def test_what_is_for_the_simulated_venue_is_refused_beside_another_broker(option, value):
    with pytest.raises(ParameterError, match=f"{option} is .* another broker takes the orders"):
        cambist.backtest(SmaCross, walking_bars(60), broker=AtTheClose, **{option: value})


def test_sinks_need_events_and_must_be_sinks():
    with pytest.raises(ParameterError, match=r"Add events=True"):
        cambist.backtest(SmaCross, walking_bars(60), sinks=[Counting()])
    with pytest.raises(cambist.errors.InputError, match="sinks holds <class"):
        cambist.backtest(SmaCross, walking_bars(60), sinks=[Counting], events=True)


def test_a_paper_run_refuses_another_broker_and_takes_sinks(folder, registry):
    text = RUN.replace('source = "bars.csv"', 'symbol = "BTC/USDT"\ntimeframe = "1m"')
    file = folder.write("run.toml", text + '[broker]\nuse = "at-close"\n[paper]\nvenue = "ccxt"\n')
    with pytest.raises(ConfigError, match="'at-close' is for backtests"):
        read_live_file(file, Registry.discover(), paper=True)
