"""A plugin of each kind is begun, found, checked and used by commands, as its author would do it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib

import pytest

from cambist.errors import ConfigError, InputError
from cambist.plugins.scaffold import KINDS, LICENSES, Scaffold
from cambist.testing.markets import walking_bars

RUN_FILE = """
[[strategy]]
use = "sma-cross"
[[data]]
source = "bars.csv"
[account]
cash = 100_000
"""


@pytest.fixture
def call(tmp_path):
    """Run a command in an empty folder, with the packages in it on the path; what is printed is returned."""

    def run(*words, code=0, of=()):
        found = os.pathsep.join(str(tmp_path / f"cambist-{name}" / "src") for name in of)
        done = subprocess.run(
            [sys.executable, "-m", *map(str, words)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": found, "NO_COLOR": "1", "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout if code == 0 else done.stdout + done.stderr

    return run


def installed(folder):
    """Leave beside a package what an installer makes of its ``pyproject.toml``."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    info = folder / "src" / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    lines = [
        f"[{group}]\n" + "".join(f"{name} = {module}\n" for name, module in offers.items())
        for group, offers in project["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("".join(lines))


@pytest.mark.parametrize("kind", KINDS)
def test_a_plugin_is_begun_found_and_passes_its_check(kind, call, tmp_path):
    call("cambist", "plugins", "new", "--kind", kind, f"my-{kind}", "--author", "Ada Lovelace")
    folder = tmp_path / f"cambist-my-{kind}"
    assert "Ada Lovelace" in (folder / "pyproject.toml").read_text()
    installed(folder)
    shown = json.loads(call("cambist", "plugins", "show", f"my-{kind}", "--json", of=[f"my-{kind}"]))
    assert [one["state"] for one in shown["plugins"]] == ["active"]
    (component,) = shown["components"]
    assert (component["name"], component["error"]) == (f"my-{kind}", "")
    call("cambist", "plugins", "check", f"my-{kind}", "--certificate", "certificate.json", of=[f"my-{kind}"])
    certificate = json.loads((tmp_path / "certificate.json").read_text())
    assert certificate["verdict"] == "passed"
    assert (certificate["plugin"], certificate["version"]) == (f"my-{kind}", "0.1.0")
    assert {one["id"].partition("-")[0] for one in certificate["requirements"]} > {"ALL", "PLG"}


def test_what_was_begun_is_used_by_a_backtest(call, tmp_path):
    for kind in ("strategy", "risk", "feed"):
        call("cambist", "plugins", "new", "--kind", kind, f"my-{kind}")
        installed(tmp_path / f"cambist-my-{kind}")
    code = "import numpy, sys; from cambist.testing.markets import walking_bars as w; b = w(600); "
    code += "numpy.savez(sys.argv[1], ts=b.ts, **b.columns)"
    subprocess.run([sys.executable, "-c", code, tmp_path / "ACME.npz"], check=True)
    walking_bars(600).to_frame().to_csv(tmp_path / "bars.csv")
    of = ["my-strategy", "my-risk", "my-feed"]
    by_feed = ("cambist", "backtest", "my-strategy", "--param", "run=2", "--param", "trend=20", "--data")
    from_archive = call(*by_feed, "my-feed:ACME.npz", "--json", of=of)
    assert json.loads(from_archive)["summary"]["trades"] > 3
    (tmp_path / "run.toml").write_text(RUN_FILE + '[[risk]]\nuse = "my-risk"\nopens = "09:30"\nclose = "16:00"\n')
    told = call("cambist", "backtest", "run.toml", of=of, code=2)
    assert "did you mean 'closes'?" in told.lower()


def test_what_is_not_met_is_named_and_ends_with_one(call, tmp_path):
    call("cambist", "plugins", "new", "--kind", "notifier", "pager")
    channel = tmp_path / "cambist-pager" / "src" / "cambist_pager" / "channel.py"
    channel.write_text(channel.read_text().replace('"text": notice.text,', '"text": "",'))
    suites = channel.with_name("conformance.py")
    suites.write_text(
        suites.read_text().replace(
            "class TestPager(NotifierTests):", "class TestPager(NotifierTests):\n    test_order_is_kept = None\n"
        )
    )
    told = json.loads(call("cambist", "plugins", "check", "cambist-pager", "--json", code=1).partition("error:")[0])
    failed = {one["id"]: one["why"] for one in told["requirements"] if one["outcome"] == "failed"}
    assert set(failed) == {"ALL-01", "NTF-02", "NTF-03", "NTF-04"}
    assert "TestPager.test_order_is_kept" in failed["ALL-01"]


def test_a_plugin_without_suites_a_folder_without_a_plugin_and_a_strange_name_are_told(call, tmp_path):
    told = call("cambist", "plugins", "check", "samples", code=1)
    assert "feed:samples names no conformance module" in told
    nowhere = call("cambist", "plugins", "check", "samples", "--certificate", "no/c.json", code=2)
    assert "there is no folder no" in nowhere
    (tmp_path / "empty").mkdir()
    assert "is a directory" in call("cambist", "plugins", "check", "samples", "--certificate", "empty", code=2)
    assert "holds no pyproject.toml" in call("cambist", "plugins", "check", "empty", code=2)
    assert "there is no plugin 'sampels'" in call("cambist", "plugins", "check", "sampels", code=3)


@pytest.mark.parametrize("name", ["Pager", "9lives", "my--pager", "pager-", "my_pager", ""])
def test_a_name_that_no_plugin_can_have_is_refused(name):
    with pytest.raises(InputError, match="cannot be called"):
        Scaffold("notifier", name)


def test_nothing_that_is_there_is_replaced(tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(ConfigError, match="is there already"):
        Scaffold("notifier", "pager").write(tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["note.txt"]


@pytest.mark.parametrize("license_", LICENSES)
def test_a_license_is_written_where_one_was_chosen(license_):
    files = Scaffold("risk", "hours", license_, "Ada Lovelace", 1843).files()
    assert ("LICENSE" in files) is (license_ != "none")
    assert (f'license = "{license_}"' in files["pyproject.toml"]) is (license_ != "none")
    if license_ == "MIT":
        assert "Copyright (c) 1843 Ada Lovelace" in files["LICENSE"]


def test_an_unknown_kind_is_answered_with_the_nearest():
    with pytest.raises(InputError, match="Did you mean 'notifier'"):
        Scaffold("notifer", "pager")
