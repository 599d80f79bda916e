"""`cambist indicators`."""

from __future__ import annotations

import json
from types import ModuleType

import pytest
from click.testing import CliRunner

from cambist.cli.indicators import indicators
from cambist.errors import ParameterError
from cambist.indicators.backtrader import INDICATORS
from cambist.plugins.hookspecs import hookimpl
from cambist.plugins.registry import Registry
from cambist.plugins.specs import IndicatorSpec


def run(*arguments):
    return CliRunner().invoke(indicators, arguments, catch_exceptions=False).stdout


def test_all_are_listed_with_how_they_are_called():
    lines = run("list", "--source", "talib").splitlines()
    assert len(lines) == 201
    assert any(line.startswith("MACD(line, fast=12, slow=26, signal=9)") for line in lines)
    everything = run("list").splitlines()
    assert set(lines) < set(everything)
    assert sum(line.startswith("backtrader.") for line in everything) == len(INDICATORS)
    assert any(line.startswith("zigzag(data, percent=5.0)") for line in everything)


def test_every_one_tells_its_formula_and_its_lookback():
    for one in json.loads(run("list", "--json")):
        assert one["formula"], one["name"]
        assert one["title"], one["name"]
        assert one["lookback"] is None or one["lookback"] >= 0
    shown = json.loads(run("show", "ichimoku", "--json"))
    assert shown["outputs"] == ["conversion", "base", "span_a", "span_b", "lagging"]
    assert shown["lookback"] == 52 - 1 + 26
    assert "span_a 51, span_b 77" in run("show", "Ichimoku")


def test_names_and_aliases_of_backtrader_are_found_and_compared():
    told = run("show", "backtrader.cci")
    assert told.startswith("backtrader.CommodityChannelIndex(data, period=20, factor=0.015")
    assert "TA-Lib's CCI takes one mean for the whole window" in told
    assert run("show", "backtrader.CommodityChannelIndex") == told
    assert run("show", "CCI") != told
    with pytest.raises(ParameterError, match=r"no source 'backtradr'\. Did you mean 'backtrader'"):
        run("list", "--source", "backtradr")


def test_those_of_plugins_are_listed_with_their_plugin(monkeypatch):
    def halves(high, low):
        """Half of the range.

        (H - L) / 2.
        """
        return (high - low) / 2

    class Acme:
        @staticmethod
        @hookimpl
        def cambist_indicators():
            return [
                IndicatorSpec(name="halves", factory=halves, summary="Half the range"),
                IndicatorSpec(name="gone", factory="acme_gone.room:gone", summary="Not installed"),
            ]

    acme = ModuleType("acme")
    acme.cambist_indicators = Acme.cambist_indicators
    monkeypatch.setattr("cambist.cli.session.Session.registry", lambda self: Registry.of([acme]))
    listed = {one["name"]: one for one in json.loads(run("list", "--group", "plugins", "--json"))}
    assert listed["halves"]["source"] == "acme"
    assert listed["halves"]["formula"] == "(H - L) / 2."
    assert listed["halves"]["call"] == "halves(high, low)"
    assert "acme_gone" in listed["gone"]["formula"]
    assert "Half of the range" in run("show", "halves")


def test_words_and_groups_choose():
    assert run("list", "hull").split()[0].startswith("HMA(")
    assert {one["group"] for one in json.loads(run("list", "--group", "volume", "--json"))} == {"volume"}
    assert "No indicator's description holds no and such" in run("list", "no", "such")
    with pytest.raises(ParameterError, match=r"no group 'momemtum'\. Did you mean 'momentum'"):
        run("list", "--group", "momemtum")


def test_one_is_shown_with_its_formula():
    told = run("show", "kama")
    assert "Kaufman Adaptive Moving Average" in told
    assert "Whole number from 1 to 100,000; 30 unless given." in told
    assert "Lookback with the defaults: 30 bars." in told
    assert json.loads(run("show", "BBANDS", "--json"))["parameters"]["deviations"]["default"] == 2.0
    assert "highest" in run("show", "highest")
    with pytest.raises(ParameterError, match=r"no indicator 'KAMMA'\. Did you mean 'KAMA'"):
        run("show", "KAMMA")
