"""Commands that plugins offer by ``cambist_commands``: ``cambist NAME``, as if they were the core's own."""

from __future__ import annotations

import re
import sys

import pytest

from cambist.cli.main import main
from cambist.plugins.registry import Registry

TIDE = """
    import click
    from cambist.api import CommandSpec, ParameterError, hookimpl

    @hookimpl
    def cambist_commands():
        return [CommandSpec(name="tide", factory="acme_{name}_command:tide", summary="Print when the water is high.")]
"""
COMMAND = """
import click
from cambist.api import ParameterError

@click.command()
@click.option("--port", default="Dover", help="Where.")
def tide(port):
    '''Print when the water is high.'''
    if port == "Bern":
        raise ParameterError("there is no tide at Bern; give a port on the sea.")
    click.echo(f"high water at {port}")
"""


@pytest.fixture
def run(site, capsys, monkeypatch):
    def called(*words):
        monkeypatch.setenv("CAMBIST_PLUGINS", ",".join(site.names))
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        captured = capsys.readouterr()
        return ended.value.code, captured.out, captured.err

    return called


def offer(site, name, command=COMMAND, plugin=TIDE):
    site.install(name, plugin.replace("{name}", name))
    (site.folder / f"acme_{name}_command.py").write_text(command, encoding="utf-8")


def test_a_command_is_listed_without_being_imported_and_runs(site, run):
    offer(site, "sea")
    code, out, _ = run("--help")
    assert code == 0
    assert re.search(r"^  tide +Print when the water is high\.$", out, re.MULTILINE)
    assert "acme_sea_command" not in sys.modules
    assert run("tide", "--port", "Brest") == (0, "high water at Brest\n", "")
    code, out, _ = run("tide", "--help")
    assert code == 0
    assert "--port TEXT" in out


def test_it_takes_the_global_options_and_its_errors_have_the_exit_codes_of_all(site, run):
    offer(site, "sea")
    assert run("tide", "--log-level", "error", "--strict-plugins")[0] == 0
    code, _, err = run("tide", "--port", "Bern", "--debug")
    assert code == 2
    assert "Traceback" in err
    assert "error: there is no tide at Bern; give a port on the sea." in err


def test_a_command_that_two_plugins_offer_names_both(site, run):
    offer(site, "sea")
    offer(site, "lake")
    code, _, err = run("tide")
    assert code == 3
    assert "the command 'tide' is offered by" in err
    assert "acme-sea 1.0" in err
    assert "acme-lake 1.0" in err
    assert run("version")[0] == 0


def test_the_core_keeps_its_own_commands_and_the_clash_is_told(site, run):
    offer(site, "sea", plugin=TIDE.replace('"tide"', '"version"'))
    code, out, _ = run("version")
    assert code == 0
    assert out.startswith("cambist ")
    assert any("the command 'version' is offered by" in clash for clash in site.discover().clashes())


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("tide = print\n", "give what @click.command() or @click.group() makes"),
        (COMMAND.replace("@click.command()", "@click.command('ebb')"), "calls itself 'ebb': give it the name 'tide'"),
        ("import no_such_library\n", "needs the module 'no_such_library', which is not installed"),
    ],
)
def test_what_is_no_command_is_told(site, run, command, told):
    offer(site, "sea", command)
    code, _, err = run("tide")
    assert code == 3
    assert told in err


def test_a_plugin_that_fails_hides_no_command_of_others(site, run):
    offer(site, "sea")
    site.install("storm", "raise RuntimeError('on purpose')")
    assert run("tide")[:2] == (0, "high water at Dover\n")
    code, _, err = run("--strict-plugins", "tide")
    assert code == 3
    assert "on purpose" in err


def test_a_misspelt_command_is_answered_with_the_nearest_of_all(site, run):
    offer(site, "sea")
    code, _, err = run("tid")
    assert code == 2
    assert "tide" in err


def test_a_command_of_a_package_that_is_left_out_or_not_installed_says_so(run, monkeypatch):
    code, _, err = run("simulate")
    assert code == 3
    assert "'simulator'" in err
    assert "disabled" in err
    monkeypatch.setattr("cambist.plugins.loader.installed_offers", list)
    code, _, err = run("simulate")
    assert code == 3
    assert "It comes with cambist-simulator: pip install cambist-simulator." in err


def test_the_settings_of_a_command_are_its_options(site, run):
    offer(site, "sea")
    code, out, _ = run("plugins", "show", "tide")
    assert code == 0
    assert "--port  text; default 'Dover'; Where." in out


def test_a_group_has_the_global_options_in_all_its_commands(site, run):
    offer(
        site,
        "sea",
        "import click\n\n@click.group()\ndef tide():\n    '''Tides.'''\n\n"
        "@tide.command()\ndef high():\n    '''High.'''\n    click.echo('at noon')\n",
    )
    assert run("tide", "high", "--log-level", "error") == (0, "at noon\n", "")


def test_the_core_offers_its_commands_through_the_hook():
    commands = Registry.of([], core=True, strict=True).commands()
    assert commands["backtest"].provider.startswith("the core")
    assert {"doctor", "plugins", "version"} <= set(commands)
