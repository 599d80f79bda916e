"""Whatever a user calls his strategy is found, or it is told why not: by file and line, with a hint."""

from __future__ import annotations

import inspect
import pickle
import sys
import traceback
from textwrap import dedent

import pytest

from cambist.app.strategies import load_strategy, make_strategy, parse_parameters, source_folder
from cambist.errors import ParameterError, StrategyFileError, UnknownComponentError
from cambist.plugins.source_files import importable
from cambist.strategies.examples.sma_cross import SmaCross

ONE = """
    from cambist import Strategy, param
    from cambist.indicators import SMA

    class Mine(Strategy):
        fast: int = param(5, ge=2)
        share: float = param(0.5, gt=0)
        short: bool = param(False)
        label: str = param("x")

        def on_bar(self, bar):
            raise RuntimeError("boom")
"""
TWO = ONE + "\n    class Other(Mine):\n        pass\n"


@pytest.fixture
def load(folder, registry):
    def run(use, text=None, name="mine.py", **more):
        if text is not None:
            folder.write(name, text)
        return load_strategy(use, registry, **more)

    return run


def test_a_file_with_one_strategy_needs_no_name(load):
    assert load("mine.py", ONE).__name__ == "Mine"
    assert load("mine.py:").__name__ == "Mine"
    assert load("mine.py:Mine").__name__ == "Mine"


def test_one_of_two_is_named(load):
    assert load("mine.py:Other", TWO).__name__ == "Other"


@pytest.mark.parametrize("name", ["sub folder/mine.py", "odd-name.2.py", "ümlaut.py", "class.py", "numpy.py"])
def test_any_file_name_will_do(load, name):
    cls = load(f"{name}:Mine", ONE, name)
    assert cls.__name__ == "Mine"


def test_a_relative_path_starts_from_the_folder_given(load, folder, monkeypatch):
    folder.write("deep/mine.py", ONE)
    monkeypatch.chdir("/")
    assert load("mine.py", folder=folder.path / "deep").__name__ == "Mine"


def test_a_strategy_behind_an_underscore_and_an_imported_one_do_not_count(load):
    text = (
        TWO.replace("class Other", "class _Other")
        + "\n    from cambist.strategies.examples.sma_cross import SmaCross\n"
    )
    assert load("mine.py", text).__name__ == "Mine"
    assert load("mine.py:SmaCross").__name__ == "SmaCross"


def test_a_second_name_for_one_class_is_no_second_strategy(load):
    assert load("mine.py", ONE + "\n    Alias = Mine\n").__name__ == "Mine"


def test_the_file_is_read_anew_each_time(load, folder):
    first = load("mine.py", ONE)
    second = load("mine.py", ONE.replace("param(5", "param(7"))
    assert (first().fast, second().fast) == (5, 7)
    assert not list(folder.path.rglob("__pycache__")), "nothing is left in the user's folder"


def test_files_of_one_name_are_kept_apart(load):
    one = load("a/mine.py", ONE, "a/mine.py")
    two = load("b/mine.py", ONE.replace("param(5", "param(6"), "b/mine.py")
    assert (one().fast, two().fast) == (5, 6)
    assert one.__module__ != two.__module__


def test_inspection_pickling_and_tracebacks_work(load, folder):
    cls = load("mine.py", ONE)
    assert inspect.getfile(cls) == str(folder.path / "mine.py")
    assert "boom" in inspect.getsource(cls.on_bar)
    assert pickle.loads(pickle.dumps(cls)) is cls
    assert source_folder(cls) == folder.path
    assert source_folder(SmaCross) is None
    with pytest.raises(RuntimeError) as caught:
        cls().on_bar(None)
    frame = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert (frame.filename, frame.line) == (str(folder.path / "mine.py"), 'raise RuntimeError("boom")')


def test_the_modules_beside_it_can_be_imported_then_and_during_the_run(load, folder):
    folder.write("mine_beside.py", "VALUE = 3\n")
    folder.write("mine_later.py", "VALUE = 4\n")
    text = (
        "from mine_beside import VALUE\n"
        + dedent(ONE)
        + "\n    def later(self):\n        import mine_later\n        return mine_later.VALUE\n"
    )
    cls = load("mine.py", text)
    assert sys.modules[cls.__module__].VALUE == 3
    assert str(folder.path) not in sys.path
    with importable([source_folder(cls)]):
        assert cls().later() == 4
    assert str(folder.path) not in sys.path


def test_a_dotted_path(load, monkeypatch, folder):
    folder.write("mine_package/__init__.py", "")
    folder.write("mine_package/module.py", ONE)
    monkeypatch.syspath_prepend(folder.path)
    assert load("mine_package.module:Mine").__name__ == "Mine"
    assert load("mine_package.module").__name__ == "Mine"
    assert load("cambist.strategies.examples.sma_cross:SmaCross") is SmaCross


def test_a_registered_name(load):
    assert load("sma-cross") is SmaCross


