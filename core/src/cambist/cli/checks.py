"""What `cambist doctor` looks at."""

from __future__ import annotations

import locale
import platform
import re
import shutil
import sys
import tempfile
import time
from enum import StrEnum
from importlib import metadata
from importlib.util import cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from cambist.errors import CambistError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cambist.plugins.registry import Registry

__all__ = ["Finding", "State", "examine", "warm_up"]

_OLDEST_PYTHON = (3, 11)
_GIGABYTE = 1e9
_LITTLE_ROOM = 1.0
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?\s*(?P<rule>[^;]*)(?:;\s*(?P<when>.*))?")


class State(StrEnum):
    """How well a thing stands."""

    OK = "ok"
    #: Worth knowing; nothing depends on it.
    WARNING = "warning"
    #: Needed, and broken.
    FAILED = "failed"


@attrs.frozen
class Finding:
    """One line of the doctor's report.

    Attributes
    ----------
    topic, name
        What was looked at.
    state
        How it stands.
    text
        What was found, and what to do about it.
    code
        A stable word for what is wrong, where there is one.
    """

    topic: str
    name: str
    state: State
    text: str
    code: str = ""


def examine(registry: Callable[[], Registry]) -> list[Finding]:
    """Look at everything.

    Parameters
    ----------
    registry
        Discovers what is installed.
    """
    return [*_python(), *_dependencies(), *_talib(), *_plugins(registry), *_surroundings()]


def _python() -> Iterator[Finding]:
    text = f"{platform.python_implementation()} {platform.python_version()} on {platform.platform()}, {sys.executable}"
    new_enough = sys.version_info >= _OLDEST_PYTHON
    yield Finding("Python", "python", State.OK if new_enough else State.FAILED, text)
    yield _bytecode()


def _bytecode() -> Finding:
    import cambist

    source = Path(cambist.__file__)
    where = source.parent
    written = (
        "is not written here (PYTHONDONTWRITEBYTECODE)" if sys.dont_write_bytecode else "is written when it is missing"
    )
    if Path(cache_from_source(str(source))).exists():
        return Finding("Python", "bytecode", State.OK, f"of cambist is there; bytecode {written}")
    if not sys.dont_write_bytecode:
        return Finding("Python", "bytecode", State.OK, f"of cambist is not there yet; bytecode {written}")
    return Finding(
        "Python",
        "bytecode",
        State.WARNING,
        f"of cambist is not there, and bytecode {written}: each start compiles everything again. "
        f"Once: {sys.executable} -m compileall -q {where}",
    )


def _dependencies() -> Iterator[Finding]:
    topic = "Packages"
    try:
        requirements = metadata.requires("cambist") or []
    except metadata.PackageNotFoundError:
        yield Finding(topic, "cambist", State.WARNING, "runs without being installed; plugins need it installed")
        return
    yield Finding(topic, "cambist", State.OK, metadata.version("cambist"))
    for requirement in requirements:
        match = _REQUIREMENT.fullmatch(requirement)
        if match is None:
            continue
        extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)", match["when"] or "")
        yield _package(match["name"], match["rule"].strip(), extra[1] if extra else "")


def _package(name: str, rule: str, extra: str) -> Finding:
    """Look at one distribution; one that only an extra asks for may be missing."""
    topic = "Packages"
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        if extra:
            return Finding(topic, name, State.WARNING, f"not installed; it comes with: pip install 'cambist[{extra}]'")
        return Finding(topic, name, State.FAILED, f"not installed; install it with: pip install '{name}{rule}'")
    least = re.search(r">=\s*([0-9.]+)", rule)
    if least and _numbers(version) < _numbers(least[1]):
        return Finding(topic, name, State.FAILED, f"{version} is too old; install {name}{rule}")
    return Finding(topic, name, State.OK, version)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.partition("+")[0])[:3])


def _talib() -> Iterator[Finding]:
    """Have the C library behind TA-Lib compute something whose result is known."""
    try:
        import numpy as np
        import talib

        average = talib.SMA(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), 3)
    except Exception as error:  # noqa: BLE001 -- a broken binary may raise anything
        text = f"does not work: {type(error).__name__}: {error}. Reinstall it: pip install --force-reinstall TA-Lib"
        yield Finding("Packages", "TA-Lib's C library", State.FAILED, text)
        return
    right = bool(np.isnan(average[:2]).all()) and average[2:].tolist() == [2.0, 3.0, 4.0]
    if right:
        yield Finding("Packages", "TA-Lib's C library", State.OK, f"{_text(vars(talib)['__ta_version__'])}; computes")
    else:
        text = f"computes wrongly: the average of 1..5 over 3 is {average.tolist()}. Reinstall TA-Lib."
        yield Finding("Packages", "TA-Lib's C library", State.FAILED, text)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _plugins(registry: Callable[[], Registry]) -> Iterator[Finding]:
    topic = "Plugins"
    try:
        found = registry()
    except CambistError as error:
        yield Finding(topic, "plugins", State.FAILED, str(error).partition("\n\n")[0])
        return
    for status in found.statuses():
        active = status.state == "active"
        text = f"{status.version} {status.state}" + (f": {status.error}" if status.error else "")
        if active:
            text += f", {len(status.components)} components"
        yield Finding(topic, status.name, State.OK if active else State.WARNING, text.strip())
    for clash in found.clashes():
        yield Finding(topic, "clash", State.WARNING, clash)


def warm_up(registry: Callable[[], Registry]) -> list[Finding]:
    """Have the commands that say so get ready what takes long the first time; what cannot be is a warning."""
    found = []
    for name, spec in registry().commands().items():
        if "warms" in spec.capabilities:
            try:
                text = str(getattr(spec.load(), "warm")())  # noqa: B009 - of whatever the plugin made
            except (CambistError, OSError) as error:
                found.append(Finding("Warm", name, State.WARNING, str(error)))
            else:
                found.append(Finding("Warm", name, State.OK, text))
    return found


def _surroundings() -> Iterator[Finding]:
    topic = "Machine"
    output = (sys.stdout.encoding or "unknown").lower()
    language = ".".join(part for part in locale.getlocale() if part) or "none set"
    state = State.OK if output.replace("-", "") == "utf8" else State.WARNING
    text = f"{language}; output in {output}, file names in {sys.getfilesystemencoding()}"
    if state is State.WARNING:
        text += ". Symbols that it lacks are shown as codes; set LANG=C.UTF-8 or PYTHONUTF8=1"
    yield Finding(topic, "locale", state, text)
    yield Finding(topic, "time zone", State.OK, f"{'/'.join(time.tzname)} here; Cambist reckons in UTC")
    for name, folder in (("disk, here", Path.cwd()), ("disk, temporary", Path(tempfile.gettempdir()))):
        yield _disk(topic, name, folder)


def _disk(topic: str, name: str, folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free / _GIGABYTE
    state = State.OK if free >= _LITTLE_ROOM else State.WARNING
    return Finding(topic, name, state, f"{free:,.1f} GB free in {folder}")
