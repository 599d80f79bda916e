"""The plugin of one file beside a run file: found there alone, isolated, not run where others can write it."""

from __future__ import annotations

import json
import os
from textwrap import dedent

import pytest
from click.testing import CliRunner

from cambist.cli.main import main, root
from cambist.errors import PluginClashError, PluginLoadError, UnknownComponentError
from cambist.plugins.registry import Registry
from cambist.plugins.status import PluginState

PLUGIN = """
    from pathlib import Path

    from beside_it import LIMIT
    from cambist.api import Refusal, RiskRuleSpec, StrategySpec, hookimpl
    from cambist import Strategy

    Path(__file__).with_name("ran").write_text(Path(__file__).with_name("ran").read_text() + "x")

    class Never:
        name = "never"
        def concerns(self, instrument):
            return True
        def review(self, order, view):
            return Refusal("never", f"at most {LIMIT}")

    class Buys(Strategy):
        def on_bar(self, bar):
            self.buy()

    @hookimpl
    def cambist_risk_rules():
        return [RiskRuleSpec(name="never", factory="cambist_plugins:Never")]

    @hookimpl
    def cambist_strategies():
        return [StrategySpec(name="buys", factory=Buys)]
"""
RUN = """
    [strategy]
    use = "buys"
    [[risk]]
    use = "never"
    [[data]]
    source = "random:gbm"
    bars = 20
"""
SUITES = """
    import pytest

    from cambist.testing import RiskRuleTests, StillView, order_to
    from cambist_plugins import Never

    class TestNever(RiskRuleTests):
        name = "never"

        @pytest.fixture
        def rule(self):
            return Never()

        @pytest.fixture
        def allowed(self):
            pytest.skip("nothing is")

        @pytest.fixture
        def refused(self):
            return [(order_to("buy", 1), StillView())]
"""
COMMANDS = """
from cambist.api import CommandSpec, hookimpl
@hookimpl
def cambist_commands():
    return [CommandSpec(name="mine", factory=print)]
"""


class Folder:
    """A folder with a run file and the plugin beside it."""

    def __init__(self, path):
        self.path, self.file, self.run_file = path, path / "cambist_plugins.py", path / "run.toml"
        path.mkdir()
        (path / "beside_it.py").write_text("LIMIT = 0\n")
        (path / "ran").write_text("")
        self.run_file.write_text(dedent(RUN))
        self.write(PLUGIN)

    def write(self, code):
        self.file.write_text(dedent(code), encoding="utf-8")

    @property
    def times_run(self):
        return len((self.path / "ran").read_text())

    def registry(self, **given):
        return Registry.discover(
            environ=given.pop("environ", {"CAMBIST_PLUGINS": "local"}), beside=self.run_file, **given
        )

    def status(self, **given):
        return next(one for one in self.registry(**given).statuses() if one.name == "local")


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "project")


def call(*words):
    return CliRunner().invoke(root, [str(word) for word in words], catch_exceptions=False)


