"""From what a user calls a strategy to its class: a file, a dotted path, or a registered name."""

from __future__ import annotations

import importlib
import re
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cambist.backtest.prepared import takes_sizer
from cambist.errors import ParameterError, StrategyFileError, did_you_mean
from cambist.plugins.source_files import MODULE_PREFIX, import_source
from cambist.strategies import Strategy
from cambist.strategies.parameters import find_parameter

if TYPE_CHECKING:
    from types import ModuleType

    from cambist.app.plan import RunPlan
    from cambist.plugins.registry import Registry

__all__ = [
    "load_strategy",
    "make_strategy",
    "parse_parameters",
    "sized_strategies",
    "source_folder",
]

_FILE = re.compile(r"(?P<path>.+\.pyw?)(?::(?P<name>[^:/\\]*))?", re.DOTALL)
_DOTTED = re.compile(r"(?P<module>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)(?::(?P<name>\w*))?")


def load_strategy(use: str, registry: Registry, folder: Path | None = None) -> type[Strategy]:
    """Return the class that a user means.

    Parameters
    ----------
    use
        ``my_file.py`` or ``my_file.py:SmaCross``, ``package.module:SmaCross``, or a registered name such as
        ``sma-cross``. The class may be left out where there is exactly one.
    registry
        Knows the registered names.
    folder
        What a relative path starts from; the working directory by default.

    Raises
    ------
    StrategyFileError
        There is no such file or module, it does not import (names file and line), or it does not hold exactly the
        strategy asked for.
    PluginError
        Nobody offers the name, or the plugin that does is broken.
    """
    file = _FILE.fullmatch(use)
    if file:
        path = (folder or Path()) / Path(file["path"]).expanduser()
        return _choose(_import_file(path), file["name"], str(path))
    dotted = _DOTTED.fullmatch(use)
    if dotted and (":" in use or "." in use):
        return _choose(_import_module(dotted["module"], use), dotted["name"], dotted["module"])
    return _registered(use, registry, folder or Path())


def source_folder(cls: type[Strategy]) -> Path | None:
    """Return the folder of the file that `load_strategy` made a class of; None for any other class."""
    module = sys.modules.get(cls.__module__)
    if module is None or not module.__name__.startswith(MODULE_PREFIX) or not module.__file__:
        return None
    return Path(module.__file__).parent


def parse_parameters(cls: type[Strategy], texts: dict[str, str]) -> dict[str, Any]:
    """Read parameters given as texts, such as those of the command line.

    Raises
    ------
    ParameterError
        For a name that is not declared, with a suggestion, or a value that is not taken.
    """
    return {name: find_parameter(cls, name).parse(text, cls.__name__) for name, text in texts.items()}


def make_strategy(cls: type[Strategy], parameters: dict[str, Any], name: str = "") -> Strategy:
    """Make a strategy; `name` replaces that of its class.

    Raises
    ------
    ParameterError
        A parameter is missing, unknown or out of range.
    StrategyFileError
        An ``__init__`` of the user's own raised something else.
    """
    try:
        made = cls(**parameters)
    except ParameterError:
        raise
    except Exception as error:
        raise StrategyFileError(f"{cls.__name__} cannot be made: {_describe(error, _file_of(cls))}") from error
    if name:
        made.name = name
    return made


def _import_file(path: Path) -> ModuleType:
    _check_file(path)
    try:
        return import_source(path)
    # A file that calls sys.exit(), such as a script without a main guard, must not end us either.
    except (Exception, SystemExit) as error:
        raise StrategyFileError(f"{path.name} does not import: {_describe(error, str(path.absolute()))}") from error


def _check_file(path: Path) -> None:
    if path.is_file():
        return
    if path.is_dir():
        raise StrategyFileError(f"{path} is a folder. Give a file in it.")
    if not path.parent.is_dir():
        raise StrategyFileError(f"{path}: there is no such file, nor a folder {str(path.parent)!r}. Check the path.")
    near = did_you_mean(path.name, [one.name for one in path.parent.glob("*.py")])
    raise StrategyFileError(f"{path}: there is no such file. Check the path.{near}")


