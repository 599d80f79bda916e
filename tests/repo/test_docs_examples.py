"""Every example in the README, the documentation and the docstrings runs.

The fences of a page run from top to bottom in one namespace and one empty folder. A ``python`` fence is executed, each
``$ cambist ...`` line of a ``console`` fence is run as a process. Words behind the language change that:

=======================  ==========================================================================================
``no-run reason="..."``  shown only; the reason is demanded
``file="name"``          written into the page's folder under that name as well (any language)
``raises="Name"``        a ``python`` fence that ends with this error
``exit="2"``             the last command of a ``console`` fence ends with this code
``checked``              each line of output shown is a line of the real output; ``...`` stands for any text
``background``           the commands of a ``console`` fence go on until the page ends
=======================  ==========================================================================================

``$ export NAME=value`` sets a variable for what follows. A port 1875x of a page is a free one when the page runs.

Given to a page, and to a docstring: ``bars``, a DataFrame of a thousand daily bars, the same as ``bars.csv`` and
``bars.parquet``, a copy of the folder ``examples``, and its ``sma_cross.py`` once more as ``my_file.py``.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import io
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import traceback
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import pandas as pd
import pytest
from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted(ROOT.glob("core/*.md")),
    *sorted(ROOT.glob("plugins/*/*.md")),
    *sorted(page for page in ROOT.glob("docs/**/*.md") if "_build" not in page.parts),
]
#: What pages show where a server of an example listens.
PORT = re.compile(r"\b1875\d\b")
EXAMPLES = sorted(ROOT.glob("examples/*.py"))
WORDS = {"no-run", "reason", "file", "raises", "exit", "checked", "background"}
# Commands that a page may show without their being run here: they install, or are run by other tests.
SHOWN_ONLY = ("make", "pip", "git", "cd", "uv", "python", "scripts/", ".ci/run", "CAMBIST_INSTALLER=", "export ")


@attrs.frozen
class Fence:
    """One code block of a page; ``line`` is the line of its opening backticks."""

    page: Path
    line: int
    language: str
    words: dict[str, str]
    text: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT) if self.page.is_relative_to(ROOT) else self.page.name}:{self.line}"

    def fail(self, message: str) -> None:
        pytest.fail(f"{self.place}: {message}", pytrace=False)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fences_of(page: Path) -> list[Fence]:
    found = []
    for token in MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8")):
        if token.type == "fence":
            # A directive, such as {toctree}, has words of its own.
            language, *words = [token.info] if token.info.startswith("{") else shlex.split(token.info) or [""]
            pairs = {name: value for name, _, value in (word.partition("=") for word in words)}
            found.append(Fence(page, token.map[0] + 1, language, pairs, token.content))
    return found


def commands_of(fence: Fence) -> Iterator[tuple[str, list[str]]]:
    """Yield each command of a console fence with the output shown below it."""
    command, shown = "", []
    lines = iter(fence.text.splitlines())
    for line in lines:
        if not line.startswith("$ "):
            shown.append(line)
            continue
        if command:
            yield command, shown
        command, shown = line[2:].split("  # ")[0].rstrip(), []
        while command.endswith("\\"):
            command = command[:-1] + next(lines).strip()
    if command:
        yield command, shown


def thousand_bars() -> pd.DataFrame:
    chance = np.random.default_rng(7)
    close = (100 * np.exp(np.cumsum(chance.normal(0.0004, 0.012, 1_000)))).round(2)
    open_ = np.concatenate(([100.0], close[:-1]))
    spread = np.abs(chance.normal(0, 0.4, (2, 1_000)))
    return pd.DataFrame(
        {
            "open": open_,
            "high": (np.maximum(open_, close) + spread[0]).round(2),
            "low": (np.minimum(open_, close) - spread[1]).round(2),
            "close": close,
            "volume": chance.integers(1_000, 90_000, 1_000).astype(float),
        },
        index=pd.date_range("2020-01-01", periods=1_000, freq="D", tz="UTC", name="time"),
    )


def fill(folder: Path) -> pd.DataFrame:
    bars = thousand_bars()
    bars.to_csv(folder / "bars.csv")
    bars.reset_index().to_parquet(folder / "bars.parquet")
    shutil.copytree(ROOT / "examples", folder / "examples")
    shutil.copy(ROOT / "examples" / "sma_cross.py", folder / "my_file.py")
    return bars


def run_python(fence: Fence, namespace: dict[str, Any]) -> None:
    wanted = fence.words.get("raises")
    importlib.invalidate_caches()  # a page may just have written the module that it imports
    # Blank lines in front make the line numbers of a traceback those of the page.
    code = compile("\n" * fence.line + fence.text, str(fence.page), "exec", dont_inherit=True)
    try:
        exec(code, namespace)
    except Exception as error:  # noqa: BLE001 - any error of an example is a finding
        if wanted not in {kind.__name__ for kind in type(error).__mro__}:
            fence.fail(f"the example raised\n{traceback.format_exc()}")
    else:
        if wanted:
            fence.fail(f"the example should have raised {wanted} and did not")


def environment_of_commands() -> dict[str, str]:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    return {**os.environ, "PATH": path, "COLUMNS": "120", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}


def run_process(
    arguments: list[str], folder: Path, exported: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments,
        cwd=folder,
        env={**environment_of_commands(), **(exported or {})},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


@attrs.define
class Shell:
    """What console fences of one page leave to those after them."""

    folder: Path
    exported: dict[str, str] = attrs.field(factory=dict)
    started: list[subprocess.Popen[str]] = attrs.field(factory=list)

    def start(self, command: str, fence: Fence) -> None:
        """Start a command that goes on, and wait for its first line."""
        process = subprocess.Popen(
            shlex.split(command),
            cwd=self.folder,
            env={**environment_of_commands(), **self.exported, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        self.started.append(process)
        assert process.stdout is not None
        if not process.stdout.readline() or process.poll() is not None:
            fence.fail(f"it did not go on: {command}\n{process.stdout.read()}")

    def end(self) -> None:
        for process in self.started:
            process.terminate()
            process.communicate(timeout=30)


def run_console(fence: Fence, shell: Shell) -> None:
    for command, _ in commands_of(fence):
        if command.startswith("export "):
            shell.exported.update(word.split("=", 1) for word in shlex.split(command)[1:])
    commands = [(command, shown) for command, shown in commands_of(fence) if command.split()[0] == "cambist"]
    if "background" in fence.words:
        for command, _ in commands:
            shell.start(command, fence)
        return
    for number, (command, shown) in enumerate(commands, 1):
        wanted = int(fence.words.get("exit", 0)) if number == len(commands) else 0
        done = run_process(["bash", "-c", command], shell.folder, shell.exported)
        output = done.stdout + done.stderr
        if done.returncode != wanted:
            fence.fail(f"exit code {done.returncode} instead of {wanted} from: {command}\n{output}")
        real = [" ".join(line.split()) for line in output.splitlines()]
        for line in map(str.split, shown if "checked" in fence.words else ()):
            pattern = re.escape(" ".join(line)).replace(re.escape("..."), ".*")
            if not any(re.fullmatch(pattern, candidate) for candidate in real):
                fence.fail(f"this line is not in the output of {command}\n  {' '.join(line)}\nThe output is\n{output}")


def run_page(page: Path, folder: Path) -> int:
    """Run the fences of a page in an empty folder, and return how many of them were run."""
    module = types.ModuleType(f"page_{page.stem.replace('-', '_')}")
    module.__file__ = str(page)
    module.__dict__["bars"] = fill(folder)
    sys.modules[module.__name__] = module  # classes of the page find their module, as annotations and pickles need
    sys.path.insert(0, str(folder))  # as when Python is started there
    ran = 0
    shell = Shell(folder)
    try:
        port = free_port()
        for shown in fences_of(page):
            fence = attrs.evolve(shown, text=PORT.sub(str(port), shown.text))
            if "file" in fence.words:
                target = folder / fence.words["file"]
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(fence.text, encoding="utf-8")
            if "no-run" in fence.words:
                continue
            if fence.language == "python":
                run_python(fence, module.__dict__)
                ran += 1
            elif fence.language == "console":
                run_console(fence, shell)
                ran += 1
    finally:
        shell.end()
        sys.path.remove(str(folder))
        for name, loaded in list(sys.modules.items()):
            if loaded is module or str(getattr(loaded, "__file__", None)).startswith(str(folder)):
                del sys.modules[name]
    return ran


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", [page for page in PAGES if fences_of(page)], ids=name_of)
def test_the_examples_of_a_page_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_page(page, tmp_path)


def test_the_readme_shows_and_runs_both_doors():
    languages = {fence.language for fence in fences_of(ROOT / "README.md") if "no-run" not in fence.words}
    assert {"python", "console"} <= languages


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_what_is_not_run_says_why(page):
    for fence in fences_of(page):
        if unknown := set(fence.words) - WORDS:
            fence.fail(
                f"{', '.join(sorted(unknown))}: not a word this harness knows; known: {', '.join(sorted(WORDS))}"
            )
        if "no-run" in fence.words and len(fence.words.get("reason", "").split()) < 3:
            fence.fail('no-run needs a reason a reader can judge: ```python no-run reason="..."')
        if fence.language not in {"python", "console"} and re.search(
            r"^(from|import) cambist", fence.text, re.MULTILINE
        ):
            fence.fail(f"Python in a fence marked {fence.language!r} is never run; mark it python")
        if fence.language == "console" and "no-run" not in fence.words:
            for command, _ in commands_of(fence):
                if not command.startswith(("cambist ", *SHOWN_ONLY)):
                    fence.fail(f"this command is neither run nor on the list of those that need not be: {command}")


@pytest.mark.parametrize("example", EXAMPLES, ids=name_of)
def test_an_example_file_runs(example, tmp_path):
    fill(tmp_path)
    tree = ast.parse(example.read_text(encoding="utf-8"))
    strategies = [
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("Strategy") for base in node.bases)
    ]
    runs = [[sys.executable, str(example)]] if "__main__" in example.read_text(encoding="utf-8") else []
    runs += [["cambist", "backtest", f"{example}:{name}", "--data", "bars.csv"] for name in strategies]
    assert runs, f"{name_of(example)} holds neither a strategy nor a main part: nothing in it is shown to work"
    for arguments in runs:
        done = run_process(arguments, tmp_path)
        assert done.returncode == 0, f"{shlex.join(arguments)}\n{done.stdout}{done.stderr}"


def modules_with_examples() -> list[str]:
    found = []
    for source in [ROOT / "core" / "src", *sorted(ROOT.glob("plugins/*/src"))]:
        for file in sorted(source.rglob("*.py")):
            if ">>> " in file.read_text(encoding="utf-8"):
                parts = file.relative_to(source).with_suffix("").parts
                found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return found


@pytest.mark.parametrize("name", modules_with_examples())
def test_the_examples_in_docstrings_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    given = {"bars": fill(tmp_path)}
    for example in doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(name), extraglobs=given):
        runner.run(example, out=report.write)
    assert runner.summarize(verbose=False).failed == 0, report.getvalue()


def test_a_broken_example_is_named_with_its_line(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# Title\n\n```python\nx = 1\n```\n\ntext\n\n```python\nassert x == 2\n```\n", encoding="utf-8")
    (tmp_path / "run").mkdir()
    with pytest.raises(pytest.fail.Exception, match=r"page\.md:9: the example raised") as caught:
        run_page(page, tmp_path / "run")
    assert "line 10" in str(caught.value)
    page.write_text('```python raises="KeyError"\n{}["x"]\n```\n', encoding="utf-8")
    (tmp_path / "again").mkdir()
    assert run_page(page, tmp_path / "again") == 1