@pytest.mark.parametrize(
    ("use", "text", "message"),
    [
        ("mien.py", ONE, r"mien\.py: there is no such file\. Check the path\. Did you mean 'mine\.py'\?"),
        ("no/mine.py", None, r"no/mine\.py: there is no such file, nor a folder 'no'"),
        ("mine.py", "x = 1", r"mine\.py holds no strategy: .* no class in it that derives from cambist\.Strategy\.$"),
        (
            "mine.py",
            "from cambist.strategies.examples.sma_cross import SmaCross",
            r"holds no strategy.* It imports SmaCross; to run that, name it after a colon",
        ),
        ("mine.py", TWO, r"mine\.py holds 2 strategies: Mine, Other\. Name one: mine\.py:Mine"),
        ("mine.py:Mien", ONE, r"mine\.py has no strategy 'Mien'\. Did you mean 'Mine'\?"),
        ("mine.py:param", ONE, r"mine\.py: param is a function\. Known: Mine\."),
        ("mine.py:Path", "from pathlib import Path", r"Path is a class that does not derive from cambist\.Strategy"),
        ("mine.py:Any", "x = 1", r"mine\.py has no strategy 'Any'\. There is no strategy in it\."),
        ("mine.py", "def broken(:\n", r"does not import: SyntaxError at mine\.py:1: invalid syntax: def broken\(:"),
        ("mine.py", "x = 1\n\n  y = 2\n", r"IndentationError at mine\.py:3: unexpected indent: y = 2"),
        (
            "mine.py",
            "import numpy\n\nimport pandsa\n",
            r"does not import: ModuleNotFoundError at mine\.py:3 \(import pandsa\): No module named 'pandsa'",
        ),
        (
            "mine.py",
            "def deep():\n    return 1 / 0\n\nx = deep()\n",
            r"ZeroDivisionError at mine\.py:2 \(return 1 / 0\): division by zero",
        ),
        (
            "mine.py",
            "import json\njson.loads('{')\n",
            r"JSONDecodeError at mine\.py:2 \(json\.loads\('\{'\)\): Expecting property name",
        ),
        ("mine.py", "import sys\nsys.exit('bye')\n", r"it ends the program at mine\.py:2 .*if __name__ == '__main__'"),
        ("mine.py", b"x = '\xff'\n", r"SyntaxError at mine\.py:1: .*utf-8"),
        ("mine_nowhere.module:X", None, r"there is no module 'mine_nowhere'.*mine_nowhere/module\.py"),
        ("json.nothing", None, r"there is no module 'json\.nothing'"),
        ("json.decoder", None, r"json\.decoder holds no strategy"),
        ("mine", ONE, r"no plugin offers the strategy 'mine'\. For the file, write mine\.py\."),
    ],
)  # fmt: skip
def test_what_cannot_be_used_says_why(load, folder, use, text, message):
    if isinstance(text, bytes):
        (folder.path / "mine.py").write_bytes(text)
        text = None
    with pytest.raises(StrategyFileError, match=message):
        load(use, text)
    assert not [name for name in sys.modules if name.startswith("cambist_user_mine_") and "not import" in message]


def test_a_folder_is_no_file(load, folder):
    (folder.path / "mine.py").mkdir()
    with pytest.raises(StrategyFileError, match="is a folder"):
        load("mine.py")


def test_an_unknown_registered_name(load):
    with pytest.raises(
        UnknownComponentError, match=r"no plugin offers the strategy 'sma-crss'\. Did you mean 'sma-cross'"
    ):
        load("sma-crss")


def test_the_error_of_a_module_beside_it_is_told_where_it_is_imported(load, folder):
    folder.write("mine_broken.py", "1 / 0\n")
    with pytest.raises(StrategyFileError, match=r"ZeroDivisionError at mine\.py:1 \(import mine_broken\)"):
        load("mine.py", "import mine_broken\n")


def test_parameters_given_as_texts(load):
    cls = load("mine.py", ONE)
    given = parse_parameters(cls, {"fast": "7", "share": "1e-1", "short": "yes", "label": "a=b"})
    assert given == {"fast": 7, "share": 0.1, "short": True, "label": "a=b"}
    with pytest.raises(ParameterError, match=r"Mine has no parameter 'fsat'\. Did you mean 'fast'"):
        parse_parameters(cls, {"fsat": "7"})
    with pytest.raises(ParameterError, match=r"'fast' is '7\.5'; it takes an int, at least 2"):
        parse_parameters(cls, {"fast": "7.5"})


def test_a_strategy_is_made_and_named(load):
    cls = load("mine.py", ONE)
    assert make_strategy(cls, {"fast": 3}).fast == 3
    assert make_strategy(cls, {}, "second").name == "second"
    with pytest.raises(ParameterError, match="'fast' is 1"):
        make_strategy(cls, {"fast": 1})


def test_an_init_of_the_user_s_own_that_raises_is_told_with_its_line(load):
    cls = load("mine.py", ONE + "\n        def __init__(self, **values):\n            values['x']\n")
    with pytest.raises(StrategyFileError, match=r"Mine cannot be made: KeyError at mine\.py:15 \(values\['x'\]\): 'x'"):
        make_strategy(cls, {})
