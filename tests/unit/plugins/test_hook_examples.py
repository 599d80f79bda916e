"""Each hook's docstring holds an implementation to paste. Pasted into a module, it registers and works."""

from __future__ import annotations

import inspect
import re
import sys
from textwrap import dedent
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from cambist.api import (
    Broker,
    ConfigError,
    DataRule,
    EventSink,
    Notice,
    Notifier,
    RiskRule,
    RunEvent,
    SecretProvider,
    SeriesView,
)
from cambist.model import ApprovedOrder, Instrument, Order, OrderType, Position, Side, Timeframe, TimeInForce
from cambist.model.events import AmendRejected, CancelRejected, OrderRejected
from cambist.model.orders import GATE_SEAL
from cambist.plugins import hookspecs
from cambist.plugins.registry import Registry
from cambist.plugins.specs import SPECS
from cambist.simulation import OrderFeeModel

HOOKS = [spec.hook for spec in SPECS]
BTC = Instrument(symbol="BTC/USDT")


def example_of(hook):
    """Return the code block of a hook's docstring."""
    _, block = inspect.getdoc(getattr(hookspecs, hook)).split("::\n\n")
    return dedent(block)


def pasted(hook):
    module = ModuleType("pasted")
    exec(compile(example_of(hook), f"<{hook}>", "exec"), module.__dict__)
    return module


def order(side=Side.BUY, size=1.0):
    return Order(
        7, BTC, side, OrderType.MARKET, size, np.nan, np.nan, TimeInForce.GTC, 0, False, "test", "", created_at=5
    )


@pytest.mark.parametrize("hook", HOOKS)
def test_the_example_registers(hook):
    registry = Registry.of([pasted(hook)], strict=True)
    (spec,) = registry.components()
    assert spec.hook == hook
    assert spec.summary
    assert registry.get(spec.kind, spec.name) is spec


@pytest.mark.parametrize("hook", HOOKS)
def test_the_example_has_code_of_its_own_or_says_where_it_is(hook):
    (spec,) = Registry.of([pasted(hook)]).components()
    if isinstance(spec.factory, str):
        assert f"``{spec.factory.partition(':')[0].replace('.', '/')}.py``" in inspect.getdoc(getattr(hookspecs, hook))
    else:
        assert spec.load().__module__ == "pasted"


def assert_keeps(promise, maker):
    """Every method of a protocol is there, with the same arguments."""
    for name, promised in inspect.getmembers(promise, inspect.isfunction):
        if not name.startswith("_"):
            given = inspect.signature(getattr(maker, name)).parameters
            assert list(given) == list(inspect.signature(promised).parameters), name


def test_the_broker_answers_as_it_promises():
    make = Registry.of([pasted("cambist_brokers")]).get("broker", "closed").load()
    assert_keeps(Broker, make)
    told = []
    broker = make([BTC], SimpleNamespace(), told.append, lambda: 9)
    broker.submit(ApprovedOrder(order(), GATE_SEAL))
    broker.cancel(7)
    broker.amend(7, 2.0, np.nan, np.nan)
    assert [type(event) for event in told] == [OrderRejected, CancelRejected, AmendRejected]
    assert {(event.ts, event.order_id, event.reason) for event in told} == {(9, 7, "the venue is closed")}


def test_the_risk_rule_refuses_what_it_says():
    rule = Registry.of([pasted("cambist_risk_rules")]).get("risk_rule", "long-only").load()()
    assert_keeps(RiskRule, type(rule))
    view = SimpleNamespace(position=lambda instrument: Position(instrument, size=2.0))
    assert rule.concerns(BTC)
    assert rule.review(order(Side.BUY, 5.0), view) is None
    assert rule.review(order(Side.SELL, 2.0), view) is None
    assert rule.review(order(Side.SELL, 3.0), view).code == "long-only"


def test_the_notifier_delivers(tmp_path):
    make = Registry.of([pasted("cambist_notifiers")]).get("notifier", "file").load()
    assert_keeps(Notifier, make)
    channel = make(path=tmp_path / "notices.txt")
    channel.send(Notice(level="warning", title="late", text="no bar for a minute"))
    channel.send(Notice(title="back"))
    assert (tmp_path / "notices.txt").read_text() == "warning late: no bar for a minute\ninfo back: \n"


def test_the_indicator_computes():
    compute = Registry.of([pasted("cambist_indicators")]).get("indicator", "midpoint").load()
    assert compute(np.array([3.0, 5.0]), np.array([1.0, 2.0])).tolist() == [2.0, 3.5]


