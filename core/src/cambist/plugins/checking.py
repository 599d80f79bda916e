"""Checks a plugin: runs the suites of its kinds offline, and certifies the outcome."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import attrs

from cambist.errors import ConfigError, MissingDependencyError, UnknownComponentError, did_you_mean
from cambist.plugins.discovery import GROUP, core_version
from cambist.plugins.local import LOCAL, LOCAL_FILE
from cambist.plugins.status import PluginState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.plugins.registry import Registry
    from cambist.plugins.status import PluginStatus

__all__ = ["REPORT", "Certificate", "Requirement", "Subject", "check"]

_RECORDER = "cambist.testing.recording"
#: Environment variable that names the file for what that records.
REPORT = "CAMBIST_CONFORMANCE_REPORT"
#: What `cambist plugins new` calls a kind where its records are called otherwise.
_KINDS = {"exchange": "session", "risk": "risk_rule"}
#: How long all suites of a plugin may take, s.
_WITHIN = 1_800


@attrs.frozen
class Subject:
    """A plugin that is to be checked.

    Attributes
    ----------
    plugin, distribution, version
        Its names and version; empty where they are not known.
    modules
        Modules with test classes that inherit suites.
    path
        Folders that must be found first, for a package that is not installed.
    without
        Components whose records name no such module.
    """

    plugin: str
    distribution: str
    version: str
    modules: tuple[str, ...]
    path: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    @classmethod
    def of(cls, target: str, registry: Registry, kind: str = "") -> Self:
        """Find what is meant: the folder of a package, a plugin of one file, or the name of one that is installed.

        Parameters
        ----------
        target
            A name; a folder; or a file, which is `cambist_plugins.py` or a run file beside it.
        registry
            Knows what is installed, and the plugin of one file that is at `target`.
        kind
            Of the components to look at, as `cambist.plugins.scaffold.KINDS` or `Spec.kind` has it; ``""`` for all.

        Raises
        ------
        ConfigError
            If there is no plugin in the folder, or beside the file, or it offers nothing of that kind.
        UnknownComponentError
            If no plugin has that name, or it failed to load.
        """
        place = Path(target)
        if place.is_dir() and (place / "pyproject.toml").is_file():
            return cls._in_folder(place.resolve(), kind)
        statuses = {one.name: one for one in registry.statuses()}
        if place.exists():
            file = next((one.path for one in statuses.values() if one.path), "")
            if not file:
                raise ConfigError(
                    f"{target} holds no pyproject.toml, and no {LOCAL_FILE} either; give the folder of a plugin."
                )
            return cls._of(statuses[LOCAL], registry, kind, (str(Path(file).parent),))
        status = statuses.get(target)
        if status is None:
            raise UnknownComponentError(
                f"there is no plugin {target!r}, and no folder of that name.{did_you_mean(target, statuses)}"
            )
        return cls._of(status, registry, kind)

    @classmethod
    def _of(cls, status: PluginStatus, registry: Registry, kind: str, path: tuple[str, ...] = ()) -> Self:
        if status.state is not PluginState.ACTIVE:
            raise UnknownComponentError(
                f"the {status.provider} cannot be checked, it is {status.state}: {status.error}"
            )
        names = {f"{spec.kind}:{spec.name}": spec.conformance for spec in registry.components(status.name)}
        owner = (status.name, status.distribution or status.path, status.version)
        return cls._made(owner, _of_kind(names, kind, status.name), path)

    @classmethod
    def _made(cls, owner: tuple[str, str, str], names: dict[str, str], path: tuple[str, ...]) -> Self:
        modules = tuple(dict.fromkeys(one for one in names.values() if one))
        return cls(*owner, modules, path, tuple(name for name, one in names.items() if not one))

    @classmethod
    def _in_folder(cls, folder: Path, kind: str) -> Self:
        """Read what a package that may not be installed declares."""
        try:
            project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
            ((plugin, module),) = project["entry-points"][GROUP].items()
        except (KeyError, ValueError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(
                f'{folder / "pyproject.toml"} declares no single plugin in [project.entry-points."{GROUP}"]: {error}.'
            ) from error
        path = str(folder / "src") if (folder / "src").is_dir() else str(folder)
        names = _of_kind(_records_in(module, path), kind, plugin)
        return cls._made((plugin, project["name"], str(project.get("version", ""))), names, (path,))


@attrs.frozen
class Requirement:
    """What became of one requirement.

    Attributes
    ----------
    id, requirement
        Of the suite; see `cambist.testing.cards_of`.
    subject
        The test class that inherits the suite.
    outcome
        ``"passed"``, ``"failed"``, or ``"skipped"`` where the plugin says that it has not got what is tested.
    why
        Why it was not met, or skipped.
    replaced
        Why the plugin put a test of its own in the place of the suite's; ``""`` where it did not.
    """

    id: str
    subject: str
    requirement: str
    outcome: str
    why: str = ""
    replaced: str = ""


@attrs.frozen
class Certificate:
    """What a check found.

    Attributes
    ----------
    plugin, distribution, version
        What was checked.
    cambist, suites
        Versions of Cambist and of what its suites require; `suites` is 0 where none ran.
    checked_at
        The time.
    requirements
        What became of each.
    without
        Components that name no suites, as ``kind:name``.
    """

    plugin: str
    distribution: str
    version: str
    cambist: str
    suites: int
    checked_at: str
    requirements: tuple[Requirement, ...]
    without: tuple[str, ...] = ()

    @property
    def is_green(self) -> bool:
        """Whether suites ran, none failed, and no component went without."""
        counts = self.counts
        return bool(counts["passed"]) and not counts["failed"] and not self.without

    @property
    def counts(self) -> Counter[str]:
        """How many requirements had which outcome."""
        return Counter(one.outcome for one in self.requirements)

    def document(self) -> dict[str, Any]:
        """Return it as plain values, for a file."""
        return {**attrs.asdict(self), "verdict": "passed" if self.is_green else "failed"}


def check(subject: Subject, checked_at: str) -> Certificate:
    """Run the suites of a plugin, in a process of their own.

    Parameters
    ----------
    subject
        What is to be checked.
    checked_at
        The time, for the certificate.

    Raises
    ------
    MissingDependencyError
        If pytest or hypothesis are not installed.
    ConfigError
        If the suites could not be run.
    """
    for needed in ("pytest", "hypothesis"):
        if find_spec(needed) is None:
            raise MissingDependencyError(f"the suites need {needed}: pip install 'cambist[testing]'.")
    found: dict[str, Any] = _run(subject) if subject.modules else {"suites": 0, "requirements": []}
    rows = (Requirement(**row) for row in found["requirements"])
    requirements = tuple(sorted(rows, key=lambda one: (one.subject, one.id)))
    names = (subject.plugin, subject.distribution, subject.version, core_version())
    return Certificate(*names, found["suites"], checked_at, requirements, subject.without)


def _run(subject: Subject) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="cambist-check-") as scratch:
        report = Path(scratch) / "report.json"
        files = _files_of(subject)
        words = ["-q", "--no-header", "-p", _RECORDER, "-p", "no:cacheprovider", "--import-mode=importlib"]
        # A package is checked as its users have it: what a conftest.py above it does is no part of that.
        within = os.path.commonpath([Path(file).parent for file in files])
        words += ["-o", "python_files=*.py", "--rootdir", scratch, "-c", os.devnull, "--confcutdir", within, *files]
        done = _python(["-m", "pytest", *words], subject.path, {REPORT: str(report)})
        if not report.is_file() or done.returncode > 1:
            said = (done.stdout + done.stderr).strip().splitlines()
            raise ConfigError(
                f"the suites of {subject.plugin} could not be run (pytest ended with {done.returncode}):\n"
                + "\n".join(said[-15:])
            )
        found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        return found


def _of_kind(names: dict[str, str], kind: str, plugin: str) -> dict[str, str]:
    """Return the components of a kind, with the module of suites that each names."""
    wanted = _KINDS.get(kind, kind)
    found = {name: module for name, module in names.items() if not kind or name.partition(":")[0] == wanted}
    if kind and not found:
        raise ConfigError(f"the plugin {plugin!r} offers no {kind}: it has {', '.join(names)}.")
    return found


def _files_of(subject: Subject) -> list[str]:
    """Return the files of the modules, without running them here."""
    if not subject.path:
        return _found(subject, {name: getattr(find_spec(name), "origin", None) for name in subject.modules})
    code = (
        "import importlib.util, json, sys\n"
        "found = {name: importlib.util.find_spec(name) for name in sys.argv[1:]}\n"
        "print(json.dumps({name: one and one.origin for name, one in found.items()}))"
    )
    done = _python(["-c", code, *subject.modules], subject.path)
    if done.returncode:
        raise ConfigError(f"the suites of {subject.plugin} cannot be found: {done.stderr.strip().splitlines()[-1]}")
    return _found(subject, json.loads(done.stdout.splitlines()[-1]))


def _found(subject: Subject, files: dict[str, str | None]) -> list[str]:
    missing = [name for name, file in files.items() if file is None]
    if missing:
        raise ConfigError(f"{subject.plugin} names {', '.join(missing)} as its suites, which is not there.")
    return [file for file in files.values() if file]


def _records_in(module: str, path: str) -> dict[str, str]:
    """Return the components of a module that may not be installed, with the module of suites that each names."""
    code = (
        "import importlib, json, sys\n"
        "from cambist.plugins.registry import Registry\n"
        "found = Registry.of([importlib.import_module(sys.argv[1])], strict=True).components()\n"
        "print(json.dumps({f'{spec.kind}:{spec.name}': spec.conformance for spec in found}))"
    )
    done = _python(["-c", code, module], (path,))
    if done.returncode:
        raise ConfigError(f"the module {module} cannot be used: {done.stderr.strip().splitlines()[-1]}")
    names: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return names


def _python(
    words: Sequence[str], path: Sequence[str], environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run this Python, with folders in front of what it finds."""
    before = os.environ.get("PYTHONPATH", "")
    found = os.pathsep.join([*path, *([before] if before else [])])
    env = {**os.environ, **(environ or {}), **({"PYTHONPATH": found} if found else {})}
    try:
        return subprocess.run(  # noqa: S603 - this interpreter
            # -P: the working directory is no place to import from.
            [sys.executable, "-P", *words],
            env=env,
            capture_output=True,
            text=True,
            timeout=_WITHIN,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ConfigError(f"the suites took longer than {_WITHIN} s, and were given up.") from None
