"""A plugin of each kind is begun, found, checked and used by commands, as its author would do it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cambist.errors import ConfigError, InputError
from cambist.plugins.scaffold import KINDS, LICENSES, Scaffold
from cambist.testing.conformance import SUITES_VERSION

STRANGER = Path(__file__).with_name("cambist-krakenlike")


@pytest.fixture
def call(tmp_path):
    """Run a command in an empty folder, with the packages in it on the path; what is printed is returned."""

    def run(*words, code=0, of=()):
        found = os.pathsep.join(str(Path(folder) / "src") for folder in of)
        is_script = isinstance(words[0], Path)
        done = subprocess.run(
            [sys.executable, *([] if is_script else ["-m"]), *map(str, words)],
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


def test_a_plugin_is_begun_by_a_command(call, tmp_path):
    told = call("cambist", "plugins", "new", "--kind", "exchange", "my-venue", "--author", "Ada Lovelace")
    assert "An exchange that works." in told
    text = (tmp_path / "cambist-my-venue" / "pyproject.toml").read_text()
    assert "Ada Lovelace" in text
    project = tomllib.loads(text)["project"]
    assert {"cambist-ccxt>=0.1,<0.2", "cambist>=0.1,<0.2"} < set(project["dependencies"])
    assert "cambist-simulator>=0.1,<0.2" in project["optional-dependencies"]["test"]


@pytest.fixture
def begun(tmp_path):
    """The folders of a plugin of each kind, as installed."""
    folders = []
    for kind in KINDS:
        folders.append(tmp_path / f"cambist-my-{kind}")
        Scaffold(kind, f"my-{kind}").write(folders[-1])
        installed(folders[-1])
    return folders


def test_plugins_of_all_kinds_are_found_and_one_gets_its_certificate(call, begun, tmp_path):
    listed = json.loads(call("cambist", "plugins", "list", "--json", of=begun))["plugins"]
    mine = {one["name"]: one for one in listed if one["name"].startswith("my-")}
    assert set(mine) == {f"my-{kind}" for kind in KINDS}
    assert {one["state"] for one in mine.values()} == {"active"}
    call("cambist", "plugins", "check", "my-sink", "--kind", "sink", "--certificate", "certificate.json", of=begun)
    certificate = json.loads((tmp_path / "certificate.json").read_text())
    assert certificate["verdict"] == "passed"
    assert (certificate["plugin"], certificate["version"]) == ("my-sink", "0.1.0")
    assert certificate["suites"] == SUITES_VERSION
    assert {one["id"].partition("-")[0] for one in certificate["requirements"]} == {"ALL", "PLG", "SNK"}


def test_plugins_of_all_kinds_are_checked_and_used(call, begun):
    # `.ci/run` leaves this out: it does the same with what the wheels carry and nothing else.
    told = call(Path(__file__).with_name("use_of_kinds.py"), of=begun)
    assert "a plugin of each kind was checked" in told
    assert "a plugin of each kind was used" in told


def test_an_exchange_of_a_stranger_reaches_a_certificate(call, tmp_path):
    call("cambist", "plugins", "check", STRANGER, "--kind", "exchange", "--certificate", "certificate.json")
    certificate = json.loads((tmp_path / "certificate.json").read_text())
    assert (certificate["verdict"], certificate["version"]) == ("passed", "2.1.0")
    outcomes = {one["id"]: one["outcome"] for one in certificate["requirements"]}
    left_out = {number for number, outcome in outcomes.items() if outcome == "skipped"}
    futures = {"FED-03", "MRG-01", "MRG-02", "MRG-03", "MRG-04"}
    assert left_out == {"BRK-07", "BRK-08", "BRK-09"} | futures, "it amends nothing, has no stops and no futures"
    assert {number.partition("-")[0] for number in outcomes} == {"ALL", "BRK", "FED", "MRG", "PLG", "SES"}


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
    call("cambist", "plugins", "new", "--kind", "risk", "mute")
    module = tmp_path / "cambist-mute" / "src" / "cambist_mute" / "plugin.py"
    lines = module.read_text().splitlines()
    module.write_text("\n".join(line for line in lines if "conformance=" not in line))
    told = call("cambist", "plugins", "check", "cambist-mute", code=1)
    assert "risk_rule:mute names no conformance module" in told
    assert "offers no sink: it has feed:samples" in call(
        "cambist", "plugins", "check", "samples", "--kind", "sink", code=2
    )
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