def _import_module(name: str, use: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise StrategyFileError(
                f"{use}: there is no module {error.name!r}. Is the package installed? A file is named with its ending: "
                f"{name.replace('.', '/')}.py"
            ) from error
        raise StrategyFileError(f"{name} does not import: {_describe(error, None)}") from error
    except (Exception, SystemExit) as error:
        raise StrategyFileError(f"{name} does not import: {_describe(error, None)}") from error


def _registered(name: str, registry: Registry, folder: Path) -> type[Strategy]:
    if name not in registry.strategies() and (folder / f"{name}.py").is_file():
        raise StrategyFileError(f"no plugin offers the strategy {name!r}. For the file, write {name}.py.")
    cls = registry.get("strategy", name).load()
    if not (isinstance(cls, type) and issubclass(cls, Strategy)):
        raise StrategyFileError(f"what is registered as the strategy {name!r} is {cls!r}, not a subclass of Strategy.")
    return cls


def _choose(module: ModuleType, name: str | None, place: str) -> type[Strategy]:
    """Return the strategy of that name, or the only one."""
    every = {
        key: value
        for key, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Strategy) and value is not Strategy
    }
    if name:
        return every[name] if name in every else _missing(module, name, place, every)
    defined = {key: cls for key, cls in every.items() if cls.__module__ == module.__name__ and not key.startswith("_")}
    distinct = set(defined.values())
    if len(distinct) == 1:
        return distinct.pop()
    if distinct:
        raise StrategyFileError(
            f"{place} holds {len(distinct)} strategies: {', '.join(sorted(defined))}. Name one: {place}:{min(defined)}"
        )
    imported = f" It imports {', '.join(sorted(every))}; to run that, name it after a colon." if every else ""
    raise StrategyFileError(
        f"{place} holds no strategy: there is no class in it that derives from cambist.Strategy.{imported}"
    )


def _missing(module: ModuleType, name: str, place: str, every: dict[str, type[Strategy]]) -> type[Strategy]:
    if name in vars(module):
        what = vars(module)[name]
        kind = (
            "a class that does not derive from cambist.Strategy"
            if isinstance(what, type)
            else f"a {type(what).__name__}"
        )
        raise StrategyFileError(f"{place}: {name} is {kind}.{did_you_mean(name, every)}")
    hint = did_you_mean(name, every) or " There is no strategy in it."
    raise StrategyFileError(f"{place} has no strategy {name!r}.{hint}")


def _file_of(cls: type) -> str | None:
    return getattr(sys.modules.get(cls.__module__), "__file__", None)


def _describe(error: BaseException, file: str | None) -> str:
    """Say what was raised and where: in `file` if the way leads through it, else where it was raised."""
    if isinstance(error, SyntaxError) and error.filename:
        line = f": {error.text.strip()}" if error.text and error.text.strip() else ""
        return f"{type(error).__name__} at {Path(error.filename).name}:{error.lineno}: {error.msg}{line}"
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename == file] or frames
    where = f" at {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
    line = f" ({ours[-1].line})" if ours and ours[-1].line else ""
    if isinstance(error, SystemExit):
        return f"it ends the program{where}{line}. Put what a script does under: if __name__ == '__main__':"
    text = f": {error}" if str(error) else ""
    return f"{type(error).__name__}{where}{line}{text}"


def sized_strategies(plan: RunPlan) -> list[Strategy]:
    """Make the strategies of a plan as a live run does: with the sizer of the run where they bring none.

    Raises
    ------
    InputError
        A parameter cannot be used, or a strategy cannot be made.
    """
    sizer = plan.settings.get("sizer")
    made = [make_strategy(one.cls, dict(one.parameters), one.name) for one in plan.strategies]
    for strategy in made:
        if sizer is not None and takes_sizer(strategy):
            strategy.sizer = sizer
    return made