def test_the_analyzer_measures():
    measure = Registry.of([pasted("cambist_analyzers")]).get("analyzer", "time-under-water").load()
    equity = np.array([100.0, 90.0, 95.0, 101.0])
    assert measure(SimpleNamespace(curve=SimpleNamespace(equity=equity))) == 0.5


def test_the_data_rule_finds_what_it_says():
    rule = Registry.of([pasted("cambist_data_rules")]).get("data_rule", "round-volume").load()()
    assert isinstance(rule, DataRule)
    volume = np.array([0.0, 2_000_000.0, 2_000_001.0])
    ts = np.arange(3) * 60_000_000_000
    columns = {"open": np.ones(3), "high": np.ones(3), "low": np.ones(3), "close": np.ones(3), "volume": volume}
    view = SeriesView(timeframe=Timeframe.parse("1m"), ts=ts, columns=columns)
    (found,) = rule.find(view)
    assert (found.row, found.column, found.value) == (1, "volume", 2_000_000.0)


def test_the_report_shows_a_run(tmp_path):
    write = Registry.of([pasted("cambist_reports")]).get("report", "markdown").load()
    result = SimpleNamespace(summary=SimpleNamespace(rows=lambda: [("Trades", "12", "")]))
    text = write(result, tmp_path / "run.md", heading="Mine")
    assert text.splitlines() == ["# Mine", "", "| | |", "|---|---|", "| Trades | 12 |"]
    assert (tmp_path / "run.md").read_text() == text


@pytest.mark.parametrize(
    ("hook", "reference"),
    [
        ("cambist_feeds", "acme_feed.archive:open_archive"),
        ("cambist_storages", "acme_store.files:open_files"),
        ("cambist_strategies", "acme_strategies.rebound:Rebound"),
    ],
)
def test_a_lazy_example_finds_the_code_it_names(hook, reference, monkeypatch):
    (spec,) = Registry.of([pasted(hook)]).components()
    assert spec.factory == reference
    module, _, attribute = reference.partition(":")
    package = module.partition(".")[0]
    stand_in = ModuleType(module)
    setattr(stand_in, attribute, lambda *given, **settings: (given, settings))
    monkeypatch.setitem(sys.modules, package, ModuleType(package))
    monkeypatch.setitem(sys.modules, module, stand_in)
    assert spec.load()("given", setting=1) == (("given",), {"setting": 1})


def test_a_hook_is_only_what_the_table_of_kinds_names():
    declared = {name for name in vars(hookspecs) if re.fullmatch(r"cambist_\w+", name)}
    assert declared == set(HOOKS) == {name for name in hookspecs.__all__ if name.startswith("cambist_")}


def test_the_simulation_model_charges_sales_more():
    make = Registry.of([pasted("cambist_simulation_models")]).get("simulation_model", "stamp-duty-fee").load()
    assert_keeps(OrderFeeModel, make)
    model = make(rate=0.01, duty=0.02)
    assert model.charge(order(Side.BUY), 2.0, 50.0, None, 0) == pytest.approx(1.0)
    assert model.charge(order(Side.SELL), 2.0, 50.0, None, 0) == pytest.approx(3.0)
    assert model.fee(BTC, 2.0, 50.0, None) == pytest.approx(1.0)


def test_the_sink_counts_fills(tmp_path):
    make = Registry.of([pasted("cambist_event_sinks")]).get("sink", "fill-counter").load()
    assert_keeps(EventSink, make)
    sink = make(path=tmp_path / "fills.txt")
    for number, kind in enumerate(["order_submitted", "order_filled", "order_filled"], 1):
        sink.take(RunEvent(number, 0, kind, {}))
    sink.close()
    assert (tmp_path / "fills.txt").read_text() == "2"


def test_the_password_store_is_asked_for_what_is_named(monkeypatch):
    module = pasted("cambist_secret_providers")
    make = Registry.of([module]).get("secret_provider", "pass").load()
    assert_keeps(SecretProvider, make)
    asked = []

    def run(words, **_):
        asked.append(words[-1])
        known = words[-1] == "trading/binance-key"
        return SimpleNamespace(returncode=0 if known else 1, stdout="s3cr3t\nuser: me\n" if known else "")

    monkeypatch.setattr(module.subprocess, "run", run)
    assert (make().resolve("binance-key"), make("other").resolve("binance-key")) == ("s3cr3t", None)
    assert asked == ["trading/binance-key", "other/binance-key"]

    def missing(*_, **__):
        raise FileNotFoundError

    monkeypatch.setattr(module.subprocess, "run", missing)
    with pytest.raises(ConfigError, match="pass is not installed"):
        make().resolve("binance-key")