def test_a_run_uses_what_is_beside_its_file_and_runs_it_once(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = call("backtest", folder.run_file, "--json")
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert result["strategies"][0]["name"] == "Buys"
    assert result["settings"]["risk"] == [{"use": "never"}]
    assert not result["summary"].get("n_trades", 0)
    assert folder.times_run == 1


def test_the_working_directory_is_no_place_to_look(folder, tmp_path, monkeypatch):
    """Only what stands beside the run file that is run is run, whatever lies where the command is given."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "plain.toml").write_text('[strategy]\nuse = "sma-cross"\n[data]\nsource = "random:gbm"\nbars = 50\n')
    monkeypatch.chdir(folder.path)
    for words in (
        ["plugins", "list"],
        ["doctor"],
        ["backtest", other / "plain.toml"],
        ["plugins", "show", "sma-cross"],
    ):
        call(*words)
    assert "local" not in [one.name for one in Registry.discover(environ={"CAMBIST_PLUGINS": ""}).statuses()]
    assert folder.times_run == 0


@pytest.mark.parametrize("place", ["run_file", "path", "file"])
def test_the_list_names_it_with_where_it_is_from(folder, place):
    listed = json.loads(call("plugins", "list", getattr(folder, place), "--json").stdout)
    (local,) = [one for one in listed["plugins"] if one["name"] == "local"]
    assert (local["state"], local["path"]) == ("active", str(folder.file))
    assert local["components"] == ["risk_rule:never", "strategy:buys"]
    assert f"local: {folder.file}" in call("plugins", "list", getattr(folder, place)).stdout.splitlines()
    shown = call("plugins", "show", "local", getattr(folder, place)).stdout
    assert str(folder.file) in shown
    assert "strategy buys" in shown


@pytest.mark.parametrize(
    ("code", "error", "traceback"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero", True),
        ("import no_such_library", "needs the module 'no_such_library', which is not installed", True),
        ("def broken(", "SyntaxError", True),
        ("raise SystemExit(3)", "SystemExit: 3", True),
        ("x = 1", "implements no hook: is @hookimpl missing?", False),
        (
            "from cambist.api import hookimpl\n@hookimpl\ndef cambist_risk_rulez():\n    return []",
            "unknown hook 'cambist_risk_rulez'. Did you mean 'cambist_risk_rules'?",
            False,
        ),
        (
            COMMANDS,
            "offers the command 'mine', which nobody could call: commands are looked for before a run file is read",
            False,
        ),
    ],
)  # fmt: skip
def test_its_errors_are_its_own(folder, code, error, traceback):
    folder.file.write_text(code, encoding="utf-8")
    status = folder.status()
    assert status.state is PluginState.FAILED
    assert error in status.error
    assert bool(status.traceback) == traceback
    assert folder.registry().get("strategy", "sma-cross")  # the others go on
    with pytest.raises(PluginLoadError, match=r"plugin 'local' \(.*cambist_plugins\.py\) cannot be used"):
        folder.registry(strict=True)
    with pytest.raises(UnknownComponentError, match="'cambist plugins show local' tells why"):
        folder.registry().get("risk_rule", "never")


def test_a_run_that_needs_what_failed_says_so(folder, capsys):
    folder.write("1 / 0")
    with pytest.raises(SystemExit) as ended:
        main(["backtest", str(folder.run_file)])
    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert "run.toml has 2 mistakes" in told
    assert "no plugin offers the strategy 'buys'" in told
    assert "'cambist plugins show local' tells why" in told


def test_a_clash_with_an_installed_plugin_names_both(site, folder):
    site.install(
        "guards",
        "from cambist.api import RiskRuleSpec, hookimpl\n@hookimpl\ndef cambist_risk_rules():\n"
        "    return [RiskRuleSpec(name='never', factory=print)]",
    )
    registry = folder.registry(environ={"CAMBIST_PLUGINS": "guards,local"})
    with pytest.raises(PluginClashError) as told:
        registry.get("risk_rule", "never")
    assert str(told.value) == (
        f"the risk rule 'never' is offered by plugin 'guards' (acme-guards 1.0) and plugin 'local' ({folder.file}). "
        "Give that of the file another name, or leave one out with CAMBIST_DISABLE_PLUGINS."
    )
    assert registry.get("strategy", "buys")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"local": False}, "left out by --no-local-plugins"),
        ({"environ": {"CAMBIST_PLUGINS": "samples"}}, "not named in CAMBIST_PLUGINS"),
        (
            {"environ": {"CAMBIST_DISABLE_PLUGINS": "local", "CAMBIST_PLUGINS": "local"}},
            "named in CAMBIST_DISABLE_PLUGINS",
        ),
    ],
)
def test_it_can_be_left_alone(folder, given, reason):
    status = folder.status(**given)
    assert (status.state, status.error) == (PluginState.DISABLED, reason)
    assert folder.times_run == 0
    with pytest.raises(UnknownComponentError, match=rf"may be of the plugin 'local' \(.*\), which is {reason}"):
        folder.registry(**given).get("risk_rule", "never")


def test_the_command_line_leaves_it_alone_too(folder):
    listed = json.loads(call("plugins", "list", folder.path, "--no-local-plugins", "--json").stdout)
    assert [one["state"] for one in listed["plugins"] if one["name"] == "local"] == ["disabled"]
    assert folder.times_run == 0


@pytest.mark.skipif(os.name != "posix", reason="modes of files are those of POSIX")
def test_what_others_can_write_is_not_run(folder, monkeypatch):
    def refused(message):
        status = folder.status()
        assert status.state is PluginState.FAILED
        assert message in status.error
        assert status.error.endswith("Nothing of it was run")
        assert folder.times_run == 0

    folder.file.chmod(0o666)
    refused(f"can be written by everybody (mode 0666). Close it: chmod o-w {folder.file}.")
    folder.file.chmod(0o644)
    folder.path.chmod(0o777)
    refused(f"everybody can exchange the files in {folder.path} (mode 0777)")
    folder.path.chmod(0o755)
    # Somebody else's file, seen from here by our being somebody else, beside a run file that is not his either.
    owner = folder.file.stat().st_uid
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    if owner != 0:
        monkeypatch.setattr("cambist.plugins.local._trusted", lambda _: {0, owner + 1})
        refused(f"belongs to user {owner}")
    monkeypatch.undo()
    folder.path.chmod(0o1777)  # as /tmp is: others may add files there, and not exchange ours
    assert folder.status().state is PluginState.ACTIVE


def test_a_link_that_leads_nowhere_and_a_folder_are_told(folder):
    folder.file.unlink()
    folder.file.symlink_to(folder.path / "gone.py")
    assert "is no file that can be read" in folder.status().error
    folder.file.unlink()
    folder.file.mkdir()
    assert "is no file that can be read" in folder.status().error


def test_its_suites_are_run_like_those_of_a_package(folder, tmp_path, monkeypatch):
    folder.write(PLUGIN.replace('factory="cambist_plugins:Never"', 'factory=Never, conformance="suites"'))
    (folder.path / "suites.py").write_text(dedent(SUITES))
    # What lies where the command is given is not imported there either.
    (tmp_path / "cambist_plugins.py").write_text("raise SystemExit('the wrong one')")
    monkeypatch.chdir(tmp_path)
    done = call("plugins", "check", folder.run_file, "--json")
    found = json.loads(done.stdout)
    assert (found["plugin"], found["distribution"]) == ("local", str(folder.file))
    assert {one["outcome"] for one in found["requirements"]} == {"passed", "skipped"}
    assert found["without"] == ["strategy:buys"]
    assert done.exit_code == 1  # since nobody knows of the strategy
