"""`cambist indicators`."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from cambist.cli.indicators import indicators
from cambist.errors import ParameterError


def run(*arguments):
    return CliRunner().invoke(indicators, arguments, catch_exceptions=False).stdout


def test_all_are_listed_with_how_they_are_called():
    lines = run("list").splitlines()
    assert len(lines) == 201
    assert any(line.startswith("MACD(line, fast=12, slow=26, signal=9)") for line in lines)


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
