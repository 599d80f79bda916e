"""The reference page of the command line is what the commands themselves say.

Write the page's help texts anew with ``python tests/unit/cli/test_cli_page.py``.
"""

from __future__ import annotations

import re
from pathlib import Path

import click
from click.testing import CliRunner

from cambist.cli.exits import Exit
from cambist.cli.main import root

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "cli.md"
BLOCK = re.compile(r"(?P<head>^#+ `(?P<path>cambist[^`]*)`\n\n)```text\n.*?^```$", re.MULTILINE | re.DOTALL)


def paths(command=root, path=("cambist",)):
    yield " ".join(path)
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from paths(command.get_command(context, name), (*path, name))


def command_of(path):
    command = root
    for name in path.split()[1:]:
        command = command.get_command(click.Context(command), name)
    return command


def help_of(path):
    # click keeps the option that it made when another test called the command by itself, without `-h`.
    command_of(path)._help_option = None
    done = CliRunner().invoke(root, [*path.split()[1:], "--help"], prog_name="cambist", terminal_width=100)
    return f"```text\n{done.stdout.rstrip()}\n```"


def rewritten(text):
    return BLOCK.sub(lambda block: block["head"] + help_of(block["path"]), text)


def test_every_command_is_on_the_page():
    assert [block["path"] for block in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))] == list(paths())


def test_the_help_texts_are_those_of_the_commands():
    text = PAGE.read_text(encoding="utf-8")
    assert text == rewritten(text), "run: python tests/unit/cli/test_cli_page.py"


def test_the_exit_codes_are_those_of_the_program():
    rows = re.findall(r"^\| (\d+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(row) for row in rows] == [int(code) for code in Exit]


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
