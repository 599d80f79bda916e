"""The doctor finds what is wrong, says what to do, and keeps warnings apart from failures."""

from __future__ import annotations

import importlib
import json
import sys
import types
from importlib import metadata

import numpy as np
import pytest
from click.testing import CliRunner

from cambist.cli import checks
from cambist.cli.checks import Finding, State
from cambist.cli.doctor import doctor
from cambist.errors import PluginLoadError
from cambist.plugins.registry import Registry


def examine(registry=lambda: Registry.of([], core=True)):
    return {finding.name: finding for finding in checks.examine(registry)}


def run(*words):
    done = CliRunner().invoke(doctor, words)
    return done.exit_code, done.stdout


def test_a_sound_installation():
    code, output = run("--json")
    report = json.loads(output)
    assert (code, report["healthy"]) == (0, True)
    names = [finding["name"] for finding in report["findings"]]
    for wanted in ("python", "bytecode", "numpy", "ta-lib", "TA-Lib's C library", "cambist", "locale", "time zone"):
        assert wanted in names
    text = run()[1]
    assert all(name in text for name in names)


def test_every_dependency_is_looked_at():
    wanted = {one.split(">")[0].split("[")[0].strip().lower() for one in metadata.requires("cambist")}
    assert wanted <= {name.lower() for name in examine()}


@pytest.mark.parametrize(
    ("average", "words"),
    [
        (lambda values, _: values * 0, "computes wrongly"),
        (lambda *_: 1 / 0, "does not work: ZeroDivisionError"),
    ],
)
def test_a_broken_talib_is_a_failure(monkeypatch, average, words):
    stub = types.ModuleType("talib")
    stub.SMA = average
    stub.__ta_version__ = b"0"
    monkeypatch.setitem(sys.modules, "talib", stub)
    finding = examine()["TA-Lib's C library"]
    assert finding.state is State.FAILED
    assert words in finding.text
    assert "Reinstall" in finding.text
    assert run()[0] == 1


def test_talib_is_asked_to_compute(monkeypatch):
    import talib

    asked = []

    def average(values, period):
        asked.append((values.tolist(), period))
        return np.array([np.nan, np.nan, 2.0, 3.0, 4.0])

    monkeypatch.setattr(talib, "SMA", average)
    assert examine()["TA-Lib's C library"].state is State.OK
    assert asked == [([1, 2, 3, 4, 5], 3)]


@pytest.mark.parametrize(
    ("requirement", "state", "words"),
    [
        ("numpy>=2.0", State.OK, ""),
        ("numpy>=99", State.FAILED, "is too old; install numpy>=99"),
        ("no-such-thing>=1.2", State.FAILED, "pip install 'no-such-thing>=1.2'"),
        ("no-such-thing>=1.2; extra == 'more'", State.WARNING, "pip install 'cambist[more]'"),
        ('no-such-thing[x]>=1.2 ; extra == "more"', State.WARNING, "pip install 'cambist[more]'"),
    ],
)
def test_packages(monkeypatch, requirement, state, words):
    monkeypatch.setattr(metadata, "requires", lambda _: [requirement])
    finding = examine()[requirement.split(">")[0].split("[")[0]]
    assert finding.state is state
    assert words in finding.text


def test_plugins_are_listed_with_their_states():
    broken = types.ModuleType("acme_broken")
    found = examine(lambda: Registry.of([broken], core=True))
    assert found["cambist"].state is State.OK
    assert found["acme_broken"].state is State.WARNING
    assert "failed: acme_broken implements no hook" in found["acme_broken"].text


def test_plugins_that_must_not_fail_and_do():
    def strict():
        raise PluginLoadError("plugin 'x' cannot be used: no\n\nTraceback")

    finding = examine(strict)["plugins"]
    assert finding == Finding("Plugins", "plugins", State.FAILED, "plugin 'x' cannot be used: no")


def test_the_machine(monkeypatch):
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda _: types.SimpleNamespace(free=2e8))
    monkeypatch.setattr(checks.sys, "stdout", types.SimpleNamespace(encoding="ascii"))
    found = examine()
    assert found["disk, here"].state is State.WARNING
    assert found["disk, here"].text.startswith("0.2 GB free in ")
    assert found["locale"].state is State.WARNING
    assert "output in ascii" in found["locale"].text


@pytest.mark.parametrize(
    ("there", "unwritten", "state", "words"),
    [
        (True, True, State.OK, "is there"),
        (False, False, State.OK, "is not there yet"),
        (False, True, State.WARNING, "each start compiles everything again. Once: "),
    ],
)
def test_bytecode(monkeypatch, tmp_path, there, unwritten, state, words):
    compiled = tmp_path / "compiled.pyc"
    if there:
        compiled.touch()
    monkeypatch.setattr(checks, "cache_from_source", lambda _: str(compiled))
    monkeypatch.setattr(sys, "dont_write_bytecode", unwritten)
    finding = examine()["bytecode"]
    assert finding.state is state
    assert words in finding.text


def test_the_checks_do_not_need_what_they_check():
    """A missing package must be told of, not make the doctor itself fail."""
    source = importlib.import_module("cambist.cli.checks").__dict__
    assert {"talib", "numpy", "pandas"}.isdisjoint(source)
