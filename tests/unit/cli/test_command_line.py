"""The root command: light, lazy, and with one way of ending for whatever happens."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from cambist import errors
from cambist.cli import main as module
from cambist.cli.exits import Exit, exit_of
from cambist.cli.main import COMMANDS, main, root
from cambist.cli.session import LOG_LEVELS
from cambist.observe import LEVELS

HEAVY = {"pandas", "numpy", "talib", "pydantic", "pyarrow", "rich", "structlog", "pluggy", "asyncio"}


@pytest.fixture
def call(capsys):
    """Call `main` as the console script does; gives code, output and errors."""

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        captured = capsys.readouterr()
        return ended.value.code, captured.out, captured.err

    return run


@pytest.mark.parametrize(
    "words", [["--help"], ["version"], ["version", "--json"], ["backtset"], [], ["backtest", "--help"]]
)
def test_what_needs_nothing_heavy_loads_nothing_heavy(words):
    program = (
        "import sys\n"
        "from cambist.cli.main import main\n"
        f"try: main({words!r})\n"
        "except SystemExit: pass\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(done.stderr.splitlines()[-1].split())
    assert "click" in loaded
    # Plugins are asked for commands where all of them are listed, or none of the core's is meant; what plugin authors
    # import (`cambist.api`) brings NumPy along.
    asks = not words or words[0] in {"--help", "backtset"}
    assert loaded.isdisjoint(HEAVY - {"pluggy", "numpy"} if asks else HEAVY), loaded & HEAVY


def test_each_command_is_where_the_list_says_and_sums_itself_up_alike():
    for name, (where, summary) in COMMANDS.items():
        path, _, attribute = where.partition(":")
        command = getattr(importlib.import_module(path), attribute)
        assert command.name == name
        assert command.help.splitlines()[0] == summary


def every_command(command=root, path=()):
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from every_command(command.get_command(context, name), (*path, name))


@pytest.mark.parametrize(
    ("path", "command"), list(every_command()), ids=lambda value: "-".join(value) if isinstance(value, tuple) else ""
)
def test_every_command_has_a_help_text_with_an_example_and_takes_the_global_options(path, command):
    done = CliRunner().invoke(root, [*path, "--help"])
    assert done.exit_code == 0
    assert "Example" in done.stdout
    assert f"  cambist {' '.join(path)}".rstrip() in done.stdout or "cambist plugins list" in done.stdout
    names = {name for parameter in command.params for name in parameter.opts}
    assert {"--debug", "--log-level", "--log-json", "--strict-plugins"} <= names
    for parameter in command.params:
        assert getattr(parameter, "help", "") or isinstance(parameter, click.Argument), f"{parameter.name} has no help"


def test_the_levels_are_those_of_the_logs():
    assert LOG_LEVELS == LEVELS


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigError("x"), 2),
        (errors.DataError("x"), 2),
        (errors.ParameterError("x"), 2),
        (errors.StrategyFileError("x"), 2),
        (errors.InstrumentError("x"), 2),
        (errors.UnknownComponentError("x"), 3),
        (errors.PluginLoadError("x"), 3),
        (errors.PluginClashError("x"), 3),
        (errors.MissingDependencyError("x"), 3),
        (errors.StrategyError("x"), 1),
        (errors.ResultError("x"), 1),
        (errors.OrderStateError("x"), 1),
        (errors.LookAheadError("x"), 1),
        (ZeroDivisionError("x"), 1),
    ],
)
def test_every_error_has_its_code(error, code):
    assert exit_of(error) == code


def test_the_codes_are_stable():
    assert {one.name: int(one) for one in Exit} == {
        "OK": 0, "FAILED": 1, "BAD_INPUT": 2, "PLUGIN": 3, "NOT_RUNNING": 4, "FROZEN": 5, "IN_USE": 6,
        "VENUE": 7, "UNDECIDED": 8, "INTERRUPTED": 130,
    }  # fmt: skip


@pytest.fixture
def failing(monkeypatch):
    """Put a command in the place of ``version`` that raises what it is told to."""

    def install(error):
        @click.command()
        def version():
            raise error

        module_name = "cambist.cli.version"
        monkeypatch.setattr(importlib.import_module(module_name), "version", version)

    return install


def test_an_error_of_ours_is_one_message(call, failing):
    failing(errors.DataError("the bars are bad. Mend them."))
    assert call("version") == (2, "", "error: the bars are bad. Mend them.\n")


def test_the_traceback_inside_a_message_waits_for_debug(call, failing):
    failing(
        errors.UnknownComponentError("no plugin offers it: it failed\n\nTraceback (most recent call last):\n  boom")
    )
    code, _, told = call("version")
    assert (code, told.splitlines()[0]) == (3, "error: no plugin offers it: it failed")
    assert "boom" not in told
    assert "boom" in call("--debug", "version")[2]


def test_an_error_nobody_thought_of_says_whose_fault_it_is(call, failing):
    failing(KeyError("x"))
    code, output, told = call("version")
    assert (code, output) == (1, "")
    assert told.splitlines()[0] == "error: KeyError: 'x'"
    assert "--debug shows where" in told
    assert "Traceback" not in told
    assert "Traceback (most recent call last)" in call("--debug", "version")[2]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_is_told_in_a_word(call, failing, error):
    failing(error)
    code, output, told = call("version")
    assert (code, output, told.strip()) == (130, "", "error: interrupted")


def test_bad_usage_points_to_the_help(call):
    code, output, told = call("version", "--jsn")
    assert (code, output) == (2, "")
    assert re.fullmatch(r"error: No such option '--jsn'\. .*'--json'.*\nTry 'cambist version --help'\.\n", told)
    code, output, told = call()
    assert (code, output) == (2, "")
    assert told.startswith("Usage: cambist ")


def test_the_version(call):
    import cambist

    assert json.loads(call("version", "--json")[1])["cambist"] == cambist.__version__
    assert call("version")[1].startswith(f"cambist {cambist.__version__} (Python 3.")


def test_help_is_no_error(call):
    for words in (["--help"], ["-h"], ["backtest", "-h"]):
        code, output, told = call(*words)
        assert (code, told) == (0, "")
        assert output.startswith("Usage: cambist")


def test_main_is_what_the_console_script_calls():
    from importlib.metadata import entry_points

    (script,) = entry_points(group="console_scripts", name="cambist")
    assert script.value == "cambist.cli.main:main"
    assert script.load() is module.main
